//! Whatever names an operation that is not there is 501 with its name, and has no effect.

use local_oss::Server;

use crate::client::{Response, get, put, request, start};

/// What the bucket says of itself and of its objects, without what changes by itself.
fn state(server: &Server) -> Vec<String> {
    let targets = ["?acl", "?bucketInfo", "?uploads", "", "a", "a?acl"];
    let mut state: Vec<String> = targets
        .iter()
        .map(|target| {
            let answer = request("GET", &format!("/examplebucket/{target}")).send(server);
            assert_eq!(answer.status, 200, "{target}");
            answer.text()
        })
        .collect();
    state.push(request("GET", "/").send(server).text());
    state
}

fn assert_missing(answer: &Response, method: &str, target: &str, name: &str) {
    assert_eq!(answer.status, 501, "{method} {target}: {answer:?}");
    if method == "HEAD" {
        assert!(answer.header("x-oss-err").is_some());
        return;
    }
    assert_eq!(answer.error().1, "NotImplemented", "{method} {target}");
    let message = answer.element("Message").unwrap();
    assert!(message.contains(name), "{method} {target}: {message}");
}

fn filled() -> Server {
    let server = start();
    let stored = put("a", "hello").header("Content-Type", "text/plain");
    assert_eq!(stored.send(&server).status, 200);
    server
}

/// Words that the server has heard of, and words that it has not.
const NOWHERE: &[&str] = &[
    "legalHold",
    "retention",
    "objectWorm",
    "accessmonitor",
    "lifecycle",
    "logging",
    "website",
    "referer",
    "encryption",
    "versioning",
    "inventory",
    "replication",
    "policy",
    "worm",
    "requestPayment",
    "transferAcceleration",
    "resourceGroup",
    "httpsConfig",
    "publicAccessBlock",
    "metaQuery",
    "style",
    "qosInfo",
    "restore",
    "vod",
    "x-oss-process",
    "x-oss-async-process",
    "x-oss-something-new",
    "aWordOfTomorrow",
    "LEGALHOLD",
    "legal-hold",
];

#[test]
fn a_sub_resource_that_no_operation_has_never_has_an_effect() {
    let server = filled();
    let before = state(&server);
    for name in NOWHERE {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
            for place in ["a", "new", ""] {
                for value in ["", "=", "=ON"] {
                    // With a value only a known name is a sub-resource: OSS ignores other parameters.
                    let is_known = !["aWordOfTomorrow", "LEGALHOLD", "legal-hold"].contains(name);
                    if value == "=ON" && !is_known {
                        continue;
                    }
                    let target = format!("/examplebucket/{place}?{name}{value}");
                    let body = "<Legal><Hold>ON</Hold></Legal>";
                    let answer = request(method, &target).body(body).send(&server);
                    assert_missing(&answer, method, &target, "local-oss does not implement ");
                }
            }
        }
    }
    assert_eq!(state(&server), before);
    assert_eq!(server.stored().len(), 1);
    assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
    assert_eq!(server.object("examplebucket", "new"), None);
}

#[test]
fn a_sub_resource_of_another_method_or_place_never_has_an_effect() {
    let server = filled();
    let before = state(&server);
    for (method, targets) in [
        (
            "GET",
            &[
                "a?append",
                "a?bucketInfo",
                "a?delete",
                "?objectMeta",
                "?uploadId=1",
                "a?stat",
            ][..],
        ),
        (
            "PUT",
            &[
                "?location",
                "?bucketInfo",
                "?stat",
                "?uploads",
                "a?uploads",
                "a?location",
                "?partNumber=1",
            ],
        ),
        (
            "POST",
            &[
                "?acl",
                "a?acl",
                "a",
                "?location",
                "?uploads",
                "?uploadId=1",
                "a?objectMeta",
            ],
        ),
        (
            "DELETE",
            &[
                "?acl",
                "a?acl",
                "?location",
                "?bucketInfo",
                "?stat",
                "?uploads",
                "a?uploads",
                "a?objectMeta",
            ],
        ),
        (
            "HEAD",
            &["?acl", "a?acl", "?uploads", "a?uploadId=1", "?stat"],
        ),
        ("PATCH", &["", "a"]),
    ] {
        for target in targets {
            let target = format!("/examplebucket/{target}");
            let answer = request(method, &target).send(&server);
            assert_missing(&answer, method, &target, "local-oss does not implement ");
        }
    }
    // Two operations at once are none.
    for target in [
        "a?acl&legalHold",
        "a?acl&uploads",
        "?acl&location",
        "?lifecycle&uploads",
    ] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let target = format!("/examplebucket/{target}");
            let answer = request(method, &target).send(&server);
            assert_missing(&answer, method, &target, "local-oss does not implement ");
        }
    }
    assert_eq!(state(&server), before);
}

#[test]
fn the_answer_has_the_name_of_the_operation() {
    let server = filled();
    for (method, target, name) in [
        ("PUT", "examplebucket/a?legalHold", "PutObjectLegalHold"),
        (
            "GET",
            "examplebucket?accessmonitor",
            "GetBucketAccessMonitor",
        ),
        ("GET", "examplebucket/?versioning", "GetBucketVersioning"),
        ("PUT", "examplebucket/?lifecycle", "PutBucketLifecycle"),
        ("DELETE", "examplebucket/?website", "DeleteBucketWebsite"),
        ("POST", "examplebucket/a?restore", "RestoreObject"),
        ("POST", "examplebucket/?worm", "InitiateBucketWorm"),
        ("GET", "?publicAccessBlock", "GetPublicAccessBlock"),
        (
            "PUT",
            "examplebucket/a?aWordOfTomorrow",
            "PUT on objects with the sub-resource aWordOfTomorrow",
        ),
        ("PATCH", "examplebucket/a", "PATCH on objects"),
    ] {
        let target = format!("/{target}");
        let answer = request(method, &target).send(&server);
        assert_missing(&answer, method, &target, name);
    }
    // A client that does not sign the word, as it is new to version 1, is told so as well.
    for name in ["legalHold", "aWordOfTomorrow"] {
        let target = format!("/examplebucket/a?{name}");
        let unsigned = request("PUT", &target)
            .resource("/examplebucket/a")
            .send(&server);
        assert_missing(&unsigned, "PUT", &target, "local-oss does not implement ");
    }
    for target in ["?lifecycle", "a?restore"] {
        let wrong = request("PUT", &format!("/examplebucket/{target}")).secret("wrong");
        assert_eq!(
            wrong.send(&server).error(),
            (403, "SignatureDoesNotMatch".to_owned())
        );
    }
}

#[test]
fn parameters_that_name_nothing_change_nothing() {
    let server = filled();
    for query in [
        "t=1",
        "_=17&cache=no",
        "v2",
        "5f3a2b",
        "response-content-type=a/b",
    ] {
        let signed = match query.starts_with("response-") {
            true => format!("/examplebucket/a?{query}"),
            false => "/examplebucket/a".to_owned(),
        };
        let answer = get(&format!("a?{query}")).resource(signed).send(&server);
        assert_eq!(
            (answer.status, answer.text()),
            (200, "hello".to_owned()),
            "{query}"
        );
    }
}
