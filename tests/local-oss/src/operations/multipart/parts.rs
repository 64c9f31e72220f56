//! UploadPart, UploadPartCopy and ListParts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{StatusCode, body::Incoming};

use super::open_upload;
use crate::{
    answer::{self, Answer, insert},
    encoding::hex,
    error::OssError,
    multipart_request::MultipartRequest,
    operations::{
        Operation,
        copy::{Original, result},
        instructions::{Announced, check_encryption},
        listing::{EncodingType, document, number, parameter, truth},
        range,
        receive::{check_room, receive, trouble},
        rewrite::copy,
        store::echo_encryption,
    },
    pace::Pace,
    service::{Call, Service},
    storage::{Collector, Contents},
    timestamp::timestamp,
    uploads::{PART_NUMBERS, Part},
    xml::Document,
};

const MOST_PARTS: usize = 1000;

/// The memory that a part takes besides its bytes: its checksums, its extents, its place in the map.
const MEMORY_OF_PART: u64 = 512;

/// What an upload says of how its parts are encrypted, and the elements that give it back.
const CLIENT_ENCRYPTION: [(&str, &str); 6] = [
    (
        "x-oss-meta-client-side-encryption-key",
        "ClientEncryptionKey",
    ),
    (
        "x-oss-meta-client-side-encryption-start",
        "ClientEncryptionStart",
    ),
    (
        "x-oss-meta-client-side-encryption-cek-alg",
        "ClientEncryptionCekAlg",
    ),
    (
        "x-oss-meta-client-side-encryption-wrap-alg",
        "ClientEncryptionWrapAlg",
    ),
    (
        "x-oss-meta-client-side-encryption-data-size",
        "ClientEncryptionDataSize",
    ),
    (
        "x-oss-meta-client-side-encryption-part-size",
        "ClientEncryptionPartSize",
    ),
];

pub(super) async fn upload_part(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
    noted: &mut MultipartRequest,
) -> Result<Answer, OssError> {
    let number = part_number(call)?;
    let upload = open_upload(service, Operation::UploadPart, call)?;
    check_encryption(&call.head.headers)?;
    let announced = Announced::read(&call.head.headers)?;
    let mut pace = Pace::read(&call.head.headers, &call.query)?;
    let need = announced.length.map(Collector::need_of_part);
    check_room(service, need)?;

    let collector = Collector::of_part(&upload.spool, &service.memory, announced.length);
    let received = receive(
        service,
        &announced,
        collector,
        MEMORY_OF_PART,
        &mut pace,
        body,
    )
    .await;
    // It may have ended while the part came in, and then there is no room left in its file.
    open_upload(service, Operation::UploadPart, call)?;
    let part = part(service, received?, noted);
    let mut answer = answer::empty(StatusCode::OK);
    let headers = answer.headers_mut();
    insert(headers, "content-md5", &STANDARD.encode(part.contents.md5));
    describe(&mut answer, &part);
    echo_encryption(&mut answer, &upload.headers);
    if let Some(pace) = &pace {
        pace.tell(&mut answer);
    }
    upload.parts.add(number, part);
    Ok(answer)
}

/// A range that is none, or lies outside, stands for the whole object, as in GetObject.
pub(super) async fn upload_part_copy(
    service: &Service,
    call: &Call,
    noted: &mut MultipartRequest,
) -> Result<Answer, OssError> {
    let number = part_number(call)?;
    let upload = open_upload(service, Operation::UploadPartCopy, call)?;
    let headers = &call.head.headers;
    let original = Original::find(service, headers)?;
    let size = original.object.contents.size();
    let range = headers.get("x-oss-copy-source-range");
    let range = range.map(|range| range.to_str().unwrap_or_default());
    let range = match range.map(|range| range::part(range, size, false)) {
        Some(range::Part::Of(range)) => range,
        _ => 0..size,
    };
    let length = range.end - range.start;
    check_room(service, Some(Collector::need_of_part(length)))?;
    let mut collector = Collector::of_part(&upload.spool, &service.memory, Some(length));
    let claimed = collector.claim(MEMORY_OF_PART);
    claimed.map_err(|error| trouble(service, error))?;
    let copied = copy(service, &original.source, range, &mut collector).await;
    let received = match copied {
        Ok(()) => collector
            .finish()
            .await
            .map_err(|error| trouble(service, error)),
        Err(error) => Err(error),
    };
    open_upload(service, Operation::UploadPartCopy, call)?;
    let part = part(service, received?, noted);
    let mut answer = result("CopyPartResult", part.last_modified, &part.etag);
    describe(&mut answer, &part);
    upload.parts.add(number, part);
    Ok(answer)
}

fn part_number(call: &Call) -> Result<u32, OssError> {
    let text = parameter(call, "partNumber")?;
    if text.is_empty() {
        return Err(OssError::invalid_argument(
            "Unexpected query string parameter",
            "ResourceType",
            "partNumber",
        )
        .ec("0017-00000219"));
    }
    let number = text.parse().ok();
    number
        .filter(|number| PART_NUMBERS.contains(number))
        .ok_or_else(|| {
            OssError::invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive.",
                "PartNumber",
                text,
            )
            .ec("0017-00000220")
        })
}

fn part(service: &Service, contents: Contents, noted: &mut MultipartRequest) -> Part {
    noted.size = Some(contents.size());
    Part {
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        last_modified: service.clock.now(),
    }
}

fn describe(answer: &mut Answer, part: &Part) {
    let headers = answer.headers_mut();
    insert(headers, "etag", &format!("\"{}\"", part.etag));
    let md5 = STANDARD.encode(part.contents.md5);
    insert(headers, "content-md5", &md5);
    let crc64 = part.contents.crc64.to_string();
    insert(headers, "x-oss-hash-crc64ecma", &crc64);
}

pub(super) fn list_parts(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let upload = open_upload(service, Operation::ListParts, call)?;
    let encoding = EncodingType::read(call)?;
    let limit = number(call, "max-parts", 1..=MOST_PARTS, MOST_PARTS)?;
    let marker: u32 = number(call, "part-number-marker", 0..=*PART_NUMBERS.end(), 0)?;
    let parts = upload.parts.all();
    let mut rest = parts.range(marker + 1..);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    // Of a page without parts there is none, and the element is empty.
    let last = page.last().map(|(number, _)| number.to_string());

    let mut xml = Document::new();
    xml.open("ListPartsResult");
    encoding.describe(&mut xml);
    xml.element("Bucket", &call.bucket);
    xml.exact_element("Key", &encoding.encode(&call.key));
    xml.element("UploadId", &upload.id);
    xml.element("StorageClass", upload.storage_class());
    for (name, element) in CLIENT_ENCRYPTION {
        if let Some(value) = upload.header(name) {
            xml.element(element, value);
        }
    }
    xml.element("PartNumberMarker", &marker.to_string());
    xml.element("NextPartNumberMarker", &last.unwrap_or_default());
    xml.element("MaxParts", &limit.to_string());
    xml.element("IsTruncated", truth(more));
    for (number, part) in page {
        xml.open("Part");
        xml.element("PartNumber", &number.to_string());
        xml.element("LastModified", &timestamp(part.last_modified));
        xml.element("ETag", &format!("\"{}\"", part.etag));
        xml.element("HashCrc64ecma", &part.contents.crc64.to_string());
        xml.element("Size", &part.contents.size().to_string());
        xml.close("Part");
    }
    xml.close("ListPartsResult");
    Ok(document(xml))
}
