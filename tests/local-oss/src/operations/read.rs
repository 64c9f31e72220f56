//! GetObject and HeadObject.

use hyper::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY},
};

use super::{
    conditions::{self, Names},
    is_current,
    range::{Part, part},
    symlink::{Found, find},
    tagging::tags,
};
use crate::{
    answer::{self, Answer, Content, insert},
    error::OssError,
    gzip,
    objects::ObjectType,
    pace::Pace,
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
    check_version(call)?;
    let pace = Pace::read(&call.head.headers, &call.query)?;
    let found = find(service, &call.bucket, &call.key)?;
    let size = found.real.contents.size();
    let header = |name: &str| {
        let value = call.head.headers.get(name)?;
        Some(value.to_str().unwrap_or_default())
    };
    conditions::check(&call.head.headers, &found.real, &Names::OF_REQUEST)?;
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
    let mut answer = described(service, call, status, &found);
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
    if let Some(pace) = &pace {
        pace.tell(&mut answer);
    }
    let content = Content::of(found.source, range).at(pace);
    let headers = answer.headers_mut();
    let is_zipped = status == StatusCode::OK
        && size >= gzip::SMALLEST
        && gzip::is_accepted(&call.head.headers)
        && headers.get(CONTENT_TYPE).is_some_and(gzip::is_text)
        && !headers.contains_key(CONTENT_ENCODING);
    *answer.body_mut() = match is_zipped {
        false => content,
        true => {
            // What is sent is not what the ETag is of (OSS documentation, GetObject).
            let headers = answer.headers_mut();
            headers.remove(ETAG);
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            content.zipped()
        }
    };
    Ok(answer)
}

pub(crate) fn head_object(service: &Service, call: &Call) -> Result<Answer, OssError> {
    check_version(call)?;
    let found = find(service, &call.bucket, &call.key)?;
    conditions::check(&call.head.headers, &found.real, &Names::OF_REQUEST)?;
    Ok(without_body(
        described(service, call, StatusCode::OK, &found),
        &found,
    ))
}

/// Little more than how large the object is.
pub(crate) fn object_meta(service: &Service, call: &Call) -> Result<Answer, OssError> {
    check_version(call)?;
    let found = find(service, &call.bucket, &call.key)?;
    let mut answer = answer::empty(StatusCode::OK);
    let (headers, real) = (answer.headers_mut(), &found.real);
    insert(headers, "etag", &format!("\"{}\"", real.etag));
    let modified = httpdate::fmt_http_date(real.last_modified);
    insert(headers, "last-modified", &modified);
    let crc64 = real.contents.crc64.to_string();
    insert(headers, "x-oss-hash-crc64ecma", &crc64);
    Ok(without_body(answer, &found))
}

fn without_body(mut answer: Answer, found: &Found) -> Answer {
    let size = found.real.contents.size();
    // Of a body that is empty, hyper would not say so here.
    insert(answer.headers_mut(), "content-length", &size.to_string());
    *answer.body_mut() = Content::unsent(size);
    answer
}

/// No object has any version but `null`.
fn check_version(call: &Call) -> Result<(), OssError> {
    let version = call.query.get("versionId");
    match is_current(version) {
        true => Ok(()),
        false => Err(OssError::new(
            StatusCode::NOT_FOUND,
            "NoSuchVersion",
            "The specified version does not exist.",
        )
        .detail("Key", &*call.key)
        .detail(
            "VersionId",
            String::from_utf8_lossy(version.unwrap_or_default()),
        )),
    }
}

pub(crate) fn no_such_key(key: &str) -> OssError {
    OssError::new(
        StatusCode::NOT_FOUND,
        "NoSuchKey",
        "The specified key does not exist.",
    )
    .ec("0026-00000001")
    .detail("Key", key)
}

/// An answer with all headers that describe the object.
///
/// Of a symlink, what has to do with the bytes is that of the object it stands for, and the rest its own (OSS documentation,
/// HeadObject).
fn described(service: &Service, call: &Call, status: StatusCode, found: &Found) -> Answer {
    let Found { object, real, .. } = found;
    let mut answer = answer::empty(status);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, object.content_type.clone());
    if gzip::is_text(&object.content_type) {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    insert(headers, "accept-ranges", "bytes");
    insert(headers, "etag", &format!("\"{}\"", real.etag));
    insert(
        headers,
        "last-modified",
        &httpdate::fmt_http_date(real.last_modified.max(object.last_modified)),
    );
    if let Some(md5) = real.content_md5() {
        insert(headers, "content-md5", &md5);
    }
    let crc64 = real.contents.crc64.to_string();
    insert(headers, "x-oss-hash-crc64ecma", &crc64);
    insert(headers, "x-oss-object-type", object.object_type.name());
    if real.object_type == ObjectType::Appendable {
        let next = real.contents.size().to_string();
        insert(headers, "x-oss-next-append-position", &next);
    }
    let class = service.objects.default_class(&call.bucket);
    insert(headers, "x-oss-storage-class", &class);
    for (name, value) in object.shown_headers() {
        headers.insert(name.clone(), value.clone());
    }
    let tags = tags(object).len();
    if tags > 0 {
        insert(headers, "x-oss-tagging-count", &tags.to_string());
    }
    answer
}
