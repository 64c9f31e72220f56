//! HeadObject, GetObject and DeleteObject, through real sockets.

use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

use oss_callback::{ErrorKind, RetryPolicy, Stored};
use support::{BUCKET, RawServer, client, client_builder, server};

#[test]
fn head_tells_what_was_stored() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    client
        .put_object(BUCKET, "a.txt")
        .metadata("author", "Ming")
        .send_bytes(b"12345")
        .unwrap();
    let metadata = client.head_object(BUCKET, "a.txt").send().unwrap();
    let stored = &server.stored()[0];
    assert_eq!(metadata.content_length(), Some(5));
    assert_eq!(metadata.content_type(), Some("text/plain"));
    assert_eq!(metadata.etag(), Some(stored.etag.as_str()));
    assert_eq!(metadata.crc64(), Some(stored.crc64));
    assert_eq!(metadata.metadata("Author"), Some("Ming"));
    assert!(metadata.request_id().is_some());
    let age = SystemTime::now()
        .duration_since(metadata.last_modified().unwrap())
        .unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
}

#[test]
fn what_is_not_there_is_not_found() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let head = client.head_object(BUCKET, "nothing").send().unwrap_err();
    assert_eq!(
        (head.kind(), head.status()),
        (ErrorKind::NotFound, Some(404))
    );
    assert_eq!(head.stored(), Stored::No);
    let get = client
        .get_object(BUCKET, "nothing")
        .write_to(&mut Vec::new())
        .unwrap_err();
    assert_eq!(
        (get.kind(), get.oss_code()),
        (ErrorKind::NotFound, Some("NoSuchKey"))
    );
    let bucket = client
        .get_object("otherbucket", "a")
        .write_to(&mut Vec::new())
        .unwrap_err();
    assert_eq!(
        (bucket.kind(), bucket.oss_code()),
        (ErrorKind::NotFound, Some("NoSuchBucket"))
    );
}

#[test]
fn get_writes_what_put_sent() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let contents: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 253) as u8).collect();
    for (key, contents) in [("big", contents.as_slice()), ("empty", b"")] {
        client.put_object(BUCKET, key).send_bytes(contents).unwrap();
        let mut bytes = Vec::new();
        let metadata = client.get_object(BUCKET, key).write_to(&mut bytes).unwrap();
        assert!(bytes == contents);
        assert_eq!(metadata.content_length(), Some(contents.len() as u64));
    }
}

#[test]
fn delete_deletes_and_does_not_mind_an_absent_object() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    client.put_object(BUCKET, "a").send_bytes(b"1").unwrap();
    client.delete_object(BUCKET, "a").send().unwrap();
    assert_eq!(server.object(BUCKET, "a"), None);
    client.delete_object(BUCKET, "a").send().unwrap();
}

#[test]
fn a_download_that_is_not_the_object_is_an_error() {
    let get = |answer: &str| {
        let raw = RawServer::answering(answer);
        client(&raw.endpoint())
            .get_object(BUCKET, "a")
            .write_to(&mut Vec::new())
            .unwrap_err()
    };
    let cut = get(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 10\r\n\r\n12345",
    );
    assert_eq!(cut.kind(), ErrorKind::ConnectionLost, "{cut}");
    let wrong = get(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: 1\r\nContent-Length: 1\r\n\r\n1",
    );
    assert_eq!(wrong.kind(), ErrorKind::ChecksumMismatch, "{wrong}");
    let no_number = get(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: -1\r\nContent-Length: 1\r\n\r\n1",
    );
    assert_eq!(no_number.kind(), ErrorKind::ChecksumMismatch, "{no_number}");
    let redirect =
        get("HTTP/1.1 302 Found\r\nLocation: http://oss.example.com/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(redirect.kind(), ErrorKind::UnexpectedAnswer, "{redirect}");
}

/// Found by the fuzz target `c_api`: an end within a chunk's framing was called a fault of the library.
#[test]
fn contents_in_chunks_that_end_early_are_a_lost_connection() {
    let chunks = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    for cut in 0..chunks.len() {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            &chunks[..cut]
        );
        let raw = RawServer::answering(answer);
        let client = client_builder(&raw.endpoint()).retry_policy(RetryPolicy::none());
        let get = client.build().unwrap().get_object(BUCKET, "a");
        let mut got = Vec::new();
        match get.write_to(&mut got) {
            // Everything is there, and the size of the last chunk says so.
            Ok(_) => assert!(got == b"hello world" && chunks[..cut].ends_with("0\r\n")),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{cut}: {error}"),
        }
    }
}

#[test]
fn a_download_that_stalls_ends() {
    let raw = RawServer::start(|connection| {
        connection.write(b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 10\r\n\r\n12345");
        connection.wait_for_close();
    });
    let limit = Duration::from_millis(300);
    let client = client_builder(&raw.endpoint())
        .progress_timeout(limit)
        .build()
        .unwrap();
    let mut bytes = Vec::new();
    let error = client
        .get_object(BUCKET, "a")
        .write_to(&mut bytes)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(bytes, b"12345");
}

#[test]
fn a_download_that_drips_ends_but_a_slow_writer_does_not_end_it() {
    let raw = RawServer::start(|connection| {
        connection.write(
            b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 100\r\n\r\n",
        );
        while connection.try_write(b"x") {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let limit = Duration::from_millis(400);
    let client = client_builder(&raw.endpoint())
        .progress_timeout(limit)
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client
        .get_object(BUCKET, "a")
        .write_to(&mut Vec::new())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );

    struct Slow(usize);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            std::thread::park_timeout(Duration::from_millis(600));
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let server = server().start().unwrap();
    let client = client_builder(server.endpoint()).build().unwrap();
    client
        .put_object(BUCKET, "a")
        .send_bytes(vec![0; 100_000])
        .unwrap();
    let client = client_builder(server.endpoint())
        .progress_timeout(limit)
        .build()
        .unwrap();
    let mut slow = Slow(0);
    client.get_object(BUCKET, "a").write_to(&mut slow).unwrap();
    assert_eq!(slow.0, 100_000);
}

#[test]
fn a_writer_that_fails_is_named() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("disk full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    client.put_object(BUCKET, "a").send_bytes(b"1").unwrap();
    let error = client
        .get_object(BUCKET, "a")
        .write_to(&mut Full)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteFailed);
    assert!(error.to_string().contains("disk full"), "{error}");
}
