//! The body of a callback: text with placeholders that OSS fills in.
//!
//! OSS documentation, "Callback": a placeholder is `${name}`, a `$` without a brace is refused, and in a
//! JSON body OSS inserts the quotes of a string itself.

use crate::base::percent;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// What OSS can fill in; other names are the caller's and begin with `x:`.
pub(crate) const VARIABLES: [&str; 14] = [
    "bucket",
    "object",
    "etag",
    "size",
    "mimeType",
    "imageInfo.height",
    "imageInfo.width",
    "imageInfo.format",
    "crc64",
    "contentMd5",
    "vpcId",
    "clientIp",
    "reqId",
    "operation",
];

/// How the application server reads the body of a callback; becomes its Content-Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BodyType {
    /// `application/x-www-form-urlencoded`, which is also OSS's default.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

impl BodyType {
    /// The value of `callbackBodyType`.
    pub fn as_str(self) -> &'static str {
        match self {
            BodyType::Form => "application/x-www-form-urlencoded",
            BodyType::Json => "application/json",
        }
    }
}

/// The body that OSS sends to the application server, before its placeholders are filled in.
///
/// Write it out as text, or let [`form`](BodyTemplate::form) or [`json`](BodyTemplate::json) put it
/// together, so that names and values are escaped as they must be:
///
/// ```
/// use oss_callback::BodyTemplate;
///
/// let form = BodyTemplate::form().variable("filename", "object").text("from", "R&D");
/// assert_eq!(form.to_string(), "filename=${object}&from=R%26D");
///
/// // No quotes around a placeholder: OSS inserts them.
/// let json = BodyTemplate::json().variable("filename", "object").text("price", "5 $");
/// assert_eq!(json.to_string(), r#"{"filename":${object},"price":"5 \u0024"}"#);
/// ```
///
/// Variables are those of OSS (`bucket`, `object`, `etag`, `size`, `mimeType`, `imageInfo.height`,
/// `imageInfo.width`, `imageInfo.format`, `crc64`, `contentMd5`, `vpcId`, `clientIp`, `reqId`,
/// `operation`) and the caller's own, which begin with `x:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTemplate {
    parts: Parts,
    /// The first variable that no placeholder can name; reported when the spec is built.
    bad_variable: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Parts {
    Text(String),
    Form(Vec<String>),
    Json(Vec<String>),
}

impl BodyTemplate {
    /// An empty form body: `name=value&name=value`.
    pub fn form() -> BodyTemplate {
        BodyTemplate {
            parts: Parts::Form(Vec::new()),
            bad_variable: None,
        }
    }

    /// An empty JSON object.
    pub fn json() -> BodyTemplate {
        BodyTemplate {
            parts: Parts::Json(Vec::new()),
            bad_variable: None,
        }
    }

    /// Adds a member whose value OSS fills in: `variable` is a placeholder's name without `${}`. To a
    /// template of plain text it appends the bare placeholder.
    pub fn variable(mut self, name: &str, variable: &str) -> BodyTemplate {
        if variable.is_empty() || variable.contains(['$', '{', '}']) {
            self.bad_variable.get_or_insert_with(|| variable.to_owned());
        }
        self.add(name, format!("${{{variable}}}"));
        self
    }

    /// Adds a member with a fixed value.
    pub fn text(mut self, name: &str, value: &str) -> BodyTemplate {
        let value = match self.parts {
            Parts::Text(_) => value.to_owned(),
            Parts::Form(_) => percent::encode(value),
            Parts::Json(_) => json_string(value),
        };
        self.add(name, value);
        self
    }

    fn add(&mut self, name: &str, value: String) {
        match &mut self.parts {
            Parts::Text(text) => text.push_str(&value),
            Parts::Form(members) => members.push(format!("{}={value}", percent::encode(name))),
            Parts::Json(members) => members.push(format!("{}:{value}", json_string(name))),
        }
    }

    /// The type that the builder of this template stands for; plain text may be either.
    pub(crate) fn body_type(&self) -> Option<BodyType> {
        match self.parts {
            Parts::Text(_) => None,
            Parts::Form(_) => Some(BodyType::Form),
            Parts::Json(_) => Some(BodyType::Json),
        }
    }

    pub(crate) fn bad_variable(&self) -> Option<&str> {
        self.bad_variable.as_deref()
    }

    /// Renders the body as OSS does, for tests and for a look at what will be sent.
    ///
    /// `value` is asked for each placeholder. A variable without a value becomes nothing in a form and
    /// `null` in JSON.
    ///
    /// ```
    /// use oss_callback::{BodyTemplate, BodyType, TemplateValue};
    ///
    /// let template = BodyTemplate::from("filename=${object}&size=${size}");
    /// let body = template.render(BodyType::Form, |name| match name {
    ///     "object" => Some(TemplateValue::Text("a/b.jpg")),
    ///     "size" => Some(TemplateValue::Number(3)),
    ///     _ => None,
    /// });
    /// assert_eq!(body?, "filename=a%2Fb.jpg&size=3");
    /// # Ok::<(), oss_callback::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`] when a `$` is not followed by `{name}`.
    pub fn render<'a>(
        &self,
        body_type: BodyType,
        value: impl Fn(&str) -> Option<TemplateValue<'a>>,
    ) -> Result<String> {
        let text = self.to_string();
        let mut body = String::with_capacity(text.len());
        for piece in pieces(&text) {
            match piece.map_err(|problem| Error::new(ErrorKind::InvalidCallback, problem))? {
                Piece::Literal(literal) => body.push_str(literal),
                Piece::Placeholder(name) => match (value(name), body_type) {
                    (None, BodyType::Form) => {}
                    (None, BodyType::Json) => body.push_str("null"),
                    (Some(TemplateValue::Number(number)), _) => body.push_str(&number.to_string()),
                    (Some(TemplateValue::Text(text)), BodyType::Form) => {
                        body.push_str(&percent::encode(text));
                    }
                    (Some(TemplateValue::Text(text)), BodyType::Json) => {
                        body.push_str(&serde_json::Value::from(text).to_string());
                    }
                },
            }
        }
        Ok(body)
    }
}

/// What OSS inserts for a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateValue<'a> {
    /// Percent-encoded in a form, a string with its quotes in JSON.
    Text(&'a str),
    /// Digits, as `size` and the dimensions of an image are.
    Number(u64),
}

impl From<&str> for BodyTemplate {
    /// The text as it stands, placeholders and all.
    fn from(text: &str) -> BodyTemplate {
        BodyTemplate::from(text.to_owned())
    }
}

impl From<String> for BodyTemplate {
    fn from(text: String) -> BodyTemplate {
        BodyTemplate {
            parts: Parts::Text(text),
            bad_variable: None,
        }
    }
}

impl std::fmt::Display for BodyTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.parts {
            Parts::Text(text) => f.write_str(text),
            Parts::Form(members) => f.write_str(&members.join("&")),
            Parts::Json(members) => write!(f, "{{{}}}", members.join(",")),
        }
    }
}

/// A JSON string in which `$`, which OSS would take for a placeholder, is written as an escape.
fn json_string(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('$', "\\u0024")
}

/// A stretch of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Literal(&'a str),
    /// The name between `${` and the next `}`.
    Placeholder(&'a str),
}

/// Cuts a template into its pieces; the first fault ends it.
pub(super) fn pieces(template: &str) -> impl Iterator<Item = Result<Piece<'_>, String>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(dollar) = rest.find('$') else {
            return Some(Ok(Piece::Literal(std::mem::take(&mut rest))));
        };
        if dollar > 0 {
            let (literal, tail) = rest.split_at(dollar);
            rest = tail;
            return Some(Ok(Piece::Literal(literal)));
        }
        let position = template.len() - rest.len();
        let Some(tail) = rest.strip_prefix("${") else {
            rest = "";
            return Some(Err(format!(
                "has a `$` without `{{` at byte {position}: OSS takes every `$` for the beginning \
                 of a placeholder"
            )));
        };
        let Some(end) = tail.find('}') else {
            rest = "";
            return Some(Err(format!("has a `${{` without `}}` at byte {position}")));
        };
        rest = &tail[end + 1..];
        Some(Ok(Piece::Placeholder(&tail[..end])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn bodies_are_rendered_as_oss_renders_them() {
        vectors::each("callback_substitution.json", |row| {
            let body_type = match row["callbackBodyType"].as_str().unwrap() {
                "application/json" => BodyType::Json,
                _ => BodyType::Form,
            };
            let template = BodyTemplate::from(row["template"].as_str().unwrap());
            let body = template.render(body_type, |name| match &row["values"][name] {
                serde_json::Value::String(text) => Some(TemplateValue::Text(text)),
                serde_json::Value::Number(number) => {
                    Some(TemplateValue::Number(number.as_u64().unwrap()))
                }
                _ => None,
            });
            assert_eq!(
                body.unwrap(),
                row["body"].as_str().unwrap(),
                "{}",
                row["id"]
            );
        });
    }

    #[test]
    fn built_templates_survive_every_odd_character() {
        let odd = "a \"b\" \\ & = + % $ ${x} } { 目 \n";
        let json = BodyTemplate::json().text(odd, odd).variable("o", "object");
        let rendered = json
            .render(BodyType::Json, |name| {
                (name == "object").then_some(TemplateValue::Text(odd))
            })
            .unwrap();
        let value: serde_json::Value = serde_json::from_str(&rendered).unwrap();
        assert_eq!(value[odd], odd);
        assert_eq!(value["o"], odd);

        let form = BodyTemplate::form().text(odd, odd).variable("o", "object");
        let rendered = form
            .render(BodyType::Form, |name| {
                (name == "object").then_some(TemplateValue::Text(odd))
            })
            .unwrap();
        let encoded = percent::encode(odd);
        assert_eq!(rendered, format!("{encoded}={encoded}&o={encoded}"));
        assert_eq!(rendered.matches(['&', '=']).count(), 3);
    }

    #[test]
    fn a_dollar_must_begin_a_placeholder() {
        for template in ["a$", "$(size)", "a=$x:uid}", "${size", "$${size}"] {
            let error = BodyTemplate::from(template)
                .render(BodyType::Form, |_| None)
                .unwrap_err();
            assert!(error.to_string().contains('$'), "{error}");
        }
    }
}
