//! Buckets are made, found, described and removed, and outlive the program with a data directory.

use local_oss::Server;

use crate::client::{self, Response, builder, get, put, request, start};

fn bucket(method: &str, name: &str) -> client::Request {
    request(method, &format!("/{name}")).resource(format!("/{name}/"))
}

fn names(answer: &Response) -> Vec<String> {
    let text = answer.text();
    let names = text.split("<Name>").skip(1);
    names
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

fn list(server: &Server, query: &str) -> Response {
    let answer = request("GET", &format!("/{query}"))
        .resource("/")
        .send(server);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[test]
fn a_bucket_is_made_used_and_removed() {
    let server = start();
    assert_eq!(bucket("HEAD", "new-bucket").send(&server).status, 404);
    let made = bucket("PUT", "new-bucket").send(&server);
    assert_eq!((made.status, made.body.len()), (200, 0));
    assert_eq!(made.header("Location"), Some("/new-bucket"));
    assert_eq!(bucket("HEAD", "new-bucket").send(&server).status, 200);
    // As it is, again; as another, not.
    assert_eq!(bucket("PUT", "new-bucket").send(&server).status, 200);
    let other =
        "<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>";
    let other = bucket("PUT", "new-bucket").body(other).send(&server);
    assert_eq!(other.error(), (409, "BucketAlreadyExists".to_owned()));

    // In its own host name, too.
    let stored = put("a", "hello")
        .target("/a")
        .resource("/new-bucket/a")
        .header("Host", "new-bucket.localhost:1");
    assert_eq!(stored.send(&server).status, 200);
    assert_eq!(server.object("new-bucket", "a").unwrap(), b"hello");
    assert_eq!(server.object("examplebucket", "a"), None);

    let full = bucket("DELETE", "new-bucket").send(&server);
    assert_eq!(full.error(), (409, "BucketNotEmpty".to_owned()));
    assert_eq!(request("DELETE", "/new-bucket/a").send(&server).status, 204);
    let upload = request("POST", "/new-bucket/b?uploads").send(&server);
    let id = upload.element("UploadId").unwrap();
    let open = bucket("DELETE", "new-bucket").send(&server);
    assert_eq!(open.error(), (409, "BucketNotEmpty".to_owned()));
    let abort = request("DELETE", &format!("/new-bucket/b?uploadId={id}"));
    assert_eq!(abort.send(&server).status, 204);

    assert_eq!(bucket("DELETE", "new-bucket").send(&server).status, 204);
    for (method, target) in [
        ("GET", "new-bucket/a"),
        ("PUT", "new-bucket/a"),
        ("DELETE", "new-bucket/"),
    ] {
        let answer = request(method, &format!("/{target}")).send(&server);
        assert_eq!(answer.error(), (404, "NoSuchBucket".to_owned()), "{method}");
    }
}

#[test]
fn a_bucket_that_cannot_be_is_not_made() {
    let server = start();
    for name in ["ab", "UPPER", "under_score", "-a-", "a.b"] {
        let answer = bucket("PUT", name).send(&server);
        assert_eq!(
            answer.error(),
            (400, "InvalidBucketName".to_owned()),
            "{name}"
        );
    }
    for (header, body) in [
        ("public", ""),
        (
            "private",
            "<CreateBucketConfiguration><StorageClass>Gold</StorageClass></CreateBucketConfiguration>",
        ),
        ("private", "<CreateBucketConfiguration>"),
        ("private", "<Other/>"),
    ] {
        let asked = bucket("PUT", "new-bucket")
            .header("x-oss-acl", header)
            .body(body);
        assert_eq!(asked.send(&server).status, 400, "{header} {body}");
    }
    let unsigned = bucket("PUT", "new-bucket").without_authorization();
    assert_eq!(
        unsigned.send(&server).error(),
        (403, "AccessDenied".to_owned())
    );
    let wrong = bucket("PUT", "new-bucket").secret("wrong").send(&server);
    assert_eq!(wrong.error(), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(names(&list(&server, "")), ["examplebucket"]);
    // Two names in front of the endpoint are none.
    let twice = put("a", "hello")
        .target("/a")
        .resource("/examplebucket.examplebucket/a")
        .header(
            "Host",
            "examplebucket.examplebucket.oss-cn-hangzhou.aliyuncs.com",
        );
    assert_eq!(
        twice.send(&server).error(),
        (400, "InvalidBucketName".to_owned())
    );
}

#[test]
fn a_bucket_says_what_it_was_made_as() {
    let server = start();
    let configuration = "<CreateBucketConfiguration><StorageClass>IA</StorageClass>\
        <DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>";
    let made = bucket("PUT", "new-bucket")
        .header("x-oss-acl", "public-read")
        .body(configuration)
        .send(&server);
    assert_eq!(made.status, 200, "{made:?}");
    let info = request("GET", "/new-bucket/?bucketInfo").send(&server);
    for (name, value) in [
        ("Name", "new-bucket"),
        ("StorageClass", "IA"),
        ("DataRedundancyType", "ZRS"),
        ("Grant", "public-read"),
    ] {
        assert_eq!(info.element(name).as_deref(), Some(value), "{name}");
    }
    // So are its objects, unless they say otherwise.
    for (key, header, class) in [
        ("a", "x-oss-other", "IA"),
        ("b", "x-oss-storage-class", "Archive"),
    ] {
        let stored = request("PUT", &format!("/new-bucket/{key}")).header(header, "Archive");
        assert_eq!(stored.send(&server).status, 200);
        let head = request("HEAD", &format!("/new-bucket/{key}")).send(&server);
        assert_eq!(head.header("x-oss-storage-class"), Some(class));
    }
    let list = request("GET", "/new-bucket/").send(&server);
    assert_eq!(list.elements("StorageClass"), ["IA", "Archive"]);
    let location = request("GET", "/new-bucket/?location").send(&server);
    assert_eq!(
        location.element("LocationConstraint").as_deref(),
        Some("oss-cn-hangzhou")
    );

    put("a", "hello").send(&server);
    put("b", "hi")
        .header("x-oss-storage-class", "IA")
        .send(&server);
    let stat = request("GET", "/examplebucket/?stat").send(&server);
    for (name, value) in [
        ("Storage", "7"),
        ("ObjectCount", "2"),
        ("MultipartUploadCount", "0"),
        ("LiveChannelCount", "0"),
        ("StandardStorage", "5"),
        ("InfrequentAccessStorage", "2"),
        ("InfrequentAccessObjectCount", "1"),
    ] {
        assert_eq!(stat.element(name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn buckets_are_listed_page_by_page() {
    let server = start();
    for name in ["b-one", "b-two", "b-three", "c-one"] {
        assert_eq!(bucket("PUT", name).send(&server).status, 200);
    }
    assert_eq!(
        names(&list(&server, "")),
        ["b-one", "b-three", "b-two", "c-one", "examplebucket"]
    );
    let page = list(&server, "?prefix=b-&max-keys=2");
    assert_eq!(names(&page), ["b-one", "b-three"]);
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    let next = page.element("NextMarker").unwrap();
    let page = list(&server, &format!("?prefix=b-&max-keys=2&marker={next}"));
    assert_eq!(names(&page), ["b-two"]);
    assert_eq!(page.element("IsTruncated").as_deref(), Some("false"));
    assert!(page.text().contains("<Location>oss-cn-hangzhou</Location>"));
    let wrong = request("GET", "/?max-keys=0").resource("/").send(&server);
    assert_eq!(wrong.error(), (400, "InvalidArgument".to_owned()));
    let unsigned = request("GET", "/").without_authorization().send(&server);
    assert_eq!(unsigned.error(), (403, "AccessDenied".to_owned()));
}

#[test]
fn the_region_is_described() {
    let server = start();
    for query in ["?regions", "?regions=oss-cn-hangzhou"] {
        let answer = request("GET", &format!("/{query}"))
            .resource("/")
            .send(&server);
        assert_eq!(answer.element("Region").as_deref(), Some("oss-cn-hangzhou"));
        let endpoint = answer.element("InternetEndpoint");
        assert_eq!(endpoint.as_deref(), Some("oss-cn-hangzhou.aliyuncs.com"));
        let is_all = answer
            .elements("Region")
            .contains(&"oss-cn-chengdu".to_owned());
        assert_eq!(is_all, query == "?regions");
    }
    let none = request("GET", "/?regions=aaa").resource("/").send(&server);
    assert_eq!(none.error(), (404, "NoSuchRegion".to_owned()));
}

#[test]
fn buckets_outlive_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let start = || builder().data_dir(folder.path()).start().unwrap();
    let server = start();
    for name in ["kept-bucket", "gone-bucket"] {
        let made = bucket("PUT", name).header("x-oss-acl", "public-read");
        assert_eq!(made.send(&server).status, 200);
    }
    put("a", "hello").send(&server);
    let acl = request("PUT", "/examplebucket/?acl").header("x-oss-acl", "public-read-write");
    assert_eq!(acl.send(&server).status, 200);
    assert_eq!(bucket("DELETE", "gone-bucket").send(&server).status, 204);
    let info = |server: &Server| {
        let info = request("GET", "/kept-bucket/?bucketInfo").send(server);
        (info.element("CreationDate"), info.element("Grant"))
    };
    let before = info(&server);
    drop(server);

    let server = start();
    assert_eq!(names(&list(&server, "")), ["examplebucket", "kept-bucket"]);
    assert_eq!(info(&server), before);
    let read = get("a").without_authorization().send(&server);
    assert_eq!((read.status, read.text()), (200, "hello".to_owned()));
    drop(server);

    // Settings that cannot be read open nothing.
    std::fs::write(folder.path().join("buckets/examplebucket"), "{").unwrap();
    let server = start();
    assert_eq!(get("a").without_authorization().send(&server).status, 403);
    assert_eq!(get("a").send(&server).status, 200);
}
