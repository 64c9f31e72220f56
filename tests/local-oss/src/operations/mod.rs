//! The operations, each after its signature was found right.

mod access;
mod append;
mod bucket;
mod bucket_cors;
mod callback_policy;
mod conditions;
mod copy;
mod delete_many;
mod domains;
mod instructions;
mod list_buckets;
mod list_objects;
mod list_versions;
mod listing;
mod multipart;
mod object_acl;
mod operation;
mod part_list;
mod post;
mod put;
mod range;
mod read;
mod receive;
mod rewrite;
mod store;
mod symlink;
mod tagging;
mod unsupported;

use std::sync::Arc;

use hyper::{StatusCode, body::Incoming};
use tokio::task::spawn_blocking;

pub(crate) use access::check_stranger;
pub(crate) use domains::is_domain;
pub(crate) use operation::{Level, Operation, has_new_word};
pub(crate) use read::no_such_key;

use crate::{
    answer::{self, Answer},
    error::OssError,
    objects::Object,
    service::{Call, Service},
};

/// Does what the request asks for.
pub(crate) async fn serve(
    service: &Service,
    operation: Operation,
    call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    match operation {
        Operation::ListBuckets => list_buckets::list_buckets(service, &call),
        Operation::DescribeRegions => list_buckets::describe_regions(service, &call),
        Operation::CreateBucket => bucket::create_bucket(service, &call, body).await,
        Operation::DeleteBucket => bucket::delete_bucket(service, &call),
        Operation::HeadBucket => Ok(answer::empty(StatusCode::OK)),
        Operation::GetBucketAcl => bucket::bucket_acl(service, &call),
        Operation::PutBucketAcl => bucket::put_bucket_acl(service, &call),
        Operation::GetBucketInfo => bucket::bucket_info(service, &call),
        Operation::GetBucketLocation => Ok(bucket::bucket_location(service)),
        Operation::GetBucketStat => Ok(bucket::bucket_stat(service, &call)),
        Operation::GetBucketCors => bucket_cors::bucket_cors(service, &call),
        Operation::PutBucketCors => bucket_cors::put_bucket_cors(service, &call, body).await,
        Operation::DeleteBucketCors => bucket_cors::delete_bucket_cors(service, &call),
        Operation::GetBucketCallbackPolicy => callback_policy::callback_policy(service, &call),
        Operation::PutBucketCallbackPolicy => {
            callback_policy::put_callback_policy(service, &call, body).await
        }
        Operation::DeleteBucketCallbackPolicy => {
            callback_policy::delete_callback_policy(service, &call)
        }
        Operation::PutCname => domains::put_cname(service, &call, body).await,
        Operation::DeleteCname => domains::delete_cname(service, &call, body).await,
        Operation::ListCname => Ok(domains::list_cname(service, &call)),
        Operation::CreateCnameToken => domains::create_cname_token(service, &call, body).await,
        Operation::GetCnameToken => domains::cname_token(service, &call),
        Operation::ListObjects => list_objects::list_objects(service, &call),
        Operation::ListMultipartUploads => multipart::list_uploads(service, &call),
        Operation::PostObject => post::post_object(service, call, body).await,
        Operation::PutObject => put::put_object(service, call, body).await,
        Operation::GetObject => read::get_object(service, &call),
        Operation::HeadObject => read::head_object(service, &call),
        Operation::GetObjectMeta => read::object_meta(service, &call),
        Operation::DeleteObject => Ok(delete_object(service, &call).await),
        Operation::GetObjectAcl => object_acl::object_acl(service, &call),
        Operation::PutObjectAcl => object_acl::put_object_acl(service, &call).await,
        Operation::CopyObject => copy::copy_object(service, &call).await,
        Operation::AppendObject => append::append_object(service, &call, body).await,
        Operation::GetObjectTagging => tagging::object_tagging(service, &call),
        Operation::PutObjectTagging => tagging::put_object_tagging(service, &call, body).await,
        Operation::DeleteObjectTagging => tagging::delete_object_tagging(service, &call).await,
        Operation::GetSymlink => symlink::get_symlink(service, &call),
        Operation::PutSymlink => symlink::put_symlink(service, &call).await,
        Operation::DeleteMultipleObjects => delete_many::delete_objects(service, &call, body).await,
        Operation::ListObjectVersions => list_versions::list_versions(service, &call),
        Operation::ListLiveChannel => list_versions::list_live_channels(&call),
        Operation::InitiateMultipartUpload
        | Operation::UploadPart
        | Operation::UploadPartCopy
        | Operation::ListParts
        | Operation::CompleteMultipartUpload
        | Operation::AbortMultipartUpload => multipart::serve(service, operation, call, body).await,
    }
}

/// 204, whether there was such an object or not.
async fn delete_object(service: &Service, call: &Call) -> Answer {
    if is_current(call.query.get("versionId")) {
        discard(service.objects.delete(&call.bucket, &call.key)).await;
    }
    answer::empty(StatusCode::NO_CONTENT)
}

/// Does the request mean the object as it is? Buckets here have no versions, and what an object is has the id `null`.
fn is_current(version: Option<&[u8]>) -> bool {
    version.is_none_or(|version| version == b"null")
}

/// Removes what is left of an object that nobody can find any more.
async fn discard(object: Option<Arc<Object>>) {
    if let Some(object) = object.filter(|object| object.contents.is_kept()) {
        // Its claim on memory goes with it.
        let _ = spawn_blocking(move || object.contents.discard()).await;
    }
}
