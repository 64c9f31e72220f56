//! What strangers send: changed in every way that a seeded generator finds, never believed and never fatal. The same as
//! the fuzz targets in `fuzz/`, in short and always alike.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_oss::CallbackKey;
use oss_callback::callback::{
    CallbackBody, CallbackRequest, Permission, Sealer, Verifier, explain,
};
use oss_callback::{CallbackSpec, ErrorKind, ObjectFacts};

/// xorshift64*, so that a failure comes again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Changes, inserts, removes, repeats or cuts off bytes.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        const TELLING: &[u8] = b"%&=+?/\\\"{}[]:,;.~\0\n\r\xff\xc3u0129eE-";
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let byte = match self.below(3) {
                0 => self.next() as u8,
                _ => TELLING[self.below(TELLING.len())],
            };
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 => bytes.truncate(at),
                3 => {
                    let end = at + self.below(bytes.len() - at);
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.insert(at, byte),
            }
        }
    }
}

const TARGET: &[u8] = b"/api/AliYunOssCallback";
const BODY: &[u8] =
    b"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200";
const AUTHORIZATION: &[u8] =
    b"HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ==";
const KEY_URL: &str = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";

#[test]
fn a_real_callback_that_was_changed_anywhere_is_not_believed() {
    let verifier = Verifier::new()
        .prepend_prefix("/api")
        .trust_target_header("X-Original-URI");
    let key_url = STANDARD.encode(KEY_URL).into_bytes();
    let mut random = Random(0x5eed);
    let mut kinds = std::collections::HashSet::new();
    for round in 0..40_000 {
        let mut parts = [
            TARGET.to_vec(),
            AUTHORIZATION.to_vec(),
            key_url.clone(),
            BODY.to_vec(),
        ];
        if round > 0 {
            random.change(&mut parts[round % 4]);
        }
        let [target, authorization, url, body] = &parts;
        let request = CallbackRequest::new("POST", target, body)
            .header("Authorization", authorization)
            .header("x-oss-pub-key-url", url);
        // The same path in another spelling is the same path; all else must be as it was.
        let decoded: Vec<u8> = decoded_path(target);
        let same =
            decoded == TARGET && authorization == AUTHORIZATION && url == &key_url && body == BODY;
        match verifier.verify(&request) {
            Ok(_) => assert!(same || decoded == b"/AliYunOssCallback", "{parts:?}"),
            Err(error) => {
                assert!(!same, "{error}: {parts:?}");
                assert!(error.to_string().len() < 4096);
                kinds.insert(error.kind());
            }
        }
    }
    for kind in [
        ErrorKind::MissingAuthorization,
        ErrorKind::MissingPubKeyUrl,
        ErrorKind::BadPubKeyUrl,
        ErrorKind::KeyUnavailable,
        ErrorKind::BadSignatureEncoding,
        ErrorKind::BadSignature,
    ] {
        assert!(
            kinds.contains(&kind),
            "{kind:?} was never reached: {kinds:?}"
        );
    }
}

/// The path with its escapes undone, written here anew.
fn decoded_path(target: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = target;
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let hex = hex.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

/// Whoever can sign for OSS changes a permission that he has in every way that the generator finds.
#[test]
fn a_genuine_seal_permits_what_was_sealed_and_nothing_else() {
    let key = CallbackKey::generate(512, "http://keys.example.com").unwrap();
    let verifier = Verifier::new()
        .trust_key_url_for_tests(key.public_url(), key.public_pem())
        .unwrap();
    let key_url = STANDARD.encode(key.public_url());
    let sealer = Sealer::new("2026-01", b"a secret of thirty-two bytes ...")
        .unwrap()
        .accept("2025-12", b"another secret of thirty-two ...")
        .unwrap();
    let permission = Permission::prefix("photos", "users/4711/")
        .max_size(1000)
        .valid_for(Duration::from_secs(3600));
    let spec = CallbackSpec::builder()
        .url("http://app.example.com/")
        .body("bucket=${bucket}&object=${object}&size=${size}&user=${x:user}&seal=${x:seal}")
        .variable("user", "4711");
    let spec = sealer.seal(spec, &permission).unwrap();
    let facts = ObjectFacts::new("photos", "users/4711/a b").size(1000);
    let form = spec.preview(&facts).unwrap()[0].body().to_owned();
    let members: Vec<String> = form
        .split('&')
        .map(|pair| pair.replace("%2F", "/").replace("%20", " "))
        .map(|pair| format!("\"{}\"", pair.replacen('=', "\":\"", 1)))
        .collect();
    let json = format!("{{{}}}", members.join(","));
    let mut random = Random(0x5ea1);
    let (mut permitted, mut kinds) = (0, std::collections::HashSet::new());
    for round in 0..20_000 {
        let (content_type, sample) = match round % 2 {
            0 => ("application/x-www-form-urlencoded", &form),
            _ => ("application/json", &json),
        };
        let mut body = sample.clone().into_bytes();
        if round > 1 {
            random.change(&mut body);
        }
        let authorization = key.sign("/", &body);
        let request = CallbackRequest::new("POST", "/", &body)
            .header("Authorization", &authorization)
            .header("x-oss-pub-key-url", &key_url)
            .header("Content-Type", content_type);
        let verified = verifier.verify(&request).expect("it is signed");
        match sealer.check(&verified) {
            Ok(sealed) => {
                permitted += 1;
                assert_eq!(sealed.bucket(), "photos");
                assert!(sealed.object().starts_with("users/4711/"));
                assert!(sealed.size() <= 1000);
                let variables: Vec<_> = sealed.variables().collect();
                assert_eq!(variables, [("user", "4711")]);
                assert_eq!(sealed.key_id(), "2026-01");
            }
            Err(error) => {
                assert!(round > 1, "{error}");
                kinds.insert(error.kind());
            }
        }
    }
    assert!(permitted > 100, "{permitted}");
    for kind in [
        ErrorKind::BadBody,
        ErrorKind::SealMissing,
        ErrorKind::UnknownSealKey,
        ErrorKind::BadSeal,
        ErrorKind::SealViolated,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} was never reached");
    }
}

#[test]
fn every_body_is_read_or_refused() {
    let json = br#"{"bucket":"b","object":"a\/\u76ee","size":5,"imageInfo":{"height":3,"width":null},"x:u":[1,{"a":2}]}"#;
    let mut random = Random(0xb0d1);
    let (mut read, mut refused) = (0, 0);
    for round in 0..40_000 {
        let (content_type, sample) = match round % 3 {
            0 => (Some("application/json"), &json[..]),
            1 => (Some("application/x-www-form-urlencoded"), BODY),
            _ => (None, &json[..]),
        };
        let mut body = sample.to_vec();
        random.change(&mut body);
        match CallbackBody::parse(content_type, &body) {
            Ok(body) => {
                read += 1;
                let names: std::collections::HashSet<&str> =
                    body.members().map(|(name, _)| name).collect();
                assert_eq!(names.len(), body.members().count());
                let _ = (
                    body.object(),
                    body.size(),
                    body.image_height(),
                    body.variable("u"),
                );
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::BadBody);
                assert!(error.to_string().len() < 1024);
            }
        }
        if let Ok(text) = String::from_utf8(body) {
            let _ = explain(&STANDARD.encode(&text), Some(&text)).to_string();
        }
    }
    assert!(read > 5000 && refused > 5000, "{read} {refused}");
}

/// What a body costs is bounded by its limit, not by what it promises.
#[test]
fn the_largest_bodies_are_refused_or_read_in_good_time() {
    let mib = 1024 * 1024;
    for body in [
        b"&".repeat(mib),
        b"a=&".repeat(mib / 3),
        b"%".repeat(mib),
        b"+".repeat(mib),
        [b"{\"a\":".repeat(100), b"[".repeat(mib - 500)].concat(),
        [&b"{\"a\":\""[..], &b"\\u0061".repeat(mib / 6 - 3), b"\"}"].concat(),
        (0..100_000)
            .map(|n| format!("{n}&"))
            .collect::<String>()
            .into_bytes(),
    ] {
        let start = std::time::Instant::now();
        let _ = CallbackBody::parse(None, &body);
        assert!(start.elapsed().as_secs() < 5);
    }
}
