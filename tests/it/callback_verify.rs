//! The receiving side, against the known answers and against callbacks that local-oss really delivers.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_oss::{CallbackKey, Sending};
use oss_callback::callback::{
    self, CallbackRequest, KeySource, KnownKeys, PublicKey, Verifier, key_unavailable,
};
use oss_callback::{BodyType, CallbackSpec, Error, ErrorKind};
use serde_json::Value;
use support::{BUCKET, agreeing_receiver, client, request_of, server};

fn vectors() -> Value {
    let text = include_str!("../vectors/callback_signature.json");
    serde_json::from_str(text).unwrap()
}

/// The keys of a vector, bait on other hosts included.
struct Map(Value);

impl KeySource for Map {
    fn key(&self, url: &str) -> Result<PublicKey, Error> {
        match self.0[url].as_str() {
            Some(pem) => PublicKey::from_pem(pem),
            None => Err(key_unavailable("not in the map")),
        }
    }
}

/// A request of the vectors, which owns its parts.
struct Row(Value, Vec<u8>);

impl Row {
    fn new(row: &Value) -> Row {
        let body = match row["body_utf8"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => STANDARD
                .decode(row["body_base64"].as_str().unwrap())
                .unwrap(),
        };
        Row(row.clone(), body)
    }

    fn request(&self) -> CallbackRequest<'_> {
        let headers = self.0["headers"].as_array().unwrap().iter();
        CallbackRequest::new(
            self.0["method"].as_str().unwrap(),
            self.0["request_target"].as_str().unwrap(),
            &self.1,
        )
        .headers(headers.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())))
    }
}

fn row(id: &str) -> Row {
    let file = vectors();
    let mut rows = file["vectors"].as_array().unwrap().iter();
    Row::new(rows.find(|row| row["id"] == id).unwrap())
}

fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::MissingAuthorization => "missing_authorization",
        ErrorKind::MissingPubKeyUrl => "missing_pub_key_url",
        ErrorKind::BadPubKeyUrl => "bad_pub_key_url",
        ErrorKind::BadSignatureEncoding => "bad_signature_encoding",
        ErrorKind::BadSignature => "bad_signature",
        _ => "another",
    }
}

#[test]
fn the_vectors_pass_whole() {
    let file = vectors();
    let rows = file["vectors"].as_array().unwrap();
    assert_eq!(Some(rows.len() as u64), file["count"].as_u64());
    for row in rows {
        let request = Row::new(row);
        let keys = Map(row["public_keys"].clone());
        let result = callback::verify(&request.request(), &keys);
        let expected = row["expect"]["reason"].as_str().unwrap();
        match result {
            Ok(verified) => {
                assert_eq!(expected, "ok", "{}", row["id"]);
                assert_eq!(verified.body(), request.1);
                assert_eq!(
                    Some(verified.signed_target()),
                    row["request_target"].as_str()
                );
            }
            Err(error) => assert_eq!(reason(error.kind()), expected, "{}: {error}", row["id"]),
        }
    }
}

/// What OSS itself has sent, with nothing but what is built in.
#[test]
fn real_callbacks_verify_with_the_built_in_key_alone() {
    let mut captured = 0;
    for row in vectors()["vectors"].as_array().unwrap() {
        if row["captured"] != true {
            continue;
        }
        let request = Row::new(row);
        let result = Verifier::new().verify(&request.request());
        assert_eq!(
            result.is_ok(),
            row["expect"]["valid"] == true,
            "{}",
            row["id"]
        );
        captured += 1;
    }
    assert_eq!(captured, 10);
    let body = callback::verify(&row("s-cbs-42").request(), &KnownKeys::new());
    let body = body.unwrap().parse().unwrap();
    assert_eq!(body.object(), Some("headSculpture/jikang2.jpg"));
    assert_eq!(
        (body.size(), body.image_width()),
        (Some(108_904), Some(200))
    );
    let body = callback::verify(&row("s-cbs-44").request(), &KnownKeys::new());
    let body = body.unwrap().parse().unwrap();
    assert_eq!(body.bucket(), Some("post-test"));
    assert_eq!((body.size(), body.image_width()), (Some(31), None));
}

/// Headers are not signed, so they must not be where facts come from.
#[test]
fn what_no_signature_covers_is_no_fact() {
    let row = row("s-cbs-42");
    let request = row.request().header("x-oss-bucket", "another");
    let body = Verifier::new().verify(&request).unwrap().parse().unwrap();
    assert_eq!(body.bucket(), None);
    assert!(body.members().all(|(name, _)| !name.contains("oss")));
}

/// A source that must not be asked.
struct Never;

impl KeySource for Never {
    fn key(&self, url: &str) -> Result<PublicKey, Error> {
        panic!("asked for {url}")
    }
}

fn error_of(verifier: &Verifier, request: &CallbackRequest<'_>) -> Error {
    verifier.verify(request).unwrap_err()
}

#[test]
fn the_host_rule_comes_before_any_key_source() {
    for url in [
        "https://gosspublic.alicdn.com",
        "https://gosspublic.alicdn.com:443/callback_pub_key_v1.pem",
        "https://gosspublic.alicdn.com@evil.example/callback_pub_key_v1.pem",
        "https://user@gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "https://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem",
        "https://gosspublic.alicdn.com\\@evil.example/",
        "https://gosspublic.alicdn.com%2f@evil.example/",
        "https://gosspublic.alicdn.com./callback_pub_key_v1.pem",
        "https://gosspublic。alicdn.com/callback_pub_key_v1.pem",
        "https://gossрublic.alicdn.com/callback_pub_key_v1.pem",
        "https://xn--gossublic-4ug.alicdn.com/callback_pub_key_v1.pem",
        "https:\\\\gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "https:gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "//gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "https://https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "https://gosspublic.alicdn.com\n/callback_pub_key_v1.pem",
        "https://GOSSPUBLIC.ALICDN.COM/callback_pub_key_v1.pem",
        " https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
        "file:///etc/passwd",
        "",
    ] {
        let encoded = STANDARD.encode(url);
        let request = CallbackRequest::new("POST", "/", "")
            .header("Authorization", "AAAA")
            .header("X-OSS-Pub-Key-Url", &encoded);
        let error = error_of(&Verifier::with_keys(Never), &request);
        let expected = match url {
            "" => ErrorKind::MissingPubKeyUrl,
            _ => ErrorKind::BadPubKeyUrl,
        };
        assert_eq!(error.kind(), expected, "{url}: {error}");
    }
}

/// On the host, but not the key that is known: nothing is guessed from a name that is alike.
#[test]
fn another_path_on_the_host_is_another_key() {
    for path in [
        "",
        "/callback_pub_key_v1.pem",
        "@evil.example/callback_pub_key_v1.pem",
        "../callback_pub_key_v1.pem",
        "callback_pub_key_v1.pem?",
        "callback_pub_key_v1.pem\0",
        "callback_pub_key_v01.pem",
        "Callback_pub_key_v1.pem",
        "callback%5fpub_key_v1.pem",
    ] {
        let encoded = STANDARD.encode(format!("https://gosspublic.alicdn.com/{path}"));
        let request = CallbackRequest::new("POST", "/", "")
            .header("Authorization", "AAAA")
            .header("x-oss-pub-key-url", &encoded);
        let error = error_of(&Verifier::new(), &request);
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable, "{path}");
    }
}

#[test]
fn targets_and_headers_over_16_kib_and_bodies_over_1_mib_are_refused() {
    let key = CallbackKey::generate(512, "http://keys.example.com").unwrap();
    let verifier = Verifier::new()
        .trust_key_url_for_tests(key.public_url(), key.public_pem())
        .unwrap();
    let key_url = STANDARD.encode(key.public_url());
    let verify = |target: &str, body: &[u8], more: (&str, &str)| {
        let authorization = key.sign(target, body);
        let request = CallbackRequest::new("POST", target, body)
            .header(more.0, more.1)
            .header("Authorization", &authorization)
            .header("x-oss-pub-key-url", &key_url);
        verifier.verify(&request).map(drop).map_err(|e| e.kind())
    };
    let target = |len: usize| format!("/{}", "a".repeat(len - 1));
    let other = ("X-Other", "");
    assert_eq!(verify(&target(16 << 10), b"", other), Ok(()));
    assert_eq!(
        verify(&target((16 << 10) + 1), b"", other),
        Err(ErrorKind::BadSignature)
    );
    assert_eq!(verify("/", &vec![b'a'; 1 << 20], other), Ok(()));
    assert_eq!(
        verify("/", &vec![b'a'; (1 << 20) + 1], other),
        Err(ErrorKind::BodyTooLarge)
    );
    let long = "AAAA".repeat((16 << 10) / 4 + 1);
    for (name, expected) in [
        ("Authorization", ErrorKind::BadSignatureEncoding),
        ("x-oss-pub-key-url", ErrorKind::BadPubKeyUrl),
    ] {
        assert_eq!(verify("/", b"", (name, &long)), Err(expected), "{name}");
    }
}

#[test]
fn of_headers_that_come_twice_the_first_counts() {
    let signed = row("s-cbs-02");
    let value = |name: &str| {
        let mut headers = signed.0["headers"].as_array().unwrap().iter();
        let found = headers.find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
        found.unwrap()[1].as_str().unwrap()
    };
    let authorization = ("aUTHORIZATION", value("Authorization"));
    let key_url = ("X-Oss-Pub-Key-Url", value("x-oss-pub-key-url"));
    let (garbage, evil) = (("Authorization", "!"), ("x-oss-pub-key-url", "ZXZpbA=="));
    let verify = |headers: [(&'static str, &str); 4]| {
        let request = CallbackRequest::new("POST", "/callback?id=1&index=2", &signed.1);
        let verified = verifier().verify(&request.headers(headers));
        verified.map(drop).map_err(|error| error.kind())
    };
    assert_eq!(verify([authorization, key_url, garbage, evil]), Ok(()));
    assert_eq!(
        verify([garbage, key_url, authorization, key_url]),
        Err(ErrorKind::BadSignatureEncoding)
    );
    assert_eq!(
        verify([authorization, evil, key_url, key_url]),
        Err(ErrorKind::BadPubKeyUrl)
    );
}

/// OSS's own rule leaves that open, so nobody must decide by `signed_target`; `docs/TRUSTING_A_CALLBACK.md` says so.
#[test]
fn a_signature_does_not_say_where_the_path_ends() {
    let signed = row("s-cbs-02");
    for target in [
        "/callback?id=1&index=2",
        "/callback%3Fid=1&index=2",
        "/callback%3fid%3D1%26index=2",
    ] {
        let verified = verifier().verify(&behind_a_proxy(&signed, target, None));
        assert_eq!(verified.unwrap().signed_target(), target);
    }
    // A query is not decoded.
    let request = behind_a_proxy(&signed, "/callback?id%3D1&index=2", None);
    assert_eq!(
        error_of(&verifier(), &request).kind(),
        ErrorKind::BadSignature
    );
}

#[test]
fn reasons_come_in_the_order_of_the_steps() {
    let production = STANDARD.encode("http://gosspublic.alicdn.com/callback_pub_key_v1.pem");
    let unknown = STANDARD.encode("https://gosspublic.alicdn.com/callback_pub_key_v9.pem");
    let (foreign, long) = (STANDARD.encode("http://evil.example/"), "a".repeat(11));
    let verifier = Verifier::new().max_body_len(10);
    let signature = STANDARD.encode([1; 64]);
    let (unknown, foreign, production) = (
        Some(unknown.as_str()),
        Some(foreign.as_str()),
        Some(production.as_str()),
    );
    let cases = [
        ("GET", long.as_str(), None, None, ErrorKind::WrongMethod),
        ("POST", long.as_str(), None, None, ErrorKind::BodyTooLarge),
        ("POST", "", None, None, ErrorKind::MissingAuthorization),
        (
            "POST",
            "",
            Some(""),
            production,
            ErrorKind::MissingAuthorization,
        ),
        ("POST", "", Some("!"), None, ErrorKind::MissingPubKeyUrl),
        ("POST", "", Some("!"), Some("!"), ErrorKind::BadPubKeyUrl),
        ("POST", "", Some("!"), foreign, ErrorKind::BadPubKeyUrl),
        ("POST", "", Some("!"), unknown, ErrorKind::KeyUnavailable),
        (
            "POST",
            "",
            Some("!"),
            production,
            ErrorKind::BadSignatureEncoding,
        ),
        (
            "POST",
            "",
            Some(signature.as_str()),
            production,
            ErrorKind::BadSignature,
        ),
    ];
    for (method, body, authorization, key_url, expected) in cases {
        let mut request = CallbackRequest::new(method, "/", body);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(key_url) = key_url {
            request = request.header("x-oss-pub-key-url", key_url);
        }
        assert_eq!(error_of(&verifier, &request).kind(), expected);
    }
}

/// A key that cannot be had says nothing about the callback: neither valid nor forged.
#[test]
fn a_source_that_fails_makes_no_callback_invalid() {
    struct Broken;
    impl KeySource for Broken {
        fn key(&self, _: &str) -> Result<PublicKey, Error> {
            PublicKey::from_pem("garbage")
        }
    }
    let error = error_of(&Verifier::with_keys(Broken), &row("s-cbs-01").request());
    assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    assert_eq!(callback::reply_refused(&error).status(), 503);
}

#[test]
fn a_test_url_is_admitted_exactly_and_alone() {
    let file = vectors();
    let pem = file["test_keys"][0]["public_pem"].as_str().unwrap();
    let url = "http://127.0.0.1:9000/callback_pub_key_v1.pem";
    let verifier = Verifier::new().trust_key_url_for_tests(url, pem).unwrap();
    let signed = row("s-cbs-02");
    let verify = |key_url: &str| {
        let encoded = STANDARD.encode(key_url);
        let request = CallbackRequest::new("POST", "/callback?id=1&index=2", &signed.1)
            .header("Authorization", signed.0["headers"][0][1].as_str().unwrap())
            .header("x-oss-pub-key-url", &encoded);
        verifier.verify(&request).map_err(|error| error.kind())
    };
    assert!(verify(url).is_ok());
    for other in [
        "http://127.0.0.1:9000/callback_pub_key_v1.pem?",
        "http://127.0.0.1:9000/",
        "https://127.0.0.1:9000/callback_pub_key_v1.pem",
    ] {
        assert_eq!(verify(other), Err(ErrorKind::BadPubKeyUrl));
    }
    // The production key is still the production key.
    let production = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem";
    assert_eq!(verify(production), Err(ErrorKind::BadSignature));
    assert!(verifier.verify(&row("s-cbs-42").request()).is_ok());
    let error = Verifier::new().trust_key_url_for_tests(url, "no key");
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

/// A request that OSS has signed for `/callback?id=1&index=2`, as it comes out of a proxy.
fn behind_a_proxy<'a>(
    signed: &'a Row,
    target: &'a str,
    header: Option<(&'a str, &'a str)>,
) -> CallbackRequest<'a> {
    let headers = signed.0["headers"].as_array().unwrap().iter();
    CallbackRequest::new("POST", target, &signed.1)
        .headers(headers.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())))
        .headers(header)
}

fn verifier() -> Verifier {
    Verifier::with_keys(Map(row("s-cbs-02").0["public_keys"].clone()))
}

#[test]
fn the_path_that_oss_signed_is_restored_behind_proxies() {
    let signed = row("s-cbs-02");
    let original = "/callback?id=1&index=2";
    let stripped = "/?id=1&index=2";
    let added = "/internal/callback?id=1&index=2";
    let url = format!("https://app.example.com{original}");
    let cases = [
        (verifier().strip_prefix("/internal"), added, None),
        (verifier().strip_prefix("internal/"), added, None),
        (
            verifier().trust_target_header("X-Original-URI"),
            "/other",
            Some(("x-original-uri", original)),
        ),
        (
            verifier().trust_target_header("X-Original-URL"),
            stripped,
            Some(("X-Original-URL", url.as_str())),
        ),
        // What needs no restoring is taken as it came.
        (verifier().prepend_prefix("/callback/"), original, None),
    ];
    for (verifier, target, header) in cases {
        let request = behind_a_proxy(&signed, target, header);
        let verified = verifier.verify(&request);
        let verified = verified.unwrap_or_else(|error| panic!("{target}: {error}"));
        // The caller learns which URL OSS was told to call, not which one arrived.
        assert_eq!(verified.signed_target(), original);
    }
    // Encoding the path anew changes nothing, since it is decoded.
    let request = behind_a_proxy(&signed, "/%63allb%61ck?id=1&index=2", None);
    assert!(verifier().verify(&request).is_ok());
    // A prefix is whole parts of the path.
    let request = behind_a_proxy(&signed, "/internal/callback?id=1&index=2", None);
    assert!(verifier().strip_prefix("/inter").verify(&request).is_err());
}

#[test]
fn a_prefix_that_a_proxy_strips_is_put_back() {
    // OSS signed /callback…; the application sees what is left of it.
    let signed = row("s-cbs-02");
    let target = "?id=1&index=2";
    let request = behind_a_proxy(&signed, target, None);
    let verified = verifier()
        .prepend_prefix("/callback")
        .verify(&request)
        .unwrap();
    assert_eq!(verified.signed_target(), "/callback?id=1&index=2");
}

#[test]
fn headers_of_a_proxy_are_believed_only_when_told_to() {
    let signed = row("s-cbs-02");
    let original = ("X-Original-URI", "/callback?id=1&index=2");
    let request = behind_a_proxy(&signed, "/other", Some(original));
    let error = error_of(&verifier(), &request);
    assert_eq!(error.kind(), ErrorKind::BadSignature);
    let hint = error.diagnosis().unwrap();
    assert!(
        hint.contains("A reverse proxy has changed the path"),
        "{hint}"
    );
    let error = error_of(&verifier().trust_target_header("X-Other"), &request);
    assert_eq!(error.kind(), ErrorKind::BadSignature);
}

#[test]
fn a_failure_says_what_was_tried_and_what_causes_it() {
    let signed = row("s-cbs-02");
    let verifier = verifier()
        .prepend_prefix("/api")
        .trust_target_header("X-Original-URI");
    let header = ("X-Original-URI", "/from/the/header?token=geheim");
    let request = behind_a_proxy(&signed, "/cb?token=geheim", Some(header));
    let error = error_of(&verifier, &request);
    let text = format!("{error} {error:?}");
    for part in [
        "`/cb?(12 bytes)` as received",
        "`/api/cb?(12 bytes)` with the prefix `/api`",
        "`/from/the/header?(12 bytes)` from the header `X-Original-URI`",
        "a body of 40 bytes",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(
        !text.contains("geheim") && !text.contains("examplebucket"),
        "{text}"
    );
    assert!(error.diagnosis().unwrap().contains("reverse proxy"));

    let long = format!("/{}", "\u{1b}".repeat(100_000));
    let error = error_of(&verifier, &behind_a_proxy(&signed, &long, None));
    assert!(error.to_string().len() < 2000);
    assert!(!error.to_string().contains('\u{1b}'));
}

#[test]
fn the_usual_mistakes_are_named() {
    let prefixed = ("X-Forwarded-Prefix", "/callback");
    let plain = row("s-cbs-02");
    for (request, named) in [
        (
            behind_a_proxy(&plain, "?id=1&index=2", Some(prefixed)),
            "stripped a prefix",
        ),
        (
            behind_a_proxy(&plain, "/callback/?id=1&index=2", None),
            "slash at the end",
        ),
        (
            behind_a_proxy(&plain, "callback?id=1&index=2", None),
            "does not begin with a slash",
        ),
        (behind_a_proxy(&plain, "/callback", None), "Usual causes"),
        (
            behind_a_proxy(&row("s-cbs-05"), "/a%25b", None),
            "was decoded before",
        ),
    ] {
        let error = error_of(&verifier(), &request);
        assert!(
            error.diagnosis().unwrap().contains(named),
            "{named}: {error:?}"
        );
    }
    let signed = row("s-cbs-02");
    let with_line_break = [&signed.1[..], b"\r\n"].concat();
    let headers = signed.0["headers"].as_array().unwrap().iter();
    let request = CallbackRequest::new("POST", "/callback?id=1&index=2", &with_line_break)
        .headers(headers.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())));
    let hint = error_of(&verifier(), &request);
    assert!(hint.diagnosis().unwrap().contains("line break"), "{hint:?}");
}

/// local-oss signs with code of its own, and delivers what OSS delivers.
#[test]
fn a_callback_of_local_oss_verifies_and_is_read() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let verifier = Verifier::new()
        .trust_key_url_for_tests(server.public_key_url(), server.public_key_pem())
        .unwrap();
    for (body_type, body) in [
        (
            BodyType::Form,
            "bucket=${bucket}&object=${object}&size=${size}&u=${x:u}",
        ),
        (
            BodyType::Json,
            r#"{"bucket":${bucket},"object":${object},"size":${size},"u":${x:u}}"#,
        ),
    ] {
        let spec = CallbackSpec::builder()
            .url(receiver.url("/call%20back/%E7%9B%AE?a=%41&b=%2F"))
            .body(body)
            .body_type(body_type)
            .variable("u", "1 &\"+%目")
            .build()
            .unwrap();
        let put = client(server.endpoint()).put_object(BUCKET, "a b/目+&.txt");
        put.callback(&spec).send_bytes(b"hello").unwrap();
        let requests = receiver.requests();
        let request = request_of(requests.last().unwrap());
        let body = verifier.verify(&request).unwrap().parse().unwrap();
        assert_eq!(body.body_type(), body_type);
        assert_eq!((body.bucket(), body.size()), (Some(BUCKET), Some(5)));
        assert_eq!(body.object(), Some("a b/目+&.txt"));
        assert_eq!(body.variable("u"), Some("1 &\"+%目"));
        // Without trust in the test's key it is a forgery.
        let error = error_of(&Verifier::new(), &request);
        assert_eq!(error.kind(), ErrorKind::BadPubKeyUrl);
    }
    assert_eq!(receiver.requests().len(), 2);
}

/// `local-oss send`, for a server under development: its key is trusted like that of any other test server.
#[test]
fn what_local_oss_sends_without_an_upload_verifies() {
    let receiver = agreeing_receiver();
    let url = "http://keys.example.com/k.pem";
    let key = CallbackKey::generate(512, "http://keys.example.com").unwrap();
    let key = key.with_public_url(url);
    let verifier = Verifier::new()
        .trust_key_url_for_tests(url, key.public_pem())
        .unwrap();
    let mut sending = Sending::new(key);
    for (name, value) in [
        ("callbackUrl", receiver.url("/cb%20?a=%41")),
        ("callbackBody", "object=${object}&size=${size}".to_owned()),
    ] {
        sending.callback.insert(name.to_owned(), value.into());
    }
    sending.object = "photos/1 目.jpg".to_owned();
    sending.contents = b"hello".to_vec();
    let deliveries = sending.send().unwrap();
    assert_eq!(deliveries.len(), 1);
    let received = &receiver.requests()[0];
    let body = verifier
        .verify(&request_of(received))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        (body.object(), body.size()),
        (Some("photos/1 目.jpg"), Some(5))
    );
}

/// The best of many short runs, since other tests share the processor.
#[test]
fn verification_takes_under_100_microseconds() {
    let (row, verifier) = (row("s-cbs-42"), Verifier::new());
    let request = row.request();
    let run = || {
        let start = Instant::now();
        for _ in 0..10 {
            verifier.verify(&request).unwrap();
        }
        start.elapsed() / 10
    };
    let best = (0..200).map(|_| run()).min().unwrap();
    assert!(best < Duration::from_micros(100), "{best:?}");
}
