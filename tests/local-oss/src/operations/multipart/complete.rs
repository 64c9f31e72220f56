//! CompleteMultipartUpload, with its callback.

use std::{collections::BTreeMap, io, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
};
use md5::{Digest as _, Md5};
use tokio::task::spawn_blocking;

use super::open_upload;
use crate::{
    answer::Answer,
    callback::Callback,
    crc64,
    encoding::hex,
    error::OssError,
    multipart_request::MultipartRequest,
    objects::{Object, ObjectType},
    operations::{
        Operation,
        instructions::{check_acl, check_encryption, forbid_overwrite, memory},
        listing::{EncodingType, document},
        part_list::{self, ListedPart},
        receive::{out_of_memory, receive_document},
        store::{self, NewObject},
    },
    service::{Call, Service, host},
    storage::{Extent, Joined, Storage, tail},
    uploads::{MultipartUpload, Part},
    xml::Document,
};

const ACL: HeaderName = HeaderName::from_static("x-oss-object-acl");

/// 10,000 parts in the longest form that makes sense.
const LONGEST_DOCUMENT: usize = 5 * 1024 * 1024;

type Parts = BTreeMap<u32, Arc<Part>>;

pub(super) async fn complete(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
    noted: &mut MultipartRequest,
) -> Result<Answer, OssError> {
    let headers = &call.head.headers;
    let encoding = EncodingType::read(call)?;
    // That what Initiate has forbidden stays forbidden is inferred: the documentation has the header with both.
    let forbid_here = forbid_overwrite(headers)?;
    check_acl(headers)?;
    check_encryption(headers)?;
    let takes_all = takes_all(call)?;
    let upload = open_upload(service, Operation::CompleteMultipartUpload, call)?;
    let callback = store::callback(service, call).await?;
    let listed = match (
        takes_all,
        receive_document(service, call, body, LONGEST_DOCUMENT).await?,
    ) {
        (false, (document, _)) => Some(part_list::parse(&document)?),
        (true, (document, _)) if document.is_empty() => None,
        (true, _) => {
            // Misspelt by OSS.
            return Err(OssError::invalid_argument(
                "Should not speficy both complete all header and http body.",
                "x-oss-complete-all",
                "yes",
            )
            .ec("0042-00000216"));
        }
    };

    let ending = upload.ending.lock().await;
    // Another Complete, or an Abort, may have ended it meanwhile.
    open_upload(service, Operation::CompleteMultipartUpload, call)?;
    let parts = upload.parts.all();
    let parts = match listed {
        Some(listed) => chosen(&parts, &listed, &upload.id)?,
        None => all(&parts, &upload.id)?,
    };
    check_sizes(&parts, service.min_part_size)?;
    let forbid_overwrite = upload.forbid_overwrite || forbid_here;
    store::check_overwrite(service, call, forbid_overwrite)?;

    let look_for_image = callback.as_ref().is_some_and(Callback::asks_for_image);
    let object = object(service, &upload, &parts, headers.get(ACL), look_for_image).await?;
    let new = NewObject {
        operation: "CompleteMultipartUpload",
        tail: match service.storage {
            Storage::Temporary => None,
            Storage::Kept(_) => Some(tail(&call.key, &object)),
        },
        object: Arc::new(object),
        forbid_overwrite,
    };
    store::store(service, call, &new, || {
        service.uploads.remove(&upload);
    })
    .await?;
    drop(ending);
    noted.size = Some(new.object.contents.size());

    let mut answer = match callback {
        None => result(service, call, encoding, &new.object),
        Some(callback) => store::deliver(service, call, &new, &callback).await,
    };
    store::describe(&mut answer, &new.object);
    Ok(answer)
}

fn takes_all(call: &Call) -> Result<bool, OssError> {
    let header = call.head.headers.get("x-oss-complete-all");
    match header.map(|value| value.to_str().unwrap_or_default()) {
        None => Ok(false),
        Some("yes") => Ok(true),
        Some(other) => Err(OssError::invalid_argument(
            "x-oss-complete-all is yes.",
            "x-oss-complete-all",
            other,
        )),
    }
}

/// The parts of the list, if they are all there.
fn chosen(
    parts: &Parts,
    listed: &[ListedPart],
    upload_id: &str,
) -> Result<Vec<(u32, Arc<Part>)>, OssError> {
    if !listed.is_sorted_by(|one, next| one.number < next.number) {
        return Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts list must specified in order by part number.",
        )
        .ec("0042-00000209"));
    }
    let find = |listed: &ListedPart| {
        let part = parts.get(&listed.number);
        let part = part.filter(|part| part.etag == listed.etag);
        let part = part.ok_or_else(|| {
            invalid_part()
                .detail("ETag", &*listed.etag)
                .detail("PartNumber", listed.number.to_string())
                .detail("UploadId", upload_id)
        })?;
        Ok((listed.number, Arc::clone(part)))
    };
    listed.iter().map(find).collect()
}

/// What OSS says if there is none is not documented.
fn all(parts: &Parts, upload_id: &str) -> Result<Vec<(u32, Arc<Part>)>, OssError> {
    match parts.is_empty() {
        true => Err(invalid_part().detail("UploadId", upload_id)),
        false => Ok(parts
            .iter()
            .map(|(number, part)| (*number, Arc::clone(part)))
            .collect()),
    }
}

fn invalid_part() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "InvalidPart",
        "One or more of the specified parts could not be found or the specified entity tag might not have matched the \
         part's entity tag.",
    )
}

fn check_sizes(parts: &[(u32, Arc<Part>)], least: u64) -> Result<(), OssError> {
    let Some((_, but_the_last)) = parts.split_last() else {
        return Ok(());
    };
    let small = but_the_last
        .iter()
        .find(|(_, part)| part.contents.size() < least);
    match small {
        None => Ok(()),
        Some((number, part)) => Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "Your proposed upload smaller than the minimum allowed size.",
        )
        .detail("ETag", &*part.etag)
        .detail("MinSizeAllowed", least.to_string())
        .detail("PartNumber", number.to_string())
        .detail("ProposedSize", part.contents.size().to_string())
        .ec("0042-00000213")),
    }
}

/// The object that the parts make. None of its bytes is copied.
async fn object(
    service: &Service,
    upload: &MultipartUpload,
    parts: &[(u32, Arc<Part>)],
    acl: Option<&HeaderValue>,
    look_for_image: bool,
) -> Result<Object, OssError> {
    let mut md5 = Md5::new();
    let (mut crc64, mut size, mut extents) = (0, 0, Vec::new());
    for (_, part) in parts {
        let contents = &part.contents;
        // As OSS has it: over their digits.
        md5.update(hex(&contents.md5).to_ascii_uppercase());
        crc64 = crc64::combine(crc64, contents.crc64, contents.size());
        size += contents.size();
        for extent in contents.extents() {
            extent.add_to(&mut extents);
        }
    }
    let mut claim = service.memory.claim();
    let kept_along = memory(&upload.key, &upload.headers);
    if !claim.grow(kept_along + (extents.len() * size_of::<Extent>()) as u64) {
        return Err(out_of_memory(&service.memory));
    }
    let joined = Joined {
        extents,
        size,
        md5: md5.finalize().into(),
        crc64,
        claim,
    };
    let (spool, sequential) = (Arc::clone(&upload.spool), upload.sequential);
    let joined = spawn_blocking(move || {
        let md5 = match sequential {
            true => Some(spool.md5(&joined)?),
            false => None,
        };
        Ok((spool.join(joined, look_for_image)?, md5))
    });
    let joined = joined.await.map_err(io::Error::other).flatten();
    let (contents, md5) = joined.map_err(|error| OssError::internal(&error))?;
    let mut headers = upload.headers.clone();
    if let Some(md5) = md5 {
        let value = HeaderValue::from_str(&STANDARD.encode(md5));
        headers.extend(value.map(|value| (HeaderName::from_static("content-md5"), value)));
    }
    if let Some(acl) = acl {
        headers.retain(|(name, _)| name != ACL);
        headers.push((ACL, acl.clone()));
    }
    Ok(Object {
        object_type: ObjectType::Multipart,
        // OSS's documentation calls it an id; this form is what is seen.
        etag: format!(
            "{}-{}",
            hex(&contents.md5).to_ascii_uppercase(),
            parts.len()
        ),
        contents,
        content_type: upload.content_type.clone(),
        headers,
        last_modified: service.clock.now(),
    })
}

/// The answer without a callback.
fn result(service: &Service, call: &Call, encoding: EncodingType, object: &Object) -> Answer {
    let (host, path) = (host(&call.head), call.head.uri.path());
    let mut xml = Document::new();
    xml.open("CompleteMultipartUploadResult");
    encoding.describe(&mut xml);
    xml.element("Location", &format!("{}://{host}{path}", service.scheme()));
    xml.element("Bucket", &call.bucket);
    xml.exact_element("Key", &encoding.encode(&call.key));
    xml.element("ETag", &format!("\"{}\"", object.etag));
    xml.close("CompleteMultipartUploadResult");
    document(xml)
}
