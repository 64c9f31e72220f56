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

#[cfg(test)]
mod tests {
    use super::*;

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
