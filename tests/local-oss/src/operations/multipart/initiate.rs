//! InitiateMultipartUpload.

use std::sync::Arc;

use rand_core::{OsRng, RngCore};

use crate::{
    answer::Answer,
    encoding::hex,
    error::OssError,
    multipart_request::MultipartRequest,
    operations::{
        instructions::Instructions,
        listing::{EncodingType, document},
        receive::out_of_memory,
        store::{check_overwrite, echo_encryption},
    },
    service::{Call, Service},
    storage::Spool,
    uploads::{MultipartUpload, Parts},
    xml::Document,
};

/// A callback here is not looked at: official SDKs send it with each request, and it counts with the last.
pub(super) fn initiate(
    service: &Service,
    call: &Call,
    noted: &mut MultipartRequest,
) -> Result<Answer, OssError> {
    let encoding = EncodingType::read(call)?;
    let instructions = Instructions::read(&call.head.headers)?;
    check_overwrite(service, call, instructions.forbid_overwrite)?;
    let mut claim = service.memory.claim();
    if !claim.grow(instructions.memory(&call.key)) {
        return Err(out_of_memory(&service.memory));
    }
    let mut id = [0; 16];
    OsRng.fill_bytes(&mut id);
    let id = hex(&id).to_ascii_uppercase();
    noted.upload_id.clone_from(&id);

    let mut xml = Document::new();
    xml.open("InitiateMultipartUploadResult");
    encoding.describe(&mut xml);
    xml.element("Bucket", &call.bucket);
    xml.exact_element("Key", &encoding.encode(&call.key));
    xml.element("UploadId", &id);
    xml.close("InitiateMultipartUploadResult");
    let mut answer = document(xml);
    echo_encryption(&mut answer, &instructions.kept);
    service.uploads.add(MultipartUpload {
        id,
        bucket: call.bucket.clone(),
        key: call.key.clone(),
        initiated: service.clock.now(),
        forbid_overwrite: instructions.forbid_overwrite,
        sequential: call.query.contains("sequential"),
        content_type: instructions.content_type,
        headers: instructions.kept,
        spool: Arc::new(Spool::new(&service.storage)),
        ending: tokio::sync::Mutex::default(),
        parts: Parts::default(),
        claim,
    });
    Ok(answer)
}
