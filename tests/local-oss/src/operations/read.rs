//! GetObject and HeadObject.

use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::{
    conditions,
    range::{Part, part},
};
use crate::{
    answer::{self, Answer, Content, insert},
    error::OssError,
    objects::Object,
    service::{Call, Service},
};

/// Query parameters of GetObject that replace a header of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

pub(crate) fn get_object(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let (object, source) = service
        .objects
        .open(&call.bucket, &call.key)
        .map_err(|error| OssError::internal(&error))?
        .ok_or_else(|| no_such_key(call))?;
    let size = object.contents.size();
    let header = |name: &str| {
        let value = call.head.headers.get(name)?;
        Some(value.to_str().unwrap_or_default())
    };
    if let Some(answer) = condition(call, &object)? {
        return Ok(answer);
    }
    let standard = header("x-oss-range-behavior") == Some("standard");
    let part = header("range").map_or(Part::Whole, |range| part(range, size, standard));
    let (status, range) = match part {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Of(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::None => {
            return Err(OssError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range cannot be satisfied.",
            )
            .detail("ActualObjectSize", size.to_string())
            .detail("RangeRequested", header("range").unwrap_or_default()));
        }
    };
    let mut answer = described(status, &object);
    if status == StatusCode::PARTIAL_CONTENT {
        let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        insert(answer.headers_mut(), "content-range", &content_range);
    }
    for (parameter, name) in OVERRIDES {
        let value = call.query.get(parameter).map(HeaderValue::from_bytes);
        if let Some(Ok(value)) = value {
            answer
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    *answer.body_mut() = Content::of(source, range);
    Ok(answer)
}

pub(crate) fn head_object(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let object = service.objects.get(&call.bucket, &call.key);
    let object = object.ok_or_else(|| no_such_key(call))?;
    if let Some(answer) = condition(call, &object)? {
        return Ok(answer);
    }
    let mut answer = described(StatusCode::OK, &object);
    let size = object.contents.size();
    // Of a body that is empty, hyper would not say so here.
    insert(answer.headers_mut(), "content-length", &size.to_string());
    *answer.body_mut() = Content::unsent(size);
    Ok(answer)
}

fn no_such_key(call: &Call) -> OssError {
    OssError::new(
        StatusCode::NOT_FOUND,
        "NoSuchKey",
        "The specified key does not exist.",
    )
    .ec("0026-00000001")
    .detail("Key", &*call.key)
}

/// The answer to a request whose conditions the object does not meet.
fn condition(call: &Call, object: &Object) -> Result<Option<Answer>, OssError> {
    match conditions::refusal(&call.head.headers, object) {
        Some(StatusCode::NOT_MODIFIED) => {
            let mut answer = answer::empty(StatusCode::NOT_MODIFIED);
            insert(
                answer.headers_mut(),
                "etag",
                &format!("\"{}\"", object.etag),
            );
            Ok(Some(answer))
        }
        Some(status) => Err(OssError::new(
            status,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        )),
        None => Ok(None),
    }
}

/// An answer with all headers that describe the object.
fn described(status: StatusCode, object: &Object) -> Answer {
    let mut answer = answer::empty(status);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, object.content_type.clone());
    insert(headers, "accept-ranges", "bytes");
    insert(headers, "etag", &format!("\"{}\"", object.etag));
    insert(
        headers,
        "last-modified",
        &httpdate::fmt_http_date(object.last_modified),
    );
    if let Some(md5) = object.content_md5() {
        insert(headers, "content-md5", &md5);
    }
    insert(
        headers,
        "x-oss-hash-crc64ecma",
        &object.contents.crc64.to_string(),
    );
    insert(headers, "x-oss-object-type", object.object_type.name());
    insert(headers, "x-oss-storage-class", "Standard");
    for (name, value) in &object.headers {
        headers.insert(name.clone(), value.clone());
    }
    answer
}
