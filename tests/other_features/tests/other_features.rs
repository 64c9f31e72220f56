//! Whatever features other crates of the program ask for, the library does the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oss_callback::callback::{CallbackBody, reply_ok};
use oss_callback::{
    BodyTemplate, CallbackSpec, Client, Credentials, ErrorKind, PostForm, PresignedUrl,
};

/// 40 bytes of text, as gzip makes them, and the CRC-64 of that.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 215, 81, 200, 32, 68, 1, 0, 132, 201,
    222, 91, 40, 0, 0, 0,
];
const GZIP_CRC64: &str = "13666056404896744313";

/// A server that gives these answers, each on a connection of its own; the heads that it has read.
fn answering(answers: Vec<Vec<u8>>) -> (Client, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (tell, heads) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            tell.send(read(&mut stream)).unwrap();
            stream.write_all(&answer).unwrap();
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let client = Client::builder()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .build();
    (client.unwrap(), heads)
}

/// A request, whose body is a byte at most; its head.
fn read(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    if head.contains("content-length: 1\r\n") {
        stream.read_exact(&mut [0]).unwrap();
    }
    head
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\n{headers}Content-Length: {len}\r\n\
         Connection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn an_object_comes_as_it_is_stored() {
    let checked = format!("x-oss-hash-crc64ecma: {GZIP_CRC64}\r\n");
    for (content_type, encoding, body, crc64) in [
        ("text/plain", "gzip", GZIP, checked.as_str()),
        ("application/octet-stream", "gzip", GZIP, &checked),
        // Neither is what it says.
        ("text/plain", "gzip", b"plain".as_slice(), ""),
        ("text/plain", "br", b"plain", ""),
        // Hello in two characters of GBK, and bytes that are no text at all.
        (
            "text/plain; charset=gbk",
            "identity",
            b"\xc4\xe3\xba\xc3",
            "",
        ),
        ("text/html; charset=utf-16", "identity", b"\xff\xfe\x00", ""),
    ] {
        let headers =
            format!("{crc64}Content-Type: {content_type}\r\nCONTENT-ENCODING: {encoding}\r\n");
        let (client, heads) = answering(vec![answer(&headers, body)]);
        let mut got = Vec::new();
        let metadata = client.get_object("examplebucket", "a").write_to(&mut got);
        let metadata = metadata.unwrap_or_else(|e| panic!("{headers}: {e}"));
        assert_eq!(got, body, "{headers}");
        // What ureq does not see is there all the same.
        assert_eq!(metadata.header("content-encoding"), Some(encoding));
        assert_eq!(metadata.header("content-type"), Some(content_type));
        let head = heads.recv().unwrap();
        assert!(!head.contains("gzip") && !head.contains("br\r\n"), "{head}");
    }
}

#[test]
fn the_application_servers_answer_comes_byte_for_byte() {
    let spec = CallbackSpec::builder()
        .url("http://app.example.com/")
        .body("object=${object}")
        .build()
        .unwrap();
    for headers in [
        "Content-Type: text/html; charset=gbk\r\nContent-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
    ] {
        let (client, _heads) = answering(vec![answer(headers, GZIP)]);
        let put = client.put_object("examplebucket", "a").callback(&spec);
        assert_eq!(put.send_bytes(b"x").unwrap().answer(), GZIP, "{headers}");
    }
}

#[test]
fn a_cookie_is_neither_kept_nor_sent_back() {
    let cookies = "Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n";
    let (client, heads) = answering(vec![answer(cookies, b""), answer("", b"")]);
    for _ in 0..2 {
        let put = client.put_object("examplebucket", "a");
        let receipt = put.send_bytes(b"x").unwrap();
        assert_eq!(receipt.etag(), Some("A"));
        let head = heads.recv().unwrap();
        assert!(!head.contains("cookie"), "{head}");
    }
}

#[test]
fn nothing_is_sent_that_nobody_asked_for() {
    let (client, heads) = answering(vec![answer("", b"")]);
    client
        .put_object("examplebucket", "a")
        .send_bytes(b"x")
        .unwrap();
    let head = heads.recv().unwrap();
    let mut names: Vec<&str> = head
        .lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-oss-content-sha256",
            "x-oss-date"
        ]
    );
}

#[test]
fn the_members_of_a_callback_are_what_they_are() {
    let body =
        br#"{"size":5,"crc64":18446744073709551615,"x:a":1.50,"x:b":-7,"x:c":true,"x:d":null,
        "x:e":[1],"x:f":"7","imageInfo":{"height":3,"width":"4"},"object":"a\u00e9"}"#;
    let body = CallbackBody::parse(Some("application/json"), body).unwrap();
    assert_eq!((body.size(), body.crc64()), (Some(5), Some(u64::MAX)));
    assert_eq!(
        (body.image_height(), body.image_width()),
        (Some(3), Some(4))
    );
    let variables = ["a", "b", "c", "d", "e", "f"].map(|name| body.variable(name));
    assert_eq!(
        variables,
        [
            Some("1.50"),
            Some("-7"),
            Some("true"),
            None,
            None,
            Some("7")
        ]
    );
    assert_eq!(body.object(), Some("a\u{e9}"));
    // A member by the name that serde_json uses inside is none of its numbers.
    let odd = br#"{"size":{"$serde_json::private::Number":"5"},"crc64":{"$serde_json::private::RawValue":"5"}}"#;
    let odd = CallbackBody::parse(Some("application/json"), odd).unwrap();
    assert_eq!((odd.size(), odd.crc64()), (None, None));
    for bad in [r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#, r#"{"a":1,"a":1}"#] {
        let error = CallbackBody::parse(Some("application/json"), bad.as_bytes());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::BadBody, "{bad}");
    }
}

#[test]
fn a_callback_goes_out_in_the_same_bytes() {
    let spec = CallbackSpec::builder()
        .url("http://app.example.com/")
        .body(BodyTemplate::from("object=${object}"))
        .host("app.example.com")
        .variable("uid", "1")
        .variable("a", "2")
        .build()
        .unwrap();
    let json = |base64: &str| String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap();
    assert_eq!(
        json(spec.callback()),
        r#"{"callbackBody":"object=${object}","callbackHost":"app.example.com","callbackUrl":"http://app.example.com/"}"#
    );
    assert_eq!(
        json(spec.callback_var().unwrap()),
        r#"{"x:a":"2","x:uid":"1"}"#
    );
}

/// Whoever sends JSON decides how deep it is.
#[test]
fn depth_costs_no_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for value in [deep("[", "]"), deep("{\"a\":", "}")] {
        // What the caller has from its own application server is read to a depth of 128.
        PresignedUrl::from_json(&value).unwrap_err();
        PostForm::from_json(&value).unwrap_err();
        let small = thread::Builder::new().stack_size(256 * 1024);
        let run = small.spawn(move || {
            let body = format!("{{\"size\":5,\"a\":{value},\"imageInfo\":{{\"a\":{value}}}}}");
            let body = CallbackBody::parse(Some("application/json"), body.as_bytes());
            assert_eq!(body.unwrap().size(), Some(5));
            reply_ok(value).unwrap();
        });
        run.unwrap().join().unwrap();
    }
}
