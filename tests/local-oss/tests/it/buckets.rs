//! Operations on a bucket: its listings and what it says of itself.

use crate::client::{Response, put, request, start};
use local_oss::Server;

/// Every value of the element, in the order of the document.
fn all(answer: &Response, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = answer.text();
    let values = text.split(&open).skip(1);
    values
        .map(|rest| rest.split(&close).next().unwrap().to_owned())
        .collect()
}

/// Listing parameters are not part of what version 1 signs, but for the token.
fn list(server: &Server, query: &str) -> Response {
    let signed = query
        .split('&')
        .find(|parameter| parameter.starts_with("continuation-token="));
    let resource = match signed {
        Some(parameter) => format!("/examplebucket/?{parameter}"),
        None => "/examplebucket/".to_owned(),
    };
    let answer = request("GET", &format!("/examplebucket/?{query}"))
        .resource(resource)
        .send(server);
    if answer.status == 200 {
        assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    }
    answer
}

fn filled() -> Server {
    let server = start();
    for key in ["a", "folder/1", "folder/2", "folder/inner/3", "z"] {
        assert_eq!(put(key, key).send(&server).status, 200);
    }
    server
}

#[test]
fn a_listing_describes_the_objects() {
    let server = filled();
    put("z", "hello")
        .header("x-oss-storage-class", "IA")
        .send(&server);
    for (query, owners) in [
        ("list-type=2", 0),
        ("list-type=2&fetch-owner=true", 5),
        ("", 5),
    ] {
        let answer = list(&server, query);
        assert_eq!(
            all(&answer, "Key"),
            ["a", "folder/1", "folder/2", "folder/inner/3", "z"]
        );
        assert_eq!(all(&answer, "IsTruncated"), ["false"]);
        assert_eq!(all(&answer, "Size"), ["1", "8", "8", "14", "5"]);
        assert_eq!(
            all(&answer, "ETag")[4],
            "&quot;5D41402ABC4B2A76B9719D911017C592&quot;"
        );
        assert_eq!(all(&answer, "StorageClass")[3..], ["Standard", "IA"]);
        assert_eq!(all(&answer, "Owner").len(), owners);
        let modified = &all(&answer, "LastModified")[0];
        assert!(
            modified.len() == 24 && modified.ends_with(".000Z"),
            "{modified}"
        );
    }
}

#[test]
fn prefix_delimiter_and_start_select() {
    let server = filled();
    for (query, keys, prefixes) in [
        ("prefix=folder/", "folder/1 folder/2 folder/inner/3", ""),
        ("delimiter=/", "a z", "folder/"),
        (
            "prefix=folder/&delimiter=/",
            "folder/1 folder/2",
            "folder/inner/",
        ),
        ("prefix=none", "", ""),
    ] {
        for list_type in ["list-type=2", ""] {
            let answer = list(&server, &format!("{list_type}&{query}"));
            assert_eq!(all(&answer, "Key").join(" "), keys, "{query}");
            let found = all(&answer, "CommonPrefixes").concat();
            assert!(found.contains(&format!("<Prefix>{prefixes}</Prefix>")) || prefixes.is_empty());
        }
    }
    let answer = list(&server, "list-type=2&start-after=folder/2");
    assert_eq!(all(&answer, "Key"), ["folder/inner/3", "z"]);
    assert_eq!(all(&answer, "KeyCount"), ["2"]);
    assert_eq!(all(&list(&server, "marker=folder/inner/3"), "Key"), ["z"]);
}

#[test]
fn pages_follow_each_other() {
    let server = filled();
    let mut keys = Vec::new();
    let mut query = "list-type=2&max-keys=2".to_owned();
    loop {
        let answer = list(&server, &query);
        keys.push(all(&answer, "Key").join(" "));
        let Some(token) = all(&answer, "NextContinuationToken").pop() else {
            assert_eq!(all(&answer, "IsTruncated"), ["false"]);
            break;
        };
        assert_eq!(all(&answer, "IsTruncated"), ["true"]);
        // A start is sent again with every page and does not count then.
        query = format!("list-type=2&max-keys=2&start-after=a&continuation-token={token}");
    }
    assert_eq!(keys, ["a folder/1", "folder/2 folder/inner/3", "z"]);

    let first = list(&server, "max-keys=2&delimiter=/");
    assert_eq!(all(&first, "NextMarker"), ["folder/"]);
    let second = list(&server, "max-keys=2&delimiter=/&marker=folder/");
    assert_eq!(all(&second, "Key"), ["z"]);
}

#[test]
fn names_are_encoded_when_asked_for() {
    let server = start();
    let key = "目/a b&<";
    put("encoded", "x")
        .resource(format!("/examplebucket/{key}"))
        .target("/examplebucket/%E7%9B%AE/a%20b%26%3C")
        .send(&server);
    assert_eq!(
        all(&list(&server, "list-type=2"), "Key"),
        ["目/a b&amp;&lt;"]
    );
    let answer = list(
        &server,
        "list-type=2&encoding-type=url&prefix=%E7%9B%AE%2F&delimiter=%20",
    );
    assert_eq!(all(&answer, "EncodingType"), ["url"]);
    assert_eq!(all(&answer, "Prefix"), ["%E7%9B%AE%2F", "%E7%9B%AE%2Fa%20"]);
    assert_eq!(all(&answer, "Delimiter"), ["%20"]);
}

#[test]
fn what_selects_nothing_sensible_is_refused() {
    let server = start();
    for query in [
        "max-keys=0",
        "max-keys=1001",
        "max-keys=-1",
        "max-keys=many",
        "list-type=3",
        "encoding-type=xml",
        "prefix=%FF",
        "list-type=2&continuation-token=*",
    ] {
        let answer = list(&server, query);
        assert_eq!(
            answer.error(),
            (400, "InvalidArgument".to_owned()),
            "{query}"
        );
    }
}

#[test]
fn a_bucket_describes_itself() {
    let server = start();
    let answer = request("GET", "/examplebucket/?bucketInfo").send(&server);
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("Name", "examplebucket"),
        ("Location", "oss-cn-hangzhou"),
        ("ExtranetEndpoint", "oss-cn-hangzhou.aliyuncs.com"),
        ("IntranetEndpoint", "oss-cn-hangzhou-internal.aliyuncs.com"),
        ("StorageClass", "Standard"),
        ("Grant", "private"),
    ] {
        assert_eq!(answer.element(name).as_deref(), Some(value), "{name}");
    }
    let missing = request("GET", "/otherbucket/?bucketInfo").send(&server);
    assert_eq!(missing.error(), (404, "NoSuchBucket".to_owned()));
    for name in ["BlockPublicAccess", "ResourceGroupId", "Comment"] {
        assert!(answer.element(name).is_some(), "{name}");
    }
}
