//! What the head of an upload says about the body and about the object.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING},
};

use super::tagging;
use crate::{error::OssError, settings::Acl};

pub(crate) const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024;
const LARGEST_METADATA: usize = 8 * 1024;

/// Besides `x-oss-meta-*`: headers that are kept with the object.
const KEPT_HEADERS: [&str; 11] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-oss-object-acl",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-storage-class",
    "x-oss-tagging",
];

const ENCRYPTION: &str = "x-oss-server-side-encryption";

/// What the head says about the body, checked.
pub(crate) struct Announced {
    pub(crate) length: Option<u64>,
    md5: ContentMd5,
    crc64: Option<u64>,
}

/// What `Content-MD5` says, if it is there.
pub(crate) struct ContentMd5(Option<Vec<u8>>);

/// What the head says about the object, checked.
pub(crate) struct Instructions {
    pub(crate) forbid_overwrite: bool,
    pub(crate) content_type: HeaderValue,
    pub(crate) kept: Vec<(HeaderName, HeaderValue)>,
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or_default().trim())
}

/// What the head says about the length of the body; a body in chunks says nothing.
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, OssError> {
    match text(headers, CONTENT_LENGTH.as_str()) {
        Some(length) => length.parse().map(Some).map_err(|_| {
            OssError::invalid_argument("Content-Length is not a number.", "Content-Length", length)
        }),
        None if headers.contains_key(TRANSFER_ENCODING) => Ok(None),
        None => Err(OssError::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        )),
    }
}

impl Announced {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, OssError> {
        let text = |name: &str| text(headers, name);
        let length = content_length(headers)?;
        if length.is_some_and(|length| length > LARGEST_OBJECT) {
            return Err(too_large());
        }
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
        Ok(Self {
            length,
            md5: ContentMd5::read(headers)?,
            crc64,
        })
    }

    /// Refuses a body that is not what the client meant to send.
    pub(crate) fn compare(&self, md5: [u8; 16], crc64: u64) -> Result<(), OssError> {
        self.md5.compare(md5)?;
        if self.crc64.is_some_and(|expected| expected != crc64) {
            return Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "InvalidCRC64",
                "The CRC-64 you specified did not match what we received.",
            )
            .detail("ServerCRC64", crc64.to_string()));
        }
        Ok(())
    }
}

impl ContentMd5 {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, OssError> {
        let Some(text) = text(headers, "content-md5") else {
            return Ok(Self(None));
        };
        match STANDARD.decode(text) {
            Ok(md5) if md5.len() == 16 => Ok(Self(Some(md5))),
            // Hexadecimal digits are Base64, and no digest of any content.
            Ok(_) => Err(invalid_digest(text, "0017-00000503")),
            Err(_) => Err(invalid_digest(text, "0017-00000502")),
        }
    }

    pub(crate) fn compare(&self, md5: [u8; 16]) -> Result<(), OssError> {
        match &self.0 {
            Some(expected) if expected[..] != md5 => {
                let sent = STANDARD.encode(expected);
                Err(invalid_digest(&sent, "0017-00000503"))
            }
            _ => Ok(()),
        }
    }
}

fn invalid_digest(sent: &str, ec: &'static str) -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "InvalidDigest",
        "The Content-MD5 you specified was invalid.",
    )
    .detail("Content-MD5", sent)
    .ec(ec)
}

impl Instructions {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, OssError> {
        let mut kept: Vec<_> = headers
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
        if let Some(tags) = headers.get("x-oss-tagging") {
            tagging::parse(tags.to_str().unwrap_or("\0"))?;
        }
        add_default_key(headers, &mut kept)?;
        let default_type = HeaderValue::from_static("application/octet-stream");
        Ok(Self {
            forbid_overwrite: forbid_overwrite(headers)?,
            content_type: headers.get(CONTENT_TYPE).cloned().unwrap_or(default_type),
            kept,
        })
    }

    /// The memory that an object with these takes besides its bytes: its name, its headers, its place in the map.
    pub(crate) fn memory(&self, key: &str) -> u64 {
        memory(key, &self.kept)
    }
}

pub(crate) fn memory(key: &str, kept: &[(HeaderName, HeaderValue)]) -> u64 {
    let headers = kept.iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum();
    (512 + key.len() + headers) as u64
}

pub(crate) fn forbid_overwrite(headers: &HeaderMap) -> Result<bool, OssError> {
    match text(headers, "x-oss-forbid-overwrite") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(OssError::invalid_argument(
            "x-oss-forbid-overwrite is true or false.",
            "x-oss-forbid-overwrite",
            other,
        )),
    }
}

pub(crate) fn check_acl(headers: &HeaderMap) -> Result<(), OssError> {
    match text(headers, "x-oss-object-acl") {
        Some(name) if Acl::named(name).is_none() => Err(OssError::invalid_argument(
            "no such object access control exists",
            "x-oss-object-acl",
            name,
        )
        .ec("0017-00000104")),
        _ => Ok(()),
    }
}

/// Only what makes an object says how it is encrypted: neither its parts nor their end do.
pub(crate) fn check_encryption(headers: &HeaderMap) -> Result<(), OssError> {
    match text(headers, ENCRYPTION) {
        None => Ok(()),
        Some(method) => Err(OssError::invalid_argument(
            "The encryption is that of the upload.",
            ENCRYPTION,
            method,
        )),
    }
}

/// OSS has a key of its own for who names none.
fn add_default_key(
    headers: &HeaderMap,
    kept: &mut Vec<(HeaderName, HeaderValue)>,
) -> Result<(), OssError> {
    const KEY_ID: HeaderName = HeaderName::from_static("x-oss-server-side-encryption-key-id");
    const DEFAULT: HeaderValue = HeaderValue::from_static("10ca1055-0000-4000-8000-000000000000");
    if text(headers, ENCRYPTION) != Some("KMS") {
        // Only with KMS do they mean anything (asserted by an SDK's test).
        let is_of_kms = |name: &HeaderName| {
            *name == KEY_ID || name.as_str() == "x-oss-server-side-data-encryption"
        };
        kept.retain(|(name, _)| !is_of_kms(name));
    }
    match text(headers, ENCRYPTION) {
        None | Some("AES256" | "SM4") => {}
        Some("KMS") if headers.contains_key(KEY_ID) => {}
        Some("KMS") => kept.push((KEY_ID, DEFAULT)),
        Some(other) => {
            return Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "InvalidEncryptionAlgorithmError",
                "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.",
            )
            .detail("ArgumentValue", other));
        }
    }
    Ok(())
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
