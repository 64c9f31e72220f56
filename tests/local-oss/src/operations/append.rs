//! AppendObject.

use std::sync::Arc;

use hyper::{StatusCode, body::Incoming};
use md5::{Digest as _, Md5};

use super::{
    instructions::{Announced, Instructions, LARGEST_OBJECT, check_acl, memory, too_large},
    listing::parameter,
    put::complete,
    receive::{check_room, next, trouble},
    rewrite::copy,
    store::{self, NewObject},
};
use crate::{
    answer::{self, Answer, insert},
    crc64::Crc64,
    encoding::hex,
    error::OssError,
    objects::{Object, ObjectType},
    pace::Pace,
    service::{Call, Service},
    storage::{Collector, Contents},
};

/// The whole object is written anew each time; what describes it is what the first request said.
pub(super) async fn append_object(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let position = position(call)?;
    let headers = &call.head.headers;
    let announced = Announced::read(headers)?;
    let mut pace = Pace::read(headers, &call.query)?;
    let opened = service.objects.open(&call.bucket, &call.key);
    let opened = opened.map_err(|error| OssError::internal(&error))?;
    let old = opened.as_ref().map(|(object, _)| object);
    let length = match old {
        None => 0,
        Some(old) if old.object_type == ObjectType::Appendable => old.contents.size(),
        Some(_) => {
            return Err(OssError::new(
                StatusCode::CONFLICT,
                "ObjectNotAppendable",
                "The object is not appendable",
            )
            .ec("0026-00000017")
            .detail("Key", &*call.key));
        }
    };
    if position != length {
        return Err(not_at_the_end(length));
    }
    let (content_type, kept) = match old {
        Some(old) => (old.content_type.clone(), old.headers.clone()),
        None => {
            check_acl(headers)?;
            let instructions = Instructions::read(headers)?;
            (instructions.content_type, instructions.kept)
        }
    };

    let expected = announced.length.map(|more| length.saturating_add(more));
    check_room(service, expected.map(Collector::need))?;
    let mut collector = Collector::new(&service.storage, &service.memory, expected, false);
    let claimed = collector.claim(memory(&call.key, &kept));
    claimed.map_err(|error| trouble(service, error))?;
    if let Some((_, source)) = &opened {
        copy(service, source, 0..length, &mut collector).await?;
    }
    let (mut md5, mut crc64) = (Md5::new(), Crc64::default());
    while let Some(data) = next(service, body).await? {
        md5.update(&data);
        crc64.write(&data);
        let pushed = collector.push(&data).await;
        pushed.map_err(|error| trouble(service, error))?;
        if collector.size() > LARGEST_OBJECT {
            return Err(too_large());
        }
        if let Some(pace) = &mut pace {
            pace.wait(data.len()).await;
        }
    }
    announced.compare(md5.finalize().into(), crc64.value())?;
    let contents = collector.finish().await;
    let contents = contents.map_err(|error| trouble(service, error))?;
    let object = Object {
        object_type: ObjectType::Appendable,
        etag: etag(&contents),
        contents,
        content_type,
        headers: kept,
        last_modified: service.clock.now(),
    };
    let new = NewObject {
        operation: "AppendObject",
        object: Arc::new(complete(service, &call.key, object).await?),
        forbid_overwrite: false,
        tail: None,
    };
    if !store::store_over(service, call, &new, old).await? {
        let now = service.objects.get(&call.bucket, &call.key);
        return Err(not_at_the_end(now.map_or(0, |now| now.contents.size())));
    }
    let mut answer = answer::empty(StatusCode::OK);
    store::describe(&mut answer, &new.object);
    let next = new.object.contents.size().to_string();
    insert(answer.headers_mut(), "x-oss-next-append-position", &next);
    if let Some(pace) = &pace {
        pace.tell(&mut answer);
    }
    Ok(answer)
}

fn position(call: &Call) -> Result<u64, OssError> {
    if !call.query.contains("position") {
        return Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "MissingArgument",
            "Missing Some Required Arguments.",
        )
        .ec("0016-00000501")
        .detail("ArgumentName", "position"));
    }
    let text = parameter(call, "position")?;
    text.parse().map_err(|_| {
        OssError::invalid_argument("The value of position is invalid.", "position", text)
    })
}

/// The answer has the position in a header as well (OSS documentation, AppendObject).
fn not_at_the_end(length: u64) -> OssError {
    OssError::new(
        StatusCode::CONFLICT,
        "PositionNotEqualToLength",
        "Position is not equal to file length",
    )
    .ec("0026-00000016")
    .with_header("x-oss-next-append-position", length.to_string())
}

/// No MD5 of the object: OSS documents an id.
fn etag(contents: &Contents) -> String {
    let mut etag = hex(&contents.md5).to_ascii_uppercase();
    etag.truncate(24);
    etag + "00000000"
}
