//! The body of a callback: a text with `${name}` in it.

use std::fmt::Write as _;

use percent_encoding::utf8_percent_encode;

use crate::encoding::UNRESERVED;

/// How values are written, and the `Content-Type` of the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyType {
    Form,
    Json,
}

impl BodyType {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Form, Self::Json]
            .into_iter()
            .find(|body_type| body_type.content_type() == text)
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// Has no quotes in JSON.
    Number(u64),
}

/// A template that was found well-formed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

/// A `$` that no `{` follows, or a `${` that no `}` ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotATemplate;

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, NotATemplate> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('$') {
            let after = after.strip_prefix('{').ok_or(NotATemplate)?;
            let (name, after) = after.split_once('}').ok_or(NotATemplate)?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Does it ask for a variable whose name begins so?
    pub(crate) fn asks_for(&self, prefix: &str) -> bool {
        let mut parts = self.0.iter();
        parts.any(|part| matches!(part, Part::Variable(name) if name.starts_with(prefix)))
    }

    /// Literal text goes out as it is. A variable without a value is nothing in a form and `null` in JSON.
    pub(crate) fn render(
        &self,
        body_type: BodyType,
        value: impl Fn(&str) -> Option<Value>,
    ) -> String {
        let mut body = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => body.push_str(text),
                Part::Variable(name) => match (body_type, value(name)) {
                    (BodyType::Form, None) => {}
                    (BodyType::Form, Some(Value::Text(text))) => {
                        body.extend(utf8_percent_encode(&text, UNRESERVED));
                    }
                    (BodyType::Json, None) => body.push_str("null"),
                    (BodyType::Json, Some(Value::Text(text))) => push_json_string(&mut body, &text),
                    (_, Some(Value::Number(number))) => body.push_str(&number.to_string()),
                },
            }
        }
        body
    }
}

/// Escapes what JSON must have escaped and nothing else: a `/` and everything beyond ASCII stay as they are.
fn push_json_string(body: &mut String, text: &str) {
    body.push('"');
    for c in text.chars() {
        match c {
            '"' => body.push_str("\\\""),
            '\\' => body.push_str("\\\\"),
            '\u{8}' => body.push_str("\\b"),
            '\u{c}' => body.push_str("\\f"),
            '\n' => body.push_str("\\n"),
            '\r' => body.push_str("\\r"),
            '\t' => body.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(body, "\\u{:04x}", u32::from(c));
            }
            _ => body.push(c),
        }
    }
    body.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_those_of_the_vectors() {
        let file = include_str!("../../tests/vectors/callback_substitution.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        let rows = file["vectors"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let template = Template::parse(row["template"].as_str().unwrap()).unwrap();
            let body_type = BodyType::parse(row["callbackBodyType"].as_str().unwrap()).unwrap();
            let body = template.render(body_type, |name| match &row["values"][name] {
                serde_json::Value::String(text) => Some(Value::Text(text.clone())),
                serde_json::Value::Number(number) => number.as_u64().map(Value::Number),
                _ => None,
            });
            assert_eq!(body, row["body"].as_str().unwrap(), "{}", row["id"]);
        }
    }

    #[test]
    fn a_dollar_sign_needs_a_whole_placeholder() {
        for text in [
            "$", "a$", "$a", "$$", "$ {a}", "$(a)", "${", "${a", "${a}${",
        ] {
            assert_eq!(Template::parse(text), Err(NotATemplate), "{text}");
        }
        for text in ["", "{", "}", "a}", "${}", "${a{b}", "{${a}}"] {
            assert!(Template::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_nothing_or_null() {
        let template = Template::parse("a=${a}&b=${}.").unwrap();
        assert_eq!(template.render(BodyType::Form, |_| None), "a=&b=.");
        assert_eq!(template.render(BodyType::Json, |_| None), "a=null&b=null.");
    }

    #[test]
    fn json_control_characters_are_escaped_as_json_wants() {
        let text: String = ('\0'..='\u{7f}').chain("é目/".chars()).collect();
        let template = Template::parse("${a}").unwrap();
        let body = template.render(BodyType::Json, |_| Some(Value::Text(text.clone())));
        assert_eq!(serde_json::from_str::<String>(&body).unwrap(), text);
        assert_eq!(body, serde_json::to_string(&text).unwrap());
    }
}
