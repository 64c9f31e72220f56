//! Whoever answers in OSS's place (a login page, a proxy, a CDN, another server) is not believed, whatever was asked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oss_callback::callback::{VerifiedCallback, Verifier};
use oss_callback::{
    Answered, Client, Error, ErrorKind, Part, PostForm, PresignOptions, PresignedUrl, Reconciled,
    Result, RetryPolicy, Stored,
};
use support::{
    BUCKET, RawServer, TemporaryFile, agreeing_receiver, client_builder, request_of, server, spec,
};

const PAGE: &str = "<html><title>Log in</title>\r\nYour session has ended.</html>";
const DOCUMENT: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchUpload</Code><Message>m</Message>\
    <RequestId>5C3D9175B6FC201293AD4890</RequestId><HostId>examplebucket</HostId></Error>";

/// Answers that have everything but OSS's request id, with what is asked for if somebody guessed it.
fn impostors() -> Vec<(&'static str, String)> {
    let page = |status: &str, headers: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    let xml = "Content-Type: application/xml\r\nServer: AliyunOSS\r\n";
    let result =
        "<CompleteMultipartUploadResult><ETag>\"A-1\"</ETag></CompleteMultipartUploadResult>";
    vec![
        ("a login page", page("200 OK", html, PAGE)),
        ("an empty page", page("200 OK", "", "")),
        (
            "a page of a CDN, with an ETag",
            page(
                "200 OK",
                &format!("{html}ETag: \"5e1b\"\r\nVia: cdn\r\n"),
                PAGE,
            ),
        ),
        (
            "a page of another server",
            page("200 OK", &format!("{xml}ETag: \"A\"\r\n"), result),
        ),
        ("nothing", page("204 No Content", "", "")),
        ("a transforming proxy", page("203 Transformed", html, PAGE)),
        (
            "a document with 203",
            page("203 Non-Authoritative", xml, DOCUMENT),
        ),
        ("a document with 200", page("200 OK", xml, DOCUMENT)),
        ("a document with 404", page("404 Not Found", xml, DOCUMENT)),
        (
            "a document with 400",
            page("400 Bad Request", xml, DOCUMENT),
        ),
        ("another virtual host", page("404 Not Found", html, PAGE)),
        ("a firewall", page("403 Forbidden", html, PAGE)),
        (
            "a way to a login page",
            page("302 Found", "Location: http://login.example.com/\r\n", ""),
        ),
        (
            "a way to another place with an ETag",
            page(
                "303 See Other",
                "Location: http://a.example.com/?etag=%22A%22\r\n",
                "",
            ),
        ),
        (
            "a proxy that wants a login",
            page("407 Proxy Authentication", html, PAGE),
        ),
    ]
}

fn once(endpoint: &str) -> Client {
    let client = client_builder(endpoint).retry_policy(RetryPolicy::none());
    client.build().unwrap()
}

/// A server of which every answer is this one.
fn only(answer: &str) -> (RawServer, Client) {
    let server = RawServer::answering(answer);
    let client = once(&server.endpoint());
    (server, client)
}

/// Uploads of one request, each by its name: with a callback if that is wanted.
fn uploads(client: &Client, callback: bool) -> Vec<(&'static str, Result<()>)> {
    let spec = spec("http://app.example.com/");
    let file = TemporaryFile::new("a", b"hello");
    let spec = callback.then_some(&spec);
    let put = || client.put_object(BUCKET, "a").callback(spec);
    let url = || -> PresignedUrl {
        put()
            .presign(&PresignOptions::expires_in(Duration::from_secs(60)))
            .unwrap()
    };
    let form = |status: Option<u16>| -> PostForm {
        let policy = client.post_policy(BUCKET).key("a");
        let policy = match status {
            Some(status) => policy.success_action_status(status),
            None => policy,
        };
        policy.callback(spec).sign().unwrap()
    };
    let mut all = vec![
        ("put of bytes", put().send_bytes(b"hello").map(drop)),
        ("put of a file", put().send_file(file.path()).map(drop)),
        (
            "put of a reader",
            put().send_reader(&b"hello"[..], 5).map(drop),
        ),
        ("upload of a file", {
            let upload = client.upload_file(BUCKET, "a").callback(spec);
            upload.send(file.path()).map(drop)
        }),
        (
            "put by a URL",
            client
                .put_object_with_url(&url())
                .send_bytes(b"hello")
                .map(drop),
        ),
    ];
    for status in [None, Some(200), Some(201), Some(204)] {
        let post = client.post_object(&form(status));
        all.push(("a form", post.send_bytes(b"hello").map(drop)));
    }
    all
}

#[test]
fn an_upload_that_somebody_else_answers_is_neither_stored_nor_not() {
    for callback in [true, false] {
        for (name, answer) in impostors() {
            let (server, client) = only(&answer);
            let results = uploads(&client, callback);
            assert_eq!(
                server.requests(),
                results.len(),
                "{name}: each is sent once"
            );
            for (operation, result) in results {
                let error = result.expect_err(&format!("{operation}, {name}"));
                assert_eq!(
                    error.kind(),
                    ErrorKind::UnexpectedAnswer,
                    "{operation}, {name}: {error}"
                );
                assert_eq!(error.stored(), Stored::Unknown, "{operation}, {name}");
                let answered = match callback {
                    true => Answered::Unknown,
                    false => Answered::NotRequested,
                };
                assert_eq!(error.answered(), answered, "{operation}, {name}");
                assert!(error.receipt().is_none(), "{operation}, {name}");
                assert!(error.diagnosis().is_some(), "{operation}, {name}");
                assert_eq!(error.oss_code(), None, "{operation}, {name}");
            }
        }
    }
}

#[test]
fn what_somebody_else_says_is_in_the_message() {
    let page = format!(
        "<html>{}\u{7}\u{202e} {}",
        "Log in. ".repeat(4),
        "x".repeat(500)
    );
    let (_server, client) = only(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    ));
    let error = client
        .put_object(BUCKET, "a")
        .send_bytes(b"hello")
        .unwrap_err();
    let message = error.to_string();
    let words = format!("<html>Log in. Log in. Log in. Log in. {}", "x".repeat(62));
    assert!(message.starts_with("HTTP 200 not from OSS"), "{message}");
    assert!(message.contains("Content-Type text/html, "), "{message}");
    assert!(message.ends_with(&words), "{message}");
    let diagnosis = error.diagnosis().unwrap();
    for cause in ["captive portal", "proxy", "not OSS's at the endpoint"] {
        assert!(diagnosis.contains(cause), "{diagnosis}");
    }
}

/// Everything but an upload of one request.
fn others(client: &Client) -> Vec<(&'static str, Result<()>)> {
    let upload = client.multipart_upload(BUCKET, "a", "id");
    let mut got = Vec::new();
    let get = client.get_object(BUCKET, "a").write_to(&mut got).map(drop);
    assert!(got.is_empty(), "nothing of a page is the object's");
    vec![
        ("head", client.head_object(BUCKET, "a").send().map(drop)),
        ("get", get),
        ("delete", client.delete_object(BUCKET, "a").send()),
        (
            "initiate",
            client
                .initiate_multipart_upload(BUCKET, "a")
                .send()
                .map(drop),
        ),
        (
            "part of bytes",
            upload.upload_part(1).send_bytes(b"hello").map(drop),
        ),
        (
            "part of a reader",
            upload
                .upload_part(1)
                .send_reader(&b"hello"[..], 5)
                .map(drop),
        ),
        ("list of parts", upload.list_parts().send().map(drop)),
        (
            "list of uploads",
            client.list_multipart_uploads(BUCKET).send().map(drop),
        ),
        ("abort", upload.abort().send()),
    ]
}

#[test]
fn nothing_else_is_believed_of_somebody_else_either() {
    let lists = [
        "<ListPartsResult></ListPartsResult>",
        "<ListMultipartUploadsResult></ListMultipartUploadsResult>",
        "<InitiateMultipartUploadResult><UploadId>I</UploadId></InitiateMultipartUploadResult>",
    ];
    let lists = lists.map(|body| {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        ("the right document", answer)
    });
    for (name, answer) in impostors().into_iter().chain(lists) {
        let (_server, client) = only(&answer);
        for (operation, result) in others(&client) {
            let error = result.expect_err(&format!("{operation}, {name}"));
            assert_eq!(
                error.kind(),
                ErrorKind::UnexpectedAnswer,
                "{operation}, {name}: {error}"
            );
            // What stores no object says so.
            assert_eq!(
                (error.stored(), error.answered()),
                (Stored::No, Answered::NotRequested),
                "{operation}, {name}"
            );
            assert_eq!(error.oss_code(), None, "{operation}, {name}");
        }
    }
}

const PARTS: fn() -> [Part; 1] = || [Part::new(1, "A").with_size(1).with_crc64(7)];

/// An upload of parts whose last request gets this answer, and so does everything that is looked up.
fn complete(client: &Client, callback: bool) -> Error {
    let complete = client.multipart_upload(BUCKET, "a", "id").complete();
    let complete = match callback {
        true => complete.callback(&spec("http://app.example.com/")),
        false => complete,
    };
    complete.send(&PARTS()).unwrap_err()
}

#[test]
fn a_completion_that_somebody_else_answers_is_looked_up_and_stays_unknown() {
    for callback in [true, false] {
        for (name, answer) in impostors() {
            let (server, client) = only(&answer);
            let error = complete(&client, callback);
            assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{name}: {error}");
            assert_eq!(error.stored(), Stored::Unknown, "{name}");
            assert_eq!(server.requests(), 2, "{name}: it is looked for once");
            assert!(
                error.to_string().contains("could not be looked up"),
                "{name}: {error}"
            );
        }
    }
}

/// Answers each request by its method, as OSS does: with a request id.
fn oss(answers: &'static [(&'static str, &'static str, &'static str)]) -> RawServer {
    RawServer::start(move |connection| {
        connection.read_body();
        let method = connection.head.split(' ').next().unwrap();
        let (_, head, body) = answers.iter().find(|(m, ..)| *m == method).unwrap();
        let answer = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        connection.write(answer.as_bytes());
    })
}

const GONE: (&str, &str, &str) = (
    "GET",
    "404 Not Found\r\nx-oss-request-id: R",
    "<Error><Code>NoSuchUpload</Code></Error>",
);

#[test]
fn the_look_up_after_a_lost_answer_believes_nobody_else() {
    // A portal, in the place of OSS for the last request, is gone when the object is looked for; or comes then.
    const PORTAL: &str = "200 OK\r\nContent-Type: text/html";
    const FOUND: (&str, &str, &str) = (
        "HEAD",
        "200 OK\r\nx-oss-request-id: R\r\netag: \"E-1\"\r\nx-oss-hash-crc64ecma: 7",
        "x",
    );
    for (answers, stored) in [
        (&[("POST", PORTAL, PAGE), GONE, FOUND], Some(Stored::Yes)),
        (
            &[
                ("POST", PORTAL, PAGE),
                GONE,
                (
                    "HEAD",
                    "200 OK\r\netag: \"E-1\"\r\nx-oss-hash-crc64ecma: 7",
                    "x",
                ),
            ],
            None,
        ),
        (
            &[("POST", PORTAL, PAGE), GONE, ("HEAD", "404 Not Found", "")],
            None,
        ),
        (
            &[
                ("POST", PORTAL, PAGE),
                (
                    "GET",
                    "404 Not Found",
                    "<Error><Code>NoSuchUpload</Code></Error>",
                ),
                FOUND,
            ],
            None,
        ),
        (
            &[
                ("POST", PORTAL, PAGE),
                ("GET", "200 OK\r\nx-oss-request-id: R", PAGE),
                FOUND,
            ],
            None,
        ),
    ] {
        let answers: &'static [_] = answers;
        let server = oss(answers);
        let upload = once(&server.endpoint()).multipart_upload(BUCKET, "a", "id");
        match (upload.complete().send(&PARTS()), stored) {
            (Ok(receipt), Some(_)) => assert_eq!(receipt.etag(), Some("E-1")),
            (Err(error), None) => {
                assert_eq!(error.stored(), Stored::Unknown, "{answers:?}: {error}");
            }
            (result, _) => panic!("{answers:?}: {result:?}"),
        }
    }
}

#[test]
fn a_completion_without_a_callback_needs_oss_to_say_that_it_is_one() {
    const OK: &str = "200 OK\r\nx-oss-request-id: R\r\nETag: \"E-1\"";
    const OPEN: (&str, &str, &str) = (
        "GET",
        "200 OK\r\nx-oss-request-id: R",
        "<ListPartsResult></ListPartsResult>",
    );
    const ERROR: &str = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
    for (answers, kind) in [
        (&[("POST", OK, ERROR), OPEN], ErrorKind::ServerError),
        (
            &[
                (
                    "POST",
                    OK,
                    " \n \n<Error><Code>InternalError</Code></Error>",
                ),
                OPEN,
            ],
            ErrorKind::ServerError,
        ),
        (&[("POST", OK, ""), OPEN], ErrorKind::UnexpectedAnswer),
        (&[("POST", OK, PAGE), OPEN], ErrorKind::UnexpectedAnswer),
    ] {
        let answers: &'static [_] = answers;
        let server = oss(answers);
        let upload = once(&server.endpoint()).multipart_upload(BUCKET, "a", "id");
        let error = upload.complete().send(&PARTS()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::Unknown),
            "{answers:?}"
        );
        assert_eq!(server.requests(), 2, "it was looked up");
    }
    // So little of an answer that it does not show a success is a lost one.
    for (body, kind, stored) in [
        ("", ErrorKind::ConnectionLost, Stored::Unknown),
        (
            "<?xml version=\"1.0\"?><Compl",
            ErrorKind::ConnectionLost,
            Stored::Unknown,
        ),
        (
            "<CompleteMultipartUploadResult><Loc",
            ErrorKind::AnswerDamaged,
            Stored::Yes,
        ),
    ] {
        let server = RawServer::start(move |connection| {
            connection.read_body();
            if connection.head.starts_with("POST") {
                connection.write(
                    format!("HTTP/1.1 {OK}\r\nContent-Length: 500\r\n\r\n{body}").as_bytes(),
                );
            }
        });
        let upload = once(&server.endpoint()).multipart_upload(BUCKET, "a", "id");
        let error = upload.complete().send(&PARTS()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, stored),
            "{body}: {error}"
        );
    }
    // It failed, and the upload is open: so it is completed by another request.
    let times = Mutex::new(0);
    let server = RawServer::start(move |connection| {
        connection.read_body();
        let mut times = times.lock().unwrap();
        let body = match connection.head.split(' ').next().unwrap() {
            "GET" => OPEN.2,
            _ if *times == 0 => ERROR,
            _ => {
                "<CompleteMultipartUploadResult><ETag>\"D-1\"</ETag></CompleteMultipartUploadResult>"
            }
        };
        *times += 1;
        let head = "HTTP/1.1 200 OK\r\nx-oss-request-id: R\r\nConnection: close\r\n";
        let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        connection.write(answer.as_bytes());
    });
    let upload = client_builder(&server.endpoint()).build().unwrap();
    let upload = upload.multipart_upload(BUCKET, "a", "id");
    let receipt = upload.complete().send(&PARTS()).unwrap();
    // The ETag stands in the document alone.
    assert_eq!((receipt.etag(), receipt.attempts()), (Some("D-1"), 2));
}

#[test]
fn a_part_and_a_beginning_are_never_stored_objects() {
    let results = |answer: &str| {
        let (_server, client) = only(answer);
        let upload = client.multipart_upload(BUCKET, "a", "id");
        [
            upload.upload_part(1).send_bytes(b"hello").unwrap_err(),
            client
                .initiate_multipart_upload(BUCKET, "a")
                .send()
                .unwrap_err(),
        ]
    };
    let id = "x-oss-request-id: R\r\nETag: \"A\"\r\n";
    let failed = "<Error><Code>CallbackFailed</Code></Error>";
    let errors = results(&format!(
        "HTTP/1.1 203 Non\r\n{id}Content-Length: {}\r\nConnection: close\r\n\r\n{failed}",
        failed.len()
    ));
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{error}");
        assert_eq!(error.stored(), Stored::No);
        assert!(
            error.receipt().is_none() && !error.to_string().contains("stored"),
            "{error}"
        );
    }
    let begun = "<InitiateMultipartUploadResult><UploadId>ABCDEF";
    let errors = results(&format!(
        "HTTP/1.1 200 OK\r\n{id}Content-Length: 500\r\n\r\n{begun}"
    ));
    for (error, kind) in errors
        .iter()
        .zip([ErrorKind::ConnectionLost, ErrorKind::Protocol])
    {
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::No),
            "{error}"
        );
        assert!(
            error.receipt().is_none() && !error.to_string().contains("stored"),
            "{error}"
        );
    }
    // Half an upload id is none, however the rest looks.
    let begun = format!("{begun}</UploadId></InitiateMultipartUploadResult>");
    let errors = results(&format!(
        "HTTP/1.1 200 OK\r\n{id}Content-Length: 500\r\n\r\n{begun}"
    ));
    assert_eq!(errors[1].kind(), ErrorKind::Protocol);
}

#[test]
fn a_203_fails_nobodys_callback_who_asked_for_none() {
    let answer = "HTTP/1.1 203 Non\r\nx-oss-request-id: R\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (_server, client) = only(answer);
    for (operation, result) in uploads(&client, false) {
        let error = result.expect_err(operation);
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::UnexpectedAnswer, Stored::Unknown),
            "{operation}"
        );
    }
    for (operation, result) in uploads(&client, true) {
        let error = result.expect_err(operation);
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::CallbackFailed, Stored::Yes),
            "{operation}"
        );
    }
}

/// A callback that OSS has delivered, to be held against OSS.
fn delivered() -> VerifiedCallback {
    let (oss, receiver) = (server().start().unwrap(), agreeing_receiver());
    let template = oss_callback::CallbackSpec::builder()
        .url(receiver.url("/"))
        .body("bucket=${bucket}&object=${object}")
        .build()
        .unwrap();
    let put = once(oss.endpoint())
        .put_object(BUCKET, "a")
        .callback(&template);
    put.send_bytes(b"hello").unwrap();
    let verifier = Verifier::new()
        .trust_key_url_for_tests(oss.public_key_url(), oss.public_key_pem())
        .unwrap();
    verifier
        .verify(&request_of(&receiver.requests()[0]))
        .unwrap()
}

#[test]
fn nothing_is_reconciled_or_confirmed_by_somebody_else() {
    let (_lost, client) = only("");
    let lost = client
        .put_object(BUCKET, "a")
        .send_bytes(b"hello")
        .unwrap_err();
    let (_lost, client) = only("");
    let lost_completion = complete(&client, false);
    for error in [&lost, &lost_completion] {
        assert_eq!(error.stored(), Stored::Unknown);
    }
    let delivered = delivered();
    for (name, answer) in impostors() {
        let (_server, client) = only(&answer);
        for lost in [&lost, &lost_completion] {
            let error = client.reconcile(lost).send().expect_err(name);
            assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{name}: {error}");
        }
        let error = delivered.confirm(&client).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{name}: {error}");
    }
    // The list of parts is gone by OSS's word, or there, and not just answered.
    let page = oss(&[
        ("GET", "200 OK\r\nx-oss-request-id: R", PAGE),
        ("HEAD", "200 OK\r\nx-oss-request-id: R", ""),
    ]);
    let error = once(&page.endpoint())
        .reconcile(&lost_completion)
        .send()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    let open = oss(&[(
        "GET",
        "200 OK\r\nx-oss-request-id: R",
        "<ListPartsResult></ListPartsResult>",
    )]);
    let reconciled = once(&open.endpoint())
        .reconcile(&lost_completion)
        .send()
        .unwrap();
    assert!(
        matches!(reconciled, Reconciled::NotThere { .. }),
        "{reconciled:?}"
    );
}

/// An answer of OSS to the request before may come after that of somebody else: the next request must not get it.
#[test]
fn a_connection_over_which_somebody_else_has_answered_carries_no_other_request() {
    let of_oss = |etag: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: {etag}\r\nETag: \"{etag}\"\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    };
    for status in [
        "200 OK",
        "203 Transformed",
        "204 No Content",
        "302 Found",
        "403 Forbidden",
        "404 Not Found",
        "500 Internal Server Error",
    ] {
        let body = if status.starts_with("204") { "" } else { PAGE };
        let page = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (first, second) = (of_oss("FIRST"), of_oss("SECOND"));
        let before = AtomicUsize::new(0);
        let server = RawServer::start(move |connection| {
            connection.read_body();
            if before.fetch_add(1, Ordering::SeqCst) > 0 {
                return connection.write(second.as_bytes());
            }
            connection.write(page.as_bytes());
            if connection.read_at_most(1) {
                connection.write(first.as_bytes());
                connection.wait_for_close();
            }
        });
        let client = once(&server.endpoint());
        let put = |object| {
            let callback = spec("http://app.example.com/");
            let put = client.put_object(BUCKET, object).callback(&callback);
            put.send_bytes("the same contents")
        };
        assert_eq!(put("a").unwrap_err().stored(), Stored::Unknown, "{status}");
        assert_eq!(put("b").unwrap().etag(), Some("SECOND"), "{status}");
        assert_eq!(server.requests(), 2, "{status}");
    }
}
