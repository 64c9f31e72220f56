//! A bucket without versions, asked for them; and other lists that are short.

use crate::client::{get, put, request, start};

#[test]
fn each_object_is_its_one_version() {
    let server = start();
    for key in ["a", "b/1", "b/2", "c"] {
        put(key, key).send(&server);
    }
    let list = |query: &str| {
        let target = format!("/examplebucket/?versions&{query}");
        let answer = request("GET", &target)
            .resource("/examplebucket/?versions")
            .send(&server);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    let all = list("");
    assert_eq!(all.elements("Key"), ["a", "b/1", "b/2", "c"]);
    assert_eq!(all.elements("VersionId"), ["null"; 4]);
    assert_eq!(all.elements("IsLatest"), ["true"; 4]);
    assert_eq!(all.element("IsTruncated").as_deref(), Some("false"));
    let page = list("delimiter=/&max-keys=2");
    assert_eq!(page.elements("Key"), ["a"]);
    assert!(page.text().contains("<Prefix>b/</Prefix>"));
    let marker = page.element("NextKeyMarker").unwrap();
    assert_eq!(
        list(&format!("delimiter=/&key-marker={marker}")).elements("Key"),
        ["c"]
    );
}

#[test]
fn an_object_has_no_other_version() {
    let server = start();
    put("a", "hello").send(&server);
    assert_eq!(get("a?versionId=null").send(&server).text(), "hello");
    let other = get("a?versionId=other").send(&server);
    assert_eq!(other.error(), (404, "NoSuchVersion".to_owned()));
    let delete = |version: &str| {
        let target = format!("/examplebucket/a?versionId={version}");
        assert_eq!(request("DELETE", &target).send(&server).status, 204);
        get("a").send(&server).status
    };
    assert_eq!((delete("other"), delete("null")), (200, 404));
}

#[test]
fn there_are_no_live_channels() {
    let server = start();
    let answer = request("GET", "/examplebucket/?live").send(&server);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(answer.elements("LiveChannel"), [] as [&str; 0]);
}

#[test]
fn control_characters_in_keys_survive_without_an_encoding() {
    let server = start();
    let key = "a\u{1}b\u{1f}";
    put("x", "hello")
        .target("/examplebucket/a%01b%1F")
        .resource(format!("/examplebucket/{key}"))
        .send(&server);
    let list = request("GET", "/examplebucket/").send(&server);
    assert_eq!(list.elements("Key"), ["a&#1;b&#31;"]);
    let document = "<Delete><Object><Key>a&#1;b&#31;</Key></Object></Delete>";
    let deleted = request("POST", "/examplebucket/?delete")
        .body(document)
        .send(&server);
    assert_eq!(deleted.status, 200);
    assert_eq!(server.object("examplebucket", key), None);
}
