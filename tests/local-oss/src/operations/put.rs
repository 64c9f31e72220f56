//! PutObject, with its callback.

use std::{io, sync::Arc};

use hyper::{StatusCode, body::Incoming};
use tokio::task::spawn_blocking;

use super::{
    instructions::{Announced, Instructions, check_acl},
    receive::{check_room, receive},
    store::{self, NewObject},
};
use crate::{
    answer::{self, Answer},
    callback::Callback,
    encoding::hex,
    error::OssError,
    objects::{Object, ObjectType},
    pace::Pace,
    service::{Call, Service},
    storage::{Collector, Storage},
};

pub(crate) async fn put_object(
    service: &Service,
    call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let headers = &call.head.headers;
    if headers.contains_key("if-modified-since") {
        // That it is an error is seen in an SDK's test; which one is inferred.
        return Err(OssError::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented.",
        )
        .detail("Header", "If-Modified-Since"));
    }
    let announced = Announced::read(headers)?;
    let instructions = Instructions::read(headers)?;
    check_acl(headers)?;
    let mut pace = Pace::read(headers, &call.query)?;
    store::check_overwrite(service, &call, instructions.forbid_overwrite)?;
    check_room(service, announced.length.map(Collector::need))?;
    let callback = store::callback(service, &call).await?;

    let look_for_image = callback.as_ref().is_some_and(Callback::asks_for_image);
    let collector = Collector::new(
        &service.storage,
        &service.memory,
        announced.length,
        look_for_image,
    );
    let kept_along = instructions.memory(&call.key);
    let contents = receive(service, &announced, collector, kept_along, &mut pace, body).await?;
    let object = Object {
        object_type: ObjectType::Normal,
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        content_type: instructions.content_type,
        headers: instructions.kept,
        last_modified: service.clock.now(),
    };
    let new = NewObject {
        operation: "PutObject",
        object: Arc::new(complete(service, &call.key, object).await?),
        forbid_overwrite: instructions.forbid_overwrite,
        tail: None,
    };
    store::store(service, &call, &new, || {}).await?;
    let mut answer = match callback {
        None => answer::empty(StatusCode::OK),
        Some(callback) => store::deliver(service, &call, &new, &callback).await,
    };
    store::describe(&mut answer, &new.object);
    if let Some(pace) = &pace {
        pace.tell(&mut answer);
    }
    Ok(answer)
}

/// With a data directory: writes what is not in a file yet.
pub(super) async fn complete(
    service: &Service,
    key: &str,
    mut object: Object,
) -> Result<Object, OssError> {
    let Storage::Kept(folder) = &service.storage else {
        return Ok(object);
    };
    let (folder, key) = (Arc::clone(folder), key.to_owned());
    let written = spawn_blocking(move || folder.complete(&key, &mut object).map(|()| object));
    let object = written.await.map_err(io::Error::other).flatten();
    object.map_err(|error| OssError::internal(&error))
}
