//! CopyObject, and the source of UploadPartCopy.

use std::{sync::Arc, time::SystemTime};

use hyper::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use percent_encoding::percent_decode_str;

use super::{
    conditions::{self, Names},
    instructions::{Instructions, check_acl, memory},
    is_current,
    listing::document,
    put::complete,
    read::no_such_key,
    receive::{check_room, trouble},
    rewrite::copy,
    store::{self, NewObject},
};
use crate::{
    answer::{Answer, insert},
    encoding::hex,
    error::OssError,
    objects::{Object, ObjectType},
    service::{Call, Service, no_such_bucket},
    storage::{Collector, Source},
    timestamp::timestamp,
    xml::Document,
};

/// What a request copies from.
pub(super) struct Original {
    bucket: String,
    key: String,
    pub(super) object: Arc<Object>,
    pub(super) source: Source,
}

impl Original {
    /// `x-oss-copy-source: /BUCKET/KEY`, encoded; the slash in front may be absent.
    pub(super) fn find(service: &Service, headers: &HeaderMap) -> Result<Self, OssError> {
        let text = headers.get("x-oss-copy-source");
        let text = text.map(HeaderValue::to_str).and_then(Result::ok);
        let text = text.unwrap_or_default();
        let invalid = || {
            OssError::invalid_argument(
                "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.",
                "x-oss-copy-source",
                text,
            )
        };
        let (path, version) = match text.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        let path = percent_decode_str(path).decode_utf8();
        let path = path.map_err(|_| invalid())?;
        let (bucket, key) = path
            .strip_prefix('/')
            .unwrap_or(&path)
            .split_once('/')
            .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
            .ok_or_else(invalid)?;
        if !service.objects.has_bucket(bucket) {
            return Err(no_such_bucket(bucket));
        }
        let opened = service.objects.open(bucket, key);
        let opened = opened.map_err(|error| OssError::internal(&error))?;
        let opened = opened.filter(|_| is_current(version.map(str::as_bytes)));
        let (object, source) = opened.ok_or_else(|| no_such_key(key))?;
        conditions::check(headers, &object, &Names::OF_COPY)?;
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            object,
            source,
        })
    }
}

/// Does the header ask for what the request says in place of what the source has?
fn replaces(headers: &HeaderMap, name: &'static str) -> Result<bool, OssError> {
    let value = headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default());
    match value {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("copy") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("replace") => Ok(true),
        Some(value) => Err(OssError::invalid_argument(
            format!("{name} is COPY or REPLACE."),
            name,
            value,
        )),
    }
}

pub(super) async fn copy_object(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let headers = &call.head.headers;
    let instructions = Instructions::read(headers)?;
    check_acl(headers)?;
    let replaces_metadata = replaces(headers, "x-oss-metadata-directive")?;
    let replaces_tags = replaces(headers, "x-oss-tagging-directive")?;
    let original = Original::find(service, headers)?;
    store::check_overwrite(service, call, instructions.forbid_overwrite)?;
    let old = &original.object;
    // Of an object copied to itself only the metadata change, whatever the directive (OSS documentation, CopyObject).
    let is_itself = original.bucket == call.bucket && original.key == call.key;
    let takes_metadata = !replaces_metadata && !is_itself;
    // The access control is never copied, and what the request says of the storage is about the copy.
    let is_copied = |name: &HeaderName| match name.as_str() {
        "x-oss-object-acl" | "x-oss-storage-class" => false,
        "x-oss-tagging" => !replaces_tags,
        "x-oss-symlink-target" => true,
        name if name.starts_with("x-oss-server-side-") => false,
        _ => takes_metadata,
    };
    let is_taken = |name: &HeaderName| match name.as_str() {
        "x-oss-object-acl" | "x-oss-storage-class" => true,
        "x-oss-tagging" => replaces_tags,
        name if name.starts_with("x-oss-server-side-") => true,
        _ => !takes_metadata,
    };
    let kept = old.headers.iter().filter(|(name, _)| is_copied(name));
    let said = instructions.kept.iter().filter(|(name, _)| is_taken(name));
    let kept: Vec<_> = kept.chain(said).cloned().collect();
    let content_type = match headers.get(CONTENT_TYPE) {
        Some(said) if !takes_metadata => said.clone(),
        None if !takes_metadata && !is_itself => instructions.content_type,
        _ => old.content_type.clone(),
    };

    let size = old.contents.size();
    check_room(service, Some(Collector::need(size)))?;
    let mut collector = Collector::new(&service.storage, &service.memory, Some(size), false);
    let claimed = collector.claim(memory(&call.key, &kept));
    claimed.map_err(|error| trouble(service, error))?;
    copy(service, &original.source, 0..size, &mut collector).await?;
    let contents = collector.finish().await;
    let contents = contents.map_err(|error| trouble(service, error))?;
    let stays = is_itself || old.object_type == ObjectType::Symlink;
    let object = Object {
        object_type: match stays {
            true => old.object_type,
            false => ObjectType::Normal,
        },
        etag: match stays {
            true => old.etag.clone(),
            false => hex(&contents.md5).to_ascii_uppercase(),
        },
        contents,
        content_type,
        headers: kept,
        last_modified: service.clock.now(),
    };
    let new = NewObject {
        operation: "CopyObject",
        object: Arc::new(complete(service, &call.key, object).await?),
        forbid_overwrite: instructions.forbid_overwrite,
        tail: None,
    };
    store::store(service, call, &new, || {}).await?;
    let object = &new.object;
    let mut answer = result("CopyObjectResult", object.last_modified, &object.etag);
    let crc64 = object.contents.crc64.to_string();
    insert(answer.headers_mut(), "x-oss-hash-crc64ecma", &crc64);
    insert(
        answer.headers_mut(),
        "etag",
        &format!("\"{}\"", object.etag),
    );
    Ok(answer)
}

/// The document about a copy.
pub(super) fn result(name: &str, last_modified: SystemTime, etag: &str) -> Answer {
    let mut xml = Document::new();
    xml.open(name);
    xml.element("LastModified", &timestamp(last_modified));
    xml.element("ETag", &format!("\"{etag}\""));
    xml.close(name);
    document(xml)
}
