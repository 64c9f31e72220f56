//! Signatures in URLs, over real sockets: what an uploader without a key may do, and what not.

use std::time::{Duration, SystemTime};

use crate::client;
use crate::client::{
    ID, Response, SECRET, base64,
    callback::{answering, callback},
    get,
    presign::{VERSIONS, Version, presign},
    start,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use local_oss::{Answer, Server};
use serde_json::json;

const OK: &str = r#"{"Status":"OK"}"#;

fn assert_refused(response: &Response, status: u16, code: &str) {
    assert_eq!(response.error(), (status, code.to_owned()));
}

#[test]
fn objects_are_put_read_listed_and_deleted() {
    for version in VERSIONS {
        let server = start();
        let url = |method| presign(version, method, "a/b.txt").request();
        assert_eq!(url("PUT").body("hello").send(&server).status, 200);
        assert_eq!(url("GET").send(&server).text(), "hello");
        let head = url("HEAD").send(&server);
        assert_eq!(
            (head.status, head.header("content-length")),
            (200, Some("5"))
        );
        let part = url("GET").header("Range", "bytes=1-3").send(&server);
        assert_eq!((part.status, part.text().as_str()), (206, "ell"));
        let shown = presign(version, "GET", "a/b.txt").query("response-content-type", "text/x-a");
        let shown = shown.request().send(&server);
        assert_eq!(shown.header("content-type"), Some("text/x-a"));
        let listed = presign(version, "GET", "").query("prefix", "a/").request();
        assert!(listed.send(&server).text().contains("<Key>a/b.txt</Key>"));
        assert_eq!(url("DELETE").send(&server).status, 204);
        assert_refused(&url("GET").send(&server), 404, "NoSuchKey");
    }
}

#[test]
fn no_step_of_a_multipart_upload_needs_a_key() {
    for version in VERSIONS {
        let server = client::builder().min_part_size(1).start().unwrap();
        let receiver = answering(Answer::json(OK));
        let url = |method| presign(version, method, "big");
        let begin = || {
            let begun = url("POST").query("uploads", "").request().send(&server);
            begun.element("UploadId").unwrap()
        };
        let id = begin();
        let mut parts = String::new();
        for (number, body) in [("1", "hello "), ("2", "world")] {
            let part = url("PUT")
                .query("partNumber", number)
                .query("uploadId", &id);
            let answer = part.request().body(body).send(&server);
            let etag = answer.header("etag").unwrap();
            parts.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            ));
        }
        let listed = url("GET").query("uploadId", &id).request().send(&server);
        assert_eq!(listed.text().matches("<PartNumber>").count(), 2);
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let complete = url("POST")
            .query("uploadId", &id)
            .callback(&callback(&receiver.url("/")));
        let done = complete.request().body(body).send(&server);
        assert_eq!((done.status, done.text().as_str()), (200, OK));
        assert_eq!(receiver.requests()[0].text(), "object=big&size=11");
        assert_eq!(get("big").send(&server).text(), "hello world");

        let abort = url("DELETE").query("uploadId", &begin()).request();
        assert_eq!(abort.send(&server).status, 204);
    }
}

#[test]
fn a_url_that_has_had_its_time_is_refused() {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for version in VERSIONS {
        let server = start();
        let made = presign(version, "PUT", "a").signed_at(hour_ago);
        let late = made.clone().valid_for(3500).request();
        let late = late.body("x").send(&server);
        assert_refused(&late, 403, "AccessDenied");
        assert_eq!(late.element("Message").unwrap(), "Request has expired.");
        assert!(late.element("ServerTime").is_some());
        assert!(server.stored().is_empty());
        let in_time = made.valid_for(3700).request().body("x").send(&server);
        assert_eq!(in_time.status, 200);
    }
}

#[test]
fn a_url_is_good_for_what_it_says_and_nothing_else() {
    for version in VERSIONS {
        let server = start();
        let url = presign(version, "PUT", "mine").header("x-oss-meta-a", "b");
        let target = url.target();
        let request = url.request().body("x");
        for other in [
            request.clone().target(&target.replace("mine", "yours")),
            request.clone().target(&format!("{target}&acl")),
            request.clone().without_header("x-oss-meta-a"),
            request.clone().header("x-oss-meta-a", "c"),
            request.clone().header("x-oss-meta-c", "d"),
            // What a browser or curl adds.
            request.clone().header("Content-Type", "text/plain"),
            url.clone().secret("wrong").request(),
        ] {
            assert_refused(&other.send(&server), 403, "SignatureDoesNotMatch");
        }
        let read = client::request("GET", &target).without_authorization();
        assert_refused(&read.send(&server), 403, "SignatureDoesNotMatch");
        assert!(server.stored().is_empty());
        assert_eq!(request.send(&server).status, 200);
        assert_eq!(server.stored()[0].header("x-oss-meta-a"), Some("b"));
    }
}

#[test]
fn a_mismatch_says_what_was_to_be_signed() {
    let server = start();
    let wrong = |version| {
        let url = presign(version, "PUT", "a").secret("wrong");
        url.request().send(&server)
    };
    let one = wrong(Version::One);
    assert_eq!(one.element("OSSAccessKeyId").as_deref(), Some(ID));
    let text = one.element("StringToSign").unwrap();
    assert!(
        text.starts_with("PUT\n\n\n") && text.ends_with("\n/examplebucket/a"),
        "{text}"
    );
    let four = wrong(Version::Four);
    let text = four.element("StringToSign").unwrap();
    assert!(text.starts_with("OSS4-HMAC-SHA256\n"), "{text}");
    let canonical = four.element("CanonicalRequest").unwrap();
    assert!(
        canonical.starts_with("PUT\n/examplebucket/a\nx-oss-credential=")
            && canonical.ends_with("\n\n\nUNSIGNED-PAYLOAD"),
        "{canonical}"
    );
}

#[test]
fn headers_that_a_url_lists_must_come() {
    let server = start();
    let url = presign(Version::Four, "PUT", "a")
        .additional("host")
        .header("host", "127.0.0.1");
    assert_eq!(url.request().body("x").send(&server).status, 200);
    let elsewhere = url.request().header("host", "localhost");
    assert_refused(&elsewhere.send(&server), 403, "SignatureDoesNotMatch");
    let url = presign(Version::Four, "PUT", "a")
        .additional("x-a")
        .header("x-a", "b");
    assert_eq!(url.request().send(&server).status, 200);
    let changed = url.request().header("x-a", "c");
    assert_refused(&changed.send(&server), 403, "SignatureDoesNotMatch");
    let without = url.request().without_header("x-a");
    assert_refused(&without.send(&server), 400, "AuthorizationArgumentError");
}

#[test]
fn a_signature_that_lacks_a_part_is_no_right() {
    let server = start();
    for (version, names) in [
        (
            Version::One,
            &["OSSAccessKeyId", "Expires", "Signature"][..],
        ),
        (
            Version::Four,
            &[
                "x-oss-signature-version",
                "x-oss-credential",
                "x-oss-date",
                "x-oss-expires",
                "x-oss-signature",
            ],
        ),
    ] {
        let url = presign(version, "GET", "a");
        for name in names {
            let target = url.target().replace(&format!("{name}="), "other=");
            let answer = url.request().target(&target).send(&server);
            match version {
                Version::One => assert_refused(&answer, 403, "AccessDenied"),
                Version::Four => assert_refused(&answer, 400, "AuthorizationArgumentError"),
            }
        }
    }
}

#[test]
fn a_signature_in_header_and_url_is_one_too_many() {
    let server = start();
    for version in VERSIONS {
        let target = presign(version, "GET", "a").target();
        let twice = client::request("GET", &target).send(&server);
        assert_refused(&twice, 400, "InvalidArgument");
    }
}

#[test]
fn a_url_of_temporary_credentials_has_their_token() {
    for version in VERSIONS {
        let server = Server::builder()
            .sts_credentials(ID, SECRET, "to/ken+=")
            .start()
            .unwrap();
        let url = || presign(version, "PUT", "a");
        let put = |url: client::presign::Presign| url.request().body("x").send(&server);
        assert_eq!(put(url().token("to/ken+=")).status, 200);
        assert_refused(&put(url()), 400, "InvalidRequest");
        assert_refused(&put(url().token("other")), 403, "InvalidSecurityToken");
        let in_header = url().header("x-oss-security-token", "to/ken+=");
        assert_refused(&put(in_header), 400, "InvalidRequest");
        server.expire_credentials(ID);
        let late = put(url().token("to/ken+="));
        assert_refused(&late, 403, "SecurityTokenExpired");
    }
}

#[test]
fn a_callback_in_the_url_is_delivered_and_cannot_be_dropped() {
    for version in VERSIONS {
        let server = start();
        let receiver = answering(Answer::json(OK));
        let config = json!({
            "callbackUrl": receiver.url("/done"),
            "callbackBody": "object=${object}&op=${operation}&who=${x:who}",
        });
        let url = presign(version, "PUT", "a")
            .callback(&config)
            .callback_var(&json!({"x:who": "eric"}));
        let request = url.request().body("hello");
        let answer = request.send(&server);
        assert_eq!((answer.status, answer.text().as_str()), (200, OK));
        assert!(answer.header("etag").is_some());
        let delivered = &receiver.requests()[0];
        assert_eq!(delivered.text(), "object=a&op=PutObject&who=eric");

        let target = url.target();
        let pair = |name| target.split(['?', '&']).find(|pair| pair.starts_with(name));
        for name in ["callback=", "callback-var="] {
            let pair = pair(name).unwrap();
            for changed in ["", "callback=e30%3D", "callback-var=e30%3D"] {
                let changed = request.clone().target(&target.replace(pair, changed));
                assert_refused(&changed.send(&server), 403, "SignatureDoesNotMatch");
            }
        }
        // Nor can the uploader say it again in a header.
        let again = request.header("x-oss-callback", &base64(&config));
        assert_refused(&again.send(&server), 403, "SignatureDoesNotMatch");
        let both = url.header("x-oss-callback", &base64(&config)).request();
        let both = both.send(&server);
        assert_refused(&both, 400, "InvalidArgument");
        assert_eq!(both.element("EC").as_deref(), Some("0007-00000027"));
        assert_eq!(receiver.requests().len(), 1);
    }
}

#[test]
fn a_callback_in_signed_headers_must_be_sent() {
    for version in VERSIONS {
        let server = start();
        let receiver = answering(Answer::json(OK));
        let config = base64(&callback(&receiver.url("/")));
        let url = presign(version, "PUT", "a").header("x-oss-callback", &config);
        let request = url.request().body("hello");
        let dropped = request.clone().without_header("x-oss-callback");
        assert_refused(&dropped.send(&server), 403, "SignatureDoesNotMatch");
        assert_eq!(request.send(&server).text(), OK);
        assert_eq!(receiver.requests()[0].text(), "object=a&size=5");
    }
}

#[test]
fn a_callback_that_fails_is_203_and_one_that_is_wrong_400() {
    for version in VERSIONS {
        let server = start();
        let receiver = answering(Answer::status(500));
        let url = presign(version, "PUT", "a").callback(&callback(&receiver.url("/")));
        let failed = url.request().body("hello").send(&server);
        assert_refused(&failed, 203, "CallbackFailed");
        assert_eq!(get("a").send(&server).text(), "hello");
        let wrong = presign(version, "PUT", "b").query("callback", &STANDARD.encode("{}"));
        let wrong = wrong.request().body("hello").send(&server);
        assert_refused(&wrong, 400, "InvalidArgument");
        assert_eq!(server.stored().len(), 1);
    }
}

#[test]
fn a_head_that_is_refused_says_why_in_a_header() {
    let server = start();
    for version in VERSIONS {
        let wrong = presign(version, "HEAD", "a").secret("wrong").request();
        let answer = wrong.send(&server);
        let document = STANDARD
            .decode(answer.header("x-oss-err").unwrap())
            .unwrap();
        let document = String::from_utf8(document).unwrap();
        assert!(document.contains("<Code>SignatureDoesNotMatch</Code>"));
    }
}
