//! The application server for tests, seen from its other side.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::client::{PATIENCE, connect};
use local_oss::{Answer, Receiver, RefusedAddress};

const REQUEST: &[u8] =
    b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Odd: 1\r\nContent-Length: 5\r\n\r\nhello";

fn answered(answer: Answer) -> String {
    let receiver = Receiver::start(move |_| answer.clone()).unwrap();
    let mut stream = connect(receiver.address());
    stream.write_all(REQUEST).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn requests_are_kept_as_they_came() {
    let receiver = Receiver::start(|request| {
        assert_eq!(request.text(), "hello");
        Answer::json("{}")
    })
    .unwrap();
    let mut stream = connect(receiver.address());
    // In two pieces.
    stream.write_all(&REQUEST[..20]).unwrap();
    stream.write_all(&REQUEST[20..]).unwrap();
    let requests = receiver.wait_for_requests(1, PATIENCE);
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].target.as_str()),
        ("POST", "/a?b")
    );
    let headers = [("Host", "x"), ("X-Odd", "1"), ("Content-Length", "5")];
    assert_eq!(
        requests[0].headers,
        headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(requests[0].header("x-odd"), Some("1"));
    assert_eq!(requests[0].body, b"hello");
    assert!(
        receiver
            .url("/a")
            .ends_with(&format!(":{}/a", receiver.address().port()))
    );
}

#[test]
fn every_answer_is_sent_as_it_was_made() {
    for (answer, expected) in [
        (
            Answer::json("{}"),
            "HTTP/1.1 200 Answer\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        ),
        (
            Answer::new(404, "text/plain", "no")
                .header("X-A", "b")
                .content_length("seven"),
            "HTTP/1.1 404 Answer\r\nConnection: close\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: seven\r\n\r\nno",
        ),
        (
            Answer::json("{}").without_content_length(),
            "HTTP/1.1 200 Answer\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{}",
        ),
        (
            Answer::json("{}").chunked(),
            "HTTP/1.1 200 Answer\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ),
        (Answer::raw("anything"), "anything"),
        (Answer::close(), ""),
    ] {
        assert_eq!(answered(answer), expected);
    }
}

#[test]
fn a_receiver_that_is_silent_can_be_dropped() {
    for answer in [Answer::silence(), Answer::json("{}").then_silence()] {
        let receiver = Receiver::start(move |_| answer.clone()).unwrap();
        let mut streams: Vec<TcpStream> = (0..10).map(|_| connect(receiver.address())).collect();
        for stream in &mut streams {
            stream.write_all(REQUEST).unwrap();
        }
        assert_eq!(receiver.wait_for_requests(10, PATIENCE).len(), 10);
        let before = Instant::now();
        drop(receiver);
        assert!(before.elapsed() < Duration::from_secs(5));
        for stream in &mut streams {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
}

#[test]
fn a_receiver_whose_function_never_returns_can_be_dropped() {
    let (_open, never) = mpsc::channel::<()>();
    let (enter, entered) = mpsc::channel();
    let never = std::sync::Mutex::new(never);
    let receiver = Receiver::start(move |_| {
        enter.send(()).unwrap();
        let _ = never.lock().unwrap().recv();
        Answer::close()
    })
    .unwrap();
    let mut stream = connect(receiver.address());
    stream.write_all(REQUEST).unwrap();
    entered.recv_timeout(PATIENCE).unwrap();
    let before = Instant::now();
    drop(receiver);
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_refused_address_refuses_again_and_again() {
    let refused = RefusedAddress::new().unwrap();
    for _ in 0..10 {
        let error = TcpStream::connect(refused.address()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    assert_eq!(refused.url("/a"), format!("http://{}/a", refused.address()));
}
