//! What holds for every text, whatever is in it: it survives templates, signatures and headers.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use local_oss::Server;
use oss_callback::callback::CallbackBody;
use oss_callback::{
    BodyTemplate, BodyType, CallbackSpec, Client, ErrorKind, ObjectFacts, PresignOptions,
    SignatureVersion,
};
use serde_json::json;
use support::any::{self, for_any};
use support::{BUCKET, agreeing_receiver, client_builder, server};

/// No object and no text has a NUL.
fn text(random: &mut Rng, most: usize) -> String {
    any::text(random, 0..=most, |c| c != '\0')
}

/// Any name that an object can have.
fn key(random: &mut Rng) -> String {
    let key = any::text(random, 1..=40, |c| c != '\0');
    match key.starts_with(['/', '\\']) {
        true => format!("k{key}"),
        false => key,
    }
}

/// A name that a placeholder can name.
fn variable(random: &mut Rng) -> String {
    let allowed = |c: char| !c.is_ascii_uppercase() && !['\0', '$', '{', '}'].contains(&c);
    format!("x:{}", any::text(random, 1..=8, allowed))
}

/// Up to three names with a value each.
fn pairs(
    random: &mut Rng,
    name: impl Fn(&mut Rng) -> String,
    value: impl Fn(&mut Rng) -> String,
) -> BTreeMap<String, String> {
    let count = random.u8(0..=3);
    (0..count).map(|_| (name(random), value(random))).collect()
}

/// A callback of any texts, and what the application server must read in it.
#[derive(Debug)]
struct Message {
    spec: CallbackSpec,
    members: BTreeMap<String, String>,
}

impl Message {
    fn any(random: &mut Rng, url: &str, key: &str) -> Message {
        let fixed = pairs(random, |random| text(random, 8), |random| text(random, 12));
        let variables = pairs(random, variable, |random| text(random, 20));
        let mut body = if random.bool() {
            BodyTemplate::json()
        } else {
            BodyTemplate::form()
        };
        let mut members = BTreeMap::new();
        for (name, value) in &fixed {
            let name = format!("fixed {name}");
            body = body.text(&name, value);
            members.insert(name, value.clone());
        }
        let mut spec = CallbackSpec::builder().url(url);
        for (name, value) in &variables {
            body = body.variable(name, name);
            spec = spec.variable(name, value);
            members.insert(name.clone(), value.clone());
        }
        for (name, value) in [("object", key), ("bucket", BUCKET), ("size", "5")] {
            body = body.variable(name, name);
            members.insert(name.to_owned(), value.to_owned());
        }
        let spec = spec.body(body).build().unwrap();
        Message { spec, members }
    }

    fn preview(&self, key: &str) -> (String, String) {
        let facts = ObjectFacts::new(BUCKET, key).size(5);
        let preview = self.spec.preview(&facts).unwrap().remove(0);
        let content_type = preview.headers().find(|(name, _)| *name == "Content-Type");
        (
            content_type.unwrap().1.to_owned(),
            preview.body().to_owned(),
        )
    }

    /// Reads a body as the application server does.
    fn hold(&self, content_type: &str, body: &str) {
        let read = CallbackBody::parse(Some(content_type), body.as_bytes()).unwrap();
        let members: BTreeMap<String, String> = read
            .members()
            .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
            .collect();
        assert_eq!(members, self.members);
        // And as somebody else's code does.
        if read.body_type() == BodyType::Json {
            let json: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(body).unwrap();
            for (name, value) in &self.members {
                let expected = if name == "size" {
                    json!(5)
                } else {
                    json!(value)
                };
                assert_eq!(json[name], expected);
            }
        }
    }
}

/// A server, and a client of each signature version. Each test has its own: the cases of all begin with the same seeds, and
/// so with the same keys.
fn place() -> (Server, [Client; 2]) {
    let server = server().start().unwrap();
    let client = |version| {
        let builder = client_builder(server.endpoint());
        builder.signature_version(version).build().unwrap()
    };
    let clients = [SignatureVersion::V1, SignatureVersion::V4].map(client);
    (server, clients)
}

#[test]
fn every_text_survives_substitution_and_parsing() {
    for_any(400, |random| {
        let key = key(random);
        let message = Message::any(random, "http://app.example.com/", &key);
        let (content_type, body) = message.preview(&key);
        message.hold(&content_type, &body);
        // Somebody else's issue of the same callback is the same.
        let (callback, callback_var) = (message.spec.callback(), message.spec.callback_var());
        let issued = CallbackSpec::from_base64(callback, callback_var).unwrap();
        issued.check().unwrap();
        let facts = ObjectFacts::new(BUCKET, &key).size(5);
        assert_eq!(
            issued.preview(&facts).unwrap(),
            message.spec.preview(&facts).unwrap()
        );
        assert!(issued.explain().unwrap().problems().is_empty());
    });
}

#[test]
fn a_nul_is_refused_by_whoever_reads_it() {
    for_any(200, |random| {
        let value = format!("{}\0{}", text(random, 8), text(random, 8));
        let (template, body_type) = match random.bool() {
            true => (BodyTemplate::json(), BodyType::Json),
            false => (BodyTemplate::form(), BodyType::Form),
        };
        let body = template.text("a", &value);
        let body = body.render(body_type, |_| None).unwrap();
        let read = CallbackBody::parse(Some(body_type.as_str()), body.as_bytes());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::BadBody);
    });
}

/// What local-oss renders with code of its own is what was previewed, and what it delivers is read again.
#[test]
fn every_text_reaches_the_application_server() {
    let (_server, [_, client]) = place();
    let receiver = agreeing_receiver();
    let url = receiver.url("/");
    for_any(48, |random| {
        let key = key(random);
        let message = Message::any(random, &url, &key);
        let put = client.put_object(BUCKET, &key).callback(&message.spec);
        put.send_bytes(b"hello").unwrap();
        let request = receiver.requests().pop().unwrap();
        let (content_type, body) = message.preview(&key);
        assert_eq!(request.text(), body);
        assert_eq!(request.header("content-type"), Some(content_type.as_str()));
        message.hold(&content_type, &request.text());
    });
}

/// local-oss finds the key that was meant, and the signature over it, with code of its own.
#[test]
fn every_key_is_signed_in_headers_and_in_urls() {
    let (server, clients) = place();
    for_any(48, |random| {
        let (key, contents) = (key(random), any::bytes(random, 20));
        for client in &clients {
            let put = || client.put_object(BUCKET, &key);
            put().send_bytes(&contents).unwrap();
            assert_eq!(server.object(BUCKET, &key), Some(contents.clone()));
            let mut got = Vec::new();
            client.get_object(BUCKET, &key).write_to(&mut got).unwrap();
            assert_eq!(&got, &contents);

            let options = PresignOptions::expires_in(Duration::from_secs(600));
            let url = put().presign(&options).unwrap();
            let other = [&contents[..], b"!"].concat();
            client.put_object_with_url(&url).send_bytes(&other).unwrap();
            assert_eq!(server.object(BUCKET, &key), Some(other));
            client.delete_object(BUCKET, &key).send().unwrap();
            assert_eq!(server.object(BUCKET, &key), None);
        }
    });
}

/// A header is refused before anything is sent, or signed and kept as it is.
#[test]
fn every_header_value_is_refused_or_kept() {
    const NAMES: [&str; 4] = [
        "Content-Disposition",
        "Content-Language",
        "x-oss-meta-a",
        "Cache-Control",
    ];
    let (_server, clients) = place();
    for_any(100, |random| {
        let (name, value) = (random.choice(NAMES).unwrap(), text(random, 20));
        for client in &clients {
            let put = client.put_object(BUCKET, "header").header(name, &value);
            match put.send_bytes(b"hello") {
                Ok(_) => {
                    let object = client.head_object(BUCKET, "header").send().unwrap();
                    let kept = object.headers().get(name).unwrap_or_default();
                    // HTTP knows no blanks around a value.
                    let meant = value.trim_matches([' ', '\t']).as_bytes();
                    assert_eq!(
                        String::from_utf8_lossy(kept),
                        String::from_utf8_lossy(meant)
                    );
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
                    let has_control = value.chars().any(|c| c.is_ascii_control() && c != '\t');
                    assert!(has_control, "{error}");
                }
            }
        }
    });
}
