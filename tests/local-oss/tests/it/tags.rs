//! Tags of objects.

use local_oss::Server;

use crate::client::{Request, builder, get, put, request, start};

fn tagging(tags: &[(&str, &str)]) -> Request {
    let tag =
        |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let tags: String = tags.iter().map(tag).collect();
    let body = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    request("PUT", "/examplebucket/a?tagging").body(body)
}

fn tags(server: &Server) -> Vec<(String, String)> {
    let answer = request("GET", "/examplebucket/a?tagging").send(server);
    assert_eq!(answer.status, 200);
    let values = answer.elements("Value");
    answer.elements("Key").into_iter().zip(values).collect()
}

fn count(server: &Server) -> Option<String> {
    let head = request("HEAD", "/examplebucket/a").send(server);
    assert_eq!(head.header("x-oss-tagging"), None);
    head.header("x-oss-tagging-count").map(str::to_owned)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn tags_are_set_shown_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => builder().data_dir(folder.path()).start().unwrap(),
            false => builder().start().unwrap(),
        };
        let mut server = start();
        put("a", "hello")
            .header("x-oss-tagging", "k=v&%E7%9B%AE=a%2Fb+c")
            .send(&server);
        let before = get("a").send(&server);
        assert_eq!(tags(&server), pairs(&[("k", "v"), ("目", "a/b c")]));
        assert_eq!(count(&server).as_deref(), Some("2"));
        let new = [("one", "1"), ("two", ""), ("three", "x=y:z")];
        assert_eq!(tagging(&new).send(&server).status, 200);
        if kept {
            drop(server);
            server = start();
        }
        assert_eq!(tags(&server), pairs(&new));
        let after = get("a").send(&server);
        for name in ["ETag", "Last-Modified", "Content-MD5"] {
            assert_eq!(after.header(name), before.header(name));
        }
        let deleted = request("DELETE", "/examplebucket/a?tagging").send(&server);
        assert_eq!(
            (deleted.status, tags(&server), count(&server)),
            (204, vec![], None)
        );
        assert_eq!(get("a").send(&server).text(), "hello");
    }
}

#[test]
fn tags_that_cannot_be_are_refused() {
    let server = start();
    let wrong = ["a=1&a=2", "=1", "a=%FF", "a%26=b", &"k".repeat(129)];
    for header in wrong {
        let stored = put("a", "hello")
            .header("x-oss-tagging", header)
            .send(&server);
        assert_eq!(stored.error(), (400, "InvalidTag".to_owned()), "{header}");
        let initiated = request("POST", "/examplebucket/a?uploads").header("x-oss-tagging", header);
        assert_eq!(initiated.send(&server).status, 400, "{header}");
    }
    assert_eq!(get("a").send(&server).status, 404);
    let missing = tagging(&[("k", "v")]).send(&server);
    assert_eq!(missing.error(), (404, "NoSuchKey".to_owned()));
    put("a", "hello")
        .header("x-oss-tagging", "k=v")
        .send(&server);
    let many: Vec<String> = (0..11).map(|number| format!("k{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (&**key, "v")).collect();
    for asked in [
        tagging(&[("a", "1"), ("a", "2")]),
        tagging(&[("", "1")]),
        tagging(&many),
    ] {
        assert_eq!(asked.send(&server).error(), (400, "InvalidTag".to_owned()));
    }
    let malformed = request("PUT", "/examplebucket/a?tagging").body("<Tagging><Tag/></Tagging>");
    assert_eq!(
        malformed.send(&server).error(),
        (400, "MalformedXML".to_owned())
    );
    assert_eq!(tags(&server), pairs(&[("k", "v")]));
}
