//! Tags of objects: in `x-oss-tagging`, and operations of their own.

use hyper::{
    StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
};
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::{listing::document, read::no_such_key, receive::receive_document, rewrite::rewrite};
use crate::{
    answer::{self, Answer},
    element::{Element, malformed_xml},
    encoding::UNRESERVED,
    error::OssError,
    objects::Object,
    service::{Call, Service},
    xml::Document,
};

const TAGGING: HeaderName = HeaderName::from_static("x-oss-tagging");
const LONGEST_TAGGING: usize = 64 * 1024;
const MOST_TAGS: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Key and value.
type Tag = (String, String);

/// The tags of an object.
pub(super) fn tags(object: &Object) -> Vec<Tag> {
    let tags = object.header(TAGGING.as_str()).map(parse);
    tags.and_then(Result::ok).unwrap_or_default()
}

/// `KEY=VALUE&KEY2=VALUE2`, both encoded as in forms.
pub(super) fn parse(text: &str) -> Result<Vec<Tag>, OssError> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let text = percent_decode_str(&text).decode_utf8();
        text.map(|text| text.into_owned()).map_err(|_| invalid())
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let tags = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(key)?, decode(value)?))
    });
    checked(tags.collect::<Result<_, OssError>>()?)
}

/// Within OSS's limits.
fn checked(tags: Vec<Tag>) -> Result<Vec<Tag>, OssError> {
    let is_allowed = |c: char| c.is_alphanumeric() || " +-=._:/".contains(c);
    let is_tag = |(key, value): &Tag| {
        (1..=LONGEST_KEY).contains(&key.chars().count())
            && value.chars().count() <= LONGEST_VALUE
            && key.chars().chain(value.chars()).all(is_allowed)
    };
    let mut keys: Vec<&str> = tags.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let is_twice = keys.windows(2).any(|pair| pair[0] == pair[1]);
    match tags.len() <= MOST_TAGS && tags.iter().all(is_tag) && !is_twice {
        true => Ok(tags),
        false => Err(invalid()),
    }
}

fn invalid() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "InvalidTag",
        "The Tag you have provided is invalid",
    )
}

pub(super) fn object_tagging(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let object = service.objects.get(&call.bucket, &call.key);
    let object = object.ok_or_else(|| no_such_key(&call.key))?;
    let mut xml = Document::new();
    xml.open("Tagging");
    xml.open("TagSet");
    for (key, value) in tags(&object) {
        xml.open("Tag");
        xml.element("Key", &key);
        xml.element("Value", &value);
        xml.close("Tag");
    }
    xml.close("TagSet");
    xml.close("Tagging");
    Ok(document(xml))
}

pub(super) async fn put_object_tagging(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let (configuration, _claim) = receive_document(service, call, body, LONGEST_TAGGING).await?;
    let root = Element::parse(&configuration, "Tagging")?;
    let set = root.child("TagSet").ok_or_else(malformed_xml)?;
    let tags: Option<Vec<Tag>> = set
        .all("Tag")
        .map(|tag| {
            let key = tag.child("Key")?.text().to_owned();
            let value = tag.child("Value").map(Element::text);
            Some((key, value.unwrap_or_default().to_owned()))
        })
        .collect();
    set_tags(service, call, &checked(tags.ok_or_else(malformed_xml)?)?).await?;
    Ok(answer::empty(StatusCode::OK))
}

pub(super) async fn delete_object_tagging(
    service: &Service,
    call: &Call,
) -> Result<Answer, OssError> {
    set_tags(service, call, &[]).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

async fn set_tags(service: &Service, call: &Call, tags: &[Tag]) -> Result<(), OssError> {
    let encode = |text| utf8_percent_encode(text, UNRESERVED).to_string();
    let pairs = tags.iter();
    let pairs: Vec<String> = pairs
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    let value = HeaderValue::from_str(&pairs.join("&")).map_err(|_| invalid())?;
    rewrite(service, call, |object| {
        let others = object.headers.iter().filter(|(name, _)| *name != TAGGING);
        let mut headers: Vec<_> = others.cloned().collect();
        if !tags.is_empty() {
            headers.push((TAGGING, value.clone()));
        }
        headers
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_to_their_limits() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let tags = parse("a=1&b%2F=c+d&%E7%9B%AE=&e").unwrap();
        let expected = [
            tag("a", "1"),
            tag("b/", "c d"),
            tag("\u{76ee}", ""),
            tag("e", ""),
        ];
        assert_eq!(tags, expected);
        assert!(parse("").unwrap().is_empty());
        let ten: Vec<String> = (0..10).map(|number| format!("k{number}=v")).collect();
        assert!(parse(&ten.join("&")).is_ok());
        let (key, value) = ("k".repeat(128), "v".repeat(256));
        assert!(parse(&format!("{key}={value}")).is_ok());
        for text in [
            &(ten.join("&") + "&k=v"),
            "a=1&a=2",
            "=1",
            "a=%FF",
            "a%26=1",
            "a=1%3B",
            &format!("{key}k=v"),
            &format!("k={value}v"),
        ] {
            assert_eq!(parse(text).unwrap_err().code, "InvalidTag", "{text}");
        }
    }
}
