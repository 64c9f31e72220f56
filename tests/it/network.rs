//! Names, addresses and readers: how a request finds its way and what it may carry.

use std::io::{self, Cursor, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use local_oss::RefusedAddress;
use oss_callback::{ErrorKind, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, RawServer, TemporaryFile, client, client_builder, server};

#[test]
fn every_address_of_a_name_is_tried() {
    let server = server().start().unwrap();
    let refused = RefusedAddress::new().unwrap();
    let endpoint = format!("http://oss.example.com:{}", server.address().port());
    let client = client_builder(&endpoint)
        .path_style(true)
        .resolve("OSS.example.com", [refused.address(), server.address()])
        .build()
        .unwrap();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();

    let client = client_builder(&endpoint)
        .path_style(true)
        .retry_policy(RetryPolicy::none())
        .resolve("oss.example.com", [refused.address()])
        .build()
        .unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Connect, Stored::No)
    );
    assert!(
        error.to_string().contains("oss.example.com at 127.0.0.1"),
        "{error}"
    );
}

#[test]
fn a_name_is_looked_up_once_and_again_when_none_of_its_addresses_answers() {
    let (first, second) = (server().start().unwrap(), server().start().unwrap());
    let lookups = Arc::new(Mutex::new(vec![second.address(), first.address()]));
    let left = lookups.clone();
    let client = client_builder("http://oss.example.com")
        .path_style(true)
        .max_idle_connections(0)
        .resolver(move |host, port| {
            assert_eq!((host, port), ("oss.example.com", 80));
            Ok(vec![
                left.lock()
                    .unwrap()
                    .pop()
                    .expect("there are two look-ups at the most"),
            ])
        })
        .build()
        .unwrap();
    for _ in 0..5 {
        client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    }
    assert_eq!(
        (first.stored().len(), lookups.lock().unwrap().len()),
        (5, 1)
    );
    // The server moves.
    first.shutdown();
    let receipt = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    assert_eq!((receipt.attempts(), second.stored().len()), (1, 1));
}

#[test]
fn virtual_hosts_are_reached_by_fixed_addresses() {
    let server = server().start().unwrap();
    let port = server.address().port();
    let client = client_builder(&format!("http://oss-cn-hangzhou.aliyuncs.com:{port}"))
        .resolve(
            "examplebucket.oss-cn-hangzhou.aliyuncs.com",
            [server.address()],
        )
        .build()
        .unwrap();
    client.put_object(BUCKET, "a/b").send_bytes(b"x").unwrap();
    assert_eq!(server.object(BUCKET, "a/b").unwrap(), b"x");
}

#[test]
fn the_head_and_the_first_block_leave_in_one_send() {
    const BODY: &[u8] = b"the first block";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let builder = client_builder(&endpoint).timeout(Duration::from_secs(10));
    let client = builder.build().unwrap();
    // In two sends they might come together by chance, but not each time.
    for _ in 0..20 {
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| client.put_object(BUCKET, "a").send_bytes(BODY));
            let (mut stream, _) = listener.accept().unwrap();
            let mut first = vec![0; 64 * 1024];
            let count = stream.read(&mut first).unwrap();
            assert!(
                first[..count].ends_with(BODY),
                "{:?}",
                String::from_utf8_lossy(&first[..count])
            );
            let answer = b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
            upload.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_connection_is_kept_as_long_as_it_may_be_idle() {
    let server = server().start().unwrap();
    let no_fault = Fault {
        direction: Direction::Request,
        at: 0,
        action: Action::Cut,
    };
    let network = FaultyNetwork::start(server.address(), no_fault, 0);
    let builder = client_builder(&format!("http://{}", network.address()));
    for (builder, connections) in [
        (builder.clone(), 1),
        (builder.clone().max_idle_time(Duration::ZERO), 3),
        (builder.max_idle_connections(0), 3),
    ] {
        let (client, before) = (builder.build().unwrap(), network.connections());
        for _ in 0..3 {
            client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
        }
        assert_eq!(network.connections() - before, connections);
    }
}

#[test]
fn readers_and_ranges_are_uploaded() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let contents: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 241) as u8).collect();
    let file = TemporaryFile::new("file.bin", &contents);
    let len = contents.len() as u64;
    client
        .put_object(BUCKET, "known")
        .send_reader(Cursor::new(&contents), len)
        .unwrap();
    client
        .put_object(BUCKET, "chunked")
        .send_reader_chunked(Cursor::new(&contents))
        .unwrap();
    client
        .put_object(BUCKET, "empty")
        .send_reader_chunked(io::empty())
        .unwrap();
    client
        .put_object(BUCKET, "range")
        .send_file_range(file.path(), 10, 500_000)
        .unwrap();
    client
        .put_object(BUCKET, "nothing")
        .send_file_range(file.path(), len, 0)
        .unwrap();
    assert!(server.object(BUCKET, "known").unwrap() == contents);
    assert!(server.object(BUCKET, "chunked").unwrap() == contents);
    assert!(server.object(BUCKET, "empty").unwrap().is_empty());
    assert!(server.object(BUCKET, "range").unwrap() == contents[10..500_010]);
    assert!(server.object(BUCKET, "nothing").unwrap().is_empty());
    for (offset, range_len) in [(0, len + 1), (len + 1, 0), (u64::MAX, 1)] {
        let put = client.put_object(BUCKET, "a");
        let error = put
            .send_file_range(file.path(), offset, range_len)
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::InvalidArgument, Stored::No)
        );
    }
}

#[test]
fn a_reader_that_does_not_keep_its_word_stores_nothing() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let put = || client.put_object(BUCKET, "a");
    let short = put()
        .send_reader(Cursor::new(vec![0; 99]), 100)
        .unwrap_err();
    let long = put()
        .send_reader(Cursor::new(vec![0; 101]), 100)
        .unwrap_err();
    let failing = put().send_reader(Cursor::new(vec![0; 500_000]).chain(Fails), 1_000_000);
    let failing = failing.unwrap_err();
    let not_empty = put().send_reader(Cursor::new(b"x"), 0).unwrap_err();
    let chunked = put()
        .send_reader_chunked(Cursor::new(vec![0; 500_000]).chain(Fails))
        .unwrap_err();
    for (error, kind, said) in [
        (short, ErrorKind::BodyChanged, "ended after 99 of 100 bytes"),
        (long, ErrorKind::BodyChanged, "more than 100 bytes"),
        (not_empty, ErrorKind::BodyChanged, "more than 0 bytes"),
        (failing, ErrorKind::BodyUnreadable, "disk on fire"),
        (chunked, ErrorKind::BodyUnreadable, "disk on fire"),
    ] {
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::No),
            "{error}"
        );
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(server.stored().is_empty());
}

#[test]
fn a_reader_of_nothing_may_take_its_time_to_say_so() {
    /// Has nothing to give yet, and a little later ends.
    struct Later(u32);
    impl Read for Later {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_sub(1);
            match self.0 {
                0 => Ok(0),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            }
        }
    }
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let put = || client.put_object(BUCKET, "a");
    put().send_reader(Later(10), 0).unwrap();
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"");
    // The limits hold meanwhile.
    let put = put().timeout(Duration::from_millis(50));
    let error = put.send_reader(Later(u32::MAX), 0).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored(), error.attempts()),
        (ErrorKind::Timeout, Stored::No, 1),
        "{error}"
    );
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_a_file_is_refused_at_once() {
    let pipe = TemporaryFile::new("pipe", b"");
    std::fs::remove_file(pipe.path()).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(pipe.path())
            .status()
            .unwrap()
            .success()
    );
    let error = client("http://127.0.0.1")
        .put_object(BUCKET, "a")
        .send_file(pipe.path());
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::BodyUnreadable, Stored::No)
    );
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn a_reader_may_itself_use_the_client() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    struct Uploads<'a>(&'a oss_callback::Client, usize);
    impl Read for Uploads<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            let object = format!("inner-{}", self.1);
            self.0
                .put_object(BUCKET, &object)
                .send_bytes(b"inner")
                .map_err(io::Error::other)?;
            let count = buffer.len().min(if self.1 > 3 { 0 } else { 10 });
            buffer[..count].fill(b'x');
            Ok(count)
        }
    }
    let receipt = client
        .put_object(BUCKET, "outer")
        .send_reader_chunked(Uploads(&client, 0));
    receipt.unwrap();
    assert_eq!(server.object(BUCKET, "outer").unwrap(), [b'x'; 30]);
    assert_eq!(server.stored().len(), 5);
}

#[test]
fn progress_is_told_and_the_bandwidth_kept() {
    const LEN: u64 = 600_000;
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let mut told = Vec::new();
    let begun = Instant::now();
    client
        .put_object(BUCKET, "a")
        .bandwidth(1_000_000)
        .progress(|sent, total| told.push((sent, total)))
        .send_bytes(vec![0; LEN as usize])
        .unwrap();
    let elapsed = begun.elapsed();
    assert!(
        (Duration::from_millis(400)..Duration::from_secs(10)).contains(&elapsed),
        "{elapsed:?}"
    );
    assert_eq!(told.last(), Some(&(LEN, Some(LEN))));
    // A busy machine may acknowledge several blocks at once.
    assert!(told.is_sorted() && told.len() >= 3, "{told:?}");
}

#[test]
fn the_checksum_is_compared_unless_that_is_switched_off() {
    let answer = "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: 1\r\nContent-Length: 0\r\n\r\n";
    let raw = RawServer::answering(answer);
    let client = client(&raw.endpoint());
    let put = || client.put_object(BUCKET, "a");
    assert_eq!(
        put().send_bytes(b"x").unwrap_err().kind(),
        ErrorKind::ChecksumMismatch
    );
    put().compare_crc64(false).send_bytes(b"x").unwrap();
}
