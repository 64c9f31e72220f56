//! Heads of answers that two readers could read differently: what is between them and OSS may have read another answer.
//! Pure.

/// What every answer of OSS has, and nobody else's.
const REQUEST_ID: &str = "x-oss-request-id";
/// Headers of which there is one, and by which this library decides. OSS gives each of them once.
const SINGLE: [&str; 5] = [
    "etag",
    "x-oss-hash-crc64ecma",
    "x-oss-object-type",
    REQUEST_ID,
    "x-oss-version-id",
];

/// Refuses a head, from its first line to the empty one, whose body could end in two places (RFC 9112, section 6.3), or
/// which contradicts itself. Whether it is proper HTTP besides is seen by who reads it. True if it has OSS's request id.
pub(super) fn check(head: &[u8]) -> Result<bool, String> {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_end());
    let version = lines.next().unwrap_or_default();
    // What comes after it would be read without a look.
    let is_interim = version.get(9) == Some(&b'1') && version.get(9..12) != Some(b"101");
    if is_interim {
        return Err("it has more interim answers than any server gives".to_owned());
    }
    let mut length = false;
    let mut coding = false;
    let mut singles = [None; SINGLE.len()];
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            if length {
                return Err("it has two Content-Lengths".to_owned());
            }
            length = true;
            // What `parse` takes besides digits is a plus sign.
            if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return Err("its Content-Length is no number".to_owned());
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if coding {
                return Err("it has two Transfer-Encodings".to_owned());
            }
            coding = true;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err("its Transfer-Encoding is something other than chunked".to_owned());
            }
        } else if let Some(index) =
            (SINGLE.iter()).position(|single| name.eq_ignore_ascii_case(single.as_bytes()))
        {
            if singles[index].is_some_and(|before| before != value) {
                return Err(format!("it has two different headers {}", SINGLE[index]));
            }
            singles[index] = Some(value);
        }
    }
    if length && coding {
        return Err("it has both a Content-Length and a Transfer-Encoding".to_owned());
    }
    if coding && version.starts_with(b"HTTP/1.0") {
        return Err("it has a Transfer-Encoding, which HTTP/1.0 does not know".to_owned());
    }
    let mut pairs = SINGLE.into_iter().zip(singles);
    Ok(pairs.any(|(name, value)| name == REQUEST_ID && value.is_some_and(|id| !id.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_in_one_way_only() {
        for (lines, ok) in [
            ("", true),
            ("Content-Length: 5", true),
            ("content-length:5 ", true),
            ("Transfer-Encoding: chunked", true),
            ("transfer-encoding:\tCHUNKED", true),
            ("ETag: \"A\"\r\nETag: \"A\"", true),
            ("x-oss-meta-a: 1\r\nx-oss-meta-a: 2", true),
            ("Content-Length: 5\r\nContent-Length: 5", false),
            ("Content-Length: 5\r\ncontent-length: 6", false),
            ("Content-Length: 5, 5", false),
            ("Content-Length: +5", false),
            ("Content-Length: 0x5", false),
            ("Content-Length:", false),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", false),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5", false),
            ("Transfer-Encoding : chunked\r\nContent-Length: 5", false),
            ("Transfer-Encoding: xchunked", false),
            ("Transfer-Encoding: chunked, identity", false),
            ("Transfer-Encoding: identity", false),
            ("Transfer-Encoding: gzip, chunked", false),
            ("Transfer-Encoding:", false),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                false,
            ),
            ("ETag: \"A\"\r\netag: \"B\"", false),
            (
                "x-oss-hash-crc64ecma: 1\r\na: b\r\nX-OSS-Hash-CRC64ECMA: 2",
                false,
            ),
            ("x-oss-hash-crc64ecma: 2\r\nX-OSS-Hash-CRC64ECMA: 1", false),
            ("x-oss-request-id: 1\r\nx-oss-request-id: 2", false),
        ] {
            for end in ["\r\n", "\n"] {
                let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").replace("\r\n", end);
                assert_eq!(check(head.as_bytes()).is_ok(), ok, "{head}");
            }
        }
        assert_eq!(check(b"HTTP/1.1 200 OK\r\nETag: \"A\"\r\n\r\n"), Ok(false));
        assert_eq!(
            check(b"HTTP/1.1 404 No\r\nX-Oss-Request-Id: 1\r\n\r\n"),
            Ok(true)
        );
        assert_eq!(
            check(b"HTTP/1.1 200 OK\r\nx-oss-request-id: \r\n\r\n"),
            Ok(false)
        );
        assert!(check(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_err());
        assert!(check(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").is_ok());
        let old = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(check(old).is_err());
    }
}
