//! What the uploader is told about each way in which an application server can answer, for bytes and for
//! files, held against what local-oss stored and delivered.

mod support;

use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver, RefusedAddress, Server};
use oss_callback::{Answered, Client, ErrorKind, Receipt, Result, Stored};
use support::{BUCKET, TemporaryFile, client, server, spec};

const LIMIT: Duration = Duration::from_millis(300);

/// What the application server does, and what OSS says of it: `None` for an answer that it accepts.
struct Case {
    name: &'static str,
    answer: fn() -> Answer,
    complaint: Option<&'static str>,
    body: &'static str,
}

const CASES: [Case; 8] = [
    Case {
        name: "200 JSON",
        answer: || Answer::json(r#"{"Status":"OK"}"#),
        complaint: None,
        body: r#"{"Status":"OK"}"#,
    },
    Case {
        name: "200 XML",
        answer: || Answer::new(200, "application/xml", "<Status>OK</Status>"),
        complaint: None,
        body: "<Status>OK</Status>",
    },
    Case {
        name: "200 array",
        answer: || Answer::json("[1, 2]"),
        complaint: None,
        body: "[1, 2]",
    },
    Case {
        name: "404",
        answer: || Answer::status(404),
        complaint: Some("Error status : 404."),
        body: "",
    },
    Case {
        name: "502",
        answer: || Answer::status(502),
        complaint: Some("Error status : 502."),
        body: "",
    },
    Case {
        name: "silence beyond the limit",
        answer: Answer::silence,
        complaint: Some("Cost too long time."),
        body: "",
    },
    Case {
        name: "no Content-Length",
        answer: || Answer::json("{}").without_content_length(),
        complaint: Some("Error status : 400.User server missing content-length."),
        body: "",
    },
    Case {
        name: "not JSON",
        answer: || Answer::json("OK"),
        complaint: Some("Response body is not valid json format."),
        body: "",
    },
];

/// Uploads the same contents once as bytes and once as a file.
fn upload_both(client: &Client, url: &str) -> [(&'static str, Result<Receipt>); 2] {
    let spec = spec(url);
    let file = TemporaryFile::new("contents.txt", b"contents");
    let put = |object: &str| client.put_object(BUCKET, object).callback(&spec);
    [
        ("bytes", put("bytes").send_bytes(b"contents")),
        ("file", put("file").send_file(file.path())),
    ]
}

/// Holds what the uploader was told against what local-oss knows.
fn hold(
    server: &Server,
    name: &str,
    object: &str,
    result: Result<Receipt>,
    complaint: Option<&str>,
    body: &str,
) {
    let stored = server
        .stored()
        .into_iter()
        .rfind(|stored| stored.key == object)
        .unwrap();
    let delivery = server
        .deliveries()
        .into_iter()
        .rfind(|d| d.key == object)
        .unwrap();
    assert_eq!(
        server.object(BUCKET, object).unwrap(),
        b"contents",
        "{name}, {object}"
    );
    assert_eq!(delivery.accepted, complaint.is_none(), "{name}, {object}");
    assert_eq!(delivery.message.as_deref(), complaint, "{name}, {object}");

    let Some(complaint) = complaint else {
        let receipt = result.unwrap_or_else(|e| panic!("{name}, {object}: {e:?}"));
        assert_eq!(receipt.answer(), body.as_bytes(), "{name}, {object}");
        assert_eq!(
            receipt.etag(),
            Some(stored.etag.as_str()),
            "{name}, {object}"
        );
        return;
    };
    let error = result.expect_err(name);
    assert_eq!(
        error.kind(),
        ErrorKind::CallbackFailed,
        "{name}, {object}: {error}"
    );
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::No),
        "{name}"
    );
    assert_eq!(error.status(), Some(203), "{name}, {object}");
    assert_eq!(error.oss_code(), Some("CallbackFailed"), "{name}, {object}");
    assert_eq!(error.oss_message(), Some(complaint), "{name}, {object}");
    assert_eq!(error.ec(), delivery.ec.as_deref(), "{name}, {object}");
    assert!(error.diagnosis().is_some(), "{name}, {object}");
    assert_eq!(
        error.request_id(),
        Some(stored.request_id.as_str()),
        "{name}, {object}"
    );
    let receipt = error.receipt().expect(name);
    assert_eq!(receipt.status(), 203, "{name}, {object}");
    assert_eq!(
        receipt.etag(),
        Some(stored.etag.as_str()),
        "{name}, {object}"
    );
    assert_eq!(receipt.crc64(), Some(stored.crc64), "{name}, {object}");
    assert!(receipt.answer().is_empty(), "{name}, {object}");
}

#[test]
fn the_uploader_is_told_what_the_application_server_did() {
    for case in &CASES {
        let server = server().callback_timeout(LIMIT).start().unwrap();
        let answer = case.answer;
        let receiver = Receiver::start(move |_| answer()).unwrap();
        for (object, result) in upload_both(&client(server.endpoint()), &receiver.url("/")) {
            hold(
                &server,
                case.name,
                object,
                result,
                case.complaint,
                case.body,
            );
        }
        assert_eq!(
            server.stored().len(),
            2,
            "{}: nothing is stored twice",
            case.name
        );
        assert_eq!(
            receiver.requests().len(),
            2,
            "{}: nothing is delivered twice",
            case.name
        );
    }
}

#[test]
fn the_uploader_is_told_when_the_application_server_cannot_be_reached() {
    let server = server().start().unwrap();
    let refused = RefusedAddress::new().unwrap();
    let url = format!("http://{}/", refused.address());
    for (object, result) in upload_both(&client(server.endpoint()), &url) {
        hold(
            &server,
            "refused",
            object,
            result,
            Some("Error status : 502."),
            "",
        );
    }
    assert_eq!((server.stored().len(), server.deliveries().len()), (2, 2));
}

#[test]
fn the_client_waits_longer_than_the_five_seconds_of_oss() {
    let server = server().start().unwrap();
    let receiver = Receiver::start(|_| Answer::silence()).unwrap();
    let begun = Instant::now();
    let result = client(server.endpoint())
        .put_object(BUCKET, "bytes")
        .callback(&spec(&receiver.url("/")))
        .send_bytes(b"contents");
    assert!(
        begun.elapsed() >= Duration::from_secs(5),
        "the real limit was not reached"
    );
    hold(
        &server,
        "silence",
        "bytes",
        result,
        Some("Cost too long time."),
        "",
    );
}

#[test]
fn another_url_is_tried_and_its_answer_counts() {
    let server = server().callback_timeout(LIMIT).start().unwrap();
    let refuses = Receiver::start(|_| Answer::status(500)).unwrap();
    let agrees = support::agreeing_receiver();
    let spec = oss_callback::CallbackSpec::builder()
        .url(refuses.url("/first"))
        .url(agrees.url("/second"))
        .body("a=1")
        .build()
        .unwrap();
    let receipt = client(server.endpoint())
        .put_object(BUCKET, "a")
        .callback(&spec)
        .send_bytes(b"")
        .unwrap();
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
    let accepted: Vec<bool> = server.deliveries().iter().map(|d| d.accepted).collect();
    assert_eq!(accepted, [false, true]);
}

#[test]
fn what_oss_rejects_is_explained_and_stores_nothing() {
    let server = server().strict(true).start().unwrap();
    let spec = spec("http://127.0.0.1:1/");
    let error = client(server.endpoint())
        .put_object(BUCKET, "a")
        .callback(&spec)
        .send_bytes(b"x")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::No, Answered::No)
    );
    assert_eq!(error.oss_code(), Some("InvalidArgument"));
    assert_eq!(error.ec(), Some("0007-00000008"));
    assert_eq!(error.detail("ArgumentName"), Some("callbackUrl"));
    assert!(
        error.diagnosis().unwrap().contains("private address"),
        "{:?}",
        error.diagnosis()
    );
    assert!(error.receipt().is_none());
    assert!(server.stored().is_empty() && server.deliveries().is_empty());
}

#[test]
fn a_wrong_key_is_refused_with_the_text_that_oss_signed() {
    let server = server().start().unwrap();
    let error = support::client_builder(server.endpoint())
        .credentials(oss_callback::Credentials::new(
            support::KEY_ID,
            "wrong-secret",
        ))
        .build()
        .unwrap()
        .put_object(BUCKET, "a")
        .send_bytes(b"x")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::AccessDenied, Stored::No)
    );
    assert_eq!(error.oss_code(), Some("SignatureDoesNotMatch"));
    assert!(
        error
            .detail("StringToSign")
            .unwrap()
            .starts_with("OSS4-HMAC-SHA256")
    );
    assert_eq!(error.answered(), Answered::NotRequested);
    assert!(!format!("{error} {error:?}").contains("wrong-secret"));
}
