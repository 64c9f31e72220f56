//! The callbacks that a bucket keeps by name, and uploads that name one.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{StatusCode, body::Incoming};
use serde_json::Value;

use super::{bucket::change, listing::document, receive::receive_document};
use crate::{
    answer::{self, Answer},
    element::{Element, malformed_xml},
    error::OssError,
    service::{Call, Service},
    settings::CallbackPolicy,
    xml::Document,
};

const LONGEST_POLICIES: usize = 256 * 1024;

/// What is in the callbacks is looked at when an upload names one.
pub(super) async fn put_callback_policy(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let (configuration, _claim) = receive_document(service, call, body, LONGEST_POLICIES).await?;
    let root = Element::parse(&configuration, "BucketCallbackPolicy")?;
    let policy = |item: &Element| {
        let text = |name| Some(item.text_of(name)?.to_owned());
        let policy = CallbackPolicy {
            name: text("PolicyName")?,
            callback: text("Callback")?,
            variables: text("CallbackVar").unwrap_or_default(),
        };
        (!policy.name.is_empty()).then_some(policy)
    };
    let policies: Option<Vec<_>> = root.all("PolicyItem").map(policy).collect();
    let policies = policies.ok_or_else(malformed_xml)?;
    change(service, call, |settings| {
        settings.callback_policies = policies;
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::OK))
}

pub(super) fn callback_policy(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let settings = service.objects.settings(&call.bucket);
    let policies = settings
        .as_ref()
        .map(|settings| &settings.callback_policies[..]);
    let policies = policies.unwrap_or_default();
    if policies.is_empty() {
        return Err(OssError::new(
            StatusCode::NOT_FOUND,
            "BucketCallbackPolicyNotExist",
            "The bucket callback policy does not exist.",
        )
        .detail("BucketName", &*call.bucket));
    }
    let mut xml = Document::new();
    xml.open("BucketCallbackPolicy");
    for policy in policies {
        xml.open("PolicyItem");
        xml.element("PolicyName", &policy.name);
        xml.element("Callback", &policy.callback);
        xml.element("CallbackVar", &policy.variables);
        xml.close("PolicyItem");
    }
    xml.close("BucketCallbackPolicy");
    Ok(document(xml))
}

pub(super) fn delete_callback_policy(service: &Service, call: &Call) -> Result<Answer, OssError> {
    change(service, call, |settings| {
        settings.callback_policies = Vec::new();
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// A callback, and the variables that its bucket keeps with it.
pub(super) type Named<'a> = (Cow<'a, [u8]>, Option<Vec<u8>>);

/// What `{"callbackPolicy":"NAME"}` stands for; every other callback stands for itself, also one that names a policy besides
/// (third party). What OSS answers to an unknown name is not known.
pub(super) fn resolved<'a>(
    service: &Service,
    bucket: &str,
    callback: &'a [u8],
) -> Result<Named<'a>, OssError> {
    let own = (Cow::Borrowed(callback), None);
    let Some(json) = STANDARD
        .decode(callback)
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
    else {
        return Ok(own);
    };
    let has = |name: &str| json.get(name).is_some();
    let name = json.get("callbackPolicy").and_then(Value::as_str);
    let Some(name) = name.filter(|_| !has("callbackUrl") && !has("callbackBody")) else {
        return Ok(own);
    };
    let settings = service.objects.settings(bucket);
    let policies = settings
        .as_ref()
        .map(|settings| settings.callback_policies.iter());
    let policy = policies
        .into_iter()
        .flatten()
        .find(|policy| policy.name == name);
    let policy = policy.ok_or_else(|| {
        OssError::invalid_argument(
            "The callback policy does not exist.",
            "callback",
            json.to_string(),
        )
    })?;
    let variables = policy.variables.clone().into_bytes();
    Ok((
        policy.callback.clone().into_bytes().into(),
        (!variables.is_empty()).then_some(variables),
    ))
}
