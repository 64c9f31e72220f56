//! Operations of OSS that are not there, by name.

use hyper::Method;

use super::operation::Level;
use crate::error::OssError;

/// A sub-resource and what it is about: `Get…`, `Put…` and `Delete…` of it are operations.
const REGULAR: &[(Level, &str, &str, &[&str])] = {
    use Level::{Bucket, Object};
    const GET: &str = "Get";
    const PUT: &str = "Put";
    const DELETE: &str = "Delete";
    const ALL: &[&str] = &[GET, PUT, DELETE];
    const TWO: &[&str] = &[GET, PUT];
    &[
        (Bucket, "accessPoint", "AccessPoint", ALL),
        (Bucket, "accessPointPolicy", "AccessPointPolicy", ALL),
        (Bucket, "accessmonitor", "BucketAccessMonitor", TWO),
        (
            Bucket,
            "bucketArchiveDirectRead",
            "BucketArchiveDirectRead",
            TWO,
        ),
        (Bucket, "encryption", "BucketEncryption", ALL),
        (Bucket, "httpsConfig", "BucketHttpsConfig", TWO),
        (Bucket, "inventory", "BucketInventory", ALL),
        (Bucket, "lifecycle", "BucketLifecycle", ALL),
        (Bucket, "logging", "BucketLogging", ALL),
        (Bucket, "objectWorm", "BucketObjectWormConfiguration", TWO),
        (Bucket, "overwriteConfig", "BucketOverwriteConfig", ALL),
        (Bucket, "policy", "BucketPolicy", ALL),
        (Bucket, "publicAccessBlock", "BucketPublicAccessBlock", ALL),
        (Bucket, "qos", "BucketStorageCapacity", TWO),
        (Bucket, "qosInfo", "BucketQosInfo", ALL),
        (Bucket, "referer", "BucketReferer", TWO),
        (Bucket, "replication", "BucketReplication", ALL),
        (Bucket, "requestPayment", "BucketRequestPayment", TWO),
        (Bucket, "requesterQosInfo", "BucketRequesterQosInfo", ALL),
        (Bucket, "resourceGroup", "BucketResourceGroup", TWO),
        (Bucket, "responseHeader", "BucketResponseHeader", ALL),
        (Bucket, "styleName", "Style", ALL),
        (Bucket, "tagging", "BucketTags", ALL),
        (
            Bucket,
            "transferAcceleration",
            "BucketTransferAcceleration",
            TWO,
        ),
        (
            Bucket,
            "userDefinedLogFieldsConfig",
            "UserDefinedLogFieldsConfig",
            ALL,
        ),
        (Bucket, "versioning", "BucketVersioning", TWO),
        (Bucket, "website", "BucketWebsite", ALL),
        (Object, "legalHold", "ObjectLegalHold", TWO),
        (Object, "retention", "ObjectRetention", TWO),
    ]
};

/// A sub-resource, a method and the operation.
#[rustfmt::skip]
const IRREGULAR: &[(Level, &str, &str, &str)] = {
    use Level::{Bucket, Object, Service};
    &[
        (Service, "publicAccessBlock", "GET", "GetPublicAccessBlock"),
        (Service, "publicAccessBlock", "PUT", "PutPublicAccessBlock"),
        (Service, "publicAccessBlock", "DELETE", "DeletePublicAccessBlock"),
        (Service, "accessPoint", "GET", "ListAccessPoints"),
        (Service, "qosInfo", "GET", "GetUserQosInfo"),
        (Service, "cloudboxes", "GET", "ListCloudBoxes"),
        (Service, "resourcePool", "GET", "ListResourcePools"),
        (Service, "resourcePoolInfo", "GET", "GetResourcePoolInfo"),
        (Service, "resourcePoolBuckets", "GET", "ListResourcePoolBuckets"),
        (Bucket, "metaQuery", "GET", "GetMetaQueryStatus"),
        (Bucket, "metaQuery", "POST", "OpenMetaQuery"),
        (Bucket, "policyStatus", "GET", "GetBucketPolicyStatus"),
        (Bucket, "redundancyTransition", "GET", "GetBucketDataRedundancyTransition"),
        (Bucket, "redundancyTransition", "POST", "CreateBucketDataRedundancyTransition"),
        (Bucket, "replicationLocation", "GET", "GetBucketReplicationLocation"),
        (Bucket, "replicationProgress", "GET", "GetBucketReplicationProgress"),
        (Bucket, "style", "GET", "ListStyle"),
        (Bucket, "worm", "GET", "GetBucketWorm"),
        (Bucket, "worm", "POST", "InitiateBucketWorm"),
        (Bucket, "worm", "DELETE", "AbortBucketWorm"),
        (Bucket, "wormId", "POST", "CompleteBucketWorm"),
        (Bucket, "wormExtend", "POST", "ExtendBucketWorm"),
        (Bucket, "asyncFetch", "POST", "PutAsyncFetchTask"),
        (Bucket, "asyncFetch", "GET", "GetAsyncFetchTask"),
        (Object, "cleanRestoredObject", "POST", "CleanRestoredObject"),
        (Object, "live", "PUT", "PutLiveChannel"),
        (Object, "live", "GET", "GetLiveChannelInfo"),
        (Object, "live", "DELETE", "DeleteLiveChannel"),
        (Object, "restore", "POST", "RestoreObject"),
        (Object, "seal", "POST", "SealAppendObject"),
        (Object, "vod", "POST", "PostVodPlaylist"),
        (Object, "vod", "GET", "GetVodPlaylist"),
        (Object, "x-oss-async-process", "POST", "AsyncProcessObject"),
        (Object, "x-oss-process", "POST", "ProcessObject"),
        (Object, "x-oss-write-get-object-response", "POST", "WriteGetObjectResponse"),
    ]
};

/// Can the parameter make one of these of a request?
pub(super) fn is_known(name: &str) -> bool {
    REGULAR.iter().any(|(_, known, ..)| *known == name)
        || IRREGULAR.iter().any(|(_, known, ..)| *known == name)
}

/// 501 with the name of what was asked for. `is_there` says whether another operation has the sub-resource.
pub(super) fn error(
    level: Level,
    method: &Method,
    sub_resources: &[&str],
    is_there: impl Fn(&str) -> bool,
) -> OssError {
    if let Some(name) = sub_resources
        .iter()
        .find_map(|name| named(level, method, name))
    {
        return OssError::not_implemented(&name);
    }
    let what = match level {
        Level::Service => "the service",
        Level::Bucket => "buckets",
        Level::Object => "objects",
    };
    // That which no operation has says more.
    let name = sub_resources.iter().find(|name| !is_there(name));
    OssError::not_implemented(&match name.or(sub_resources.first()) {
        Some(name) => format!("{method} on {what} with the sub-resource {name}"),
        None => format!("{method} on {what}"),
    })
}

fn named(level: Level, method: &Method, name: &str) -> Option<String> {
    let mut irregular = IRREGULAR.iter();
    let found = irregular.find(|row| row.0 == level && row.1 == name && row.2 == method.as_str());
    if let Some((.., operation)) = found {
        return Some((*operation).to_owned());
    }
    let mut regular = REGULAR.iter();
    let (_, _, subject, verbs) = regular.find(|row| row.0 == level && row.1 == name)?;
    let mut verbs = verbs.iter();
    let verb = verbs.find(|verb| verb.eq_ignore_ascii_case(method.as_str()))?;
    Some(format!("{verb}{subject}"))
}

/// All of them.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = String> {
    let regular = REGULAR.iter().flat_map(|(_, _, subject, verbs)| {
        verbs.iter().map(move |verb| format!("{verb}{subject}"))
    });
    let irregular = IRREGULAR.iter().map(|(.., name)| (*name).to_owned());
    regular.chain(irregular)
}
