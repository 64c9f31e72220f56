//! A server that means harm: nothing it says exhausts memory, hangs the caller or is taken for success.

use std::time::{Duration, Instant};

use oss_callback::{Answered, ErrorKind, RetryPolicy, Stored};
use support::{BUCKET, Connection, RawServer, client_builder, spec};

/// What the uploader says of a server that takes the upload and then does this. With a callback, and with
/// little time.
fn verdict(
    name: &str,
    answer: impl Fn(&mut Connection) + Send + 'static,
) -> (ErrorKind, Stored, Answered) {
    let raw = RawServer::start(move |connection| {
        connection.read_body();
        answer(connection);
    });
    let client = client_builder(&raw.endpoint())
        .retry_policy(RetryPolicy::none())
        .max_answer_len(10_000)
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let put = client
        .put_object(BUCKET, "a")
        .callback(&spec("http://app.example.com/"));
    let begun = Instant::now();
    let error = put.send_bytes(b"x").expect_err(name);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{name} took {:?}",
        begun.elapsed()
    );
    assert!(
        error.body().len() <= 10_000,
        "{name}: {} bytes are kept",
        error.body().len()
    );
    assert!(error.to_string().len() < 1000, "{name}: {error}");
    assert_eq!(error.to_string().lines().count(), 1, "{name}: {error}");
    assert_eq!(raw.requests(), 1, "{name}");
    (error.kind(), error.stored(), error.answered())
}

fn says(text: impl Into<Vec<u8>>) -> impl Fn(&mut Connection) + Send + 'static {
    let text = text.into();
    move |connection| connection.write(&text)
}

/// Says something for as long as anyone listens.
fn repeats(first: &'static str, then: &'static str) -> impl Fn(&mut Connection) + Send + 'static {
    move |connection| {
        connection.write(first.as_bytes());
        let many = then.repeat(100);
        while connection.try_write(many.as_bytes()) {}
    }
}

#[test]
fn a_hostile_head_is_a_protocol_error_of_unknown_outcome() {
    let many = format!(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n{}\r\n",
        "a: b\r\n".repeat(1000)
    );
    let large = format!(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\na: {}\r\n\r\n",
        "x".repeat(1_000_000)
    );
    for (name, text) in [
        ("a thousand headers", many),
        ("a header of a megabyte", large),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        ),
        (
            "a negative length",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: -1\r\n\r\n".to_owned(),
        ),
        (
            "a length beyond all",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
        ),
        ("HTTP/2", "HTTP/2 200 OK\r\n\r\n".to_owned()),
        ("a status of words", "HTTP/1.1 fine OK\r\n\r\n".to_owned()),
        (
            "a control character",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\na: \x01\r\n\r\n".to_owned(),
        ),
        (
            "something else",
            "\x16\x03\x01\x00\x05hello\r\n\r\n".to_owned(),
        ),
    ] {
        let verdict = verdict(name, says(text));
        let expected = (ErrorKind::Protocol, Stored::Unknown, Answered::Unknown);
        assert_eq!(verdict, expected, "{name}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_no_success_of_any_operation() {
    let unknown = (ErrorKind::Protocol, Stored::Unknown, Answered::Unknown);
    for lines in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2, 2",
        "Content-Length: +2",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nETag: \"B\"",
        "Content-Length: 2\r\nx-oss-hash-crc64ecma: 1\r\nx-oss-hash-crc64ecma: 2",
        "Content-Length: 2\r\nx-oss-hash-crc64ecma: 2\r\nx-oss-hash-crc64ecma: 1",
        // The one that is right is CRC-64/XZ of `x`, first or last.
        "Content-Length: 2\r\nx-oss-hash-crc64ecma: 9350298637083820116\r\nx-oss-hash-crc64ecma: 1",
        "Content-Length: 2\r\nx-oss-hash-crc64ecma: 1\r\nx-oss-hash-crc64ecma: 9350298637083820116",
        "Content-Length: 2\r\nx-oss-request-id: 2",
    ] {
        let chunks = "2\r\n{}\r\n0\r\n\r\n";
        let answer = format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n{lines}\r\n\r\n{chunks}"
        );
        assert_eq!(verdict(lines, says(answer.clone())), unknown, "{lines}");
        // With so much behind it that it comes in one piece with a body, and drop by drop.
        let long = format!("{answer}{}", "x".repeat(60_000));
        assert_eq!(verdict(lines, says(long)), unknown, "{lines}");
        let drops = answer.clone();
        let dripping = move |connection: &mut Connection| {
            drops.bytes().for_each(|byte| connection.write(&[byte]));
        };
        assert_eq!(verdict(lines, dripping), unknown, "{lines}");

        let raw = RawServer::answering(answer);
        let client = client_builder(&raw.endpoint());
        let client = client.retry_policy(RetryPolicy::none()).build().unwrap();
        let upload = client.multipart_upload(BUCKET, "a", "id");
        for error in [
            client.head_object(BUCKET, "a").send().unwrap_err(),
            client
                .get_object(BUCKET, "a")
                .write_to(&mut Vec::new())
                .unwrap_err(),
            client.delete_object(BUCKET, "a").send().unwrap_err(),
            upload.upload_part(1).send_bytes(b"x").unwrap_err(),
            upload.abort().send().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{lines}: {error}");
            assert_eq!(error.stored(), Stored::No, "{lines}");
        }
    }
}

#[test]
fn endless_things_end() {
    let unknown = (Stored::Unknown, Answered::Unknown);
    for (name, first, then, expected) in [
        (
            "headers",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n",
            "a: b\r\n",
            Some((ErrorKind::Protocol, unknown)),
        ),
        (
            "interim answers",
            "",
            "HTTP/1.1 103 Hints\r\n\r\n",
            Some((ErrorKind::Protocol, unknown)),
        ),
        (
            "a body",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 9999999999\r\n\r\n",
            "{}",
            Some((ErrorKind::AnswerDamaged, (Stored::Yes, Answered::Yes))),
        ),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n",
            "2\r\n{}\r\n",
            Some((ErrorKind::AnswerDamaged, (Stored::Yes, Answered::Yes))),
        ),
        (
            "an error body",
            "HTTP/1.1 400 Bad\r\nx-oss-request-id: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "3\r\n<a>\r\n",
            Some((ErrorKind::Refused, (Stored::No, Answered::No))),
        ),
        (
            "a chunk's length",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0",
            Some((ErrorKind::AnswerDamaged, (Stored::Yes, Answered::Yes))),
        ),
    ] {
        let (kind, stored, answered) = verdict(name, repeats(first, then));
        assert_eq!(Some((kind, (stored, answered))), expected, "{name}");
    }
}

#[test]
fn what_is_too_long_is_named() {
    for (first, then, what) in [
        (
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\na: ",
            "xxxxxxxx",
            "the head of its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0",
            "a line of its answer's chunks",
        ),
    ] {
        let serve = repeats(first, then);
        let raw = RawServer::start(move |connection| {
            connection.read_body();
            serve(connection);
        });
        let put = client_builder(&raw.endpoint()).build().unwrap();
        let put = put
            .put_object(BUCKET, "a")
            .retry_policy(RetryPolicy::none());
        let error = put
            .callback(&spec("http://app.example.com/"))
            .send_bytes(b"x")
            .unwrap_err();
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
}

#[test]
fn hostile_error_documents_are_read_as_far_as_they_make_sense() {
    let refused = (ErrorKind::Refused, Stored::No, Answered::No);
    let nested = "<Error>".repeat(1000);
    let entities = "<!DOCTYPE E [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
                    <Error><Code>&b;</Code><Message>&b;</Message></Error>";
    let long = format!(
        "<Error><Code>{0}</Code><Message>{0}\n\n{0}</Message>",
        "x".repeat(3000)
    );
    let not_text = "\u{0}\u{1}\u{fffd}<Error><Code>";
    for body in [nested.as_str(), entities, long.as_str(), not_text] {
        let answer = format!(
            "HTTP/1.1 400 Bad\r\nx-oss-request-id: 1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(verdict("document", says(answer)), refused, "{body:.40}");
    }
}
