//! PutObject through real sockets, against local-oss and against what stands on the wire.

use std::time::Duration;

use oss_callback::{
    BodyTemplate, BodyType, CallbackSpec, Client, Credentials, ErrorKind, SignatureVersion, Stored,
};
use support::{
    BUCKET, KEY_ID, KEY_SECRET, RawServer, TemporaryFile, agreeing_receiver, client,
    client_builder, header, server, spec,
};

#[test]
fn the_answer_of_the_application_server_comes_back() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let receipt = client(server.endpoint())
        .put_object(BUCKET, "photos/cat.jpg")
        .callback(&spec(&receiver.url("/callback?a=1")))
        .send_bytes(b"meow")
        .unwrap();

    let stored = &server.stored()[0];
    assert_eq!(receipt.status(), 200);
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
    assert_eq!(receipt.answer_content_type(), Some("application/json"));
    assert_eq!(receipt.etag(), Some(stored.etag.as_str()));
    assert_eq!(receipt.crc64(), Some(stored.crc64));
    assert_eq!(receipt.request_id(), Some(stored.request_id.as_str()));
    assert_eq!(receipt.attempts(), 1);
    assert_eq!(receipt.header("Server"), receipt.header("server"));

    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/callback?a=1");
    assert_eq!(
        requests[0].text(),
        "filename=photos%2Fcat.jpg&size=4&mimeType=image%2Fjpeg"
    );
    assert_eq!(server.object(BUCKET, "photos/cat.jpg").unwrap(), b"meow");
}

#[test]
fn both_signature_versions_and_sts_are_accepted() {
    let server = server()
        .sts_credentials("sts-id", "sts-secret", "sts-token")
        .start()
        .unwrap();
    let receiver = agreeing_receiver();
    let pairs = [
        Credentials::new(KEY_ID, KEY_SECRET),
        Credentials::new("sts-id", "sts-secret").security_token("sts-token"),
    ];
    for credentials in pairs {
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            let client = client_builder(server.endpoint())
                .credentials(credentials.clone())
                .signature_version(version)
                .build()
                .unwrap();
            client
                .put_object(BUCKET, "odd/目录 +&=?%2F~*'().txt")
                .metadata("Author", "王 小明")
                .callback(&spec(&receiver.url("/")))
                .send_bytes(b"x")
                .unwrap_or_else(|e| panic!("{version:?} {credentials:?}: {e:?}"));
        }
    }
    assert_eq!(server.stored().len(), 4);
    assert_eq!(server.stored()[0].key, "odd/目录 +&=?%2F~*'().txt");
    assert_eq!(
        server.stored()[0].header("x-oss-meta-author"),
        Some("王 小明")
    );
}

#[test]
fn keys_that_look_like_paths_arrive_as_they_are() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    for key in [
        "a//b",
        "a/./b",
        "a/../b",
        "..",
        ".",
        "a/",
        "%",
        "a%2fb",
        "a;b",
        "\u{1F600}",
    ] {
        client
            .put_object(BUCKET, key)
            .send_bytes(key)
            .unwrap_or_else(|e| panic!("{key}: {e:?}"));
        assert_eq!(
            server.object(BUCKET, key).as_deref(),
            Some(key.as_bytes()),
            "{key}"
        );
    }
}

#[test]
fn a_server_reached_by_name_is_asked_in_either_style() {
    let server = server().start().unwrap();
    let endpoint = format!("http://localhost:{}", server.address().port());
    client_builder(&endpoint)
        .path_style(true)
        .build()
        .unwrap()
        .put_object(BUCKET, "a")
        .send_bytes(b"1")
        .unwrap();

    // The virtual host's name need not be resolved to see that it is asked for.
    let raw = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n",
    );
    let port = raw.endpoint().rsplit(':').next().unwrap().to_owned();
    client_builder(&format!("http://localhost:{port}"))
        .cname(true)
        .build()
        .unwrap()
        .put_object(BUCKET, "a/b")
        .send_bytes(b"1")
        .unwrap();
    assert!(
        raw.head(0).starts_with("PUT /a/b HTTP/1.1\r\n"),
        "{}",
        raw.head(0)
    );
    assert_eq!(
        header(&raw.head(0), "host"),
        Some(format!("localhost:{port}").as_str())
    );
}

#[test]
fn nothing_stands_in_the_request_that_nobody_asked_for() {
    let raw = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n",
    );
    let ready = CallbackSpec::from_base64("bm90IGpzb24=", Some("e30=")).unwrap();
    client(&raw.endpoint())
        .put_object(BUCKET, "a b.txt")
        .header("Cache-Control", "  no-cache ")
        .header("cache-control", "max-age=1")
        .callback(&ready)
        .send_bytes(b"12345")
        .unwrap();
    let head = raw.head(0);
    assert!(
        head.starts_with("PUT /examplebucket/a%20b.txt HTTP/1.1\r\n"),
        "{head}"
    );
    let mut names: Vec<&str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "cache-control",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-oss-callback",
            "x-oss-callback-var",
            "x-oss-content-sha256",
            "x-oss-date",
        ]
    );
    // Byte for byte what somebody else issued.
    assert_eq!(header(&head, "x-oss-callback"), Some("bm90IGpzb24="));
    assert_eq!(header(&head, "x-oss-callback-var"), Some("e30="));
    assert_eq!(header(&head, "cache-control"), Some("max-age=1"));
    assert_eq!(header(&head, "content-length"), Some("5"));
    assert_eq!(header(&head, "content-type"), Some("text/plain"));
    assert_eq!(header(&head, "user-agent"), Some("oss-callback/0.1.0"));
}

#[test]
fn a_plain_upload_needs_no_callback() {
    let server = server().start().unwrap();
    let receipt = client(server.endpoint())
        .put_object(BUCKET, "a")
        .send_bytes(b"1")
        .unwrap();
    assert!(receipt.answer().is_empty());
    assert_eq!(receipt.answer_content_type(), None);
    assert!(server.deliveries().is_empty());
}

#[test]
fn an_empty_object_is_an_object() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let client = client(server.endpoint());
    let callback = spec(&receiver.url("/"));
    client
        .put_object(BUCKET, "bytes")
        .callback(&callback)
        .send_bytes(b"")
        .unwrap();
    let file = TemporaryFile::new("empty.txt", b"");
    let receipt = client
        .put_object(BUCKET, "file")
        .callback(&callback)
        .send_file(file.path())
        .unwrap();
    assert_eq!(receipt.crc64(), Some(0));
    assert_eq!(
        server
            .stored()
            .iter()
            .map(|stored| stored.size)
            .collect::<Vec<_>>(),
        [0, 0]
    );
    assert_eq!(
        receiver.requests()[1].text(),
        "filename=file&size=0&mimeType=text%2Fplain"
    );
}

#[test]
fn a_large_file_arrives_whole() {
    let server = server().start().unwrap();
    let contents: Vec<u8> = (0..5_000_001_u32).map(|i| (i * 7 % 251) as u8).collect();
    let file = TemporaryFile::new("big.bin", &contents);
    let receipt = client(server.endpoint())
        .put_object(BUCKET, "big")
        .send_file(file.path())
        .unwrap();
    assert!(server.object(BUCKET, "big").unwrap() == contents);
    assert_eq!(receipt.crc64(), Some(server.stored()[0].crc64));
}

#[test]
fn the_content_type_is_guessed_unless_it_is_given() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let jpeg = TemporaryFile::new("picture.jpg", b"1");
    let plain = TemporaryFile::new("no-extension", b"1");
    client
        .put_object(BUCKET, "a.png")
        .send_file(jpeg.path())
        .unwrap();
    client
        .put_object(BUCKET, "a.png")
        .send_file(plain.path())
        .unwrap();
    client
        .put_object(BUCKET, "a")
        .send_file(plain.path())
        .unwrap();
    client
        .put_object(BUCKET, "a.json")
        .send_bytes(b"1")
        .unwrap();
    client
        .put_object(BUCKET, "a.json")
        .content_type("text/x-mine")
        .send_bytes(b"1")
        .unwrap();
    let types: Vec<String> = server
        .stored()
        .into_iter()
        .map(|s| s.content_type)
        .collect();
    assert_eq!(
        types,
        [
            "image/jpeg",
            "image/png",
            "application/octet-stream",
            "application/json",
            "text/x-mine"
        ]
    );
}

#[test]
fn headers_and_metadata_are_stored() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    client
        .put_object(BUCKET, "a")
        .metadata("Camera", "north gate")
        .header("Cache-Control", "no-cache")
        .header("x-oss-forbid-overwrite", "true")
        .send_bytes(b"1")
        .unwrap();
    let stored = &server.stored()[0];
    assert_eq!(stored.header("x-oss-meta-camera"), Some("north gate"));
    assert_eq!(stored.header("cache-control"), Some("no-cache"));

    let error = client
        .put_object(BUCKET, "a")
        .header("x-oss-forbid-overwrite", "true")
        .send_bytes(b"2")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Conflict, Stored::No)
    );
    assert_eq!(error.oss_code(), Some("FileAlreadyExists"));
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"1");
}

#[test]
fn every_kind_of_spec_is_delivered() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let client = client(server.endpoint());
    let built = CallbackSpec::builder()
        .url(receiver.url("/built"))
        .host("app.example.com")
        .body(
            BodyTemplate::json()
                .variable("name", "object")
                .variable("size", "size")
                .variable("user", "x:user")
                .variable("nothing", "imageInfo.width")
                .text("price", "5 $ \"x\""),
        )
        .variable("user", "a \"quoted\" ${name}")
        .build()
        .unwrap();
    let text = CallbackSpec::builder()
        .url(receiver.url("/text"))
        .body("{\"name\":${object}}")
        .body_type(BodyType::Json)
        .build()
        .unwrap();
    let json = format!(
        r#"{{"callbackUrl":"{}","callbackBody":"u=${{x:u}}"}}"#,
        receiver.url("/ready")
    );
    let ready = CallbackSpec::from_json(&json, Some(r#"{"x:u":"1 2"}"#)).unwrap();
    for spec in [&built, &text, &ready] {
        client
            .put_object(BUCKET, "a/b")
            .callback(spec)
            .send_bytes(b"123")
            .unwrap();
    }
    let requests = receiver.requests();
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "name": "a/b", "size": 3, "user": "a \"quoted\" ${name}", "nothing": null,
            "price": "5 $ \"x\""
        })
    );
    assert_eq!(requests[0].header("host"), Some("app.example.com"));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[1].text(), r#"{"name":"a/b"}"#);
    assert_eq!(requests[2].text(), "u=1%202");
}

#[test]
fn bad_arguments_are_named_before_a_byte_is_sent() {
    let raw = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n",
    );
    let client = client(&raw.endpoint());
    let put = |bucket: &str, object: &str| client.put_object(bucket, object);
    let huge = TemporaryFile::sparse("huge.bin", 5 * 1024 * 1024 * 1024 + 1);
    let missing = std::env::temp_dir().join("oss-callback-does-not-exist");
    for (result, kind, named) in [
        (
            put("UPPER", "a").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "`bucket`",
        ),
        (
            put(BUCKET, "").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "`object`",
        ),
        (
            put(BUCKET, "/a").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "`object`",
        ),
        (
            put(BUCKET, "a").metadata("a_b", "1").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "a_b",
        ),
        (
            put(BUCKET, "a").header("a", "1\n2").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "header a",
        ),
        (
            put(BUCKET, "a").header("X-OSS-Date", "1").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "x-oss-date",
        ),
        (
            put(BUCKET, "a").header("Expect", "1").send_bytes(b""),
            ErrorKind::InvalidArgument,
            "expect",
        ),
        (
            put(BUCKET, "a").send_file(huge.path()),
            ErrorKind::InvalidArgument,
            "5 GiB",
        ),
        (
            put(BUCKET, "a").send_file(&missing),
            ErrorKind::BodyUnreadable,
            "does-not-exist",
        ),
        (
            put(BUCKET, "a").send_file(std::env::temp_dir()),
            ErrorKind::BodyUnreadable,
            "regular file",
        ),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(error.stored(), Stored::No, "{error}");
        assert_eq!(error.status(), None, "{error}");
    }
    assert_eq!(raw.requests(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_says_it_is_empty_but_is_not_is_refused() {
    let raw = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n",
    );
    let error = client(&raw.endpoint())
        .put_object(BUCKET, "a")
        .send_file("/proc/self/status")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::BodyChanged, Stored::No)
    );
    assert_eq!(raw.requests(), 0);
}

#[test]
fn a_file_that_changes_under_way_is_an_error_and_nothing_is_stored() {
    const LEN: u64 = 64 * 1024 * 1024;
    for (new_len, said) in [(LEN / 2, "ended after"), (LEN + 1, "has more than")] {
        let file = TemporaryFile::sparse("changing.bin", LEN);
        let path = file.path().to_owned();
        let raw = RawServer::start(move |connection| {
            // More is on its way than any socket buffer holds, so the client is not done yet.
            std::fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(new_len)
                .unwrap();
            connection.read_body();
        });
        let error = client_builder(&raw.endpoint())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap()
            .put_object(BUCKET, "a")
            .callback(&spec("http://app.example.com/"))
            .send_file(file.path())
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::BodyChanged, Stored::No),
            "{error}"
        );
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.answered(), oss_callback::Answered::No);
        assert_eq!(raw.requests(), 1);
    }
}

#[test]
fn a_client_serves_many_threads() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let client: Client = client(server.endpoint());
    let callback = spec(&receiver.url("/"));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (client, callback) = (&client, &callback);
            scope.spawn(move || {
                for number in 0..20 {
                    client
                        .put_object(BUCKET, &format!("{thread}/{number}"))
                        .callback(callback)
                        .send_bytes(format!("{thread}-{number}"))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(server.stored().len(), 160);
    assert_eq!(
        server
            .deliveries()
            .iter()
            .filter(|delivery| delivery.accepted)
            .count(),
        160
    );
}
