//! Addresses that a caller gives for host names, in place of those that a resolver finds.

use std::net::SocketAddr;

use crate::base::host_name::{ends_in_a_number, is_host_name};
use crate::outcome::error::{Error, Result};

/// Addresses that a caller has given for names, in lower case; a name that begins with `*.` is every one that ends so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(Vec<(String, Vec<SocketAddr>)>);

impl Given {
    /// Sets the addresses of a name, or replaces them.
    pub(crate) fn set(&mut self, host: &str, addresses: Vec<SocketAddr>) {
        let host = host.to_ascii_lowercase();
        self.0.retain(|(other, _)| *other != host);
        self.0.push((host, addresses));
    }

    /// Refuses what could never be looked up, and would be given in vain.
    pub(super) fn check(&self) -> Result<()> {
        for (host, _) in &self.0 {
            let bare = host.strip_prefix("*.").unwrap_or(host);
            if !is_host_name(bare) || ends_in_a_number(bare) {
                return Err(Error::argument(format!(
                    "`host` {host:?} has addresses, but is not a name such as oss.example.com or *.example.com"
                )));
            }
        }
        Ok(())
    }

    /// The addresses of a name; the name itself is preferred, and then the longest end.
    pub(super) fn of(&self, name: &str) -> Option<&Vec<SocketAddr>> {
        let fits = |host: &str| match host.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == host,
        };
        let fitting = self.0.iter().filter(|(host, _)| fits(host));
        let found = fitting.max_by_key(|(host, _)| (!host.starts_with('*'), host.len()))?;
        Some(&found.1)
    }
}
