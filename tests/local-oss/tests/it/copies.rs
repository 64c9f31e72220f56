//! CopyObject and UploadPartCopy.

use crate::client::{
    Request, Response, builder, get,
    multipart::{begin, bytes, etag_of, start_for_small_parts},
    put, request, start,
};

fn copy(source: &str, key: &str) -> Request {
    put(key, "").header("x-oss-copy-source", source)
}

fn original() -> Request {
    put("a", "hello")
        .header("Content-Type", "text/plain")
        .header("Cache-Control", "no-cache")
        .header("x-oss-meta-color", "red")
        .header("x-oss-tagging", "k=v")
        .header("x-oss-object-acl", "public-read")
}

fn described(answer: &Response) -> Vec<Option<&str>> {
    [
        "Content-Type",
        "Cache-Control",
        "x-oss-meta-color",
        "x-oss-tagging-count",
    ]
    .map(|name| answer.header(name))
    .to_vec()
}

#[test]
fn a_copy_is_an_object_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => builder()
                .bucket("examplebucket")
                .bucket("other-bucket")
                .data_dir(folder.path()),
            false => builder().bucket("examplebucket").bucket("other-bucket"),
        };
        let server = start().start().unwrap();
        original().send(&server);
        let answer = request("PUT", "/other-bucket/b")
            .header("x-oss-copy-source", "/examplebucket/a")
            .send(&server);
        assert_eq!(answer.status, 200, "{answer:?}");
        let etag = "&quot;5D41402ABC4B2A76B9719D911017C592&quot;";
        assert_eq!(answer.element("ETag").as_deref(), Some(etag));
        assert!(answer.element("LastModified").unwrap().ends_with(".000Z"));
        assert_eq!(
            request("DELETE", "/examplebucket/a").send(&server).status,
            204
        );
        let server = match kept {
            true => {
                drop(server);
                start().start().unwrap()
            }
            false => server,
        };
        let read = request("GET", "/other-bucket/b").send(&server);
        assert_eq!(read.text(), "hello");
        let expected = [Some("text/plain"), Some("no-cache"), Some("red"), Some("1")];
        assert_eq!(described(&read), expected);
        // Who may read it is not copied.
        let unsigned = request("GET", "/other-bucket/b").without_authorization();
        assert_eq!(unsigned.send(&server).status, 403);
    }
}

#[test]
fn directives_say_whose_metadata_the_copy_has() {
    let server = start();
    original().send(&server);
    let with = |request: Request| {
        request
            .header("Content-Type", "text/css")
            .header("x-oss-meta-color", "blue")
            .header("x-oss-tagging", "a=1&b=2")
    };
    let (replace, name) = ("REPLACE", "x-oss-metadata-directive");
    let tags = "x-oss-tagging-directive";
    let old = [Some("text/plain"), Some("no-cache"), Some("red")];
    let new = [Some("text/css"), None, Some("blue")];
    for (asked, expected, count) in [
        (copy("/examplebucket/a", "b"), old, "1"),
        (copy("/examplebucket/a", "b").header(name, "copy"), old, "1"),
        (
            copy("/examplebucket/a", "b").header(name, replace),
            new,
            "1",
        ),
        (
            copy("/examplebucket/a", "b").header(tags, "Replace"),
            old,
            "2",
        ),
        (
            copy("/examplebucket/a", "b")
                .header(name, replace)
                .header(tags, replace),
            new,
            "2",
        ),
        // Of an object copied to itself the metadata are replaced, whatever is said.
        (copy("examplebucket/a", "a"), new, "1"),
    ] {
        let key = match asked.head().contains("PUT /examplebucket/a ") {
            true => "a",
            false => "b",
        };
        let answer = with(asked).send(&server);
        assert_eq!(answer.status, 200, "{answer:?}");
        let read = get(key).send(&server);
        assert_eq!(read.text(), "hello");
        assert_eq!(described(&read)[..3], expected);
        assert_eq!(read.header("x-oss-tagging-count"), Some(count));
    }
    let unclear = copy("/examplebucket/a", "c")
        .header(name, "keep")
        .send(&server);
    assert_eq!(unclear.error(), (400, "InvalidArgument".to_owned()));
    assert_eq!(get("c").send(&server).status, 404);
}

#[test]
fn a_copy_that_cannot_be_is_not_made() {
    let server = start();
    let etag = original().send(&server).header("ETag").unwrap().to_owned();
    put("there", "old").send(&server);
    let future = "Fri, 01 Jan 2100 00:00:00 GMT";
    let past = "Sat, 01 Jan 2000 00:00:00 GMT";
    let condition = |name: &str, value: &str| {
        copy("/examplebucket/a", "b").header(&format!("x-oss-copy-source-if-{name}"), value)
    };
    for (asked, status, code) in [
        (copy("/examplebucket/none", "b"), 404, "NoSuchKey"),
        (copy("/nosuchbucket/a", "b"), 404, "NoSuchBucket"),
        (
            copy("/examplebucket/a?versionId=other", "b"),
            404,
            "NoSuchKey",
        ),
        (copy("a", "b"), 400, "InvalidArgument"),
        (copy("/examplebucket/", "b"), 400, "InvalidArgument"),
        (copy("", "b"), 400, "InvalidArgument"),
        (condition("match", "\"0\""), 412, "PreconditionFailed"),
        (
            condition("unmodified-since", past),
            412,
            "PreconditionFailed",
        ),
        (condition("none-match", &etag), 304, ""),
        (condition("modified-since", future), 304, ""),
        (
            copy("/examplebucket/a", "there").header("x-oss-forbid-overwrite", "true"),
            409,
            "FileAlreadyExists",
        ),
    ] {
        let answer = asked.send(&server);
        assert_eq!(
            answer.error(),
            (status, code.to_owned()),
            "{}",
            asked.head()
        );
    }
    assert_eq!(get("b").send(&server).status, 404);
    assert_eq!(get("there").send(&server).text(), "old");
    for asked in [
        condition("match", &etag),
        condition("none-match", "\"0\""),
        condition("modified-since", past),
        condition("unmodified-since", future),
        copy("/examplebucket/a?versionId=null", "b"),
    ] {
        assert_eq!(asked.send(&server).status, 200);
    }
    // An encoded name.
    put("x", "umlaut")
        .target("/examplebucket/%E7%9B%AE%20b")
        .resource("/examplebucket/目 b")
        .send(&server);
    assert_eq!(
        copy("/examplebucket/%E7%9B%AE%20b", "b")
            .send(&server)
            .status,
        200
    );
    assert_eq!(get("b").send(&server).text(), "umlaut");
}

#[test]
fn parts_are_copied_from_objects() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let server = match kept {
            true => builder()
                .min_part_size(1)
                .data_dir(folder.path())
                .start()
                .unwrap(),
            false => start_for_small_parts(),
        };
        let data = bytes(700_000, 3);
        put("source", data.clone()).send(&server);
        let upload = begin(&server, "target");
        let part = |number: u32, range: &str| {
            let target = format!(
                "/examplebucket/target?partNumber={number}&uploadId={}",
                upload.id
            );
            request("PUT", &target)
                .header("x-oss-copy-source", "/examplebucket/source")
                .header("x-oss-copy-source-range", range)
        };
        let mut etags = Vec::new();
        for (number, range) in [
            (1, "bytes=0-299999"),
            (2, "bytes=300000-"),
            (3, "bytes=-10"),
            (4, "bytes=7-7000000"),
        ] {
            let answer = part(number, range).send(&server);
            assert_eq!(answer.status, 200, "{answer:?}");
            etags.push((number, answer.header("ETag").unwrap().to_owned()));
            assert!(answer.element("ETag").is_some() && answer.element("LastModified").is_some());
        }
        let answer = upload.complete(&etags).send(&server);
        let parts = [
            &data[..300_000],
            &data[300_000..],
            &data[699_990..],
            &data[..],
        ];
        assert_eq!(answer.header("ETag"), Some(&*etag_of(&parts)));
        assert!(get("target").send(&server).body == parts.concat());

        let gone = part(5, "bytes=0-1").send(&server);
        assert_eq!(gone.error(), (404, "NoSuchUpload".to_owned()));
        assert_eq!(gone.header("x-oss-ec"), Some("0042-00000311"));
    }
}
