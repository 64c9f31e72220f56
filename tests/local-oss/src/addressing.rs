//! Which bucket and which object a request means.

use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::percent_decode_str;

/// What a request addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) bucket: Option<String>,
    /// Decoded; empty for the bucket itself.
    pub(crate) key: Vec<u8>,
    /// The bucket came from the Host header and not from the path.
    pub(crate) virtual_host: bool,
}

/// Takes the Host header (with or without port) and the path as sent.
///
/// `named` knows the buckets that names stand for which are none of the server's own.
///
/// A bucket stands in front of an IP address too: clients that insist on the virtual-host style send
/// `Host: examplebucket.127.0.0.1:9000` and only the key in the path.
pub(crate) fn resource(
    host: &str,
    raw_path: &str,
    region: &str,
    named: impl Fn(&str) -> Option<String>,
) -> Resource {
    let path: Vec<u8> = percent_decode_str(raw_path).collect();
    let path = path.strip_prefix(b"/").unwrap_or(&path);
    if let Some(bucket) = bucket_of_host(host, region, named) {
        return Resource {
            bucket: Some(bucket),
            key: path.to_vec(),
            virtual_host: true,
        };
    }
    // Decoded first: `%2F` separates like `/`.
    let (bucket, key) = match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (path, &path[path.len()..]),
    };
    Resource {
        bucket: (!bucket.is_empty()).then(|| String::from_utf8_lossy(bucket).into_owned()),
        key: key.to_vec(),
        virtual_host: false,
    }
}

fn bucket_of_host(
    host: &str,
    region: &str,
    named: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let name = without_port(host).to_ascii_lowercase();
    if is_endpoint(&name, region) {
        return None;
    }
    // All that stands in front of an endpoint is the bucket, even if no bucket can have that name.
    let mut dots = name.match_indices('.');
    let before = dots.find(|(dot, _)| {
        let rest = &name[dot + 1..];
        !rest.is_empty() && is_endpoint(rest, region)
    });
    if let Some((dot, _)) = before {
        return Some(name[..dot].to_owned());
    }
    named(&name)
}

/// Is this one of the server's own names, without a bucket?
fn is_endpoint(name: &str, region: &str) -> bool {
    let is_ip = name.parse::<IpAddr>().is_ok()
        || name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .is_some_and(|name| name.parse::<Ipv6Addr>().is_ok());
    let is_regional = name
        .strip_suffix(".aliyuncs.com")
        .and_then(|name| name.strip_prefix("oss-"))
        .is_some_and(|name| name == region || name.strip_suffix("-internal") == Some(region));
    name.is_empty() || name == "localhost" || is_ip || is_regional
}

/// The host without its port; an IPv6 address keeps its brackets.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// 3 to 63 of `a-z 0-9 -`, not starting or ending with `-`.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// 1 to 1023 bytes, not starting with `/` or `\` (OSS documentation, object naming).
pub(crate) fn is_object_name(key: &str) -> bool {
    (1..=1023).contains(&key.len()) && !key.starts_with(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str, path: &str) -> (Option<String>, String, bool) {
        let named = |name: &str| name.starts_with("known.").then(|| "known".to_owned());
        let resource = resource(host, path, "cn-hangzhou", named);
        let key = String::from_utf8(resource.key).unwrap();
        (resource.bucket, key, resource.virtual_host)
    }

    fn is(bucket: &str, key: &str, virtual_host: bool) -> (Option<String>, String, bool) {
        (Some(bucket.to_owned()), key.to_owned(), virtual_host)
    }

    #[test]
    fn own_names_are_path_style() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:1",
            "LOCALHOST",
            "[::1]:80",
            "[::1]",
            "oss-cn-hangzhou.aliyuncs.com",
            "oss-cn-hangzhou-internal.aliyuncs.com",
            "container:9000",
            "",
        ] {
            assert_eq!(
                of(host, "/bucket/a/b"),
                is("bucket", "a/b", false),
                "{host}"
            );
        }
    }

    #[test]
    fn a_bucket_in_front_of_an_own_name_is_virtual_host_style() {
        for host in [
            "bucket.localhost:80",
            "bucket.127.0.0.1:8080",
            "bucket.oss-cn-hangzhou.aliyuncs.com",
            "bucket.oss-cn-hangzhou-internal.aliyuncs.com",
        ] {
            assert_eq!(of(host, "/a/b"), is("bucket", "a/b", true), "{host}");
        }
        assert_eq!(
            of("known.known.oss-cn-hangzhou.aliyuncs.com", "/a"),
            is("known.known", "a", true)
        );
        assert_eq!(of("known.container:9000", "/a"), is("known", "a", true));
        assert_eq!(of("other.container:9000", "/a"), is("a", "", false));
    }

    #[test]
    fn an_encoded_slash_is_a_slash() {
        assert_eq!(
            of("127.0.0.1", "/bucket/a%2Fb%2fc"),
            is("bucket", "a/b/c", false)
        );
        assert_eq!(of("127.0.0.1", "/bucket%2Fa"), is("bucket", "a", false));
        assert_eq!(
            of("bucket.localhost", "/a%2F%E7%9B%AE"),
            is("bucket", "a/目", true)
        );
    }

    #[test]
    fn service_and_bucket_level_have_no_key() {
        assert_eq!(of("127.0.0.1", "/"), (None, String::new(), false));
        assert_eq!(of("127.0.0.1", "*"), is("*", "", false));
        assert_eq!(of("127.0.0.1", "/bucket/"), is("bucket", "", false));
        assert_eq!(of("127.0.0.1", "/bucket//a"), is("bucket", "/a", false));
        assert_eq!(of("bucket.localhost", "/"), is("bucket", "", true));
    }

    #[test]
    fn names_follow_the_rules() {
        for good in ["abc", "a-1", &"a".repeat(63)] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "-ab", "ab-", "Abc", "a_b", "a.b", &"a".repeat(64)] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
        assert!(is_object_name("a/b") && is_object_name(&"a".repeat(1023)));
        for bad in ["", "/a", "\\a", &"a".repeat(1024)] {
            assert!(!is_object_name(bad), "{bad}");
        }
    }
}
