//! What a stranger sends costs no more memory than the longest body that is taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oss_callback::callback::{CallbackBody, CallbackRequest, Verifier};

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[allow(unsafe_code, reason = "an allocator cannot be written without it")]
// SAFETY: everything is the system's allocator; growing goes through `alloc`, which is the default.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        NOW.set(NOW.get().wrapping_add(layout.size()));
        // Below zero is what was allocated before the count began.
        if NOW.get() < isize::MAX as usize {
            MOST.set(MOST.get().max(NOW.get()));
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // What another thread has allocated counts there.
        NOW.set(NOW.get().wrapping_sub(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many bytes more than before are allocated at most while this runs.
fn most<T>(run: impl FnOnce() -> T) -> usize {
    NOW.set(0);
    MOST.set(0);
    drop(run());
    MOST.get()
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A real callback, so that a hostile one can also be one that verifies.
const TARGET: &str = "/api/AliYunOssCallback";
const BODY: &[u8] =
    b"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200";
const AUTHORIZATION: &[u8] =
    b"HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ==";
const KEY_URL: &str = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";

#[test]
fn memory_does_not_grow_with_what_a_stranger_sends() {
    let verifier = Verifier::new()
        .prepend_prefix("/api")
        .strip_prefix("/a")
        .trust_target_header("X-Original-URI")
        .max_body_len(16 * KIB);
    let key_url = STANDARD.encode(KEY_URL);
    let huge = [&b"/a/%41\x1b?"[..], &b"%41\x1b".repeat(4 * MIB)].concat();
    let long_base64 = b"QUFB".repeat(4 * MIB);
    let long_url = STANDARD.encode([KEY_URL.as_bytes(), &b"a".repeat(8 * MIB)].concat());
    let target_of = |slash: &[u8]| [slash, &b"%1b".repeat(4 * MIB)].concat();
    let path = target_of(b"/a/");
    let ask = |target: &[u8], changed: &[(&str, &[u8])], body: &[u8]| {
        let request = CallbackRequest::new("POST", target, body)
            .headers(changed.iter().copied())
            .header("Authorization", AUTHORIZATION)
            .header("x-oss-pub-key-url", &key_url)
            .header("Content-Type", "application/x-www-form-urlencoded");
        most(|| verifier.verify(&request))
    };
    let target = TARGET.as_bytes();
    // Once, so that what is made only once is there.
    ask(target, &[], BODY);
    let mut costs = Vec::new();
    let mut cost = |what: &'static str, bytes: usize| costs.push((bytes, what));
    cost("a long body", ask(target, &[], &huge));
    cost(
        "a body of the longest length",
        ask(target, &[], &b"+%20".repeat(4 * KIB)),
    );
    cost("a long path", ask(&path, &[], BODY));
    cost("a long query", ask(&huge, &[], BODY));
    for name in [
        "Authorization",
        "x-oss-pub-key-url",
        "Content-Type",
        "X-Original-URI",
        "X-Forwarded-Uri",
        "X-Forwarded-Prefix",
        "Host",
    ] {
        for value in [&huge, &path, &long_base64, &long_url.clone().into_bytes()] {
            // With a callback that is genuine otherwise, and with one that is not.
            cost(name, ask(target, &[(name, value)], BODY));
            cost(name, ask(b"/", &[(name, value)], BODY));
        }
    }
    let (bytes, what) = *costs.iter().max().unwrap();
    assert!(bytes <= 128 * KIB, "{what}: {bytes} bytes");
}

/// The other half: reading a body that was taken.
#[test]
fn a_body_costs_a_small_multiple_of_its_length() {
    let numbers: String = (0..50_000).map(|n| format!("\"{n}\":1e300,")).collect();
    for body in [
        b"&".repeat(MIB),
        b"a=&".repeat(MIB / 3),
        b"%".repeat(MIB),
        b"%41".repeat(MIB / 3),
        [&b"\""[..], &b"a\x1b".repeat(MIB / 2), b"\""].concat(),
        [&b"\""[..], &b"\\u001b".repeat(MIB / 6), b"\""].concat(),
        [&b"{\"a\":\""[..], &b"\\u0061".repeat(MIB / 6), b"\"}"].concat(),
        [&b"{\""[..], &b"a".repeat(MIB), b"\":1}"].concat(),
        [&b"{\"a\":"[..], &b"[".repeat(MIB)].concat(),
        format!("{{{numbers}\"a\":1}}").into_bytes(),
        (0..100_000)
            .map(|n| format!("{n}&"))
            .collect::<String>()
            .into_bytes(),
    ] {
        for content_type in [
            None,
            Some("application/json"),
            Some("application/x-www-form-urlencoded"),
        ] {
            let bytes = most(|| {
                if let Err(error) = CallbackBody::parse(content_type, &body) {
                    assert!(error.to_string().len() < 1024);
                }
            });
            assert!(
                bytes <= 4 * body.len() + MIB,
                "{bytes} bytes for {}",
                body.len()
            );
        }
    }
}
