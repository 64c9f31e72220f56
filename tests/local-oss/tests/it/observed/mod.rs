//! Known answers of the real service: local-oss is asked what it was asked, over real sockets.
//!
//! The rows are facts and no requests to replay (`tests/vectors/README.md`, observed): each module translates its rows by
//! hand. A row that is not asked stands in [`NOT_ASKED`] with the reason, a member that is not compared in
//! [`NOT_COMPARED`].

mod buckets;
mod callbacks;
mod forms;
mod multipart;
mod objects;
mod signatures;

use std::{collections::BTreeSet, panic::catch_unwind};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use local_oss::Server;
use serde_json::Value;

use crate::client::Response;

const FILE: &str = include_str!("../../vectors/observed.json");

/// Rows that a test of local-oss does not ask for, and why.
const NOT_ASKED: [(&str, &str); 0] = [];

/// Members of rows that are asked, which local-oss cannot answer or which another row contradicts.
const NOT_COMPARED: [(&str, &str, &str); 3] = [
    (
        "o-cbf-19",
        "x-oss-version-id",
        "local-oss has no versioned buckets",
    ),
    (
        "o-acl-03",
        "ec",
        "0003-00000001 is a RAM policy's; who signs nothing is told 0003-00000905 (vendor's table)",
    ),
    ("o-acl-03", "x-oss-ec", "the same"),
];

/// What came of asking.
pub struct Asked {
    response: Response,
    /// Is the object there afterwards?
    stored: Option<bool>,
    /// What the words of the row mean here: a value, or what it looks like.
    words: Vec<(&'static str, Meaning)>,
    /// The body of the callback that was delivered.
    callback: Option<String>,
}

pub enum Meaning {
    Is(String),
    Looks(fn(&str) -> bool),
}

impl Asked {
    fn of(response: Response) -> Self {
        Self {
            response,
            stored: None,
            words: Vec::new(),
            callback: None,
        }
    }

    fn stored(mut self, server: &Server) -> Self {
        self.stored = Some(!server.stored().is_empty());
        self
    }

    /// A text of the row stands for this one.
    fn word(mut self, word: &'static str, value: impl Into<String>) -> Self {
        self.words.push((word, Meaning::Is(value.into())));
        self
    }

    fn looks(mut self, word: &'static str, looks: fn(&str) -> bool) -> Self {
        self.words.push((word, Meaning::Looks(looks)));
        self
    }

    fn is_meant(&self, expected: &str, seen: &str) -> bool {
        let meaning = self.words.iter().find(|(word, _)| *word == expected);
        match meaning {
            Some((_, Meaning::Is(value))) => value == seen,
            Some((_, Meaning::Looks(looks))) => looks(seen),
            None => match expected {
                "24 characters" => seen.len() == 24,
                "RFC 1123" => httpdate::parse_http_date(seen).is_ok() && seen.ends_with(" GMT"),
                "Base64 of the error XML" => STANDARD
                    .decode(seen)
                    .is_ok_and(|xml| xml.starts_with(b"<?xml")),
                "maybe" => true,
                _ => expected == seen,
            },
        }
    }

    /// The error document, which an answer to HEAD has in a header.
    fn document(&self) -> String {
        let text = String::from_utf8_lossy(&self.response.body).into_owned();
        match self.response.header("x-oss-err") {
            Some(header) if text.is_empty() => {
                String::from_utf8(STANDARD.decode(header).unwrap()).unwrap()
            }
            _ => text,
        }
    }

    /// What is not as the row has it.
    fn faults(&self, id: &str, expect: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let is_compared = |member: &str| {
            let mut left_out = NOT_COMPARED.iter();
            !left_out.any(|(row, name, _)| *row == id && *name == member)
        };
        let document = self.document();
        let mut compare = |name: &str, expected: &Value, seen: Option<String>| {
            let right = match (expected, &seen) {
                (Value::Null, _) => true,
                (Value::Bool(there), seen) => *there == seen.is_some(),
                (Value::String(expected), Some(seen)) => self.is_meant(expected, seen),
                (Value::Number(expected), Some(seen)) => expected.to_string() == *seen,
                _ => false,
            };
            if !right && is_compared(name) {
                faults.push(format!("{name}: {expected} expected, {seen:?} seen"));
            }
        };
        compare(
            "status",
            &expect["status"],
            Some(self.response.status.to_string()),
        );
        compare("code", &expect["code"], element(&document, "Code"));
        compare("message", &expect["message"], element(&document, "Message"));
        compare("ec", &expect["ec"], element(&document, "EC"));
        let in_header = self.response.header("x-oss-ec").map(str::to_owned);
        compare("ec", &expect["ec"], in_header);
        if let Some(stored) = self.stored {
            compare("stored", &expect["stored"], stored.then(String::new));
        } else if expect["stored"].is_boolean() {
            compare("stored", &Value::from("nobody looked"), None);
        }
        for (name, expected) in members(&expect["headers"]) {
            compare(
                name,
                expected,
                self.response.header(name).map(str::to_owned),
            );
        }
        let facts = &expect["body_facts"];
        for (name, expected) in members(&facts["elements"]) {
            compare(name, expected, element(&document, name));
        }
        if let Some(order) = facts["element_order"].as_array() {
            let order: Vec<&str> = order.iter().filter_map(Value::as_str).collect();
            // Some were seen before there were numbers.
            let is_old = !order.contains(&"EC");
            let mut seen = names(&document);
            seen.retain(|name| !(is_old && ["EC", "RecommendDoc"].contains(name)));
            compare(
                "element_order",
                &Value::from(order.join(" ")),
                Some(seen.join(" ")),
            );
        }
        if let Some(is) = facts["is"].as_str() {
            let seen = match self.response.text().as_str() {
                "" => "empty",
                callbacks::OK => "the application server's answer",
                text if text.contains("<CompleteMultipartUploadResult>") => {
                    "CompleteMultipartUploadResult"
                }
                _ => "something else",
            };
            compare("is", &Value::from(is), Some(seen.to_owned()));
        }
        if facts["callback_request_body"].is_string() {
            compare(
                "callback_request_body",
                &facts["callback_request_body"],
                self.callback.clone(),
            );
        }
        faults
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

/// The text of an element, read as XML.
fn element(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    let mut text = value.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    Some(text)
}

/// The elements of the error document, in order.
fn names(document: &str) -> Vec<&str> {
    let inner = document.split_once("<Error>").map_or("", |(_, rest)| rest);
    let names = inner.split('<').filter(|tag| !tag.starts_with('/'));
    names
        .filter_map(|tag| tag.split_once('>').map(|(name, _)| name))
        .collect()
}

/// `None` if no module knows the row.
fn ask(id: &str, row: &Value) -> Option<Asked> {
    let family = id.rsplit_once('-').unwrap().0;
    match family {
        "o-acc" | "o-ref" | "o-cbf" | "o-ok" => callbacks::ask(id, row),
        "o-sig" | "o-clk" | "o-url" => signatures::ask(id),
        "o-mp" => multipart::ask(id),
        "o-put" | "o-head" => objects::ask(id, row),
        "o-post" => forms::ask(id, row),
        "o-bcp" | "o-acl" => buckets::ask(id),
        _ => None,
    }
}

#[test]
fn every_known_answer_of_the_real_service_is_given() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let rows = file["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, file["count"].as_u64().unwrap());
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rows.len(), "an id comes twice");
    for (id, _) in NOT_ASKED {
        assert!(ids.contains(id), "{id} is no row");
    }
    for (id, ..) in NOT_COMPARED {
        assert!(ids.contains(id), "{id} is no row");
    }
    let only = std::env::var("ROW").ok();
    let (mut asked, mut wrong) = (0, Vec::new());
    for row in rows {
        let id = row["id"].as_str().unwrap();
        if only.as_ref().is_some_and(|only| !id.starts_with(only)) {
            continue;
        }
        let Ok(answer) = catch_unwind(|| ask(id, row)) else {
            wrong.push(format!("{id}: said above"));
            continue;
        };
        match (answer, NOT_ASKED.iter().find(|(known, _)| *known == id)) {
            (Some(answer), None) => {
                asked += 1;
                let faults = answer.faults(id, &row["expect"]);
                if !faults.is_empty() {
                    wrong.push(format!("{id}: {}", faults.join("; ")));
                }
            }
            (None, Some((_, why))) => println!("{id} is not asked: {why}"),
            (Some(_), Some(_)) => wrong.push(format!("{id}: asked, and listed as not asked")),
            (None, None) => wrong.push(format!("{id}: neither asked nor listed")),
        }
    }
    for (id, member, why) in NOT_COMPARED {
        println!("{id} is asked, but its {member} is not compared: {why}");
    }
    println!(
        "known answers: {asked} of {} asked, {} not as the real service",
        rows.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
