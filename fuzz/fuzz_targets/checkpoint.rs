//! A checkpoint that somebody has rewritten, its CRC-64 with it, is trusted whole or not at all, and what is
//! trusted survives being written again.
//!
//! The input is the second line of the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oss_callback::fuzzing::checkpoint;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // The upload that goes on is the one that the file says it is of.
    let identity =
        serde_json::from_str(text).map_or(Value::Null, |value: Value| value["identity"].clone());
    let [read, again] = checkpoint(text, &identity);
    assert_eq!(read, again);
    if let Some((upload_id, parts)) = read {
        assert!(!upload_id.is_empty());
        for part in &parts {
            assert!((1..=10_000).contains(&part.number()) && !part.etag().is_empty());
            assert!(part.size().is_some() && part.crc64().is_some());
        }
    }
    let [other, _] = checkpoint(text, &Value::from("another upload"));
    assert!(other.is_none() || identity == "another upload");
});
