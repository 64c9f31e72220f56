//! Callbacks that arrive: what the application server gets, and what the uploader is told.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::mpsc,
};

use crate::client::{
    PATIENCE, Response, base64, builder,
    callback::{answering, callback, upload},
    connect, put, request, start,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use local_oss::{Answer, Receiver, RefusedAddress};
use md5::{Digest, Md5};
use rsa::{Pkcs1v15Sign, RsaPublicKey, pkcs8::DecodePublicKey};
use serde_json::{Value, json};

#[test]
fn the_answer_of_the_application_server_is_the_answer_to_the_upload() {
    for (content_type, body) in [
        ("application/json", r#"{"Status":"OK"}"#),
        ("application/json; charset=utf-8", "[1, 2]"),
        ("text/plain", " \"文\"\n"),
        ("application/xml", "<?xml version=\"1.0\"?><a/>"),
    ] {
        let server = start();
        let answer = upload(&server, Answer::new(200, content_type, body));
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
        assert_eq!(answer.header("Content-Type"), Some(content_type));
        assert_eq!(
            answer.header("ETag"),
            Some("\"5D41402ABC4B2A76B9719D911017C592\"")
        );
        assert_eq!(
            answer.header("x-oss-hash-crc64ecma"),
            Some("11177612005948864433")
        );
        assert_eq!(
            answer.header("Content-MD5"),
            Some("XUFAKrxLKna5cZ2REBfFkg==")
        );
        let delivery = server.deliveries().pop().unwrap();
        assert!(delivery.accepted && delivery.message.is_none() && delivery.ec.is_none());
        let received = delivery.answer.unwrap();
        assert_eq!(
            (received.status, received.body.as_slice()),
            (200, body.as_bytes())
        );
        assert_eq!(received.header("content-type"), Some(content_type));
    }
}

#[test]
fn a_callback_has_the_headers_of_a_real_one() {
    let server = start();
    let receiver = answering(Answer::json("{}"));
    let url = receiver.url("/a%20b/c?d=%41&e");
    let answer = put("dir/a", "hello")
        .callback(&callback(&url))
        .send(&server);
    assert_eq!(answer.status, 200);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    let received = &requests[0];
    assert_eq!(
        (received.method.as_str(), received.target.as_str()),
        ("POST", "/a%20b/c?d=%41&e")
    );
    assert_eq!(received.text(), "object=dir%2Fa&size=5");
    let names: Vec<&str> = received
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Host",
            "Connection",
            "Content-Length",
            "Authorization",
            "Content-MD5",
            "Content-Type",
            "Date",
            "User-Agent",
            "x-oss-additional-headers",
            "x-oss-bucket",
            "x-oss-owner",
            "x-oss-pub-key-url",
            "x-oss-request-id",
            "x-oss-requester",
            "x-oss-signature-version",
            "x-oss-tag",
            "eagleeye-rpcid",
        ]
    );
    for (name, value) in [
        ("Host", "127.0.0.1"),
        ("Connection", "close"),
        ("Content-Length", "21"),
        ("Content-MD5", &STANDARD.encode(Md5::digest(&received.body))),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("User-Agent", "aliyun-oss-callback"),
        ("x-oss-additional-headers", ""),
        ("x-oss-bucket", "examplebucket"),
        (
            "x-oss-pub-key-url",
            &STANDARD.encode(server.public_key_url()),
        ),
        (
            "x-oss-request-id",
            answer.header("x-oss-request-id").unwrap(),
        ),
        ("x-oss-signature-version", "1.0"),
        ("x-oss-tag", "CALLBACK"),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
    httpdate::parse_http_date(received.header("Date").unwrap()).unwrap();

    let delivery = server.deliveries().pop().unwrap();
    assert_eq!(
        (&delivery.headers, &delivery.body),
        (&received.headers, &received.body)
    );
    assert_eq!(
        (delivery.url.as_str(), delivery.target.as_str()),
        (url.as_str(), received.target.as_str())
    );
    assert_eq!(
        (delivery.bucket.as_str(), delivery.key.as_str()),
        ("examplebucket", "dir/a")
    );
    assert_eq!(
        Some(delivery.request_id.as_str()),
        answer.header("x-oss-request-id")
    );
}

#[test]
fn a_callback_is_signed_by_the_key_that_it_names() {
    let server = builder().callback_key_bits(1024).start().unwrap();
    let receiver = answering(Answer::json("{}"));
    put("a", "hello")
        .callback(&callback(&receiver.url("/%61?b=%63")))
        .send(&server);
    let received = receiver.requests().pop().unwrap();

    let url = STANDARD
        .decode(received.header("x-oss-pub-key-url").unwrap())
        .unwrap();
    let url = String::from_utf8(url).unwrap();
    assert_eq!(url, server.public_key_url());
    let path = url.strip_prefix(server.endpoint()).unwrap();
    let mut stream = connect(server.address());
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .unwrap();
    let pem = Response::read(&mut stream, "GET").text();
    assert_eq!(pem, server.public_key_pem());

    let key = RsaPublicKey::from_public_key_pem(&pem).unwrap();
    let signature = STANDARD
        .decode(received.header("Authorization").unwrap())
        .unwrap();
    let digest_info = *b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10";
    let scheme = || Pkcs1v15Sign {
        hash_len: Some(16),
        prefix: digest_info.into(),
    };
    let text = [b"/a?b=%63\n", received.body.as_slice()].concat();
    key.verify(scheme(), &Md5::digest(&text), &signature)
        .unwrap();
    assert!(
        key.verify(scheme(), &Md5::digest("other"), &signature)
            .is_err()
    );
}

#[test]
fn every_variable_is_substituted() {
    let server = start();
    let receiver = answering(Answer::json("{}"));
    let names = [
        "bucket",
        "object",
        "etag",
        "size",
        "mimeType",
        "crc64",
        "contentMd5",
        "operation",
        "clientIp",
        "reqId",
        "vpcId",
        "imageInfo.height",
        "x:a",
        "x:none",
        "unknown",
    ];
    let members: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\":${{{name}}}"))
        .collect();
    let callback = json!({
        "callbackUrl": receiver.url("/"),
        "callbackBody": format!("{{{}}}", members.join(",")),
        "callbackBodyType": "application/json",
    });
    let answer = put("a", "hello")
        .header("Content-Type", "text/plain")
        .callback(&callback)
        .callback_var(&json!({ "x:a": "say \"hi\"", "x:unused": "1" }))
        .send(&server);
    assert_eq!(answer.status, 200);
    let received = receiver.requests().pop().unwrap();
    assert_eq!(received.header("Content-Type"), Some("application/json"));
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(
        body,
        json!({
            "bucket": "examplebucket", "object": "a", "etag": "5D41402ABC4B2A76B9719D911017C592", "size": 5,
            "mimeType": "text/plain", "crc64": "11177612005948864433", "contentMd5": "XUFAKrxLKna5cZ2REBfFkg==",
            "operation": "PutObject", "clientIp": "127.0.0.1", "reqId": answer.header("x-oss-request-id"), "vpcId": null,
            "imageInfo.height": null, "x:a": "say \"hi\"", "x:none": null, "unknown": null,
        })
    );
}

#[test]
fn the_callback_may_stand_in_the_query() {
    let server = start();
    let receiver = answering(Answer::json("{}"));
    let callback = base64(&json!({ "callbackUrl": receiver.url("/"), "callbackBody": "a=${x:a}" }));
    let variables = base64(&json!({ "x:a": "1" }));
    let encode = |text: &str| {
        text.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    };
    let target = format!(
        "/examplebucket/a?callback={}&callback-var={}",
        encode(&callback),
        encode(&variables)
    );
    let resource = format!("/examplebucket/a?callback={callback}&callback-var={variables}");
    let answer = request("PUT", &target)
        .body("hello")
        .resource(resource)
        .send(&server);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(receiver.requests()[0].text(), "a=1");
}

#[test]
fn the_host_is_the_one_asked_for() {
    let server = builder()
        .resolver(|host, port| {
            assert_eq!(host, "app.example");
            Ok(vec![([127, 0, 0, 1], port).into()])
        })
        .start()
        .unwrap();
    let receiver = answering(Answer::json("{}"));
    let url = format!("app.example:{}/", receiver.address().port());
    let mut callback = callback(&url);
    assert_eq!(put("a", "x").callback(&callback).send(&server).status, 200);
    callback["callbackHost"] = "other.example".into();
    assert_eq!(put("a", "x").callback(&callback).send(&server).status, 200);
    let hosts: Vec<_> = receiver
        .requests()
        .iter()
        .map(|request| request.header("Host").unwrap().to_owned())
        .collect();
    assert_eq!(hosts, ["app.example", "other.example"]);
}

#[test]
fn an_answer_of_one_megabyte_is_taken() {
    let server = start();
    let body = format!("\"{}\"", "a".repeat(1024 * 1024 - 2));
    let answer = upload(&server, Answer::json(body.clone()));
    assert_eq!((answer.status, answer.text() == body), (200, true));
}

#[test]
fn interim_answers_are_skipped() {
    let server = start();
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let answer = upload(&server, Answer::raw(answer));
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
}

#[test]
fn urls_are_tried_in_order_until_one_answers_well() {
    let server = start();
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/404" => Answer::status(404),
        "/text" => Answer::json("text"),
        _ => Answer::json(r#"{"from":"good"}"#),
    })
    .unwrap();
    let refused = RefusedAddress::new().unwrap();
    let [not_found, text, good, never] =
        ["/404", "/text", "/good", "/never"].map(|path| receiver.url(path));
    let urls = [&*refused.url("/"), &not_found, &text, &good, &never].join(";");
    let answer = put("a", "hello").callback(&callback(&urls)).send(&server);
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, r#"{"from":"good"}"#)
    );
    let accepted: Vec<bool> = server
        .deliveries()
        .iter()
        .map(|delivery| delivery.accepted)
        .collect();
    assert_eq!(accepted, [false, false, false, true]);
    let targets: Vec<String> = receiver
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets, ["/404", "/text", "/good"]);

    // The last failure is the one that is told.
    let urls = [text.as_str(), &not_found].join(";");
    let answer = put("b", "hello").callback(&callback(&urls)).send(&server);
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Error status : 404.")
    );
    assert_eq!(server.deliveries().len(), 6);
}

#[test]
fn a_bad_callback_stores_nothing_and_calls_nobody() {
    let server = start();
    let receiver = answering(Answer::json("{}"));
    let mut bad = callback(&receiver.url("/"));
    bad["callbackBodyType"] = "text/plain".into();
    let answer = put("a", "hello").callback(&bad).send(&server);
    assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()));
    assert_eq!(answer.element("EC").as_deref(), Some("0007-00000013"));
    assert_eq!(answer.header("x-oss-ec"), Some("0007-00000013"));
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("callback"));
    assert_eq!(
        answer
            .element("ArgumentValue")
            .unwrap()
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
        bad.to_string()
    );
    assert!(
        server.stored().is_empty()
            && server.deliveries().is_empty()
            && receiver.requests().is_empty()
    );
}

#[test]
fn private_addresses_are_refused_by_the_strict() {
    let server = builder().strict(true).start().unwrap();
    let answer = put("a", "hello")
        .callback(&callback("http://127.0.0.1/x"))
        .send(&server);
    assert_eq!(answer.element("EC").as_deref(), Some("0007-00000008"));
    assert_eq!(
        answer.element("ArgumentName").as_deref(),
        Some("callbackUrl")
    );
    assert_eq!(
        answer.element("ArgumentValue").as_deref(),
        Some("http://127.0.0.1/x")
    );
}

#[test]
fn an_upload_that_fails_calls_nobody() {
    let server = start();
    let receiver = answering(Answer::json("{}"));
    let request = put("a", "hello").callback(&callback(&receiver.url("/")));
    assert_eq!(
        request
            .clone()
            .header("Content-MD5", "XUFAKrxLKna5cZ2REBfFkw==")
            .send(&server)
            .status,
        400
    );
    assert_eq!(request.clone().secret("wrong").send(&server).status, 403);
    let mut stream = connect(server.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(b"hel").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Response::read(&mut stream, "PUT").status, 400);
    assert!(receiver.requests().is_empty() && server.stored().is_empty());
}

#[test]
fn an_uploader_that_goes_away_does_not_stop_the_callback() {
    let server = start();
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let receiver = Receiver::start(move |_| {
        let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
        Answer::json("{}")
    })
    .unwrap();
    let request = put("a", "hello").callback(&callback(&receiver.url("/")));
    // `100 Continue` comes back and is never read: that turns the close into a reset, which the server cannot overlook.
    let request = request.header("Expect", "100-continue");
    let mut stream = connect(server.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
    stream.write_all(b"hello").unwrap();
    assert_eq!(receiver.wait_for_requests(1, PATIENCE).len(), 1);
    drop(stream);
    // The server has had time to see that when it has served another.
    assert_eq!(put("b", "x").send(&server).status, 200);
    go.send(()).unwrap();
    let deliveries = server.wait_for_deliveries(1, PATIENCE);
    assert!(deliveries[0].accepted);
    assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
}

#[test]
fn an_uploader_that_half_closes_gets_its_answer() {
    let server = start();
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let receiver = Receiver::start(move |_| {
        let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
        Answer::json("{}")
    })
    .unwrap();
    let request = put("a", "hello").callback(&callback(&receiver.url("/")));
    let mut stream = connect(server.address());
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receiver.wait_for_requests(1, PATIENCE).len(), 1);
    // The server has had time to see the end of the stream when it has served another.
    assert_eq!(put("b", "x").send(&server).status, 200);
    go.send(()).unwrap();
    assert_eq!(Response::read(&mut stream, "PUT").status, 200);
}

#[test]
fn an_application_server_may_answer_before_it_has_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            .unwrap();
        // Held open, unread, until the server has taken the answer and closed.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).map(|_| rest.len())
    });
    let server = start();
    let body = "${x:a}".repeat(500);
    let callback = json!({ "callbackUrl": url, "callbackBody": body });
    let answer = put("a", "hello")
        .callback(&callback)
        .callback_var(&json!({ "x:a": "a".repeat(3000) }))
        .send(&server);
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    let _ = thread.join().unwrap();
}

#[test]
fn an_image_is_described() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x2c\0\0\0\xc8\x08\x02\0\0\0";
    let body = "${imageInfo.width} ${imageInfo.height} ${imageInfo.format}";
    for (contents, body_type, expected) in [
        (&png[..], "application/x-www-form-urlencoded", "300 200 png"),
        (&png[..], "application/json", "300 200 \"png\""),
        (b"no image", "application/x-www-form-urlencoded", "  "),
        (&png[..20], "application/json", "null null null"),
    ] {
        let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
        let server = start();
        let callback = json!({
            "callbackUrl": receiver.url("/"), "callbackBody": body, "callbackBodyType": body_type,
        });
        let answer = put("a", contents).callback(&callback).send(&server);
        assert_eq!(answer.status, 200);
        assert_eq!(receiver.requests()[0].text(), expected);
    }
}
