//! Input that no good client sends. The server answers 4xx or closes, and goes on serving others.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use crate::client;
use crate::client::{Response, builder, connect, get, put, request, start};
use local_oss::Server;

fn still_serves(server: &Server) {
    assert_eq!(put("still", "serves").send(server).status, 200);
    assert_eq!(get("still").send(server).text(), "serves");
}

/// Sends the bytes and nothing more; what comes back until the connection ends.
fn exchange(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(server.address());
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read_to_end(&mut stream)
}

/// A reset is an end too.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection stays open"),
        _ => all,
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    std::str::from_utf8(line)
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()
}

#[test]
fn garbage_is_answered_4xx_or_closed() {
    let server = start();
    let long_line = [
        b"GET /".as_slice(),
        &b"a".repeat(200_000),
        b" HTTP/1.1\r\n\r\n",
    ]
    .concat();
    let long_header = [
        b"GET / HTTP/1.1\r\nX: ".as_slice(),
        &b"a".repeat(200_000),
        b"\r\n\r\n",
    ]
    .concat();
    let many_headers = [
        b"GET / HTTP/1.1\r\n".as_slice(),
        &b"a: b\r\n".repeat(2_000),
        b"\r\n",
    ]
    .concat();
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n: empty\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &long_line,
        &long_header,
        &many_headers,
        &b"\xff".repeat(1_000_000),
    ] {
        let answer = exchange(&server, bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        assert!(
            answer.is_empty() || matches!(status(&answer), Some(400..500)),
            "{shown}: {:?}",
            status(&answer)
        );
    }
    still_serves(&server);
}

#[test]
fn odd_but_signed_requests_do_not_end_the_server() {
    let server = start();
    let huge = "9".repeat(30);
    for request in [
        request("GET", "/%00/%0d%0a").resource(*b"/\0/\r\n"),
        request("GET", "/examplebucket/%FF%FE").resource(*b"/examplebucket/\xff\xfe"),
        request("GET", "/examplebucket/a?%ff=%ff&=&&=x"),
        request("GET", "*").resource("/*/"),
        request("PUT", "/examplebucket/a").header("x-oss-callback", ""),
        request("PUT", "/examplebucket/a").header("x-oss-callback", &"A".repeat(50_000)),
        request("PUT", "/examplebucket/a").header("x-oss-callback", "bnVsbA=="),
        request("PUT", "/examplebucket/a").header("x-oss-hash-crc64ecma", &huge),
        request("GET", "/examplebucket/a").header("Range", &format!("bytes={huge}-{huge}")),
        request("BREW", "/examplebucket/a"),
    ] {
        let status = request.send(&server).status;
        assert!(
            (400..=501).contains(&status),
            "{status}: {}",
            request.head()
        );
    }
    still_serves(&server);
}

#[test]
fn broken_chunks_store_nothing() {
    let server = start();
    for body in [
        "x\r\n",
        "-1\r\n",
        "5\r\nhel",
        "5\r\nhelloX",
        "FFFFFFFFFFFFFFFFFF\r\n",
        "5;\n\r\nhello",
    ] {
        let head = put("a", "")
            .without_length()
            .header("Transfer-Encoding", "chunked")
            .head();
        let answer = exchange(&server, format!("{head}{body}").as_bytes());
        assert!(
            answer.is_empty() || matches!(status(&answer), Some(400..500)),
            "{body}"
        );
    }
    assert!(server.stored().is_empty());
    still_serves(&server);
}

#[test]
fn a_request_that_stops_half_way_is_ended() {
    let server = builder()
        .idle_timeout(Duration::from_secs(1))
        .start()
        .unwrap();
    let request = put("a", "hello");
    for part in [
        String::new(),
        "PUT /examplebucket/a HT".to_owned(),
        request.head()[..90].to_owned(),
    ] {
        let mut stream = connect(server.address());
        stream.write_all(part.as_bytes()).unwrap();
        let answer = read_to_end(&mut stream);
        assert!(answer.is_empty() || status(&answer) == Some(408), "{part}");
    }
    // With its head complete it is told why.
    let mut stream = connect(server.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(b"hel").unwrap();
    assert_eq!(
        Response::read(&mut stream, "PUT").error(),
        (400, "RequestTimeout".to_owned())
    );
    assert!(server.stored().is_empty());
    // One that is between two requests is closed too.
    let mut stream = connect(server.address());
    assert_eq!(request.send_on(&mut stream).status, 200);
    assert_eq!(read_to_end(&mut stream), b"");
}

#[test]
fn a_client_that_takes_nothing_is_ended() {
    let server = builder()
        .idle_timeout(Duration::from_secs(1))
        .start()
        .unwrap();
    assert_eq!(put("large", vec![0; 50_000_000]).send(&server).status, 200);
    let mut stream = connect(server.address());
    stream.write_all(get("large").head().as_bytes()).unwrap();
    // Nothing is read. The server does not read either while it cannot write, so this blocks until it has given up.
    let error = stream.write_all(&vec![b'\n'; 100_000_000]).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{error}"
    );
    still_serves(&server);
}

#[test]
fn idle_connections_hold_up_nobody() {
    // Both ends of each are in this process, whose descriptors may be limited to 1024.
    let server = start();
    let idle: Vec<TcpStream> = (0..400)
        .map(|number| {
            let mut stream = connect(server.address());
            // Some say nothing, some begin.
            if number % 2 == 0 {
                stream
                    .write_all(b"PUT /examplebucket/a HTTP/1.1\r\nHo")
                    .unwrap();
            }
            stream
        })
        .collect();
    let before = Instant::now();
    still_serves(&server);
    assert!(before.elapsed() < Duration::from_secs(20));
    assert!(!server.wait_until_idle(Duration::ZERO));
    drop(idle);
    still_serves(&server);
    assert!(server.wait_until_idle(client::PATIENCE));
}

#[test]
fn bodies_under_way_count_against_the_memory() {
    let server = builder().max_total_bytes(3_000_000).start().unwrap();
    let quota = (403, "QuotaExceeded".to_owned());
    assert_eq!(
        put("too-large", vec![0; 3_000_001]).send(&server).error(),
        quota
    );

    // Announced, but not sent: costs nothing.
    let mut announcing = connect(server.address());
    announcing
        .write_all(put("a", vec![0; 2_900_000]).head().as_bytes())
        .unwrap();
    assert_eq!(put("b", vec![0; 2_000_000]).send(&server).status, 200);
    announcing.write_all(&vec![0; 2_900_000]).unwrap();
    assert_eq!(Response::read(&mut announcing, "PUT").error(), quota);

    let chunked = put("c", "")
        .without_length()
        .header("Transfer-Encoding", "chunked");
    let mut stream = connect(server.address());
    stream.write_all(chunked.head().as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
    for _ in 0..40 {
        stream.write_all(&chunk).unwrap();
    }
    assert_eq!(Response::read(&mut stream, "PUT").error(), quota);

    // What is deleted can be used again, and an overwrite needs room for both only for a moment.
    assert_eq!(
        request("DELETE", "/examplebucket/b").send(&server).status,
        204
    );
    assert_eq!(put("d", vec![0; 1_400_000]).send(&server).status, 200);
    for _ in 0..5 {
        assert_eq!(put("d", vec![1; 1_400_000]).send(&server).status, 200);
    }
    let keys: Vec<String> = server
        .stored()
        .into_iter()
        .map(|stored| stored.key)
        .collect();
    assert_eq!(keys, ["b", "d", "d", "d", "d", "d", "d"]);
}

#[test]
fn empty_objects_take_memory_too() {
    let server = builder().max_total_bytes(100_000).start().unwrap();
    let mut stream = connect(server.address());
    let refused =
        (0..1_000).find(|number| put(&number.to_string(), "").send_on(&mut stream).status == 403);
    assert!(refused.is_some_and(|number| number > 50), "{refused:?}");
}

#[test]
fn shutdown_closes_all_connections() {
    let server = start();
    let mut idle = connect(server.address());
    assert_eq!(put("a", "x").send_on(&mut idle).status, 200);
    let mut waiting = connect(server.address());
    waiting
        .write_all(put("b", "hello").head().as_bytes())
        .unwrap();
    let address = server.address();
    server.shutdown();
    assert_eq!(read_to_end(&mut idle), b"");
    assert_eq!(read_to_end(&mut waiting), b"");
    assert!(TcpStream::connect(address).is_err());
}
