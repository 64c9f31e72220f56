//! What ureq must not see of an answer.
//!
//! Cargo gives a program one ureq with the features that any crate in it asks for. With `gzip` or `brotli` it decodes the
//! body by `Content-Encoding`, with `charset` by `Content-Type`, and with `cookies` it keeps `Set-Cookie` and sends it back.
//! An object is to come as it is stored, whatever else is in the program. So these names are changed below ureq, in the
//! head that has come as a whole; [`Headers`](crate::outcome::headers::Headers) has them under their own.

use crate::outcome::headers::HIDDEN;

/// Changes the names in a head, from its first line to the empty one.
pub(super) fn hide(head: &mut [u8]) {
    for line in head.split_mut(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = &mut line[..colon];
        let is_hidden = |(shown, _): &(&str, &str)| {
            name.trim_ascii_end().eq_ignore_ascii_case(shown.as_bytes())
        };
        if HIDDEN.iter().any(is_hidden) {
            name[0] = b'!';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_wherever_they_stand_and_nothing_else_is_changed() {
        for (head, expected) in [
            (
                "HTTP/1.1 200 OK\r\nCONTENT-Encoding: gzip\r\nset-cookie:a=b\r\n\r\n",
                "HTTP/1.1 200 OK\r\n!ONTENT-Encoding: gzip\r\n!et-cookie:a=b\r\n\r\n",
            ),
            (
                "HTTP/1.1 200 OK\nContent-Type: text/plain\nX: Content-Type: a\n\n",
                "HTTP/1.1 200 OK\n!ontent-Type: text/plain\nX: Content-Type: a\n\n",
            ),
            (
                "HTTP/1.1 200 Content-Type: x\r\nContent-Length: 1\r\nContent-Typ: a\r\n: b\r\n\r\n",
                "HTTP/1.1 200 Content-Type: x\r\nContent-Length: 1\r\nContent-Typ: a\r\n: b\r\n\r\n",
            ),
        ] {
            let mut bytes = head.as_bytes().to_vec();
            hide(&mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }
        for (shown, hidden) in HIDDEN {
            let mut head = format!("{shown}: a").into_bytes();
            hide(&mut head);
            assert_eq!(head, format!("{hidden}: a").into_bytes());
        }
    }
}
