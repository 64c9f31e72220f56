//! How an object comes: zipped, or slowly.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use local_oss::Server;

use crate::client::{
    Request, builder, connect, get,
    multipart::bytes,
    presign::{Version, presign},
    put, start,
};

/// The raw answer of a request after which the connection ends: head and body.
fn raw(server: &Server, request: &Request) -> (String, Vec<u8>) {
    let mut stream = connect(server.address());
    let request = request.clone().header("Connection", "close");
    stream.write_all(request.head().as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    (head, answer[end + 4..].to_vec())
}

/// What the chunks of a body hold.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let end = body.windows(2).position(|bytes| bytes == b"\r\n").unwrap();
        let length = std::str::from_utf8(&body[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return all;
        }
        all.extend(&body[end + 2..end + 2 + length]);
        body = &body[end + 2 + length + 2..];
    }
}

#[test]
fn a_text_is_zipped_for_who_accepts_it() {
    let folder = tempfile::tempdir().unwrap();
    for server in [start(), builder().data_dir(folder.path()).start().unwrap()] {
        // Blocks of gzip hold 65,535 bytes at most.
        for size in [1023, 1024, 65_535, 700_000] {
            let data = bytes(size, 5);
            put("a", data.clone())
                .header("Content-Type", "text/plain; charset=utf-8")
                .send(&server);
            let asked = get("a").header("Accept-Encoding", "br, gzip;q=1.0");
            let (head, body) = raw(&server, &asked);
            assert!(head.contains("vary: accept-encoding"), "{head}");
            if size < 1024 {
                assert!(body == data && !head.contains("content-encoding"));
                continue;
            }
            assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
            assert!(
                head.contains("transfer-encoding: chunked") && !head.contains("content-length")
            );
            assert!(!head.contains("\netag:"), "{head}");
            let file = folder.path().join("a.gz");
            std::fs::write(&file, unchunked(&body)).unwrap();
            let read = std::process::Command::new("gzip")
                .args(["-dc"])
                .arg(&file)
                .output();
            match read {
                Ok(output) => assert!(output.status.success() && output.stdout == data, "{size}"),
                Err(_) => eprintln!("gzip is missing: what was sent is not read"),
            }
        }
    }
}

#[test]
fn everything_else_comes_as_it_is() {
    let server = start();
    let data = bytes(2000, 5);
    let zip = |key: &str| get(key).header("Accept-Encoding", "gzip");
    put("text", data.clone())
        .header("Content-Type", "text/plain")
        .send(&server);
    put("picture", data.clone())
        .header("Content-Type", "image/png")
        .send(&server);
    put("zipped", data.clone())
        .header("Content-Type", "text/plain")
        .header("Content-Encoding", "gzip")
        .send(&server);
    for asked in [
        get("text"),
        get("text").header("Accept-Encoding", "identity, gzip;q=0"),
        zip("picture"),
        zip("zipped"),
    ] {
        assert!(asked.send(&server).body == data);
    }
    let part = zip("text").header("Range", "bytes=0-1499").send(&server);
    assert!(part.status == 206 && part.body == data[..1500]);
}

#[test]
fn the_speed_that_a_client_wants_is_kept() {
    let server = start();
    // 300 KiB at 100 KiB a second.
    let data = bytes(300 * 1024, 1);
    let limit = "819200";
    let begin = Instant::now();
    let stored = put("a", data.clone())
        .header("x-oss-traffic-limit", limit)
        .send(&server);
    assert_eq!(stored.status, 200);
    assert!(
        begin.elapsed() > Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    let delay: u64 = stored
        .header("x-oss-qos-delay-time")
        .unwrap()
        .parse()
        .unwrap();
    assert!(delay > 1000, "{delay}");
    let begin = Instant::now();
    let read = get("a").header("x-oss-traffic-limit", limit).send(&server);
    assert!(read.body == data && read.header("x-oss-qos-delay-time").is_some());
    assert!(
        begin.elapsed() > Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    // Signed into a URL.
    let begin = Instant::now();
    let url = presign(Version::Four, "GET", "a").query("x-oss-traffic-limit", limit);
    assert!(url.request().send(&server).body == data);
    assert!(
        begin.elapsed() > Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    for wrong in ["819199", "838860801", "fast", "-1"] {
        for asked in [put("b", "x"), get("a")] {
            let answer = asked.header("x-oss-traffic-limit", wrong).send(&server);
            assert_eq!(
                answer.error(),
                (400, "InvalidArgument".to_owned()),
                "{wrong}"
            );
        }
    }
    assert_eq!(get("b").send(&server).status, 404);
    assert_eq!(get("a").send(&server).header("x-oss-qos-delay-time"), None);
}
