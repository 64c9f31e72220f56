//! Presigned URLs and forms.

use std::io::{Read, Write};
use std::net::TcpStream;

use local_oss::{Answer, Receiver};
use support::c;

use crate::{Scene, agreeing};

#[test]
fn permissions_allow_what_they_say() {
    let path = c::product("c_abi_permission.png");
    std::fs::write(&path, b"12345").expect("writable");
    let path = path.to_str().expect("UTF-8");
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    let said = scene.run("permissions.c", &["agrees", path]);
    // Two versions; a URL in two ways and a form; bytes and a file each.
    let stored = scene.server.stored();
    assert_eq!((stored.len(), receiver.requests().len()), (12, 12));
    let posted = stored
        .iter()
        .filter(|object| object.operation == "PostObject");
    let posted: Vec<_> = posted
        .map(|object| (object.key.as_str(), object.content_type.as_str()))
        .collect();
    let twice = [
        ("from-c/a.png", "image/png"),
        ("from-c/c_abi_permission.png", "image/jpeg"),
    ];
    assert_eq!(posted, [twice, twice].concat());
    assert!(stored.iter().all(|object| object.size == 5));

    assert_eq!(by_hand("PUT", said.value("part"), "", "abc"), 200);
    assert_eq!(
        by_hand(
            "POST",
            said.value("complete"),
            "x-oss-complete-all: yes\r\n",
            ""
        ),
        200
    );
    assert_eq!(
        scene.server.object("examplebucket", "in-parts").as_deref(),
        Some(&b"abc"[..])
    );
    assert_eq!(receiver.requests().len(), 13);
    for method in ["get", "head"] {
        let status = by_hand(&method.to_uppercase(), said.value(method), "", "");
        assert_eq!(status, 200, "{method}");
    }
}

/// One request without any SDK; gives the status.
fn by_hand(method: &str, url: &str, header: &str, body: &str) -> u16 {
    let (host, target) = url
        .strip_prefix("http://")
        .and_then(|url| url.split_once('/'))
        .expect("a URL");
    let mut stream = TcpStream::connect(host).expect("it listens");
    let len = body.len();
    let head = format!(
        "{method} /{target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len}\r\nConnection: close\r\n{header}\r\n"
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status")
}

#[test]
fn a_permission_whose_callback_fails_is_stored_all_the_same() {
    let receiver = Receiver::start(|_| Answer::status(500)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("permissions.c", &["fails", "/"]);
    assert_eq!(
        (scene.server.stored().len(), receiver.requests().len()),
        (6, 6)
    );
}
