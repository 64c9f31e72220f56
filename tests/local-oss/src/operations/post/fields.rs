//! The fields of a form.

use std::collections::BTreeMap;

use hyper::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::policy::field_name;
use crate::{error::OssError, form::PartHead};

/// By name; where one comes twice, the first counts (inferred).
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) fn add(&mut self, name: &str, value: String) {
        self.0.entry(field_name(name)).or_insert(value);
    }

    /// By its name in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Those of the callback, `x:…`.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let fields = self.0.iter();
        fields
            .filter(|(name, _)| name.starts_with("x:"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The field `x-oss-content-type` outweighs what the file says of itself, and that the field `Content-Type` (OSS
    /// documentation, PostObject).
    pub(super) fn content_type<'a>(&'a self, file: &'a PartHead) -> Option<&'a str> {
        self.get("x-oss-content-type")
            .or(file.content_type.as_deref())
            .or(self.get("content-type"))
    }

    /// The fields that a PutObject would have as headers.
    pub(super) fn headers(&self, file: &PartHead) -> Result<HeaderMap, OssError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.0 {
            let is_metadata = name.starts_with("x-oss-meta-");
            match (
                HeaderName::from_bytes(name.as_bytes()),
                header_value(name, value),
            ) {
                (Ok(known), Ok(value)) => {
                    headers.insert(known, value);
                }
                (Ok(_), Err(error)) => return Err(error),
                // Other fields may have any name.
                (Err(_), _) if !is_metadata => {}
                (Err(_), _) => {
                    return Err(OssError::invalid_argument(
                        "The name of the metadata is invalid.",
                        name,
                        value.as_str(),
                    ));
                }
            }
        }
        headers.remove(CONTENT_TYPE);
        if let Some(content_type) = self.content_type(file) {
            headers.insert(CONTENT_TYPE, header_value("Content-Type", content_type)?);
        }
        Ok(headers)
    }
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, OssError> {
    HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| OssError::invalid_argument("The value cannot be a header's.", name, value))
}
