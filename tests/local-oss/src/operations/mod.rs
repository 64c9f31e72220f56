//! The operations, each after its signature was found right.

mod bucket;
mod conditions;
mod instructions;
mod put;
mod range;
mod read;

use hyper::StatusCode;

pub(crate) use bucket::{bucket_info, list_objects};
pub(crate) use put::put_object;
pub(crate) use read::{get_object, head_object};

use crate::{
    answer::{self, Answer},
    service::{Call, Service},
};

/// 204, whether there was such an object or not.
pub(crate) fn delete_object(service: &Service, call: &Call) -> Answer {
    service.objects.delete(&call.bucket, &call.key);
    answer::empty(StatusCode::NO_CONTENT)
}
