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
            Self::StartsWith(prefix) => value.is_some_and(|value| value.starts_with(prefix)),
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
    /// From the field `policy`.
    pub(super) fn parse(base64: &str) -> Result<Self, OssError> {
        let text = STANDARD
            .decode(base64)
            .map_err(|_| invalid("it is not base64 encoded"))?;
        let Ok(Value::Object(members)) = serde_json::from_slice(&text) else {
            return Err(invalid("it is not a JSON object"));
        };
        let expiration = match members.get("expiration") {
            None => return Err(invalid("it has no expiration")),
            Some(expiration) => expiration.as_str().and_then(parse_expiration),
        };
        let Some(Value::Array(conditions)) = members.get("conditions") else {
            return Err(invalid("it has no list of conditions"));
        };
        let mut policy = Self {
            expiration: expiration.ok_or_else(|| invalid("its expiration is no time"))?,
            conditions: Vec::new(),
            least: 0,
            most: u64::MAX,
        };
        for condition in conditions {
            let known = match condition {
                Value::Object(members) => policy.add_exact(members),
                Value::Array(parts) => policy.add(parts),
                _ => None,
            };
            known.ok_or_else(|| invalid(&format!("unknown condition {condition}")))?;
        }
        Ok(policy)
    }

    /// `{"name": "value"}`
    fn add_exact(&mut self, members: &Map<String, Value>) -> Option<()> {
        for (name, value) in members {
            let rule = Rule::Equals(value.as_str()?.to_owned());
            let field = field_name(name);
            self.conditions.push(Condition { field, rule });
        }
        Some(())
    }

    /// `["rule", "$name", value]`, or `["content-length-range", least, most]`
    fn add(&mut self, parts: &[Value]) -> Option<()> {
        let [rule, second, third] = parts else {
            return None;
        };
        let rule = rule.as_str()?;
        if rule == "content-length-range" {
            self.least = self.least.max(second.as_u64()?);
            self.most = self.most.min(third.as_u64()?);
            return Some(());
        }
        let text = || Some(third.as_str()?.to_owned());
        let list = || -> Option<Vec<String>> {
            let list = third.as_array()?.iter();
            list.map(|one| Some(one.as_str()?.to_owned())).collect()
        };
        let rule = match rule {
            "eq" => Rule::Equals(text()?),
            "starts-with" => Rule::StartsWith(text()?),
            "in" => Rule::In(list()?),
            "not-in" => Rule::NotIn(list()?),
            _ => return None,
        };
        let field = field_name(second.as_str()?.strip_prefix('$')?);
        self.conditions.push(Condition { field, rule });
        Some(())
    }

    /// Refuses a form that is too late or has other fields than it may.
    pub(super) fn check<'a>(
        &self,
        now: SystemTime,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), OssError> {
        if now > self.expiration {
            return Err(violated("Policy expired."));
        }
        let broken = |condition: &&Condition| !condition.rule.holds_for(field(&condition.field));
        match self.conditions.iter().find(broken) {
            Some(condition) => Err(failed(&condition.shown())),
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
            .detail("MaxSizeAllowed", self.most.to_string())),
            false => Ok(()),
        }
    }

    /// Refuses a file that is too small.
    pub(super) fn check_least(&self, size: u64) -> Result<(), OssError> {
        match size < self.least {
            true => Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size.",
            )
            .detail("MinSizeAllowed", self.least.to_string())
            .detail("ProposedSize", size.to_string())),
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
            (json!({}), vec![None], vec![]),
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
        let policy = policy(&json!([])).unwrap();
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
            json!({"expiration": end, "conditions": [["eq", "key", "a"]]}),
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
