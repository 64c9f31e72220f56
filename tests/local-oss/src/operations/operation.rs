//! Which operation a request asks for. What names one that is not there is refused before it can have an effect.

use hyper::{HeaderMap, Method};

use super::unsupported;
use crate::{
    authorization::{SIGNATURE_PARAMETERS, SUB_RESOURCES},
    error::OssError,
    query::Query,
};

/// The operations that are there, by the names of OSS's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    AbortMultipartUpload,
    AppendObject,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateCnameToken,
    DeleteBucket,
    DeleteBucketCallbackPolicy,
    DeleteBucketCors,
    DeleteCname,
    DeleteMultipleObjects,
    DeleteObject,
    DeleteObjectTagging,
    DescribeRegions,
    GetBucketAcl,
    GetBucketCallbackPolicy,
    GetBucketCors,
    GetBucketInfo,
    GetBucketLocation,
    GetBucketStat,
    GetCnameToken,
    GetObject,
    GetObjectAcl,
    GetObjectMeta,
    GetObjectTagging,
    GetSymlink,
    HeadBucket,
    HeadObject,
    InitiateMultipartUpload,
    ListBuckets,
    ListCname,
    ListLiveChannel,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListParts,
    PostObject,
    PutBucketAcl,
    PutBucketCallbackPolicy,
    PutBucketCors,
    PutCname,
    PutObject,
    PutObjectAcl,
    PutObjectTagging,
    PutSymlink,
    UploadPart,
    UploadPartCopy,
}

/// What a request addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Service,
    Bucket,
    Object,
}

/// What a request must look like to ask for an operation.
struct Row {
    operation: Operation,
    level: Level,
    method: &'static str,
    /// The sub-resources that it has, `NAME` or `NAME=VALUE`.
    needs: &'static [&'static str],
    /// Those that it may have besides.
    takes: &'static [&'static str],
}

impl Row {
    fn needs(&self, name: &str) -> bool {
        let mut needs = self.needs.iter();
        needs.any(|needed| needed.split('=').next() == Some(name))
    }

    fn fits(&self, level: Level, method: &Method, names: &[&str], query: &Query) -> bool {
        let has = |needed: &&str| match needed.split_once('=') {
            None => names.contains(needed),
            Some((name, value)) => query.get(name) == Some(value.as_bytes()),
        };
        self.level == level
            && self.method == method.as_str()
            && self.needs.iter().all(has)
            && names
                .iter()
                .all(|name| self.needs(name) || self.takes.contains(name))
    }
}

const fn row(
    operation: Operation,
    level: Level,
    method: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
) -> Row {
    Row {
        operation,
        level,
        method,
        needs,
        takes,
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Level::{Bucket, Object, Service};
    use Operation::*;
    &[
        row(ListBuckets, Service, "GET", &[], &[]),
        row(DescribeRegions, Service, "GET", &["regions"], &[]),
        row(CreateBucket, Bucket, "PUT", &[], &[]),
        row(DeleteBucket, Bucket, "DELETE", &[], &[]),
        row(HeadBucket, Bucket, "HEAD", &[], &[]),
        row(ListObjects, Bucket, "GET", &[], &["continuation-token"]),
        row(PostObject, Bucket, "POST", &[], &[]),
        row(GetBucketAcl, Bucket, "GET", &["acl"], &[]),
        row(PutBucketAcl, Bucket, "PUT", &["acl"], &[]),
        row(GetBucketInfo, Bucket, "GET", &["bucketInfo"], &[]),
        row(GetBucketLocation, Bucket, "GET", &["location"], &[]),
        row(GetBucketStat, Bucket, "GET", &["stat"], &[]),
        row(GetBucketCors, Bucket, "GET", &["cors"], &[]),
        row(PutBucketCors, Bucket, "PUT", &["cors"], &[]),
        row(DeleteBucketCors, Bucket, "DELETE", &["cors"], &[]),
        row(GetBucketCallbackPolicy, Bucket, "GET", &["policy", "comp=callback"], &[]),
        row(PutBucketCallbackPolicy, Bucket, "PUT", &["policy", "comp=callback"], &[]),
        row(DeleteBucketCallbackPolicy, Bucket, "DELETE", &["policy", "comp=callback"], &[]),
        row(PutCname, Bucket, "POST", &["cname", "comp=add"], &[]),
        row(DeleteCname, Bucket, "POST", &["cname", "comp=delete"], &[]),
        row(CreateCnameToken, Bucket, "POST", &["cname", "comp=token"], &[]),
        row(GetCnameToken, Bucket, "GET", &["cname", "comp=token"], &[]),
        row(ListCname, Bucket, "GET", &["cname"], &[]),
        row(DeleteMultipleObjects, Bucket, "POST", &["delete"], &[]),
        row(ListObjectVersions, Bucket, "GET", &["versions"], &[]),
        row(ListLiveChannel, Bucket, "GET", &["live"], &[]),
        row(ListMultipartUploads, Bucket, "GET", &["uploads"], &[]),
        row(PutObject, Object, "PUT", &[], &[]),
        row(GetObject, Object, "GET", &[], &["versionId"]),
        row(HeadObject, Object, "HEAD", &[], &["versionId"]),
        row(GetObjectMeta, Object, "HEAD", &["objectMeta"], &["versionId"]),
        row(DeleteObject, Object, "DELETE", &[], &["versionId"]),
        row(GetObjectAcl, Object, "GET", &["acl"], &["versionId"]),
        row(PutObjectAcl, Object, "PUT", &["acl"], &["versionId"]),
        row(GetObjectTagging, Object, "GET", &["tagging"], &["versionId"]),
        row(PutObjectTagging, Object, "PUT", &["tagging"], &["versionId"]),
        row(DeleteObjectTagging, Object, "DELETE", &["tagging"], &["versionId"]),
        row(GetSymlink, Object, "GET", &["symlink"], &["versionId"]),
        row(PutSymlink, Object, "PUT", &["symlink"], &[]),
        row(AppendObject, Object, "POST", &["append"], &["position"]),
        row(InitiateMultipartUpload, Object, "POST", &["uploads"], &["sequential"]),
        row(UploadPart, Object, "PUT", &["uploadId"], &["partNumber"]),
        row(UploadPart, Object, "PUT", &["partNumber"], &[]),
        row(ListParts, Object, "GET", &["uploadId"], &[]),
        row(CompleteMultipartUpload, Object, "POST", &["uploadId"], &[]),
        row(AbortMultipartUpload, Object, "DELETE", &["uploadId"], &[]),
    ]
};

/// Parameters that only modify an operation, or that OSS ignores where they do not belong.
const PLAIN: &[&str] = &[
    "Expires",
    "OSSAccessKeyId",
    "Signature",
    "callback",
    "callback-var",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "tag-key",
    "tag-value",
    "upload-id-marker",
    "version-id-marker",
    "x-oss-request-payer",
    "x-oss-traffic-limit",
];

impl Operation {
    /// The operation that the request asks for, or the error that names what it asks for in vain.
    pub(crate) fn of(
        level: Level,
        method: &Method,
        query: &Query,
        headers: &HeaderMap,
    ) -> Result<Self, OssError> {
        let pairs = query.pairs();
        let mut names: Vec<&str> = pairs.filter_map(sub_resource).collect();
        names.dedup();
        let mut rows = ROWS.iter();
        let Some(row) = rows.find(|row| row.fits(level, method, &names, query)) else {
            return Err(unsupported::error(level, method, &names, |name| {
                ROWS.iter().any(|row| row.needs(name))
            }));
        };
        Ok(match row.operation {
            Self::PutObject if headers.contains_key("x-oss-copy-source") => Self::CopyObject,
            Self::UploadPart if headers.contains_key("x-oss-copy-source") => Self::UploadPartCopy,
            operation => operation,
        })
    }

    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

/// A query parameter that makes another operation of the request, or a variant that would have to differ.
///
/// OSS ignores parameters that it does not know, and pages add some, such as the time against caches. A word without a value
/// is taken for a sub-resource, known or not: that is how they are all written.
fn sub_resource<'a>((name, value): (&'a [u8], &[u8])) -> Option<&'a str> {
    let name = std::str::from_utf8(name).ok()?;
    if PLAIN.contains(&name)
        || SIGNATURE_PARAMETERS.contains(&name)
        || name.starts_with("response-")
        || name.starts_with("x-oss-ac-")
    {
        return None;
    }
    let is_word = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    let is_sub_resource = name.starts_with("x-oss-")
        || SUB_RESOURCES.contains(&name)
        || unsupported::is_known(name)
        || ROWS
            .iter()
            .any(|row| row.needs(name) || row.takes.contains(&name))
        || (value.is_empty() && is_word);
    is_sub_resource.then_some(name)
}

/// Is there a sub-resource that clients of signature version 1 may sign or not?
pub(crate) fn has_new_word(query: &Query) -> bool {
    let mut names = query.pairs().filter_map(sub_resource);
    names.any(|name| !name.starts_with("x-oss-") && !SUB_RESOURCES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_only_modify_name_no_operation() {
        for query in [
            "",
            "prefix=&marker=&max-keys=1&list-type=2",
            "x-oss-traffic-limit=819200&response-content-type=a%2Fb",
            "t=1700000000&_=1",
            "5f3a2b&v2",
            "callback=e30%3D&callback-var=e30%3D",
            "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=",
        ] {
            let query = Query::parse(query);
            assert_eq!(query.pairs().find_map(sub_resource), None, "{query:?}");
        }
        for query in [
            "legalHold",
            "legalHold=ON",
            "anything",
            "x-oss-process=a",
            "acl=",
        ] {
            let query = Query::parse(query);
            assert!(query.pairs().find_map(sub_resource).is_some(), "{query:?}");
        }
    }

    /// The table of the README names each operation that is there, and each that is not and is known by name.
    #[test]
    fn the_readme_lists_every_operation() {
        let readme = include_str!("../../README.md");
        let names = ROWS
            .iter()
            .map(|row| row.operation.name())
            .chain(["CopyObject", "UploadPartCopy"].map(str::to_owned))
            .chain(unsupported::names());
        let missing: Vec<String> = names
            .filter(|name| !readme.contains(&format!("`{name}`")))
            .collect();
        assert_eq!(missing, [] as [String; 0]);
    }
}
