//! Puts an object in its place and delivers its callback, for every operation that can.

use std::sync::Arc;

use hyper::{StatusCode, header::HeaderValue};

use super::discard;
use crate::{
    answer::{self, Answer, insert},
    callback::{self, Callback, Placed, Upload},
    error::OssError,
    objects::{NotStored, Object},
    record::Stored,
    service::{Call, Service},
    storage::Storage,
};

/// The callback of the request, if it has one and OSS would take it.
pub(super) async fn callback(service: &Service, call: &Call) -> Result<Option<Callback>, OssError> {
    let placed = |header: &str, parameter: &str| Placed {
        header: call.head.headers.get(header).map(HeaderValue::as_bytes),
        query: call.query.get(parameter),
    };
    callback::check(
        placed("x-oss-callback", "callback"),
        placed("x-oss-callback-var", "callback-var"),
        &service.rules,
    )
    .await
}

/// An object about to be stored.
pub(super) struct NewObject {
    pub(super) operation: &'static str,
    pub(super) object: Arc<Object>,
    pub(super) forbid_overwrite: bool,
    /// What its file in the data directory still lacks.
    pub(super) tail: Option<Vec<u8>>,
}

/// Stores the object. `then` runs before anybody else can see it.
pub(super) async fn store(
    service: &Service,
    call: &Call,
    new: &NewObject,
    then: impl FnOnce(),
) -> Result<(), OssError> {
    let object = &new.object;
    let lossy = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let stored = || {
        service.record.add_stored(Stored {
            request_id: call.request_id.clone(),
            operation: new.operation.to_owned(),
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
        then();
    };
    let settle = || match &service.storage {
        Storage::Temporary => Ok(()),
        Storage::Kept(folder) => {
            let place = || folder.place(&call.bucket);
            object.contents.settle(new.tail.as_deref(), place)
        }
    };
    let replaced = service
        .objects
        .put(
            &call.bucket,
            &call.key,
            Arc::clone(object),
            new.forbid_overwrite,
            settle,
            stored,
        )
        .map_err(|not_stored| match not_stored {
            NotStored::Exists => exists(&call.key),
            NotStored::Failed(error) => OssError::internal(&error),
        })?;
    discard(replaced).await;
    Ok(())
}

/// Delivers the callback of a stored object: what the application server says is the answer, or 203.
pub(super) async fn deliver(
    service: &Service,
    call: &Call,
    new: &NewObject,
    callback: &Callback,
) -> Answer {
    let upload = Upload {
        request_id: call.request_id.clone(),
        operation: new.operation,
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        object: Arc::clone(&new.object),
        client_ip: call.client.ip().to_canonical(),
        image: new.object.contents.image.clone(),
    };
    match service.deliverer.deliver(callback, &upload).await {
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

/// The headers that describe a stored object to its uploader.
pub(super) fn describe(answer: &mut Answer, object: &Object) {
    let headers = answer.headers_mut();
    insert(headers, "etag", &format!("\"{}\"", object.etag));
    if let Some(md5) = object.content_md5() {
        insert(headers, "content-md5", &md5);
    }
    let crc64 = object.contents.crc64.to_string();
    insert(headers, "x-oss-hash-crc64ecma", &crc64);
}

/// Refuses early what [`store`] would refuse.
pub(super) fn check_overwrite(
    service: &Service,
    call: &Call,
    forbid_overwrite: bool,
) -> Result<(), OssError> {
    match forbid_overwrite && service.objects.get(&call.bucket, &call.key).is_some() {
        true => Err(exists(&call.key)),
        false => Ok(()),
    }
}

fn exists(key: &str) -> OssError {
    OssError::new(
        StatusCode::CONFLICT,
        "FileAlreadyExists",
        "The object you specified already exists and can not be overwritten.",
    )
    .detail("Key", key)
}
