//! Buckets: made, described, removed.

use hyper::{HeaderMap, StatusCode, body::Incoming};

use super::{
    listing::{document, owner},
    receive::receive_document,
};
use crate::{
    answer::{self, Answer, insert},
    element::Element,
    error::OssError,
    objects::NotRemoved,
    service::{Call, Service, no_such_bucket},
    settings::{Acl, Settings},
    storage::Storage,
    timestamp::{seconds, timestamp},
    xml::Document,
};

/// Every account has one from the start.
pub(super) const RESOURCE_GROUP: &str = "rg-acfmlocaloss000";

const STORAGE_CLASSES: [&str; 5] = [
    "Standard",
    "IA",
    "Archive",
    "ColdArchive",
    "DeepColdArchive",
];
const REDUNDANCIES: [&str; 2] = ["LRS", "ZRS"];
const LONGEST_CONFIGURATION: usize = 64 * 1024;

pub(super) async fn create_bucket(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let acl = acl(&call.head.headers)?;
    let mut settings = Settings::new(service.clock.now());
    settings.acl = acl.unwrap_or(settings.acl);
    let (configuration, _) = receive_document(service, call, body, LONGEST_CONFIGURATION).await?;
    if !configuration.is_empty() {
        let root = Element::parse(&configuration, "CreateBucketConfiguration")?;
        let chosen = |name: &str, allowed: &[&str], default: String| match root.text_of(name) {
            None | Some("") => Ok(default),
            Some(text) if allowed.contains(&text) => Ok(text.to_owned()),
            Some(text) => Err(OssError::invalid_argument(
                format!("The {name} you specified is not valid."),
                name,
                text,
            )),
        };
        settings.storage_class = chosen("StorageClass", &STORAGE_CLASSES, settings.storage_class)?;
        settings.redundancy = chosen("DataRedundancyType", &REDUNDANCIES, settings.redundancy)?;
    }
    let (class, redundancy) = (settings.storage_class.clone(), settings.redundancy.clone());
    let save = |settings: &Settings| match &service.storage {
        Storage::Temporary => Ok(()),
        Storage::Kept(folder) => {
            folder.add_bucket(&call.bucket)?;
            folder.save_settings(&call.bucket, settings)
        }
    };
    let made = service.objects.add_bucket(&call.bucket, settings, save);
    if !made.map_err(|error| OssError::internal(&error))? {
        // Its owner may make it again as it is, with another access control (inferred from an SDK's test).
        change(service, call, |known| {
            if (&known.storage_class, &known.redundancy) != (&class, &redundancy) {
                return Err(exists(&call.bucket));
            }
            known.acl = acl.unwrap_or(known.acl);
            Ok(())
        })?;
    }
    let mut answer = answer::empty(StatusCode::OK);
    let location = format!("/{}", call.bucket);
    insert(answer.headers_mut(), "location", &location);
    Ok(answer)
}

fn exists(bucket: &str) -> OssError {
    OssError::new(
        StatusCode::CONFLICT,
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select \
         a different name and try again.",
    )
    .detail("BucketName", bucket)
}

/// Open uploads count as contents (OSS documentation, DeleteBucket).
pub(super) fn delete_bucket(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let bucket = &call.bucket;
    let is_unused = || service.uploads.of_bucket(bucket).is_empty();
    let remove = || match &service.storage {
        Storage::Temporary => Ok(()),
        Storage::Kept(folder) => folder.remove_bucket(bucket),
    };
    match service.objects.remove_bucket(bucket, is_unused, remove) {
        Ok(()) => Ok(answer::empty(StatusCode::NO_CONTENT)),
        Err(NotRemoved::NoBucket) => Err(no_such_bucket(bucket)),
        Err(NotRemoved::NotEmpty) => Err(OssError::new(
            StatusCode::CONFLICT,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty.",
        )
        .ec("0015-00000301")
        .detail("BucketName", &**bucket)),
        Err(NotRemoved::Failed(error)) => Err(OssError::internal(&error)),
    }
}

/// The access control that the head of a request names for a bucket.
fn acl(headers: &HeaderMap) -> Result<Option<Acl>, OssError> {
    let Some(value) = headers.get("x-oss-acl") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    match Acl::of_bucket(text.trim()) {
        Some(acl) => Ok(Some(acl)),
        None => Err(OssError::invalid_argument(
            "no such bucket access control exists",
            "x-oss-acl",
            text,
        )),
    }
}

pub(super) fn put_bucket_acl(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let acl = acl(&call.head.headers)?.ok_or_else(|| {
        OssError::new(
            StatusCode::BAD_REQUEST,
            "MissingArgument",
            "Missing Some Required Arguments.",
        )
        .detail("ArgumentName", "x-oss-acl")
    })?;
    change(service, call, |settings| {
        settings.acl = acl;
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::OK))
}

/// Changes the settings of the bucket, and keeps them.
pub(super) fn change(
    service: &Service,
    call: &Call,
    change: impl FnOnce(&mut Settings) -> Result<(), OssError>,
) -> Result<(), OssError> {
    let save = |settings: &Settings| match &service.storage {
        Storage::Temporary => Ok(()),
        Storage::Kept(folder) => folder
            .save_settings(&call.bucket, settings)
            .map_err(|error| OssError::internal(&error)),
    };
    let changed = service.objects.change_settings(&call.bucket, change, save);
    changed.ok_or_else(|| no_such_bucket(&call.bucket))?
}

pub(super) fn bucket_acl(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let settings = service.objects.settings(&call.bucket);
    let settings = settings.ok_or_else(|| no_such_bucket(&call.bucket))?;
    Ok(document(access_control(settings.acl)))
}

pub(super) fn access_control(acl: Acl) -> Document {
    let mut xml = Document::new();
    xml.open("AccessControlPolicy");
    owner(&mut xml);
    grant(&mut xml, acl);
    xml.close("AccessControlPolicy");
    xml
}

fn grant(xml: &mut Document, acl: Acl) {
    xml.open("AccessControlList");
    xml.element("Grant", acl.name());
    xml.close("AccessControlList");
}

pub(super) fn bucket_location(service: &Service) -> Answer {
    let mut xml = Document::new();
    xml.element("LocationConstraint", &format!("oss-{}", service.region));
    document(xml)
}

/// The settings that no operation here can change are those of a new bucket.
pub(super) fn bucket_info(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let region = &service.region;
    let settings = service.objects.settings(&call.bucket);
    let settings = settings.ok_or_else(|| no_such_bucket(&call.bucket))?;
    let mut xml = Document::new();
    xml.open("BucketInfo");
    xml.open("Bucket");
    xml.element("AccessMonitor", "Disabled");
    xml.element("BlockPublicAccess", "false");
    xml.element("Comment", "");
    xml.element("CreationDate", &timestamp(settings.created));
    xml.element("CrossRegionReplication", "Disabled");
    xml.element("DataRedundancyType", &settings.redundancy);
    xml.element("ExtranetEndpoint", &format!("oss-{region}.aliyuncs.com"));
    xml.element(
        "IntranetEndpoint",
        &format!("oss-{region}-internal.aliyuncs.com"),
    );
    xml.element("Location", &format!("oss-{region}"));
    xml.element("Name", &call.bucket);
    xml.element("ResourceGroupId", RESOURCE_GROUP);
    xml.element("StorageClass", &settings.storage_class);
    xml.element("TransferAcceleration", "Disabled");
    owner(&mut xml);
    grant(&mut xml, settings.acl);
    xml.open("ServerSideEncryptionRule");
    xml.element("SSEAlgorithm", "None");
    xml.close("ServerSideEncryptionRule");
    xml.open("BucketPolicy");
    xml.element("LogBucket", "");
    xml.element("LogPrefix", "");
    xml.close("BucketPolicy");
    xml.close("Bucket");
    xml.close("BucketInfo");
    Ok(document(xml))
}

/// OSS counts once in an hour; here the numbers are those of now.
pub(super) fn bucket_stat(service: &Service, call: &Call) -> Answer {
    const CLASSES: [(&str, &str); 5] = [
        ("Standard", "Standard"),
        ("IA", "InfrequentAccess"),
        ("Archive", "Archive"),
        ("ColdArchive", "ColdArchive"),
        ("DeepColdArchive", "DeepColdArchive"),
    ];
    let objects = service.objects.of_bucket(&call.bucket);
    let default = service.objects.default_class(&call.bucket);
    let sum = |class: Option<&str>| {
        let objects = objects.iter().map(|(_, object)| object);
        let objects =
            objects.filter(|object| class.is_none_or(|class| object.class(&default) == class));
        objects.fold((0, 0), |(count, size): (u64, u64), object| {
            (count + 1, size + object.contents.size())
        })
    };
    let (count, size) = sum(None);
    let uploads = service.uploads.of_bucket(&call.bucket);
    let mut xml = Document::new();
    xml.open("BucketStat");
    xml.element("Storage", &size.to_string());
    xml.element("ObjectCount", &count.to_string());
    xml.element("MultipartUploadCount", &uploads.len().to_string());
    xml.element("LiveChannelCount", "0");
    let now = seconds(service.clock.now());
    xml.element("LastModifiedTime", &now.to_string());
    for (class, name) in CLASSES {
        let (count, size) = sum(Some(class));
        xml.element(&format!("{name}Storage"), &size.to_string());
        if class != "Standard" {
            xml.element(&format!("{name}RealStorage"), &size.to_string());
        }
        xml.element(&format!("{name}ObjectCount"), &count.to_string());
    }
    xml.element("DeleteMarkerCount", "0");
    xml.close("BucketStat");
    document(xml)
}
