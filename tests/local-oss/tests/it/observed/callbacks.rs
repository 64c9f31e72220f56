//! Callbacks: accepted, refused before anything is stored, failed after.

use std::{io, net::SocketAddr, time::Duration};

use local_oss::{Answer, Builder, Receiver, RefusedAddress, Server};
use serde_json::{Map, Value, json};

use super::Asked;
use crate::client::{
    Request, Response, base64, builder,
    callback::socket_with_full_queue,
    form::signed,
    multipart::begin,
    presign::{Version, presign},
    put, request,
};

/// What an application server that works answers.
pub const OK: &str = r#"{"Status":"OK"}"#;

const DECODED: &str = "the decoded JSON";

/// Every name is that of the application server, but for those that the rows say nobody finds.
pub fn server_for(address: SocketAddr) -> Builder {
    builder().resolver(move |host, _| match host {
        "my" | "123.456" => Err(io::Error::from(io::ErrorKind::NotFound)),
        _ => Ok(vec![address]),
    })
}

pub fn ask(id: &str, row: &Value) -> Option<Asked> {
    let asked = &row["request"];
    let does = asked["server"].as_str().unwrap_or_default();
    let answer = match does {
        "" if id.starts_with("o-cbf") => Answer::new(200, "text/html", "<html>no callback</html>"),
        "" => Answer::json(OK),
        "redirects with 301" => Answer::status(301).header("Location", "https://www.aliyun.com/"),
        "answers something else than 200 with JSON" => Answer::new(404, "text/html", "<html>"),
        "takes more than 5 s" => Answer::silence(),
        "answers 200 with a body that is no JSON" => Answer::new(200, "text/plain", "ok"),
        "answers without Content-Length" => Answer::json(OK).without_content_length(),
        "answers 200 {\"Status\":\"OK\"} with Content-Type application/json" => Answer::json(OK),
        // Of another name than the URL's, and of an authority that nobody trusts.
        "https that fails without SNI or does not serve the name" => Answer::json(OK),
        "cannot be reached: a dead tunnel" => Answer::json(OK),
        "a public address that does not serve callbacks" => Answer::json(OK),
        other => panic!("{id}: {other}"),
    };
    let receiver = match does.starts_with("https") {
        true => Receiver::start_tls(&["app.example.com"], move |_| answer.clone()),
        false => Receiver::start(move |_| answer.clone()),
    }
    .unwrap();
    let refused = RefusedAddress::new().unwrap();
    // The page that has this text for a time-out is met by a connection that is not made in time.
    let unreachable = does.contains("dead tunnel") || id == "o-cbf-15";
    let queue = unreachable.then(socket_with_full_queue);
    let url = match (&queue, does) {
        (Some((listener, _)), _) => format!("http://{}/", listener.local_addr().unwrap()),
        (None, "a public address that does not serve callbacks") => refused.url("/"),
        (None, _) => receiver.url("/"),
    };

    let server = server_for(receiver.address())
        .strict(is_about_private_addresses(id))
        .callback_timeout(match does {
            "takes more than 5 s" => Duration::from_millis(300),
            _ if unreachable => Duration::from_millis(300),
            _ => Duration::from_secs(5),
        })
        .start()
        .unwrap();
    let mut callback = asked["callback"].clone();
    let is_placeholder = callback["callbackUrl"] == "<server>";
    // What was delivered there is what the row is about.
    let is_placeholder = is_placeholder || id == "o-ok-07";
    if is_placeholder || does == "a public address that does not serve callbacks" {
        callback["callbackUrl"] = Value::from(url);
    }
    if id == "o-acc-17" {
        put_policies(
            &server,
            &asked["bucket_callback_policy"],
            &receiver.url("/"),
        );
    }
    let wire = match (
        asked["callback_raw"].as_str(),
        asked["callback_text"].as_str(),
    ) {
        (Some(raw), _) => Some(raw.to_owned()),
        (None, Some(text)) if text.starts_with('{') => Some(encode(text)),
        (None, Some(_)) => Some(encode(&serde_json::to_string_pretty(&callback).unwrap())),
        (None, None) if callback.is_null() => None,
        (None, None) => Some(base64(&callback)),
    };
    let variables = match &asked["callback_var"] {
        Value::Null => None,
        Value::String(words) => {
            assert_eq!(words, "more than 5 KB of x:varN in Base64");
            let many = (0..200).map(|n| (format!("x:var{n}"), Value::from("a".repeat(20))));
            Some(base64(&Value::Object(many.collect::<Map<_, _>>())))
        }
        variables => Some(base64(variables)),
    };
    let sent = Sent {
        wire,
        variables,
        placement: asked["placement"].as_str().unwrap_or_default(),
        headers: &asked["headers"],
    };
    let response = match row["operation"].as_str().unwrap() {
        "PutObject" => sent.put(&server),
        "CompleteMultipartUpload" => sent.complete(&server),
        "PostObject" => sent.post(&server, id),
        "InitiateMultipartUpload" => request("POST", "/examplebucket/a?uploads").send(&server),
        "UploadPart" => begin(&server, "a").part(1, "hello").send(&server),
        other => panic!("{id}: {other}"),
    };
    let decoded = match asked["callback_text"].as_str() {
        Some(text) => text.to_owned(),
        None => callback.to_string(),
    };
    let mut answered = Asked::of(response)
        .stored(&server)
        .word(DECODED, &*decoded)
        .word("the decoded text as sent", decoded);
    answered.callback = receiver.requests().first().map(|request| request.text());
    Some(answered)
}

fn is_about_private_addresses(id: &str) -> bool {
    ["o-ref-10", "o-ref-11", "o-ref-12", "o-ref-13", "o-ref-20"].contains(&id)
}

fn encode(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    STANDARD.encode(text)
}

/// Those of the row, which all call this server.
fn put_policies(server: &Server, names: &Value, url: &str) {
    let callback = json!({"callbackUrl": url, "callbackBody": "object=${object}"});
    let items: String = names
        .as_array()
        .unwrap()
        .iter()
        .map(|name| {
            let name = name.as_str().unwrap();
            super::buckets::policy_item(name, &base64(&callback), "")
        })
        .collect();
    let put = super::buckets::put_policy(&items).send(server);
    assert_eq!(put.status, 200, "{}", put.text());
}

/// The two values of a callback as they go over the wire.
struct Sent<'a> {
    wire: Option<String>,
    variables: Option<String>,
    placement: &'a str,
    headers: &'a Value,
}

impl Sent<'_> {
    fn place(&self, mut request: Request) -> Request {
        if let Some(callback) = &self.wire {
            request = request.header("x-oss-callback", callback);
        }
        if let Some(variables) = &self.variables {
            request = request.header("x-oss-callback-var", variables);
        }
        for (name, value) in super::members(self.headers) {
            request = request.header(name, value.as_str().unwrap());
        }
        request
    }

    fn put(&self, server: &Server) -> Response {
        let callback = self.wire.as_deref().unwrap_or_default();
        let mut url = presign(Version::One, "PUT", "a");
        match self.placement {
            "" => return self.place(put("a", "hello")).send(server),
            "header and query" => {
                let url = url.query("callback", callback);
                return url
                    .header("x-oss-callback", callback)
                    .request()
                    .send(server);
            }
            "signed headers of a V1 presigned URL" => {
                url = url.header("x-oss-callback", callback);
                if let Some(variables) = &self.variables {
                    url = url.header("x-oss-callback-var", variables);
                }
            }
            "query of a presigned URL" | "query of a V1 presigned URL, empty body" => {
                url = url.query("callback", callback);
                if let Some(variables) = &self.variables {
                    url = url.query("callback-var", variables);
                }
            }
            other => panic!("{other}"),
        }
        let body = match self.placement.ends_with("empty body") {
            true => "",
            false => "hello",
        };
        url.request().body(body).send(server)
    }

    fn complete(&self, server: &Server) -> Response {
        let upload = begin(server, "a");
        let etag = upload.send_part(server, 1, "hello");
        let takes_all = self.headers["x-oss-complete-all"] == "yes";
        let complete = match takes_all {
            true => upload.complete_with(""),
            false => upload.complete(&[(1, etag)]),
        };
        self.place(complete).send(server)
    }

    fn post(&self, server: &Server, id: &str) -> Response {
        let mut form = signed(
            Version::One,
            "a",
            &json!([{"bucket": "examplebucket"}]),
            "hello",
        );
        if id == "o-ok-07" {
            let png = crate::observed::objects::png(256, 256);
            assert!(png.len() <= 5385);
            let padded = [png.clone(), vec![0; 5385 - png.len()]].concat();
            let conditions = json!([{"bucket": "examplebucket"}]);
            form = signed(Version::One, "local/var/www/zhuye.png", &conditions, padded)
                .file_head("; filename=\"zhuye.png\"\r\nContent-Type: application/octet-stream")
                .field("success_action_status", "200");
        }
        if let Some(callback) = &self.wire {
            form = form.field("callback", callback);
        }
        form.send(server)
    }
}
