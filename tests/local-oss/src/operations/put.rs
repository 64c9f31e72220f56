//! PutObject, with its callback.

use std::{sync::Arc, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING},
};
use tokio::time::timeout;

use crate::{
    answer::{self, Answer},
    callback::{self, Callback, Outcome, Placed, Upload},
    contents::{Collector, OutOfMemory},
    encoding::hex,
    error::OssError,
    memory::Memory,
    objects::Object,
    record::Stored,
    service::{Call, Service, insert},
};

const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024;
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
struct Instructions {
    length: Option<u64>,
    md5: Option<Vec<u8>>,
    crc64: Option<u64>,
    forbid_overwrite: bool,
    content_type: HeaderValue,
    kept: Vec<(HeaderName, HeaderValue)>,
}

pub(crate) async fn put_object(
    service: &Arc<Service>,
    call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let instructions = Instructions::read(&call.head.headers)?;
    if instructions.forbid_overwrite && service.objects.get(&call.bucket, &call.key).is_some() {
        return Err(exists(&call.key));
    }
    if instructions
        .length
        .is_some_and(|length| !service.memory.has_room_for(length))
    {
        return Err(out_of_memory(&service.memory));
    }
    let placed = |header: &str, parameter: &str| Placed {
        header: call.head.headers.get(header).map(HeaderValue::as_bytes),
        query: call.query.get(parameter),
    };
    let callback = callback::check(
        placed("x-oss-callback", "callback"),
        placed("x-oss-callback-var", "callback-var"),
        &service.rules,
    )
    .await?;
    let object = receive(service, &call, instructions.length, body, &instructions).await?;

    // From here on the upload is complete: it is stored and reported even if the client goes away, so not in the
    // connection's own task.
    let service = Arc::clone(service);
    let finish = finish(
        service,
        call,
        object,
        instructions.forbid_overwrite,
        callback,
    );
    tokio::spawn(finish).await.unwrap_or_else(|error| {
        Err(OssError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("local-oss failed: {error}"),
        ))
    })
}

impl Instructions {
    fn read(headers: &HeaderMap) -> Result<Self, OssError> {
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
}

fn is_metadata(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-oss-meta-")
}

/// Takes the body in and compares it with what was said about it.
async fn receive(
    service: &Service,
    call: &Call,
    length: Option<u64>,
    body: &mut Incoming,
    instructions: &Instructions,
) -> Result<Object, OssError> {
    let full = |OutOfMemory| out_of_memory(&service.memory);
    let mut collector = Collector::new(&service.memory, length);
    // Even an empty object takes memory: its name, its headers, its place in the map.
    let headers: usize = instructions
        .kept
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum();
    collector
        .claim((512 + call.key.len() + headers) as u64)
        .map_err(full)?;
    loop {
        match timeout(service.idle_timeout, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else {
                    continue;
                };
                collector.push(data).map_err(full)?;
                if collector.size() > LARGEST_OBJECT {
                    return Err(too_large());
                }
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "IncompleteBody",
                    "The request body ended before it was complete.",
                ));
            }
            Err(_) => {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "RequestTimeout",
                    "Your socket connection to the server was not read from or written to within the timeout period.",
                ));
            }
        }
    }
    let contents = collector.finish();
    if instructions
        .md5
        .as_ref()
        .is_some_and(|md5| md5[..] != contents.md5)
    {
        return Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "InvalidDigest",
            "The Content-MD5 you specified did not match what we received.",
        )
        .detail("ServerMD5", STANDARD.encode(contents.md5)));
    }
    if instructions
        .crc64
        .is_some_and(|crc64| crc64 != contents.crc64)
    {
        return Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "InvalidCRC64",
            "The CRC-64 you specified did not match what we received.",
        )
        .detail("ServerCRC64", contents.crc64.to_string()));
    }
    Ok(Object {
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        content_type: instructions.content_type.clone(),
        headers: instructions.kept.clone(),
        last_modified: SystemTime::now(),
    })
}

/// Stores the object, then delivers the callback.
async fn finish(
    service: Arc<Service>,
    call: Call,
    object: Object,
    forbid_overwrite: bool,
    callback: Option<Callback>,
) -> Result<Answer, OssError> {
    const OPERATION: &str = "PutObject";
    let object = Arc::new(object);
    let lossy = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let stored = || {
        service.record.add_stored(Stored {
            request_id: call.request_id.clone(),
            operation: OPERATION.to_owned(),
            bucket: call.bucket.clone(),
            key: call.key.clone(),
            size: object.contents.size(),
            crc64: object.contents.crc64,
            etag: object.etag.clone(),
            content_type: lossy(&object.content_type),
            headers: object
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), lossy(value)))
                .collect(),
        });
    };
    service
        .objects
        .put(
            &call.bucket,
            &call.key,
            Arc::clone(&object),
            forbid_overwrite,
            stored,
        )
        .map_err(|_| exists(&call.key))?;

    let mut answer = match callback {
        None => answer::empty(StatusCode::OK),
        Some(callback) => {
            let upload = Upload {
                request_id: call.request_id.clone(),
                operation: OPERATION,
                bucket: call.bucket.clone(),
                key: call.key.clone(),
                object: Arc::clone(&object),
                client_ip: call.client.ip(),
            };
            match service.deliverer.deliver(&callback, &upload).await {
                Outcome::Accepted { content_type, body } => {
                    answer::with_body(StatusCode::OK, &content_type, body)
                }
                Outcome::Failed(failure) => {
                    let error = OssError::new(
                        StatusCode::NON_AUTHORITATIVE_INFORMATION,
                        "CallbackFailed",
                        failure.message(),
                    )
                    .ec(failure.ec());
                    call.error_answer(&error)
                }
            }
        }
    };
    let headers = answer.headers_mut();
    insert(headers, "etag", &format!("\"{}\"", object.etag));
    insert(
        headers,
        "content-md5",
        &STANDARD.encode(object.contents.md5),
    );
    insert(
        headers,
        "x-oss-hash-crc64ecma",
        &object.contents.crc64.to_string(),
    );
    Ok(answer)
}

fn exists(key: &str) -> OssError {
    OssError::new(
        StatusCode::CONFLICT,
        "FileAlreadyExists",
        "The object you specified already exists and can not be overwritten.",
    )
    .detail("Key", key)
}

fn too_large() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size.",
    )
    .detail("MaxSizeAllowed", LARGEST_OBJECT.to_string())
}

/// Not an error of OSS. A 4xx, so that no client tries again.
fn out_of_memory(memory: &Memory) -> OssError {
    OssError::new(
        StatusCode::FORBIDDEN,
        "QuotaExceeded",
        format!(
            "local-oss keeps objects in memory, {} bytes in all; see --max-total-bytes.",
            memory.limit()
        ),
    )
}
