//! Whatever a server calls an error of OSS is read or refused, and what is read means the same when it is
//! written down again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oss_callback::fuzzing::error_document;

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| format!("&#{};", u32::from(c)))
        .collect()
}

fuzz_target!(|data: &[u8]| {
    let Some(elements) = error_document(data) else {
        return;
    };
    assert!(elements.iter().any(|(name, _)| name == "Code"));
    assert!(elements.len() <= 100);
    let said: usize = elements
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    // A byte that is no UTF-8 becomes a character of three.
    assert!(said <= 3 * data.len());
    if !elements
        .iter()
        .all(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        return;
    }
    // No reference can stand for a NUL.
    if elements
        .iter()
        .any(|(name, text)| name.is_empty() || text.contains('\0'))
    {
        return;
    }
    let written: String = elements
        .iter()
        .map(|(name, text)| format!("<{name}>{}</{name}>", escaped(text)))
        .collect();
    let again = error_document(format!("<Error>{written}</Error>").as_bytes());
    assert_eq!(again.as_ref(), Some(&elements));
});
