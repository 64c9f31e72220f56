//! ListParts and ListMultipartUploads, page by page.

use crate::client::{
    Request, Response, get,
    multipart::{Upload, begin, crc64, initiate, refused, start_for_small_parts},
    request,
};
use local_oss::Server;

/// `parameters` are not signed.
fn uploads(parameters: &str) -> Request {
    let target = format!("/examplebucket/?uploads&{parameters}");
    request("GET", &target).resource("/examplebucket/?uploads")
}

/// The keys of all pages, each page's joined by blanks; common prefixes come last, in brackets.
fn pages(server: &Server, parameters: &str) -> Vec<String> {
    let (mut pages, mut markers) = (Vec::new(), String::new());
    loop {
        let answer = uploads(&format!("{parameters}{markers}")).send(server);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut names = answer.elements("Key");
        let prefixes = answer.elements("Prefix").into_iter().skip(1);
        names.extend(prefixes.map(|prefix| format!("[{prefix}]")));
        pages.push(names.join(" "));
        let element = |name| answer.element(name).unwrap();
        let (key, id) = (element("NextKeyMarker"), element("NextUploadIdMarker"));
        // Even of the last page.
        let is_empty =
            answer.elements("Key").is_empty() && answer.elements("CommonPrefixes").is_empty();
        assert_eq!(key.is_empty(), is_empty);
        if element("IsTruncated") == "false" {
            return pages;
        }
        markers = format!("&key-marker={key}&upload-id-marker={id}");
    }
}

#[test]
fn parts_are_listed_by_number_and_page() {
    let server = start_for_small_parts();
    let answer = initiate("a").header("x-oss-storage-class", "IA");
    let upload = Upload::of("a", &answer.send(&server));
    let numbers = [10_000, 7, 1, 300];
    for number in numbers {
        upload.send_part(&server, number, format!("part {number}"));
    }
    let answer = upload.list_parts("").send(&server);
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("Bucket", "examplebucket"),
        ("Key", "a"),
        ("UploadId", &upload.id),
        ("StorageClass", "IA"),
        ("PartNumberMarker", "0"),
        ("NextPartNumberMarker", "10000"),
        ("MaxParts", "1000"),
        ("IsTruncated", "false"),
    ] {
        assert_eq!(answer.element(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(
        answer.elements("PartNumber"),
        ["1", "7", "300", "10000"],
        "not in the order they came"
    );
    assert_eq!(answer.elements("Size"), ["6", "6", "8", "10"]);
    let crc64s = [1, 7, 300, 10_000].map(|number| crc64(format!("part {number}").as_bytes()));
    assert_eq!(answer.elements("HashCrc64ecma"), crc64s);
    let modified = answer.element("LastModified").unwrap();
    assert!(modified.len() == 24 && modified.ends_with(".000Z"));

    let mut marker = "0".to_owned();
    let mut listed = Vec::new();
    for more in ["true", "false"] {
        let page = format!("max-parts=2&part-number-marker={marker}");
        let answer = upload.list_parts(&page).send(&server);
        assert_eq!(answer.element("IsTruncated").unwrap(), more);
        assert_eq!(answer.element("PartNumberMarker").unwrap(), marker);
        marker = answer.element("NextPartNumberMarker").unwrap();
        listed.push(answer.elements("PartNumber"));
    }
    assert_eq!(listed, [["1", "7"], ["300", "10000"]]);
    let beyond = upload.list_parts("part-number-marker=10000").send(&server);
    assert!(beyond.elements("Part").is_empty());
    // No number, but an element that strict readers find.
    assert_eq!(beyond.element("NextPartNumberMarker").unwrap(), "");
}

#[test]
fn limits_and_markers_of_listings_are_checked() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    for parameters in [
        "max-parts=0",
        "max-parts=1001",
        "max-parts=many",
        "part-number-marker=10001",
        "part-number-marker=-1",
        "encoding-type=base64",
    ] {
        let answer = upload.list_parts(parameters).send(&server);
        let refused = refused(400, "InvalidArgument");
        assert_eq!(answer.error(), refused, "{parameters}");
    }
    for parameters in [
        "max-uploads=0",
        "max-uploads=1001",
        "max-uploads=x",
        "encoding-type=base64",
        "prefix=%ff",
    ] {
        let answer = uploads(parameters).send(&server);
        let refused = refused(400, "InvalidArgument");
        assert_eq!(answer.error(), refused, "{parameters}");
    }
}

#[test]
fn uploads_are_listed_by_key_and_id() {
    let server = start_for_small_parts();
    let empty = uploads("").send(&server);
    assert_eq!((empty.status, empty.elements("Upload").len()), (200, 0));
    let mut begun: Vec<(String, String)> = ["b", "a", "b", "a/c", "b", "Z"]
        .map(|key| (key.to_owned(), begin(&server, key).id))
        .into();
    begun.sort();
    let answer = uploads("").send(&server);
    let listed = |answer: &Response| -> Vec<(String, String)> {
        let ids = answer.elements("UploadId");
        answer.elements("Key").into_iter().zip(ids).collect()
    };
    assert_eq!(listed(&answer), begun);
    for (name, value) in [
        ("Bucket", "examplebucket"),
        ("MaxUploads", "1000"),
        ("IsTruncated", "false"),
        ("KeyMarker", ""),
        ("StorageClass", "Standard"),
    ] {
        assert_eq!(answer.element(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(answer.elements("Initiated")[0].len(), 24);

    // From the second of three with the same key on.
    let (key, id) = &begun[4];
    let marked = uploads(&format!("key-marker={key}&upload-id-marker={id}"));
    assert_eq!(listed(&marked.send(&server)), begun[5..]);
    // Without the id, all of that key are behind; without the key the id does not count.
    let marked = uploads("key-marker=a/c").send(&server);
    assert_eq!(listed(&marked), begun[3..]);
    let marked = uploads("key-marker=b").send(&server);
    assert!(listed(&marked).is_empty());
    let marked = uploads("upload-id-marker=FFFF").send(&server);
    assert_eq!(listed(&marked), begun);

    let other = get("a?uploads").send(&server);
    assert_eq!(other.error(), refused(501, "NotImplemented"));
}

#[test]
fn every_page_of_uploads_goes_on_where_the_one_before_ended() {
    let server = start_for_small_parts();
    for key in ["a", "b/", "b/c", "b/c", "b/d/e", "b0", "c/x", "c/y"] {
        begin(&server, key);
    }
    for (parameters, expected) in [
        ("", &["a b/ b/c b/c b/d/e b0 c/x c/y"][..]),
        ("max-uploads=3", &["a b/ b/c", "b/c b/d/e b0", "c/x c/y"]),
        ("prefix=b/c", &["b/c b/c"]),
        ("prefix=b/&max-uploads=1", &["b/", "b/c", "b/c", "b/d/e"]),
        ("delimiter=/", &["a b0 [b/] [c/]"]),
        ("delimiter=/&max-uploads=1", &["a", "[b/]", "b0", "[c/]"]),
        ("delimiter=/&max-uploads=2", &["a [b/]", "b0 [c/]"]),
        ("delimiter=/&prefix=b/", &["b/ b/c b/c [b/d/]"]),
        ("delimiter=/&prefix=none", &[""]),
    ] {
        assert_eq!(pages(&server, parameters), expected, "{parameters}");
    }
}

#[test]
fn keys_of_any_characters_are_encoded_on_request() {
    let server = start_for_small_parts();
    let key = "目/ +&<b>\u{1}";
    let target = "/examplebucket/%E7%9B%AE%2F%20%2B%26%3Cb%3E%01";
    let encoded = "%E7%9B%AE%2F%20%2B%26%3Cb%3E%01";
    let resource = format!("/examplebucket/{key}");
    let begun = request("POST", &format!("{target}?uploads&encoding-type=url"))
        .resource(format!("{resource}?uploads"))
        .send(&server);
    assert_eq!(begun.element("Key").as_deref(), Some(encoded));
    assert_eq!(begun.element("EncodingType").as_deref(), Some("url"));
    let id = begun.element("UploadId").unwrap();
    let with_id = |method: &str, query: &str| {
        request(
            method,
            &format!("{target}?{query}uploadId={id}&encoding-type=url"),
        )
        .resource(format!("{resource}?{query}uploadId={id}"))
    };
    let part = with_id("PUT", "partNumber=1&").body("x").send(&server);
    assert_eq!(part.status, 200);
    let parts = with_id("GET", "").send(&server);
    assert_eq!(parts.element("Key").as_deref(), Some(encoded));
    assert_eq!(parts.element("EncodingType").as_deref(), Some("url"));

    let listed = uploads(
        "encoding-type=url&prefix=%E7%9B%AE%2F&delimiter=%2B&max-uploads=1&key-marker=%20%2F",
    );
    let listed = listed.send(&server);
    for (name, value) in [
        ("EncodingType", "url"),
        ("KeyMarker", "%20%2F"),
        ("Delimiter", "%2B"),
        ("IsTruncated", "false"),
    ] {
        assert_eq!(listed.element(name).as_deref(), Some(value), "{name}");
    }
    let prefixes = ["%E7%9B%AE%2F", "%E7%9B%AE%2F%20%2B"];
    assert_eq!(listed.elements("Prefix"), prefixes);
    let listed = uploads("encoding-type=url").send(&server);
    assert_eq!(listed.element("Key").as_deref(), Some(encoded));
    begin(&server, "目");
    let listed = uploads("encoding-type=url&max-uploads=1").send(&server);
    assert_eq!(
        listed.element("NextKeyMarker").as_deref(),
        Some("%E7%9B%AE")
    );
    let plain = uploads("prefix=%E7%9B%AE%2F").send(&server);
    let shown = "目/ +&amp;&lt;b&gt;&#1;";
    assert_eq!(plain.element("Key").as_deref(), Some(shown));

    let completed = with_id("POST", "").header("x-oss-complete-all", "yes");
    let completed = completed.send(&server);
    assert_eq!(completed.element("Key").as_deref(), Some(encoded));
    let location = format!("http://127.0.0.1{target}");
    assert_eq!(completed.element("Location"), Some(location));
    assert_eq!(server.object("examplebucket", key).unwrap(), b"x");
}
