//! Callbacks that a bucket keeps, and uploads that name one.

use local_oss::{Answer, Server};
use serde_json::json;

use crate::client::{
    Request, base64, builder, callback::answering, form::signed, presign::Version, put, request,
    start,
};

fn policy(method: &str, body: &str) -> Request {
    request(method, "/examplebucket/?comp=callback&policy").body(body)
}

fn keep(server: &Server, url: &str) {
    let callback = |body: &str| base64(&json!({"callbackUrl": url, "callbackBody": body}));
    let variables = base64(&json!({"x:who": "bucket"}));
    let body = format!(
        "<BucketCallbackPolicy><PolicyItem><PolicyName>plain</PolicyName><Callback>{}</Callback><CallbackVar/></PolicyItem>\
         <PolicyItem><PolicyName>with</PolicyName><Callback>{}</Callback><CallbackVar>{variables}</CallbackVar></PolicyItem>\
         </BucketCallbackPolicy>",
        callback("object=${object}"),
        callback("object=${object}&who=${x:who}"),
    );
    let kept = policy("PUT", &body).send(server);
    assert_eq!(kept.status, 200, "{kept:?}");
}

fn said(server: &Server) -> String {
    let deliveries = server.deliveries();
    String::from_utf8(deliveries.last().unwrap().body.clone()).unwrap()
}

#[test]
fn an_upload_names_a_callback_that_its_bucket_keeps() {
    let receiver = answering(Answer::json(r#"{"Status":"OK"}"#));
    let folder = tempfile::tempdir().unwrap();
    let open = || builder().data_dir(folder.path()).start().unwrap();
    let server = open();
    keep(&server, &receiver.url("/"));
    drop(server);
    let server = open();
    let shown = policy("GET", "").send(&server);
    assert_eq!(shown.elements("PolicyName"), ["plain", "with"]);
    assert_eq!(
        shown.elements("CallbackVar"),
        [String::new(), base64(&json!({"x:who": "bucket"}))]
    );

    let named = |name: &str| put("a", "hello").callback(&json!({"callbackPolicy": name}));
    let own = json!({"x:who": "upload"});
    for (asked, body) in [
        (named("plain"), "object=a"),
        (named("with"), "object=a&who=bucket"),
        (named("with").callback_var(&own), "object=a&who=upload"),
    ] {
        let answer = asked.send(&server);
        assert_eq!(
            (answer.status, answer.text()),
            (200, r#"{"Status":"OK"}"#.to_owned())
        );
        assert_eq!(said(&server), body);
    }
    // A callback of the upload's own outweighs the name.
    let both = json!({
        "callbackPolicy": "plain",
        "callbackUrl": receiver.url("/"),
        "callbackBody": "own=${object}",
    });
    assert_eq!(put("b", "hello").callback(&both).send(&server).status, 200);
    assert_eq!(said(&server), "own=b");
    let any = json!([{"bucket": "examplebucket"}]);
    let form =
        signed(Version::Four, "form", &any, "hello").callback(&json!({"callbackPolicy": "with"}));
    assert_eq!(form.request().send(&server).status, 200);
    assert_eq!(said(&server), "object=form&who=bucket");
}

#[test]
fn a_name_that_the_bucket_does_not_have_stores_nothing() {
    let receiver = answering(Answer::json("{}"));
    let server = start();
    let asked = put("a", "hello").callback(&json!({"callbackPolicy": "plain"}));
    let none = policy("GET", "").send(&server);
    assert_eq!(
        none.error(),
        (404, "BucketCallbackPolicyNotExist".to_owned())
    );
    assert_eq!(
        asked.send(&server).error(),
        (400, "InvalidArgument".to_owned())
    );
    keep(&server, &receiver.url("/"));
    let other = put("a", "hello").callback(&json!({"callbackPolicy": "other"}));
    assert_eq!(
        other.send(&server).error(),
        (400, "InvalidArgument".to_owned())
    );
    assert!(server.stored().is_empty() && server.deliveries().is_empty());
    assert_eq!(asked.send(&server).status, 200);
    assert_eq!(policy("DELETE", "").send(&server).status, 204);
    assert_eq!(policy("GET", "").send(&server).status, 404);
    assert_eq!(asked.send(&server).status, 400);
    // A list without any is one.
    assert_eq!(
        policy("PUT", "<BucketCallbackPolicy/>")
            .send(&server)
            .status,
        200
    );
    assert_eq!(
        policy("PUT", "<Other/>").send(&server).error(),
        (400, "MalformedXML".to_owned())
    );
    // The policy of a bucket is something else.
    for method in ["GET", "PUT", "DELETE"] {
        let policy = request(method, "/examplebucket/?policy").send(&server);
        assert_eq!(policy.status, 501);
    }
}
