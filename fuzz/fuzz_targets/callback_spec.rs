//! A callback that somebody else issued is judged the same by everything that reads it, whatever it says.
//!
//! The input is the JSON of the callback and, after a NUL, that of its variables; or, after a first NUL, the
//! two as Base64.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oss_callback::callback::explain;
use oss_callback::{CallbackSpec, ObjectFacts};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (text, is_base64) = match text.strip_prefix('\0') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (callback, variables) = match text.split_once('\0') {
        Some((callback, variables)) => (callback, Some(variables)),
        None => (text, None),
    };
    let spec = match is_base64 {
        true => CallbackSpec::from_base64(callback, variables),
        false => CallbackSpec::from_json(callback, variables),
    };
    let _ = explain(callback, variables).to_string();
    let Ok(spec) = spec else { return };
    assert!(spec.callback().bytes().all(|byte| byte.is_ascii_graphic()));

    let facts = ObjectFacts::new("examplebucket", "a/\u{e4} &\"\\\u{1f4a9}")
        .size(5)
        .image(3, 4, "jpg");
    let explanation = explain(spec.callback(), spec.callback_var());
    match spec.check() {
        Ok(warnings) => {
            assert!(explanation.problems().is_empty(), "{explanation}");
            assert_eq!(explanation.warnings().len(), warnings.len());
            assert!(!explanation.sentences().is_empty());
            let requests = spec.preview(&facts).expect("a preview of what OSS accepts");
            assert!((1..=5).contains(&requests.len()));
            for request in &requests {
                assert!(request.target().starts_with('/') && request.target().is_ascii());
                // Nothing can put a line of its own into the head.
                let shown = request.to_string();
                let (head, body) = shown.split_once("\n\n").expect("a head");
                assert_eq!(body, request.body());
                assert_eq!(head.lines().count(), 1 + request.headers().count());
                assert!(!head.contains('\r'));
            }
        }
        Err(_) => {
            assert!(!explanation.problems().is_empty());
            assert!(spec.preview(&facts).is_err());
            assert!(spec.explain().is_err());
        }
    }
});
