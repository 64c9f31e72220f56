//! A spec taken apart again: what its Base64 says. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::spec::CallbackSpec;
use super::template::{BodyTemplate, BodyType};
use crate::error::Result;

/// The members of a callback that OSS would accept.
pub(super) struct Decoded {
    pub(super) body: BodyTemplate,
    pub(super) body_type: BodyType,
}

impl Decoded {
    /// Fails where [`CallbackSpec::check`] does.
    pub(super) fn of(spec: &CallbackSpec) -> Result<Decoded> {
        spec.check()?;
        let callback = members(Some(spec.callback()));
        let text = |name: &str| callback.get(name).and_then(Value::as_str);
        let json = BodyType::Json;
        Ok(Decoded {
            body: text("callbackBody").unwrap_or_default().into(),
            body_type: match text("callbackBodyType") {
                Some(body_type) if body_type == json.as_str() => json,
                _ => BodyType::Form,
            },
        })
    }
}

pub(super) fn members(base64: Option<&str>) -> Map<String, Value> {
    let json = base64.and_then(|text| STANDARD.decode(text).ok());
    let value = json.and_then(|json| serde_json::from_slice(&json).ok());
    match value {
        Some(Value::Object(members)) => members,
        // A spec that was checked has no other.
        _ => Map::new(),
    }
}
