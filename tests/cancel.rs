//! Cancellation and time limits, measured in each phase of a request.

mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use oss_callback::{Cancellation, Client, Error, ErrorKind, RetryPolicy, Stored};
use support::{BUCKET, Connection, RawServer, client_builder, spec};

const LARGE: usize = 64 * 1024 * 1024;

/// How soon a cancelled request must be back, and some room for a busy machine.
const SOON: Duration = Duration::from_millis(200);
const ROOM: Duration = Duration::from_millis(300);

/// A phase in which a request can be stuck for ever, and the server that sees to it.
struct Stuck {
    name: &'static str,
    len: usize,
    stored: Stored,
    serve: fn(&mut Connection),
}

const STUCK: [Stuck; 4] = [
    Stuck {
        name: "sending",
        len: LARGE,
        stored: Stored::No,
        serve: |connection| connection.wait_without_reading(Duration::from_secs(8)),
    },
    Stuck {
        name: "waiting",
        len: 3,
        stored: Stored::Unknown,
        serve: |connection| {
            connection.read_body();
            connection.wait_for_close();
        },
    },
    Stuck {
        name: "waiting for a drip",
        len: 3,
        stored: Stored::Unknown,
        serve: drip,
    },
    Stuck {
        name: "receiving",
        len: 3,
        stored: Stored::Yes,
        serve: |connection| {
            connection.read_body();
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
            connection.wait_for_close();
        },
    },
];

/// A head that never ends, a byte every 50 ms.
fn drip(connection: &mut Connection) {
    connection.read_body();
    for byte in b"HTTP/1.1 200 OK\r\nx-header: "
        .iter()
        .chain([b'x'; 200].iter())
    {
        if !connection.try_write(&[*byte]) {
            return;
        }
        thread::park_timeout(Duration::from_millis(50));
    }
}

fn put(client: &Client, len: usize, cancellation: &Cancellation) -> (Error, Duration) {
    let callback = spec("http://127.0.0.1:1/");
    let put = client
        .put_object(BUCKET, "a")
        .callback(&callback)
        .cancellation(cancellation);
    let begun = Instant::now();
    let error = put.send_bytes(vec![0; len]).unwrap_err();
    (error, begun.elapsed())
}

/// Cancels from another thread after a while, and says how long the request took from then on.
fn cancelled(client: &Client, len: usize) -> (Error, Duration) {
    const WHILE: Duration = Duration::from_millis(400);
    let cancellation = Cancellation::new();
    let other = cancellation.clone();
    let thread = thread::spawn(move || {
        thread::park_timeout(WHILE);
        other.cancel();
    });
    let (error, elapsed) = put(client, len, &cancellation);
    thread.join().unwrap();
    (error, elapsed.saturating_sub(WHILE))
}

#[test]
fn a_cancelled_request_is_back_soon_whatever_it_is_doing() {
    for stuck in STUCK {
        let server = RawServer::start(stuck.serve);
        let client = client_builder(&server.endpoint()).build().unwrap();
        let (error, elapsed) = cancelled(&client, stuck.len);
        assert!(elapsed < SOON + ROOM, "{}: {elapsed:?}", stuck.name);
        let expected = match stuck.stored {
            Stored::Yes => ErrorKind::AnswerDamaged,
            _ => ErrorKind::Cancelled,
        };
        assert_eq!(
            (error.kind(), error.stored()),
            (expected, stuck.stored),
            "{}",
            stuck.name
        );
    }
}

#[test]
fn the_overall_limit_holds_in_every_phase() {
    const LIMIT: Duration = Duration::from_millis(400);
    for stuck in STUCK {
        let server = RawServer::start(stuck.serve);
        let client = client_builder(&server.endpoint())
            .timeout(LIMIT)
            .build()
            .unwrap();
        let (error, elapsed) = put(&client, stuck.len, &Cancellation::new());
        assert!(
            (LIMIT..LIMIT + ROOM).contains(&elapsed),
            "{}: {elapsed:?}",
            stuck.name
        );
        let expected = match stuck.stored {
            Stored::Yes => ErrorKind::AnswerDamaged,
            _ => ErrorKind::Timeout,
        };
        assert_eq!(
            (error.kind(), error.stored()),
            (expected, stuck.stored),
            "{}",
            stuck.name
        );
    }
}

#[test]
fn a_connection_that_does_not_come_about_can_be_cancelled_and_times_out() {
    let full = FullBacklog::new();
    let builder = client_builder(&format!("http://{}", full.address))
        .retry_policy(RetryPolicy::none())
        .connect_timeout(Duration::from_secs(5));
    let (error, elapsed) = cancelled(&builder.clone().build().unwrap(), 3);
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No),
        "{error}"
    );
    assert!(elapsed < SOON + ROOM, "{elapsed:?}");

    const LIMIT: Duration = Duration::from_millis(300);
    let client = builder.connect_timeout(LIMIT).build().unwrap();
    let (error, elapsed) = put(&client, 3, &Cancellation::new());
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::No),
        "{error}"
    );
    assert!(elapsed < LIMIT + ROOM, "{elapsed:?}");
}

/// An address whose connections neither come about nor fail.
struct FullBacklog {
    address: SocketAddr,
    _held: (TcpListener, Vec<TcpStream>),
}

impl FullBacklog {
    fn new() -> FullBacklog {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        socket.listen(0).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_millis(200);
        let mut held = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, patience) {
            held.push(stream);
        }
        FullBacklog {
            address,
            _held: (listener, held),
        }
    }
}

#[test]
fn a_name_that_is_not_found_can_be_cancelled_and_times_out() {
    // The resolver answers when the test is over.
    let (_keep, over) = std::sync::mpsc::channel::<()>();
    let over = std::sync::Mutex::new(over);
    let builder = client_builder("http://oss.example.com")
        .path_style(true)
        .retry_policy(RetryPolicy::none())
        .resolver(move |_, _| {
            let _ = over.lock().unwrap().recv();
            Ok(Vec::new())
        });
    let (error, elapsed) = cancelled(&builder.clone().build().unwrap(), 3);
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No),
        "{error}"
    );
    assert!(elapsed < SOON + ROOM, "{elapsed:?}");

    const LIMIT: Duration = Duration::from_millis(300);
    let client = builder.connect_timeout(LIMIT).build().unwrap();
    let (error, elapsed) = put(&client, 3, &Cancellation::new());
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::No),
        "{error}"
    );
    assert!(elapsed < LIMIT + ROOM, "{elapsed:?}");
}

#[test]
fn an_operation_has_limits_of_its_own() {
    let server = RawServer::start(STUCK[1].serve);
    let client = client_builder(&server.endpoint()).build().unwrap();
    let limit = Duration::from_millis(300);
    let none = RetryPolicy::none();
    let begun = Instant::now();
    let put = client
        .put_object(BUCKET, "a")
        .retry_policy(none)
        .answer_timeout(limit);
    let error = put.send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown)
    );
    assert!(
        error.waited() >= limit && begun.elapsed() < limit + ROOM,
        "{:?}",
        error.waited()
    );

    let head = client
        .head_object(BUCKET, "a")
        .timeout(limit)
        .send()
        .unwrap_err();
    assert_eq!(
        (head.kind(), head.stored()),
        (ErrorKind::Timeout, Stored::No)
    );
    let cancellation = Cancellation::new();
    cancellation.cancel();
    let delete = client
        .delete_object(BUCKET, "a")
        .cancellation(&cancellation)
        .send()
        .unwrap_err();
    assert_eq!(delete.kind(), ErrorKind::Cancelled);
    let zero = client.get_object(BUCKET, "a").timeout(Duration::ZERO);
    assert_eq!(
        zero.write_to(&mut Vec::new()).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

#[test]
fn a_drip_does_not_get_past_the_limits() {
    let server = RawServer::start(drip);
    let client = client_builder(&server.endpoint())
        .retry_policy(RetryPolicy::none())
        .answer_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(
        begun.elapsed() < Duration::from_millis(300) + ROOM,
        "{:?}",
        begun.elapsed()
    );

    // A server that takes a few bytes every 50 ms makes no progress to speak of.
    let server = RawServer::start(|connection| {
        socket2::SockRef::from(&connection.stream)
            .set_recv_buffer_size(4096)
            .unwrap();
        for _ in 0..200 {
            if !connection.read_at_most(10) {
                return;
            }
            thread::park_timeout(Duration::from_millis(50));
        }
    });
    let client = client_builder(&server.endpoint())
        .retry_policy(RetryPolicy::none())
        .progress_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client
        .put_object(BUCKET, "a")
        .send_bytes(vec![0; LARGE])
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::No),
        "{error}"
    );
    assert!(error.to_string().contains("no progress"), "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_cancelled_cancellation_sends_nothing() {
    let server = RawServer::answering("");
    let client = client_builder(&server.endpoint()).build().unwrap();
    let cancellation = Cancellation::new();
    cancellation.cancel();
    let (error, _) = put(&client, 3, &cancellation);
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No)
    );
    assert_eq!(server.requests(), 0);
}
