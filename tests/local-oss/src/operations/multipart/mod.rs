//! The operations of multipart uploads.

mod complete;
mod initiate;
mod parts;
mod uploads;

use std::sync::Arc;

use hyper::{StatusCode, body::Incoming};

pub(crate) use uploads::list_uploads;

use super::{listing::parameter, operation::Operation};
use crate::{
    answer::{self, Answer},
    error::OssError,
    multipart_request::MultipartRequest,
    service::{Call, Service},
    uploads::MultipartUpload,
};

/// Serves the request and writes down what became of it, before the client can know.
pub(crate) async fn serve(
    service: &Service,
    operation: Operation,
    call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let mut noted = note(operation, &call);
    let result = match operation {
        Operation::InitiateMultipartUpload => initiate::initiate(service, &call, &mut noted),
        Operation::UploadPart => parts::upload_part(service, &call, body, &mut noted).await,
        Operation::UploadPartCopy => parts::upload_part_copy(service, &call, &mut noted).await,
        Operation::ListParts => parts::list_parts(service, &call),
        Operation::CompleteMultipartUpload => {
            complete::complete(service, &call, body, &mut noted).await
        }
        Operation::AbortMultipartUpload => abort(service, &call).await,
        other => Err(OssError::not_implemented(&other.name())),
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

/// What can be said of the request before it is served.
fn note(operation: Operation, call: &Call) -> MultipartRequest {
    const SECRET: [&str; 2] = ["authorization", "x-oss-security-token"];
    let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let text = |name| lossy(call.query.get(name).unwrap_or_default());
    let headers = call.head.headers.iter();
    MultipartRequest {
        request_id: call.request_id.clone(),
        operation: operation.name(),
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        upload_id: text("uploadId"),
        part_number: match operation {
            Operation::UploadPart | Operation::UploadPartCopy => text("partNumber").parse().ok(),
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
fn open_upload(
    service: &Service,
    operation: Operation,
    call: &Call,
) -> Result<Arc<MultipartUpload>, OssError> {
    let id = parameter(call, "uploadId")?;
    let upload = service.uploads.get(&call.bucket, &call.key, id);
    upload.ok_or_else(|| {
        let error = OssError::new(
            StatusCode::NOT_FOUND,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
             completed.",
        )
        .detail("UploadId", id);
        match operation {
            // What has another form was never given out.
            _ if !is_upload_id(id) => error.ec("0017-00000244"),
            Operation::UploadPart => error.ec("0042-00000104"),
            Operation::UploadPartCopy => error.ec("0042-00000311"),
            Operation::AbortMultipartUpload | Operation::ListParts => error.ec("0042-00000002"),
            _ => error,
        }
    })
}

fn is_upload_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Parts under way are lost too: they find the upload gone.
async fn abort(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let upload = open_upload(service, Operation::AbortMultipartUpload, call)?;
    let _ending = upload.ending.lock().await;
    // A Complete may have ended it meanwhile.
    open_upload(service, Operation::AbortMultipartUpload, call)?;
    service.uploads.remove(&upload);
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
