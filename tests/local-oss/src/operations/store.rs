//! Puts an object in its place and delivers its callback, for every operation that can.

use std::sync::Arc;

use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};

use super::{callback_policy, discard};
use crate::{
    answer::{self, Answer, insert},
    callback::{self, Callback, Placed, Upload},
    error::OssError,
    objects::{NotStored, Object},
    record::Stored,
    service::{Call, Service, no_such_bucket},
    storage::Storage,
};

/// The callback of the request, if it has one and OSS would take it.
pub(super) async fn callback(service: &Service, call: &Call) -> Result<Option<Callback>, OssError> {
    let placed = |header: &str, parameter: &str| Placed {
        header: call.head.headers.get(header).map(HeaderValue::as_bytes),
        query: call.query.get(parameter),
    };
    let mut callback = placed("x-oss-callback", "callback");
    let mut variables = placed("x-oss-callback-var", "callback-var");
    let resolve = |value: Option<_>| {
        let named = value.map(|value| callback_policy::resolved(service, &call.bucket, value));
        named.transpose()
    };
    let (header, query) = (resolve(callback.header)?, resolve(callback.query)?);
    for (place, kept, named) in [
        (&mut callback.header, &mut variables.header, &header),
        (&mut callback.query, &mut variables.query, &query),
    ] {
        if let Some((value, own)) = named {
            *place = Some(value);
            *kept = kept.or(own.as_deref());
        }
    }
    let callback = callback::check(callback, variables, &service.rules).await?;
    for name in callback.iter().flat_map(Callback::odd_variables) {
        let id = &call.request_id;
        service.log.line(format_args!(
            "warning: the callback variable {name} does not begin with x:, which OSS's documentation forbids [{id}]"
        ));
    }
    Ok(callback)
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
    let may_replace = |now: Option<&Arc<Object>>| !(new.forbid_overwrite && now.is_some());
    match put(service, call, new, may_replace, then).await? {
        true => Ok(()),
        false => Err(exists(&call.key)),
    }
}

/// Stores the object in place of `old`, or of none, and says whether that was still there.
pub(super) async fn store_over(
    service: &Service,
    call: &Call,
    new: &NewObject,
    old: Option<&Arc<Object>>,
) -> Result<bool, OssError> {
    let may_replace = |now: Option<&Arc<Object>>| match (now, old) {
        (Some(now), Some(old)) => Arc::ptr_eq(now, old),
        (now, old) => now.is_none() && old.is_none(),
    };
    put(service, call, new, may_replace, || {}).await
}

async fn put(
    service: &Service,
    call: &Call,
    new: &NewObject,
    may_replace: impl FnOnce(Option<&Arc<Object>>) -> bool,
    then: impl FnOnce(),
) -> Result<bool, OssError> {
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
    let put = service.objects.put(
        &call.bucket,
        &call.key,
        Arc::clone(object),
        may_replace,
        settle,
        stored,
    );
    match put {
        Ok(replaced) => {
            discard(replaced).await;
            Ok(true)
        }
        Err(NotStored::Exists) => Ok(false),
        Err(NotStored::NoBucket) => Err(no_such_bucket(&call.bucket)),
        Err(NotStored::Failed(error)) => Err(OssError::internal(&error)),
    }
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

/// Says again how the object is encrypted, if its uploader has said.
pub(super) fn echo_encryption(answer: &mut Answer, headers: &[(HeaderName, HeaderValue)]) {
    let is_said = |name: &HeaderName| name.as_str().starts_with("x-oss-server-side-");
    for (name, value) in headers.iter().filter(|(name, _)| is_said(name)) {
        answer.headers_mut().insert(name.clone(), value.clone());
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
    echo_encryption(answer, &object.headers);
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
    .ec("0026-00000002")
    .detail("Key", key)
    .ec("0026-00000002")
}
