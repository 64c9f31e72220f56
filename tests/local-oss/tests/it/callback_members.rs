//! Members of callbacks beyond the usual ones, and error documents that repeat them.

use local_oss::Answer;
use serde_json::{Value, json};

use crate::client::{
    builder,
    callback::{answering, callback},
    put, request, start,
};

const OK: &str = r#"{"Status":"OK"}"#;

#[test]
fn additional_headers_are_sent_and_replace_none_of_the_services() {
    let server = start();
    let receiver = answering(Answer::json(OK));
    let mut members = callback(&receiver.url("/"));
    members["additionalHeaders"] = json!({"X-Tenant": "a b", "content-type": "text/plain", "Host": "evil", "Transfer-Encoding": "chunked"});
    assert_eq!(
        put("a", "hello").callback(&members).send(&server).status,
        200
    );
    let delivered = &receiver.requests()[0];
    assert_eq!(delivered.header("x-tenant"), Some("a b"));
    let form = "application/x-www-form-urlencoded";
    assert_eq!(delivered.header("content-type"), Some(form));
    assert_eq!(delivered.header("host"), Some("127.0.0.1"));
    assert_eq!(delivered.header("transfer-encoding"), None);
    for wrong in [
        json!([]),
        json!("a: b"),
        json!(null),
        json!({"x-oss-a": "b"}),
        json!({"X-OSS-A": "b"}),
        json!({"a": 1}),
        json!({"a b": "c"}),
        json!({"a": "b\r\nInjected: c"}),
    ] {
        members["additionalHeaders"] = wrong.clone();
        let answer = put("b", "hello").callback(&members).send(&server);
        assert_eq!(
            answer.error(),
            (400, "InvalidArgument".to_owned()),
            "{wrong}"
        );
        assert_eq!(
            answer.element("EC").as_deref(),
            Some("0007-00000026"),
            "{wrong}"
        );
    }
    assert_eq!((server.stored().len(), receiver.requests().len()), (1, 1));
}

#[test]
fn callbacks_before_the_operation_are_not_there() {
    let server = start();
    let receiver = answering(Answer::json(OK));
    for (name, value) in [
        ("callbackStage", "before-execute"),
        ("callbackFailureAction", "ignore"),
    ] {
        let mut members = callback(&receiver.url("/"));
        members[name] = Value::from(value);
        let answer = put("a", "hello").callback(&members).send(&server);
        assert_eq!(answer.error(), (501, "NotImplemented".to_owned()));
        assert!(answer.text().contains(name));
    }
    assert!(server.stored().is_empty() && receiver.requests().is_empty());
}

#[test]
fn variables_without_their_prefix_are_accepted_unless_strict() {
    let receiver = answering(Answer::json(OK));
    let members =
        json!({"callbackUrl": receiver.url("/"), "callbackBody": "${bucket} ${a} ${x:b}"});
    let variables = json!({"bucket": "evil", "a": "1", "x:b": "2"});
    let upload = put("a", "hello")
        .callback(&members)
        .callback_var(&variables);
    let answer = upload.send(&builder().strict_variables(true).start().unwrap());
    assert_eq!(answer.element("EC").as_deref(), Some("0007-00000104"));
    assert_eq!(upload.send(&start()).status, 200);
    // What OSS knows cannot be replaced.
    assert_eq!(receiver.requests()[0].text(), "examplebucket 1 2");
}

#[test]
fn an_argument_is_repeated_for_a_kilobyte_unless_whole() {
    let mut members = callback("http://127.0.0.1:99999/");
    members["callbackBody"] = Value::from("目".repeat(1100));
    let upload = put("a", "hello").callback(&members);
    let value = |server| upload.send(&server).element("ArgumentValue").unwrap();
    let cut = value(start());
    assert!((1000..1024 + 1000).contains(&cut.len()), "{}", cut.len());
    let answer = upload.send(&start());
    // What oss2 reads of it.
    assert!(answer.body.len() < 4096, "{}", answer.body.len());
    let whole = value(builder().whole_errors(true).start().unwrap());
    assert!(whole.len() > 3300 && whole.contains(&"目".repeat(1100)));
}

#[test]
fn the_key_document_has_a_head() {
    let server = start();
    let at = |method| {
        request(method, "/callback_pub_key_v1.pem")
            .without_authorization()
            .header("Host", "localhost")
            .send(&server)
    };
    let (head, got) = (at("HEAD"), at("GET"));
    assert_eq!((head.status, got.status), (200, 200));
    for name in ["content-length", "content-type"] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    assert_eq!(got.text(), server.public_key_pem());
}
