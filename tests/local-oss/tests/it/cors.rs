//! What web pages of other origins are allowed, over real sockets: CORS.

use crate::client;
use crate::client::{
    Request, Response,
    callback::{answering, callback},
    form::signed,
    get,
    presign::{Version, presign},
    put, request,
};
use local_oss::{Answer, Builder, Server};
use serde_json::json;

const PAGE: &str = "http://127.0.0.1:8080";

fn builder() -> Builder {
    client::builder().allow_origin(PAGE)
}

/// What a browser asks before it sends what a script wants to send.
fn preflight(origin: &str, method: &str, target: &str) -> Request {
    request("OPTIONS", target)
        .without_authorization()
        .without_header("date")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
}

/// The names of an answer's headers that are about CORS.
fn cors_headers(answer: &Response) -> Vec<&str> {
    let names = answer.headers.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| name.starts_with("access-control-") || *name == "vary")
        .collect()
}

fn assert_forbidden(answer: &Response, why: &str) {
    assert_eq!(answer.error(), (403, "AccessForbidden".to_owned()));
    assert!(answer.element("Message").unwrap().contains(why));
    assert_eq!(cors_headers(answer), [] as [&str; 0]);
}

#[test]
fn a_preflight_of_an_allowed_page_is_answered_without_a_signature() {
    let server = builder().start().unwrap();
    let names = "content-type,x-oss-callback,x-oss-meta-author";
    for target in [
        "/examplebucket/a",
        "/examplebucket/",
        "/examplebucket",
        "/examplebucket/a?callback=e30%3D&x-oss-signature=x",
    ] {
        for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
            let asked = preflight(PAGE, method, target);
            let answer = asked
                .header("Access-Control-Request-Headers", names)
                .send(&server);
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{target}");
            for (name, value) in [
                ("access-control-allow-origin", PAGE),
                ("access-control-allow-methods", method),
                ("access-control-allow-headers", names),
                ("access-control-max-age", "60"),
                ("vary", "Origin"),
            ] {
                assert_eq!(answer.header(name), Some(value));
            }
            assert!(answer.header("x-oss-request-id").is_some());
        }
    }
    let without = preflight(PAGE, "PUT", "/examplebucket/a").send(&server);
    assert_eq!(without.header("access-control-allow-headers"), None);
    let host = preflight(PAGE, "PUT", "/a").header("Host", "examplebucket.127.0.0.1");
    assert_eq!(host.send(&server).status, 200);
    let elsewhere = preflight(PAGE, "PUT", "/nosuchbucket/a").send(&server);
    assert_eq!(elsewhere.error(), (404, "NoSuchBucket".to_owned()));
    assert!(server.stored().is_empty());
}

#[test]
fn a_page_can_read_every_answer_and_the_headers_it_needs() {
    let server = builder().start().unwrap();
    let (agreeing, failing) = (
        answering(Answer::json("{}")),
        answering(Answer::status(500)),
    );
    let any = json!([{"bucket": "examplebucket"}]);
    let form = || signed(Version::Four, "form", &any, "hello");
    let with = |request: Request| request.header("Origin", PAGE).send(&server);
    let url = |method| presign(Version::Four, method, "a");
    for (what, answer, status) in [
        ("an upload", with(url("PUT").request().body("hello")), 200),
        (
            "a callback",
            with(
                url("PUT")
                    .callback(&callback(&agreeing.url("/")))
                    .request()
                    .body("hello"),
            ),
            200,
        ),
        (
            "a callback that fails",
            with(
                url("PUT")
                    .callback(&callback(&failing.url("/")))
                    .request()
                    .body("hello"),
            ),
            203,
        ),
        ("a form", with(form().request()), 204),
        (
            "a form whose callback fails",
            with(form().callback(&callback(&failing.url("/"))).request()),
            203,
        ),
        (
            "a form that was changed",
            with(form().changed("policy", "e30=").request()),
            403,
        ),
        (
            "a download",
            with(url("GET").request().header("Range", "bytes=1-2")),
            206,
        ),
        ("a HEAD", with(url("HEAD").request()), 200),
        (
            "what is not there",
            with(presign(Version::Four, "GET", "none").request()),
            404,
        ),
        (
            "what is not signed",
            with(get("a").without_authorization()),
            403,
        ),
        (
            "what cannot be done",
            with(request("PUT", "/examplebucket/?lifecycle")),
            501,
        ),
    ] {
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(
            (allowed, answer.header("vary")),
            (Some(PAGE), Some("Origin")),
            "{what}"
        );
        let exposed = answer.header("access-control-expose-headers").unwrap();
        let exposed: Vec<String> = exposed.split(", ").map(str::to_lowercase).collect();
        for name in ["etag", "x-oss-request-id", "x-oss-hash-crc64ecma"] {
            assert!(exposed.contains(&name.to_owned()), "{name} of {what}");
        }
        for (name, _) in &answer.headers {
            let ours = name.starts_with("x-oss-") && !name.starts_with("x-oss-meta-");
            assert!(!ours || exposed.contains(name), "{name} of {what}");
        }
    }
}

#[test]
fn other_pages_are_told_nothing_and_what_they_send_is_done_all_the_same() {
    let server = builder().start().unwrap();
    let refused = |origin: &str, method: &str| {
        let answer = preflight(origin, method, "/examplebucket/a").send(&server);
        assert_forbidden(&answer, "This CORS request is not allowed.");
    };
    for origin in [
        "http://127.0.0.1",
        "http://127.0.0.1:80801",
        "https://127.0.0.1:8080",
        "http://127.0.0.1:8080.example.com",
        "null",
        "",
        "目",
    ] {
        refused(origin, "PUT");
        let answer = put("a", "hello").header("Origin", origin).send(&server);
        assert_eq!((answer.status, cors_headers(&answer).len()), (200, 0));
    }
    let without = preflight(PAGE, "PUT", "/examplebucket/a").without_header("origin");
    assert_forbidden(&without.send(&server), "not allowed");
    // A page that may, with what nobody may.
    let head = "access-control-request-method";
    let asked = preflight(PAGE, "PUT", "/examplebucket/a");
    for asked in [
        asked.clone().header(head, "PATCH"),
        asked.clone().header(head, "put"),
        asked.without_header(head),
    ] {
        let answer = asked.send(&server);
        assert_eq!(answer.error(), (403, "AccessForbidden".to_owned()));
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
    // No browser: no word of it.
    let plain = put("a", "hello").send(&server);
    assert_eq!(cors_headers(&plain), [] as [&str; 0]);
}

#[test]
fn without_the_setting_no_page_is_allowed() {
    let server = client::start();
    let answer = preflight(PAGE, "PUT", "/examplebucket/a").send(&server);
    assert_forbidden(&answer, "CORS is not enabled for this bucket.");
    for answer in [
        put("a", "hello").header("Origin", PAGE).send(&server),
        get("none").header("Origin", PAGE).send(&server),
    ] {
        assert_eq!(cors_headers(&answer), [] as [&str; 0]);
    }
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn an_origin_may_stand_for_many() {
    let allowed = |server: &Server, origin: &str| {
        let answer = get("none").header("Origin", origin).send(server);
        let allowed = answer.header("access-control-allow-origin");
        (
            allowed.map(str::to_owned),
            answer.header("vary").map(str::to_owned),
        )
    };
    let all = client::builder().allow_origin("*").start().unwrap();
    for origin in [PAGE, "null", "https://a.example.com"] {
        assert_eq!(allowed(&all, origin), (Some("*".to_owned()), None));
    }
    let some = builder().allow_origin("https://*.example.com");
    let some = some.start().unwrap();
    let vary = Some("Origin".to_owned());
    for origin in [PAGE, "https://a.example.com", "https://a.b.example.com"] {
        let expected = (Some(origin.to_owned()), vary.clone());
        assert_eq!(allowed(&some, origin), expected);
    }
    for origin in [
        "https://example.com",
        "https://.example.co",
        "https://a.example.com.b",
    ] {
        assert_eq!(allowed(&some, origin), (None, None));
    }
}

#[test]
fn what_no_browser_sends_is_no_origin() {
    for origin in [
        "",
        "example.com",
        "http://",
        "http://example.com/",
        "http://example.com/page",
        "http://*.example.*",
        "http://example.com\n",
    ] {
        let error = client::builder().allow_origin(origin).start().unwrap_err();
        let said = format!("`{origin}` is no origin");
        assert!(error.to_string().starts_with(&said), "{error}");
    }
}
