//! ListBuckets and DescribeRegions.

use hyper::StatusCode;

use super::{
    bucket::RESOURCE_GROUP,
    listing::{document, number, owner, parameter, truth},
};
use crate::{
    answer::Answer,
    error::OssError,
    service::{Call, Service},
    timestamp::timestamp,
    xml::Document,
};

const DEFAULT_BUCKETS: usize = 100;
const MOST_BUCKETS: usize = 1000;

pub(super) fn list_buckets(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let prefix = parameter(call, "prefix")?;
    let marker = parameter(call, "marker")?;
    let limit = number(call, "max-keys", 1..=MOST_BUCKETS, DEFAULT_BUCKETS)?;
    let buckets = service.objects.buckets();
    let mut rest = buckets
        .iter()
        .filter(|(name, _)| name.starts_with(prefix) && name.as_str() > marker);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let region = &service.region;

    let mut xml = Document::new();
    xml.open("ListAllMyBucketsResult");
    xml.element("Prefix", prefix);
    xml.element("Marker", marker);
    xml.element("MaxKeys", &limit.to_string());
    xml.element("IsTruncated", truth(more));
    if let Some((last, _)) = page.last().filter(|_| more) {
        xml.element("NextMarker", last);
    }
    owner(&mut xml);
    xml.open("Buckets");
    for (name, settings) in page {
        xml.open("Bucket");
        xml.element("CreationDate", &timestamp(settings.created));
        xml.element("ExtranetEndpoint", &format!("oss-{region}.aliyuncs.com"));
        xml.element(
            "IntranetEndpoint",
            &format!("oss-{region}-internal.aliyuncs.com"),
        );
        xml.element("Location", &format!("oss-{region}"));
        xml.element("Name", name);
        xml.element("Region", region);
        xml.element("ResourceGroupId", RESOURCE_GROUP);
        xml.element("StorageClass", &settings.storage_class);
        xml.close("Bucket");
    }
    xml.close("Buckets");
    xml.close("ListAllMyBucketsResult");
    Ok(document(xml))
}

/// The public regions that clients know, and the server's own.
#[rustfmt::skip]
const REGIONS: [&str; 27] = [
    "cn-hangzhou", "cn-shanghai", "cn-nanjing", "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote",
    "cn-wulanchabu", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu", "cn-hongkong", "us-west-1", "us-east-1",
    "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "eu-central-1", "eu-west-1", "me-east-1", "me-central-1", "cn-fuzhou",
];

pub(super) fn describe_regions(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let asked = parameter(call, "regions")?;
    let own = service.region.as_str();
    let others = REGIONS.into_iter().filter(|region| *region != own);
    let regions: Vec<String> = [own]
        .into_iter()
        .chain(others)
        .map(|region| format!("oss-{region}"))
        .filter(|region| asked.is_empty() || asked == region)
        .collect();
    if regions.is_empty() {
        return Err(OssError::new(
            StatusCode::NOT_FOUND,
            "NoSuchRegion",
            "The specified region does not exist.",
        )
        .detail("Region", asked));
    }
    let mut xml = Document::new();
    xml.open("RegionInfoList");
    for region in &regions {
        xml.open("RegionInfo");
        xml.element("Region", region);
        xml.element("InternetEndpoint", &format!("{region}.aliyuncs.com"));
        xml.element(
            "InternalEndpoint",
            &format!("{region}-internal.aliyuncs.com"),
        );
        xml.element("AccelerateEndpoint", "oss-accelerate.aliyuncs.com");
        xml.close("RegionInfo");
    }
    xml.close("RegionInfoList");
    Ok(document(xml))
}
