//! An HTTP proxy that the caller named: requests go through a tunnel (CONNECT), plain ones too.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::current::Current;
use super::wire::{ReceiveError, Wire};
use crate::base::authority::port_of;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// The head of a proxy's answer.
const MAX_HEAD_LEN: usize = 16 * 1024;

/// Where the proxy is, and how to log in. `Debug` does not show the password.
#[derive(Clone)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    authorization: Option<String>,
}

impl Proxy {
    /// `http://proxy.example.com:3128`, with `user:password@` before the host if need be, both
    /// percent-encoded.
    pub(crate) fn parse(url: &str) -> Result<Proxy> {
        // The URL is not repeated in messages: it may hold a password.
        let bad = |problem: &str| Error::argument(format!("`proxy` {problem}"));
        let uri: http::Uri = url
            .parse()
            .map_err(|e| bad(&format!("is not a URL: {e}")))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("does not begin with http://"));
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(bad("has a path"));
        }
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        let authorization = authority.as_str().rsplit_once('@').map(|(login, _)| {
            let decoded: Vec<u8> = percent_encoding::percent_decode_str(login).collect();
            format!("Basic {}", STANDARD.encode(decoded))
        });
        let port = port_of(authority).map_err(bad)?.unwrap_or(80);
        Ok(Proxy {
            host: authority.host().to_owned(),
            port,
            authorization,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Asks the proxy for a connection to the server.
    pub(super) fn open_tunnel(
        &self,
        wire: &mut Wire,
        host: &str,
        port: u16,
        current: &Current,
    ) -> Result<()> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        let failed = |what: &str| {
            let message = format!("proxy {}:{}: {what}", self.host, self.port);
            Error::new(ErrorKind::Connect, message)
        };
        wire.send([request.as_bytes(), &[]], current)?;
        let mut head = Vec::new();
        let mut byte = [0];
        // Byte by byte: what follows the head belongs to the server.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MAX_HEAD_LEN {
                return Err(failed("its answer has no end"));
            }
            match wire.receive(&mut byte, current) {
                Ok(0) => return Err(failed("it closed the connection")),
                Ok(_) => head.push(byte[0]),
                Err(ReceiveError::Lost(e)) => return Err(failed(&e.to_string().to_lowercase())),
                Err(ReceiveError::Stopped(e)) => return Err(e),
            }
        }
        let line = String::from_utf8_lossy(&head);
        let line: String = line
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(120)
            .collect();
        match line.split(' ').nth(1) {
            Some(status) if status.len() == 3 && status.starts_with('2') => {}
            _ => return Err(failed(&format!("it answered {line:?}"))),
        }
        // What follows it is the server's; but a page that the proxy shows in its place says so.
        if has_body(&head) {
            return Err(failed("it answered with a page of its own"));
        }
        Ok(())
    }
}

/// Whether a head announces a body, which that of an open tunnel does not have (RFC 9110, section 9.3.6).
fn has_body(head: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').any(|line| {
        let colon = line.iter().position(|byte| *byte == b':');
        colon.is_some_and(|colon| {
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            name.eq_ignore_ascii_case(b"transfer-encoding")
                || name.eq_ignore_ascii_case(b"content-length") && value != b"0"
        })
    })
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_of_http_and_keeps_its_password() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy.example.com:3128").unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example.com", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic bWU6cEBzcw=="));
        assert!(!format!("{proxy:?}").contains("ss"), "{proxy:?}");
        assert_eq!(Proxy::parse("http://proxy").unwrap().port(), 80);
        for bad in [
            "",
            "proxy:1",
            "https://a:p@proxy",
            "socks5://proxy",
            "http://proxy/path",
            "http://a:p@proxy:0",
            "http://a:p@proxy:65536",
            "http://a:p@proxy:",
        ] {
            let error = Proxy::parse(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("`proxy`") && !error.contains("a:p@"),
                "{error}"
            );
        }
    }
}
