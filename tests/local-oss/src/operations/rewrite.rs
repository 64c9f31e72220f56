//! Objects whose bytes come from other objects.

use std::{io, ops::Range, sync::Arc};

use hyper::header::{HeaderName, HeaderValue};
use tokio::task::spawn_blocking;

use super::{
    discard,
    instructions::memory,
    put::complete,
    read::no_such_key,
    receive::{check_room, trouble},
};
use crate::{
    error::OssError,
    objects::{NotStored, Object},
    service::{Call, Service, no_such_bucket},
    storage::{Collector, Source, Storage},
};

/// What is read of a file at once.
const PIECE: u64 = 256 * 1024;

/// Adds the bytes in the range of an object to a collector.
pub(super) async fn copy(
    service: &Service,
    source: &Source,
    range: Range<u64>,
    collector: &mut Collector,
) -> Result<(), OssError> {
    match source {
        Source::Memory(segments) => {
            for piece in Source::slice(segments, range) {
                let pushed = collector.push(&piece).await;
                pushed.map_err(|error| trouble(service, error))?;
            }
        }
        Source::File(file) => {
            let Range { mut start, end } = range;
            while start < end {
                let (file, length) = (file.clone(), (end - start).min(PIECE));
                let piece = spawn_blocking(move || file.read(start, length as usize)).await;
                let piece = piece.map_err(io::Error::other).flatten();
                let piece = piece.map_err(|error| OssError::internal(&error))?;
                let pushed = collector.push(&piece).await;
                pushed.map_err(|error| trouble(service, error))?;
                start += length;
            }
        }
    }
    Ok(())
}

/// Puts the object itself in its own place with other headers, and nothing else of it changed.
///
/// Its bytes are copied: what describes an object is in one file with them.
pub(super) async fn rewrite(
    service: &Service,
    call: &Call,
    headers: impl Fn(&Object) -> Vec<(HeaderName, HeaderValue)>,
) -> Result<(), OssError> {
    loop {
        let opened = service.objects.open(&call.bucket, &call.key);
        let opened = opened.map_err(|error| OssError::internal(&error))?;
        let (old, source) = opened.ok_or_else(|| no_such_key(&call.key))?;
        let size = old.contents.size();
        check_room(service, Some(Collector::need(size)))?;
        let headers = headers(&old);
        let (storage, known) = (&service.storage, &service.memory);
        let mut collector = Collector::new(storage, known, Some(size), false);
        let claimed = collector.claim(memory(&call.key, &headers));
        claimed.map_err(|error| trouble(service, error))?;
        copy(service, &source, 0..size, &mut collector).await?;
        let contents = collector.finish().await;
        let object = Object {
            contents: contents.map_err(|error| trouble(service, error))?,
            object_type: old.object_type,
            etag: old.etag.clone(),
            content_type: old.content_type.clone(),
            headers,
            last_modified: old.last_modified,
        };
        let object = Arc::new(complete(service, &call.key, object).await?);
        let settle = || match &service.storage {
            Storage::Temporary => Ok(()),
            Storage::Kept(folder) => {
                let place = || folder.place(&call.bucket);
                object.contents.settle(None, place)
            }
        };
        let put = service.objects.put(
            &call.bucket,
            &call.key,
            Arc::clone(&object),
            |now| now.is_some_and(|now| Arc::ptr_eq(now, &old)),
            settle,
            || {},
        );
        match put {
            Ok(replaced) => {
                discard(replaced).await;
                return Ok(());
            }
            // Another object has taken its place meanwhile, and that one is meant now.
            Err(NotStored::Exists) => {}
            Err(NotStored::NoBucket) => return Err(no_such_bucket(&call.bucket)),
            Err(NotStored::Failed(error)) => return Err(OssError::internal(&error)),
        }
    }
}
