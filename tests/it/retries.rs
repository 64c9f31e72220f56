//! When an upload is sent again, counted by the servers that receive it.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use local_oss::RefusedAddress;
use oss_callback::{Answered, Cancellation, Client, Credentials, ErrorKind, RetryPolicy, Stored};
use support::{BUCKET, Connection, RawServer, TemporaryFile, client_builder, spec};

const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

fn quick() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::from_millis(1))
}

fn quick_client(endpoint: &str) -> Client {
    client_builder(endpoint)
        .retry_policy(quick())
        .build()
        .unwrap()
}

/// A server that fails so many times and then agrees.
fn failing(times: usize, fail: impl Fn(&mut Connection) + Send + 'static) -> RawServer {
    let number = AtomicUsize::new(0);
    RawServer::start(move |connection| {
        if number.fetch_add(1, Ordering::SeqCst) < times {
            fail(connection);
        } else {
            connection.read_body();
            connection.write(OK);
        }
    })
}

fn lose_the_answer(connection: &mut Connection) {
    connection.read_body();
}

fn busy(retry_after: &'static str) -> impl Fn(&mut Connection) {
    move |connection| {
        connection.read_body();
        let head = format!("HTTP/1.1 503 Busy\r\nRetry-After: {retry_after}\r\n");
        connection.write(head.as_bytes());
        connection.write(b"Content-Length: 0\r\nConnection: close\r\n\r\n");
    }
}

#[test]
fn a_lost_answer_is_tried_again_only_if_no_callback_is_risked() {
    let callback = spec("http://app.example.com/");
    let server = failing(1, lose_the_answer);
    let client = quick_client(&server.endpoint());
    let error = client
        .put_object(BUCKET, "a")
        .callback(&callback)
        .send_bytes(b"x")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::ConnectionLost, Stored::Unknown)
    );
    assert_eq!((server.requests(), error.attempts()), (1, 1));

    for idempotent in [false, true] {
        let server = failing(2, lose_the_answer);
        let client = quick_client(&server.endpoint());
        let mut put = client.put_object(BUCKET, "a");
        if idempotent {
            put = put.callback(&callback).callback_is_idempotent(true);
        }
        let receipt = put.send_bytes(b"x").unwrap();
        assert_eq!((server.requests(), receipt.attempts()), (3, 3));
        let history = receipt.history();
        assert!(
            history
                .iter()
                .all(|attempt| attempt.kind == ErrorKind::ConnectionLost)
        );
        assert!(
            history
                .iter()
                .all(|attempt| attempt.stored == Stored::Unknown)
        );
    }
}

#[test]
fn what_failed_before_the_last_byte_is_tried_again_with_a_callback_too() {
    // More than socket buffers take; the server closes before it has read it.
    let file = TemporaryFile::sparse("large.bin", 64 * 1024 * 1024);
    let server = failing(2, |_| {});
    let callback = spec("http://app.example.com/");
    let put = quick_client(&server.endpoint())
        .put_object(BUCKET, "a")
        .callback(&callback);
    let receipt = put.send_file(file.path()).unwrap();
    assert_eq!((server.requests(), receipt.attempts()), (3, 3));
    assert!(
        receipt
            .history()
            .iter()
            .all(|attempt| attempt.stored == Stored::No)
    );
}

#[test]
fn nothing_is_tried_again_once_it_is_stored() {
    for answer in [
        "HTTP/1.1 203 Non\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let server = RawServer::answering(answer);
        let error = quick_client(&server.endpoint())
            .put_object(BUCKET, "a")
            .callback(&spec("http://app.example.com/"))
            .callback_is_idempotent(true)
            .send_bytes(b"x")
            .unwrap_err();
        assert_eq!(
            (error.stored(), server.requests()),
            (Stored::Yes, 1),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_outcome_is_not_settled_by_a_later_refusal() {
    let number = AtomicUsize::new(0);
    let server = RawServer::start(move |connection| {
        connection.read_body();
        if number.fetch_add(1, Ordering::SeqCst) > 0 {
            connection.write(
                b"HTTP/1.1 409 Conflict\r\nx-oss-request-id: 1\r\nContent-Length: 0\r\n\r\n",
            );
        }
    });
    let client = quick_client(&server.endpoint());
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Conflict, Stored::Unknown)
    );
    assert_eq!(error.answered(), Answered::NotRequested);
    assert_eq!(error.history().len(), 1);
}

#[test]
fn attempts_are_limited() {
    let server = failing(usize::MAX, busy("0"));
    let client = quick_client(&server.endpoint());
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), server.requests()),
        (ErrorKind::ServerError, 3, 3)
    );
    let put = client
        .put_object(BUCKET, "a")
        .retry_policy(quick().max_attempts(5));
    assert_eq!(put.send_bytes(b"x").unwrap_err().attempts(), 5);
}

#[test]
fn what_a_policy_leaves_open_is_as_the_clients_says() {
    let attempts = |server: &RawServer, policy: RetryPolicy| {
        let client = client_builder(&server.endpoint())
            .retry_policy(quick().max_attempts(5))
            .build()
            .unwrap();
        let put = client.put_object(BUCKET, "object").retry_policy(policy);
        put.send_bytes(b"hello").unwrap_err().attempts()
    };
    let server = failing(usize::MAX, busy(""));
    let max_delay = RetryPolicy::default().max_delay(Duration::from_millis(1));
    assert_eq!(attempts(&server, max_delay), 5);
    assert_eq!(attempts(&server, RetryPolicy::default().max_attempts(7)), 7);
    assert_eq!(attempts(&server, RetryPolicy::none()), 1);
}

#[test]
fn a_reader_is_sent_again_only_while_it_is_untouched() {
    let server = failing(1, lose_the_answer);
    let client = quick_client(&server.endpoint());
    let error = client
        .put_object(BUCKET, "a")
        .send_reader(Cursor::new(b"x"), 1)
        .unwrap_err();
    assert_eq!((error.attempts(), server.requests()), (1, 1));

    // Nobody listens, so nothing is read: all attempts are made.
    struct CountReads<'a>(&'a mut usize);
    impl Read for CountReads<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            *self.0 += 1;
            Ok(0)
        }
    }
    let refused = RefusedAddress::new().unwrap();
    let client = quick_client(&format!("http://{}", refused.address()));
    let mut reads = 0;
    let put = client.put_object(BUCKET, "a");
    let error = put.send_reader(CountReads(&mut reads), 1).unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), reads),
        (ErrorKind::Connect, 3, 0)
    );
}

#[test]
fn the_server_says_when_to_come_back() {
    let server = failing(1, busy("1"));
    let begun = Instant::now();
    quick_client(&server.endpoint())
        .put_object(BUCKET, "a")
        .send_bytes(b"x")
        .unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));

    // Not beyond the time that there is.
    let server = failing(1, busy("10"));
    let begun = Instant::now();
    let put = quick_client(&server.endpoint()).put_object(BUCKET, "a");
    let error = put
        .timeout(Duration::from_secs(2))
        .send_bytes(b"x")
        .unwrap_err();
    assert_eq!(
        (error.kind(), server.requests()),
        (ErrorKind::ServerError, 1)
    );
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_cancelled_upload_does_not_come_back() {
    let cancellation = Cancellation::new();
    let inside = cancellation.clone();
    let say_busy = busy("9");
    let server = RawServer::start(move |connection| {
        say_busy(connection);
        // The client has the answer when it closes.
        connection.wait_for_close();
        inside.cancel();
    });
    let begun = Instant::now();
    let put = quick_client(&server.endpoint()).put_object(BUCKET, "a");
    let error = put
        .cancellation(&cancellation)
        .send_bytes(b"x")
        .unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    // The 503 came after the last byte: what it left open stays open.
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::Unknown),
        "{error:?}"
    );
    // There was one attempt, and what came of it is not lost.
    assert_eq!((server.requests(), error.attempts()), (1, 1));
    assert_eq!(error.history(), []);
    let why = std::error::Error::source(&error).unwrap();
    assert!(why.to_string().starts_with("HTTP 503"), "{why}");
}

/// Refuses with this code, on the last day of February 2024.
fn refuse(code: &'static str) -> impl Fn(&mut Connection) {
    move |connection| {
        connection.read_body();
        let body = format!("<Error><Code>{code}</Code></Error>");
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nDate: Thu, 29 Feb 2024 23:59:59 GMT\r\n\
             x-oss-request-id: 1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write(answer.as_bytes());
    }
}

fn is_dated_by_the_server(server: &RawServer, request: usize) {
    let head = server.head(request);
    let date = support::header(&head, "x-oss-date").unwrap();
    assert!(
        date.starts_with("20240229T2359") || date.starts_with("20240301T0000"),
        "{date}"
    );
}

#[test]
fn a_wrong_clock_is_corrected_once() {
    let server = failing(1, refuse("RequestTimeTooSkewed"));
    let put = quick_client(&server.endpoint()).put_object(BUCKET, "a");
    let put = put.callback(&spec("http://app.example.com/"));
    assert_eq!(put.send_bytes(b"x").unwrap().attempts(), 2);
    is_dated_by_the_server(&server, 1);

    let server = failing(usize::MAX, refuse("RequestTimeTooSkewed"));
    let put = quick_client(&server.endpoint()).put_object(BUCKET, "a");
    let error = put.retry_policy(quick().max_attempts(9));
    let error = error.send_bytes(b"x").unwrap_err();
    assert_eq!((error.attempts(), server.requests()), (2, 2));
}

#[test]
fn there_is_no_attempt_that_nobody_asked_for() {
    for code in [
        "RequestTimeTooSkewed",
        "SecurityTokenExpired",
        "InvalidAccessKeyId",
    ] {
        for attempts in 1..=3 {
            // One that is busy for so long that the attempts are used up, and then refuses.
            let number = AtomicUsize::new(1);
            let (say_busy, refuse) = (busy("0"), refuse(code));
            let server = RawServer::start(move |connection| {
                match number.fetch_add(1, Ordering::SeqCst) < attempts {
                    true => say_busy(connection),
                    false => refuse(connection),
                }
            });
            let hour = SystemTime::now() + Duration::from_secs(3600);
            let provided =
                Credentials::provider(
                    move || Ok(Credentials::new("id", "secret").expires_at(hour)),
                );
            let client = client_builder(&server.endpoint())
                .credentials(provided)
                .retry_policy(quick().max_attempts(attempts as u32))
                .build()
                .unwrap();
            let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
            assert_eq!(error.oss_code(), Some(code));
            assert_eq!(
                (error.attempts() as usize, server.requests()),
                (attempts, attempts),
                "{code}"
            );
        }
    }
}

#[test]
fn what_a_refusal_teaches_serves_the_next_request() {
    let never =
        |server: &RawServer| client_builder(&server.endpoint()).retry_policy(RetryPolicy::none());
    // A reader could not be sent again anyway.
    for readable_again in [true, false] {
        let server = failing(1, refuse("RequestTimeTooSkewed"));
        let client = never(&server).build().unwrap();
        let put = || match readable_again {
            true => client.put_object(BUCKET, "a").send_bytes(b"x"),
            false => client
                .put_object(BUCKET, "a")
                .send_reader(Cursor::new(b"x"), 1),
        };
        assert_eq!(put().unwrap_err().attempts(), 1);
        assert_eq!(put().unwrap().attempts(), 1);
        is_dated_by_the_server(&server, 1);
        assert_eq!(server.requests(), 2);
    }

    let server = failing(1, refuse("SecurityTokenExpired"));
    let number = AtomicUsize::new(0);
    let provided = Credentials::provider(move || {
        let id = format!("id{}", number.fetch_add(1, Ordering::SeqCst));
        let hour = SystemTime::now() + Duration::from_secs(3600);
        Ok(Credentials::new(id, "secret").expires_at(hour))
    });
    let client = never(&server).credentials(provided).build().unwrap();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    for (request, id) in ["id0", "id1"].into_iter().enumerate() {
        assert!(
            server.head(request).contains(&format!("Credential={id}/")),
            "{id}"
        );
    }
    assert_eq!(server.requests(), 2);
}

#[test]
fn talk_of_clocks_does_not_repeat_what_is_stored_nor_harm_the_client() {
    let skewed = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    let now = "Thu, 29 Feb 2024 23:59:59 GMT";
    for (status, date, stored) in [
        ("203 Non", now, Stored::Yes),
        ("503 Busy", now, Stored::Unknown),
        ("403 Forbidden", "Fri, 31 Dec 9999 23:59:59 GMT", Stored::No),
        ("403 Forbidden", "Thu, 01 Jan 1970 00:00:00 GMT", Stored::No),
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nDate: {date}\r\nx-oss-request-id: 1\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{skewed}",
            skewed.len()
        );
        let server = RawServer::answering(answer);
        let client = quick_client(&server.endpoint());
        for requests in 1..=2 {
            let put = client
                .put_object(BUCKET, "a")
                .callback(&spec("http://app.example.com/"));
            let error = put.send_bytes(b"x").unwrap_err();
            assert_eq!(
                (error.stored(), error.attempts()),
                (stored, 1),
                "{status} {date}"
            );
            assert_eq!(server.requests(), requests, "{status} {date}");
        }
    }
}

#[test]
fn reading_and_deleting_are_tried_again_until_data_has_come() {
    let whole = "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndata";
    let server = failing(2, lose_the_answer);
    quick_client(&server.endpoint())
        .head_object(BUCKET, "a")
        .send()
        .unwrap();
    assert_eq!(server.requests(), 3);

    let server = failing(2, busy("0"));
    quick_client(&server.endpoint())
        .delete_object(BUCKET, "a")
        .send()
        .unwrap();
    assert_eq!(server.requests(), 3);

    let number = AtomicUsize::new(0);
    let server = RawServer::start(move |connection| {
        if number.fetch_add(1, Ordering::SeqCst) > 0 {
            connection.write(whole.as_bytes());
        }
    });
    let mut bytes = Vec::new();
    quick_client(&server.endpoint())
        .get_object(BUCKET, "a")
        .write_to(&mut bytes)
        .unwrap();
    assert_eq!(
        (bytes.as_slice(), server.requests()),
        (b"data".as_slice(), 2)
    );

    // What was written cannot be taken back.
    let server =
        RawServer::start(move |connection| connection.write(&whole.as_bytes()[..whole.len() - 2]));
    let mut bytes = Vec::new();
    let get = quick_client(&server.endpoint()).get_object(BUCKET, "a");
    assert_eq!(
        get.write_to(&mut bytes).unwrap_err().kind(),
        ErrorKind::ConnectionLost
    );
    assert_eq!((bytes.as_slice(), server.requests()), (b"da".as_slice(), 1));
}

#[test]
fn a_dead_connection_from_the_pool_is_no_attempt() {
    // Promises to stay open, and closes.
    let server = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}",
    );
    let client = client_builder(&server.endpoint())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    for _ in 0..20 {
        client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
        server.wait_for_closed_connections();
    }
    assert_eq!(server.requests(), 20);
}
