//! Lost answers of an upload in parts: a part is sent again, and what became of a completion is looked up.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Answered, Cancellation, Client, ErrorKind, Part, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, RawServer, agreeing_receiver, client, client_builder, server, spec};

use crate::multipart::{PART, contents, requests, send_parts};

/// An OSS that loses the answer to Complete and then answers HEAD with this, so many times.
fn gone_and_then(head: &'static str, times: usize) -> RawServer {
    let heads = Mutex::new(times);
    let gone = "<Error><Code>NoSuchUpload</Code></Error>";
    let not_found = format!(
        "HTTP/1.1 404 Not Found\r\nx-oss-request-id: R\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{gone}",
        gone.len()
    );
    RawServer::start(move |connection| {
        connection.read_body();
        match connection.head.split(' ').next().unwrap() {
            "POST" => {}
            "GET" => connection.write(not_found.as_bytes()),
            _ => {
                let mut heads = heads.lock().unwrap();
                let found = "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\ncontent-length: 1\r\netag: \"E-1\"\r\n\
                             x-oss-hash-crc64ecma: 7\r\nconnection: close\r\n\r\n";
                connection.write(if *heads == 0 { found } else { head }.as_bytes());
                *heads = heads.saturating_sub(1);
            }
        }
    })
}

#[test]
fn an_object_that_cannot_be_looked_at_is_no_answer() {
    const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let parts = [Part::new(1, "A").with_size(1).with_crc64(7)];
    let complete = |server: &RawServer| {
        let client = client_builder(&server.endpoint())
            .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
            .build()
            .unwrap();
        let upload = client.multipart_upload(BUCKET, "o", "id");
        let spec = spec("http://app.example.com/");
        upload.complete().callback(&spec).send(&parts).unwrap_err()
    };
    // Busy for a moment.
    let error = complete(&gone_and_then(BUSY, 2));
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::Unknown)
    );
    assert_eq!(error.receipt().unwrap().etag(), Some("E-1"));
    // For good.
    let error = complete(&gone_and_then(BUSY, usize::MAX));
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert!(
        error.to_string().contains("could not be looked up"),
        "{error}"
    );
}

#[test]
fn a_limit_counts_once_for_all_requests() {
    let (limit, most) = (Duration::from_secs(2), Duration::from_millis(1400));
    let server = RawServer::start(move |connection| {
        let body = "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>A</ETag></Part></ListPartsResult>";
        if connection.head.starts_with("GET") {
            // Most of the time there is.
            connection.wait_without_reading(most);
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection.write(head.as_bytes());
            connection.write(body.as_bytes());
        } else {
            connection.read_body();
            connection.wait_for_close();
        }
    });
    let upload = client(&server.endpoint()).multipart_upload(BUCKET, "o", "id");
    let begun = Instant::now();
    let complete = upload.complete().timeout(limit);
    let error = complete.send_all().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        (limit..most + limit).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
}

/// An upload whose parts are there, to be completed through a network that fails once.
struct Prepared {
    server: Server,
    receiver: Receiver,
    network: FaultyNetwork,
    client: Client,
    id: String,
    parts: Vec<Part>,
}

impl Prepared {
    fn new(fault: Fault, times: usize) -> Prepared {
        let server = server().start().unwrap();
        let direct = client(server.endpoint());
        let upload = direct
            .initiate_multipart_upload(BUCKET, "o")
            .send()
            .unwrap();
        let parts = send_parts(&upload, &contents(PART + 1), PART);
        let network = FaultyNetwork::start(server.address(), fault, times);
        let limit = Duration::from_millis(1500);
        let client = client_builder(&format!("http://{}", network.address()))
            .answer_timeout(limit)
            .progress_timeout(limit)
            .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
            .build()
            .unwrap();
        Prepared {
            receiver: agreeing_receiver(),
            id: upload.upload_id().to_owned(),
            server,
            network,
            client,
            parts,
        }
    }

    fn complete(&self, with_callback: bool) -> oss_callback::Result<oss_callback::Receipt> {
        let complete = self
            .client
            .multipart_upload(BUCKET, "o", &self.id)
            .complete();
        if with_callback {
            complete
                .callback(&spec(&self.receiver.url("/")))
                .send(&self.parts)
        } else {
            complete.send(&self.parts)
        }
    }
}

const LOST_ANSWER: Fault = Fault {
    direction: Direction::Answer,
    at: 0,
    action: Action::Cut,
};
const LOST_REQUEST: Fault = Fault {
    direction: Direction::Request,
    at: 50,
    action: Action::Cut,
};

#[test]
fn a_lost_answer_is_looked_up_and_the_object_is_found() {
    let prepared = Prepared::new(LOST_ANSWER, 1);
    let error = prepared.complete(true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::Unknown)
    );
    let stored = &prepared.server.stored()[0];
    let receipt = error.receipt().unwrap();
    assert_eq!(
        (receipt.etag(), receipt.crc64()),
        (Some(stored.etag.as_str()), Some(stored.crc64))
    );
    assert_eq!(receipt.answer(), b"");
    assert_eq!(prepared.receiver.requests().len(), 1);
    assert_eq!(requests(&prepared.server, "CompleteMultipartUpload"), 1);

    // Without a callback there is nothing that is not known.
    let prepared = Prepared::new(LOST_ANSWER, 1);
    let receipt = prepared.complete(false).unwrap();
    assert_eq!(receipt.crc64(), Some(prepared.server.stored()[0].crc64));
}

#[test]
fn an_upload_that_is_still_open_is_completed_by_the_same_request() {
    let prepared = Prepared::new(LOST_REQUEST, 1);
    let receipt = prepared.complete(true).unwrap();
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
    assert_eq!((receipt.attempts(), receipt.history().len()), (2, 1));
    assert_eq!(receipt.history()[0].stored, Stored::Unknown);
    assert_eq!(prepared.receiver.requests().len(), 1);
    assert_eq!(prepared.server.stored().len(), 1);
}

#[test]
fn what_cannot_be_looked_up_is_unknown() {
    // Each connection fails: completed by the first, and nobody can ask.
    let prepared = Prepared::new(LOST_ANSWER, usize::MAX);
    let error = prepared.complete(true).unwrap_err();
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert_eq!(error.attempts(), 3);
    assert_eq!(
        prepared
            .server
            .wait_for_stored(1, Duration::from_secs(5))
            .len(),
        1
    );
    assert_eq!(
        prepared.receiver.requests().len(),
        1,
        "the id was consumed once"
    );
}

#[test]
fn a_lost_answer_is_unknown_when_the_object_was_replaced_meanwhile() {
    let server = server().start().unwrap();
    let endpoint = server.endpoint().to_owned();
    let upload = client(&endpoint)
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let parts = send_parts(&upload, &contents(PART + 1), PART);
    // Somebody else writes the object while the application server answers, so to speak.
    let receiver = Receiver::start(move |_| Answer::json("{}")).unwrap();
    let spec = spec(&receiver.url("/"));
    upload.complete().callback(&spec).send(&parts).unwrap();
    client(&endpoint)
        .put_object(BUCKET, "o")
        .send_bytes(b"another")
        .unwrap();
    let network = FaultyNetwork::start(server.address(), LOST_ANSWER, 1);
    let faulty = client(&format!("http://{}", network.address()));
    let again = faulty.multipart_upload(BUCKET, "o", upload.upload_id());
    let error = again.complete().callback(&spec).send(&parts).unwrap_err();
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert!(error.receipt().is_none());
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_deadline_ends_the_search() {
    let fault = Fault {
        direction: Direction::Answer,
        at: 0,
        action: Action::Stall,
    };
    let prepared = Prepared::new(fault, usize::MAX);
    let upload = prepared.client.multipart_upload(BUCKET, "o", &prepared.id);
    let begun = Instant::now();
    // Nothing else ends it.
    let complete = upload.complete().answer_timeout(Duration::from_secs(60));
    let complete = complete.timeout(Duration::from_millis(500));
    let error = complete.send(&prepared.parts).unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown)
    );

    let cancellation = Cancellation::new();
    let other = cancellation.clone();
    thread::scope(|scope| {
        let server = &prepared.server;
        scope.spawn(move || {
            // The network swallows its answer.
            let deadline = Instant::now() + Duration::from_secs(10);
            while requests(server, "CompleteMultipartUpload") < 2 && Instant::now() < deadline {
                thread::yield_now();
            }
            other.cancel();
        });
        let complete = upload.complete().cancellation(&cancellation);
        let error = complete.send(&prepared.parts).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Cancelled, Stored::Unknown)
        );
    });
    drop(prepared.network);
}

#[test]
fn a_part_is_sent_again_and_never_leaves_the_object_in_doubt() {
    for (times, attempts) in [(1, None), (usize::MAX, Some(3))] {
        let prepared = Prepared::new(LOST_ANSWER, times);
        let upload = prepared.client.multipart_upload(BUCKET, "o", &prepared.id);
        let sent = upload.upload_part(3).send_bytes(b"third");
        match attempts {
            None => assert_eq!(sent.unwrap().number(), 3),
            Some(attempts) => {
                let error = sent.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionLost);
                assert_eq!(error.attempts(), attempts);
                assert_eq!(
                    (error.stored(), error.answered()),
                    (Stored::No, Answered::NotRequested)
                );
            }
        }
    }
}
