//! What a host name is: the same for OSS's and for an application server's. Pure.

/// Letters, digits, hyphens and underscores between single dots; what DNS and virtual hosts need. IPv4 addresses
/// are of that form, too.
pub(crate) fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Whether a host is meant as an IPv4 address, rightly written or not: `127.1` and `9000` are one to some resolvers, and
/// to browsers.
pub(crate) fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_hexadecimal = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_in_a_number_is_told_from_names() {
        for host in ["9000", "127.1", "a.example.0x7f", "a.0x", "1.2.3.4"] {
            assert!(ends_in_a_number(host), "{host}");
        }
        for host in [
            "localhost",
            "1.a",
            "oss-cn-hangzhou.aliyuncs.com",
            "a.b1",
            "0xcafe.g",
        ] {
            assert!(!ends_in_a_number(host), "{host}");
        }
    }

    #[test]
    fn a_host_name_is_of_labels_between_single_dots() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        for host in ["a", "A-1_b.c", "127.0.0.1", &label, &longest] {
            assert!(is_host_name(host), "{host}");
        }
        let too_long = format!("{longest}a");
        for host in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a:1",
            "[::1]",
            "é",
            "a%41",
            &format!("{label}a"),
            &too_long,
        ] {
            assert!(!is_host_name(host), "{host}");
        }
    }
}
