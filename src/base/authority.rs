//! The port in the authority of a URL. Pure.

use http::uri::Authority;

/// The port, if the authority names one, or what is wrong with it. The `http` crate's own reader takes `:+80` for 80,
/// which others do not take for a URL at all.
pub(crate) fn port_of(authority: &Authority) -> Result<Option<u16>, &'static str> {
    let text = authority.as_str();
    let without_login = text.rsplit('@').next().unwrap_or_default();
    let Some(after_host) = without_login.get(authority.host().len()..) else {
        return Ok(None);
    };
    if after_host.is_empty() {
        return Ok(None);
    }
    let digits = after_host
        .strip_prefix(':')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(0) | None => Err("has a port that is not in 1 to 65535"),
        port => Ok(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_digits() {
        for (authority, port) in [
            ("host", Ok(None)),
            ("host:80", Ok(Some(80))),
            ("[::1]", Ok(None)),
            ("[::1]:65535", Ok(Some(65535))),
            ("user:password@host:080", Ok(Some(80))),
            ("user:1@host", Ok(None)),
        ] {
            assert_eq!(port_of(&authority.parse().unwrap()), port, "{authority}");
        }
        for authority in [
            "host:",
            "host:0",
            "host:+80",
            "host:65536",
            "a@host:+80",
            "[::1]:x",
        ] {
            // Some of them are no authority to begin with.
            if let Ok(parsed) = authority.parse() {
                assert!(port_of(&parsed).is_err(), "{authority}");
            }
        }
    }
}
