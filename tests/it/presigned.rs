//! Presigned URLs: made by the library, used by the library, and by something that knows nothing of OSS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{
    Answered, Client, Credentials, ErrorKind, PresignOptions, PresignedUrl, ServerSideEncryption,
    SignatureVersion, Stored,
};
use support::{
    BUCKET, KEY_ID, KEY_SECRET, RawServer, agreeing_receiver, client_builder, server, spec,
};

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

fn minutes() -> PresignOptions {
    PresignOptions::expires_in(Duration::from_secs(600))
}

/// One request by hand: what a program without any SDK would send. Gives status and body.
fn by_hand(url: &PresignedUrl, body: &[u8], more: &[(&str, &str)]) -> (u16, String) {
    let rest = url.url().strip_prefix("http://").unwrap();
    let (host, target) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!(
        "{} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
        url.method()
    );
    let mut length = false;
    for (name, value) in url
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .chain(more.iter().copied())
    {
        length |= name.eq_ignore_ascii_case("content-length");
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !length {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[test]
fn a_url_permits_one_upload_with_its_callback() {
    for version in VERSIONS {
        for in_headers in [false, true] {
            let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
            let url = signing(&server, version)
                .put_object(BUCKET, "a b/目+%.jpg")
                .content_type("image/jpeg")
                .metadata("author", "Ming")
                .callback(&spec(&receiver.url("/")))
                .presign(&minutes().callback_in_headers(in_headers))
                .unwrap();
            assert_eq!(url.url().contains("callback="), !in_headers);
            let (status, body) = by_hand(&url, b"12345", &[]);
            assert_eq!(
                (status, body.as_str()),
                (200, r#"{"Status":"OK"}"#),
                "{version:?} {in_headers}"
            );

            // The same through the library, which heeds the callback wherever it is.
            let url = PresignedUrl::from_json(&url.to_json()).unwrap();
            let receipt = uploader(&server)
                .put_object_with_url(&url)
                .send_bytes(b"12345")
                .unwrap();
            assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
            assert_eq!(receiver.requests().len(), 2);
            for stored in server.stored() {
                assert_eq!(stored.key, "a b/目+%.jpg");
                assert_eq!(stored.content_type, "image/jpeg");
                assert_eq!(stored.header("x-oss-meta-author"), Some("Ming"));
            }
        }
    }
}

#[test]
fn a_203_is_told_through_a_url_as_well() {
    for version in VERSIONS {
        for in_headers in [false, true] {
            let server = server().start().unwrap();
            let receiver = Receiver::start(|_| Answer::status(500)).unwrap();
            let url = signing(&server, version)
                .put_object(BUCKET, "o")
                .callback(&spec(&receiver.url("/")))
                .presign(&minutes().callback_in_headers(in_headers))
                .unwrap();
            let error = uploader(&server)
                .put_object_with_url(&url)
                .send_bytes(b"1")
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CallbackFailed);
            assert_eq!(
                (error.stored(), error.answered()),
                (Stored::Yes, Answered::No)
            );
            assert_eq!((error.attempts(), receiver.requests().len()), (1, 1));
            assert!(error.receipt().unwrap().etag().is_some());
        }
    }
    // A lost answer to an upload whose callback is in the URL is not sent again either.
    let raw = RawServer::answering("");
    let url = PresignedUrl::new(format!("{}/o?callback=e30%3D&Signature=x", raw.endpoint()));
    let client = client_builder(&raw.endpoint())
        .credentials(Credentials::anonymous())
        .build()
        .unwrap();
    let error = client
        .put_object_with_url(&url)
        .send_bytes(b"1")
        .unwrap_err();
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert_eq!((error.attempts(), raw.requests()), (1, 1));
}

#[test]
fn what_was_not_permitted_is_refused() {
    for version in VERSIONS {
        let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
        let client = signing(&server, version);
        let put = || {
            client
                .put_object(BUCKET, "mine")
                .callback(&spec(&receiver.url("/")))
        };
        let url = put().presign(&minutes()).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(url.url().contains(from), "{from}");
            PresignedUrl::new(url.url().replacen(from, to, 1))
        };
        let callback = url
            .url()
            .split("callback=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        for (what, url) in [
            ("another object", changed("/mine?", "/yours?")),
            (
                "another callback",
                changed(
                    &callback,
                    "eyJjYWxsYmFja1VybCI6ImEiLCJjYWxsYmFja0JvZHkiOiJiIn0%3D",
                ),
            ),
            ("no callback", changed(&format!("callback={callback}&"), "")),
        ] {
            let error = uploader(&server)
                .put_object_with_url(&url)
                .send_bytes(b"1")
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{version:?} {what}");
            assert_eq!(
                error.oss_code(),
                Some("SignatureDoesNotMatch"),
                "{version:?} {what}"
            );
            assert_eq!(error.stored(), Stored::No);
        }
        // What a browser adds by itself.
        let (status, body) = by_hand(&url, b"1", &[("Content-Type", "image/png")]);
        assert!(
            status == 403 && body.contains("SignatureDoesNotMatch"),
            "{body}"
        );
        // A header that must be sent, and is not.
        let typed = put().content_type("image/png").presign(&minutes()).unwrap();
        let (status, _) = by_hand(&PresignedUrl::new(typed.url()), b"1", &[]);
        assert_eq!(status, 403);
        // Another method.
        let got = Client::clone(&uploader(&server))
            .head_object(BUCKET, "mine")
            .send()
            .unwrap_err();
        assert_ne!(got.kind(), ErrorKind::Internal);
        assert_eq!((server.stored().len(), receiver.requests().len()), (0, 0));
    }
}

#[test]
fn a_url_expires_with_its_time_or_its_credentials() {
    for version in VERSIONS {
        let server = server().start().unwrap();
        let credentials = Credentials::new(KEY_ID, KEY_SECRET);
        let expiring = |life| {
            let end = SystemTime::now() + Duration::from_secs(life);
            let client = client_builder(server.endpoint())
                .signature_version(version)
                .credentials(credentials.clone().expires_at(end))
                .build()
                .unwrap();
            client.put_object(BUCKET, "o").presign(&minutes())
        };
        let url = expiring(100).unwrap();
        let left = url
            .expires()
            .unwrap()
            .duration_since(SystemTime::now())
            .unwrap();
        assert!(left <= Duration::from_secs(100), "{left:?}");
        let error = expiring(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialsFailed);

        // A second later.
        let short = PresignOptions::expires_in(Duration::from_secs(1));
        let url = signing(&server, version)
            .put_object(BUCKET, "o")
            .presign(&short)
            .unwrap();
        let end = url.expires().unwrap() + Duration::from_secs(1);
        while SystemTime::now() <= end {
            std::thread::yield_now();
        }
        let error = uploader(&server)
            .put_object_with_url(&url)
            .send_bytes(b"1")
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::AccessDenied, Stored::No)
        );
        assert!(error.to_string().contains("expired"), "{error}");
    }
}

#[test]
fn a_signed_length_is_the_only_one() {
    let server = server().start().unwrap();
    let client = signing(&server, SignatureVersion::V4);
    let url = client
        .put_object(BUCKET, "o")
        .presign(&minutes().content_length(5))
        .unwrap();
    assert_eq!(by_hand(&url, b"12345", &[]).0, 200);
    let other = PresignedUrl::new(url.url()).signed_header("Content-Length", "4");
    assert_eq!(by_hand(&other, b"1234", &[]).0, 403);
    let receipt = uploader(&server)
        .put_object_with_url(&url)
        .send_bytes(b"12345");
    assert!(receipt.is_ok());
    let error = uploader(&server)
        .put_object_with_url(&url)
        .send_bytes(b"123456")
        .unwrap_err();
    assert_eq!(error.stored(), Stored::No);
    let v1 = signing(&server, SignatureVersion::V1);
    let error = v1
        .put_object(BUCKET, "o")
        .presign(&minutes().content_length(5))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn every_operation_can_be_permitted_and_a_token_goes_along() {
    for version in VERSIONS {
        let server = server()
            .sts_credentials("STS.id", "secret", "token+/=")
            .start()
            .unwrap();
        let client = client_builder(server.endpoint())
            .signature_version(version)
            .credentials(Credentials::new("STS.id", "secret").security_token("token+/="))
            .build()
            .unwrap();
        let put = client.put_object(BUCKET, "o").presign(&minutes()).unwrap();
        assert_eq!(by_hand(&put, b"12345", &[]).0, 200, "{version:?}");
        let get = client.get_object(BUCKET, "o").presign(&minutes()).unwrap();
        assert_eq!(by_hand(&get, b"", &[]), (200, "12345".to_owned()));
        let head = client.head_object(BUCKET, "o").presign(&minutes()).unwrap();
        assert_eq!(by_hand(&head, b"", &[]).0, 200);

        let receiver = agreeing_receiver();
        let upload = client
            .initiate_multipart_upload(BUCKET, "parts")
            .send()
            .unwrap();
        let part = upload.upload_part(1).presign(&minutes()).unwrap();
        assert_eq!(by_hand(&part, b"abc", &[]).0, 200);
        let complete = upload
            .complete()
            .header("x-oss-complete-all", "yes")
            .callback(&spec(&receiver.url("/")))
            .presign(&minutes())
            .unwrap();
        assert_eq!(
            by_hand(&complete, b"", &[]),
            (200, r#"{"Status":"OK"}"#.to_owned())
        );
        assert_eq!(server.object(BUCKET, "parts").unwrap(), b"abc");
        let delete = client
            .delete_object(BUCKET, "o")
            .presign(&minutes())
            .unwrap();
        assert_eq!(by_hand(&delete, b"", &[]).0, 204);
    }
}

#[test]
fn what_cannot_be_permitted_or_used_is_named() {
    let server = server().start().unwrap();
    let client = signing(&server, SignatureVersion::V4);
    let put = || client.put_object(BUCKET, "o");
    let week = Duration::from_secs(7 * 24 * 3600);
    let url = put().presign(&minutes()).unwrap();
    let get = client.get_object(BUCKET, "o").presign(&minutes()).unwrap();
    let part = client
        .multipart_upload(BUCKET, "o", "id")
        .upload_part(1)
        .presign(&minutes())
        .unwrap();
    let with = |url: &str| uploader(&server).put_object_with_url(&PresignedUrl::new(url));
    for (error, said) in [
        (
            put()
                .presign(&PresignOptions::expires_in(Duration::ZERO))
                .unwrap_err(),
            "`expires_in` 0ns",
        ),
        (
            put()
                .presign(&PresignOptions::expires_in(week + Duration::from_secs(1)))
                .unwrap_err(),
            "`expires_in` ",
        ),
        (
            put().content_md5(true).presign(&minutes()).unwrap_err(),
            "`content_md5` needs the body",
        ),
        (
            uploader(&server)
                .put_object(BUCKET, "o")
                .presign(&minutes())
                .unwrap_err(),
            "`credentials` are anonymous",
        ),
        (
            client.put_object("B", "o").presign(&minutes()).unwrap_err(),
            "`bucket` \"B\"",
        ),
        (
            uploader(&server)
                .put_object_with_url(&get)
                .send_bytes(b"")
                .unwrap_err(),
            "`url` permits GET",
        ),
        (
            uploader(&server)
                .put_object_with_url(&part)
                .send_bytes(b"")
                .unwrap_err(),
            "`url` is of a part",
        ),
        (
            with(url.url())
                .content_type("image/png")
                .send_bytes(b"")
                .unwrap_err(),
            "header Content-Type cannot",
        ),
        (
            with(url.url())
                .callback(&spec("http://a.example.com"))
                .send_bytes(b"")
                .unwrap_err(),
            "`callback` cannot",
        ),
        (
            with("ftp://host/a").send_bytes(b"").unwrap_err(),
            "`url` begins with neither",
        ),
        (
            with("http://u:p@host/a").send_bytes(b"").unwrap_err(),
            "`url` holds a user name",
        ),
        (
            with("not a url").send_bytes(b"").unwrap_err(),
            "`url` is not a URL",
        ),
        (
            with("https://host/a").send_bytes(b"").unwrap_err(),
            "`url` is https",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().starts_with(said), "{said}: {error}");
    }
    let again = uploader(&server)
        .put_object_with_url(&url)
        .presign(&minutes())
        .unwrap_err();
    assert!(
        again.to_string().starts_with("`url` permits one request"),
        "{again}"
    );
    let https = with("https://host/a").send_bytes(b"").unwrap_err();
    assert_eq!(
        https.to_string(),
        "`url` is https: give the client an endpoint with https, too"
    );
    // A callback in the headers of the URL is one also before anything is sent.
    let headers = minutes().callback_in_headers(true);
    let called = put()
        .callback(&spec("http://a.example.com"))
        .presign(&headers)
        .unwrap();
    let by_url = || uploader(&server).put_object_with_url(&called);
    for error in [
        by_url().send_file("/does/not/exist").unwrap_err(),
        by_url()
            .timeout(Duration::ZERO)
            .send_bytes(b"")
            .unwrap_err(),
    ] {
        assert_eq!(
            (error.stored(), error.answered()),
            (Stored::No, Answered::No),
            "{error}"
        );
    }
    // What was signed and what is added are looked at together.
    let kms = put().server_side_encryption(ServerSideEncryption::KMS);
    let kms = kms
        .server_side_encryption_key_id("id")
        .presign(&minutes())
        .unwrap();
    let kms = uploader(&server).put_object_with_url(&kms);
    let other = kms
        .server_side_encryption_key_id("other")
        .send_bytes(b"")
        .unwrap_err();
    assert_eq!(other.oss_code(), Some("SignatureDoesNotMatch"), "{other}");
    assert!(put().presign(&PresignOptions::expires_in(week)).is_ok());
    assert_eq!(server.stored(), []);
}
