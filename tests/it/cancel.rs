//! Cancellation and time limits, measured in each phase of a request: a request is back within 0.2 s of either.

use std::any::Any;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use oss_callback::{
    Cancellation, Client, ClientBuilder, Error, ErrorKind, RetryPolicy, RootCertificates, Stored,
};
use support::{BUCKET, Connection, RawServer, TemporaryFile, client_builder, server, spec};

const LARGE: usize = 64 * 1024 * 1024;
const PART: u64 = 102_400;

/// How soon a request must be back.
const SOON: Duration = Duration::from_millis(200);

/// A machine that is busy with other things may be late, but not each of so many times; and whatever else it does,
/// it is not late by so much.
const TIMES: usize = 10;
const FAR_TOO_LATE: Duration = Duration::from_secs(10);

/// Measures how late a request is back, until it is back soon.
fn is_back_soon(name: &str, mut lateness: impl FnMut() -> Duration) {
    let mut seen = Vec::new();
    for _ in 0..TIMES {
        let late = lateness();
        if late < SOON {
            return;
        }
        assert!(late < FAR_TOO_LATE, "{name}: {late:?} late");
        seen.push(late);
    }
    panic!("{name}: never within {SOON:?}, but {seen:?}");
}

/// A phase in which a request can be stuck for ever.
struct Stuck {
    name: &'static str,
    len: usize,
    stored: Stored,
    /// A client whose request gets stuck, and what sees to that.
    begin: fn() -> (ClientBuilder, Box<dyn Any>),
}

fn all() -> Vec<Stuck> {
    let mut all = vec![
        Stuck {
            name: "resolving",
            len: 3,
            stored: Stored::No,
            begin: || {
                // The resolver answers when the test is over.
                let (keep, over) = mpsc::channel::<()>();
                let over = std::sync::Mutex::new(over);
                let builder = client_builder("http://oss.example.com")
                    .path_style(true)
                    .resolver(move |_, _| {
                        let _ = over.lock().unwrap().recv();
                        Ok(Vec::new())
                    });
                (builder, Box::new(keep))
            },
        },
        Stuck {
            name: "connecting",
            len: 3,
            stored: Stored::No,
            begin: || {
                let full = FullBacklog::new();
                let endpoint = format!("http://{}", full.address);
                (client_builder(&endpoint), Box::new(full))
            },
        },
        Stuck {
            name: "sending",
            len: LARGE,
            stored: Stored::No,
            begin: || at(|connection| connection.wait_without_reading(Duration::from_secs(3))),
        },
        Stuck {
            name: "waiting",
            len: 3,
            stored: Stored::Unknown,
            begin: || at(silence),
        },
        Stuck {
            name: "waiting for a drip",
            len: 3,
            stored: Stored::Unknown,
            begin: || at(drip),
        },
        Stuck {
            name: "receiving",
            len: 3,
            stored: Stored::Yes,
            begin: || {
                at(|connection| {
                    connection.read_body();
                    connection.write(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 10\r\n\r\n{");
                    connection.wait_for_close();
                })
            },
        },
    ];
    if cfg!(feature = "tls") {
        all.push(Stuck {
            name: "shaking hands",
            len: 3,
            stored: Stored::No,
            begin: || {
                // It takes the client's part of the handshake for the beginning of a head, and waits for more.
                let server = RawServer::start(|_| {});
                let endpoint = server.endpoint().replace("http:", "https:");
                let builder = client_builder(&endpoint);
                (
                    builder.root_certificates(RootCertificates::Bundled),
                    Box::new(server),
                )
            },
        });
    }
    all
}

fn at(serve: impl Fn(&mut Connection) + Send + 'static) -> (ClientBuilder, Box<dyn Any>) {
    let server = RawServer::start(serve);
    (client_builder(&server.endpoint()), Box::new(server))
}

fn silence(connection: &mut Connection) {
    connection.read_body();
    connection.wait_for_close();
}

/// A head that never ends, a byte every 50 ms.
fn drip(connection: &mut Connection) {
    connection.read_body();
    for byte in b"HTTP/1.1 200 OK\r\nx-header: "
        .iter()
        .chain([b'x'].iter().cycle())
    {
        if !connection.try_write(&[*byte]) {
            return;
        }
        thread::park_timeout(Duration::from_millis(50));
    }
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

fn put(client: &Client, len: usize, cancellation: &Cancellation) -> Error {
    let callback = spec("http://app.example.com/");
    let put = client
        .put_object(BUCKET, "a")
        .callback(&callback)
        .cancellation(cancellation);
    put.send_bytes(vec![0; len]).unwrap_err()
}

/// Cancels from another thread after a while, and says how long it took from then on.
fn cancelled<T>(request: impl FnOnce(&Cancellation) -> T) -> (T, Duration) {
    // Long enough to be stuck by then.
    const WHILE: Duration = Duration::from_millis(400);
    let cancellation = Cancellation::new();
    thread::scope(|scope| {
        let cancelling = scope.spawn(|| {
            thread::park_timeout(WHILE);
            cancellation.cancel();
            Instant::now()
        });
        let result = request(&cancellation);
        let back = Instant::now();
        (
            result,
            back.saturating_duration_since(cancelling.join().unwrap()),
        )
    })
}

/// What came of a request that was stuck in a phase and ended by this kind of error.
fn holds(stuck: &Stuck, error: &Error, kind: ErrorKind) {
    let expected = match stuck.stored {
        Stored::Yes => ErrorKind::AnswerDamaged,
        _ => kind,
    };
    assert_eq!(
        (error.kind(), error.stored(), error.attempts()),
        (expected, stuck.stored, 1),
        "{}: {error}",
        stuck.name
    );
}

#[test]
fn a_cancelled_request_is_back_soon_whatever_it_is_doing() {
    for stuck in all() {
        is_back_soon(stuck.name, || {
            let (builder, _held) = (stuck.begin)();
            let client = builder.build().unwrap();
            let (error, late) = cancelled(|cancellation| put(&client, stuck.len, cancellation));
            holds(&stuck, &error, ErrorKind::Cancelled);
            late
        });
    }
}

#[test]
fn the_overall_limit_holds_in_every_phase() {
    const LIMIT: Duration = Duration::from_millis(400);
    for stuck in all() {
        is_back_soon(stuck.name, || {
            let (builder, _held) = (stuck.begin)();
            let client = builder.timeout(LIMIT).build().unwrap();
            let begun = Instant::now();
            let error = put(&client, stuck.len, &Cancellation::new());
            let elapsed = begun.elapsed();
            holds(&stuck, &error, ErrorKind::Timeout);
            elapsed.checked_sub(LIMIT).expect("not before its time")
        });
    }
}

#[test]
fn a_limit_of_its_own_holds_in_each_phase() {
    const LIMIT: Duration = Duration::from_millis(300);
    for stuck in all() {
        is_back_soon(stuck.name, || {
            let (builder, _held) = (stuck.begin)();
            let builder = builder.retry_policy(RetryPolicy::none());
            let builder = match stuck.name {
                "resolving" | "connecting" | "shaking hands" => builder.connect_timeout(LIMIT),
                "sending" => builder.progress_timeout(LIMIT),
                _ => builder.answer_timeout(LIMIT),
            };
            let client = builder.build().unwrap();
            let begun = Instant::now();
            // Without a callback, for which OSS would have 5 s more.
            let put = client.put_object(BUCKET, "a");
            let error = put.send_bytes(vec![0; stuck.len]).unwrap_err();
            let elapsed = begun.elapsed();
            holds(&stuck, &error, ErrorKind::Timeout);
            elapsed.saturating_sub(LIMIT)
        });
    }
}

#[test]
fn an_upload_in_parts_is_cancelled_as_soon() {
    let file = TemporaryFile::sparse("parts", 20 * PART);
    let server = server().start().unwrap();
    // A byte per second and connection: all of them wait for their turn.
    is_back_soon("waiting for bandwidth", || {
        let client = client_builder(server.endpoint()).build().unwrap();
        let upload = client.upload_file(BUCKET, "a").part_size(PART).bandwidth(4);
        let (result, late) = cancelled(|cancellation| {
            let upload = upload.cancellation(cancellation);
            upload.send(file.path()).unwrap_err()
        });
        assert_eq!(
            (result.kind(), result.stored()),
            (ErrorKind::Cancelled, Stored::No)
        );
        late
    });
    assert!(server.stored().is_empty());
}

#[test]
fn a_cancellation_ends_the_pause_before_the_next_attempt() {
    let patient = RetryPolicy::default().base_delay(FAR_TOO_LATE);
    is_back_soon("before the next attempt", || {
        let refused = local_oss::RefusedAddress::new().unwrap();
        let client = client_builder(&format!("http://{}", refused.address()))
            .retry_policy(patient)
            .build()
            .unwrap();
        let (error, late) = cancelled(|cancellation| put(&client, 3, cancellation));
        assert_eq!(error.stored(), Stored::No);
        late
    });
}

#[test]
fn an_operation_has_limits_of_its_own() {
    let server = RawServer::start(silence);
    let client = client_builder(&server.endpoint()).build().unwrap();
    let limit = Duration::from_millis(300);
    let put = client
        .put_object(BUCKET, "a")
        .retry_policy(RetryPolicy::none())
        .answer_timeout(limit);
    let error = put.send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown)
    );
    assert!(
        (limit..FAR_TOO_LATE).contains(&error.waited()),
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
fn a_server_that_takes_a_few_bytes_at_a_time_makes_no_progress() {
    let server = RawServer::start(|connection| {
        socket2::SockRef::from(&connection.stream)
            .set_recv_buffer_size(4096)
            .unwrap();
        for _ in 0..60 {
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
    // All of it would take days.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
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
    let error = put(&client, 3, &cancellation);
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No)
    );
    assert_eq!(server.requests(), 0);
}
