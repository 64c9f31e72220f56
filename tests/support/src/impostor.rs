//! Somebody who is not OSS and answers in its place: who they are, what they say, and when they do. None of them says
//! anything that OSS alone would say: who imitates OSS over plain HTTP cannot be told from it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What a request asks OSS for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    Put,
    Post,
    Initiate,
    Part,
    Complete,
    ListParts,
    Head,
    Abort,
}

impl Asked {
    pub const ALL: [Asked; 8] = [
        Asked::Put,
        Asked::Post,
        Asked::Initiate,
        Asked::Part,
        Asked::Complete,
        Asked::ListParts,
        Asked::Head,
        Asked::Abort,
    ];

    pub fn of(method: &str, target: &str) -> Option<Asked> {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let has = |name: &str| {
            let mut names = query
                .split('&')
                .map(|pair| pair.split('=').next().unwrap_or(pair));
            names.any(|found| found == name)
        };
        match method {
            "PUT" if has("partNumber") => Some(Asked::Part),
            "PUT" => Some(Asked::Put),
            "POST" if has("uploads") => Some(Asked::Initiate),
            "POST" if has("uploadId") => Some(Asked::Complete),
            "POST" => Some(Asked::Post),
            "GET" if has("uploadId") => Some(Asked::ListParts),
            "HEAD" => Some(Asked::Head),
            "DELETE" if has("uploadId") => Some(Asked::Abort),
            _ => None,
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stranger {
    /// A captive portal that shows its page for everything.
    LoginPage,
    /// One that sends everybody there.
    Redirect,
    /// A proxy that allows this to nobody.
    ProxyForbids,
    /// A proxy that wants to know who asks.
    ProxyAuthentication,
    BadGateway,
    Unavailable,
    /// A proxy's own failure.
    Html500,
    /// A proxy that changes what it passes on.
    Transformed,
    /// A CDN that has a page for it.
    CachedPage,
    /// Another virtual host, which has no such page.
    OtherHostMissing,
    /// Another virtual host, which greets.
    OtherHostGreets,
    /// An application.
    Json,
    /// Storage of another kind, which refuses.
    S3Refuses,
    /// Storage of another kind, which has no such thing.
    S3Missing,
    /// Storage of another kind, which does what it is asked for.
    S3Agrees,
    /// An error document with the status of a success.
    ErrorDocument,
    Empty200,
    Empty204,
    /// A WebDAV server.
    Created,
    /// A load balancer that has waited long enough.
    TimedOut,
    /// It would hear more, and goes away.
    Continue,
    /// It does not even speak HTTP.
    Smtp,
}

impl Stranger {
    pub const ALL: [Stranger; 22] = [
        Stranger::LoginPage,
        Stranger::Redirect,
        Stranger::ProxyForbids,
        Stranger::ProxyAuthentication,
        Stranger::BadGateway,
        Stranger::Unavailable,
        Stranger::Html500,
        Stranger::Transformed,
        Stranger::CachedPage,
        Stranger::OtherHostMissing,
        Stranger::OtherHostGreets,
        Stranger::Json,
        Stranger::S3Refuses,
        Stranger::S3Missing,
        Stranger::S3Agrees,
        Stranger::ErrorDocument,
        Stranger::Empty200,
        Stranger::Empty204,
        Stranger::Created,
        Stranger::TimedOut,
        Stranger::Continue,
        Stranger::Smtp,
    ];

    /// There is nothing to say after it.
    pub fn always_closes(self) -> bool {
        matches!(
            self,
            Stranger::TimedOut | Stranger::Continue | Stranger::Smtp
        )
    }

    /// What it says to a request.
    pub fn says(self, request: &Heard, closes: bool) -> Vec<u8> {
        let html = |text: &str| format!("<html><body><h1>{text}</h1></body></html>");
        let xml = "Server: MinIO\r\nx-amz-request-id: 17A4E1B2C3D4E5F6\r\nContent-Type: application/xml\r\n";
        let page = "Content-Type: text/html\r\n";
        let (status, headers, body) = match self {
            Stranger::LoginPage => (
                "200 OK",
                format!("{page}Server: nginx\r\nCache-Control: no-store\r\n"),
                html("Please log in to use this network"),
            ),
            Stranger::Redirect => (
                "302 Found",
                format!("{page}Location: http://portal.example/login\r\n"),
                html("Moved"),
            ),
            Stranger::ProxyForbids => (
                "403 Forbidden",
                format!("{page}Server: squid/6.6\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n"),
                html("Access Denied"),
            ),
            Stranger::ProxyAuthentication => (
                "407 Proxy Authentication Required",
                format!("{page}Proxy-Authenticate: Basic realm=\"proxy\"\r\n"),
                html("Cache Access Denied"),
            ),
            Stranger::BadGateway => (
                "502 Bad Gateway",
                format!("{page}Server: nginx\r\n"),
                html("502 Bad Gateway"),
            ),
            Stranger::Unavailable => (
                "503 Service Unavailable",
                format!("{page}Retry-After: 0\r\n"),
                html("Down for maintenance"),
            ),
            Stranger::Html500 => (
                "500 Internal Server Error",
                page.to_owned(),
                html("Internal error"),
            ),
            Stranger::Transformed => (
                "203 Non-Authoritative Information",
                format!(
                    "{page}Via: 1.1 proxy\r\nWarning: 214 proxy \"Transformation applied\"\r\nETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n"
                ),
                html("Lite version"),
            ),
            Stranger::CachedPage => (
                "200 OK",
                format!(
                    "{page}Age: 3600\r\nX-Cache: HIT from edge\r\nETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n"
                ),
                html("Welcome to our shop"),
            ),
            Stranger::OtherHostMissing => (
                "404 Not Found",
                format!("{page}Server: Apache\r\n"),
                html("Not Found"),
            ),
            Stranger::OtherHostGreets => (
                "200 OK",
                format!("{page}Server: Apache\r\nETag: \"2d-432a5e4a73a80\"\r\n"),
                html("It works!"),
            ),
            Stranger::Json => (
                "200 OK",
                "Content-Type: application/json\r\nETag: W/\"f-1\"\r\n".to_owned(),
                "{\"status\":\"ok\"}".to_owned(),
            ),
            Stranger::S3Refuses => (
                "403 Forbidden",
                xml.to_owned(),
                error_document("InvalidAccessKeyId"),
            ),
            Stranger::S3Missing => (
                "404 Not Found",
                xml.to_owned(),
                error_document(match request.asked {
                    Some(Asked::Part | Asked::Complete | Asked::ListParts | Asked::Abort) => {
                        "NoSuchUpload"
                    }
                    Some(Asked::Head) => "NoSuchKey",
                    _ => "NoSuchBucket",
                }),
            ),
            Stranger::S3Agrees => {
                let status = match request.asked {
                    Some(Asked::Post | Asked::Abort) => "204 No Content",
                    _ => "200 OK",
                };
                let etag = "ETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n";
                (status, format!("{xml}{etag}"), agreement(request))
            }
            Stranger::ErrorDocument => (
                "200 OK",
                "Content-Type: application/xml\r\nETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n"
                    .to_owned(),
                error_document("InternalError"),
            ),
            Stranger::Empty200 => ("200 OK", String::new(), String::new()),
            Stranger::Empty204 => ("204 No Content", String::new(), String::new()),
            Stranger::Created => (
                "201 Created",
                format!("{page}Server: Apache\r\nLocation: /\r\n"),
                html("Created"),
            ),
            Stranger::TimedOut => (
                "408 Request Timeout",
                page.to_owned(),
                html("408 Request Time-out"),
            ),
            Stranger::Continue => return b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            Stranger::Smtp => return b"220 mail.example ESMTP Postfix\r\n".to_vec(),
        };
        let length = match status.starts_with("204") {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let closing = if closes { "Connection: close\r\n" } else { "" };
        let body = match request.asked == Some(Asked::Head) || status.starts_with("204") {
            true => "",
            false => &body,
        };
        format!("HTTP/1.1 {status}\r\n{headers}{length}{closing}\r\n{body}").into_bytes()
    }
}

fn error_document(code: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>No.</Message>\
         <RequestId>17A4E1B2C3D4E5F6</RequestId></Error>"
    )
}

/// What storage of another kind says when it does what OSS was asked for.
fn agreement(request: &Heard) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let mut names = path.trim_start_matches('/').splitn(2, '/');
    let mut name = || names.next().unwrap_or_default();
    let of = format!("<Bucket>{}</Bucket><Key>{}</Key>", name(), name());
    match request.asked {
        Some(Asked::Initiate) => format!(
            "<InitiateMultipartUploadResult>{of}<UploadId>stranger</UploadId></InitiateMultipartUploadResult>"
        ),
        Some(Asked::Complete) => format!(
            "<CompleteMultipartUploadResult>{of}<ETag>\"5B3C1A2E053D763E1B002CC607C5A0FE-1\"</ETag></CompleteMultipartUploadResult>"
        ),
        Some(Asked::ListParts) => format!(
            "<ListPartsResult>{of}<UploadId>stranger</UploadId><IsTruncated>false</IsTruncated></ListPartsResult>"
        ),
        _ => String::new(),
    }
}

/// A request whose head an impostor has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub asked: Option<Asked>,
    pub target: String,
}

impl Heard {
    pub fn new(method: &str, target: &str) -> Heard {
        Heard {
            asked: Asked::of(method, target),
            target: target.to_owned(),
        }
    }

    /// Nothing was heard yet.
    pub fn nothing() -> Heard {
        Heard {
            asked: None,
            target: String::new(),
        }
    }
}

/// What becomes of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing of it reaches OSS, and the answer comes as soon as its head is there.
    Head,
    /// Nothing of it reaches OSS, and the answer comes after all of it.
    Nothing,
    /// All of it reaches OSS, whose answer does not come back.
    Through,
    /// All of it reaches OSS, whose answer comes after somebody else's.
    Ahead,
    /// All of it reaches OSS, whose answer comes back, with another one behind it that nobody has asked for.
    Behind,
}

/// How long an impostor stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// For one answer.
    Once,
    /// For the rest of the connection.
    Connection,
    /// For good, on every connection.
    Network,
}

/// Somebody who answers in OSS's place, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impostor {
    pub who: Stranger,
    /// It comes with a request for this,
    pub asked: Asked,
    /// which so many others for the same come before.
    pub after: usize,
    pub reach: Reach,
    pub stay: Stay,
    /// It closes the connection after its answer.
    pub closes: bool,
}

impl Impostor {
    pub fn closes(&self) -> bool {
        self.closes || self.who.always_closes()
    }

    pub fn says(&self, request: &Heard) -> Vec<u8> {
        self.who.says(request, self.closes())
    }
}

/// The impostors of a network.
#[derive(Debug, Default)]
pub struct Impostors {
    plan: Vec<Impostor>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    heard: BTreeMap<Asked, usize>,
    /// It has come for good.
    stays: Option<Impostor>,
}

impl Impostors {
    pub fn new(plan: Vec<Impostor>) -> Impostors {
        Impostors {
            plan,
            state: Mutex::default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// Who answers this request, if somebody other than OSS does.
    pub fn meet(&self, request: &Heard) -> Option<Impostor> {
        let asked = request.asked?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.heard.entry(asked).or_default();
        let comes = |impostor: &&Impostor| impostor.asked == asked && impostor.after == *before;
        let coming = self.plan.iter().find(comes).copied();
        *before += 1;
        let met = state.stays.or(coming);
        state.stays = met.filter(|impostor| impostor.stay == Stay::Network);
        met
    }
}
