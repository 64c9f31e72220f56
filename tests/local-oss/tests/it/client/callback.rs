//! Uploads whose callback is answered as the test wants.

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
