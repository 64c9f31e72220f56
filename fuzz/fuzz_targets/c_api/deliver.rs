//! A callback as OSS sends it, signed with a test key: what no program could make up.

use std::ffi::{CStr, CString, c_char};
use std::ptr::null_mut;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use num_bigint::BigUint;

use super::calls::{self, Call};
use super::program::Program;

pub const KEY_URL: &str = "http://keys.example.com/test.pem";

/// The test key of tests/vectors/callback_signature.json.
pub const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALwlSEwcp7o9eArEFQ4tBbgCuAVzUAK2\n\
    6F0jwTGP5SsVDA++R7ZzG2FqlSW65CmOZlKL+pwH4itHeiBDvqINa/kCAwEAAQ==\n\
    -----END PUBLIC KEY-----\n";
const MODULUS: &str = "bc25484c1ca7ba3d780ac4150e2d05b802b805735002b6e85d23c1318fe52b15\
     0c0fbe47b6731b616a9525bae4298e66528bfa9c07e22b477a2043bea20d6bf9";
const PRIVATE_EXPONENT: &str = "aa39190633ced4c3947e3915cbb3943efdc6bcb7ada62712686257029e6bfae3\
     0c831081c89f18463f0ebbc59dc42958a42088d050a6a32703c7fcc10c744ce1";

static KEY: LazyLock<(BigUint, BigUint)> = LazyLock::new(|| {
    let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).expect("hexadecimal");
    (number(PRIVATE_EXPONENT), number(MODULUS))
});

/// RSA with MD5 and the padding of PKCS #1 v1.5, in Base64.
fn signature(message: &[u8]) -> String {
    const MD5: [u8; 18] = [
        0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05,
        0x00, 0x04, 0x10,
    ];
    let mut block = vec![0xff; 64];
    block[..2].copy_from_slice(&[0, 1]);
    block[29] = 0;
    block[30..48].copy_from_slice(&MD5);
    block[48..].copy_from_slice(&Md5::digest(message));
    let signed = BigUint::from_bytes_be(&block)
        .modpow(&KEY.0, &KEY.1)
        .to_bytes_be();
    STANDARD.encode([vec![0; 64 - signed.len()], signed].concat())
}

pub const DELIVER: Call = Call {
    name: "deliver",
    makes: None,
    frees: None,
    run: deliver,
};

/// Renders a spec of the program and has one of its verifiers verify the callback.
fn deliver(program: &mut Program<'_>) {
    let verifier = program.handle("verifier", true);
    let spec = program.handle("spec", true);
    let is_changed = program.byte() == 255;
    let text = |text: &str| CString::new(text).expect("no NUL");
    let (bucket, object) = (text("examplebucket"), text("a/b"));
    let (size, five) = (text("size"), text("5"));
    let (mut facts, mut preview, mut verified) = (null_mut(), null_mut(), null_mut());
    // SAFETY: all texts live until the end; handles are NULL or live, and those made here are freed here.
    let body = unsafe {
        let _ = calls::oss_callback_object_facts_new(
            bucket.as_ptr(),
            object.as_ptr(),
            &mut facts,
            null_mut(),
        );
        calls::oss_callback_object_facts_set(facts, size.as_ptr(), five.as_ptr());
        let _ = calls::oss_callback_spec_preview(spec.pointer, facts, &mut preview, null_mut());
        let body = calls::oss_callback_preview_body(preview, 0);
        let body = if body.is_null() {
            c"a=b"
        } else {
            CStr::from_ptr(body)
        }
        .to_owned();
        calls::oss_callback_preview_free(preview);
        calls::oss_callback_object_facts_free(facts);
        body
    };
    let message = [b"/cb\n", body.to_bytes()].concat();
    let content_type = match body.to_bytes().starts_with(b"{") {
        true => "application/json",
        false => "application/x-www-form-urlencoded",
    };
    let signature = signature(if is_changed { b"another" } else { &message });
    let headers = [
        ("Authorization", signature),
        ("x-oss-pub-key-url", STANDARD.encode(KEY_URL)),
        ("Content-Type", content_type.to_owned()),
    ];
    let headers = headers.map(|(name, value)| [text(name), text(&value)]);
    let pointers: Vec<*const c_char> = headers.iter().flatten().map(|text| text.as_ptr()).collect();
    // SAFETY: as above; the headers are as many as is said.
    let code = unsafe {
        calls::oss_callback_verifier_verify(
            verifier.pointer,
            c"POST".as_ptr(),
            c"/cb".as_ptr(),
            pointers.as_ptr(),
            headers.len(),
            body.as_ptr().cast(),
            body.as_bytes().len(),
            &mut verified,
            null_mut(),
        )
    };
    assert_eq!(code == 0, !verified.is_null());
    assert!(code != 0 || !is_changed, "a forgery");
    if !verified.is_null() {
        program.own("verified", verified);
    }
}
