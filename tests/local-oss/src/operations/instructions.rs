//! What the head of an upload says about the object.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING},
};

use crate::{error::OssError, storage::Contents};

pub(crate) const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024;
const LARGEST_METADATA: usize = 8 * 1024;

/// Besides `x-oss-meta-*`: headers that Get and Head give back.
const KEPT_HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-oss-server-side-encryption",
    "x-oss-storage-class",
];

/// What the head of the request says, checked.
pub(crate) struct Instructions {
    pub(crate) length: Option<u64>,
    md5: Option<Vec<u8>>,
    crc64: Option<u64>,
    pub(crate) forbid_overwrite: bool,
    pub(crate) content_type: HeaderValue,
    pub(crate) kept: Vec<(HeaderName, HeaderValue)>,
}

impl Instructions {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, OssError> {
        let text = |name: &str| {
            let value = headers.get(name)?;
            Some(value.to_str().unwrap_or_default().trim())
        };
        let length = match text(CONTENT_LENGTH.as_str()) {
            Some(length) => Some(length.parse().map_err(|_| {
                OssError::invalid_argument(
                    "Content-Length is not a number.",
                    "Content-Length",
                    length,
                )
            })?),
            None if headers.contains_key(TRANSFER_ENCODING) => None,
            None => {
                return Err(OssError::new(
                    StatusCode::LENGTH_REQUIRED,
                    "MissingContentLength",
                    "You must provide the Content-Length HTTP header.",
                ));
            }
        };
        if length.is_some_and(|length| length > LARGEST_OBJECT) {
            return Err(too_large());
        }
        let md5 = match text("content-md5") {
            Some(md5) => Some(
                STANDARD
                    .decode(md5)
                    .ok()
                    .filter(|md5| md5.len() == 16)
                    .ok_or_else(|| {
                        OssError::new(
                            StatusCode::BAD_REQUEST,
                            "InvalidDigest",
                            "The Content-MD5 you specified is not valid.",
                        )
                        .detail("Content-MD5", md5)
                    })?,
            ),
            None => None,
        };
        let crc64 = match text("x-oss-hash-crc64ecma") {
            Some(crc64) => Some(crc64.parse().map_err(|_| {
                OssError::invalid_argument(
                    "The CRC-64 you specified is not a number.",
                    "x-oss-hash-crc64ecma",
                    crc64,
                )
            })?),
            None => None,
        };
        let forbid_overwrite = match text("x-oss-forbid-overwrite") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                return Err(OssError::invalid_argument(
                    "x-oss-forbid-overwrite is true or false.",
                    "x-oss-forbid-overwrite",
                    other,
                ));
            }
        };
        let kept: Vec<_> = headers
            .iter()
            .filter(|(name, _)| is_metadata(name) || KEPT_HEADERS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let metadata = kept.iter().filter(|(name, _)| is_metadata(name));
        let metadata: usize = metadata
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if metadata > LARGEST_METADATA {
            return Err(OssError::invalid_argument(
                "The metadata is larger than 8 KB.",
                "x-oss-meta-*",
                metadata.to_string(),
            ));
        }
        let default_type = HeaderValue::from_static("application/octet-stream");
        Ok(Self {
            length,
            md5,
            crc64,
            forbid_overwrite,
            content_type: headers.get(CONTENT_TYPE).cloned().unwrap_or(default_type),
            kept,
        })
    }

    /// Refuses contents that are not what the client meant to send.
    pub(crate) fn compare(&self, contents: &Contents) -> Result<(), OssError> {
        if self.md5.as_ref().is_some_and(|md5| md5[..] != contents.md5) {
            return Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "InvalidDigest",
                "The Content-MD5 you specified did not match what we received.",
            )
            .detail("ServerMD5", STANDARD.encode(contents.md5)));
        }
        if self.crc64.is_some_and(|crc64| crc64 != contents.crc64) {
            return Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "InvalidCRC64",
                "The CRC-64 you specified did not match what we received.",
            )
            .detail("ServerCRC64", contents.crc64.to_string()));
        }
        Ok(())
    }
}

fn is_metadata(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-oss-meta-")
}

pub(crate) fn too_large() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size.",
    )
    .detail("MaxSizeAllowed", LARGEST_OBJECT.to_string())
}
