//! The operations, each after its signature was found right.

mod bucket;
mod conditions;
mod instructions;
mod listing;
pub(crate) mod multipart;
mod part_list;
mod post;
mod put;
mod range;
mod read;
mod receive;
mod store;

use std::sync::Arc;

use hyper::StatusCode;
use tokio::task::spawn_blocking;

pub(crate) use bucket::{bucket_info, list_objects};
pub(crate) use post::{is_form, post_object};
pub(crate) use put::put_object;
pub(crate) use read::{get_object, head_object};

use crate::{
    answer::{self, Answer},
    objects::Object,
    service::{Call, Service},
};

/// 204, whether there was such an object or not.
pub(crate) async fn delete_object(service: &Service, call: &Call) -> Answer {
    discard(service.objects.delete(&call.bucket, &call.key)).await;
    answer::empty(StatusCode::NO_CONTENT)
}

/// Removes what is left of an object that nobody can find any more.
async fn discard(object: Option<Arc<Object>>) {
    if let Some(object) = object.filter(|object| object.contents.is_kept()) {
        // Its claim on memory goes with it.
        let _ = spawn_blocking(move || object.contents.discard()).await;
    }
}
