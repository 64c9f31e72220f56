//! Nothing that a stranger sends is taken for OSS's, and nothing makes the verifier fall over.
//!
//! The input's lines are target, Authorization, x-oss-pub-key-url, Content-Type and X-Original-URI; the rest is the body.
//! Header values that begin with `=` are encoded, so that the fuzzer gets past Base64.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use oss_callback::callback::{CallbackRequest, KnownKeys, Verifier};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::with_keys(KnownKeys::new())
        .prepend_prefix("/api")
        .strip_prefix("/internal")
        .trust_target_header("X-Original-URI")
        .max_body_len(64 * 1024)
});

fn encoded(value: &[u8]) -> Vec<u8> {
    match value.strip_prefix(b"=") {
        Some(plain) => STANDARD.encode(plain).into_bytes(),
        None => value.to_vec(),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(6, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (target, authorization, key_url) = (next(), encoded(next()), encoded(next()));
    let (content_type, original, body) = (next(), next(), next());
    let request = CallbackRequest::new("POST", target, body)
        .header("Authorization", &authorization)
        .header("x-oss-pub-key-url", &key_url)
        .header("Content-Type", content_type)
        .header("X-Original-URI", original);
    if let Err(error) = VERIFIER.verify(&request) {
        assert!(error.to_string().len() < 8 * 1024);
    } else {
        panic!("a forgery, or somebody has the private key");
    }
});
