//! Forms of PostObject.

use std::time::{Duration, SystemTime};

use local_oss::Server;
use serde_json::{Value, json};

use super::Asked;
use crate::client::{
    Response,
    form::{BOUNDARY, Form, form, iso_time, post, signed},
    presign::Version,
    start,
};

const MB: usize = 1024 * 1024;

fn any() -> Value {
    json!([{"bucket": "examplebucket"}])
}

fn good() -> Form {
    signed(Version::One, "a", &any(), "hello")
}

/// With this policy, whatever it is.
fn under(policy: &Value) -> Form {
    let mut policy = policy.clone();
    let time = match policy["expiration"].as_str() {
        None => None,
        Some("future") => Some(SystemTime::now() + Duration::from_secs(600)),
        Some("past") => Some(SystemTime::now() - Duration::from_secs(600)),
        Some(other) => panic!("{other}"),
    };
    match time {
        Some(time) => policy["expiration"] = Value::from(iso_time(time)),
        None => drop(policy.as_object_mut().unwrap().remove("expiration")),
    }
    form("a", "hello").sign_policy(Version::One, &policy.to_string())
}

/// A form whose field stands behind the file.
fn behind(form: Form, names: &[&str]) -> Form {
    names.iter().fold(form, |form, name| {
        let value = form.value(name).to_owned();
        form.without_field(name).later(name, &value)
    })
}

pub fn ask(id: &str, row: &Value) -> Option<Asked> {
    let server = start();
    let policy = &row["request"]["policy"];
    let response = match id {
        "o-post-01" => {
            let missing = good().without_field("OSSAccessKeyId").send(&server);
            let late = behind(good(), &["OSSAccessKeyId"]).send(&server);
            assert_eq!(missing.element("Message"), late.element("Message"));
            late
        }
        "o-post-02" => {
            let missing = good().without_field("key").send(&server);
            let late = behind(good(), &["key"]).send(&server);
            assert_eq!(missing.element("Message"), late.element("Message"));
            // As four component libraries send it: the signature stands behind the file as well.
            let names = ["key", "OSSAccessKeyId", "policy", "Signature"];
            let all = behind(good(), &names).send(&server);
            assert_eq!(all.element("Message"), late.element("Message"));
            late
        }
        "o-post-03" => behind(good(), &["OSSAccessKeyId", "policy", "Signature"]).send(&server),
        "o-post-04" => good().without_file().send(&server),
        "o-post-05" => {
            let more = "hello\r\n".to_owned()
                + &format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\nb"
                );
            signed(Version::One, "a", &any(), more).send(&server)
        }
        "o-post-06" => good().field(&"n".repeat(9 * 1024), "a").send(&server),
        "o-post-07" => good().field("x:a", &"a".repeat(2 * MB + 1)).send(&server),
        "o-post-08" => (0..9)
            .fold(good(), |form, n| {
                form.field(&format!("x:{n}"), &"a".repeat(MB))
            })
            .send(&server),
        "o-post-09" => {
            let request = good().request();
            // Of the file alone.
            request
                .header("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")
                .send(&server)
        }
        "o-post-10" => with_type(&server, "application/x-www-form-urlencoded"),
        "o-post-11" => with_type(&server, "multipart/form-data;"),
        "o-post-12" => {
            let two = json!({"expiration": "future", "conditions": [{"key": "a", "bucket": "examplebucket"}]});
            let two = under(&two).send(&server);
            let none = under(policy).send(&server);
            assert_eq!(two.element("Message"), none.element("Message"));
            none
        }
        "o-post-13" | "o-post-14" | "o-post-15" | "o-post-16" | "o-post-17" | "o-post-18"
        | "o-post-20" | "o-post-21" | "o-post-27" => under(policy).send(&server),
        "o-post-19" => under(policy)
            .field("success_action_status", "201")
            .send(&server),
        "o-post-22" => {
            let form = signed(Version::Four, "a", &any(), "hello");
            let credential = form
                .value("x-oss-credential")
                .replace("cn-hangzhou", "cn-beijing");
            let refused = form.changed("x-oss-credential", &credential).send(&server);
            let answer = Asked::of(refused).stored(&server);
            return Some(answer.word("the credential as sent", credential));
        }
        "o-post-23" => good().changed("Signature", "").send(&server),
        "o-post-24" => good().changed("OSSAccessKeyId", "").send(&server),
        "o-post-25" => {
            let conditions = json!([
                {"bucket": "examplebucket"},
                {"fileName": "cat.jpg"},
                ["eq", "$key", "a"],
                ["content-length-range", 1, 1024],
                ["in", "$content-type", ["image/jpg", "image/png"]],
            ]);
            let named = |key: &str| {
                signed(Version::One, key, &conditions, "hello")
                    .field("fileName", "cat.jpg")
                    .file_head("; filename=\"cat.jpg\"\r\nContent-Type: image/jpg")
                    .field("success_action_status", "200")
            };
            assert_eq!(named("b").send(&server).status, 403);
            named("a").send(&server)
        }
        "o-post-26" => {
            let created = good().field("success_action_status", "201").send(&server);
            for name in ["Bucket", "ETag", "Key", "Location"] {
                assert!(created.element(name).is_some(), "{name}");
            }
            created
        }
        "o-post-28" => {
            let large = form("a", "a".repeat(1025));
            let end = iso_time(SystemTime::now() + Duration::from_secs(600));
            let policy = json!({"expiration": end, "conditions": policy["conditions"]});
            large
                .sign_policy(Version::One, &policy.to_string())
                .send(&server)
        }
        _ => return None,
    };
    Some(Asked::of(response).stored(&server))
}

fn with_type(server: &Server, content_type: &str) -> Response {
    post("/examplebucket/", good().body())
        .header("Content-Type", content_type)
        .send(server)
}
