//! UploadPart and ListParts.

use hyper::{StatusCode, body::Incoming};

use super::open_upload;
use crate::{
    answer::{self, Answer, insert},
    encoding::hex,
    error::OssError,
    multipart_request::MultipartRequest,
    operations::{
        instructions::Announced,
        listing::{EncodingType, document, number, parameter, truth},
        receive::{check_room, receive},
    },
    service::{Call, Service},
    storage::Collector,
    timestamp::timestamp,
    uploads::{PART_NUMBERS, Part},
    xml::Document,
};

const MOST_PARTS: usize = 1000;

/// The memory that a part takes besides its bytes: its checksums, its extents, its place in the map.
const MEMORY_OF_PART: u64 = 512;

pub(super) async fn upload_part(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
    noted: &mut MultipartRequest,
) -> Result<Answer, OssError> {
    let text = parameter(call, "partNumber")?;
    let number = text.parse().ok();
    let number = number
        .filter(|number| PART_NUMBERS.contains(number))
        .ok_or_else(|| {
            OssError::invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive.",
                "partNumber",
                text,
            )
        })?;
    let upload = open_upload(service, call)?;
    if call.head.headers.contains_key("x-oss-copy-source") {
        return Err(OssError::not_implemented("UploadPartCopy"));
    }
    let announced = Announced::read(&call.head.headers)?;
    let need = announced.length.map(Collector::need_of_part);
    check_room(service, need)?;

    let collector = Collector::of_part(&upload.spool, &service.memory, announced.length);
    let received = receive(service, &announced, collector, MEMORY_OF_PART, body).await;
    // It may have ended while the part came in, and then there is no room left in its file.
    open_upload(service, call)?;
    let contents = received?;
    noted.size = Some(contents.size());
    let part = Part {
        etag: hex(&contents.md5).to_ascii_uppercase(),
        contents,
        last_modified: service.clock.now(),
    };
    let mut answer = answer::empty(StatusCode::OK);
    let headers = answer.headers_mut();
    insert(headers, "etag", &format!("\"{}\"", part.etag));
    let crc64 = part.contents.crc64.to_string();
    insert(headers, "x-oss-hash-crc64ecma", &crc64);
    upload.parts.add(number, part);
    Ok(answer)
}

pub(super) fn list_parts(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let upload = open_upload(service, call)?;
    let encoding = EncodingType::read(call)?;
    let limit = number(call, "max-parts", 1..=MOST_PARTS, MOST_PARTS)?;
    let marker: u32 = number(call, "part-number-marker", 0..=*PART_NUMBERS.end(), 0)?;
    let parts = upload.parts.all();
    let mut rest = parts.range(marker + 1..);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let last = page.last().map_or(0, |(number, _)| **number);

    let mut xml = Document::new();
    xml.open("ListPartsResult");
    encoding.describe(&mut xml);
    xml.element("Bucket", &call.bucket);
    xml.element("Key", &encoding.encode(&call.key));
    xml.element("UploadId", &upload.id);
    xml.element("StorageClass", upload.storage_class());
    xml.element("PartNumberMarker", &marker.to_string());
    xml.element("NextPartNumberMarker", &last.to_string());
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
