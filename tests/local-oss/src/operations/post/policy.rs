//! The policy of a form: how long it may be used, and for what.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::StatusCode;
use serde_json::{Map, Value};

use crate::{authorization::parse_basic_time, error::OssError};

/// What the owner of the key allows whoever has the form.
#[derive(Debug)]
pub(super) struct Policy {
    expiration: SystemTime,
    conditions: Vec<Condition>,
    least: u64,
    most: u64,
}

#[derive(Debug)]
struct Condition {
    /// In lower case, but for variables of a callback.
    field: String,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    Equals(String),
    StartsWith(String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Rule {
    /// A field that is not there equals nothing and starts with nothing; it is in no list either (inferred for all).
    fn holds_for(&self, value: Option<&str>) -> bool {
        match self {
            Self::Equals(expected) => value == Some(expected),
            Self::StartsWith(prefix) => value.is_some_and(|value| value.starts_with(&**prefix)),
            Self::In(list) => value.is_some_and(|value| list.iter().any(|one| one == value)),
            Self::NotIn(list) => value.is_none_or(|value| list.iter().all(|one| one != value)),
        }
    }
}

impl Condition {
    /// As a policy writes it.
    fn shown(&self) -> String {
        let list = |list: &[String]| {
            let list: Vec<String> = list.iter().map(|one| quoted(one)).collect();
            format!("[{}]", list.join(", "))
        };
        let (name, value) = match &self.rule {
            Rule::Equals(value) => ("eq", quoted(value)),
            Rule::StartsWith(value) => ("starts-with", quoted(value)),
            Rule::In(values) => ("in", list(values)),
            Rule::NotIn(values) => ("not-in", list(values)),
        };
        let field = quoted(&format!("${}", self.field));
        format!("[{}, {field}, {value}]", quoted(name))
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Names of fields count in any case, those of a callback's variables as they are.
pub(super) fn field_name(name: &str) -> String {
    match name.get(..2) {
        Some("x:" | "X:") => name.to_owned(),
        _ => name.to_ascii_lowercase(),
    }
}

impl Policy {
    /// From the field `policy`. Where OSS's words are not known they are local-oss's; the numbers are OSS's.
    pub(super) fn parse(base64: &str) -> Result<Self, OssError> {
        let text = STANDARD
            .decode(base64)
            .map_err(|_| invalid("it is not base64 encoded").ec("0006-00000202"))?;
        let members = match serde_json::from_slice(&json_of(&text)) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(invalid("it is not a JSON object").ec("0006-00000204")),
            Err(error) => {
                return Err(invalid(&format!("Invalid JSON: {error}")).ec("0006-00000204"));
            }
        };
        let conditions = members.get("conditions");
        let expiration = match members.get("expiration") {
            None if conditions.is_none() => {
                return Err(invalid("it has no expiration and no conditions").ec("0006-00000209"));
            }
            None => return Err(invalid("it has no expiration").ec("0006-00000208")),
            Some(Value::String(text)) if text.is_empty() => {
                return Err(invalid("its expiration is empty").ec("0006-00000211"));
            }
            Some(Value::String(text)) => {
                parse_expiration(text).ok_or_else(|| invalid("its expiration is no time"))?
            }
            Some(_) => return Err(invalid("its expiration is no text").ec("0006-00000210")),
        };
        let conditions = match conditions {
            None => return Err(invalid("it has no conditions").ec("0006-00000207")),
            Some(Value::Array(list)) if list.is_empty() => {
                return Err(invalid("its list of conditions is empty").ec("0006-00000215"));
            }
            Some(Value::Array(list)) => list,
            Some(_) => return Err(invalid("its conditions are no list").ec("0006-00000214")),
        };
        let mut policy = Self {
            expiration,
            conditions: Vec::new(),
            least: 0,
            most: u64::MAX,
        };
        for condition in conditions {
            let fault = match condition {
                Value::Object(members) => policy.add_exact(members),
                Value::Array(parts) => policy.add(parts),
                _ => Err(Some("0006-00000224")),
            };
            match fault {
                Ok(()) => {}
                // OSS's own words, for an object of no member or of two.
                Err(None) => {
                    return Err(invalid(
                        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified",
                    ));
                }
                Err(Some(ec)) => {
                    return Err(invalid(&format!("invalid condition {condition}")).ec(ec));
                }
            }
        }
        Ok(policy)
    }

    /// `{"name": "value"}`
    fn add_exact(&mut self, members: &Map<String, Value>) -> Result<(), Option<&'static str>> {
        let mut pairs = members.iter();
        let (Some((name, value)), None) = (pairs.next(), pairs.next()) else {
            return Err(None);
        };
        let value = value.as_str().ok_or(Some("0006-00000224"))?;
        self.conditions.push(Condition {
            field: field_name(name),
            rule: Rule::Equals(unescaped(value)),
        });
        Ok(())
    }

    /// `["rule", "$name", value]`, or `["content-length-range", least, most]`. OSS's pages also show names without the dollar
    /// sign, and its message then has it.
    fn add(&mut self, parts: &[Value]) -> Result<(), Option<&'static str>> {
        const WRONG_TYPE: Option<&str> = Some("0006-00000224");
        let rule = match parts {
            [] | [_] => return Err(Some("0006-00000216")),
            [rule, ..] => rule.as_str().ok_or(WRONG_TYPE)?,
        };
        let known = ["eq", "starts-with", "in", "not-in", "content-length-range"];
        if !known.contains(&rule) {
            return Err(Some("0006-00000217"));
        }
        let [_, second, third] = parts else {
            return Err(Some("0006-00000218"));
        };
        if rule == "content-length-range" {
            let (least, most) = match (second.as_u64(), third.as_u64()) {
                (Some(least), Some(most)) => (least, most),
                (Some(_), None) => return Err(Some("0006-00000221")),
                (None, _) => return Err(Some("0006-00000223")),
            };
            if most < least {
                return Err(Some("0006-00000219"));
            }
            self.least = self.least.max(least);
            self.most = self.most.min(most);
            return Ok(());
        }
        let text = |value: &Value| value.as_str().map(unescaped).ok_or(WRONG_TYPE);
        let list = || {
            let list = third.as_array().ok_or(WRONG_TYPE)?;
            list.iter().map(text).collect::<Result<Vec<_>, _>>()
        };
        let rule = match rule {
            "eq" => Rule::Equals(text(third)?),
            "starts-with" => Rule::StartsWith(text(third)?),
            "in" => Rule::In(list()?),
            _ => Rule::NotIn(list()?),
        };
        let name = second.as_str().ok_or(WRONG_TYPE)?;
        self.conditions.push(Condition {
            field: field_name(name.strip_prefix('$').unwrap_or(name)),
            rule,
        });
        Ok(())
    }

    /// Refuses a form that is too late or has other fields than it may.
    pub(super) fn check<'a>(
        &self,
        now: SystemTime,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), OssError> {
        if now > self.expiration {
            return Err(violated("Policy expired.").ec("0006-00000213"));
        }
        let broken = |condition: &&Condition| !condition.rule.holds_for(field(&condition.field));
        match self.conditions.iter().find(broken) {
            Some(condition) => Err(
                failed(&condition.shown()).ec(match field(&condition.field) {
                    None => "0006-00000226",
                    Some(_) => "0006-00000227",
                }),
            ),
            None => Ok(()),
        }
    }

    /// Refuses a policy that does not say of the field what it must be.
    pub(super) fn require_exact(&self, field: &str) -> Result<(), OssError> {
        let is_exact = |condition: &Condition| {
            condition.field == field && matches!(condition.rule, Rule::Equals(_))
        };
        match self.conditions.iter().any(is_exact) {
            true => Ok(()),
            // That it must be there is documented, the wording is not.
            false => Err(failed(&format!("[\"eq\", \"${field}\"] is missing"))),
        }
    }

    /// Refuses a file that is too large as soon as so much of it has come in.
    pub(super) fn check_most(&self, size: u64) -> Result<(), OssError> {
        match size > self.most {
            true => Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size.",
            )
            .detail("MaxSizeAllowed", self.most.to_string())
            .ec("0006-00000003")),
            false => Ok(()),
        }
    }

    /// Refuses a file that is too small.
    pub(super) fn check_least(&self, size: u64) -> Result<(), OssError> {
        match size < self.least {
            true => Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "EntityTooSmall",
                "Your proposed upload smaller than the minimum allowed size.",
            )
            .detail("MinSizeAllowed", self.least.to_string())
            .detail("ProposedSize", size.to_string())
            .ec("0006-00000004")),
            false => Ok(()),
        }
    }
}

fn violated(how: &str) -> OssError {
    OssError::access_denied(format!("Invalid according to Policy: {how}"))
}

fn failed(condition: &str) -> OssError {
    violated(&format!("Policy Condition failed: {condition}"))
}

fn invalid(why: &str) -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "InvalidPolicyDocument",
        format!("Invalid Policy: {why}."),
    )
}

/// OSS's documentation writes a dollar sign in a value as `\$`, which is no escape of JSON: it is made one here.
fn json_of(text: &[u8]) -> Vec<u8> {
    let mut json = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        json.push(byte);
        if byte == b'\\' {
            match bytes.next() {
                Some(b'$') => json.extend_from_slice(b"\\$"),
                Some(next) => json.push(next),
                None => {}
            }
        }
    }
    json
}

/// A dollar sign stands bare in what SDKs send, or behind a backslash that is left of `\$` or of `\\$`.
fn unescaped(value: &str) -> String {
    value.replace("\\$", "$")
}

/// `2024-01-02T04:04:05.000Z`, with or without a fraction, which does not count.
fn parse_expiration(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let is_mark = |(at, mark): &(usize, u8)| seconds.as_bytes().get(*at) == Some(mark);
    if !is_fraction || !marks.iter().all(is_mark) {
        return None;
    }
    let digits = seconds.char_indices();
    let digits = digits.filter(|(at, _)| marks.iter().all(|(mark, _)| mark != at));
    let basic: String = digits.map(|(_, digit)| digit).chain(['Z']).collect();
    parse_basic_time(basic.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn policy(conditions: &Value) -> Result<Policy, OssError> {
        let json = json!({"expiration": "2024-01-02T04:04:05.000Z", "conditions": conditions});
        Policy::parse(&STANDARD.encode(json.to_string()))
    }

    /// `Ok`, or the error's message.
    fn verdict(condition: &Value, value: Option<&str>) -> Result<(), String> {
        let policy = policy(&json!([condition])).unwrap();
        let field = |name: &str| value.filter(|_| name == "key");
        let checked = policy.check(SystemTime::UNIX_EPOCH, field);
        checked.map_err(|error| error.message.into_owned())
    }

    #[test]
    fn the_policies_of_the_vectors_are_understood() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/post_policy.json")).unwrap();
        for row in file["vectors"].as_array().unwrap() {
            let policy = Policy::parse(row["policy_base64"].as_str().unwrap()).unwrap();
            let exact = crate::authorization::CONDITIONS_OF_VERSION_4;
            let signed_by_4 = exact.iter().all(|name| policy.require_exact(name).is_ok());
            assert_eq!(signed_by_4, row["version"] == "v4", "{}", row["id"]);
            assert!(!policy.conditions.is_empty());
        }
    }

    #[test]
    fn each_rule_holds_for_some_values_only() {
        for (condition, good, bad) in [
            (
                json!({"key": "a"}),
                vec![Some("a")],
                vec![Some("A"), Some(""), Some("ab"), None],
            ),
            (json!({"KEY": "a"}), vec![Some("a")], vec![Some("A"), None]),
            (
                json!(["eq", "$Key", "a"]),
                vec![Some("a")],
                vec![Some("ab"), None],
            ),
            (
                json!(["starts-with", "$key", "a/"]),
                vec![Some("a/"), Some("a/b")],
                vec![Some("a"), None],
            ),
            (
                json!(["starts-with", "$key", ""]),
                vec![Some(""), Some("b")],
                vec![None],
            ),
            (
                json!(["in", "$key", ["a", "b"]]),
                vec![Some("a"), Some("b")],
                vec![Some("c"), None],
            ),
            (json!(["in", "$key", []]), vec![], vec![Some(""), None]),
            (
                json!(["not-in", "$key", ["a", "b"]]),
                vec![Some("c"), None],
                vec![Some("a"), Some("b")],
            ),
        ] {
            for value in good {
                assert_eq!(verdict(&condition, value), Ok(()), "{condition} {value:?}");
            }
            for value in bad {
                let message = verdict(&condition, value).unwrap_err();
                assert!(
                    message.starts_with("Invalid according to Policy: Policy Condition failed: [")
                );
            }
        }
    }

    #[test]
    fn a_failed_condition_is_shown() {
        for (condition, shown) in [
            (json!({"key": "a\"目"}), r#"["eq", "$key", "a\"目"]"#),
            (
                json!(["starts-with", "$key", "a/"]),
                r#"["starts-with", "$key", "a/"]"#,
            ),
            (
                json!(["in", "$KEY", ["a", "b"]]),
                r#"["in", "$key", ["a", "b"]]"#,
            ),
        ] {
            let message = verdict(&condition, None).unwrap_err();
            let expected = format!("Invalid according to Policy: Policy Condition failed: {shown}");
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn sizes_are_held_within_all_ranges() {
        let policy = policy(&json!([
            ["content-length-range", 2, 10],
            ["content-length-range", 0, 5],
        ]))
        .unwrap();
        let checked = |size| {
            policy
                .check_least(size)
                .and(policy.check_most(size))
                .map_err(|error| error.code)
        };
        assert_eq!(checked(1), Err("EntityTooSmall"));
        assert_eq!((checked(2), checked(5)), (Ok(()), Ok(())));
        assert_eq!(checked(6), Err("EntityTooLarge"));
    }

    #[test]
    fn a_policy_ends_with_its_time() {
        let policy = policy(&json!([["content-length-range", 0, 1]])).unwrap();
        let end = parse_basic_time(b"20240102T040405Z").unwrap();
        assert!(policy.check(end, |_| None).is_ok());
        let late = policy
            .check(end + Duration::from_secs(1), |_| None)
            .unwrap_err();
        assert_eq!(late.message, "Invalid according to Policy: Policy expired.");
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let end = "2024-01-02T04:04:05.000Z";
        for json in [
            json!(null),
            json!([]),
            json!({}),
            json!({"expiration": end}),
            json!({"conditions": []}),
            json!({"expiration": end, "conditions": {}}),
            json!({"expiration": 1, "conditions": []}),
            json!({"expiration": end, "conditions": ["key"]}),
            json!({"expiration": end, "conditions": [{"key": 1}]}),
            json!({"expiration": end, "conditions": [[]]}),
            json!({"expiration": end, "conditions": []}),
            json!({"expiration": end, "conditions": [{}]}),
            json!({"expiration": end, "conditions": [{"key": "a", "bucket": "b"}]}),
            json!({"expiration": end, "conditions": [["content-length-range", 2, 1]]}),
            json!({"expiration": end, "conditions": [["eq", "$key"]]}),
            json!({"expiration": end, "conditions": [["eq", "$key", ["a"]]]}),
            json!({"expiration": end, "conditions": [["in", "$key", "a"]]}),
            json!({"expiration": end, "conditions": [["ends-with", "$key", "a"]]}),
            json!({"expiration": end, "conditions": [["content-length-range", -1, 2]]}),
            json!({"expiration": end, "conditions": [["content-length-range", "1", "2"]]}),
        ] {
            let error = Policy::parse(&STANDARD.encode(json.to_string())).unwrap_err();
            assert_eq!(error.code, "InvalidPolicyDocument", "{json}");
        }
        for text in ["", "!", "e30", "\u{feff}"] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
        let deep = "[".repeat(10_000);
        assert!(Policy::parse(&STANDARD.encode(deep)).is_err());
    }

    #[test]
    fn a_dollar_sign_is_written_in_three_ways() {
        for written in ["a/${filename}", "a/\\${filename}", "a/\\\\${filename}"] {
            let text = format!(
                r#"{{"expiration": "2024-01-02T04:04:05.000Z", "conditions": [["eq", "$key", "{written}"], {{"x:a": "\"\\"}}]}}"#
            );
            let policy = Policy::parse(&STANDARD.encode(&text)).expect(&text);
            let checked = policy.check(SystemTime::UNIX_EPOCH, |name| match name {
                "key" => Some("a/${filename}"),
                _ => Some("\"\\"),
            });
            assert!(checked.is_ok(), "{text}: {checked:?}");
        }
    }

    #[test]
    fn a_field_is_named_with_its_dollar_sign_or_without() {
        for name in ["key", "$key"] {
            let condition = json!(["eq", name, "a"]);
            assert_eq!(verdict(&condition, Some("a")), Ok(()));
            let message = verdict(&condition, Some("b")).unwrap_err();
            assert!(message.ends_with(r#"["eq", "$key", "a"]"#), "{message}");
        }
    }

    #[test]
    fn expirations_are_times_of_iso_8601() {
        let time = parse_basic_time(b"20240102T040405Z");
        for text in [
            "2024-01-02T04:04:05.000Z",
            "2024-01-02T04:04:05Z",
            "2024-01-02T04:04:05.9Z",
        ] {
            assert_eq!(parse_expiration(text), time, "{text}");
        }
        for text in [
            "",
            "Z",
            "2024-01-02",
            "2024-01-02T04:04:05",
            "2024-01-02T04:04:05.Z",
            "2024-01-02T04:04:05+08:00",
            "2024-01-02 04:04:05Z",
            "2024-13-02T04:04:05Z",
            "20240102T040405Z",
            "2024-01-02T04:04:05.000目Z",
        ] {
            assert_eq!(parse_expiration(text), None, "{text}");
        }
    }
}
