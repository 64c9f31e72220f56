//! GetObjectAcl and PutObjectAcl.

use hyper::{StatusCode, header::HeaderName};

use super::{
    bucket::access_control, instructions::check_acl, listing::document, read::no_such_key,
    rewrite::rewrite,
};
use crate::{
    answer::{self, Answer},
    error::OssError,
    service::{Call, Service},
};

const ACL: HeaderName = HeaderName::from_static("x-oss-object-acl");

pub(super) fn object_acl(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let object = service.objects.get(&call.bucket, &call.key);
    let object = object.ok_or_else(|| no_such_key(&call.key))?;
    Ok(document(access_control(object.acl())))
}

pub(super) async fn put_object_acl(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let acl = call.head.headers.get(ACL).filter(|acl| !acl.is_empty());
    let acl = acl.ok_or_else(|| {
        OssError::new(
            StatusCode::BAD_REQUEST,
            "MissingArgument",
            "Missing Some Required Arguments.",
        )
        .ec("0017-00000105")
        .detail("ArgumentName", ACL.as_str())
    })?;
    check_acl(&call.head.headers)?;
    rewrite(service, call, |object| {
        let others = object.headers.iter().filter(|(name, _)| *name != ACL);
        let mut headers: Vec<_> = others.cloned().collect();
        headers.push((ACL, acl.clone()));
        headers
    })
    .await?;
    Ok(answer::empty(StatusCode::OK))
}
