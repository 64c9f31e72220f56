//! Who may do what without a signature: the access control of buckets and objects.

use local_oss::Server;

use crate::client::{Request, builder, get, put, request, start};

fn status(server: &Server, request: Request) -> u16 {
    request.without_authorization().send(server).status
}

fn set_acl(server: &Server, target: &str, header: &str, acl: &str) {
    let answer = request("PUT", &format!("/examplebucket/{target}?acl"))
        .header(header, acl)
        .send(server);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn acl(server: &Server, target: &str) -> String {
    let answer = request("GET", &format!("/examplebucket/{target}?acl")).send(server);
    assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    answer.element("Grant").unwrap()
}

#[test]
fn an_object_is_as_public_as_it_or_its_bucket_says() {
    let server = start();
    for (key, own) in [
        ("own", "public-read"),
        ("closed", "private"),
        ("shared", "public-read-write"),
    ] {
        let stored = put(key, "hello").header("x-oss-object-acl", own);
        assert_eq!(stored.send(&server).status, 200);
        assert_eq!(acl(&server, key), own);
    }
    put("plain", "hello").send(&server);
    assert_eq!(acl(&server, "plain"), "default");
    for (bucket, plain_read, plain_write, missing, list) in [
        ("private", 403, 403, 403, 403),
        ("public-read", 200, 403, 404, 200),
        ("public-read-write", 200, 200, 404, 200),
    ] {
        set_acl(&server, "", "x-oss-acl", bucket);
        assert_eq!(acl(&server, ""), bucket);
        for (key, read, write) in [
            ("own", 200, 403),
            ("closed", 403, 403),
            ("shared", 200, 200),
            ("plain", plain_read, plain_write),
            ("missing", missing, plain_write),
        ] {
            assert_eq!(status(&server, get(key)), read, "{bucket} {key}");
            let head = request("HEAD", &format!("/examplebucket/{key}"));
            assert_eq!(status(&server, head), read, "{bucket} {key}");
            let overwrite = match key {
                // It has to stay what it is.
                "missing" => put("another", "hello"),
                "shared" => put(key, "hello").header("x-oss-object-acl", "public-read-write"),
                _ => put(key, "hello"),
            };
            assert_eq!(status(&server, overwrite), write, "{bucket} {key}");
        }
        assert_eq!(
            status(&server, request("GET", "/examplebucket/")),
            list,
            "{bucket}"
        );
        // What belongs to the owner stays his.
        for (method, target) in [
            ("GET", "?acl"),
            ("PUT", "?acl"),
            ("GET", "own?acl"),
            ("PUT", "own?acl"),
            ("GET", "?bucketInfo"),
            ("DELETE", ""),
            ("DELETE", "own"),
        ] {
            let asked = request(method, &format!("/examplebucket/{target}"));
            assert_eq!(status(&server, asked), 403, "{bucket} {method} {target}");
        }
        // A signature that is wrong is no better for it.
        let wrong = get("own").secret("wrong").send(&server);
        assert_eq!(wrong.error(), (403, "SignatureDoesNotMatch".to_owned()));
    }
    assert_eq!(
        status(&server, request("DELETE", "/examplebucket/another")),
        204
    );
}

#[test]
fn the_access_control_of_an_object_changes_and_nothing_else_of_it() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => builder().data_dir(folder.path()).start().unwrap(),
            false => builder().start().unwrap(),
        };
        let mut server = start();
        let stored = put("a", "hello")
            .header("Content-Type", "text/plain")
            .header("x-oss-meta-color", "red");
        stored.send(&server);
        let before = get("a").send(&server);
        for own in ["public-read", "default", "private", "public-read-write"] {
            set_acl(&server, "a", "x-oss-object-acl", own);
            if kept {
                drop(server);
                server = start();
            }
            assert_eq!(acl(&server, "a"), own);
            let after = get("a").send(&server);
            for name in [
                "ETag",
                "Last-Modified",
                "Content-Type",
                "x-oss-meta-color",
                "Content-MD5",
                "x-oss-object-type",
            ] {
                assert_eq!(after.header(name), before.header(name), "{name}");
            }
            assert_eq!(after.text(), "hello");
            assert_eq!(after.header("x-oss-object-acl"), None);
        }
        // An overwrite starts anew.
        put("a", "hello").send(&server);
        assert_eq!(acl(&server, "a"), "default");
    }
    let files = std::fs::read_dir(folder.path().join("objects/examplebucket")).unwrap();
    assert_eq!(files.count(), 1);
}

#[test]
fn an_access_control_that_there_is_not_is_refused() {
    let server = start();
    put("a", "hello").send(&server);
    for (target, header, value, ec) in [
        ("a?acl", "x-oss-object-acl", "public", Some("0017-00000104")),
        ("a?acl", "x-oss-acl", "private", Some("0017-00000105")),
        ("?acl", "x-oss-acl", "default", None),
        ("?acl", "x-oss-acl", "public", None),
        ("?acl", "x-oss-object-acl", "private", None),
    ] {
        let answer = request("PUT", &format!("/examplebucket/{target}"))
            .header(header, value)
            .send(&server);
        assert_eq!(answer.status, 400, "{target} {value}");
        assert_eq!(answer.header("x-oss-ec"), ec);
    }
    let missing = request("PUT", "/examplebucket/none?acl").header("x-oss-object-acl", "private");
    assert_eq!(missing.send(&server).error(), (404, "NoSuchKey".to_owned()));
    let missing = request("GET", "/examplebucket/none?acl").send(&server);
    assert_eq!(missing.error(), (404, "NoSuchKey".to_owned()));
}
