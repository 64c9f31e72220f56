//! PutObject, with its callback.

use std::{io, sync::Arc, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use hyper::{StatusCode, body::Incoming, header::HeaderValue};
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    discard,
    instructions::{Instructions, LARGEST_OBJECT, too_large},
};
use crate::{
    answer::{self, Answer, insert},
    callback::{self, Callback, Placed, Upload},
    encoding::hex,
    error::OssError,
    memory::Memory,
    objects::{NotStored, Object},
    record::Stored,
    service::{Call, Service},
    storage::{Collector, Storage, Trouble},
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
        .is_some_and(|length| !service.memory.has_room_for(Collector::need(length)))
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
    let look_for_image = callback.as_ref().is_some_and(Callback::asks_for_image);
    let object = receive(service, &call.key, &instructions, look_for_image, body).await?;
    let object = complete(service, &call.key, object).await?;

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
    look_for_image: bool,
    body: &mut Incoming,
) -> Result<Object, OssError> {
    let trouble = |trouble| match trouble {
        Trouble::OutOfMemory => out_of_memory(&service.memory),
        Trouble::File(error) => OssError::internal(&error),
    };
    let mut collector = Collector::new(
        &service.storage,
        &service.memory,
        instructions.length,
        look_for_image,
    );
    // Even an empty object takes memory: its name, its headers, its place in the map.
    let headers: usize = instructions
        .kept
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum();
    collector
        .claim((512 + key.len() + headers) as u64)
        .map_err(trouble)?;
    loop {
        match timeout(service.idle_timeout, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else {
                    continue;
                };
                collector.push(data).await.map_err(trouble)?;
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
    let contents = collector.finish().await.map_err(trouble)?;
    instructions.compare(&contents)?;
    Ok(Object {
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        content_type: instructions.content_type.clone(),
        headers: instructions.kept.clone(),
        last_modified: SystemTime::now(),
    })
}

/// With a data directory: writes what is not in a file yet.
async fn complete(service: &Service, key: &str, mut object: Object) -> Result<Object, OssError> {
    let Storage::Kept(folder) = &service.storage else {
        return Ok(object);
    };
    let (folder, key) = (Arc::clone(folder), key.to_owned());
    let written = spawn_blocking(move || folder.complete(&key, &mut object).map(|()| object));
    let object = written.await.map_err(io::Error::other).flatten();
    object.map_err(|error| OssError::internal(&error))
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
    let settle = || match &service.storage {
        Storage::Temporary => Ok(()),
        Storage::Kept(folder) => object.contents.settle(|| folder.place(&call.bucket)),
    };
    let replaced = service
        .objects
        .put(
            &call.bucket,
            &call.key,
            Arc::clone(&object),
            forbid_overwrite,
            settle,
            stored,
        )
        .map_err(|not_stored| match not_stored {
            NotStored::Exists => exists(&call.key),
            NotStored::Failed(error) => OssError::internal(&error),
        })?;
    discard(replaced).await;

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
                image: object.contents.image.clone(),
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
            "local-oss has {} bytes of memory for objects, and no more free; see --max-total-bytes.",
            memory.limit()
        ),
    )
}
