//! TLS towards clients, and https callbacks.

use std::{
    io::{ErrorKind, Read, Write},
    time::Duration,
};

use crate::client;
use crate::client::{builder, callback::callback, connect, get, put, start, tls};
use local_oss::{Answer, Receiver, Server};
use serde_json::json;

#[test]
fn clients_that_trust_the_certificate_are_served_under_every_name() {
    let server = builder().tls(true).start().unwrap();
    assert!(server.endpoint().starts_with("https://127.0.0.1:"));
    let pem = server.certificate_pem().unwrap();
    let body: Vec<u8> = (0..3_000_000u32).map(|index| (index >> 3) as u8).collect();
    for name in [
        "127.0.0.1",
        "localhost",
        "examplebucket.localhost",
        "oss-cn-hangzhou.aliyuncs.com",
        "examplebucket.oss-cn-hangzhou.aliyuncs.com",
        "other.oss-cn-hangzhou.aliyuncs.com",
    ] {
        let mut stream = tls::connect(server.address(), name, pem);
        assert_eq!(
            put("a", &body[..]).send_on(&mut stream).status,
            200,
            "{name}"
        );
        assert!(get("a").send_on(&mut stream).body == body, "{name}");
    }
    for (name, pem) in [("localhost", None), ("example.com", Some(pem))] {
        let refused = tls::try_connect(server.address(), name, pem).unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{refused}");
    }
    assert_eq!(builder().start().unwrap().certificate_pem(), None);
}

#[test]
fn only_clients_with_the_certificate_that_was_made_for_them_are_served() {
    let asking = || {
        builder()
            .tls(true)
            .client_certificates(true)
            .start()
            .unwrap()
    };
    let (server, other) = (asking(), asking());
    let (pem, client) = (server.certificate_pem(), server.client_pem().unwrap());
    let connect = |client| tls::try_connect_as(server.address(), "localhost", pem, client);
    let mut stream = connect(Some(client)).unwrap();
    assert_eq!(put("a", &b"x"[..]).send_on(&mut stream).status, 200);
    for stranger in [None, other.client_pem()] {
        // With TLS 1.3 the refusal comes after the client's side of the handshake.
        let refused = connect(stranger).and_then(|mut stream| stream.read(&mut [0]));
        assert!(refused.unwrap_err().to_string().contains("alert"));
    }
    assert_eq!(builder().tls(true).start().unwrap().client_pem(), None);
}

#[test]
fn callbacks_name_the_key_under_https() {
    let server = builder().tls(true).start().unwrap();
    let url = server.public_key_url().to_owned();
    let path = url.strip_prefix(server.endpoint()).unwrap();
    let pem = server.certificate_pem().unwrap();
    let mut stream = tls::connect(server.address(), "127.0.0.1", pem);
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let answer = client::Response::read(&mut stream, "GET");
    assert_eq!(answer.text(), server.public_key_pem());
}

#[test]
fn who_speaks_no_tls_is_closed() {
    let server = builder()
        .tls(true)
        .idle_timeout(Duration::from_millis(200))
        .start()
        .unwrap();
    let http = put("a", "hello").head();
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], b"", http.as_bytes()] {
        let mut stream = connect(server.address());
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        // At most an alert.
        assert!(answer.len() < 10, "{answer:?}");
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let impatient = builder().tls(true).idle_timeout(Duration::from_secs(1));
    let server = impatient.start().unwrap();
    let pem = server.certificate_pem().unwrap();
    let mut stream = tls::connect(server.address(), "localhost", pem);
    assert_eq!(put("a", "hello").send_on(&mut stream).status, 200);
    // With a farewell or without.
    match stream.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        other => panic!("{other:?}"),
    }
}

/// A server that believes this receiver, and finds it under every name.
fn believing(receiver: &Receiver) -> Server {
    let address = receiver.address();
    builder()
        .callback_ca(receiver.certificate_pem().unwrap())
        .resolver(move |_, _| Ok(vec![address]))
        .start()
        .unwrap()
}

fn upload(server: &Server, url: &str, sni: serde_json::Value) -> client::Response {
    let mut callback = callback(url);
    callback["callbackSNI"] = sni;
    put("a", "hello").callback(&callback).send(server)
}

fn assert_502(server: &Server, answer: &client::Response, reason: &str) {
    assert_eq!(answer.error(), (203, "CallbackFailed".to_owned()));
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Error status : 502.")
    );
    let delivery = server.deliveries().pop().unwrap();
    let why = delivery.answer.unwrap_err();
    assert!(why.contains(reason), "{why}");
}

#[test]
fn https_callbacks_name_the_server_only_when_told_to() {
    let receiver =
        Receiver::start_tls(&["app.example.com"], |_| Answer::json("{\"a\":1}")).unwrap();
    let server = believing(&receiver);
    let url = "https://app.example.com/path?a=b";
    let named = Some("app.example.com".to_owned());
    for (sni, expected) in [(json!(true), named), (json!(false), None)] {
        let answer = upload(&server, url, sni);
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"a\":1}"));
        let request = receiver.requests().pop().unwrap();
        assert_eq!(request.server_name, expected);
        assert_eq!(request.header("Host"), Some("app.example.com"));
        assert_eq!(
            (request.target.as_str(), request.text().as_str()),
            ("/path?a=b", "object=a&size=5")
        );
        assert!(server.deliveries().pop().unwrap().accepted);
    }
    // An address needs no name.
    assert_eq!(upload(&server, &receiver.url("/"), json!(true)).status, 200);
    assert_eq!(receiver.requests().pop().unwrap().server_name, None);
}

#[test]
fn a_certificate_that_does_not_convince_is_answered_203() {
    let receiver = Receiver::start_tls(&["app.example.com"], |_| Answer::json("{}")).unwrap();
    let server = believing(&receiver);
    let answer = upload(&server, "https://other.example.com/", json!(true));
    assert_502(&server, &answer, "not valid for name");

    let address = receiver.address();
    let distrusting = builder().resolver(move |_, _| Ok(vec![address]));
    let server = distrusting.start().unwrap();
    let answer = upload(&server, "https://app.example.com/", json!(true));
    assert_502(&server, &answer, "UnknownIssuer");
    assert!(
        receiver.requests().is_empty(),
        "nothing is said to somebody unknown"
    );

    let insecure = builder().callback_insecure(true);
    let server = insecure
        .resolver(move |_, _| Ok(vec![address]))
        .start()
        .unwrap();
    for url in [
        "https://app.example.com/",
        "https://other.example.com/",
        &receiver.url("/"),
    ] {
        assert_eq!(upload(&server, url, json!(true)).status, 200, "{url}");
    }
}

#[test]
fn an_https_url_of_a_server_without_tls_is_answered_203() {
    let server = start();
    let plain = Receiver::start(|_| Answer::json("{}")).unwrap();
    // Its answer to a handshake that it takes for a request: nothing.
    let answer = upload(
        &server,
        &format!("https://{}/", plain.address()),
        json!(true),
    );
    assert_502(&server, &answer, "TLS");
    assert!(plain.requests().is_empty());

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let quick = builder().callback_timeout(Duration::from_secs(2));
    let answer = upload(&quick.start().unwrap(), &url, json!(true));
    assert_eq!(
        answer.element("Message").as_deref(),
        Some("Cost too long time.")
    );
}

#[test]
fn failures_behind_tls_are_those_of_http() {
    for (answer, message) in [
        (Answer::status(404), "Error status : 404."),
        (Answer::close(), "Error status : 502."),
        (Answer::silence(), "Cost too long time."),
    ] {
        let receiver = Receiver::start_tls(&[], move |_| answer.clone()).unwrap();
        let ca = receiver.certificate_pem().unwrap();
        // Long enough for a handshake on a busy machine.
        let quick = builder().callback_timeout(Duration::from_secs(2));
        let server = quick.callback_ca(ca).start().unwrap();
        let answer = upload(&server, &receiver.url("/"), json!(false));
        assert_eq!(answer.element("Message").as_deref(), Some(message));
        assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "garbage", broken, "-----BEGIN CERTIFICATE-----\n*"] {
        let error = builder().callback_ca(pem).start().unwrap_err();
        assert!(error.to_string().contains("callback CA"), "{pem}: {error}");
    }
    assert!(Receiver::start_tls(&["no name\0é"], |_| Answer::close()).is_err());
}
