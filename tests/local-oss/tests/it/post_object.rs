//! PostObject over real sockets: forms as browsers send them.

use crate::client;
use crate::client::{
    Response,
    callback::{answering, callback},
    form::{Form, post, signed},
    get,
    presign::{VERSIONS, Version},
    put, request, start,
};
use local_oss::Answer;
use serde_json::{Value, json};

const OK: &str = r#"{"Status":"OK"}"#;

fn assert_refused(response: &Response, status: u16, code: &str) {
    assert_eq!(response.error(), (status, code.to_owned()));
}

fn message(response: &Response) -> String {
    let message = response.element("Message").unwrap_or_default();
    message.replace("&quot;", "\"")
}

fn any() -> Value {
    json!([{"bucket": "examplebucket"}])
}

#[test]
fn a_signed_form_is_stored() {
    for version in VERSIONS {
        let server = start();
        let conditions = json!([
            {"bucket": "examplebucket"},
            ["starts-with", "$key", "a/"],
            ["content-length-range", 0, 100],
            ["in", "$content-type", ["image/jpeg"]],
            ["not-in", "$cache-control", ["no-store"]],
        ]);
        let answer = signed(version, "a/目 b", &conditions, "hello").send(&server);
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        let stored = &server.stored()[0];
        assert_eq!(
            (stored.operation.as_str(), stored.key.as_str(), stored.size),
            ("PostObject", "a/目 b", 5)
        );
        assert_eq!(stored.content_type, "image/jpeg");
        let etag = format!("\"{}\"", stored.etag);
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
        let crc64 = stored.crc64.to_string();
        assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some(crc64.as_str()));
        // The MD5, which the ETag is not.
        assert_eq!(
            answer.header("content-md5"),
            Some("XUFAKrxLKna5cZ2REBfFkg==")
        );
        assert_ne!(stored.etag, "5D41402ABC4B2A76B9719D911017C592");
        let got = get("")
            .target("/examplebucket/a/%E7%9B%AE%20b")
            .resource("/examplebucket/a/目 b")
            .send(&server);
        assert_eq!(got.text(), "hello");
    }
}

#[test]
fn a_form_is_posted_to_the_bucket_however_it_is_addressed() {
    let server = start();
    let body = signed(Version::Four, "a", &any(), "hello").body();
    for (host, target) in [
        ("127.0.0.1", "/examplebucket"),
        ("127.0.0.1", "/examplebucket/"),
        ("examplebucket.127.0.0.1:80", "/"),
        ("examplebucket.oss-cn-hangzhou.aliyuncs.com", "/"),
        // What is signed elsewhere does not count.
        (
            "localhost",
            "/examplebucket?Signature=x&OSSAccessKeyId=y&Expires=1",
        ),
    ] {
        let answer = post(target, body.clone()).header("Host", host);
        assert_eq!(answer.send(&server).status, 204, "{host}{target}");
    }
    let signed_twice = post("/examplebucket/", body.clone()).header("Authorization", "OSS a:b");
    assert_eq!(signed_twice.send(&server).status, 204);
    assert_eq!(server.stored().len(), 6);

    let other = post("/nosuchbucket/", body.clone());
    assert_refused(&other.send(&server), 404, "NoSuchBucket");
    // A key in the URL makes another operation of it, which needs another signature.
    let with_key = post("/examplebucket/a", body.clone());
    assert_refused(&with_key.send(&server), 403, "AccessDenied");
    assert_refused(&post("/", body.clone()).send(&server), 403, "AccessDenied");
    let delete = post("/examplebucket/?delete", body);
    assert_refused(&delete.send(&server), 403, "AccessDenied");
}

#[test]
fn a_callback_is_delivered_with_the_fields_as_its_variables() {
    for version in VERSIONS {
        let server = start();
        let receiver = answering(Answer::json(OK));
        let config = json!({
            "callbackUrl": receiver.url("/done?a=%20"),
            "callbackBody": "b=${bucket}&o=${object}&s=${size}&t=${mimeType}&op=${operation}&md5=${contentMd5}&\
                             u=${x:user_id}&n=${x:none}&c=${x:Case}",
        });
        let answer = signed(version, "photos/${filename}", &any(), "hello")
            .callback(&config)
            .field("x:user_id", "eric 目")
            .field("X:NONE", "x")
            // The callback supersedes both.
            .field("success_action_status", "201")
            .field("success_action_redirect", "http://example.com/")
            .send(&server);
        assert_eq!((answer.status, answer.text().as_str()), (200, OK));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let delivered = &receiver.requests()[0];
        assert_eq!(
            delivered.text(),
            "b=examplebucket&o=photos%2Fcat.jpg&s=5&t=image%2Fjpeg&op=PostObject&md5=XUFAKrxLKna5cZ2REBfFkg%3D%3D&\
             u=eric%20%E7%9B%AE&n=&c="
        );
        assert_eq!(delivered.target, "/done?a=%20");
        let id = answer.header("x-oss-request-id");
        assert_eq!(delivered.header("x-oss-request-id"), id);
        assert!(server.deliveries()[0].accepted);
        assert_eq!(server.deliveries()[0].key, "photos/cat.jpg");
        let etag = format!("\"{}\"", server.stored()[0].etag);
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
    }
}

#[test]
fn a_callback_that_fails_is_203_and_the_object_stored() {
    let server = start();
    let receiver = answering(Answer::status(500));
    let answer = signed(Version::Four, "a", &any(), "hello")
        .callback(&callback(&receiver.url("/")))
        .send(&server);
    assert_refused(&answer, 203, "CallbackFailed");
    assert_eq!(message(&answer), "Error status : 500.");
    assert!(answer.header("etag").is_some() && answer.header("x-oss-hash-crc64ecma").is_some());
    assert_eq!(get("a").send(&server).text(), "hello");
}

#[test]
fn a_callback_that_is_wrong_is_400_and_nothing_stored() {
    let server = start();
    let form = signed(Version::Four, "a", &any(), "hello");
    for (value, ec) in [
        ("not Base64", "0007-00000002"),
        ("e30=", "0007-00000004"),
        (&"A".repeat(6000), "0007-00000001"),
    ] {
        let answer = form.clone().field("callback", value).send(&server);
        assert_refused(&answer, 400, "InvalidArgument");
        assert_eq!(answer.element("EC").as_deref(), Some(ec));
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("callback"));
    }
    assert!(server.stored().is_empty());
}

#[test]
fn success_is_told_as_the_form_asks() {
    let server = start();
    let form = signed(Version::Four, "a/目", &any(), "hello");
    for (asked, status) in [
        ("200", 200),
        ("204", 204),
        ("299", 204),
        ("", 204),
        ("x", 204),
    ] {
        let answer = form.clone().field("success_action_status", asked);
        let answer = answer.send(&server);
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{asked}");
    }
    let created = form.clone().field("Success_Action_Status", "201");
    let created = created.send(&server);
    assert_eq!(created.status, 201);
    assert_eq!(created.header("content-type"), Some("application/xml"));
    assert_eq!(created.element("Bucket").as_deref(), Some("examplebucket"));
    assert_eq!(created.element("Key").as_deref(), Some("a/目"));
    assert_eq!(
        created.element("Location").as_deref(),
        Some("http://127.0.0.1/examplebucket/a/%E7%9B%AE")
    );
    let etag = created.header("etag").unwrap().replace('"', "&quot;");
    assert_eq!(created.element("ETag"), Some(etag));

    let etag = server.stored()[0].etag.clone();
    for (url, location) in [
        ("https://example.com/done", "https://example.com/done?"),
        ("http://example.com/?a=b", "http://example.com/?a=b&"),
    ] {
        let answer = form
            .clone()
            .field("success_action_status", "201")
            .field("success_action_redirect", url)
            .send(&server);
        let expected =
            format!("{location}bucket=examplebucket&key=a%2F%E7%9B%AE&etag=%22{etag}%22");
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(expected.as_str()))
        );
    }
    for no_url in ["", "/done", "javascript:alert(1)"] {
        let answer = form.clone().field("success_action_redirect", no_url);
        assert_eq!(answer.send(&server).status, 204, "{no_url}");
    }
}

#[test]
fn the_name_of_the_file_takes_its_place_in_the_key() {
    let server = start();
    // The policy is about the key as it was sent.
    let conditions = json!([["eq", "$key", "a/${filename}"]]);
    let form = signed(Version::Four, "a/${filename}", &conditions, "hello");
    for (name, key) in [
        ("cat.jpg", "a/cat.jpg"),
        ("目 1.txt", "a/目 1.txt"),
        ("C:\\pictures\\cat.png", "a/cat.png"),
        ("../../etc/passwd", "a/passwd"),
        ("a%22b", "a/a\"b"),
        ("", "a/"),
    ] {
        let head = format!("; filename=\"{name}\"");
        let answer = form.clone().file_head(&head).send(&server);
        assert_eq!(answer.status, 204, "{name}");
        assert_eq!(server.stored().last().unwrap().key, key);
    }
    let twice = signed(Version::One, "${filename}-${filename}", &any(), "x");
    assert_eq!(twice.send(&server).status, 204);
    assert_eq!(server.stored().last().unwrap().key, "cat.jpg-cat.jpg");
    let nothing = signed(Version::One, "${filename}", &any(), "x").file_head("");
    assert_refused(&nothing.send(&server), 400, "InvalidObjectName");
}

#[test]
fn fields_describe_the_object_as_headers_do() {
    let server = start();
    let answer = signed(Version::Four, "a", &any(), "hello")
        .field("x-oss-meta-Colour", "blue 目")
        .field("Cache-Control", "no-cache")
        .field("content-disposition", "attachment")
        .field("Expires", "Fri, 28 Feb 2042 05:38:42 GMT")
        .field("x-oss-object-acl", "private")
        .field("x-oss-storage-class", "IA")
        .field("submit", "Upload")
        .send(&server);
    assert_eq!(answer.status, 204);
    let stored = &server.stored()[0];
    for (name, value) in [
        ("x-oss-meta-colour", "blue 目"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("expires", "Fri, 28 Feb 2042 05:38:42 GMT"),
        ("x-oss-storage-class", "IA"),
    ] {
        assert_eq!(stored.header(name), Some(value));
    }
    assert_eq!(stored.header("submit"), None);
    for (name, value) in [
        ("x-oss-object-acl", "everyone"),
        ("x-oss-forbid-overwrite", "perhaps"),
        ("x-oss-meta-a", "line\r\nbreak"),
        ("x-oss-meta-目", "x"),
        ("x-oss-meta-a", &"x".repeat(9000)),
    ] {
        let answer = signed(Version::Four, "b", &any(), "hello").field(name, value);
        assert_refused(&answer.send(&server), 400, "InvalidArgument");
    }
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn the_content_type_is_that_of_the_most_explicit_place() {
    let server = start();
    let jpeg = json!([["in", "$content-type", ["image/jpeg"]]]);
    let form = || signed(Version::One, "a", &jpeg, "hello");
    let none = "; filename=\"a\"";
    let html = "; filename=\"a\"\r\nContent-Type: text/html";
    for form in [
        form(),
        form().field("Content-Type", "text/html"),
        form()
            .file_head(html)
            .field("x-oss-content-type", "image/jpeg"),
        form().file_head(none).field("Content-Type", "image/jpeg"),
    ] {
        assert_eq!(form.send(&server).status, 204);
        assert_eq!(server.stored().last().unwrap().content_type, "image/jpeg");
    }
    for form in [
        form().file_head(html),
        form().file_head(html).field("Content-Type", "image/jpeg"),
        form().field("x-oss-content-type", "text/html"),
        form().file_head(none),
    ] {
        assert_refused(&form.send(&server), 403, "AccessDenied");
    }
    let plain = signed(Version::One, "a", &any(), "hello").file_head(none);
    assert_eq!(plain.send(&server).status, 204);
    assert_eq!(
        server.stored().last().unwrap().content_type,
        "application/octet-stream"
    );
}

#[test]
fn a_forbidden_overwrite_is_refused_before_any_callback() {
    let server = start();
    let receiver = answering(Answer::json(OK));
    let form = signed(Version::Four, "a", &any(), "hello")
        .field("x-oss-forbid-overwrite", "true")
        .callback(&callback(&receiver.url("/")));
    assert_eq!(form.send(&server).status, 200);
    assert_refused(&form.send(&server), 409, "FileAlreadyExists");
    assert_eq!(receiver.requests().len(), 1);
    // A header of the request says nothing of the object.
    let header = signed(Version::Four, "a", &any(), "new").request();
    let header = header.header("x-oss-forbid-overwrite", "true");
    assert_eq!(header.send(&server).status, 204);
}

#[test]
fn fields_behind_the_file_are_ignored() {
    let server = start();
    let receiver = answering(Answer::json(OK));
    let answer = signed(Version::Four, "a", &any(), "hello")
        .later("success_action_status", "201")
        .later("x-oss-meta-a", "b")
        .later("callback", &client::base64(&callback(&receiver.url("/"))))
        .send(&server);
    assert_eq!(answer.status, 204);
    assert_eq!(server.stored()[0].header("x-oss-meta-a"), None);
    assert_eq!(get("a").send(&server).text(), "hello");
    assert!(receiver.requests().is_empty());
}

#[test]
fn files_of_every_kind_come_through_unchanged() {
    let boundary = client::form::BOUNDARY;
    let near = format!("\r\n--{boundary}x\r\n--{boundary}-\r\n-{boundary}--\r\n--");
    let all_bytes: Vec<u8> = (0..=255).cycle().take(1_000_003).collect();
    for folder in [false, true] {
        let folder = folder.then(|| tempfile::tempdir().unwrap());
        let mut builder = client::builder();
        if let Some(folder) = &folder {
            builder = builder.data_dir(folder.path());
        }
        let server = builder.start().unwrap();
        for file in [
            Vec::new(),
            b"\r\n".to_vec(),
            near.repeat(10_000).into_bytes(),
            all_bytes.clone(),
            // Goes to a file.
            b"\r\n--".repeat(5_000_000),
        ] {
            let answer = signed(Version::Four, "a", &any(), file.clone()).send(&server);
            assert_eq!(answer.status, 204);
            let got = get("a").send(&server);
            assert!(got.body == file, "{} bytes", file.len());
        }
    }
}

#[test]
fn an_image_is_recognized() {
    let server = start();
    let receiver = answering(Answer::json(OK));
    let gif = b"GIF89a\x02\0\x03\0\0\0\0";
    let config = json!({
        "callbackUrl": receiver.url("/"),
        "callbackBody": "${imageInfo.width}x${imageInfo.height} ${imageInfo.format}",
    });
    let form = signed(Version::Four, "a", &any(), *gif).callback(&config);
    assert_eq!(form.send(&server).status, 200);
    assert_eq!(receiver.requests()[0].text(), "2x3 gif");
}

#[test]
fn a_form_in_chunks_is_a_form() {
    let server = start();
    let body = signed(Version::Four, "a", &any(), "hello").body();
    let chunks: Vec<u8> = body
        .chunks(11)
        .flat_map(|chunk| {
            let size = format!("{:x}\r\n", chunk.len());
            [size.as_bytes(), chunk, b"\r\n"].concat()
        })
        .chain(*b"0\r\n\r\n")
        .collect();
    let request = post("/examplebucket/", chunks)
        .without_length()
        .header("Transfer-Encoding", "chunked");
    assert_eq!(request.send(&server).status, 204);
    assert_eq!(get("a").send(&server).text(), "hello");
}

#[test]
fn a_form_without_a_key_or_a_file_is_none() {
    let server = start();
    let form: Form = signed(Version::Four, "a", &any(), "hello");
    let no_file = form.clone().without_file().send(&server);
    assert_refused(&no_file, 400, "MalformedPOSTRequest");
    // The key is looked for first.
    for no_key in [
        form.clone().without_field("key"),
        form.without_field("key").without_file(),
    ] {
        let answer = no_key.send(&server);
        assert_refused(&answer, 400, "InvalidArgument");
        assert!(message(&answer).contains("the specified &apos;key&apos;"));
    }
    for key in ["", "/a", "\\a", &"a".repeat(1024)] {
        let answer = signed(Version::Four, key, &any(), "hello").send(&server);
        assert_refused(&answer, 400, "InvalidObjectName");
    }
    assert!(server.stored().is_empty());
}

#[test]
fn other_kinds_of_content_are_no_forms() {
    let server = start();
    let body = signed(Version::Four, "a", &any(), "hello").body();
    for content_type in [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/mixed; boundary=a",
        "",
    ] {
        let request = post("/examplebucket/", body.clone()).header("Content-Type", content_type);
        assert_refused(&request.send(&server), 400, "RequestIsNotMultiPartContent");
    }
    let none = request("POST", "/examplebucket/").without_authorization();
    assert_refused(&none.send(&server), 400, "RequestIsNotMultiPartContent");
    let unknown = post("/examplebucket/", "").without_length();
    assert_refused(&unknown.send(&server), 411, "MissingContentLength");
    // Nor is what only looks like a form posted to an object.
    assert_eq!(put("a", body).send(&server).status, 200);
}
