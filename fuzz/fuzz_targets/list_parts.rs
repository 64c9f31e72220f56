//! A page of ListParts is read whole or not at all, and what is read means the same when it is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oss_callback::Part;
use oss_callback::fuzzing::list_parts;

fn written(parts: &[Part], truncated: bool) -> String {
    let element = |name: &str, number: Option<u64>| {
        number.map_or(String::new(), |number| format!("<{name}>{number}</{name}>"))
    };
    let parts = parts.iter().map(|part| {
        let etag: String = part
            .etag()
            .chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect();
        format!(
            "<Part><PartNumber>{}</PartNumber><ETag>\"{etag}\"</ETag>{}{}</Part>",
            part.number(),
            element("Size", part.size()),
            element("HashCrc64ecma", part.crc64()),
        )
    });
    let parts: String = parts.collect();
    format!("<ListPartsResult>{parts}<IsTruncated>{truncated}</IsTruncated></ListPartsResult>")
}

fuzz_target!(|data: &[u8]| {
    let Some((parts, truncated)) = list_parts(data) else {
        return;
    };
    for part in &parts {
        assert!((1..=10_000).contains(&part.number()) && !part.etag().is_empty());
        assert_eq!(Part::from_json(&part.to_json()).ok().as_ref(), Some(part));
    }
    // No reference can stand for a NUL.
    if parts.iter().any(|part| part.etag().contains('\0')) {
        return;
    }
    let page = written(&parts, truncated);
    // A page that is cut short is none: its last parts would be missing.
    let cut = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % page.len();
    assert_eq!(list_parts(&page.as_bytes()[..cut]), None);
    assert_eq!(list_parts(page.as_bytes()), Some((parts, truncated)));
});
