//! The body of a callback, read: a form or JSON, into the facts that OSS fills in. Pure.
//!
//! Loose where OSS and templates differ (numbers as strings, `null`, missing members, `+` or `%20`), strict
//! where two readers could understand different things: a member that is there twice is an error.

use std::collections::HashSet;
use std::fmt;

use percent_encoding::percent_decode;
use serde_core::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::spec::template::BodyType;

/// More than any template has room for, since a callback has 5 KB.
const MAX_MEMBERS: usize = 2000;

/// The names under which templates carry a fact: OSS's own first, then those of its samples.
const OBJECT: &[&str] = &["object", "filename"];
const HEIGHT: &[&str] = &["imageInfo.height", "height"];
const WIDTH: &[&str] = &["imageInfo.width", "width"];
const FORMAT: &[&str] = &["imageInfo.format", "format"];

/// What a callback says of an upload.
///
/// Each fact is found under the name of its variable, as in `object=${object}`; `object` also under
/// `filename`, and those of an image also under `height`, `width` and `format`. What is missing, empty or
/// `null` is `None`. The application's own variables are found under `x:name` and under `name`.
///
/// ```
/// use oss_callback::callback::CallbackBody;
///
/// let body = CallbackBody::parse(
///     Some("application/x-www-form-urlencoded"),
///     b"bucket=examplebucket&object=photos%2Fcat.jpg&size=108904&user=4711",
/// )?;
/// assert_eq!(body.object(), Some("photos/cat.jpg"));
/// assert_eq!(body.size(), Some(108904));
/// assert_eq!(body.variable("user"), Some("4711"));
/// # Ok::<(), oss_callback::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackBody {
    body_type: BodyType,
    /// In their order. `None` for `null`, and for arrays and objects.
    members: Vec<(String, Option<String>)>,
}

impl CallbackBody {
    /// Reads a body of this Content-Type. Without one, or with another, a body that begins with `{` is
    /// JSON and every other one a form: the header is not signed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadBody`] when it is not UTF-8, not a JSON object, has a member twice, a NUL in one, or
    /// more than 2000 members.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<CallbackBody> {
        let media_type = content_type.and_then(|text| text.split(';').next());
        let is = |name: &str| media_type.is_some_and(|t| t.trim().eq_ignore_ascii_case(name));
        let looks_like_json = body.trim_ascii_start().starts_with(b"{");
        let is_form = is(BodyType::Form.as_str());
        let body_type = match is(BodyType::Json.as_str()) || !is_form && looks_like_json {
            true => BodyType::Json,
            false => BodyType::Form,
        };
        let members = match body_type {
            BodyType::Form => form(body)?,
            BodyType::Json => json(body)?,
        };
        // No object has one in its name, and in C it would end a text.
        let has_nul = |text: &str| text.contains('\0');
        if members
            .iter()
            .any(|(name, value)| has_nul(name) || value.as_deref().is_some_and(has_nul))
        {
            return Err(bad("has a NUL in a member"));
        }
        let mut names = HashSet::with_capacity(members.len());
        if let Some((name, _)) = members.iter().find(|(name, _)| !names.insert(name)) {
            let shown: String = name.chars().take(100).collect();
            return Err(bad(format!("has the member {shown:?} twice")));
        }
        Ok(CallbackBody { body_type, members })
    }

    /// How the body was read.
    pub fn body_type(&self) -> BodyType {
        self.body_type
    }

    /// The text of a member by its name in the body; numbers, `true` and `false` as JSON writes them.
    /// `None` when it is missing, `null`, an array or an object. The members of an object `imageInfo` are
    /// `imageInfo.height` and so on.
    pub fn member(&self, name: &str) -> Option<&str> {
        self.members
            .iter()
            .find(|(n, _)| n == name)
            .and_then(|(_, value)| value.as_deref())
    }

    /// All members in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The application's own variable, with or without `x:` in front. It may be empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let name = name.strip_prefix("x:").unwrap_or(name);
        self.member(&format!("x:{name}"))
            .or_else(|| self.member(name))
    }

    /// `${bucket}`.
    pub fn bucket(&self) -> Option<&str> {
        self.fact(&["bucket"])
    }

    /// `${object}`: the key.
    pub fn object(&self) -> Option<&str> {
        self.fact(OBJECT)
    }

    /// `${etag}`, without quotes.
    pub fn etag(&self) -> Option<&str> {
        self.fact(&["etag"])
            .map(|etag| etag.trim_matches('"'))
            .filter(|etag| !etag.is_empty())
    }

    /// `${size}` in bytes.
    pub fn size(&self) -> Option<u64> {
        self.number(&["size"])
    }

    /// `${mimeType}`: the object's Content-Type.
    pub fn mime_type(&self) -> Option<&str> {
        self.fact(&["mimeType"])
    }

    /// `${imageInfo.height}` in pixels.
    pub fn image_height(&self) -> Option<u64> {
        self.number(HEIGHT)
    }

    /// `${imageInfo.width}` in pixels.
    pub fn image_width(&self) -> Option<u64> {
        self.number(WIDTH)
    }

    /// `${imageInfo.format}`, such as `jpg`.
    pub fn image_format(&self) -> Option<&str> {
        self.fact(FORMAT)
    }

    /// `${crc64}`: CRC-64/XZ.
    pub fn crc64(&self) -> Option<u64> {
        self.number(&["crc64"])
    }

    /// `${contentMd5}`: Base64.
    pub fn content_md5(&self) -> Option<&str> {
        self.fact(&["contentMd5"])
    }

    /// `${reqId}`: the id of the upload request.
    pub fn request_id(&self) -> Option<&str> {
        self.fact(&["reqId"])
    }

    /// `${clientIp}`: whence the upload came.
    pub fn client_ip(&self) -> Option<&str> {
        self.fact(&["clientIp"])
    }

    /// `${vpcId}`.
    pub fn vpc_id(&self) -> Option<&str> {
        self.fact(&["vpcId"])
    }

    /// `${operation}`: `PutObject`, `PostObject` or `CompleteMultipartUpload`.
    pub fn operation(&self) -> Option<&str> {
        self.fact(&["operation"])
    }

    /// The first of these names that is there decides.
    fn fact(&self, names: &[&str]) -> Option<&str> {
        let there = |name: &&&str| self.members.iter().any(|(n, _)| n == **name);
        let name = names.iter().find(there)?;
        self.member(name).filter(|text| !text.is_empty())
    }

    fn number(&self, names: &[&str]) -> Option<u64> {
        let text = self.fact(names)?;
        // `parse` would take a sign, too.
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())?
    }
}

impl fmt::Debug for CallbackBody {
    /// The names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("CallbackBody")
            .field("body_type", &self.body_type)
            .field("members", &names)
            .finish_non_exhaustive()
    }
}

fn bad(problem: impl fmt::Display) -> Error {
    Error::new(ErrorKind::BadBody, format!("the body {problem}"))
}

fn too_many() -> Error {
    bad(format!("has more than {MAX_MEMBERS} members"))
}

fn form(body: &[u8]) -> Result<Vec<(String, Option<String>)>> {
    let mut members = Vec::new();
    for pair in body.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        if members.len() == MAX_MEMBERS {
            return Err(too_many());
        }
        let cut = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match cut {
            Some(cut) => (&pair[..cut], &pair[cut + 1..]),
            None => (pair, &[][..]),
        };
        members.push((form_text(name)?, Some(form_text(value)?)));
    }
    Ok(members)
}

fn form_text(encoded: &[u8]) -> Result<String> {
    let blanks: Vec<u8> = encoded
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    String::from_utf8(percent_decode(&blanks).collect()).map_err(|_| bad("is not UTF-8"))
}

fn json(body: &[u8]) -> Result<Vec<(String, Option<String>)>> {
    let mut members = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let object = Object {
        prefix: "",
        members: &mut members,
    };
    match object.deserialize(&mut reader).and_then(|()| reader.end()) {
        Ok(()) => Ok(members),
        Err(e) if e.is_data() && members.len() == MAX_MEMBERS => Err(too_many()),
        // Its message would quote the whole text that stands in place of an object.
        Err(e) if e.is_data() => Err(bad("is not a JSON object that can be read")),
        Err(e) => Err(bad(format!("is not JSON: {e}"))),
    }
}

/// Reads an object into `members`, with a prefix before its names.
struct Object<'a> {
    prefix: &'static str,
    members: &'a mut Vec<(String, Option<String>)>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.members.len() >= MAX_MEMBERS {
                return Err(de::Error::custom(""));
            }
            let index = self.members.len();
            let is_image = self.prefix.is_empty() && name == "imageInfo";
            self.members.push((format!("{}{name}", self.prefix), None));
            let raw = map.next_value::<&RawValue>()?.get();
            let value = match raw.as_bytes().first() {
                Some(b'{') if is_image => {
                    let prefix = "imageInfo.";
                    let members = &mut *self.members;
                    let mut reader = serde_json::Deserializer::from_str(raw);
                    let image = Object { prefix, members };
                    image.deserialize(&mut reader).map_err(de::Error::custom)?;
                    None
                }
                Some(b'{' | b'[' | b'n') => None,
                Some(b'"') => Some(serde_json::from_str(raw).map_err(de::Error::custom)?),
                Some(b't' | b'f') => Some(raw.to_owned()),
                // A number, in its own words: what becomes of it otherwise depends on the features of serde_json that any
                // crate in the program asks for.
                _ if raw.parse().is_ok_and(f64::is_finite) => Some(raw.to_owned()),
                _ => return Err(de::Error::custom("a number out of range")),
            };
            self.members[index].1 = value;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
    const JSON: Option<&str> = Some("application/json");

    fn parse(content_type: Option<&str>, body: &str) -> CallbackBody {
        CallbackBody::parse(content_type, body.as_bytes()).unwrap_or_else(|e| panic!("{body}: {e}"))
    }

    /// Whoever sends callbacks decides how deep their values are.
    #[test]
    fn depth_costs_no_stack() {
        const LEVELS: usize = 500_000;
        let deep = |open: &str, close: &str| {
            let value = open.repeat(LEVELS) + "1" + &close.repeat(LEVELS);
            format!(r#"{{"size":5,"deep":{value},"imageInfo":{{"format":{value},"width":4}}}}"#)
        };
        for text in [deep("[", "]"), deep(r#"{"a":"#, "}")] {
            let small = std::thread::Builder::new().stack_size(128 * 1024);
            let body = small.spawn(move || parse(JSON, &text)).unwrap();
            let body = body.join().unwrap();
            assert_eq!((body.size(), body.image_width()), (Some(5), Some(4)));
            assert_eq!((body.member("deep"), body.image_format()), (None, None));
        }
    }

    #[test]
    fn a_form_and_json_say_the_same() {
        let form = "bucket=b&object=%E7%9B%AE%2Fa+b%2Bc&etag=%22ABC%22&size=5&mimeType=image%2Fjpeg\
            &imageInfo.height=3&imageInfo.width=4&imageInfo.format=jpg&crc64=18446744073709551615\
            &contentMd5=q%2B%3D%3D&reqId=R&clientIp=1.2.3.4&vpcId=v&operation=PutObject&x:user=1%202&no=7";
        let json = r#" {"bucket":"b","object":"目/a b+c","etag":"\"ABC\"","size":"5",
            "mimeType":"image/jpeg","imageInfo":{"height":3,"width":"4","format":"jpg"},
            "crc64":18446744073709551615,"contentMd5":"q+==","reqId":"R","clientIp":"1.2.3.4",
            "vpcId":"v","operation":"PutObject","x:user":"1 2","no":7}"#;
        for (content_type, text) in [(FORM, form), (None, form), (JSON, json), (None, json)] {
            let body = parse(content_type, text);
            assert_eq!(body.bucket(), Some("b"));
            assert_eq!(body.object(), Some("目/a b+c"));
            assert_eq!(body.etag(), Some("ABC"));
            assert_eq!(body.size(), Some(5));
            assert_eq!(body.mime_type(), Some("image/jpeg"));
            assert_eq!(body.image_height(), Some(3));
            assert_eq!(body.image_width(), Some(4));
            assert_eq!(body.image_format(), Some("jpg"));
            assert_eq!(body.crc64(), Some(u64::MAX));
            assert_eq!(body.content_md5(), Some("q+=="));
            assert_eq!(body.request_id(), Some("R"));
            assert_eq!(body.client_ip(), Some("1.2.3.4"));
            assert_eq!(body.vpc_id(), Some("v"));
            assert_eq!(body.operation(), Some("PutObject"));
            assert_eq!(body.variable("user"), Some("1 2"));
            assert_eq!(body.variable("x:no"), Some("7"));
            assert_eq!(body.variable("other"), None);
        }
        assert_eq!(parse(FORM, form).body_type(), BodyType::Form);
        assert_eq!(parse(None, json).body_type(), BodyType::Json);
        assert_eq!(
            parse(Some("Application/JSON; charset=utf-8"), json).body_type(),
            BodyType::Json
        );
    }

    #[test]
    fn what_is_missing_empty_or_null_is_none() {
        for (content_type, text) in [
            (FORM, ""),
            (FORM, "bucket=&object=&size=&imageInfo.height=&crc64=&etag="),
            (FORM, "&&size&bucket"),
            (JSON, "{}"),
            (
                JSON,
                r#"{"bucket":null,"object":"","size":null,"imageInfo":null,"etag":"\"\"","crc64":[1]}"#,
            ),
            // Not numbers of bytes.
            (FORM, "size=-5&crc64=1e3&imageInfo.height=+5&height=3"),
            (
                JSON,
                r#"{"size":-5,"crc64":1.5,"imageInfo":{"height":true}}"#,
            ),
            (JSON, r#"{"size":18446744073709551616,"crc64":{"a":1}}"#),
        ] {
            let body = parse(content_type, text);
            assert_eq!((body.bucket(), body.object()), (None, None), "{text}");
            assert_eq!((body.size(), body.crc64()), (None, None), "{text}");
            assert_eq!((body.image_height(), body.etag()), (None, None), "{text}");
        }
    }

    #[test]
    fn the_names_of_the_documentations_samples_are_known() {
        let body = parse(FORM, "filename=a%2Fb.jpg&height=278&width=200&format=jpg");
        assert_eq!(body.object(), Some("a/b.jpg"));
        assert_eq!(
            (body.image_height(), body.image_width()),
            (Some(278), Some(200))
        );
        assert_eq!(body.image_format(), Some("jpg"));
        // OSS's own name decides, also where it says nothing.
        assert_eq!(parse(FORM, "filename=a&object=b").object(), Some("b"));
        assert_eq!(parse(FORM, "filename=a&object=").object(), None);
    }

    /// Whoever reads the first and whoever reads the last must not see different things.
    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        for (content_type, text) in [
            (FORM, "bucket=a&bucket=b"),
            (FORM, "bucket=a&b%75cket=a"),
            (FORM, "a&a"),
            (JSON, r#"{"bucket":"a","bucket":"b"}"#),
            (JSON, r#"{"bucket":"a","b\u0075cket":"a"}"#),
            (JSON, r#"{"size":1,"size":null}"#),
            (JSON, r#"{"imageInfo":{"height":1},"imageInfo.height":2}"#),
            (JSON, r#"{"imageInfo":{"height":1,"height":1}}"#),
        ] {
            let error = CallbackBody::parse(content_type, text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadBody, "{text}");
            assert!(error.to_string().contains("twice"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_no_body_of_its_type_is_refused() {
        let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat();
        let arrays = [&b"{\"a\":"[..], &b"[".repeat(100_000)].concat();
        let many: String = (0..=MAX_MEMBERS).map(|n| format!("{n}=&")).collect();
        let members: Vec<String> = (0..=MAX_MEMBERS).map(|n| format!("\"{n}\":1")).collect();
        let many_json = format!("{{{}}}", members.join(","));
        let error = CallbackBody::parse(JSON, many_json.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("more than 2000"), "{error}");
        for (content_type, body) in [
            (JSON, &b"a=b"[..]),
            (JSON, b""),
            (JSON, b"[]"),
            (JSON, b"{} {}"),
            (JSON, b"\xef\xbb\xbf{}"),
            (JSON, b"{\"a\":\"\xff\"}"),
            (JSON, b"{\"a\":1e999}"),
            (JSON, &deep),
            (JSON, &arrays),
            (JSON, many_json.as_bytes()),
            (FORM, b"a=\xff"),
            (FORM, b"a=%ff"),
            (FORM, b"object=a%00b"),
            (FORM, b"a\0=b"),
            (JSON, b"{\"object\":\"a\\u0000b\"}"),
            (FORM, many.as_bytes()),
        ] {
            let error = CallbackBody::parse(content_type, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadBody);
        }
    }

    /// It goes into a log, and in the body may be secrets, a megabyte, or what a terminal obeys.
    #[test]
    fn an_error_quotes_nothing_of_the_body() {
        let long = format!("\"{}\"", "geheim".repeat(1000));
        for body in [
            &long,
            "\"geheim\"",
            "{\"geheim\":\"geheim\" \"geheim\"}",
            "{\"geheim\":geheim}",
            "{\"a\":{\"geheim\":[geheim]}}",
            "geheim",
            "[\"geheim\"]",
            "{\"geheim\":1,\"geheim",
        ] {
            let error = CallbackBody::parse(JSON, body.as_bytes()).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("geheim") && said.len() < 400, "{said}");
        }
        let name = "\u{1b}".repeat(200);
        for (content_type, body) in [
            (FORM, format!("{name}&{name}")),
            (JSON, format!("{{\"{name}\":1}}")),
        ] {
            let error = CallbackBody::parse(content_type, body.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn bodies_that_oss_renders_are_read_again() {
        vectors::each("callback_substitution.json", |row| {
            let content_type = row["callbackBodyType"].as_str();
            let Ok(body) =
                CallbackBody::parse(content_type, row["body"].as_str().unwrap().as_bytes())
            else {
                // A template that is no form or JSON.
                return;
            };
            let template = row["template"].as_str().unwrap();
            for (name, value) in row["values"].as_object().unwrap() {
                let carried = [
                    format!("{name}=${{{name}}}"),
                    format!("\"{name}\":${{{name}}}"),
                ];
                if !carried.iter().any(|text| template.contains(text)) {
                    continue;
                }
                let expected = match value {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Null => None,
                    other => Some(other.to_string()),
                };
                assert_eq!(
                    body.member(name)
                        .filter(|t| !t.is_empty())
                        .map(str::to_owned),
                    expected.filter(|t| !t.is_empty()),
                    "{}: {name}",
                    row["id"]
                );
            }
        });
    }

    #[test]
    fn debug_does_not_show_values() {
        let body = parse(FORM, "token=geheim");
        assert!(!format!("{body:?}").contains("geheim"));
    }
}
