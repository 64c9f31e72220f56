//! What OSS accepts and is a mistake all the same, as a rule. Pure.

use std::fmt;
use std::net::Ipv4Addr;

use super::decoded::{CallbackUrl, Decoded};
use super::template::{BodyType, Piece, VARIABLES, pieces};

/// Something in a callback that OSS does not refuse, or not for this reason, but that is likely a mistake.
/// It stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackWarning {
    /// A URL leads to a loopback or private address, which OSS refuses to call; local-oss does not.
    PrivateAddress {
        /// Its number, from 1.
        url: usize,
    },
    /// The body names a variable of the caller's that the spec does not define: it becomes nothing in a
    /// form, `null` in JSON. In a form upload (PostObject) variables are form fields, so there it is none.
    UndefinedVariable {
        /// Its name, with `x:`.
        name: String,
    },
    /// The body names a variable that OSS does not have: it becomes nothing, or `null`.
    UnknownVariable {
        /// Its name.
        name: String,
    },
    /// In a JSON body a placeholder stands inside quotes. OSS inserts the quotes of a text itself, so that
    /// the body is not JSON.
    QuotedPlaceholder {
        /// The variable.
        name: String,
    },
}

impl fmt::Display for CallbackWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallbackWarning::PrivateAddress { url } => write!(
                f,
                "callbackUrl number {url} leads to a loopback or private address, which OSS does not call"
            ),
            CallbackWarning::UndefinedVariable { name } => write!(
                f,
                "callbackBody names ${{{name}}}, but no variable of that name is defined"
            ),
            CallbackWarning::UnknownVariable { name } => write!(
                f,
                "callbackBody names ${{{name}}}, which is no variable of OSS"
            ),
            CallbackWarning::QuotedPlaceholder { name } => write!(
                f,
                "callbackBody has ${{{name}}} inside quotes: OSS inserts the quotes itself, so write it bare"
            ),
        }
    }
}

pub(super) fn of(spec: &Decoded) -> Vec<CallbackWarning> {
    let urls = spec.urls.iter().enumerate();
    let mut warnings: Vec<CallbackWarning> = urls
        .filter(|(_, url)| is_private(CallbackUrl::of(url).host))
        .map(|(index, _)| CallbackWarning::PrivateAddress { url: index + 1 })
        .collect();
    let mut in_quotes = false;
    let body = spec.body.to_string();
    for piece in pieces(&body).flatten() {
        let name = match piece {
            Piece::Literal(literal) => {
                in_quotes = quotes_after(literal, in_quotes);
                continue;
            }
            Piece::Placeholder(name) => name.to_owned(),
        };
        // A number needs no quotes, so that it may stand inside a text.
        let is_number = ["size", "imageInfo.height", "imageInfo.width"].contains(&&*name);
        let quoted = spec.body_type == BodyType::Json && in_quotes && !is_number;
        let warning = if name.starts_with("x:") && spec.variable(&name).is_none() {
            CallbackWarning::UndefinedVariable { name }
        } else if !name.starts_with("x:") && !VARIABLES.contains(&&*name) {
            CallbackWarning::UnknownVariable { name }
        } else if quoted {
            CallbackWarning::QuotedPlaceholder { name }
        } else {
            continue;
        };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    warnings
}

/// Whether a JSON string is open after this text.
fn quotes_after(text: &str, mut open: bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => open = !open,
            b'\\' if open => {
                bytes.next();
            }
            _ => {}
        }
    }
    open
}

fn is_private(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address: Result<Ipv4Addr, _> = host.parse();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::CallbackSpec;

    fn warnings(url: &str, body: &str, body_type: BodyType) -> Vec<String> {
        let spec = CallbackSpec::builder()
            .url("http://app.example.com/")
            .url(url)
            .body(body)
            .body_type(body_type)
            .variable("user", "1")
            .build()
            .unwrap();
        let warnings = spec.check().unwrap();
        warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn private_addresses_are_named() {
        for url in [
            "http://127.0.0.1:8080/",
            "10.1.2.3/a",
            "https://172.16.0.1",
            "192.168.1.1?a",
            "http://169.254.0.1/",
            "http://0.0.0.0/",
            "http://LOCALHOST.:1/",
        ] {
            let found = warnings(url, "a=${size}", BodyType::Form);
            assert!(found[0].contains("number 2"), "{url}: {found:?}");
        }
        for url in [
            "http://8.8.8.8/",
            "172.32.0.1",
            "http://localhost.example.com/",
        ] {
            assert!(
                warnings(url, "a=${size}", BodyType::Form).is_empty(),
                "{url}"
            );
        }
    }

    #[test]
    fn variables_that_nobody_defines_are_named_once() {
        let body = "${x:user}${x:usr}${x:usr}${Bucket}${imageInfo}${bucket}";
        let found = warnings("http://a.example.com", body, BodyType::Form);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("${x:usr}") && found[0].contains("defined"));
        assert!(found[1].contains("${Bucket}") && found[2].contains("${imageInfo}"));
        let all: String = VARIABLES
            .iter()
            .map(|name| format!("${{{name}}}"))
            .collect();
        assert!(warnings("http://a.example.com", &all, BodyType::Form).is_empty());
    }

    #[test]
    fn a_text_inside_quotes_is_named_and_a_number_is_not() {
        for (body, expected) in [
            (r#"{"a":"${object}"}"#, 1),
            (r#"{"a":" \" ${x:user}"}"#, 1),
            (r#"{"a":${object},"b":"\\","c":${etag}}"#, 0),
            (
                r#"{"pic":"${imageInfo.width},${imageInfo.height} ${size}"}"#,
                0,
            ),
            (r#"{"a":"${size}${etag}","b":${etag}}"#, 1),
        ] {
            let found = warnings("http://a.example.com", body, BodyType::Json);
            assert_eq!(found.len(), expected, "{body}: {found:?}");
            assert!(warnings("http://a.example.com", body, BodyType::Form).is_empty());
        }
    }
}
