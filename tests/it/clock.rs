//! A clock that is wrong: OSS refuses what it dates, says what the time is, and is followed.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use oss_callback::{
    Client, Credentials, ErrorKind, PresignOptions, RetryPolicy, SignatureVersion, Stored,
};
use support::{BUCKET, RawServer, client_builder, header};

use crate::every_request::{refuse, requests};

const OK: &str = "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// OSS's time in these tests, in both forms and in that of a signature.
const DATE: &str = "Thu, 29 Feb 2024 23:59:30 GMT";
const ISO: &str = "2024-02-29T23:59:30.000Z";
const SIGNED: [&str; 2] = ["20240229T2359", "20240301T000"];

const SKEWED: &str = "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>";

/// A server that refuses the first requests so and agrees with the others.
fn refusing(times: usize, status: &'static str, headers: String, document: String) -> RawServer {
    let number = AtomicUsize::new(0);
    RawServer::start(move |connection| {
        if number.fetch_add(1, Ordering::SeqCst) < times {
            refuse(connection, status, &headers, &document);
        } else {
            connection.read_body();
            connection.write(OK.as_bytes());
        }
    })
}

fn from_oss(date: &str) -> String {
    format!("Date: {date}\r\nx-oss-request-id: 1\r\n")
}

fn is_dated_by_oss(server: &RawServer, request: usize) -> bool {
    let head = server.head(request);
    let date = header(&head, "x-oss-date").unwrap_or_default();
    SIGNED.iter().any(|signed| date.starts_with(signed))
}

fn once(endpoint: &str) -> Client {
    let client = client_builder(endpoint).retry_policy(RetryPolicy::none());
    client.build().unwrap()
}

#[test]
fn every_refusal_that_tells_the_time_serves_the_next_request() {
    for (name, request) in requests() {
        let server = refusing(1, "403 Forbidden", from_oss(DATE), SKEWED.to_owned());
        let client = once(&server.endpoint());
        let error = request(&client).unwrap_or_else(|| panic!("{name} is refused"));
        assert_eq!(error.oss_code(), Some("RequestTimeTooSkewed"), "{name}");
        assert_eq!(
            (error.stored(), error.attempts()),
            (Stored::No, 1),
            "{name}"
        );
        assert!(error.diagnosis().unwrap().contains("clock"), "{name}");
        let put = client.put_object(BUCKET, "b");
        put.send_reader(Cursor::new(b"x"), 1).unwrap();
        assert!(is_dated_by_oss(&server, 1), "{name}: {}", server.head(1));
    }
}

#[test]
fn an_upload_that_can_be_sent_again_is_and_one_that_cannot_succeeds_the_next_time() {
    let server = refusing(1, "403 Forbidden", from_oss(DATE), SKEWED.to_owned());
    let client = client_builder(&server.endpoint()).build().unwrap();
    let put = client.put_object(BUCKET, "a");
    assert_eq!(put.send_bytes(b"x").unwrap().attempts(), 2);

    let server = refusing(1, "403 Forbidden", from_oss(DATE), SKEWED.to_owned());
    let client = client_builder(&server.endpoint()).build().unwrap();
    let put = || {
        let put = client.put_object(BUCKET, "a");
        put.send_reader(Cursor::new(b"x"), 1)
    };
    assert_eq!(put().unwrap_err().attempts(), 1);
    assert_eq!(put().unwrap().attempts(), 1);
    assert_eq!(put().unwrap().attempts(), 1);
}

#[test]
fn the_time_in_the_document_comes_before_that_of_the_header() {
    let other = "Fri, 01 Mar 2030 12:00:00 GMT";
    let skewed = |elements: &str| {
        format!("<Error><Code>RequestTimeTooSkewed</Code>{elements}<HostId>h</HostId></Error>")
    };
    let server_time = format!("<ServerTime>{ISO}</ServerTime>");
    for (headers, document) in [
        (from_oss(other), skewed(&server_time)),
        // A box that takes the header away.
        ("x-oss-request-id: 1\r\n".to_owned(), skewed(&server_time)),
        (
            from_oss(other),
            skewed(&format!("<Detail>{server_time}</Detail>")),
        ),
        (from_oss(DATE), skewed("<ServerTime>now</ServerTime>")),
        (
            from_oss(DATE),
            skewed("<ServerTime>0001-01-01T00:00:00.000Z</ServerTime>"),
        ),
    ] {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            let server = refusing(1, "403 Forbidden", headers.clone(), document.clone());
            let client = client_builder(&server.endpoint()).signature_version(version);
            let client = client.build().unwrap();
            // Of HEAD, whose document is in a header, and of PUT.
            client.head_object(BUCKET, "a").send().unwrap();
            let put = client.put_object(BUCKET, "a");
            assert_eq!(put.send_bytes(b"x").unwrap().attempts(), 1);
            for request in 1..=2 {
                let head = server.head(request);
                let right = match version {
                    SignatureVersion::V1 => {
                        let date = header(&head, "date").unwrap();
                        date.contains("29 Feb 2024 23:59") || date.contains("01 Mar 2024 00:0")
                    }
                    _ => is_dated_by_oss(&server, request),
                };
                assert!(right, "{headers}{document}: {head}");
            }
        }
    }
}

#[test]
fn a_day_that_is_not_oss_s_is_a_wrong_clock_too() {
    let document = |message: &str| {
        format!(
            "<Error><Code>InvalidArgument</Code><Message>{message}</Message><EC>0002-00000212</EC></Error>"
        )
    };
    let signing_date = document("Invalid signing date in Authorization header.");
    let server = refusing(1, "400 Bad Request", from_oss(DATE), signing_date.clone());
    let client = client_builder(&server.endpoint()).build().unwrap();
    let put = client.put_object(BUCKET, "a");
    assert_eq!(put.send_bytes(b"x").unwrap().attempts(), 2);
    assert!(is_dated_by_oss(&server, 1));

    let server = refusing(usize::MAX, "400 Bad Request", from_oss(DATE), signing_date);
    let client = client_builder(&server.endpoint()).build().unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Refused, 2));
    assert!(error.diagnosis().unwrap().contains("clock"), "{error:?}");

    // Any other argument says nothing of the clock.
    let region = document("Invalid signing region in Authorization header.");
    let server = refusing(1, "400 Bad Request", from_oss(DATE), region);
    let client = client_builder(&server.endpoint()).build().unwrap();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    assert!(!is_dated_by_oss(&server, 1));
}

#[test]
fn whoever_is_not_oss_sets_no_clock() {
    let time = format!("<ServerTime>{ISO}</ServerTime>");
    let skewed = format!("<Error><Code>RequestTimeTooSkewed</Code>{time}</Error>");
    for (status, headers) in [
        ("403 Forbidden", format!("Date: {DATE}\r\n")),
        (
            "403 Forbidden",
            format!("Date: {DATE}\r\nx-oss-request-id: \r\n"),
        ),
        (
            "403 Forbidden",
            format!("Date: {DATE}\r\nServer: AliyunOSS\r\nx-amz-request-id: 1\r\n"),
        ),
        ("401 Unauthorized", from_oss(DATE)),
        ("503 Busy", from_oss(DATE)),
        ("200 OK", from_oss(DATE)),
    ] {
        let server = refusing(1, status, headers.clone(), skewed.clone());
        let client = once(&server.endpoint());
        let _ = client.put_object(BUCKET, "a").send_bytes(b"x");
        let put = client.put_object(BUCKET, "a");
        put.send_reader(Cursor::new(b"x"), 1).unwrap();
        assert!(!is_dated_by_oss(&server, 1), "{status} {headers}");
    }
}

#[test]
fn what_is_signed_once_is_not_sent_again_as_it_was() {
    for refusal in [SKEWED, "<Error><Code>SecurityTokenExpired</Code></Error>"] {
        let server = refusing(usize::MAX, "403 Forbidden", from_oss(DATE), refusal.into());
        let provided = || {
            Credentials::provider(|| {
                let hour = SystemTime::now() + Duration::from_secs(3600);
                Ok(Credentials::new("id", "secret").expires_at(hour))
            })
        };
        let client = client_builder(&server.endpoint()).credentials(provided());
        let client = client.build().unwrap();
        let options = PresignOptions::expires_in(Duration::from_secs(60));
        let url = client.put_object(BUCKET, "a").presign(&options).unwrap();
        let form = client.post_policy(BUCKET).key("a").sign().unwrap();
        let by_url = client.put_object_with_url(&url).send_bytes(b"x");
        let by_form = client.post_object(&form).send_bytes(b"x");
        for error in [by_url.unwrap_err(), by_form.unwrap_err()] {
            assert_eq!((error.attempts(), error.stored()), (1, Stored::No));
        }
        assert_eq!(server.requests(), 2);
    }
}

#[test]
fn what_is_permitted_to_others_is_dated_by_oss_s_clock() {
    let server = refusing(1, "403 Forbidden", from_oss(DATE), SKEWED.to_owned());
    let client = client_builder(&server.endpoint()).build().unwrap();
    client.head_object(BUCKET, "a").send().unwrap();
    let options = PresignOptions::expires_in(Duration::from_secs(60));
    let url = client.put_object(BUCKET, "a").presign(&options).unwrap();
    let is_signed = |text: &str| SIGNED.iter().any(|signed| text.contains(signed));
    assert!(is_signed(url.url()), "{}", url.url());
    let oss = httpdate::parse_http_date(DATE).unwrap();
    let soon = oss..oss + Duration::from_secs(600);
    assert!(soon.contains(&url.expires().unwrap()));
    let form = client.post_policy(BUCKET).key("a").sign().unwrap();
    assert!(is_signed(form.field("x-oss-date").unwrap()));
    assert!(form.expires().unwrap() < oss + Duration::from_secs(86_400));
}

/// Uploads with credentials that end so long after OSS's time; gives how often they were asked for.
fn asked(date: SystemTime, expires: impl Fn() -> SystemTime + Send + Sync + 'static) -> usize {
    let date = httpdate::fmt_http_date(date);
    let server = refusing(1, "403 Forbidden", from_oss(&date), SKEWED.to_owned());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let provided = Credentials::provider(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Credentials::new("id", "secret").expires_at(expires()))
    });
    let client = client_builder(&server.endpoint()).credentials(provided);
    let client = client.build().unwrap();
    for _ in 0..21 {
        client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    }
    asked.load(Ordering::SeqCst)
}

#[test]
fn a_provider_is_asked_when_credentials_expire_by_oss_s_clock() {
    let month = Duration::from_secs(30 * 86_400);
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    // OSS's clock is behind this one, and STS says when they end.
    assert_eq!(asked(now - month, move || now - month + hour), 1);
    // It is ahead, and the end is counted from here.
    assert_eq!(asked(now + month, move || SystemTime::now() + hour), 1);
    assert_eq!(asked(now + month, move || now + month + hour), 1);
}

#[test]
fn a_date_to_come_back_at_is_one_of_the_servers_clock() {
    let dates = Mutex::new(
        vec![
            // In a moment, by a clock that is wrong by years: this machine's or the server's.
            (
                "Thu, 29 Feb 2024 23:59:30 GMT",
                "Thu, 29 Feb 2024 23:59:30 GMT",
            ),
            (
                "Fri, 28 Feb 2110 23:59:30 GMT",
                "Fri, 28 Feb 2110 23:59:30 GMT",
            ),
        ]
        .into_iter(),
    );
    let server = RawServer::start(move |connection| {
        connection.read_body();
        match dates.lock().unwrap().next() {
            Some((date, until)) => connection.write(
                format!(
                    "HTTP/1.1 503 Busy\r\nDate: {date}\r\nRetry-After: {until}\r\n\
                     Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
                .as_bytes(),
            ),
            None => connection.write(OK.as_bytes()),
        }
    });
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    let client = client_builder(&server.endpoint()).retry_policy(policy);
    let put = client.build().unwrap().put_object(BUCKET, "a");
    assert_eq!(put.send_bytes(b"x").unwrap().attempts(), 3);
}
