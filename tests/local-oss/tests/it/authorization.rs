//! Who may do what, over real sockets. The signatures themselves are tested beside the code, with the vectors.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use crate::client::{ID, Response, SECRET, builder, connect, get, put, request, start, v4::v4};

#[test]
fn a_wrong_secret_is_told_what_was_to_be_signed() {
    let server = start();
    let answer = put("a", "hello")
        .header("x-oss-meta-a", "<b>")
        .secret("wrong")
        .send(&server);
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch".to_owned()));
    let text = answer.element("StringToSign").unwrap();
    assert!(
        text.starts_with("PUT\n\n\n")
            && text.ends_with("\nx-oss-meta-a:&lt;b&gt;\n/examplebucket/a"),
        "{text}"
    );
    assert!(
        answer
            .element("StringToSignBytes")
            .unwrap()
            .starts_with("50 55 54 0A 0A 0A ")
    );
    assert_eq!(answer.element("OSSAccessKeyId").as_deref(), Some(ID));
    assert_eq!(answer.element("SignatureProvided").unwrap().len(), 28);
    assert_eq!(
        answer.element("RequestId").as_deref(),
        answer.header("x-oss-request-id")
    );
    assert_eq!(answer.element("HostId").as_deref(), Some("127.0.0.1"));
    assert_eq!(answer.element("EC").as_deref(), answer.header("x-oss-ec"));
    assert!(server.stored().is_empty());
}

#[test]
fn nobody_comes_in_without_a_key() {
    let server = start();
    let anonymous = request("GET", "/examplebucket/a").header("Authorization", "");
    assert_eq!(anonymous.send(&server).status, 400);
    let mut stream = connect(server.address());
    stream
        .write_all(b"GET /examplebucket/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(
        Response::read(&mut stream, "GET").error(),
        (403, "AccessDenied".to_owned())
    );
    let unknown = get("a")
        .header("Authorization", "OSS nobody:c2lnbmF0dXJl")
        .send(&server);
    assert_eq!(unknown.error(), (403, "InvalidAccessKeyId".to_owned()));
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    let server = start();
    let date = |time| httpdate::fmt_http_date(time);
    let now = SystemTime::now();
    for (offset, status) in [(14 * 60, 200), (16 * 60, 403)] {
        for time in [
            now - Duration::from_secs(offset),
            now + Duration::from_secs(offset),
        ] {
            assert_eq!(
                put("a", "x")
                    .header("Date", &date(time))
                    .send(&server)
                    .status,
                status
            );
        }
    }
    let late = put("a", "x")
        .header("Date", "Sun, 22 Nov 2015 08:16:38 GMT")
        .send(&server);
    assert_eq!(late.error(), (403, "RequestTimeTooSkewed".to_owned()));
    assert_eq!(
        late.element("RequestTime").as_deref(),
        Some("2015-11-22T08:16:38.000Z")
    );
    let none = put("a", "x").header("Date", "now").send(&server);
    assert_eq!(none.error(), (403, "AccessDenied".to_owned()));
}

#[test]
fn temporary_credentials_need_their_token() {
    let server = local_oss::Server::builder()
        .sts_credentials(ID, SECRET, "token")
        .start()
        .unwrap();
    let with = |token: &str| {
        put("a", "x")
            .header("x-oss-security-token", token)
            .send(&server)
    };
    assert_eq!(with("token").status, 200);
    assert_eq!(
        with("other").error(),
        (403, "InvalidSecurityToken".to_owned())
    );
    assert_eq!(
        put("a", "x").send(&server).error(),
        (403, "InvalidAccessKeyId".to_owned())
    );
    let permanent = start();
    let with_token = put("a", "x")
        .header("x-oss-security-token", "token")
        .send(&permanent);
    assert_eq!(with_token.error(), (403, "InvalidAccessKeyId".to_owned()));
}

#[test]
fn temporary_credentials_expire_and_others_take_their_place() {
    let server = local_oss::Server::builder()
        .sts_credentials(ID, SECRET, "first")
        .start()
        .unwrap();
    let with = |token: &str| {
        put("a", "x")
            .header("x-oss-security-token", token)
            .send(&server)
    };
    let expired = (403, "SecurityTokenExpired".to_owned());
    assert_eq!(with("first").status, 200);
    server.expire_credentials(ID);
    assert_eq!(with("first").error(), expired);
    // Who does not know the token learns nothing of its end.
    assert_eq!(with("other").error().1, "InvalidSecurityToken");

    let hour = Duration::from_secs(3600);
    server.add_sts_credentials(ID, SECRET, "second", SystemTime::now() + hour);
    assert_eq!(with("second").status, 200);
    assert_eq!(with("first").error().1, "InvalidSecurityToken");
    server.add_sts_credentials(ID, SECRET, "third", SystemTime::now());
    assert_eq!(with("third").error(), expired);
}

#[test]
fn each_of_several_keys_comes_in() {
    let server = builder()
        .credentials("other", "secret")
        .bucket("one")
        .bucket("two")
        .start()
        .unwrap();
    assert_eq!(request("PUT", "/one/a").send(&server).status, 200);
    assert_eq!(request("PUT", "/two/a").send(&server).status, 200);
    assert_eq!(
        put("a", "x").send(&server).error(),
        (404, "NoSuchBucket".to_owned())
    );
}

#[test]
fn the_signature_is_checked_before_the_operation() {
    let server = start();
    let acl = |header| request("PUT", "/examplebucket/a?acl").header(header, "private");
    for asked in [
        acl("x-oss-object-acl"),
        acl("x-oss-other"),
        request("GET", "/examplebucket/?acl"),
        request("GET", "/examplebucket/none"),
        request("GET", "/"),
        put("a", "").header("x-oss-copy-source", "/examplebucket/b"),
    ] {
        let wrong = asked.clone().secret("wrong").send(&server);
        assert_eq!(wrong.error(), (403, "SignatureDoesNotMatch".to_owned()));
        let unsigned = asked.without_authorization().send(&server);
        assert_eq!(unsigned.error(), (403, "AccessDenied".to_owned()));
    }
    // Without a signature nobody is told what is not there either.
    for (method, target) in [
        ("PUT", "/examplebucket/a?uploads"),
        ("GET", "/examplebucket/a?x-oss-process=image"),
        ("PATCH", "/examplebucket/a"),
        ("DELETE", "/"),
    ] {
        let asked = request(method, target);
        assert_eq!(asked.send(&server).error().0, 501, "{method} {target}");
        let unsigned = asked.without_authorization().send(&server);
        assert_eq!(unsigned.status, 403, "{method} {target}");
    }
}

#[test]
fn a_bucket_that_does_not_exist_is_told_of_first() {
    let server = start();
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
        let there = request(method, "/nosuchbucket/a");
        for request in [
            there.clone(),
            there.clone().secret("wrong"),
            there.without_authorization(),
        ] {
            let answer = request.send(&server);
            assert_eq!(answer.status, 404, "{method}");
            assert_eq!(answer.header("x-oss-ec"), Some("0015-00000101"), "{method}");
        }
    }
}

#[test]
fn version_4_takes_the_time_from_either_header() {
    let server = start();
    let by_date = v4("PUT", "a").dated_by_date();
    assert_eq!(by_date.request().body("hello").send(&server).status, 200);
    let early = SystemTime::now() - Duration::from_secs(1200);
    let late = by_date.at(early).request().body("hello").send(&server);
    assert_ne!(late.status, 200, "the time is looked at");
    let none = v4("PUT", "a").request().without_header("x-oss-date");
    assert_eq!(none.send(&server).header("x-oss-ec"), Some("0002-00000503"));
    let wrong = v4("PUT", "a")
        .dated_by_date()
        .request()
        .header("date", "now");
    assert_eq!(
        wrong.send(&server).header("x-oss-ec"),
        Some("0002-00000502")
    );
}

#[test]
fn what_is_wrong_in_an_authorization_header_has_its_number() {
    let server = start();
    let scope = "Credential=AK/20260101/cn-hangzhou/oss/aliyun_v4_request";
    for (authorization, ec) in [
        ("Basic YTpi", "0002-00000061"),
        ("OSS nothing", "0002-00000062"),
        ("OSS AK:", "0002-00000065"),
        ("OSS4-HMAC-SHA256 nothing", "0002-00000202"),
        (
            &format!("OSS4-HMAC-SHA256 {scope},Odd=a,Signature=a"),
            "0002-00000204",
        ),
        ("OSS4-HMAC-SHA256 Signature=a", "0002-00000205"),
        (&format!("OSS4-HMAC-SHA256 {scope}"), "0002-00000207"),
        (
            &format!("OSS4-HMAC-SHA256 {scope},Signature="),
            "0002-00000208",
        ),
        ("OSS4-HMAC-SHA256 Credential=a,Signature=b", "0002-00000213"),
    ] {
        let answer = get("a")
            .header("Authorization", authorization)
            .send(&server);
        assert_eq!(
            answer.error(),
            (400, "InvalidArgument".to_owned()),
            "{authorization}"
        );
        assert_eq!(answer.header("x-oss-ec"), Some(ec), "{authorization}");
    }
    let hyphens = v4("GET", "a").scope_date("2026-01-01").request();
    assert_eq!(
        hyphens.send(&server).header("x-oss-ec"),
        Some("0002-00000212")
    );
}

#[test]
fn an_early_refusal_reaches_a_client_that_sends_first() {
    let server = start();
    let answer = put("a", vec![0; 30_000_000]).secret("wrong").send(&server);
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch".to_owned()));
}
