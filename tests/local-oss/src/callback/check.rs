//! What OSS refuses before it stores anything: 400 `InvalidArgument`, the first fault found.
//!
//! Messages, the misspelt one too, and error numbers are those of the OSS documentation ("Callback", "Upload callback
//! errors and troubleshooting"). It names no number for some; they then carry none, or the one between its neighbours.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    Callback, Resolver,
    template::{BodyType, Template},
    url::{CallbackUrl, is_host, looks_like_address},
};
use crate::error::OssError;

/// Base64 text of `callback`, and of `callback-var`, each.
const LONGEST_VALUE: usize = 5 * 1024;
const MOST_URLS: usize = 5;
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// One of the two values of a callback, in the places where a request may have it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Placed<'a> {
    pub(crate) header: Option<&'a [u8]>,
    pub(crate) query: Option<&'a [u8]>,
}

impl<'a> Placed<'a> {
    fn once(self, name: &str) -> Result<Option<&'a [u8]>, OssError> {
        match (self.header, self.query) {
            (Some(header), Some(_)) => {
                let error = OssError::invalid_argument(
                    format!(
                        "Either the {name} query string parameter or the x-oss-{name} header \
                         should be specified, not both."
                    ),
                    name,
                    String::from_utf8_lossy(header),
                );
                Err(match name {
                    "callback" => error.ec("0007-00000027"),
                    _ => error,
                })
            }
            (header, query) => Ok(header.or(query)),
        }
    }
}

/// What decides besides the callback itself.
#[derive(Clone)]
pub(crate) struct Rules {
    /// Refuse addresses that OSS could not reach.
    pub(crate) strict: bool,
    /// Refuse variables whose names do not begin with `x:`: the documentation does, a test of an SDK saw them accepted.
    pub(crate) strict_variables: bool,
    pub(crate) resolver: Resolver,
}

/// Returns the callback of a request, `None` if it has none.
///
/// Variables without a callback are ignored.
pub(crate) async fn check(
    callback: Placed<'_>,
    variables: Placed<'_>,
    rules: &Rules,
) -> Result<Option<Callback>, OssError> {
    let Some(callback) = callback.once("callback")? else {
        return Ok(None);
    };
    let variables = variables.once("callback-var")?;
    let (text, members) = decode(callback)?;
    let callback = check_members(&text, &members, variables, rules).await?;
    Ok(Some(callback))
}

/// A callback that happens before the operation is another product: without an effect it would only look as if it worked.
const NOT_THERE: [&str; 2] = ["callbackStage", "callbackFailureAction"];

async fn check_members(
    text: &str,
    members: &Map<String, Value>,
    variables: Option<&[u8]>,
    rules: &Rules,
) -> Result<Callback, OssError> {
    let fault = |message: &'static str| OssError::invalid_argument(message, "callback", text);
    if let Some(name) = NOT_THERE.iter().find(|name| members.contains_key(**name)) {
        return Err(OssError::not_implemented(&format!("{name} of callbacks")));
    }

    let targets = check_urls(members.get("callbackUrl"), text, rules).await?;
    let host = match members.get("callbackHost") {
        None => None,
        Some(Value::String(host)) if is_host(host) => Some(host.clone()),
        Some(_) => {
            return Err(fault("The callback host configuration is invalid.").ec("0007-00000009"));
        }
    };
    let body = match members.get("callbackBody") {
        Some(Value::String(body)) if !body.is_empty() => body,
        None | Some(Value::String(_)) => {
            return Err(fault("The callback body is empty.").ec("0007-00000011"));
        }
        Some(_) => return Err(fault("The callback body is invalid.").ec("0007-00000010")),
    };
    let body_type = match members.get("callbackBodyType") {
        None => BodyType::Form,
        Some(Value::String(text)) => BodyType::parse(text).ok_or_else(|| {
            fault("The body type of callback is not supported.").ec("0007-00000013")
        })?,
        Some(_) => {
            return Err(
                fault("The callback body type configuration is invalid.").ec("0007-00000012")
            );
        }
    };
    let sni = match members.get("callbackSNI") {
        None => false,
        Some(Value::Bool(sni)) => *sni,
        Some(_) => return Err(fault("The callback sni is invalid.").ec("0007-00000014")),
    };
    let additional_headers = match members.get("additionalHeaders") {
        None => Vec::new(),
        // OSS's words are not known.
        Some(headers) => additional_headers(headers).ok_or_else(|| {
            fault("The callback additional headers is invalid.").ec("0007-00000026")
        })?,
    };
    let variables = variables
        .map(|variables| decode_variables(variables, rules))
        .transpose()?;
    let body = Template::parse(body).map_err(|_| {
        OssError::invalid_argument(
            "Left brace must be adjacent to dollar sign.",
            "ReplaceKeyPrefix",
            body,
        )
        .ec("0007-00000105")
    })?;
    Ok(Callback {
        targets,
        host,
        body,
        body_type,
        variables: variables.unwrap_or_default(),
        sni,
        additional_headers,
    })
}

/// A map of names to values. That the prefix counts in any case, and that what is no header is refused, is inferred.
fn additional_headers(member: &Value) -> Option<Vec<(String, String)>> {
    let header = |(name, value): (&String, &Value)| {
        let value = value.as_str()?;
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok()?;
        HeaderValue::from_bytes(value.as_bytes()).ok()?;
        let is_own = parsed.as_str().starts_with("x-oss-");
        (!is_own).then(|| (name.clone(), value.to_owned()))
    };
    member.as_object()?.iter().map(header).collect()
}

/// Length, Base64, JSON object. Returns the JSON text too, for error messages.
fn decode(value: &[u8]) -> Result<(String, Map<String, Value>), OssError> {
    let fault = |message: &'static str, value: &[u8]| {
        OssError::invalid_argument(message, "callback", String::from_utf8_lossy(value))
    };
    if value.len() > LONGEST_VALUE {
        return Err(fault("The length of callback exceed max value.", value).ec("0007-00000001"));
    }
    let text = STANDARD.decode(value).map_err(|_| {
        fault("The callback configuration is not base64 encoded.", value).ec("0007-00000002")
    })?;
    let members = serde_json::from_slice(&text).map_err(|_| {
        fault("The callback configuration is not json format.", &text).ec("0007-00000003")
    })?;
    Ok((String::from_utf8_lossy(&text).into_owned(), members))
}

async fn check_urls(
    member: Option<&Value>,
    callback: &str,
    rules: &Rules,
) -> Result<Vec<(CallbackUrl, Vec<SocketAddr>)>, OssError> {
    let invalid = || {
        OssError::invalid_argument(
            "The callback url configuration is invalid.",
            "callback",
            callback,
        )
        .ec("0007-00000004")
    };
    // The empty part behind a trailing semicolon is no URL.
    let urls: Vec<&str> = member
        .and_then(Value::as_str)
        .unwrap_or_default()
        .split(';')
        .filter(|url| !url.is_empty())
        .collect();
    if urls.is_empty() {
        return Err(invalid());
    }
    if urls.len() > MOST_URLS {
        return Err(OssError::invalid_argument(
            "The number of callback url exceed max value.",
            "callback",
            callback,
        )
        .ec("0007-00000005"));
    }
    let urls: Option<Vec<_>> = urls.into_iter().map(CallbackUrl::parse).collect();
    let mut targets = Vec::new();
    for url in urls.ok_or_else(invalid)? {
        let addresses = resolve(&url, &rules.resolver).await;
        if addresses.is_empty() {
            return Err(OssError::invalid_argument(
                "Can not get ip by this host.",
                "callbackUrl",
                url.text,
            )
            .ec("0007-00000007"));
        }
        targets.push((url, addresses));
    }
    if rules.strict {
        let private = |(_, addresses): &&(_, Vec<SocketAddr>)| addresses.iter().any(is_private);
        if let Some((url, _)) = targets.iter().find(private) {
            return Err(OssError::invalid_argument(
                "Private address is forbidden to callback.",
                "callbackUrl",
                &*url.text,
            )
            .ec("0007-00000008"));
        }
    }
    Ok(targets)
}

/// The IPv4 addresses of a URL's host: OSS calls no others.
async fn resolve(url: &CallbackUrl, resolver: &Resolver) -> Vec<SocketAddr> {
    if let Ok(address) = url.host.parse::<Ipv4Addr>() {
        return vec![(address, url.port).into()];
    }
    // Systems read `123.456` as an address of an old form.
    if looks_like_address(&url.host) {
        return Vec::new();
    }
    let (resolver, host, port) = (resolver.clone(), url.host.clone(), url.port);
    let mut addresses = match timeout(
        RESOLVE_TIMEOUT,
        spawn_blocking(move || resolver(&host, port)),
    )
    .await
    {
        Ok(Ok(Ok(addresses))) => addresses,
        // It did not answer in time, panicked, or found nothing.
        _ => Vec::new(),
    };
    addresses.retain(SocketAddr::is_ipv4);
    addresses
}

fn is_private(address: &SocketAddr) -> bool {
    match address {
        SocketAddr::V4(address) => {
            let ip = address.ip();
            let [first, second, ..] = ip.octets();
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || first == 0
                // Addresses of carriers, which Alibaba Cloud uses inside.
                || (first == 100 && (64..128).contains(&second))
        }
        SocketAddr::V6(_) => true,
    }
}

fn decode_variables(value: &[u8], rules: &Rules) -> Result<Vec<(String, String)>, OssError> {
    let fault = |message: &'static str, value: &[u8]| {
        OssError::invalid_argument(message, "callback-var", String::from_utf8_lossy(value))
    };
    const MESSAGE: &str = "The callback var is not expecten json.";
    if value.len() > LONGEST_VALUE {
        return Err(
            fault("The length of callback var exceed max value.", value).ec("0007-00000101")
        );
    }
    let text = STANDARD
        .decode(value)
        .map_err(|_| fault(MESSAGE, value).ec("0007-00000102"))?;
    let json: Value =
        serde_json::from_slice(&text).map_err(|_| fault(MESSAGE, &text).ec("0007-00000103"))?;
    let not_strings = || fault(MESSAGE, &text).ec("0007-00000104");
    let Value::Object(members) = json else {
        return Err(not_strings());
    };
    members
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(value) if is_variable(&name, rules) => Ok((name, value)),
            _ => Err(not_strings()),
        })
        .collect()
}

/// Letters must be lower case. Other characters are not restricted, but no placeholder could name one with a `}`.
fn is_variable(name: &str, rules: &Rules) -> bool {
    (name.starts_with("x:") || !rules.strict_variables)
        && !name.contains(|c: char| c.is_ascii_uppercase() || c == '}')
}

#[cfg(test)]
mod tests;
