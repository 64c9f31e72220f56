//! Uploads whose callback is answered as the test wants.

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use local_oss::{Answer, Receiver, Server};
use serde_json::{Value, json};

use super::{Response, put};

pub fn callback(url: &str) -> Value {
    json!({ "callbackUrl": url, "callbackBody": "object=${object}&size=${size}" })
}

pub fn answering(answer: Answer) -> Receiver {
    Receiver::start(move |_| answer.clone()).unwrap()
}

/// Uploads with a callback that is answered so.
pub fn upload(server: &Server, answer: Answer) -> Response {
    let receiver = answering(answer);
    put("a", "hello")
        .callback(&callback(&receiver.url("/")))
        .send(server)
}

/// A queue of one that is full: further connections are neither taken nor refused. The connections that fill the queue are kept too.
pub fn socket_with_full_queue() -> (TcpListener, Vec<TcpStream>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.listen(0).unwrap().into_std().unwrap()
    });
    let address = listener.local_addr().unwrap();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let filling = (0..16).map_while(connect).collect();
    (listener, filling)
}
