//! PutBucketCors, GetBucketCors and DeleteBucketCors.

use hyper::{StatusCode, body::Incoming};

use super::{bucket::change, listing::document, receive::receive_document};
use crate::{
    answer::{self, Answer},
    cors_rules::CorsRules,
    error::OssError,
    service::{Call, Service},
};

const LONGEST_RULES: usize = 64 * 1024;

pub(super) async fn put_bucket_cors(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let (configuration, _claim) = receive_document(service, call, body, LONGEST_RULES).await?;
    let rules = CorsRules::parse(&configuration)?;
    change(service, call, |settings| {
        settings.cors = Some(rules);
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::OK))
}

pub(super) fn bucket_cors(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let settings = service.objects.settings(&call.bucket);
    let rules = settings
        .as_ref()
        .and_then(|settings| settings.cors.as_ref());
    let rules = rules.ok_or_else(|| {
        OssError::new(
            StatusCode::NOT_FOUND,
            "NoSuchCORSConfiguration",
            "The CORS Configuration does not exist.",
        )
        .detail("BucketName", &*call.bucket)
    })?;
    Ok(document(rules.document()))
}

pub(super) fn delete_bucket_cors(service: &Service, call: &Call) -> Result<Answer, OssError> {
    change(service, call, |settings| {
        settings.cors = None;
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
