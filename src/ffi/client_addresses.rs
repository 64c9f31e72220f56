//! Which addresses a client connects to, and from where.

use std::net::{IpAddr, SocketAddr};

use libc::c_char;

use super::client::{oss_callback_client_options, set, set_text};
use super::pointers::text;
use crate::{Error, Result};

/// Adds an address to use for a host name instead of asking the system, for tests and split networks.
/// `address` is an IP address, alone or with a port, such as "127.0.0.1:443"; an IPv6 address with a port is
/// in brackets. Without a port, it is that of the URL. Several are tried in the order in which they were
/// added, the next one after 250 ms, or at once when one refuses. A `host` such as "*.oss.example.com" is
/// every name that ends so, as the hosts of buckets do; the longest one that fits is used. TLS checks the
/// name all the same. The name of a proxy can be given, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_add_address(
    options: Option<&mut oss_callback_client_options>,
    host: *const c_char,
    address: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL or NUL-terminated strings.
        let (host, address) = unsafe { (text(host, "host")?, text(address, "address")?) };
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let ip_address = bare.unwrap_or(address).parse::<IpAddr>();
        let parsed = (ip_address.map(|ip| SocketAddr::from((ip, 0))))
            .or_else(|_| address.parse())
            .map_err(|_| {
                Error::argument(format!(
                    "`address` {address:?} is not an IP address, such as 127.0.0.1:443 or 127.0.0.1"
                ))
            })?;
        let mut hosts = settings.addresses.iter_mut();
        match hosts.find(|(other, _)| other.eq_ignore_ascii_case(host)) {
            Some((_, addresses)) => addresses.push(parsed),
            None => settings.addresses.push((host.to_owned(), vec![parsed])),
        }
        Ok(())
    });
}

/// Sets the IP address of this machine that connections come from, to a proxy, too. Only addresses of the
/// same family are tried; "0.0.0.0" means any of IPv4. If it is not an address of this machine, requests
/// fail with OSS_CALLBACK_CODE_CONNECT. Lookups by the system's resolver are not bound. Default: as the
/// system chooses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_local_address(
    options: Option<&mut oss_callback_client_options>,
    local_address: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(options, local_address, "local_address", |settings| {
            &mut settings.local_address
        })
    }
}

/// Sets the network interface that connections go through, to a proxy, too, such as "eth1", even if the
/// routes say otherwise. Linux only: elsewhere it is refused; before Linux 5.7 it takes CAP_NET_RAW. If this
/// machine has none of that name, requests fail with OSS_CALLBACK_CODE_CONNECT. Lookups by the system's
/// resolver are not bound. Default: as the system chooses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_network_interface(
    options: Option<&mut oss_callback_client_options>,
    network_interface: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            network_interface,
            "network_interface",
            |settings| &mut settings.network_interface,
        )
    }
}

/// What [`oss_callback_client_options_set_local_address`] was given.
pub(super) fn ip_address(text: &str) -> Result<IpAddr> {
    let bad = |_| Error::argument(format!("`local_address` {text:?} is not an IP address"));
    text.parse().map_err(bad)
}
