//! Symlinks.

use crate::client::{Request, builder, get, put, request, start};

fn link(key: &str, target: &str) -> Request {
    request("PUT", &format!("/examplebucket/{key}?symlink")).header("x-oss-symlink-target", target)
}

#[test]
fn a_symlink_is_read_as_what_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => builder().data_dir(folder.path()).start().unwrap(),
            false => builder().start().unwrap(),
        };
        let mut server = start();
        put("x", "hello")
            .target("/examplebucket/%E7%9B%AE")
            .resource("/examplebucket/目")
            .header("Content-Type", "text/plain")
            .header("x-oss-meta-of", "target")
            .send(&server);
        let made = link("link", "%E7%9B%AE")
            .header("x-oss-meta-of", "link")
            .send(&server);
        assert_eq!((made.status, made.body.len()), (200, 0), "{made:?}");
        if kept {
            drop(server);
            server = start();
        }
        let read = get("link").header("Range", "bytes=1-2").send(&server);
        assert_eq!((read.status, read.text()), (206, "el".to_owned()));
        let head = request("HEAD", "/examplebucket/link").send(&server);
        for (name, value) in [
            ("Content-Length", "5"),
            ("Content-Type", "application/octet-stream"),
            ("x-oss-meta-of", "link"),
            ("x-oss-object-type", "Symlink"),
            ("ETag", "\"5D41402ABC4B2A76B9719D911017C592\""),
        ] {
            assert_eq!(head.header(name), Some(value));
        }
        let asked = request("GET", "/examplebucket/link?symlink").send(&server);
        assert_eq!(asked.header("x-oss-symlink-target"), Some("%E7%9B%AE"));
        let list = request("GET", "/examplebucket/").send(&server);
        assert!(list.elements("Type").contains(&"Symlink".to_owned()));
    }
}

#[test]
fn a_symlink_that_leads_nowhere_says_so() {
    let server = start();
    put("a", "hello").send(&server);
    link("nowhere", "none").send(&server);
    link("first", "second").send(&server);
    link("second", "a").send(&server);
    for (method, target, status, code) in [
        ("GET", "nowhere", 404, "SymlinkTargetNotExist"),
        ("GET", "first", 400, "InvalidTargetType"),
        ("GET", "a?symlink", 400, "NotSymlink"),
        ("GET", "none?symlink", 404, "NoSuchKey"),
        ("PUT", "b?symlink", 400, "MissingArgument"),
    ] {
        let answer = request(method, &format!("/examplebucket/{target}")).send(&server);
        assert_eq!(answer.error(), (status, code.to_owned()), "{target}");
    }
    assert_eq!(
        link("b", "/a").send(&server).error(),
        (400, "InvalidArgument".to_owned())
    );
    let forbidden = link("a", "second").header("x-oss-forbid-overwrite", "true");
    assert_eq!(
        forbidden.send(&server).error(),
        (409, "FileAlreadyExists".to_owned())
    );
    assert_eq!(get("a").send(&server).text(), "hello");
    // The object it stood for stays when it is deleted.
    assert_eq!(
        request("DELETE", "/examplebucket/second")
            .send(&server)
            .status,
        204
    );
    assert_eq!(get("a").send(&server).status, 200);
}

#[test]
fn a_public_symlink_does_not_open_what_it_stands_for() {
    let server = start();
    put("a", "hello").send(&server);
    link("link", "a")
        .header("x-oss-object-acl", "public-read")
        .send(&server);
    let read = || get("link").without_authorization().send(&server).status;
    assert_eq!(read(), 403);
    let open = request("PUT", "/examplebucket/a?acl").header("x-oss-object-acl", "public-read");
    assert_eq!(open.send(&server).status, 200);
    assert_eq!(read(), 200);
}
