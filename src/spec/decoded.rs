//! A spec taken apart again: what its two Base64 values say. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::check;
use super::template::{BodyTemplate, BodyType};
use crate::outcome::error::Result;

/// The members of a callback that OSS would accept.
pub(crate) struct Decoded {
    /// One to five, in the order in which OSS tries them.
    pub(crate) urls: Vec<String>,
    pub(crate) host: Option<String>,
    pub(crate) body: BodyTemplate,
    pub(crate) body_type: BodyType,
    pub(crate) sni: bool,
    /// The names begin with `x:`.
    pub(crate) variables: Vec<(String, String)>,
    /// Members that have no field here, with their JSON.
    pub(crate) others: Vec<(String, String)>,
}

impl Decoded {
    /// Fails where [`CallbackSpec::check`](super::CallbackSpec::check) does.
    pub(crate) fn of(callback: &str, callback_var: Option<&str>) -> Result<Decoded> {
        check::check(callback, callback_var)?;
        let mut callback = members(Some(callback));
        let mut take = |name: &str| callback.remove(name);
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let urls = text(take("callbackUrl")).unwrap_or_default();
        let json = BodyType::Json;
        Ok(Decoded {
            urls: urls
                .split(';')
                .filter(|url| !url.is_empty())
                .map(str::to_owned)
                .collect(),
            host: text(take("callbackHost")),
            body: text(take("callbackBody")).unwrap_or_default().into(),
            body_type: match text(take("callbackBodyType")) {
                Some(body_type) if body_type == json.as_str() => json,
                _ => BodyType::Form,
            },
            sni: take("callbackSNI") == Some(Value::Bool(true)),
            variables: members(callback_var)
                .into_iter()
                .filter_map(|(name, value)| Some((name, text(Some(value))?)))
                .collect(),
            others: callback
                .into_iter()
                .map(|(name, value)| (name, value.to_string()))
                .collect(),
        })
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) fn members(base64: Option<&str>) -> Map<String, Value> {
    let json = base64.and_then(|text| STANDARD.decode(text).ok());
    let value = json.and_then(|json| serde_json::from_slice(&json).ok());
    match value {
        Some(Value::Object(members)) => members,
        // A spec that was checked has no other.
        _ => Map::new(),
    }
}

/// A callback URL as OSS reads it.
pub(super) struct CallbackUrl<'a> {
    pub(super) https: bool,
    /// Without a port.
    pub(super) host: &'a str,
    /// Path and query.
    pub(super) target: String,
}

impl CallbackUrl<'_> {
    /// Of a URL that has passed the check.
    pub(super) fn of(url: &str) -> CallbackUrl<'_> {
        let (https, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            // Without a scheme it is http.
            _ => (false, url),
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let target = target.split('#').next().unwrap_or_default();
        let slash = if target.starts_with('/') { "" } else { "/" };
        CallbackUrl {
            https,
            host: authority.split(':').next().unwrap_or_default(),
            target: format!("{slash}{target}"),
        }
    }
}
