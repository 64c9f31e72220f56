//! The query of a request, decoded.

use percent_encoding::percent_decode_str;

/// Names and values in the order they came. Bytes, because nothing says that they are UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    /// Decodes `%XX`, and `+` as a blank: official SDKs send it for one. In a callback it stays a `+`, so that Base64 which a
    /// client forgot to encode still arrives.
    pub(crate) fn parse(raw: &str) -> Self {
        let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        Self(
            raw.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    let name = decode(name);
                    let value = match &name[..] {
                        b"callback" | b"callback-var" => decode(value),
                        _ => decode(&value.replace('+', " ")),
                    };
                    (name, value)
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.pairs()
            .find(|(candidate, _)| *candidate == name.as_bytes())
            .map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_once() {
        let query =
            Query::parse("callback=a%2Bb%3D&&uploads&x=1=2&p=%2541&plus=a+b%2B&callback-var=c+d");
        assert_eq!(query.get("callback"), Some(&b"a+b="[..]));
        assert_eq!(query.get("uploads"), Some(&b""[..]));
        assert_eq!(query.get("x"), Some(&b"1=2"[..]));
        assert_eq!(query.get("p"), Some(&b"%41"[..]));
        assert_eq!(query.get("plus"), Some(&b"a b+"[..]));
        assert_eq!(query.get("callback-var"), Some(&b"c+d"[..]));
        assert!(!query.contains("none"));
    }
}
