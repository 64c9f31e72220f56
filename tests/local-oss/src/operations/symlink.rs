//! Objects that stand for others of their bucket.

use std::{io, sync::Arc};

use hyper::{StatusCode, header::HeaderName};
use percent_encoding::percent_decode_str;

use super::{
    instructions::{Instructions, check_acl},
    put::complete,
    read::no_such_key,
    receive::trouble,
    store::{self, NewObject},
};
use crate::{
    addressing::is_object_name,
    answer::{self, Answer, insert},
    encoding::hex,
    error::OssError,
    objects::{Object, ObjectType},
    service::{Call, Service},
    storage::{Collector, Source},
};

const TARGET: HeaderName = HeaderName::from_static("x-oss-symlink-target");

/// Whether there is an object of the target's name is not asked.
pub(super) async fn put_symlink(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let headers = &call.head.headers;
    let mut instructions = Instructions::read(headers)?;
    check_acl(headers)?;
    let target = headers.get(&TARGET).filter(|target| !target.is_empty());
    let target = target.ok_or_else(|| {
        OssError::new(
            StatusCode::BAD_REQUEST,
            "MissingArgument",
            "Missing Some Required Arguments.",
        )
        .detail("ArgumentName", TARGET.as_str())
    })?;
    if decoded(target.to_str().unwrap_or_default()).is_none() {
        let target = String::from_utf8_lossy(target.as_bytes());
        return Err(OssError::invalid_argument(
            "The symlink target is not valid.",
            TARGET.as_str(),
            target,
        ));
    }
    store::check_overwrite(service, call, instructions.forbid_overwrite)?;
    instructions.kept.push((TARGET, target.clone()));
    let mut collector = Collector::new(&service.storage, &service.memory, Some(0), false);
    let claimed = collector.claim(instructions.memory(&call.key));
    claimed.map_err(|error| trouble(service, error))?;
    let contents = collector.finish().await;
    let contents = contents.map_err(|error| trouble(service, error))?;
    let object = Object {
        object_type: ObjectType::Symlink,
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        content_type: instructions.content_type,
        headers: instructions.kept,
        last_modified: service.clock.now(),
    };
    let new = NewObject {
        operation: "PutSymlink",
        object: Arc::new(complete(service, &call.key, object).await?),
        forbid_overwrite: instructions.forbid_overwrite,
        tail: None,
    };
    store::store(service, call, &new, || {}).await?;
    let mut answer = answer::empty(StatusCode::OK);
    let etag = format!("\"{}\"", new.object.etag);
    insert(answer.headers_mut(), "etag", &etag);
    Ok(answer)
}

pub(super) fn get_symlink(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let object = service.objects.get(&call.bucket, &call.key);
    let object = object.ok_or_else(|| no_such_key(&call.key))?;
    let target = object.header(TARGET.as_str());
    let target = target.filter(|_| object.object_type == ObjectType::Symlink);
    let target = target.ok_or_else(|| {
        OssError::new(
            StatusCode::BAD_REQUEST,
            "NotSymlink",
            "The object you specified is not a symlink",
        )
        .detail("Key", &*call.key)
    })?;
    let mut answer = answer::empty(StatusCode::OK);
    let headers = answer.headers_mut();
    insert(headers, "x-oss-symlink-target", target);
    insert(headers, "etag", &format!("\"{}\"", object.etag));
    let modified = httpdate::fmt_http_date(object.last_modified);
    insert(headers, "last-modified", &modified);
    insert(headers, "x-oss-object-type", object.object_type.name());
    for (name, value) in object.shown_headers() {
        headers.insert(name.clone(), value.clone());
    }
    Ok(answer)
}

fn decoded(target: &str) -> Option<String> {
    let target = percent_decode_str(target).decode_utf8().ok()?;
    is_object_name(&target).then(|| target.into_owned())
}

/// What a reader of an object gets: of a symlink, the object that it stands for.
pub(super) struct Found {
    /// As the request names it.
    pub(super) object: Arc<Object>,
    /// Whose bytes it has: another one for a symlink.
    pub(super) real: Arc<Object>,
    pub(super) source: Source,
}

pub(super) fn find(service: &Service, bucket: &str, key: &str) -> Result<Found, OssError> {
    let open = |key: &str| -> Result<Option<(Arc<Object>, Source)>, OssError> {
        let opened: io::Result<_> = service.objects.open(bucket, key);
        opened.map_err(|error| OssError::internal(&error))
    };
    let (object, source) = open(key)?.ok_or_else(|| no_such_key(key))?;
    if object.object_type != ObjectType::Symlink {
        return Ok(Found {
            real: Arc::clone(&object),
            object,
            source,
        });
    }
    let target = target_of(&object).unwrap_or_default();
    let (real, source) = open(&target)?.ok_or_else(|| {
        OssError::new(
            StatusCode::NOT_FOUND,
            "SymlinkTargetNotExist",
            "The symlink target object does not exist",
        )
        .detail("TargetKey", &*target)
    })?;
    if real.object_type == ObjectType::Symlink {
        return Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "InvalidTargetType",
            "The target of symlink is also a symlink",
        )
        .detail("TargetKey", target));
    }
    Ok(Found {
        object,
        real,
        source,
    })
}

/// The key that a symlink stands for.
pub(super) fn target_of(object: &Object) -> Option<String> {
    let target = object.header(TARGET.as_str())?;
    decoded(target).filter(|_| object.object_type == ObjectType::Symlink)
}
