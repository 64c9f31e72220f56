//! ListMultipartUploads.

use std::sync::Arc;

use crate::{
    answer::Answer,
    error::OssError,
    operations::listing::{EncodingType, document, number, parameter, truth},
    service::{Call, Service},
    timestamp::timestamp,
    uploads::MultipartUpload,
    xml::Document,
};

const MOST_UPLOADS: usize = 1000;

/// What the listing has to show.
#[derive(Debug)]
enum Entry {
    Upload(Arc<MultipartUpload>),
    /// Stands for all uploads whose keys begin so.
    CommonPrefix(String),
}

/// Which uploads the listing is about.
#[derive(Clone, Copy, Debug)]
struct Selection<'a> {
    prefix: &'a str,
    /// Keys that have it behind the prefix are shown as one entry up to it. Empty for none.
    delimiter: &'a str,
    /// Only keys behind this one, and of this one only ids behind the next.
    key_marker: &'a str,
    /// Empty for none; it counts only with a key.
    id_marker: &'a str,
    limit: usize,
}

impl Selection<'_> {
    /// The first entries of uploads that are sorted by key and id, and whether there are more.
    fn page(&self, uploads: Vec<Arc<MultipartUpload>>) -> (Vec<Entry>, bool) {
        let mut entries: Vec<Entry> = Vec::new();
        for upload in uploads {
            let key = upload.key.as_str();
            let Some(rest) = key.strip_prefix(self.prefix) else {
                continue;
            };
            let is_behind = match self.id_marker {
                "" => key > self.key_marker,
                id => (key, upload.id.as_str()) > (self.key_marker, id),
            };
            if !is_behind && !self.key_marker.is_empty() {
                continue;
            }
            let common = match rest.find(self.delimiter) {
                Some(at) if !self.delimiter.is_empty() => {
                    Some(&key[..self.prefix.len() + at + self.delimiter.len()])
                }
                _ => None,
            };
            if let Some(common) = common {
                // The entry that this page has last, or the page before had, stands for this upload too.
                let is_last =
                    matches!(entries.last(), Some(Entry::CommonPrefix(last)) if last == common);
                if is_last || common == self.key_marker {
                    continue;
                }
            }
            if entries.len() == self.limit {
                return (entries, true);
            }
            entries.push(match common {
                Some(common) => Entry::CommonPrefix(common.to_owned()),
                None => Entry::Upload(upload),
            });
        }
        (entries, false)
    }
}

pub(crate) fn list_uploads(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let encoding = EncodingType::read(call)?;
    let selection = Selection {
        prefix: parameter(call, "prefix")?,
        delimiter: parameter(call, "delimiter")?,
        key_marker: parameter(call, "key-marker")?,
        id_marker: parameter(call, "upload-id-marker")?,
        limit: number(call, "max-uploads", 1..=MOST_UPLOADS, MOST_UPLOADS)?,
    };
    let (entries, more) = selection.page(service.uploads.of_bucket(&call.bucket));
    let (next_key, next_id) = match entries.last() {
        // Even if nothing comes behind it.
        Some(Entry::Upload(upload)) => (upload.key.as_str(), upload.id.as_str()),
        Some(Entry::CommonPrefix(prefix)) => (prefix.as_str(), ""),
        None => ("", ""),
    };

    let mut xml = Document::new();
    xml.open("ListMultipartUploadsResult");
    encoding.describe(&mut xml);
    xml.element("Bucket", &call.bucket);
    xml.exact_element("KeyMarker", &encoding.encode(selection.key_marker));
    xml.element("UploadIdMarker", selection.id_marker);
    xml.exact_element("NextKeyMarker", &encoding.encode(next_key));
    xml.element("NextUploadIdMarker", next_id);
    xml.exact_element("Delimiter", &encoding.encode(selection.delimiter));
    xml.exact_element("Prefix", &encoding.encode(selection.prefix));
    xml.element("MaxUploads", &selection.limit.to_string());
    xml.element("IsTruncated", truth(more));
    for entry in &entries {
        match entry {
            Entry::Upload(upload) => {
                xml.open("Upload");
                xml.exact_element("Key", &encoding.encode(&upload.key));
                xml.element("UploadId", &upload.id);
                xml.element("StorageClass", upload.storage_class());
                xml.element("Initiated", &timestamp(upload.initiated));
                xml.close("Upload");
            }
            Entry::CommonPrefix(prefix) => {
                xml.open("CommonPrefixes");
                xml.exact_element("Prefix", &encoding.encode(prefix));
                xml.close("CommonPrefixes");
            }
        }
    }
    xml.close("ListMultipartUploadsResult");
    Ok(document(xml))
}
