//! Callbacks that fail: the object is stored, the uploader is told why.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use crate::client::{
    PATIENCE, Response, builder,
    callback::{answering, callback, socket_with_full_queue, upload},
    connect, put, start,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use local_oss::{Answer, RefusedAddress, Server};

fn assert_failed(server: &Server, answer: &Response, message: &str, ec: &str) {
    assert_eq!(
        answer.error(),
        (203, "CallbackFailed".to_owned()),
        "{message}"
    );
    assert_eq!(answer.element("Message").as_deref(), Some(message));
    assert_eq!(answer.element("EC").as_deref(), Some(ec));
    assert_eq!(answer.header("x-oss-ec"), Some(ec));
    assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    let header = answer.header("x-oss-err").unwrap();
    assert_eq!(STANDARD.decode(header).unwrap(), answer.body);
    for name in [
        "ETag",
        "x-oss-hash-crc64ecma",
        "Content-MD5",
        "x-oss-request-id",
    ] {
        assert!(answer.header(name).is_some(), "{name}");
    }
    let delivery = server.deliveries().pop().unwrap();
    assert!(!delivery.accepted);
    assert_eq!(
        (delivery.message.as_deref(), delivery.ec.as_deref()),
        (Some(message), Some(ec))
    );
    // Stored all the same.
    assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn a_status_other_than_200_is_answered_203() {
    for status in [201, 204, 301, 400, 404, 500, 502] {
        let server = start();
        let answer = upload(
            &server,
            Answer::status(status).header("Location", "http://app.example.com/"),
        );
        assert_failed(
            &server,
            &answer,
            &format!("Error status : {status}."),
            "0007-00000203",
        );
    }
}

#[test]
fn a_refused_connection_is_answered_203() {
    let server = start();
    let refused = RefusedAddress::new().unwrap();
    let answer = put("a", "hello")
        .callback(&callback(&refused.url("/")))
        .send(&server);
    assert_failed(&server, &answer, "Error status : 502.", "0007-00000203");
    assert!(server.deliveries()[0].answer.is_err());
}

#[test]
fn an_answer_that_is_no_answer_is_answered_203() {
    for answer in [
        Answer::close(),
        Answer::raw("this is not HTTP\r\n\r\n"),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Len"),
        Answer::json("{}").content_length(10),
        Answer::raw([b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'a'; 100_000]].concat()),
    ] {
        let server = start();
        let answer = upload(&server, answer);
        assert_failed(&server, &answer, "Error status : 502.", "0007-00000203");
    }
}

#[test]
fn a_callback_that_times_out_is_answered_203() {
    for answer in [
        Answer::silence(),
        Answer::raw("HTTP/1.1 200 OK\r\n").then_silence(),
        Answer::json("{}").content_length(10).then_silence(),
    ] {
        let server = builder()
            .callback_timeout(Duration::from_millis(200))
            .start()
            .unwrap();
        let answer = upload(&server, answer);
        assert_failed(&server, &answer, "Cost too long time.", "0007-00000202");
    }
}

#[test]
fn the_limit_is_five_seconds() {
    let server = start();
    let before = Instant::now();
    let answer = upload(&server, Answer::silence());
    let took = before.elapsed();
    assert_failed(&server, &answer, "Cost too long time.", "0007-00000202");
    assert!(
        took >= Duration::from_secs(5) && took < Duration::from_secs(20),
        "{took:?}"
    );
}

#[test]
fn a_connection_that_is_not_made_in_time_is_answered_203() {
    // A queue of one that is full: further connections are neither taken nor refused.
    let listener = socket_with_full_queue();
    let server = builder()
        .callback_timeout(Duration::from_millis(300))
        .start()
        .unwrap();
    let url = format!("http://{}/", listener.0.local_addr().unwrap());
    let answer = put("a", "hello").callback(&callback(&url)).send(&server);
    let message = "Error status : -1. OSS can not connect to your callbackUrl, please check it.";
    assert_failed(&server, &answer, message, "0007-00000203");
}

#[test]
fn an_answer_without_a_good_length_is_answered_203() {
    const MISSING: &str = "Error status : 400.User server missing content-length.";
    const INVALID: &str = "Error status : 400.User server return invalid conent-length value.";
    const TOO_LONG: &str = "Error status : 400.User server return too long content-length value.";
    for (answer, message) in [
        (Answer::json("{}").without_content_length(), MISSING),
        (Answer::json("{}").chunked(), MISSING),
        (Answer::json(""), INVALID),
        (Answer::json("{}").content_length("-2"), INVALID),
        (Answer::json("{}").content_length("two"), INVALID),
        (Answer::json("{}").header("Content-Length", "3"), INVALID),
        (Answer::json("{}").content_length(1024 * 1024 + 1), TOO_LONG),
        (
            Answer::json("{}").content_length("99999999999999999999999"),
            TOO_LONG,
        ),
    ] {
        let server = start();
        let answer = upload(&server, answer);
        assert_failed(&server, &answer, message, "0007-00000204");
    }
}

#[test]
fn an_answer_that_is_not_json_is_answered_203() {
    for (content_type, body) in [
        ("application/json", &b"OK"[..]),
        ("application/json", b"\xef\xbb\xbf{}"),
        ("application/json", b"{\"a\":1"),
        ("text/xml", b"<a/>"),
        ("application/xml", b"<a>"),
    ] {
        let server = start();
        let answer = upload(&server, Answer::new(200, content_type, body));
        assert_failed(
            &server,
            &answer,
            "Response body is not valid json format.",
            "0007-00000205",
        );
    }
}

#[test]
fn too_many_callbacks_at_once_are_answered_203() {
    let server = builder().max_callbacks(2).start().unwrap();
    let silent = answering(Answer::silence());
    let request = put("a", "hello").callback(&callback(&silent.url("/")));
    let mut waiting: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(server.address());
            stream.write_all(request.head().as_bytes()).unwrap();
            stream.write_all(b"hello").unwrap();
            stream
        })
        .collect();
    assert_eq!(silent.wait_for_requests(2, PATIENCE).len(), 2);
    let answer = request.send(&server);
    assert_eq!(answer.error(), (203, "CallbackFailed".to_owned()));
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Too many callback requests.")
    );
    assert_eq!(answer.element("EC").as_deref(), Some("0007-00000201"));
    assert_eq!((server.stored().len(), silent.requests().len()), (3, 2));
    drop(silent);
    for stream in &mut waiting {
        assert_eq!(Response::read(stream, "PUT").status, 203);
    }
    assert_eq!(upload(&server, Answer::json("{}")).status, 200);
}

#[test]
fn slow_application_servers_do_not_hold_up_other_uploads() {
    let server = start();
    let silent = answering(Answer::silence());
    let slow = put("slow", "hello").callback(&callback(&silent.url("/")));
    let mut streams: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = connect(server.address());
            stream.write_all(slow.head().as_bytes()).unwrap();
            stream.write_all(b"hello").unwrap();
            stream
        })
        .collect();
    assert_eq!(silent.wait_for_requests(100, PATIENCE).len(), 100);
    let before = Instant::now();
    assert_eq!(upload(&server, Answer::json("{}")).status, 200);
    assert!(before.elapsed() < Duration::from_millis(4_500));
    // The silent one goes away: all are told at once.
    drop(silent);
    for stream in &mut streams {
        assert_eq!(Response::read(stream, "PUT").status, 203);
    }
}
