//! Request signatures. Pure: the time and the credentials are arguments, the result is text.
//!
//! OSS documentation: "Include signatures in the Authorization header", editions V1 and V4.

pub(crate) mod v1;
pub(crate) mod v4;

use std::time::Duration;

use crate::base::sorted::sorted_by;
use crate::outcome::error::{Error, Result};
use crate::request::Header;

/// Which signature requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SignatureVersion {
    /// HMAC-SHA1. Older, needs no region.
    V1,
    /// HMAC-SHA256, bound to the day and the region.
    #[default]
    V4,
}

/// How long a URL or a form is to be good for, in whole seconds: OSS takes no more than a week.
pub(crate) fn whole_seconds(expires_in: Duration) -> Result<Duration> {
    const WEEK: u64 = 7 * 24 * 60 * 60;
    match expires_in.as_secs() {
        seconds @ 1..=WEEK => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::argument(format!(
            "`expires_in` {expires_in:?} is not in 1 s to 7 days"
        ))),
    }
}

/// What a signature covers. `headers` holds every header that is sent, without Authorization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestToSign<'a> {
    pub(crate) method: &'a str,
    /// `None` for the service itself.
    pub(crate) bucket: Option<&'a str>,
    /// Not encoded; `None` for the bucket itself.
    pub(crate) key: Option<&'a str>,
    /// Not encoded; a missing value and an empty one are signed alike.
    pub(crate) query: &'a [(String, Option<String>)],
    pub(crate) headers: &'a [Header<'a>],
}

impl RequestToSign<'_> {
    /// `/bucket/key` in pieces, whatever the style of the URL.
    fn resource(&self) -> [&str; 4] {
        match self.bucket {
            None => ["/", "", "", ""],
            Some(bucket) => ["/", bucket, "/", self.key.unwrap_or_default()],
        }
    }

    /// The headers, with the blanks around their values removed as they are on the wire.
    fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (&**name, value.trim_matches([' ', '\t'])))
    }

    /// Those headers whose names are wanted, sorted by their names in lower case.
    fn sorted_headers(&self, wanted: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        let headers = self.headers().filter(|(name, _)| wanted(name));
        sorted_by(headers, |(a, _), (b, _)| {
            let [a, b] = [a, b].map(|name| name.bytes().map(|byte| byte.to_ascii_lowercase()));
            a.cmp(b)
        })
    }

    /// About how long a text with all of it is.
    fn len(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len() + value.len() + 2);
        let query = self.query.iter();
        let query =
            query.map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len) + 2);
        let resource = self.resource().map(str::len);
        resource.iter().sum::<usize>() + headers.sum::<usize>() + query.sum::<usize>()
    }
}

fn push_lower_case(text: &mut String, name: &str) {
    let begin = text.len();
    text.push_str(name);
    text[begin..].make_ascii_lowercase();
}

/// Whether a header is one of OSS's own.
fn is_of_oss(name: &str) -> bool {
    const PREFIX: &str = "x-oss-";
    name.get(..PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::vectors;

    /// Owned parts of one row of a vector file.
    struct Row {
        value: Value,
        query: Vec<(String, Option<String>)>,
        headers: Vec<Header<'static>>,
    }

    impl Row {
        fn new(value: Value) -> Row {
            let pairs = |name: &str| value[name].as_array().unwrap().clone();
            let text = |value: &Value| value.as_str().map(str::to_owned);
            Row {
                query: pairs("query")
                    .iter()
                    .map(|p| (text(&p[0]).unwrap(), text(&p[1])))
                    .collect(),
                headers: pairs("headers")
                    .iter()
                    .map(|p| (text(&p[0]).unwrap().into(), text(&p[1]).unwrap().into()))
                    .collect(),
                value,
            }
        }

        fn text(&self, name: &str) -> &str {
            self.value[name].as_str().unwrap()
        }

        fn request(&self) -> RequestToSign<'_> {
            RequestToSign {
                method: self.text("method"),
                bucket: self.value["bucket"].as_str(),
                key: self.value["key"].as_str(),
                query: &self.query,
                headers: &self.headers,
            }
        }

        fn v1(&self) {
            let (id, secret) = (self.text("access_key_id"), self.text("access_key_secret"));
            let string_to_sign = v1::string_to_sign(&self.request(), None);
            assert_eq!(
                string_to_sign,
                self.text("string_to_sign"),
                "{}",
                self.text("id")
            );
            let signature = v1::signature(&string_to_sign, secret);
            let authorization = v1::authorization(id, &signature);
            assert_eq!(
                authorization,
                self.text("authorization"),
                "{}",
                self.text("id")
            );
        }

        fn v4(&self) {
            let additional: Vec<String> = self.value["additional_headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            let scope = v4::Scope {
                time: self.text("time"),
                region: self.text("region"),
                product: self.text("product"),
            };
            let (id, secret) = (self.text("access_key_id"), self.text("access_key_secret"));
            let canonical = v4::canonical_request(&self.request(), &additional);
            assert_eq!(
                canonical,
                self.text("canonical_request"),
                "{}",
                self.text("id")
            );
            if let Some(key) = self.value["signing_key_hex"].as_str() {
                let mut hex = String::new();
                v4::push_hex(&mut hex, &scope.signing_key(secret));
                assert_eq!(hex, key, "{}", self.text("id"));
            }
            let request = self.request();
            let string_to_sign = v4::string_to_sign(&request, &scope, &additional);
            assert_eq!(
                string_to_sign,
                self.text("string_to_sign"),
                "{}",
                self.text("id")
            );
            let signature = v4::signature(&string_to_sign, &scope.signing_key(secret));
            let authorization = v4::authorization(&request, id, &signature, &scope, &additional);
            assert_eq!(
                authorization,
                self.text("authorization"),
                "{}",
                self.text("id")
            );
        }
    }

    #[test]
    fn v1_signatures_are_those_of_the_official_sdks() {
        vectors::each("v1_header.json", |row| Row::new(row).v1());
    }

    #[test]
    fn v4_signatures_are_those_of_the_official_sdks() {
        vectors::each("v4_header.json", |row| Row::new(row).v4());
    }

    #[test]
    fn published_signatures_are_met() {
        vectors::each("published_signatures.json", |row| {
            let row = Row::new(row);
            match row.text("scheme") {
                "v1_header" => row.v1(),
                "v4_header" => row.v4(),
                other => panic!("unknown scheme {other}"),
            }
        });
    }
}
