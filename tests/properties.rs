//! What holds for every text, whatever is in it: it survives templates, signatures and headers.
//!
//! `PROPTEST_CASES=10000 cargo test --test properties` looks further. An input that has failed is kept in
//! `properties.regressions` beside this file and tried first from then on.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use local_oss::{Receiver, Server};
use oss_callback::callback::CallbackBody;
use oss_callback::{
    BodyTemplate, BodyType, CallbackSpec, Client, ErrorKind, ObjectFacts, PresignOptions,
    SignatureVersion,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;
use support::{BUCKET, agreeing_receiver, client_builder, server};

fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    config
}

/// Any character, and those that mean something to somebody more often than others.
fn character() -> impl Strategy<Value = char> {
    let special: Vec<char> =
        " +%&?#=/\\.~:;@!$'()*,[]{}|^`\"<>-_aZ0\n\r\t\u{7f}\u{e9}\u{76ee}\u{1f4a9}\u{feff}"
            .chars()
            .collect();
    prop_oneof![select(special), any::<char>()]
        .prop_filter("no object or text has a NUL", |c| *c != '\0')
}

fn text(len: usize) -> impl Strategy<Value = String> {
    vec(character(), 0..=len).prop_map(String::from_iter)
}

/// Any name that an object can have.
fn key() -> impl Strategy<Value = String> {
    let text = vec(character(), 1..=40).prop_map(String::from_iter);
    text.prop_filter("OSS refuses it", |key: &String| {
        !key.starts_with(['/', '\\'])
    })
}

/// A name that a placeholder can name.
fn variable() -> impl Strategy<Value = String> {
    let allowed = |c: &char| !c.is_ascii_uppercase() && !['$', '{', '}'].contains(c);
    vec(
        character().prop_filter("no placeholder can have it", allowed),
        1..=8,
    )
    .prop_map(|name| format!("x:{}", String::from_iter(name)))
}

/// A callback of any texts, and what the application server must read in it.
#[derive(Debug)]
struct Message {
    spec: CallbackSpec,
    members: BTreeMap<String, String>,
}

impl Message {
    fn new(
        url: &str,
        is_json: bool,
        fixed: &BTreeMap<String, String>,
        variables: &BTreeMap<String, String>,
        key: &str,
    ) -> Message {
        let mut body = if is_json {
            BodyTemplate::json()
        } else {
            BodyTemplate::form()
        };
        let mut members = BTreeMap::new();
        for (name, value) in fixed {
            let name = format!("fixed {name}");
            body = body.text(&name, value);
            members.insert(name, value.clone());
        }
        let mut spec = CallbackSpec::builder().url(url);
        for (name, value) in variables {
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

fn texts(len: usize) -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(text(8), text(len), 0..=3)
}

fn variables(len: usize) -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(variable(), text(len), 0..=3)
}

/// One server and one application server for all cases that go over sockets.
struct Place {
    server: Server,
    receiver: Receiver,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| Place {
    server: server().start().unwrap(),
    receiver: agreeing_receiver(),
});

fn client(version: SignatureVersion) -> Client {
    let builder = client_builder(PLACE.server.endpoint());
    builder.signature_version(version).build().unwrap()
}

static CLIENTS: LazyLock<[Client; 2]> =
    LazyLock::new(|| [SignatureVersion::V1, SignatureVersion::V4].map(client));

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn every_text_survives_substitution_and_parsing(
        is_json in any::<bool>(),
        fixed in texts(12),
        variables in variables(20),
        key in key(),
    ) {
        let message = Message::new("http://app.example.com/", is_json, &fixed, &variables, &key);
        let (content_type, body) = message.preview(&key);
        message.hold(&content_type, &body);
        // Somebody else's issue of the same callback is the same.
        let (callback, callback_var) = (message.spec.callback(), message.spec.callback_var());
        let issued = CallbackSpec::from_base64(callback, callback_var).unwrap();
        issued.check().unwrap();
        let facts = ObjectFacts::new(BUCKET, &key).size(5);
        prop_assert_eq!(issued.preview(&facts).unwrap(), message.spec.preview(&facts).unwrap());
        prop_assert!(issued.explain().unwrap().problems().is_empty());
    }

    #[test]
    fn a_nul_is_refused_by_whoever_reads_it(is_json in any::<bool>(), before in text(8), after in text(8)) {
        let value = format!("{before}\0{after}");
        let template = if is_json { BodyTemplate::json() } else { BodyTemplate::form() };
        let body = template.text("a", &value);
        let body_type = if is_json { BodyType::Json } else { BodyType::Form };
        let body = body.render(body_type, |_| None).unwrap();
        let error = CallbackBody::parse(Some(body_type.as_str()), body.as_bytes()).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::BadBody);
    }
}

proptest! {
    #![proptest_config(config(48))]

    /// What local-oss renders with code of its own is what was previewed, and what it delivers is read again.
    #[test]
    fn every_text_reaches_the_application_server(
        is_json in any::<bool>(),
        fixed in texts(12),
        variables in variables(20),
        key in key(),
    ) {
        let url = PLACE.receiver.url("/");
        let message = Message::new(&url, is_json, &fixed, &variables, &key);
        let put = CLIENTS[1].put_object(BUCKET, &key).callback(&message.spec);
        put.send_bytes(b"hello").unwrap();
        let request = PLACE.receiver.requests().pop().unwrap();
        let (content_type, body) = message.preview(&key);
        prop_assert_eq!(request.text(), body);
        prop_assert_eq!(request.header("content-type"), Some(content_type.as_str()));
        message.hold(&content_type, &request.text());
    }

    /// local-oss finds the key that was meant, and the signature over it, with code of its own.
    #[test]
    fn every_key_is_signed_in_headers_and_in_urls(key in key(), contents in vec(any::<u8>(), 0..20)) {
        for client in &*CLIENTS {
            let put = || client.put_object(BUCKET, &key);
            put().send_bytes(&contents).unwrap();
            prop_assert_eq!(PLACE.server.object(BUCKET, &key), Some(contents.clone()));
            let mut got = Vec::new();
            client.get_object(BUCKET, &key).write_to(&mut got).unwrap();
            prop_assert_eq!(&got, &contents);

            let url = put().presign(&PresignOptions::expires_in(Duration::from_secs(600))).unwrap();
            let other = [&contents[..], b"!"].concat();
            client.put_object_with_url(&url).send_bytes(&other).unwrap();
            prop_assert_eq!(PLACE.server.object(BUCKET, &key), Some(other));
            client.delete_object(BUCKET, &key).send().unwrap();
            prop_assert_eq!(PLACE.server.object(BUCKET, &key), None);
        }
    }

    /// A header is refused before anything is sent, or signed and kept as it is.
    #[test]
    fn every_header_value_is_refused_or_kept(value in text(20), name in select(vec![
        "Content-Disposition",
        "Content-Language",
        "x-oss-meta-a",
        "Cache-Control",
    ])) {
        for client in &*CLIENTS {
            let put = client.put_object(BUCKET, "header").header(name, &value);
            match put.send_bytes(b"hello") {
                Ok(_) => {
                    let object = client.head_object(BUCKET, "header").send().unwrap();
                    let kept = object.headers().get(name).unwrap_or_default();
                    // HTTP knows no blanks around a value.
                    let meant = value.trim_matches([' ', '\t']).as_bytes();
                    prop_assert_eq!(String::from_utf8_lossy(kept), String::from_utf8_lossy(meant));
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{}", error);
                    let has_control = value.chars().any(|c| c.is_ascii_control() && c != '\t');
                    prop_assert!(has_control, "{}", error);
                }
            }
        }
    }
}
