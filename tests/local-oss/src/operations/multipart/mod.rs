//! The operations of multipart uploads.

mod complete;
mod initiate;
mod parts;
mod uploads;

use std::sync::Arc;

use hyper::{Method, StatusCode, body::Incoming};

pub(crate) use uploads::list_uploads;

use super::listing::parameter;
use crate::{
    answer::{self, Answer},
    error::OssError,
    multipart_request::MultipartRequest,
    service::{Call, Service, unknown_sub_resource},
    uploads::MultipartUpload,
};

/// What a request for a key asks for, if it is about a multipart upload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Initiate,
    UploadPart,
    ListParts,
    Complete,
    Abort,
}

impl Operation {
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let has = |name| call.query.contains(name);
        match call.head.method {
            Method::POST if has("uploads") => Some(Self::Initiate),
            Method::POST if has("uploadId") => Some(Self::Complete),
            Method::PUT if has("uploadId") || has("partNumber") => Some(Self::UploadPart),
            Method::GET if has("uploadId") => Some(Self::ListParts),
            Method::DELETE if has("uploadId") => Some(Self::Abort),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Initiate => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::ListParts => "ListParts",
            Self::Complete => "CompleteMultipartUpload",
            Self::Abort => "AbortMultipartUpload",
        }
    }
}

/// Serves the request and writes down what became of it, before the client can know.
pub(crate) async fn serve(
    service: &Service,
    operation: Operation,
    call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let mut noted = note(operation, &call);
    let result = match unknown(&call) {
        Some(name) => Err(OssError::not_implemented(&format!(
            "the sub-resource {name}"
        ))),
        None => match operation {
            Operation::Initiate => initiate::initiate(service, &call, &mut noted),
            Operation::UploadPart => parts::upload_part(service, &call, body, &mut noted).await,
            Operation::ListParts => parts::list_parts(service, &call),
            Operation::Complete => complete::complete(service, &call, body, &mut noted).await,
            Operation::Abort => abort(service, &call).await,
        },
    };
    (noted.status, noted.code) = match &result {
        Ok(answer) => {
            let callback_failed = answer.status() == StatusCode::NON_AUTHORITATIVE_INFORMATION;
            let code = callback_failed.then(|| "CallbackFailed".to_owned());
            (answer.status().as_u16(), code)
        }
        Err(error) => (error.status.as_u16(), Some(error.code.to_owned())),
    };
    service.record.add_multipart_request(noted);
    result
}

/// `sequential` promises an order of the parts, which changes nothing here.
fn unknown(call: &Call) -> Option<&str> {
    const KNOWN: [&str; 4] = ["partNumber", "sequential", "uploadId", "uploads"];
    let mut sub_resources = call.query.pairs().filter_map(unknown_sub_resource);
    sub_resources.find(|name| !KNOWN.contains(name))
}

/// What can be said of the request before it is served.
fn note(operation: Operation, call: &Call) -> MultipartRequest {
    const SECRET: [&str; 2] = ["authorization", "x-oss-security-token"];
    let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let text = |name| lossy(call.query.get(name).unwrap_or_default());
    let headers = call.head.headers.iter();
    MultipartRequest {
        request_id: call.request_id.clone(),
        operation: operation.name().to_owned(),
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        upload_id: text("uploadId"),
        part_number: match operation {
            Operation::UploadPart => text("partNumber").parse().ok(),
            _ => None,
        },
        size: None,
        headers: headers
            .filter(|(name, _)| !SECRET.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), lossy(value.as_bytes())))
            .collect(),
        status: 0,
        code: None,
    }
}

/// The upload that the request names, if it is open.
fn open_upload(service: &Service, call: &Call) -> Result<Arc<MultipartUpload>, OssError> {
    let id = parameter(call, "uploadId")?;
    let upload = service.uploads.get(&call.bucket, &call.key, id);
    upload.ok_or_else(|| {
        OssError::new(
            StatusCode::NOT_FOUND,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
             completed.",
        )
        .detail("UploadId", id)
    })
}

/// Parts under way are lost too: they find the upload gone.
async fn abort(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let upload = open_upload(service, call)?;
    let _ending = upload.ending.lock().await;
    // A Complete may have ended it meanwhile.
    open_upload(service, call)?;
    service.uploads.remove(&upload);
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
