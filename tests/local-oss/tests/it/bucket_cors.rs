//! The CORS rules of a bucket: kept, shown, obeyed, deleted.

use local_oss::Server;

use crate::client::{self, Request, Response, builder, get, put, request, start};

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin>\
    <AllowedOrigin>http://page.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
    <AllowedHeader>x-oss-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
    <ExposeHeader>x-oss-request-id</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";

fn cors(method: &str, body: &str) -> Request {
    request(method, "/examplebucket/?cors").body(body)
}

fn preflight(server: &Server, origin: &str, method: &str, headers: &str) -> Response {
    let mut asked = request("OPTIONS", "/examplebucket/a")
        .without_authorization()
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method);
    if !headers.is_empty() {
        asked = asked.header("Access-Control-Request-Headers", headers);
    }
    asked.send(server)
}

#[test]
fn rules_are_kept_and_obeyed_until_they_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let start = || builder().data_dir(folder.path()).start().unwrap();
    let server = start();
    let none = cors("GET", "").send(&server);
    assert_eq!(none.error(), (404, "NoSuchCORSConfiguration".to_owned()));
    assert_eq!(
        preflight(&server, "http://page.test", "PUT", "").status,
        403
    );
    assert_eq!(cors("PUT", RULES).send(&server).status, 200);
    drop(server);

    let server = start();
    let shown = cors("GET", "").send(&server);
    assert_eq!(
        shown.elements("AllowedOrigin"),
        ["https://*.example.com", "http://page.test", "*"]
    );
    assert_eq!(shown.elements("AllowedMethod"), ["PUT", "GET", "GET"]);
    assert_eq!(shown.elements("AllowedHeader"), ["x-oss-*", "Content-Type"]);
    assert_eq!(shown.elements("ExposeHeader"), ["ETag", "x-oss-request-id"]);
    assert_eq!(shown.elements("MaxAgeSeconds"), ["100"]);
    assert_eq!(shown.elements("ResponseVary"), ["false"]);

    let names = "x-oss-meta-a, content-type";
    let allowed = preflight(&server, "https://a.example.com", "PUT", names);
    assert_eq!((allowed.status, allowed.body.len()), (200, 0));
    for (name, value) in [
        ("access-control-allow-origin", "https://a.example.com"),
        ("access-control-allow-methods", "PUT, GET"),
        ("access-control-allow-headers", names),
        ("access-control-expose-headers", "ETag, x-oss-request-id"),
        ("access-control-max-age", "100"),
        ("vary", "Origin"),
    ] {
        assert_eq!(allowed.header(name), Some(value), "{name}");
        assert_eq!(
            allowed
                .headers
                .iter()
                .filter(|(known, _)| known == name)
                .count(),
            1
        );
    }
    let anybody = preflight(&server, "http://elsewhere.test", "GET", "");
    assert_eq!(anybody.header("access-control-allow-origin"), Some("*"));
    for (origin, method, headers) in [
        ("http://elsewhere.test", "PUT", ""),
        ("http://page.test", "DELETE", ""),
        ("http://page.test", "PUT", "authorization"),
        ("http://elsewhere.test", "GET", "x-oss-meta-a"),
        ("https://example.com", "PUT", ""),
    ] {
        let answer = preflight(&server, origin, method, headers);
        assert_eq!(
            answer.error(),
            (403, "AccessForbidden".to_owned()),
            "{origin} {method} {headers}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }

    let upload = |origin: &str| put("a", "hello").header("Origin", origin).send(&server);
    let told = upload("http://page.test");
    assert_eq!(
        told.header("access-control-allow-origin"),
        Some("http://page.test")
    );
    assert_eq!(
        told.header("access-control-expose-headers"),
        Some("ETag, x-oss-request-id")
    );
    let untold = upload("http://elsewhere.test");
    assert_eq!(
        (untold.status, untold.header("access-control-allow-origin")),
        (200, None)
    );
    // An error as well, and not the answers of another bucket.
    let missing = get("none")
        .header("Origin", "http://page.test")
        .send(&server);
    assert_eq!(
        missing.header("access-control-allow-origin"),
        Some("http://page.test")
    );
    request("PUT", "/other-bucket")
        .resource("/other-bucket/")
        .send(&server);
    let other = request("GET", "/other-bucket/")
        .header("Origin", "http://page.test")
        .send(&server);
    assert_eq!(
        (other.status, other.header("access-control-allow-origin")),
        (200, None)
    );

    for _ in 0..2 {
        assert_eq!(cors("DELETE", "").send(&server).status, 204);
    }
    assert_eq!(cors("GET", "").send(&server).status, 404);
    assert_eq!(
        preflight(&server, "http://page.test", "PUT", "").status,
        403
    );
}

#[test]
fn rules_and_the_flag_add_up() {
    let server = client::builder()
        .allow_origin("http://flag.test")
        .start()
        .unwrap();
    cors("PUT", RULES).send(&server);
    for (origin, method, status) in [
        ("http://flag.test", "DELETE", 200),
        ("http://page.test", "PUT", 200),
        ("http://page.test", "DELETE", 403),
    ] {
        assert_eq!(
            preflight(&server, origin, method, "").status,
            status,
            "{origin}"
        );
    }
}

#[test]
fn answers_may_vary_for_everybody() {
    let server = start();
    let vary = RULES.replace(
        "</CORSConfiguration>",
        "<ResponseVary>true</ResponseVary></CORSConfiguration>",
    );
    cors("PUT", &vary).send(&server);
    put("a", "hello").send(&server);
    assert_eq!(get("a").send(&server).header("vary"), Some("Origin"));
    assert_eq!(
        cors("GET", "").send(&server).elements("ResponseVary"),
        ["true"]
    );
}

#[test]
fn rules_that_are_none_change_nothing() {
    let server = start();
    cors("PUT", RULES).send(&server);
    for rules in [
        String::new(),
        "<CORSConfiguration/>".to_owned(),
        RULES.replace("<AllowedMethod>PUT</AllowedMethod>", "<AllowedMethod>PATCH</AllowedMethod>"),
        RULES.replace("http://page.test", "http://*.*.test"),
        RULES.replace("x-oss-*", "x-*-*"),
        RULES.replace("ETag", "*"),
        RULES.replace("100", "long"),
        RULES.replace("<AllowedOrigin>*</AllowedOrigin>", ""),
        format!("<CORSConfiguration>{}</CORSConfiguration>", "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>".repeat(21)),
    ] {
        assert_eq!(cors("PUT", &rules).send(&server).status, 400, "{rules}");
    }
    assert_eq!(
        preflight(&server, "http://page.test", "PUT", "").status,
        200
    );
}
