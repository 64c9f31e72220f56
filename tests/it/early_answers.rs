//! Answers that come while the body is still going out, whatever the server does then.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use oss_callback::{Answered, Client, Error, ErrorKind, RetryPolicy, Stored};
use support::{BUCKET, Connection, RawServer, client_builder, socket_reset, spec};

/// More than socket buffers take.
const LARGE: usize = 64 * 1024 * 1024;

const REFUSAL: &str = "HTTP/1.1 403 Forbidden\r\nx-oss-request-id: 5E1B\r\nContent-Length: 56\r\n\r\n\
    <Error><Code>AccessDenied</Code><Message>m</Message>    ";

/// What a server does after it has answered.
#[derive(Debug, Clone, Copy)]
enum Then {
    Drain,
    Close,
    Reset,
    HalfClose,
    StopReading,
}

const ALL: [Then; 5] = [
    Then::Drain,
    Then::Close,
    Then::Reset,
    Then::HalfClose,
    Then::StopReading,
];

impl Then {
    fn happen(self, connection: &mut Connection) {
        match self {
            Then::Drain => connection.read_body(),
            Then::Close => {}
            Then::Reset => socket_reset(&connection.stream),
            Then::HalfClose => {
                connection.stream.shutdown(Shutdown::Write).unwrap();
                connection.wait_for_close();
            }
            Then::StopReading => connection.wait_without_reading(Duration::from_secs(5)),
        }
    }
}

/// Uploads to a server that says this after `read` bytes of the body.
fn upload(answer: &'static str, read: usize, then: Then, chunked: bool) -> (Error, Duration) {
    let raw = RawServer::start(move |connection| {
        connection.read_some(read);
        connection.write(answer.as_bytes());
        then.happen(connection);
    });
    let client = client_builder(&raw.endpoint())
        .retry_policy(RetryPolicy::none())
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let spec = spec("http://app.example.com/");
    let put = client.put_object(BUCKET, "a").callback(&spec);
    let begun = Instant::now();
    let result = if chunked {
        put.send_reader_chunked(std::io::repeat(b'a').take(LARGE as u64))
    } else {
        put.send_bytes(vec![b'a'; LARGE])
    };
    assert_eq!(raw.requests(), 1);
    (
        result.expect_err("no success can be concluded"),
        begun.elapsed(),
    )
}

#[test]
fn an_early_refusal_is_returned_whatever_the_server_does_next() {
    for then in ALL {
        for read in [0, 1_000_000] {
            let (error, elapsed) = upload(REFUSAL, read, then, false);
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{then:?}: {error}");
            assert_eq!(error.oss_code(), Some("AccessDenied"), "{then:?}");
            assert_eq!(
                (error.stored(), error.answered()),
                (Stored::No, Answered::No),
                "{then:?}"
            );
            assert!(
                elapsed < Duration::from_secs(4),
                "{then:?} took {elapsed:?}"
            );
        }
    }
}

#[test]
fn an_early_refusal_of_a_body_in_chunks_is_returned_too() {
    for then in [Then::Close, Then::Reset, Then::HalfClose, Then::StopReading] {
        let (error, elapsed) = upload(REFUSAL, 0, then, true);
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{then:?}: {error}");
        assert_eq!(error.stored(), Stored::No, "{then:?}");
        assert!(
            elapsed < Duration::from_secs(4),
            "{then:?} took {elapsed:?}"
        );
    }
}

#[test]
fn a_success_that_comes_too_early_is_none() {
    for answer in [
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 203 Non\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        for then in [Then::Close, Then::Reset, Then::HalfClose, Then::StopReading] {
            let (error, _) = upload(answer, 0, then, false);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{then:?}: {error}");
            assert_eq!(
                (error.stored(), error.answered()),
                (Stored::No, Answered::No),
                "{then:?}"
            );
            assert!(error.receipt().is_none(), "{then:?}");
        }
    }
}

#[test]
fn an_interim_answer_is_not_the_answer() {
    let raw = RawServer::start(|connection| {
        for interim in [
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 102 Processing\r\nx: y\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        ] {
            // In two pieces, so that half a head is seen as well.
            let (first, second) = interim.split_at(interim.len() / 2);
            connection.write(first.as_bytes());
            connection.read_some(1_000_000);
            connection.write(second.as_bytes());
        }
        connection.read_body();
        connection.write(b"HTTP/1.1 103 Early Hints\r\n\r\n");
        connection.write(
            b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}",
        );
    });
    let client = client_builder(&raw.endpoint()).build().unwrap();
    let receipt = client
        .put_object(BUCKET, "a")
        .send_bytes(vec![b'a'; LARGE])
        .unwrap();
    assert_eq!(receipt.answer(), b"{}");
}

#[test]
fn an_interim_answer_after_the_body_is_not_the_answer_either() {
    let interim = [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nx: y\r\n\r\n",
        "HTTP/1.1 102 Processing\r\nx: y\r\n\r\n",
        "HTTP/1.1 103 Early Hints\nLink: </a>\n\n",
    ];
    let raw = RawServer::start(move |connection| {
        connection.read_body();
        let all = interim.concat()
            + "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}";
        match connection.header("x-oss-meta-pieces") {
            // Whatever comes together is taken apart, and whatever comes in pieces put together.
            Some(_) => all.bytes().for_each(|byte| connection.write(&[byte])),
            None => connection.write(all.as_bytes()),
        }
    });
    let client = client_builder(&raw.endpoint())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    for (body, pieces) in [(&b""[..], false), (b"", true), (b"a", false), (b"a", true)] {
        let mut put = client.put_object(BUCKET, "a");
        if pieces {
            put = put.metadata("pieces", "yes");
        }
        assert_eq!(put.send_bytes(body).unwrap().answer(), b"{}");
        // It closes after each answer without having said so: the next request must not come in between.
        raw.wait_for_closed_connections();
    }
}

#[test]
fn endless_interim_answers_end() {
    let raw = RawServer::start(|connection| {
        connection.read_body();
        while connection.try_write(b"HTTP/1.1 103 Early Hints\r\n\r\n") {}
    });
    let client = client_builder(&raw.endpoint())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"a").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Protocol, Stored::Unknown),
        "{error}"
    );
}

const STALE: &str =
    "HTTP/1.1 200 OK\r\nx-oss-request-id: STALE\r\nETag: \"STALE\"\r\nContent-Length: 2\r\n\r\n{}";

/// Takes connections, and does with each what a test says; tells when that is done, and keeps them open.
fn speaking(
    speak: impl Fn(usize, &mut TcpStream) + Send + 'static,
) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            speak(number, &mut stream);
            open.push(stream);
            let _ = tell.send(());
        }
    });
    (endpoint, told)
}

/// Reads a request whose body ends with `hello`.
fn read_request(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"hello") {
        stream.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
    }
}

/// Gives its bytes once something has happened.
struct Later<F: FnMut()>(io::Cursor<&'static [u8]>, F);

impl<F: FnMut()> Read for Later<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.position() == 0 {
            (self.1)();
        }
        self.0.read(buffer)
    }
}

impl<F: FnMut()> io::Seek for Later<F> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
fn what_a_server_says_before_it_is_asked_is_no_answer() {
    for said in [
        STALE,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nx-oss-request-id: 1\r\nContent-Length: 0\r\n\r\n",
        "<html>Log in</html>",
        "H",
    ] {
        for chunked in [false, true] {
            let (endpoint, spoken) = speaking(move |_, stream| {
                stream.write_all(said.as_bytes()).unwrap();
            });
            let client = client_builder(&endpoint).build().unwrap();
            let put = client
                .put_object(BUCKET, "a")
                .callback(&spec("http://app.example.com/"));
            let reader = Later(io::Cursor::new(b"hello"), || spoken.recv().unwrap());
            let error = match chunked {
                true => put.send_reader_chunked(reader),
                false => put.send_reader(reader, 5),
            };
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{said}: {error}");
            assert_eq!(
                (error.stored(), error.answered()),
                (Stored::No, Answered::No),
                "{said}"
            );
            assert!(
                error.to_string().contains("before the request was sent"),
                "{error}"
            );
        }
    }
}

/// A server that answers the first request of its first connection, and then, when it is told, does this with it; later
/// connections are answered as they should be.
fn changing(change: impl Fn(&mut TcpStream) + Send + 'static) -> (Client, impl Fn()) {
    const FIRST: &[u8] =
        b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"FIRST\"\r\nContent-Length: 2\r\n\r\n{}";
    let (go, going) = mpsc::channel::<()>();
    let (endpoint, done) = speaking(move |number, stream| {
        read_request(stream);
        stream.write_all(FIRST).unwrap();
        if number == 0 {
            going.recv().unwrap();
            change(stream);
        }
    });
    let client = client_builder(&endpoint).build().unwrap();
    let put = client.put_object(BUCKET, "a").send_bytes(b"hello");
    assert_eq!(put.unwrap().etag(), Some("FIRST"));
    let happened = std::cell::Cell::new(false);
    let happen = move || {
        // Another attempt finds it done.
        if !happened.replace(true) {
            go.send(()).unwrap();
            done.recv().unwrap();
        }
    };
    (client, happen)
}

#[test]
fn what_comes_on_a_kept_connection_while_the_reader_works_is_no_answer() {
    type Change = fn(&mut TcpStream);
    let changes: [(&str, Change); 4] = [
        ("a stale answer", |stream| {
            stream.write_all(STALE.as_bytes()).unwrap();
        }),
        ("a farewell", |stream| {
            let farewell =
                "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(farewell.as_bytes()).unwrap();
        }),
        ("its end", |stream| {
            stream.shutdown(Shutdown::Write).unwrap()
        }),
        ("half a word", |stream| stream.write_all(b"HT").unwrap()),
    ];
    for (name, change) in changes {
        // A reader that is read once.
        let (client, happen) = changing(change);
        let put = client
            .put_object(BUCKET, "b")
            .callback(&spec("http://app.example.com/"));
        let error = put
            .send_reader(Later(io::Cursor::new(b"hello"), &happen), 5)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{name}: {error}");
        assert_eq!(
            (error.stored(), error.answered()),
            (Stored::No, Answered::No),
            "{name}"
        );
        // One that can be rewound is sent on another connection: nothing was sent on this one, callback or not.
        let (client, happen) = changing(change);
        let put = client
            .put_object(BUCKET, "b")
            .callback(&spec("http://app.example.com/"));
        let receipt = put
            .send_rewindable(Later(io::Cursor::new(b"hello"), &happen), 5)
            .unwrap();
        assert_eq!(
            (receipt.etag(), receipt.attempts()),
            (Some("FIRST"), 2),
            "{name}"
        );
        assert_eq!(receipt.history()[0].stored, Stored::No, "{name}");
    }
}
