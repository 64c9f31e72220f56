//! ListObjectVersions: of a bucket without versions each object is its one version, `null`.

use super::{
    list_objects::describe,
    listing::{EncodingType, document, number, parameter, truth},
};
use crate::{
    answer::Answer,
    error::OssError,
    objects::{Entry, Selection},
    service::{Call, Service},
    xml::Document,
};

const DEFAULT_KEYS: usize = 100;
const MOST_KEYS: usize = 1000;

pub(super) fn list_versions(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let encoding = EncodingType::read(call)?;
    let limit = number(call, "max-keys", 1..=MOST_KEYS, DEFAULT_KEYS)?;
    let selection = Selection {
        prefix: parameter(call, "prefix")?,
        delimiter: parameter(call, "delimiter")?,
        after: parameter(call, "key-marker")?,
        limit,
    };
    let (entries, more) = service.objects.list(&call.bucket, &selection);

    let class = service.objects.default_class(&call.bucket);
    let text = |text: &str| encoding.encode(text);
    let mut xml = Document::new();
    xml.open("ListVersionsResult");
    xml.element("Name", &call.bucket);
    xml.exact_element("Prefix", &text(selection.prefix));
    xml.exact_element("KeyMarker", &text(selection.after));
    xml.element("VersionIdMarker", parameter(call, "version-id-marker")?);
    xml.element("MaxKeys", &limit.to_string());
    xml.exact_element("Delimiter", &text(selection.delimiter));
    encoding.describe(&mut xml);
    xml.element("IsTruncated", truth(more));
    if let Some(last) = entries.last().filter(|_| more) {
        xml.exact_element("NextKeyMarker", &text(last.name()));
        let version = match last {
            Entry::Object(..) => "null",
            Entry::CommonPrefix(_) => "",
        };
        xml.element("NextVersionIdMarker", version);
    }
    for entry in &entries {
        match entry {
            Entry::Object(key, object) => {
                xml.open("Version");
                xml.exact_element("Key", &text(key));
                xml.element("VersionId", "null");
                xml.element("IsLatest", "true");
                describe(&mut xml, object, &class, true);
                xml.close("Version");
            }
            Entry::CommonPrefix(prefix) => {
                xml.open("CommonPrefixes");
                xml.exact_element("Prefix", &text(prefix));
                xml.close("CommonPrefixes");
            }
        }
    }
    xml.close("ListVersionsResult");
    Ok(document(xml))
}

/// ListLiveChannel: there are none.
pub(super) fn list_live_channels(call: &Call) -> Result<Answer, OssError> {
    let limit = number(call, "max-keys", 1..=MOST_KEYS, DEFAULT_KEYS)?;
    let mut xml = Document::new();
    xml.open("ListLiveChannelResult");
    xml.element("Prefix", parameter(call, "prefix")?);
    xml.element("Marker", parameter(call, "marker")?);
    xml.element("MaxKeys", &limit.to_string());
    xml.element("IsTruncated", "false");
    xml.element("NextMarker", "");
    xml.close("ListLiveChannelResult");
    Ok(document(xml))
}
