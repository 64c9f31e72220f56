//! A slow line is not a dead one: while bytes leave, an upload makes progress, and the answer is waited for from then on.

use std::cell::RefCell;
use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use oss_callback::{Cancellation, Client, ClientBuilder, Error, ErrorKind, RetryPolicy, Stored};
use support::slow_line::{IN_BUFFERS, SlowLine, change_line, in_network_of_its_own};
use support::{BUCKET, RawServer, TemporaryFile, client_builder, server};

/// Of the answer, and without progress.
const LIMIT: Duration = Duration::from_secs(2);

/// Takes twice as long as the limits at this speed, and fits into the buffers of a socket.
const LEN: u64 = 200_000;
const SPEED: u64 = 50_000;

fn through(address: SocketAddr) -> ClientBuilder {
    client_builder(&format!("http://{address}"))
        .retry_policy(RetryPolicy::none())
        .answer_timeout(LIMIT)
        .progress_timeout(LIMIT)
}

/// What a hook was told over a slow line: never more than what had arrived, and more and more.
struct Told<'a> {
    line: &'a SlowLine,
    figures: RefCell<Vec<u64>>,
}

impl<'a> Told<'a> {
    fn over(line: &'a SlowLine) -> Told<'a> {
        let figures = RefCell::default();
        Told { line, figures }
    }

    fn hook(&'a self, total: Option<u64>) -> impl FnMut(u64, Option<u64>) + 'a {
        move |sent, of| {
            let arrived = self.line.taken() + IN_BUFFERS;
            assert!(sent <= arrived, "{sent} bytes told, {arrived} have arrived");
            assert_eq!(of, total);
            self.figures.borrow_mut().push(sent);
        }
    }

    /// All of it was told in the end, and before that enough to see it move.
    fn all(&self, len: u64) {
        let figures = self.figures.borrow();
        assert_eq!(figures.last(), Some(&len), "{figures:?}");
        assert!(figures.is_sorted(), "{figures:?}");
        assert!(figures.len() >= 10, "{figures:?}");
        let steps = figures.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(steps.max().unwrap() <= LEN / 2, "{figures:?}");
    }
}

/// A way in which something of this length is uploaded and its progress told.
type Way = fn(&Client, &[u8], &Told<'_>) -> Result<(), Error>;

fn ways() -> [(&'static str, Way); 6] {
    [
        ("bytes", |client, body, told| {
            let put = client.put_object(BUCKET, "a");
            let put = put.progress(told.hook(Some(body.len() as u64)));
            put.send_bytes(body).map(drop)
        }),
        ("file", |client, body, told| {
            let file = TemporaryFile::new("slow", body);
            let put = client.put_object(BUCKET, "a");
            let put = put.progress(told.hook(Some(body.len() as u64)));
            put.send_file(file.path()).map(drop)
        }),
        ("chunks", |client, body, told| {
            let put = client.put_object(BUCKET, "a").progress(told.hook(None));
            put.send_reader_chunked(body).map(drop)
        }),
        // Of each block the last byte is held back where it is read; here that is all of it.
        ("byte by byte at the end", |client, body, told| {
            let (most, rest) = body.split_at(body.len() - 3);
            let mut rest = rest.chunks(1);
            let rest: [&[u8]; 3] = std::array::from_fn(|_| rest.next().unwrap());
            let reader = most.chain(rest[0]).chain(rest[1]).chain(rest[2]);
            let put = client.put_object(BUCKET, "a");
            let put = put.progress(told.hook(Some(body.len() as u64)));
            put.send_reader(reader, body.len() as u64).map(drop)
        }),
        ("upload_file", |client, body, told| {
            let file = TemporaryFile::new("slow", body);
            let upload = client.upload_file(BUCKET, "a");
            let upload = upload.progress(told.hook(Some(body.len() as u64)));
            upload.send(file.path()).map(drop)
        }),
        ("parts", |client, body, told| {
            let file = TemporaryFile::new("slow", body);
            let upload = client.upload_file(BUCKET, "a").part_size(102_400);
            let upload = upload.progress(told.hook(Some(body.len() as u64)));
            upload.send(file.path()).map(drop)
        }),
    ]
}

fn contents() -> Vec<u8> {
    (0..LEN).map(|i| (i * 7 % 251) as u8).collect()
}

fn each_way_arrives(
    server: &local_oss::Server,
    builder: fn(ClientBuilder, &local_oss::Server) -> ClientBuilder,
) {
    let (scheme, _) = server.endpoint().split_once("://").unwrap();
    std::thread::scope(|scope| {
        for (name, way) in ways() {
            scope.spawn(move || {
                let line = SlowLine::start(server.address(), SPEED);
                let endpoint = format!("{scheme}://{}", line.address());
                let client = client_builder(&endpoint)
                    .retry_policy(RetryPolicy::none())
                    .answer_timeout(LIMIT)
                    .progress_timeout(LIMIT);
                let client = builder(client, server).build().unwrap();
                let told = Told::over(&line);
                let result = way(&client, &contents(), &told);
                result.unwrap_or_else(|error| panic!("{name}: {error}"));
                told.all(LEN);
            });
        }
    });
    assert_eq!(server.object(BUCKET, "a").unwrap(), contents());
}

#[test]
fn an_upload_that_moves_outlives_the_limit_of_the_answer_and_tells_what_has_left() {
    each_way_arrives(&server().start().unwrap(), |builder, _| builder);
}

#[cfg(feature = "tls")]
#[test]
fn an_upload_that_moves_over_tls_does_so_too() {
    each_way_arrives(&server().tls(true).start().unwrap(), |builder, server| {
        builder
            .root_certificates(oss_callback::RootCertificates::None)
            .ca_bundle(server.certificate_pem().unwrap())
    });
}

#[test]
fn the_answer_is_waited_for_from_the_last_byte_that_left() {
    let server = RawServer::start(|connection| {
        connection.read_body();
        connection.wait_for_close();
    });
    let address = server.endpoint()["http://".len()..].parse().unwrap();
    let line = SlowLine::start(address, SPEED);
    let client = through(line.address()).build().unwrap();
    let begun = Instant::now();
    let put = client.put_object(BUCKET, "a");
    let error = put.send_bytes(contents()).unwrap_err();
    let (elapsed, sending) = (begun.elapsed(), Duration::from_secs(LEN / SPEED));
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown),
        "{error}"
    );
    assert!(error.to_string().contains("no answer in time"), "{error}");
    assert!(elapsed > sending + LIMIT / 2, "{elapsed:?}");
    // What was sent before is no waiting.
    assert!(
        error.waited() >= LIMIT && error.waited() < sending,
        "{:?}",
        error.waited()
    );
}

#[test]
fn a_queue_that_stops_moving_is_a_dead_line() {
    const LONG: Duration = Duration::from_secs(30);
    let server = server().start().unwrap();
    // All of the body is in the queue; or some of it is not yet.
    for (len, stored) in [(60_000, Stored::Unknown), (32 << 20, Stored::No)] {
        let line = SlowLine::stopping(server.address(), 1 << 20, 30_000);
        let client = through(line.address())
            .answer_timeout(LONG)
            .build()
            .unwrap();
        let told = Told::over(&line);
        let begun = Instant::now();
        let put = client
            .put_object(BUCKET, "a")
            .progress(told.hook(Some(len)));
        let error = put.send_bytes(vec![0; len as usize]).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Timeout, stored),
            "{error}"
        );
        assert!(error.to_string().contains("no progress"), "{error}");
        assert!(
            (LIMIT..LONG / 2).contains(&begun.elapsed()),
            "{:?}",
            begun.elapsed()
        );
    }
    // And the limit of the answer ends it, if that is shorter.
    let line = SlowLine::stopping(server.address(), 1 << 20, 30_000);
    let client = through(line.address())
        .progress_timeout(LONG)
        .build()
        .unwrap();
    let begun = Instant::now();
    let put = client.put_object(BUCKET, "a");
    let error = put.send_bytes(vec![0; 60_000]).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown)
    );
    assert!(
        (LIMIT..LONG / 2).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_hook_that_cancels_ends_the_upload_whatever_it_was_told() {
    let server = server().start().unwrap();
    // At the first figure, when most of a large body is here still; and when everything has left.
    for (len, at, stored) in [(8 << 20, 1, Stored::No), (1000, 1000, Stored::Unknown)] {
        let line = SlowLine::start(server.address(), 1 << 20);
        let client = through(line.address()).build().unwrap();
        let cancellation = Cancellation::new();
        let mut told = 0;
        let put = client
            .put_object(BUCKET, "a")
            .cancellation(&cancellation)
            .progress(|sent, _| {
                told = sent;
                if sent >= at {
                    cancellation.cancel();
                }
            });
        let error = put.send_bytes(vec![0; len]).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Cancelled, stored),
            "{error}"
        );
        assert!(told >= at && told <= len as u64);
    }
}

#[test]
fn the_time_that_a_hook_takes_is_no_time_without_an_answer() {
    let server = server().start().unwrap();
    let line = SlowLine::start(server.address(), SPEED);
    let client = through(line.address()).build().unwrap();
    let mut pauses = 2;
    let put = client.put_object(BUCKET, "a").progress(|_, _| {
        if pauses > 0 {
            pauses -= 1;
            std::thread::sleep(LIMIT + LIMIT / 4);
        }
    });
    put.send_bytes(contents()).unwrap();
    assert_eq!(pauses, 0);
}

#[test]
fn small_bodies_and_blocks_are_told_whole() {
    let server = server().start().unwrap();
    let client = client_builder(server.endpoint()).build().unwrap();
    for len in [1, 2, 131_071, 131_072, 131_073, 262_144, 1_000_000] {
        for chunked in [false, true] {
            let mut told = Vec::new();
            let body = vec![b'x'; len];
            let put = client
                .put_object(BUCKET, "a")
                .progress(|sent, _| told.push(sent));
            let result = match chunked {
                true => put.send_reader_chunked(body.as_slice()),
                false => put.send_bytes(&body),
            };
            result.unwrap();
            assert_eq!(server.object(BUCKET, "a").unwrap(), body);
            assert_eq!(told.last(), Some(&(len as u64)), "{told:?}");
            assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
        }
    }
}

#[test]
fn an_upload_over_64_kbit_arrives() {
    if !in_network_of_its_own("slow_lines::an_upload_over_64_kbit_arrives", "64kbit") {
        return;
    }
    // Twelve seconds of it.
    let server = server().start().unwrap();
    let client = through(server.address()).build().unwrap();
    let mut told = Vec::new();
    let begun = Instant::now();
    let put = client.put_object(BUCKET, "a");
    let put = put.progress(|sent, _| told.push((sent, begun.elapsed())));
    put.send_bytes(vec![0; 100_000]).unwrap();
    assert!(begun.elapsed() > 4 * LIMIT, "the line is not slow");
    assert_eq!(told.last().unwrap().0, 100_000);
    // The line carries 8000 bytes a second, and what it holds itself besides.
    for (sent, at) in &told {
        assert!(
            *sent as f64 <= 8000.0 * at.as_secs_f64() + 4000.0,
            "{told:?}"
        );
    }
    assert!(told.len() >= 20, "{told:?}");
}

#[test]
fn a_line_that_goes_dead_ends_the_upload_by_the_limit_of_progress() {
    let name = "slow_lines::a_line_that_goes_dead_ends_the_upload_by_the_limit_of_progress";
    if !in_network_of_its_own(name, "1mbit") {
        return;
    }
    let server = server().start().unwrap();
    let builder = through(server.address()).answer_timeout(Duration::from_secs(60));
    let client = builder.build().unwrap();
    let mut dead = None;
    let put = client.put_object(BUCKET, "a").progress(|sent, _| {
        if sent >= 20_000 && dead.is_none() {
            change_line("8bit");
            dead = Some(Instant::now());
        }
    });
    let error = put.send_bytes(vec![0; 100_000]).unwrap_err();
    let elapsed = dead.expect("it moved before").elapsed();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Timeout, Stored::Unknown),
        "{error}"
    );
    assert!(error.to_string().contains("no progress"), "{error}");
    assert!(elapsed < 10 * LIMIT, "{elapsed:?}");
}
