//! Forms for uploaders without credentials, and the table of what any permission allows.
//!
//! The table stands in `docs/LETTING_OTHERS_UPLOAD.md`; `BLESS=1 cargo test --test it post_object` writes it.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, SystemTime};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{
    Answered, CallbackSpec, Client, Credentials, ErrorKind, PostForm, PresignOptions, PresignedUrl,
    Receipt, Result, SignatureVersion, Stored,
};
use support::{BUCKET, TemporaryFile, agreeing_receiver, client_builder, server, spec};

const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V1, SignatureVersion::V4];

fn signing(server: &Server, version: SignatureVersion) -> Client {
    client_builder(server.endpoint())
        .signature_version(version)
        .build()
        .unwrap()
}

/// Has no key of its own.
fn uploader(server: &Server) -> Client {
    client_builder(server.endpoint())
        .credentials(Credentials::anonymous())
        .build()
        .unwrap()
}

#[test]
fn a_form_permits_an_upload_from_bytes_a_file_or_a_reader() {
    for version in VERSIONS {
        let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
        let spec = CallbackSpec::builder()
            .url(receiver.url("/"))
            .body("o=${object}&s=${size}&u=${x:uid}")
            .variable("uid", "4711 & Söhne")
            .build()
            .unwrap();
        let form = signing(&server, version)
            .post_policy(BUCKET)
            .key_prefix("u/")
            .metadata("author", "Ming")
            .content_length_range(1..=1_000_000)
            .callback(&spec)
            .sign()
            .unwrap();
        // By way of a web page.
        let form = PostForm::from_json(&form.to_json()).unwrap();
        let contents: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let file = TemporaryFile::new("目 \".png", &contents);
        let client = uploader(&server);
        let mut seen = Vec::new();
        for (index, receipt) in [
            client
                .post_object(&form)
                .file_name("a.png")
                .send_bytes(&contents),
            client
                .post_object(&form)
                .file_name("b")
                .send_reader(Cursor::new(&contents), 300_000),
            client
                .post_object(&form)
                .progress(|sent, total| seen.push((sent, total)))
                .send_file(file.path()),
        ]
        .into_iter()
        .enumerate()
        {
            let receipt = receipt.unwrap();
            let stored = &server.stored()[index];
            assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#, "{version:?}");
            assert_eq!(receipt.crc64(), Some(stored.crc64));
            assert_eq!(
                (stored.operation.as_str(), stored.size),
                ("PostObject", 300_000)
            );
            assert_eq!(stored.header("x-oss-meta-author"), Some("Ming"));
            assert!(
                server.object(BUCKET, &stored.key).unwrap() == contents,
                "{}",
                stored.key
            );
            let body = receiver.requests()[index].text();
            assert!(
                body.ends_with("&s=300000&u=4711%20%26%20S%C3%B6hne"),
                "{body}"
            );
        }
        let keys: Vec<String> = server
            .stored()
            .into_iter()
            .map(|stored| stored.key)
            .collect();
        assert_eq!(keys[..2], ["u/a.png", "u/b"]);
        assert!(
            keys[2].starts_with("u/oss-callback-") && keys[2].ends_with(".png"),
            "{}",
            keys[2]
        );
        let (sent, total) = seen.last().unwrap();
        assert!(*total == Some(*sent) && *sent > 300_000);
    }
}

#[test]
fn a_form_without_a_callback_succeeds_with_the_status_it_asks_for() {
    let server = server().start().unwrap();
    let client = signing(&server, SignatureVersion::V4);
    for (status, expected) in [
        (None, 204),
        (Some(200), 200),
        (Some(201), 201),
        (Some(204), 204),
    ] {
        let policy = client.post_policy(BUCKET).key("o");
        let policy = match status {
            Some(status) => policy.success_action_status(status),
            None => policy,
        };
        let receipt = uploader(&server)
            .post_object(&policy.sign().unwrap())
            .send_bytes(b"1")
            .unwrap();
        assert_eq!(
            (receipt.status(), receipt.crc64().is_some()),
            (expected, true)
        );
        assert!(receipt.etag().is_some());
    }
    let form = client
        .post_policy(BUCKET)
        .key("o")
        .success_action_redirect("http://a.example.com/done");
    let receipt = uploader(&server)
        .post_object(&form.sign().unwrap())
        .send_bytes(b"1")
        .unwrap();
    assert_eq!(receipt.status(), 303);
    assert!(
        receipt
            .header("location")
            .unwrap()
            .starts_with("http://a.example.com/done?")
    );
}

#[test]
fn what_the_form_leaves_open_the_uploader_fills_in() {
    let server = server().start().unwrap();
    let client = signing(&server, SignatureVersion::V4);
    let form = client
        .post_policy(BUCKET)
        .key("o")
        .content_types(&["image/png", "image/jpeg"])
        .field_starts_with("x-oss-meta-title", "My ")
        .sign()
        .unwrap();
    let post = || {
        uploader(&server)
            .post_object(&form)
            .field("x-oss-meta-title", "My holiday")
    };
    post().content_type("image/jpeg").send_bytes(b"1").unwrap();
    assert_eq!(server.stored()[0].content_type, "image/jpeg");
    assert_eq!(
        server.stored()[0].header("x-oss-meta-title"),
        Some("My holiday")
    );
    for error in [
        post()
            .content_type("text/html")
            .send_bytes(b"1")
            .unwrap_err(),
        post()
            .field("x-oss-meta-title", "Your holiday")
            .content_type("image/png")
            .send_bytes(b"1")
            .unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::AccessDenied, Stored::No)
        );
    }
}

#[test]
fn what_is_wrong_with_a_body_or_a_field_is_named() {
    let server = server().start().unwrap();
    let form = signing(&server, SignatureVersion::V4)
        .post_policy(BUCKET)
        .key_prefix("u/")
        .sign()
        .unwrap();
    let post = || uploader(&server).post_object(&form);
    for (error, kind, said) in [
        (
            post().send_bytes(b"1").unwrap_err(),
            ErrorKind::InvalidArgument,
            "`file_name` is missing",
        ),
        (
            post()
                .file_name("a")
                .field("KEY", "x")
                .send_bytes(b"1")
                .unwrap_err(),
            ErrorKind::InvalidArgument,
            "field key cannot be given",
        ),
        (
            post()
                .file_name("a")
                .bandwidth(0)
                .send_bytes(b"1")
                .unwrap_err(),
            ErrorKind::InvalidArgument,
            "`bandwidth` is",
        ),
        (
            post()
                .file_name("a")
                .send_reader(&b"12"[..], 3)
                .unwrap_err(),
            ErrorKind::BodyChanged,
            "read the reader: it ended after 2 of 3 bytes",
        ),
        (
            post()
                .file_name("a")
                .send_reader(&b"1234"[..], 3)
                .unwrap_err(),
            ErrorKind::BodyChanged,
            "read the reader: it has more than 3 bytes",
        ),
        (
            post().send_file("/no/such/file").unwrap_err(),
            ErrorKind::BodyUnreadable,
            "open ",
        ),
    ] {
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::No),
            "{error}"
        );
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(server.stored(), []);
}

/// OSS's limits: 8 KB for a name, 2 MB for a value, 8 MB for all values.
#[test]
fn fields_are_as_long_as_oss_takes_them() {
    const MB: usize = 1024 * 1024;
    let server = server().start().unwrap();
    let policy = || {
        signing(&server, SignatureVersion::V4)
            .post_policy(BUCKET)
            .key("a")
    };
    let form = policy().sign().unwrap();
    let post = || uploader(&server).post_object(&form);
    let (name, value) = ("n".repeat(8 * 1024), "v".repeat(2 * MB));
    let receipt = post()
        .field(&name, "v")
        .field("x:a", &value)
        .send_bytes(b"1");
    assert_eq!(receipt.unwrap().status(), 204);
    let all = |count: usize| {
        let fields = 0..count;
        fields.fold(post(), |post, index| {
            post.field(&format!("x:{index}"), &value)
        })
    };
    assert!(all(3).send_bytes(b"1").is_ok());
    let signed = format!("{value}{value}");
    for (error, said) in [
        (
            post()
                .field(&format!("{name}n"), "v")
                .send_bytes(b"1")
                .unwrap_err(),
            "a field has a name of 8193 bytes: OSS takes at most 8192",
        ),
        (
            post()
                .field("x:a", &format!("{value}v"))
                .send_bytes(b"1")
                .unwrap_err(),
            "field x:a has a value of 2097153 bytes: OSS takes at most 2097152",
        ),
        (
            all(4).send_bytes(b"1").unwrap_err(),
            "all fields have values of",
        ),
        (
            post().field("File", "x").send_bytes(b"1").unwrap_err(),
            "field File cannot be given",
        ),
        (
            policy().field("x:a", &signed).sign().unwrap_err(),
            "field x:a has a value of 4194304 bytes",
        ),
    ] {
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::InvalidArgument, Stored::No),
            "{error}"
        );
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(server.stored().len(), 2);
}

/// What an uploader was given.
enum Permission {
    Form(PostForm),
    Url(PresignedUrl),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Query,
    Headers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Ok,
    Expired,
    TamperedKey,
    TamperedCallback,
    TooLarge,
    WrongType,
    CallbackFails,
}

const CASES: [(Case, &str); 7] = [
    (Case::Ok, "as permitted"),
    (Case::Expired, "expired"),
    (Case::TamperedKey, "another object"),
    (Case::TamperedCallback, "another callback"),
    (Case::TooLarge, "too large"),
    (Case::WrongType, "another Content-Type"),
    (Case::CallbackFails, "the callback fails"),
];

const BODY: &[u8] = b"12345";

fn permit(client: &Client, kind: Kind, case: Case, callback: &CallbackSpec) -> Permission {
    let life = Duration::from_secs(if case == Case::Expired { 1 } else { 600 });
    if kind == Kind::Form {
        let policy = client
            .post_policy(BUCKET)
            .key("mine")
            .expires_in(life)
            .content_type("image/png");
        let most = if case == Case::TooLarge { 4 } else { 5 };
        return Permission::Form(
            policy
                .content_length_range(1..=most)
                .callback(callback)
                .sign()
                .unwrap(),
        );
    }
    let put = client
        .put_object(BUCKET, "mine")
        .content_type("image/png")
        .callback(callback);
    let options = PresignOptions::expires_in(life).callback_in_headers(kind == Kind::Headers);
    Permission::Url(put.presign(&options).unwrap())
}

const OTHER_CALLBACK: &str = "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9hIiwiY2FsbGJhY2tCb2R5IjoiYiJ9";

/// What somebody makes of it who wants more.
fn tamper(permission: Permission, case: Case, callback: &CallbackSpec) -> Permission {
    match permission {
        Permission::Form(form) => {
            let changed = |(name, value): &(String, String)| {
                let value = match (case, name.as_str()) {
                    (Case::TamperedKey, "key") => "yours",
                    (Case::TamperedCallback, "callback") => OTHER_CALLBACK,
                    (Case::WrongType, "x-oss-content-type") => "text/html",
                    _ => value,
                };
                (name.clone(), value.to_owned())
            };
            Permission::Form(PostForm::new(form.url(), form.fields().iter().map(changed)))
        }
        Permission::Url(url) => {
            let encoded = callback
                .callback()
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D");
            let text = match case {
                Case::TamperedKey => url.url().replacen("/mine?", "/yours?", 1),
                Case::TamperedCallback => url.url().replacen(&encoded, OTHER_CALLBACK, 1),
                _ => url.url().to_owned(),
            };
            let headers = url.headers().iter().map(|(name, value)| {
                let value = match (case, name.to_ascii_lowercase().as_str()) {
                    (Case::TamperedCallback, "x-oss-callback") => OTHER_CALLBACK,
                    (Case::WrongType, "content-type") => "text/html",
                    _ => value,
                };
                (name.clone(), value.to_owned())
            });
            let changed = headers.fold(PresignedUrl::new(text), |url, (n, v)| {
                url.signed_header(n, v)
            });
            Permission::Url(changed)
        }
    }
}

fn send(client: &Client, permission: &Permission) -> Result<Receipt> {
    match permission {
        Permission::Form(form) => client.post_object(form).send_bytes(BODY),
        Permission::Url(url) => client.put_object_with_url(url).send_bytes(BODY),
    }
}

#[test]
fn no_permission_allows_more_than_it_says() {
    let mut table = String::from(
        "| permission | upload | result | stored | answered |\n|---|---|---|---|---|\n",
    );
    for version in VERSIONS {
        for kind in [Kind::Form, Kind::Query, Kind::Headers] {
            for (case, words) in CASES {
                let server = server().start().unwrap();
                let fails = case == Case::CallbackFails;
                let receiver = Receiver::start(move |_| {
                    if fails {
                        Answer::status(500)
                    } else {
                        Answer::json(r#"{"Status":"OK"}"#)
                    }
                })
                .unwrap();
                let callback = spec(&receiver.url("/"));
                let permission = permit(&signing(&server, version), kind, case, &callback);
                if case == Case::Expired {
                    let end = SystemTime::now() + Duration::from_millis(2_100);
                    while SystemTime::now() < end {
                        std::thread::yield_now();
                    }
                }
                let permission = tamper(permission, case, &callback);
                let result = send(&uploader(&server), &permission);
                let told = format!("{version:?} {kind:?} {case:?}: {result:?}");
                let (name, stored, answered) = match &result {
                    Ok(_) => ("receipt".to_owned(), Stored::Yes, Answered::Yes),
                    Err(e) => {
                        let code = e.oss_code().unwrap_or_default();
                        (format!("{:?}, {code}", e.kind()), e.stored(), e.answered())
                    }
                };
                assert_eq!(!server.stored().is_empty(), stored == Stored::Yes, "{told}");
                let delivered = receiver.requests().len();
                assert_eq!(delivered, usize::from(stored == Stored::Yes), "{told}");
                match case {
                    Case::Ok => {
                        assert_eq!((stored, answered), (Stored::Yes, Answered::Yes), "{told}")
                    }
                    // A URL limits no size, unless its length is signed.
                    Case::TooLarge if kind != Kind::Form => {
                        assert_eq!(stored, Stored::Yes, "{told}")
                    }
                    Case::CallbackFails => {
                        assert_eq!((stored, answered), (Stored::Yes, Answered::No), "{told}");
                    }
                    _ => assert_eq!((stored, answered), (Stored::No, Answered::No), "{told}"),
                }
                let permission = match kind {
                    Kind::Form => "form",
                    Kind::Query => "URL, callback in it",
                    Kind::Headers => "URL, callback in headers",
                };
                writeln!(
                    table,
                    "| {version:?} {permission} | {words} | {name} | {stored:?} | {answered:?} |"
                )
                .unwrap();
            }
        }
    }
    let document = Path::new("docs/LETTING_OTHERS_UPLOAD.md");
    support::hold_document(document, "permissions", &table);
}
