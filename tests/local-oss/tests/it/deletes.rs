//! DeleteMultipleObjects.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

use crate::client::{Request, builder, get, put, request, start};

fn delete(document: &str) -> Request {
    let md5 = STANDARD.encode(Md5::digest(document));
    request("POST", "/examplebucket/?delete")
        .header("Content-MD5", &md5)
        .body(document)
}

#[test]
fn the_named_objects_are_deleted_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let start = || builder().data_dir(folder.path()).start().unwrap();
    let server = start();
    for key in ["a", "b", "c", "d", "e"] {
        put(key, "hello").send(&server);
    }
    put("x", "x")
        .target("/examplebucket/%26%3C%20")
        .resource("/examplebucket/&< ")
        .send(&server);
    let answer = delete(
        "<?xml version=\"1.0\"?><Delete><Quiet>false</Quiet><Object><Key>a</Key></Object>\
         <Object><Key>&amp;&lt; </Key></Object><Object><Key>none</Key></Object>\
         <Object><Key>b</Key><VersionId>null</VersionId></Object>\
         <Object><Key>c</Key><VersionId>other</VersionId></Object></Delete>",
    )
    .send(&server);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.elements("Key"),
        ["a", "&amp;&lt; ", "none", "b", "c"]
    );
    let quiet = delete("<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>");
    let quiet = quiet.send(&server);
    assert_eq!((quiet.status, quiet.body.len()), (200, 0));
    drop(server);
    let server = start();
    let list = request("GET", "/examplebucket/").send(&server);
    assert_eq!(list.elements("Key"), ["c", "e"]);
}

#[test]
fn keys_in_the_answer_are_encoded_when_asked_for() {
    let server = start();
    let document = "<Delete><Object><Key>a/目 b</Key></Object></Delete>";
    let answer = delete(document)
        .target("/examplebucket/?delete&encoding-type=url")
        .resource("/examplebucket/?delete")
        .send(&server);
    assert_eq!(answer.elements("Key"), ["a%2F%E7%9B%AE%20b"]);
    assert_eq!(answer.element("EncodingType").as_deref(), Some("url"));
}

#[test]
fn a_list_that_is_none_deletes_nothing() {
    let server = start();
    put("a", "hello").send(&server);
    let many = format!(
        "<Delete>{}</Delete>",
        "<Object><Key>a</Key></Object>".repeat(1001)
    );
    for document in [
        "",
        "<Delete/>",
        "<Delete><Object><Key>a</Key></Object>",
        "<Delete><Object><Key>a</Key></Object><Object/></Delete>",
        "<Delete><Object><Key>a</Key></Object><Object><Key/></Object></Delete>",
        "<Delete><Quiet>maybe</Quiet><Object><Key>a</Key></Object></Delete>",
        "<Other><Object><Key>a</Key></Object></Other>",
        &many,
    ] {
        let answer = delete(document).send(&server);
        assert_eq!(
            answer.error(),
            (400, "MalformedXML".to_owned()),
            "{document:.60}"
        );
    }
    let right = "<Delete><Object><Key>a</Key></Object></Delete>";
    let damaged = delete(right)
        .body(right.replace("<Key>a", "<Key>b"))
        .send(&server);
    assert_eq!(damaged.error(), (400, "InvalidDigest".to_owned()));
    let unsigned = delete(right).without_authorization().send(&server);
    assert_eq!(unsigned.error(), (403, "AccessDenied".to_owned()));
    assert_eq!(get("a").send(&server).text(), "hello");
}
