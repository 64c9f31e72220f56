//! PutObject, with its callback.

use std::{sync::Arc, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use hyper::{StatusCode, body::Incoming, header::HeaderValue};
use tokio::time::timeout;

use super::instructions::{Instructions, LARGEST_OBJECT, too_large};
use crate::{
    answer::{self, Answer, insert},
    callback::{self, Callback, Placed, Upload},
    contents::{Collector, OutOfMemory},
    encoding::hex,
    error::OssError,
    image::{Image, LONGEST_START},
    memory::Memory,
    objects::Object,
    record::Stored,
    service::{Call, Service},
};

pub(crate) async fn put_object(
    service: &Service,
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
    let object = receive(service, &call.key, &instructions, body).await?;

    finish(
        service,
        call,
        object,
        instructions.forbid_overwrite,
        callback,
    )
    .await
}

/// Takes the body in and compares it with what was said about it.
async fn receive(
    service: &Service,
    key: &str,
    instructions: &Instructions,
    body: &mut Incoming,
) -> Result<Object, OssError> {
    let full = |OutOfMemory| out_of_memory(&service.memory);
    let mut collector = Collector::new(&service.memory, instructions.length);
    // Even an empty object takes memory: its name, its headers, its place in the map.
    let headers: usize = instructions
        .kept
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum();
    collector
        .claim((512 + key.len() + headers) as u64)
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
    instructions.compare(&contents)?;
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
    service: &Service,
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
                client_ip: call.client.ip().to_canonical(),
                image: callback.asks_for_image().then(|| image(&object)).flatten(),
            };
            match service.deliverer.deliver(&callback, &upload).await {
                Ok(received) => {
                    let content_type = received.header("content-type");
                    let content_type = content_type.unwrap_or("application/json").to_owned();
                    answer::with_body(StatusCode::OK, &content_type, received.body)
                }
                Err(failure) => call.error_answer(
                    &OssError::new(
                        StatusCode::NON_AUTHORITATIVE_INFORMATION,
                        "CallbackFailed",
                        failure.message(),
                    )
                    .ec(failure.ec()),
                ),
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

fn image(object: &Object) -> Option<Image> {
    let length = object.contents.size().min(LONGEST_START as u64);
    Image::find(&object.contents.slice(0..length).concat())
}

fn exists(key: &str) -> OssError {
    OssError::new(
        StatusCode::CONFLICT,
        "FileAlreadyExists",
        "The object you specified already exists and can not be overwritten.",
    )
    .detail("Key", key)
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
