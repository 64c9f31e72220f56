//! Signatures in headers and in URLs, and clocks.

use std::time::{Duration, SystemTime};

use local_oss::Server;

use super::Asked;
use crate::client::{
    ID, Request, SECRET,
    form::iso_time,
    get,
    multipart::begin,
    presign::{Version, presign},
    put, request, start,
    v4::{Signing, v4},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A server whose day is half over, and the time there: an hour before it is the same day.
fn at_noon() -> (Server, SystemTime) {
    const DAY: u64 = 86_400;
    let server = start();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let noon = now / DAY * DAY + DAY / 2;
    server.set_clock(noon as i64 - now as i64);
    (server, SystemTime::UNIX_EPOCH + Duration::from_secs(noon))
}

/// Its access key is that of temporary credentials.
fn with_token() -> Server {
    let server = Server::builder().sts_credentials(ID, SECRET, "token");
    server.start().unwrap()
}

fn list() -> Signing {
    v4("GET", "").query("list-type=2")
}

pub fn ask(id: &str) -> Option<Asked> {
    let server = start();
    let url = |version| presign(version, "GET", "a");
    let sent: Request = match id {
        "o-sig-01" => list().secret("wrong").request(),
        "o-sig-02" => list().id("AKnobody").request(),
        "o-sig-03" => put("a", "hello").secret("wrong"),
        "o-sig-04" => {
            let server = with_token();
            let url = url(Version::One).token("token").secret("wrong");
            let response = url.request().send(&server);
            let bytes = response.element("StringToSignBytes").unwrap();
            assert!(bytes.ends_with("0A 2F 65 78 61 6D 70 6C 65 62 75 63 6B 65 74 2F 61 3F 73 65 63 75 72 69 74 79 2D 74 6F 6B 65 6E 3D 74 6F 6B 65 6E "), "{bytes}");
            return Some(Asked::of(response));
        }
        "o-sig-05" => {
            let response = url(Version::Four).secret("wrong").request().send(&server);
            let canonical = response.element("CanonicalRequest").unwrap();
            assert!(
                canonical.starts_with("GET\n/examplebucket/a\nx-oss-credential="),
                "{canonical}"
            );
            assert!(canonical.ends_with("\n\n\nUNSIGNED-PAYLOAD"), "{canonical}");
            assert!(!canonical.contains("x-oss-signature="), "{canonical}");
            return Some(Asked::of(response));
        }
        "o-sig-06" => {
            let target = format!("{}&more=1", url(Version::Four).target());
            // Version 1 does not sign it.
            let unsigned = format!("{}&more=1", url(Version::One).target());
            let answer = url(Version::One).request().target(&unsigned).send(&server);
            assert_eq!(answer.status, 404);
            url(Version::Four).request().target(&target)
        }
        "o-sig-07" => presign(Version::Four, "PUT", "a")
            .request()
            .header("Content-Type", "image/jpeg"),
        "o-sig-08" => presign(Version::Four, "PUT", "a")
            .header("Content-Type", "image/jpeg")
            .request()
            .without_header("Content-Type"),
        "o-sig-09" => url(Version::Four)
            .request()
            .header("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        "o-sig-10" => v4("HEAD", "a").region("cn-beijing").request(),
        "o-sig-11" => v4("PUT", "a").region("cn-beijing").request().body("hello"),
        "o-sig-12" => v4("HEAD", "a")
            .product("oss-cloudbox")
            .region("cb-1")
            .request(),
        "o-sig-13" => v4("GET", "a").additional("range").request(),
        "o-sig-14" => v4("GET", "a").additional("").request(),
        "o-sig-15" => get("a").without_header("Date"),
        "o-clk-01" | "o-clk-02" | "o-clk-03" | "o-clk-04" => return Some(clock(id)),
        "o-url-01" => url(Version::One)
            .signed_at(SystemTime::now() - HOUR)
            .request(),
        "o-url-02" => presign(Version::One, "PUT", "a")
            .signed_at(SystemTime::now() - HOUR)
            .request(),
        "o-url-03" => url(Version::Four).valid_for(604_801).request(),
        "o-url-04" => url(Version::Four)
            .header("referer", "http://example.com/")
            .additional("referer")
            .request()
            .without_header("referer"),
        "o-url-05" => {
            let target = url(Version::One).target();
            let (before, rest) = target.split_once("OSSAccessKeyId=").unwrap();
            let (_, after) = rest.split_once('&').unwrap();
            url(Version::One)
                .request()
                .target(&format!("{before}{after}"))
        }
        "o-url-06" => {
            let target = url(Version::One).target();
            let (before, rest) = target.split_once("Expires=").unwrap();
            let (_, after) = rest.split_once('&').unwrap();
            let target = format!("{before}Expires=soon&{after}");
            url(Version::One).request().target(&target)
        }
        "o-url-07" => {
            let server = with_token();
            return Some(Asked::of(url(Version::One).request().send(&server)));
        }
        "o-url-08" => {
            let upload = begin(&server, "a");
            let abort = presign(Version::One, "DELETE", "a").query("uploadId", &upload.id);
            assert_eq!(abort.request().send(&server).status, 204);
            upload.list_parts("max-parts=1")
        }
        _ => return None,
    };
    let refused = sent.send(&server);
    Some(Asked::of(refused).stored(&server))
}

fn clock(id: &str) -> Asked {
    let (server, noon) = at_noon();
    let acl = |at: SystemTime| {
        request("GET", "/examplebucket/?acl").header("Date", &httpdate::fmt_http_date(at))
    };
    let sent = match id {
        "o-clk-01" => acl(noon - HOUR),
        "o-clk-02" => v4("GET", "").query("acl").at(noon - HOUR).request(),
        // The day of the scope is not the server's.
        "o-clk-03" => v4("PUT", "a").at(noon - 24 * HOUR).request().body("hello"),
        _ => acl(noon + HOUR),
    };
    let response = sent.send(&server);
    Asked::of(response)
        .stored(&server)
        .word("2025-04-10T11:00:57.000Z", iso_time(noon + HOUR))
        .looks("2025-04-10T10:00:57.000Z", |text| {
            text.len() == 24 && text[10..].starts_with("T12:0") && text.ends_with('Z')
        })
}
