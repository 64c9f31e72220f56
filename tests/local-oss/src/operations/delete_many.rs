//! DeleteMultipleObjects.

use hyper::{StatusCode, body::Incoming};

use super::{
    discard, is_current,
    listing::{EncodingType, document},
    receive::receive_document,
};
use crate::{
    answer::{self, Answer},
    element::{Element, malformed_xml},
    error::OssError,
    service::{Call, Service},
    xml::Document,
};

const LONGEST_LIST: usize = 2 * 1024 * 1024;
const MOST_KEYS: usize = 1000;

/// Each is deleted whether there was such an object or not. The quiet mode has no document at all.
pub(super) async fn delete_objects(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let encoding = EncodingType::read(call)?;
    let (list, _claim) = receive_document(service, call, body, LONGEST_LIST).await?;
    let root = Element::parse(&list, "Delete")?;
    let keys: Option<Vec<(&str, Option<&str>)>> = root
        .all("Object")
        .map(|object| Some((object.child("Key")?.text(), object.text_of("VersionId"))))
        .collect();
    let keys = keys.ok_or_else(malformed_xml)?;
    let is_quiet = match root.text_of("Quiet") {
        None | Some("" | "false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed_xml()),
    };
    if !(1..=MOST_KEYS).contains(&keys.len()) || keys.iter().any(|(key, _)| key.is_empty()) {
        return Err(malformed_xml());
    }
    for (key, version) in &keys {
        if is_current(version.map(str::as_bytes)) {
            discard(service.objects.delete(&call.bucket, key)).await;
        }
    }
    if is_quiet {
        return Ok(answer::empty(StatusCode::OK));
    }
    let mut xml = Document::new();
    xml.open("DeleteResult");
    encoding.describe(&mut xml);
    for (key, version) in &keys {
        xml.open("Deleted");
        xml.exact_element("Key", &encoding.encode(key));
        if let Some(version) = version {
            xml.element("VersionId", version);
        }
        xml.close("Deleted");
    }
    xml.close("DeleteResult");
    Ok(document(xml))
}
