//! The URLs of a callback.

use std::net::Ipv4Addr;

/// One URL of `callbackUrl`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallbackUrl {
    /// As it stands in the callback.
    pub(crate) text: String,
    pub(crate) https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query of the request line: as they stand, since they are encoded already.
    pub(crate) target: String,
}

impl CallbackUrl {
    /// `None` for what OSS would call an invalid URL.
    ///
    /// A URL without a scheme is http. A user name, an IPv6 address, or anything in path and query that would break the
    /// request line is refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            // `host/path?next=http://…` has no scheme of its own.
            _ if scheme.contains(['/', '?', '#']) => {
                return Self::parse(&format!("http://{text}")).map(|url| Self {
                    text: text.to_owned(),
                    ..url
                });
            }
            _ => return None,
        };
        let (authority, target) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (authority, if https { 443 } else { 80 }),
        };
        // What only looks like an address is a name that nobody finds.
        if !is_name(host) {
            return None;
        }
        let target = target.split('#').next().unwrap_or_default();
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Self {
            text: text.to_owned(),
            https,
            host: host.to_owned(),
            port,
            target: format!("{slash}{target}"),
        })
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// A domain name or an IPv4 address. An underscore is let through: names of containers have it.
pub(crate) fn is_host(host: &str) -> bool {
    match looks_like_address(host) {
        true => host.parse::<Ipv4Addr>().is_ok(),
        false => is_name(host),
    }
}

/// Has it only what IPv4 addresses have?
pub(crate) fn looks_like_address(host: &str) -> bool {
    host.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253
        && host
            .strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(bool, String, u16, String)> {
        let url = CallbackUrl::parse(text)?;
        assert_eq!(url.text, text);
        Some((url.https, url.host, url.port, url.target))
    }

    #[test]
    fn urls_are_taken_apart() {
        for (text, https, host, port, target) in [
            ("http://a.com/b?c=d", false, "a.com", 80, "/b?c=d"),
            ("https://a.com", true, "a.com", 443, "/"),
            ("HTTPS://a.com:8443/", true, "a.com", 8443, "/"),
            (
                "121.101.166.30/test.php",
                false,
                "121.101.166.30",
                80,
                "/test.php",
            ),
            ("a.com:23450", false, "a.com", 23450, "/"),
            ("http://a.com?x=1", false, "a.com", 80, "/?x=1"),
            ("http://a.com/?", false, "a.com", 80, "/?"),
            (
                "http://a.com/%E7%9B%AE/a+b#part",
                false,
                "a.com",
                80,
                "/%E7%9B%AE/a+b",
            ),
            (
                "a.com/?next=http://b.com/",
                false,
                "a.com",
                80,
                "/?next=http://b.com/",
            ),
            ("http://my_container.:1/", false, "my_container.", 1, "/"),
            // Names that nobody finds.
            ("123.456", false, "123.456", 80, "/"),
            ("http://1.2.3.256/", false, "1.2.3.256", 80, "/"),
        ] {
            let expected = (https, host.to_owned(), port, target.to_owned());
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_url_is_refused() {
        for text in [
            "",
            "http://",
            "http:///path",
            "ftp://a.com",
            "http://a.com:/",
            "http://a.com:0/",
            "http://a.com:65536/",
            "http://a.com:+1/",
            "www.callback.com:test",
            "http://u@a.com/",
            "http://[::1]/",
            "[::1]:80",
            "http://a b.com/",
            "http://a.com/a b",
            "http://a.com/\r\nX: y",
            "http://目.com/",
            "http://a.com/目",
            "http://1..2/",
            "http://a..com/",
            "http://-a.com",
            "://a.com",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
