//! Takes a body in.

use http_body_util::BodyExt;
use hyper::{
    StatusCode,
    body::{Bytes, Incoming},
};
use md5::{Digest as _, Md5};
use tokio::time::timeout;

use super::instructions::{Announced, ContentMd5, LARGEST_OBJECT, too_large};
use crate::{
    element::malformed_xml,
    error::OssError,
    memory::{Claim, Memory},
    pace::Pace,
    service::{Call, Service},
    storage::{Collector, Contents, Trouble},
};

/// Takes the body in and compares it with what was announced. `kept_along` is the memory for what is kept besides.
pub(super) async fn receive(
    service: &Service,
    announced: &Announced,
    mut collector: Collector,
    kept_along: u64,
    pace: &mut Option<Pace>,
    body: &mut Incoming,
) -> Result<Contents, OssError> {
    let trouble = |error| trouble(service, error);
    collector.claim(kept_along).map_err(trouble)?;
    while let Some(data) = next(service, body).await? {
        collector.push(&data).await.map_err(trouble)?;
        if collector.size() > LARGEST_OBJECT {
            return Err(too_large());
        }
        if let Some(pace) = pace {
            pace.wait(data.len()).await;
        }
    }
    let contents = collector.finish().await.map_err(trouble)?;
    announced.compare(contents.md5, contents.crc64)?;
    Ok(contents)
}

/// The body of a request that is a document, and the memory it takes.
pub(super) async fn receive_document(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
    longest: usize,
) -> Result<(Vec<u8>, Claim), OssError> {
    let content_md5 = ContentMd5::read(&call.head.headers)?;
    let mut claim = service.memory.claim();
    let mut document = Vec::new();
    while let Some(data) = next(service, body).await? {
        if document.len() + data.len() > longest {
            return Err(malformed_xml());
        }
        if !claim.grow(data.len() as u64) {
            return Err(out_of_memory(&service.memory));
        }
        document.extend_from_slice(&data);
    }
    content_md5.compare(Md5::digest(&document).into())?;
    Ok((document, claim))
}

pub(super) fn trouble(service: &Service, trouble: Trouble) -> OssError {
    match trouble {
        Trouble::OutOfMemory => out_of_memory(&service.memory),
        Trouble::File(error) => OssError::internal(&error),
    }
}

/// The next bytes of the body, or `None` at its end.
pub(super) async fn next(
    service: &Service,
    body: &mut Incoming,
) -> Result<Option<Bytes>, OssError> {
    loop {
        match timeout(service.idle_timeout, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "IncompleteBody",
                    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
                ));
            }
            Err(_) => {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "RequestTimeout",
                    "Your socket connection to the server was not read from or written to within the timeout period. \
                     Idle connections will be closed.",
                ));
            }
        }
    }
}

/// Says so before the body comes in, if there is no memory for it.
pub(super) fn check_room(service: &Service, need: Option<u64>) -> Result<(), OssError> {
    match need.is_none_or(|bytes| service.memory.has_room_for(bytes)) {
        true => Ok(()),
        false => Err(out_of_memory(&service.memory)),
    }
}

/// Not an error of OSS. A 4xx, so that no client tries again.
pub(super) fn out_of_memory(memory: &Memory) -> OssError {
    OssError::new(
        StatusCode::FORBIDDEN,
        "QuotaExceeded",
        format!(
            "local-oss has {} bytes of memory for objects, and no more free; see --max-total-bytes.",
            memory.limit()
        ),
    )
}
