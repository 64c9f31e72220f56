//! Buckets: the policies of their callbacks, and who may ask at all.

use serde_json::json;

use super::{Asked, Meaning};
use crate::client::{Request, base64, put, request, start};

/// A policy of a bucket, as XML has it.
pub fn policy_item(name: &str, callback: &str, variables: &str) -> String {
    format!(
        "<PolicyItem><PolicyName>{name}</PolicyName><Callback>{callback}</Callback>\
         <CallbackVar>{variables}</CallbackVar></PolicyItem>"
    )
}

pub fn policy(method: &str) -> Request {
    request(method, "/examplebucket/?policy&comp=callback")
        .resource("/examplebucket/?comp=callback&policy")
}

pub fn put_policy(items: &str) -> Request {
    policy("PUT").body(format!(
        "<BucketCallbackPolicy>{items}</BucketCallbackPolicy>"
    ))
}

pub fn ask(id: &str) -> Option<Asked> {
    let server = start();
    let callback = base64(&json!({
        "callbackUrl": "www.abc.com/callback",
        "callbackBody": "${etag}",
    }));
    let variables = base64(&json!({"x:a": "b"}));
    let items =
        policy_item("test_1", &callback, "") + &policy_item("test_2", &callback, &variables);
    let put_two = || assert_eq!(put_policy(&items).send(&server).status, 200);
    let response = match id {
        "o-bcp-01" => put_policy(&items),
        "o-bcp-02" => {
            put_two();
            policy("GET")
        }
        "o-bcp-03" => {
            put_two();
            policy("DELETE")
        }
        "o-bcp-04" => policy("GET"),
        "o-bcp-05" => put_policy(""),
        "o-acl-01" | "o-acl-04" => {
            let acl =
                request("PUT", "/examplebucket/?acl").header("x-oss-acl", "public-read-write");
            assert_eq!(acl.send(&server).status, 200);
            if id == "o-acl-01" {
                assert_eq!(put("a", "hello").send(&server).status, 200);
                request("GET", "/examplebucket/a").without_authorization()
            } else {
                put("a", "hello").without_authorization()
            }
        }
        "o-acl-02" => put("a", "hello").without_authorization(),
        "o-acl-03" => request("GET", "/examplebucket/a").without_authorization(),
        _ => return None,
    }
    .send(&server);
    if id == "o-bcp-02" {
        assert_eq!(response.elements("PolicyName"), ["test_1", "test_2"]);
        assert_eq!(response.elements("CallbackVar"), ["", &*variables]);
    }
    let mut asked = Asked::of(response).stored(&server);
    // The first of each name.
    asked.words.push((
        "as put",
        Meaning::Looks(|text| text.is_empty() || text.starts_with("ey")),
    ));
    Some(asked)
}
