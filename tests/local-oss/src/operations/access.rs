//! What requests may do that nobody signed.

use super::{operation::Operation, symlink::target_of};
use crate::{
    authorization::no_signature,
    error::OssError,
    objects::Object,
    service::{Call, Service},
    settings::Acl,
};

/// Refuses what the access control of bucket and object does not allow to everybody.
///
/// An object has its own, or that of its bucket.
pub(crate) fn check_stranger(
    service: &Service,
    operation: Operation,
    call: &Call,
) -> Result<(), OssError> {
    let settings = service.objects.settings(&call.bucket);
    let bucket = settings.map_or(Acl::Private, |settings| settings.acl);
    let object = service.objects.get(&call.bucket, &call.key);
    let acl = |object: Option<&Object>| match object.map(Object::acl) {
        None | Some(Acl::Default) => bucket,
        Some(own) => own,
    };
    let target = object.as_deref().and_then(target_of);
    let target = target.and_then(|target| service.objects.get(&call.bucket, &target));
    // Who reads by a symlink must be allowed to read both.
    let is_open = target.is_none_or(|target| acl(Some(&target)).lets_read());
    let object = acl(object.as_deref());
    let may = match operation {
        // A form says itself who sends it.
        Operation::PostObject => true,
        Operation::GetObject | Operation::HeadObject | Operation::GetObjectMeta => {
            object.lets_read() && is_open
        }
        Operation::ListObjects | Operation::ListMultipartUploads => bucket.lets_read(),
        Operation::PutObject
        | Operation::AppendObject
        | Operation::DeleteObject
        | Operation::InitiateMultipartUpload
        | Operation::UploadPart
        | Operation::ListParts
        | Operation::CompleteMultipartUpload
        | Operation::AbortMultipartUpload => object.lets_write(),
        _ => false,
    };
    match may {
        true => Ok(()),
        false => Err(no_signature()),
    }
}
