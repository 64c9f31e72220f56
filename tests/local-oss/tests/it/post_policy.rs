//! What the policy of a form allows, over real sockets. Which conditions hold is tested beside the code.

use std::time::{Duration, SystemTime};

use crate::client;
use crate::client::{
    ID, Response, SECRET,
    callback::{answering, callback},
    form::{form, iso_time, signed},
    presign::{VERSIONS, Version},
    start,
};
use local_oss::{Answer, Server};
use serde_json::{Value, json};

const OK: &str = r#"{"Status":"OK"}"#;

fn assert_refused(response: &Response, status: u16, code: &str) {
    assert_eq!(response.error(), (status, code.to_owned()));
}

fn message(response: &Response) -> String {
    let message = response.element("Message").unwrap_or_default();
    message.replace("&quot;", "\"")
}

fn any() -> Value {
    json!([{"bucket": "examplebucket"}])
}

#[test]
fn a_callback_of_the_policy_can_neither_be_changed_nor_dropped() {
    for version in VERSIONS {
        let server = start();
        let receiver = answering(Answer::json(OK));
        let config = callback(&receiver.url("/"));
        let pinned = client::base64(&config);
        let conditions = json!([{"callback": pinned}, ["eq", "$x:user", "eric"]]);
        let form = signed(version, "a", &conditions, "hello")
            .field("callback", &pinned)
            .field("x:user", "eric");
        assert_eq!(form.send(&server).text(), OK);
        for changed in [
            form.clone().without_field("callback"),
            form.clone().changed("callback", "e30="),
            form.clone().without_field("x:user"),
            form.clone().changed("x:user", "frida"),
        ] {
            let answer = changed.send(&server);
            assert_refused(&answer, 403, "AccessDenied");
            assert!(
                message(&answer).starts_with(
                    "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$"
                )
            );
        }
        assert_eq!((server.stored().len(), receiver.requests().len()), (1, 1));
    }
}

#[test]
fn a_refused_form_is_never_redirected() {
    let server = start();
    let answer = signed(Version::One, "a", &json!([{"key": "b"}]), "hello")
        .field("success_action_redirect", "http://example.com/")
        .send(&server);
    assert_refused(&answer, 403, "AccessDenied");
    assert_eq!(answer.header("location"), None);
}

#[test]
fn a_policy_that_has_had_its_time_is_refused() {
    let server = start();
    for version in VERSIONS {
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let late = form("a", "hello").sign_until(version, hour_ago, &any());
        let answer = late.send(&server);
        assert_refused(&answer, 403, "AccessDenied");
        assert_eq!(
            message(&answer),
            "Invalid according to Policy: Policy expired."
        );
    }
    assert!(server.stored().is_empty());
}

#[test]
fn a_condition_that_does_not_hold_is_named() {
    let server = start();
    for version in VERSIONS {
        for (condition, shown) in [
            (json!({"bucket": "other"}), r#"["eq", "$bucket", "other"]"#),
            (json!({"key": "b"}), r#"["eq", "$key", "b"]"#),
            (
                json!(["starts-with", "$key", "b/"]),
                r#"["starts-with", "$key", "b/"]"#,
            ),
            (
                json!(["eq", "$success_action_status", "201"]),
                r#"["eq", "$success_action_status", "201"]"#,
            ),
            (
                json!(["in", "$content-type", ["image/png"]]),
                r#"["in", "$content-type", ["image/png"]]"#,
            ),
            (
                json!(["not-in", "$Content-Type", ["image/jpeg"]]),
                r#"["not-in", "$content-type", ["image/jpeg"]]"#,
            ),
        ] {
            let answer = signed(version, "a", &json!([condition]), "hello").send(&server);
            assert_refused(&answer, 403, "AccessDenied");
            let expected = format!("Invalid according to Policy: Policy Condition failed: {shown}");
            assert_eq!(message(&answer), expected);
        }
    }
    assert!(server.stored().is_empty());
}

#[test]
fn the_size_of_the_file_is_held_within_its_range() {
    let server = start();
    let range = json!([["content-length-range", 3, 5]]);
    for version in VERSIONS {
        for (size, expected) in [(2, (400, "EntityTooSmall")), (6, (400, "EntityTooLarge"))] {
            let answer = signed(version, "a", &range, vec![b'x'; size]).send(&server);
            assert_refused(&answer, expected.0, expected.1);
        }
        assert!(server.stored().is_empty() || version == Version::Four);
        for size in [3, 5] {
            let answer = signed(version, "a", &range, vec![b'x'; size]).send(&server);
            assert_eq!(answer.status, 204);
        }
    }
    // Refused while it comes in.
    let large = signed(Version::Four, "b", &range, vec![b'x'; 30_000_000]);
    assert_refused(&large.send(&server), 400, "EntityTooLarge");
    assert_eq!(server.stored().len(), 4);
}

#[test]
fn a_policy_or_a_signature_that_was_changed_is_refused() {
    let server = start();
    for version in VERSIONS {
        let form = signed(version, "a", &json!([{"key": "a"}]), "hello");
        let other = signed(version, "b", &json!([{"key": "b"}]), "hello");
        let signature = match version {
            Version::One => "Signature",
            Version::Four => "x-oss-signature",
        };
        for changed in [
            form.clone().changed("policy", other.value("policy")),
            form.clone().changed(signature, other.value(signature)),
        ] {
            let answer = changed.send(&server);
            assert_refused(&answer, 403, "SignatureDoesNotMatch");
            let text = answer.element("StringToSign").unwrap();
            assert_eq!(text, changed.value("policy"));
        }
    }
    let stranger = signed(Version::One, "a", &any(), "x").changed("OSSAccessKeyId", "nobody");
    assert_refused(&stranger.send(&server), 403, "InvalidAccessKeyId");
    assert!(server.stored().is_empty());
}

#[test]
fn a_form_is_signed_whole_or_not_at_all() {
    let server = start();
    for (version, names) in [
        (Version::One, &["OSSAccessKeyId", "policy", "Signature"][..]),
        (
            Version::Four,
            &[
                "policy",
                "x-oss-signature-version",
                "x-oss-credential",
                "x-oss-date",
                "x-oss-signature",
            ],
        ),
    ] {
        for name in names {
            let form = signed(version, "a", &any(), "hello").without_field(name);
            assert_refused(&form.send(&server), 400, "InvalidArgument");
        }
    }
    // Who signs nothing is anonymous, and the bucket is private.
    let anonymous = form("a", "hello").send(&server);
    assert_refused(&anonymous, 403, "AccessDenied");
    assert!(message(&anonymous).contains("bucket acl"));
    assert!(server.stored().is_empty());
}

#[test]
fn the_policy_of_version_4_says_who_signed() {
    let server = start();
    let end = iso_time(SystemTime::now() + Duration::from_secs(600));
    let names = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"];
    let whole = signed(Version::Four, "a", &any(), "hello");
    let with = |left_out: Option<&str>| {
        let conditions: Vec<Value> = names
            .iter()
            .filter(|name| Some(**name) != left_out)
            .map(|name| json!({ *name: whole.value(name) }))
            .collect();
        let policy = json!({"expiration": end, "conditions": conditions});
        let form = whole.clone().without_field("policy");
        form.without_field("x-oss-signature")
            .sign_policy(Version::Four, &policy.to_string())
    };
    assert_eq!(with(None).send(&server).status, 204);
    for name in names {
        let answer = with(Some(name)).send(&server);
        assert_refused(&answer, 403, "AccessDenied");
        assert!(message(&answer).contains(name));
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    let server = start();
    for policy in [
        "",
        "{}",
        "[]",
        "not JSON",
        r#"{"expiration":"soon","conditions":[]}"#,
    ] {
        let answer = form("a", "hello").sign_policy(Version::One, policy);
        assert_refused(&answer.send(&server), 400, "InvalidPolicyDocument");
    }
    assert!(server.stored().is_empty());
}

#[test]
fn temporary_credentials_come_with_their_token() {
    for version in VERSIONS {
        let server = Server::builder()
            .sts_credentials(ID, SECRET, "to/ken+=")
            .start()
            .unwrap();
        let conditions = json!([{"x-oss-security-token": "to/ken+="}]);
        let form = signed(version, "a", &conditions, "hello");
        let with = form.clone().field("x-oss-security-token", "to/ken+=");
        assert_eq!(with.send(&server).status, 204);
        assert_refused(&form.send(&server), 403, "InvalidAccessKeyId");
        let other = form.clone().field("x-oss-security-token", "other");
        assert_refused(&other.send(&server), 403, "InvalidSecurityToken");
        server.expire_credentials(ID);
        assert_refused(&with.send(&server), 403, "SecurityTokenExpired");
        assert_eq!(server.stored().len(), 1);
    }
}
