//! ListObjects, both versions.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::listing::{EncodingType, document, invalid, number, owner, parameter, truth};
use crate::{
    answer::Answer,
    error::OssError,
    objects::{Entry, Object, Selection},
    service::{Call, Service},
    timestamp::timestamp,
    xml::Document,
};

const DEFAULT_KEYS: usize = 100;
const MOST_KEYS: usize = 1000;

/// The two operations differ in how they name the place where a page begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// ListObjectsV2 with `list-type=2`, ListObjects without `list-type`.
pub(crate) fn list_objects(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let version = match parameter(call, "list-type")? {
        "" => Version::One,
        "2" => Version::Two,
        other => return Err(invalid("list-type", other)),
    };
    let encoding = EncodingType::read(call)?;
    let limit = number(call, "max-keys", 1..=MOST_KEYS, DEFAULT_KEYS)?;
    let prefix = parameter(call, "prefix")?;
    let delimiter = parameter(call, "delimiter")?;
    let start = match version {
        Version::One => parameter(call, "marker")?,
        Version::Two => parameter(call, "start-after")?,
    };
    let token = match version {
        Version::One => "",
        Version::Two => parameter(call, "continuation-token")?,
    };
    // A token outweighs the start: clients send both again with every page.
    let after = match token {
        "" => Cow::Borrowed(start),
        token => from_token(token)
            .ok_or_else(|| invalid("continuation-token", token))?
            .into(),
    };
    let selection = Selection {
        prefix,
        delimiter,
        after: &after,
        limit,
    };
    let (entries, more) = service.objects.list(&call.bucket, &selection);
    let next = entries.last().filter(|_| more).map(Entry::name);

    let class = service.objects.default_class(&call.bucket);
    let text = |text: &str| encoding.encode(text);
    let mut xml = Document::new();
    xml.open("ListBucketResult");
    xml.element("Name", &call.bucket);
    xml.exact_element("Prefix", &text(prefix));
    xml.element("MaxKeys", &limit.to_string());
    xml.exact_element("Delimiter", &text(delimiter));
    encoding.describe(&mut xml);
    xml.element("IsTruncated", truth(more));
    match version {
        Version::One => {
            xml.exact_element("Marker", &text(start));
            if let Some(next) = next {
                xml.exact_element("NextMarker", &text(next));
            }
        }
        Version::Two => {
            xml.exact_element("StartAfter", &text(start));
            xml.element("ContinuationToken", token);
            if let Some(next) = next {
                xml.element("NextContinuationToken", &to_token(next));
            }
            xml.element("KeyCount", &entries.len().to_string());
        }
    }
    let with_owner = version == Version::One || parameter(call, "fetch-owner")? == "true";
    for entry in &entries {
        match entry {
            Entry::Object(key, object) => {
                xml.open("Contents");
                xml.exact_element("Key", &text(key));
                describe(&mut xml, object, &class, with_owner);
                xml.close("Contents");
            }
            Entry::CommonPrefix(prefix) => {
                xml.open("CommonPrefixes");
                xml.exact_element("Prefix", &text(prefix));
                xml.close("CommonPrefixes");
            }
        }
    }
    xml.close("ListBucketResult");
    Ok(document(xml))
}

/// What a listing says of an object besides its key.
pub(super) fn describe(xml: &mut Document, object: &Object, class: &str, with_owner: bool) {
    xml.element("LastModified", &timestamp(object.last_modified));
    xml.element("ETag", &format!("\"{}\"", object.etag));
    xml.element("Type", object.object_type.name());
    xml.element("Size", &object.contents.size().to_string());
    xml.element("StorageClass", object.class(class));
    if with_owner {
        owner(xml);
    }
}

/// Clients take it for opaque. It needs no encoding, since they do not agree on whether to decode it.
fn to_token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn from_token(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
