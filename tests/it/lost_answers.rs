//! Servers that lie, stall and vanish: what the uploader may claim, with and without a callback.
//!
//! The servers here are a few lines each and share nothing with local-oss. Every case also counts the
//! requests that came; sending again is switched off here, and tested in `retries.rs`.

use std::time::{Duration, Instant};

use local_oss::RefusedAddress;
use oss_callback::{Answered, Error, ErrorKind, Receipt, Result, RetryPolicy, Stored};
use support::{BUCKET, RawServer, client_builder, socket_reset, spec};

const SHORT: Duration = Duration::from_millis(300);

/// More than socket buffers take, so that a server that does not read is noticed before the last block.
const LARGE: usize = 64 * 1024 * 1024;

fn upload(endpoint: &str, len: usize, with_callback: bool) -> Result<Receipt> {
    let client = client_builder(endpoint)
        .max_answer_len(1000)
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let put = client.put_object(BUCKET, "a.txt");
    let spec = spec("http://app.example.com/");
    let put = if with_callback {
        put.callback(&spec)
    } else {
        put
    };
    put.send_bytes(vec![b'a'; len])
}

/// CRC-64/XZ of `aaa`.
const CRC_OF_AAA: &str = "2695322649509676395";

/// What a server says after it took the whole of an upload, and what may be concluded with a callback.
type Conclusion = (ErrorKind, Stored, Answered);

fn conclude(name: &str, answer: &str, expected: Conclusion) -> Vec<Error> {
    let mut errors = Vec::new();
    for with_callback in [true, false] {
        let raw = RawServer::answering(answer);
        let error = upload(&raw.endpoint(), 3, with_callback)
            .expect_err(&format!("{name} must not be taken for success"));
        let (kind, stored, answered) = match expected {
            // OSS says so of callbacks alone.
            (_, Stored::Yes, Answered::No) if !with_callback => (
                ErrorKind::UnexpectedAnswer,
                Stored::Unknown,
                Answered::Unknown,
            ),
            expected => expected,
        };
        let answered = if with_callback {
            answered
        } else {
            Answered::NotRequested
        };
        assert_eq!(
            (error.kind(), error.stored(), error.answered()),
            (kind, stored, answered),
            "{name}, callback {with_callback}: {error}"
        );
        assert_eq!(error.receipt().is_some(), stored == Stored::Yes, "{name}");
        assert_eq!(raw.requests(), 1, "{name} was sent again");
        errors.push(error);
    }
    errors
}

#[test]
fn only_a_whole_200_is_a_success() {
    for answer in [
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
            .to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: {CRC_OF_AAA}\r\nContent-Length: 2\r\n\r\n{{}}"
        ),
        // No length at all: the answer ends where the connection is closed in good order.
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n\r\n{}".to_owned(),
    ] {
        for with_callback in [true, false] {
            let raw = RawServer::answering(answer.as_str());
            let receipt = upload(&raw.endpoint(), 3, with_callback)
                .unwrap_or_else(|e| panic!("{answer}: {e:?}"));
            assert_eq!(receipt.answer(), b"{}", "{answer}");
            assert_eq!(raw.requests(), 1);
        }
    }
}

#[test]
fn other_answers_lead_to_what_can_be_concluded_from_them() {
    use ErrorKind::*;
    let refused = (Stored::No, Answered::No);
    let unknown = (Stored::Unknown, Answered::Unknown);
    let id = "x-oss-request-id: 5E1B\r\n";
    let xml = "<Error><Code>InvalidArgument</Code><Message>m</Message></Error>";
    let length = format!("Content-Length: {}\r\n\r\n{xml}", xml.len());
    for (name, answer, kind, (stored, answered)) in [
        (
            "201",
            "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "204",
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "206",
            "HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "302",
            "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "307",
            "HTTP/1.1 307 Temporary\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "304",
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "400 of a proxy",
            "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "413 of a proxy",
            "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n".to_owned(),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "400 by its id",
            format!("HTTP/1.1 400 Bad\r\n{id}Content-Length: 0\r\n\r\n"),
            Refused,
            refused,
        ),
        (
            "400 with nothing but a body like OSS's",
            format!("HTTP/1.1 400 Bad\r\n{length}"),
            UnexpectedAnswer,
            unknown,
        ),
        (
            "400 cut short",
            format!("HTTP/1.1 400 Bad\r\n{id}Content-Length: 50\r\n\r\n<Err"),
            Refused,
            refused,
        ),
        (
            "403",
            format!("HTTP/1.1 403 Forbidden\r\n{id}{length}"),
            AccessDenied,
            refused,
        ),
        (
            "404",
            format!("HTTP/1.1 404 Not Found\r\n{id}{length}"),
            NotFound,
            refused,
        ),
        (
            "409",
            format!("HTTP/1.1 409 Conflict\r\n{id}{length}"),
            Conflict,
            refused,
        ),
        (
            "500 of OSS",
            format!("HTTP/1.1 500 Oops\r\n{id}{length}"),
            ServerError,
            unknown,
        ),
        (
            "502 of a proxy",
            "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n".to_owned(),
            ServerError,
            unknown,
        ),
        (
            "503 cut short",
            "HTTP/1.1 503 Bad\r\nContent-Length: 9\r\n\r\n1".to_owned(),
            ServerError,
            unknown,
        ),
        ("no answer", String::new(), ConnectionLost, unknown),
        (
            "half a head",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Le".to_owned(),
            ConnectionLost,
            unknown,
        ),
        (
            "not HTTP",
            "220 mail.example.com ESMTP\r\n\r\n".to_owned(),
            Protocol,
            unknown,
        ),
        (
            "a bad length",
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: -1\r\n\r\n"
                .to_owned(),
            Protocol,
            unknown,
        ),
    ] {
        conclude(name, &answer, (kind, stored, answered));
    }
}

#[test]
fn a_stored_object_is_said_to_be_stored_whatever_its_answer_looks_like() {
    use ErrorKind::*;
    let yes = |kind| (kind, Stored::Yes, Answered::Yes);
    let no = |kind| (kind, Stored::Yes, Answered::No);

    let errors = conclude(
        "200 cut short",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"AB\"\r\nContent-Length: 10\r\n\r\n{\"a\"",
        yes(AnswerDamaged),
    );
    for error in errors {
        assert_eq!(error.receipt().unwrap().answer(), b"{\"a\"");
        assert_eq!(error.receipt().unwrap().etag(), Some("AB"));
        assert_eq!(error.body(), b"{\"a\"");
    }
    conclude(
        "200 in chunks, cut short",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        yes(AnswerDamaged),
    );
    conclude(
        "200 in broken chunks",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        yes(AnswerDamaged),
    );
    let long = "x".repeat(1001);
    let errors = conclude(
        "200 over the limit",
        &format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 1001\r\n\r\n{long}"
        ),
        yes(AnswerDamaged),
    );
    assert_eq!(errors[0].receipt().unwrap().answer().len(), 1000);

    conclude(
        "203 without a document",
        "HTTP/1.1 203 Non\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}",
        no(CallbackFailed),
    );
    conclude(
        "203 cut short",
        "HTTP/1.1 203 Non\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 9\r\n\r\n<Er",
        no(CallbackFailed),
    );

    for crc in ["1", "abc", "-1"] {
        conclude(
            "200 with another CRC",
            &format!(
                "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: {crc}\r\nContent-Length: 2\r\n\r\n{{}}"
            ),
            yes(ChecksumMismatch),
        );
        conclude(
            "203 with another CRC",
            &format!(
                "HTTP/1.1 203 Non\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: {crc}\r\nContent-Length: 0\r\n\r\n"
            ),
            no(ChecksumMismatch),
        );
    }
}

#[test]
fn a_reset_in_an_answer_without_length_is_damage() {
    let raw = RawServer::start(|connection| {
        connection.read_body();
        connection.write(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n\r\n{\"a\"");
        // Unread data makes the system reset the connection instead of closing it.
        socket_reset(&connection.stream);
    });
    let error = upload(&raw.endpoint(), 3, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AnswerDamaged, "{error:?}");
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::Yes)
    );
}

#[test]
fn before_the_last_block_nothing_can_be_stored() {
    for reset in [false, true] {
        for with_callback in [true, false] {
            let raw = RawServer::start(move |connection| {
                if reset {
                    socket_reset(&connection.stream);
                }
            });
            let error = upload(&raw.endpoint(), LARGE, with_callback).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
            assert_eq!(error.stored(), Stored::No, "{error}");
            let answered = if with_callback {
                Answered::No
            } else {
                Answered::NotRequested
            };
            assert_eq!(error.answered(), answered, "{error}");
            assert_eq!(raw.requests(), 1);
        }
    }
}

#[test]
fn an_empty_body_is_on_its_way_with_its_head() {
    let raw = RawServer::answering("");
    let error = upload(&raw.endpoint(), 0, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
}

#[test]
fn a_refused_connection_stores_nothing() {
    let refused = RefusedAddress::new().unwrap();
    for len in [0, 3] {
        let error = upload(&format!("http://{}", refused.address()), len, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert_eq!(
            (error.stored(), error.answered()),
            (Stored::No, Answered::No)
        );
        assert!(error.to_string().contains("refused"), "{error}");
    }
}

#[test]
fn a_name_that_does_not_exist_stores_nothing() {
    let error = upload("http://oss-callback-test.invalid", 0, true).unwrap_err();
    // Without a name server the search may also run into the time limit.
    assert!(
        matches!(error.kind(), ErrorKind::Resolve | ErrorKind::Timeout),
        "{error:?}"
    );
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::No, Answered::No)
    );
}

#[test]
fn silence_ends_with_the_limit_of_the_answer() {
    let raw = RawServer::start(|connection| {
        connection.read_body();
        connection.wait_for_close();
    });
    let client = client_builder(&raw.endpoint())
        .answer_timeout(SHORT)
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown)
    );
    assert!(
        (SHORT..Duration::from_secs(15)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[test]
fn an_answer_that_stalls_is_damage() {
    let raw = RawServer::start(|connection| {
        connection.read_body();
        connection.write(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 10\r\n\r\n{\"a\"");
        connection.wait_for_close();
    });
    let client = client_builder(&raw.endpoint())
        .answer_timeout(SHORT)
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::AnswerDamaged, Stored::Yes),
        "{error}"
    );
    assert_eq!(error.receipt().unwrap().answer(), b"{\"a\"");
}

#[test]
fn the_overall_limit_ends_every_phase() {
    // A server that reads nothing more, and one that reads all and says nothing.
    let stalls = RawServer::start(|connection| {
        connection.wait_without_reading(Duration::from_secs(5));
    });
    let silent = RawServer::start(|connection| {
        connection.read_body();
        connection.wait_for_close();
    });
    for (raw, len, stored) in [(&stalls, LARGE, Stored::No), (&silent, 3, Stored::Unknown)] {
        let client = client_builder(&raw.endpoint())
            .timeout(SHORT)
            .build()
            .unwrap();
        let begun = Instant::now();
        let error = client
            .put_object(BUCKET, "a")
            .send_bytes(vec![0; len])
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Timeout, stored),
            "{error}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    }
}
