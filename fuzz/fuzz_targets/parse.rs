//! Every body is read or refused, and what is read is said the same way twice.
//!
//! The first byte chooses the Content-Type.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use oss_callback::callback::{CallbackBody, explain};

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let content_type = match choice % 4 {
        0 => None,
        1 => Some("application/json"),
        2 => Some("application/x-www-form-urlencoded"),
        _ => Some("text/plain; charset=utf-8"),
    };
    let read = CallbackBody::parse(content_type, body);
    if let Err(error) = &read {
        assert!(error.to_string().len() < 1024);
    }
    if let Ok(read) = read {
        let names: Vec<&str> = read.members().map(|(name, _)| name).collect();
        assert!(names.len() <= 2000);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        let said: usize = read
            .members()
            .map(|(n, v)| n.len() + v.map_or(0, str::len))
            .sum();
        // A number may be written longer than it came: 1e300 has 301 digits.
        assert!(said <= 400 * body.len());
        for (name, value) in read.members() {
            assert_eq!(read.member(name), value);
        }
        let _ = (
            read.object(),
            read.size(),
            read.crc64(),
            read.image_width(),
            read.variable("a"),
        );
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = explain(text, Some(text)).to_string();
    }
});
