//! What the uploader is told about each way in which an application server can answer, from bytes, readers
//! and files, in Rust and in C, held against what local-oss stored and delivered.
//!
//! The table stands in `docs/OUTCOMES.md`; `BLESS=1 cargo test --test it callback_outcomes` writes it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver, RefusedAddress, Server};
use oss_callback::{Answered, Client, ErrorKind, Receipt, Result, Stored};
use support::c;
use support::{BUCKET, TemporaryFile, client, server, spec};

/// For an application server that stays silent; any other may take the 5 s of OSS on a busy machine.
const LIMIT: Duration = Duration::from_millis(300);

/// What the application server does, and what OSS says of it: `None` for an answer that it accepts.
struct Case {
    name: &'static str,
    answer: fn() -> Answer,
    complaint: Option<&'static str>,
    body: &'static str,
}

const SILENCE: &str = "silence beyond the limit";

const CASES: [Case; 9] = [
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
        name: SILENCE,
        answer: Answer::silence,
        complaint: Some("Cost too long time."),
        body: "",
    },
    Case {
        name: "connection refused",
        answer: Answer::close,
        complaint: Some("Error status : 502."),
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

/// From where the same contents are uploaded, and in which language.
const WAYS: [(&str, &str); 6] = [
    ("Rust", "bytes"),
    ("Rust", "reader"),
    ("Rust", "file"),
    ("C", "bytes"),
    ("C", "reader"),
    ("C", "file"),
];

const CONTENTS: &[u8] = b"contents";

fn upload(client: &Client, url: &str, source: &str) -> Result<Receipt> {
    let file = TemporaryFile::new("contents.txt", CONTENTS);
    let put = client.put_object(BUCKET, "object").callback(&spec(url));
    match source {
        "bytes" => put.send_bytes(CONTENTS),
        "reader" => put.send_reader(CONTENTS, CONTENTS.len() as u64),
        _ => put.send_file(file.path()),
    }
}

/// What a C program says of the same upload.
fn upload_from_c(program: &Path, server: &Server, url: &str, source: &str) -> String {
    let file = TemporaryFile::new("contents.txt", CONTENTS);
    let said = c::succeed(
        Command::new(program)
            .arg(source)
            .arg(file.path())
            .env("OSS_ENDPOINT", server.endpoint())
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", BUCKET)
            .env("OSS_ACCESS_KEY_ID", support::KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", support::KEY_SECRET)
            .env_remove("OSS_SESSION_TOKEN")
            // cargo's own would lead to another library.
            .env_remove("LD_LIBRARY_PATH")
            .env("OSS_CALLBACK_URL", url),
    );
    said.trim_end().to_owned()
}

fn c_program() -> PathBuf {
    let program = c::product("callback_outcomes.out");
    let mut compiler = c::c_compiler("c99");
    compiler
        .arg(c::source("tests/c/outcome.c"))
        .arg("-o")
        .arg(&program);
    c::link(&mut compiler);
    c::succeed(&mut compiler);
    program
}

/// A Rust result in the words of the C program.
fn in_words(result: &Result<Receipt>) -> String {
    match result {
        Ok(receipt) => format!("OK Yes Yes {}", String::from_utf8_lossy(receipt.answer())),
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::CallbackFailed, "{e:?}");
            format!("CALLBACK_FAILED {:?} {:?}", e.stored(), e.answered())
        }
    }
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
    let program = c_program();
    let refused = RefusedAddress::new().unwrap();
    let mut table = String::from(
        "| application server | result | stored | answered | what OSS says | deliveries |\n\
         |---|---|---|---|---|---|\n",
    );
    for case in &CASES {
        let mut seen: Vec<(String, usize)> = Vec::new();
        for (language, source) in WAYS {
            let name = format!("{} from {source} in {language}", case.name);
            let server = match case.name {
                SILENCE => server().callback_timeout(LIMIT),
                _ => server(),
            };
            let server = server.start().unwrap();
            let answer = case.answer;
            let receiver = Receiver::start(move |_| answer()).unwrap();
            let url = match case.name {
                "connection refused" => format!("http://{}/", refused.address()),
                _ => receiver.url("/"),
            };
            let said = if language == "Rust" {
                let result = upload(&client(server.endpoint()), &url, source);
                let said = in_words(&result);
                hold(&server, &name, "object", result, case.complaint, case.body);
                said
            } else {
                upload_from_c(&program, &server, &url, source)
            };
            // The truth: stored once, delivered once, and accepted or not.
            assert_eq!(server.stored().len(), 1, "{name}");
            assert_eq!(server.object(BUCKET, "object").unwrap(), CONTENTS, "{name}");
            let deliveries = server.deliveries();
            assert_eq!(deliveries.len(), 1, "{name}");
            assert_eq!(deliveries[0].accepted, case.complaint.is_none(), "{name}");
            seen.push((said, deliveries.len()));
        }
        assert!(
            seen.iter().all(|way| *way == seen[0]),
            "{}: {seen:?}",
            case.name
        );
        let (said, deliveries) = &seen[0];
        let mut words = said.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        let row = [word(), word(), word()].join(" | ");
        let says = match case.complaint {
            Some(complaint) => complaint.to_owned(),
            None => format!("`{}`", word()),
        };
        table += &format!("| {} | {row} | {says} | {deliveries} |\n", case.name);
    }
    support::hold_document(Path::new("docs/OUTCOMES.md"), "answers", &table);
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
    let server = server().start().unwrap();
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
    let spec = spec("http://127.0.0.1/");
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
