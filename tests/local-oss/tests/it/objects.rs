//! Put, get, head and delete over real sockets.

use std::{
    io::{Read, Write},
    net::Shutdown,
};

use crate::client;
use crate::client::{Response, connect, get, put, request, start};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

/// Of "hello".
const HELLO_ETAG: &str = "\"5D41402ABC4B2A76B9719D911017C592\"";
const HELLO_MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";
const HELLO_CRC: &str = "11177612005948864433";

#[test]
fn an_object_comes_back_as_it_was_put() {
    let server = start();
    let answer = put("a/b.txt", "hello")
        .header("Content-Type", "text/plain")
        .send(&server);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    for (name, value) in [
        ("ETag", HELLO_ETAG),
        ("Content-MD5", HELLO_MD5),
        ("x-oss-hash-crc64ecma", HELLO_CRC),
        ("Server", "AliyunOSS"),
        ("Content-Length", "0"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let request_id = answer.header("x-oss-request-id").unwrap();
    assert!(request_id.len() == 24 && request_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(answer.header("Date").is_some() && answer.header("x-oss-server-time").is_some());

    for method in ["GET", "HEAD"] {
        let answer = request(method, "/examplebucket/a/b.txt").send(&server);
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            if method == "GET" { &b"hello"[..] } else { b"" }
        );
        for (name, value) in [
            ("ETag", HELLO_ETAG),
            ("Content-MD5", HELLO_MD5),
            ("x-oss-hash-crc64ecma", HELLO_CRC),
            ("Content-Type", "text/plain"),
            ("Content-Length", "5"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-storage-class", "Standard"),
            ("Accept-Ranges", "bytes"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {name}");
        }
        assert!(answer.header("Last-Modified").is_some());
    }

    let stored = server.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].request_id, request_id);
    assert_eq!(
        (stored[0].bucket.as_str(), stored[0].key.as_str()),
        ("examplebucket", "a/b.txt")
    );
    assert_eq!(
        (stored[0].size, stored[0].crc64.to_string().as_str()),
        (5, HELLO_CRC)
    );
    assert_eq!(stored[0].etag, HELLO_ETAG.trim_matches('"'));
    assert_eq!(
        (
            stored[0].content_type.as_str(),
            stored[0].operation.as_str()
        ),
        ("text/plain", "PutObject")
    );
    assert_eq!(server.object("examplebucket", "a/b.txt").unwrap(), b"hello");
    assert!(server.deliveries().is_empty());
}

#[test]
fn an_empty_object_is_an_object() {
    let server = start();
    assert_eq!(put("empty", "").send(&server).status, 200);
    let answer = get("empty").send(&server);
    assert_eq!(
        (answer.status, answer.header("Content-Length")),
        (200, Some("0"))
    );
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("0"));
    let head = request("HEAD", "/examplebucket/empty").send(&server);
    assert_eq!(head.header("Content-Length"), Some("0"));
}

#[test]
fn a_large_object_keeps_every_byte() {
    let server = start();
    let body: Vec<u8> = (0..5_000_003u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert_eq!(put("large", body.clone()).send(&server).status, 200);
    assert!(get("large").send(&server).body == body);
    let part = get("large")
        .header("Range", "bytes=1048575-2097152")
        .send(&server);
    assert!(part.body == body[1_048_575..=2_097_152]);
}

#[test]
fn a_later_put_replaces_an_earlier_one() {
    let server = start();
    put("a", "one")
        .header("x-oss-meta-from", "one")
        .send(&server);
    put("a", "two").send(&server);
    let answer = get("a").send(&server);
    assert_eq!(
        (answer.text().as_str(), answer.header("x-oss-meta-from")),
        ("two", None)
    );
    assert_eq!(server.stored().len(), 2);
}

#[test]
fn delete_says_204_whether_there_was_an_object_or_not() {
    let server = start();
    put("a", "one").send(&server);
    for _ in 0..2 {
        assert_eq!(
            request("DELETE", "/examplebucket/a").send(&server).status,
            204
        );
        assert_eq!(
            get("a").send(&server).error(),
            (404, "NoSuchKey".to_owned())
        );
        assert_eq!(
            request("HEAD", "/examplebucket/a").send(&server).status,
            404
        );
    }
    assert_eq!(server.object("examplebucket", "a"), None);
}

#[test]
fn the_error_of_a_head_stands_in_a_header() {
    let server = start();
    let head = |secret: &str| {
        let request = request("HEAD", "/examplebucket/none").secret(secret);
        request.send(&server)
    };
    for (secret, status, code) in [
        (client::SECRET, 404, "NoSuchKey"),
        ("wrong", 403, "SignatureDoesNotMatch"),
    ] {
        let answer = head(secret);
        let mut document = answer.clone();
        document.body = STANDARD
            .decode(answer.header("x-oss-err").unwrap())
            .unwrap();
        assert_eq!(document.error(), (status, code.to_owned()));
        assert_eq!(
            document.element("RequestId").as_deref(),
            answer.header("x-oss-request-id")
        );
    }
    let of_get = get("none").send(&server);
    assert_eq!((of_get.status, of_get.header("x-oss-err")), (404, None));
}

#[test]
fn metadata_comes_back_with_the_object() {
    let server = start();
    let headers = [
        ("x-oss-meta-colour", "blue"),
        ("Cache-Control", "no-cache"),
        ("Content-Disposition", "attachment; filename=a"),
        ("Content-Encoding", "identity"),
        ("Content-Language", "zh-CN"),
        ("Expires", "Sun, 22 Nov 2099 08:16:38 GMT"),
        ("x-oss-storage-class", "IA"),
    ];
    let request = headers
        .iter()
        .fold(put("a", "x"), |request, (name, value)| {
            request.header(name, value)
        });
    assert_eq!(request.send(&server).status, 200);
    let answer = get("a").send(&server);
    for (name, value) in headers {
        assert_eq!(answer.header(name), Some(value), "{name}");
        assert_eq!(server.stored()[0].header(name), Some(value), "{name}");
    }
    let answer = get("a?response-cache-control=max-age").send(&server);
    assert_eq!(answer.header("cache-control"), Some("max-age"));
    let too_much = put("b", "x")
        .header("x-oss-meta-a", &"a".repeat(8 * 1024))
        .send(&server);
    assert_eq!(too_much.error(), (400, "InvalidArgument".to_owned()));
}

#[test]
fn ranges_follow_the_rules_of_oss() {
    let server = start();
    put("a", "0123456789").send(&server);
    let range = |range: &str| get("a").header("Range", range);
    let answer = range("bytes=2-4").send(&server);
    assert_eq!((answer.status, answer.text().as_str()), (206, "234"));
    assert_eq!(answer.header("Content-Range"), Some("bytes 2-4/10"));
    for ignored in ["bytes=5-20", "bytes=20-30", "lines=1-2"] {
        let answer = range(ignored).send(&server);
        assert_eq!((answer.status, answer.body.len()), (200, 10), "{ignored}");
    }
    let standard = |text: &str| {
        range(text)
            .header("x-oss-range-behavior", "standard")
            .send(&server)
    };
    assert_eq!(
        (
            standard("bytes=5-20").status,
            standard("bytes=5-20").text().as_str()
        ),
        (206, "56789")
    );
    assert_eq!(
        standard("bytes=20-30").error(),
        (416, "InvalidRange".to_owned())
    );
}

#[test]
fn conditions_are_kept() {
    let server = start();
    put("a", "hello").send(&server);
    let modified = get("a")
        .send(&server)
        .header("Last-Modified")
        .unwrap()
        .to_owned();
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (name, value, status) in [
        ("If-Match", HELLO_ETAG, 200),
        ("If-Match", "\"other\"", 412),
        ("If-None-Match", "\"other\"", 200),
        ("If-None-Match", HELLO_ETAG, 304),
        ("If-None-Match", "*", 304),
        ("If-Modified-Since", long_ago, 200),
        ("If-Modified-Since", &modified, 304),
        ("If-Modified-Since", "yesterday", 200),
        ("If-Unmodified-Since", &modified, 200),
        ("If-Unmodified-Since", long_ago, 412),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = request(method, "/examplebucket/a")
                .header(name, value)
                .send(&server);
            assert_eq!(answer.status, status, "{method} {name}: {value}");
        }
    }
    // The ETag outweighs the date.
    let answer = get("a")
        .header("If-Match", HELLO_ETAG)
        .header("If-Unmodified-Since", long_ago)
        .send(&server);
    assert_eq!(answer.status, 200);
}

#[test]
fn a_chunked_body_is_taken() {
    let server = start();
    let mut stream = connect(server.address());
    let head = put("a", "")
        .without_length()
        .header("Transfer-Encoding", "chunked")
        .head();
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .write_all(b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n")
        .unwrap();
    assert_eq!(
        Response::read(&mut stream, "PUT").header("ETag"),
        Some(HELLO_ETAG)
    );
    assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
}

#[test]
fn a_body_of_unknown_length_is_refused() {
    let server = start();
    let answer = put("a", "").without_length().send(&server);
    assert_eq!(answer.error(), (411, "MissingContentLength".to_owned()));
    assert!(server.stored().is_empty());
}

#[test]
fn what_does_not_match_its_checksum_is_not_stored() {
    let server = start();
    let wrong_md5 = STANDARD.encode(Md5::digest("other"));
    for (name, value, code) in [
        ("Content-MD5", wrong_md5.as_str(), "InvalidDigest"),
        ("Content-MD5", "not Base64", "InvalidDigest"),
        ("Content-MD5", "aGVsbG8=", "InvalidDigest"),
        ("x-oss-hash-crc64ecma", "1", "InvalidCRC64"),
        ("x-oss-hash-crc64ecma", "many", "InvalidArgument"),
    ] {
        let answer = put("a", "hello").header(name, value).send(&server);
        assert_eq!(answer.error(), (400, code.to_owned()), "{name}: {value}");
    }
    assert!(server.stored().is_empty());
    let right = put("a", "hello")
        .header("Content-MD5", HELLO_MD5)
        .header("x-oss-hash-crc64ecma", HELLO_CRC);
    assert_eq!(right.send(&server).status, 200);
}

#[test]
fn a_forbidden_overwrite_is_a_conflict() {
    let server = start();
    let forbidding = put("a", "one").header("x-oss-forbid-overwrite", "true");
    assert_eq!(forbidding.send(&server).status, 200);
    assert_eq!(
        forbidding.send(&server).error(),
        (409, "FileAlreadyExists".to_owned())
    );
    let allowing = put("a", "two").header("x-oss-forbid-overwrite", "false");
    assert_eq!(allowing.send(&server).status, 200);
    let neither = put("a", "two")
        .header("x-oss-forbid-overwrite", "maybe")
        .send(&server);
    assert_eq!(neither.error(), (400, "InvalidArgument".to_owned()));
    assert_eq!(server.stored().len(), 2);
}

#[test]
fn of_many_that_forbid_overwriting_one_is_stored() {
    let server = start();
    let mut streams: Vec<_> = (0..16).map(|_| connect(server.address())).collect();
    let request = put("a", "hello").header("x-oss-forbid-overwrite", "true");
    for stream in &mut streams {
        stream.write_all(request.head().as_bytes()).unwrap();
        stream.write_all(b"hell").unwrap();
    }
    for stream in &mut streams {
        stream.write_all(b"o").unwrap();
    }
    let mut statuses: Vec<u16> = streams
        .iter_mut()
        .map(|stream| Response::read(stream, "PUT").status)
        .collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[409; 15][..]));
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn more_than_five_gigabytes_are_refused_at_once() {
    let server = client::builder().max_total_bytes(u64::MAX).start().unwrap();
    let announce = |length: u64| {
        let mut stream = connect(server.address());
        let head = put("a", "")
            .without_length()
            .header("Content-Length", &length.to_string())
            .head();
        stream.write_all(head.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        Response::read(&mut stream, "PUT").error()
    };
    let five = 5 * 1024 * 1024 * 1024;
    assert_eq!(announce(five + 1), (400, "EntityTooLarge".to_owned()));
    // This much may be sent, but it was not.
    assert_eq!(announce(five), (400, "IncompleteBody".to_owned()));
}

#[test]
fn a_body_cut_short_is_not_stored() {
    let server = start();
    let mut stream = connect(server.address());
    let head = put("a", "hello").head();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"hel").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        Response::read(&mut stream, "PUT").error(),
        (400, "IncompleteBody".to_owned())
    );
    assert!(server.stored().is_empty());
}

#[test]
fn a_client_that_expects_continue_is_told_to() {
    let server = start();
    let mut stream = connect(server.address());
    let head = put("a", "hello").header("Expect", "100-continue").head();
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(Response::read(&mut stream, "PUT").status, 100);
    stream.write_all(b"hello").unwrap();
    assert_eq!(Response::read(&mut stream, "PUT").status, 200);
}

#[test]
fn a_client_that_expects_continue_is_told_the_error_instead() {
    let server = start();
    let mut stream = connect(server.address());
    let head = put("a", "hello")
        .header("Expect", "100-continue")
        .secret("wrong")
        .head();
    stream.write_all(head.as_bytes()).unwrap();
    let answer = Response::read(&mut stream, "PUT");
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch".to_owned()));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"", "nothing follows the answer");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let server = start();
    for (target, status, code) in [
        ("/Bad_Bucket/a", 400, "InvalidBucketName"),
        ("/otherbucket/a", 404, "NoSuchBucket"),
        ("/examplebucket//a", 400, "InvalidObjectName"),
    ] {
        let answer = request("GET", target).send(&server);
        assert_eq!(answer.error(), (status, code.to_owned()), "{target}");
    }
    let not_utf8 = request("GET", "/examplebucket/%FF").resource(*b"/examplebucket/\xff");
    let not_utf8 = not_utf8.send(&server);
    assert_eq!(not_utf8.error(), (400, "InvalidArgument".to_owned()));
    assert_eq!(
        not_utf8.element("Message").as_deref(),
        Some("The characters encoding must be utf-8.")
    );
    let slash = request("HEAD", "/examplebucket//a").send(&server);
    assert_eq!(slash.status, 404);
    assert_eq!(slash.header("x-oss-ec"), Some("0026-00000001"));
    let long = "a".repeat(1024);
    assert_eq!(
        put(&long, "x").send(&server).error(),
        (400, "InvalidObjectName".to_owned())
    );
    assert_eq!(put(&long[1..], "x").send(&server).status, 200);
}

#[test]
fn every_style_of_address_means_the_same_object() {
    let server = start();
    put("a/b", "hello").send(&server);
    let resource = "/examplebucket/a/b";
    for (host, path) in [
        ("127.0.0.1:9000", "/examplebucket/a/b"),
        ("localhost", "/examplebucket/a%2Fb"),
        ("examplebucket.localhost", "/a/b"),
        ("examplebucket.127.0.0.1:9000", "/a%2Fb"),
        ("examplebucket.oss-cn-hangzhou.aliyuncs.com", "/a/b"),
        (
            "examplebucket.oss-cn-hangzhou-internal.aliyuncs.com",
            "/a/b",
        ),
    ] {
        let answer = request("GET", path)
            .header("Host", host)
            .resource(resource)
            .send(&server);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "hello"),
            "{host}{path}"
        );
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let server = start();
    let mut stream = connect(server.address());
    for number in 0..100 {
        let key = number.to_string();
        assert_eq!(put(&key, key.clone()).send_on(&mut stream).status, 200);
        assert_eq!(get(&key).send_on(&mut stream).text(), key);
        // An error with a body still to come spoils nothing.
        let refused = put(&key, vec![0; 300_000])
            .secret("wrong")
            .send_on(&mut stream);
        assert_eq!(refused.status, 403);
    }
}

#[test]
fn many_threads_share_a_server() {
    let server = start();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut stream = connect(server.address());
                for number in 0..50 {
                    let key = format!("{thread}/{number}");
                    assert_eq!(put(&key, key.clone()).send_on(&mut stream).status, 200);
                    assert_eq!(
                        server.object("examplebucket", &key).unwrap(),
                        key.as_bytes()
                    );
                }
            });
        }
    });
    let mut ids: Vec<String> = server
        .stored()
        .into_iter()
        .map(|stored| stored.request_id)
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 400, "every request has an id of its own");
}

#[test]
fn the_short_head_says_no_more_than_it_must() {
    let server = start();
    put("a", "hello").header("x-oss-meta-a", "b").send(&server);
    let meta = request("HEAD", "/examplebucket/a?objectMeta").send(&server);
    assert_eq!(meta.status, 200);
    assert_eq!(meta.header("Content-Length"), Some("5"));
    assert_eq!(
        meta.header("ETag"),
        Some("\"5D41402ABC4B2A76B9719D911017C592\"")
    );
    assert!(meta.header("Last-Modified").is_some());
    assert_eq!(meta.header("x-oss-meta-a"), None);
    let missing = request("HEAD", "/examplebucket/b?objectMeta").send(&server);
    assert_eq!(missing.status, 404);
}

#[test]
fn a_failed_condition_is_named() {
    let server = start();
    put("a", "hello").send(&server);
    let past = "Sat, 01 Jan 2000 00:00:00 GMT";
    for (name, value) in [("If-Unmodified-Since", past), ("If-Match", "\"0\"")] {
        let answer = get("a").header(name, value).send(&server);
        assert_eq!(answer.error(), (412, "PreconditionFailed".to_owned()));
        assert_eq!(answer.element("Condition").as_deref(), Some(name));
    }
    // An upload has no such condition.
    let upload = put("a", "other")
        .header("If-Modified-Since", past)
        .send(&server);
    assert_eq!(upload.error(), (501, "NotImplemented".to_owned()));
    assert_eq!(get("a").send(&server).text(), "hello");
}
