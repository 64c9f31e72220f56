//! OSS's own rules for a callback, applied before anything is sent. Pure.
//!
//! The order is OSS's: the first fault found is the one it would answer. OSS documentation, "Callback"
//! and the pages of the error codes 0007-000000xx.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::template;
use crate::base::host_name::is_host_name;
use crate::outcome::error::{Error, OssError, Result};
use crate::outcome::verdict::ErrorKind;

/// Length of the Base64 text of the callback, and of its variables, each.
const MAX_LEN: usize = 5 * 1024;
pub(crate) const MAX_URLS: usize = 5;

/// Checks the two header values; `callback_var` is `None` when there are no variables.
pub(super) fn check(callback: &str, callback_var: Option<&str>) -> Result<()> {
    let members = object(callback, &CALLBACK)?;
    check_urls(members.get("callbackUrl"))?;
    check_host(members.get("callbackHost"))?;
    let body = check_body(members.get("callbackBody"))?;
    check_body_type(members.get("callbackBodyType"))?;
    check_sni(members.get("callbackSNI"))?;
    if let Some(callback_var) = callback_var {
        check_variables(&object(callback_var, &CALLBACK_VAR)?)?;
    }
    check_template(body)
}

/// An error of a rule: the argument, the problem, and what OSS would have answered.
pub(super) fn fault(argument: &str, problem: impl std::fmt::Display, ec: Option<&str>) -> Error {
    let would_draw = match ec {
        Some(ec) => format!("InvalidArgument, EC {ec}"),
        None => "InvalidArgument".to_owned(),
    };
    let message = format!("`{argument}` {problem} (OSS would answer {would_draw})");
    Error::new(ErrorKind::InvalidCallback, message).with_oss(OssError {
        code: Some("InvalidArgument".to_owned()),
        ec: ec.map(str::to_owned),
        ..OssError::default()
    })
}

/// The names under which faults of one of the two values are reported.
struct Names {
    argument: &'static str,
    too_long: &'static str,
    not_base64: &'static str,
    not_json: &'static str,
    not_an_object: &'static str,
}

const CALLBACK: Names = Names {
    argument: "callback",
    too_long: "0007-00000001",
    not_base64: "0007-00000002",
    not_json: "0007-00000003",
    not_an_object: "0007-00000003",
};

const CALLBACK_VAR: Names = Names {
    argument: "callback-var",
    too_long: "0007-00000101",
    not_base64: "0007-00000102",
    not_json: "0007-00000103",
    not_an_object: "0007-00000104",
};

fn object(base64: &str, names: &Names) -> Result<Map<String, Value>> {
    let fault = |problem: &dyn std::fmt::Display, ec| fault(names.argument, problem, Some(ec));
    if base64.len() > MAX_LEN {
        let problem = format!(
            "has {} bytes as Base64: OSS takes at most {MAX_LEN}",
            base64.len()
        );
        return Err(fault(&problem, names.too_long));
    }
    let json = STANDARD
        .decode(base64)
        .map_err(|e| fault(&format!("is not Base64: {e}"), names.not_base64))?;
    match serde_json::from_slice(&json) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(fault(&"is not a JSON object", names.not_an_object)),
        Err(e) => Err(fault(&format!("is not JSON: {e}"), names.not_json)),
    }
}

fn check_urls(urls: Option<&Value>) -> Result<()> {
    let fault = |problem: &dyn std::fmt::Display, ec| fault("callbackUrl", problem, Some(ec));
    let Some(urls) = urls else {
        return Err(fault(&"is missing", "0007-00000004"));
    };
    let Value::String(urls) = urls else {
        return Err(fault(&"is not a string", "0007-00000004"));
    };
    // A trailing semicolon, as in an example of the documentation, does not count as a URL.
    let urls: Vec<&str> = urls.split(';').filter(|url| !url.is_empty()).collect();
    if urls.is_empty() {
        return Err(fault(&"is empty", "0007-00000004"));
    }
    if urls.len() > MAX_URLS {
        let problem = format!("has {} URLs: OSS takes at most {MAX_URLS}", urls.len());
        return Err(fault(&problem, "0007-00000005"));
    }
    for (index, url) in urls.iter().enumerate() {
        if let Some(problem) = url_problem(url) {
            // The URL is not repeated: its query may hold a token.
            return Err(fault(
                &format!("number {} {problem}", index + 1),
                "0007-00000004",
            ));
        }
    }
    Ok(())
}

/// What is wrong with one callback URL. Private addresses are not: a server on the laptop has one.
fn url_problem(url: &str) -> Option<&'static str> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("holds a blank or a character outside ASCII: percent-encode it");
    }
    // The documentation's own samples leave the scheme out; then it is http.
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].contains(&&*scheme.to_ascii_lowercase()) => rest,
        Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            return Some("has a scheme other than http and https");
        }
        _ => url,
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if authority.contains('@') {
        return Some("holds a user name");
    }
    if authority.starts_with('[') || authority.matches(':').count() > 1 {
        return Some("has an IPv6 address, which OSS cannot call");
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if !is_domain_or_ipv4(host) {
        return Some("has no valid host");
    }
    let valid = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if port.is_some_and(|port| !valid(port)) {
        return Some("has a port that is not in 1 to 65535");
    }
    None
}

fn is_domain_or_ipv4(host: &str) -> bool {
    is_host_name(host.strip_suffix('.').unwrap_or(host))
}

fn check_host(host: Option<&Value>) -> Result<()> {
    let problem = match host {
        None => return Ok(()),
        Some(Value::String(host)) if is_domain_or_ipv4(host) => return Ok(()),
        Some(Value::String(_)) => "is neither a domain name nor an IP address (without a port)",
        Some(_) => "is not a string",
    };
    Err(fault("callbackHost", problem, Some("0007-00000009")))
}

fn check_body(body: Option<&Value>) -> Result<&str> {
    match body {
        None => Err(fault("callbackBody", "is missing", Some("0007-00000011"))),
        Some(Value::String(body)) if body.is_empty() => {
            Err(fault("callbackBody", "is empty", Some("0007-00000011")))
        }
        Some(Value::String(body)) => Ok(body),
        Some(_) => Err(fault(
            "callbackBody",
            "is not a string",
            Some("0007-00000010"),
        )),
    }
}

fn check_body_type(body_type: Option<&Value>) -> Result<()> {
    match body_type {
        None => Ok(()),
        Some(Value::String(text))
            if text == "application/x-www-form-urlencoded" || text == "application/json" =>
        {
            Ok(())
        }
        Some(Value::String(text)) => Err(fault(
            "callbackBodyType",
            format!(
                "is {text:?}: OSS takes application/x-www-form-urlencoded and application/json only"
            ),
            Some("0007-00000013"),
        )),
        Some(_) => Err(fault(
            "callbackBodyType",
            "is not a string",
            Some("0007-00000012"),
        )),
    }
}

/// The text "true" is none either (OSS refused one).
fn check_sni(sni: Option<&Value>) -> Result<()> {
    match sni {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(fault(
            "callbackSNI",
            "is not true or false",
            Some("0007-00000014"),
        )),
    }
}

fn check_variables(variables: &Map<String, Value>) -> Result<()> {
    for (name, value) in variables {
        let problem = match name.strip_prefix("x:") {
            None => "does not begin with `x:`",
            Some("") => "has no name after `x:`",
            // An older page only says that names are case-sensitive; the current one wants lower case.
            Some(rest) if rest.bytes().any(|b| b.is_ascii_uppercase()) => {
                "has an upper-case letter"
            }
            Some(rest) if rest.contains('}') => "holds a `}`, so that no placeholder can name it",
            Some(_) if !value.is_string() => "has a value that is not a string",
            Some(_) => continue,
        };
        let problem = format!("variable {name:?} {problem}");
        return Err(fault("callback-var", problem, Some("0007-00000104")));
    }
    Ok(())
}

fn check_template(body: &str) -> Result<()> {
    for piece in template::pieces(body) {
        piece.map_err(|problem| fault("callbackBody", problem, Some("0007-00000105")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn wire(value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            repeated => {
                let character = repeated["repeat"].as_str().unwrap();
                Some(character.repeat(repeated["n"].as_u64().unwrap() as usize))
            }
        }
    }

    #[test]
    fn what_oss_rejects_is_stopped_with_its_code() {
        let mut stopped = 0;
        vectors::each("callback_rejected.json", |row| {
            // A private address is fine for a server on the laptop, and one spec cannot stand in two
            // places.
            let ec = row["expect"]["ec"].as_str();
            if ec == Some("0007-00000008") || row["placement"] == "both" {
                return;
            }
            let (callback, var) = (wire(&row["callback"]), wire(&row["callback_var"]));
            let error =
                check(&callback.unwrap(), var.as_deref()).expect_err(&row["id"].to_string());
            assert_eq!(error.kind(), ErrorKind::InvalidCallback, "{}", row["id"]);
            assert_eq!(
                error.oss_code(),
                row["expect"]["code"].as_str(),
                "{}",
                row["id"]
            );
            assert_eq!(error.ec(), ec, "{}: {error}", row["id"]);
            stopped += 1;
        });
        assert!(stopped >= 17, "only {stopped} rows were tried");
    }

    #[test]
    fn what_the_sdks_send_is_accepted() {
        vectors::each("callback_encoding.json", |row| {
            for (callback, var) in [
                ("reference_base64", "var_reference_base64"),
                ("sdk_sample_base64", "var_sdk_sample_base64"),
            ] {
                let callback = row[callback].as_str().unwrap();
                check(callback, row[var].as_str()).unwrap_or_else(|e| panic!("{}: {e}", row["id"]));
            }
        });
    }

    #[test]
    fn only_a_boolean_turns_sni_on_or_off() {
        for (sni, good) in [
            ("true", true),
            ("false", true),
            ("\"true\"", false),
            ("1", false),
            ("null", false),
        ] {
            let json = format!(
                r#"{{"callbackUrl":"http://a.example.com","callbackBody":"a","callbackSNI":{sni}}}"#
            );
            let checked = check(&STANDARD.encode(json), None);
            let ec = checked.as_ref().err().and_then(|e| e.ec());
            assert_eq!(ec, (!good).then_some("0007-00000014"), "{sni}");
        }
    }

    #[test]
    fn urls_are_judged_as_oss_judges_them() {
        for good in [
            "http://example.com",
            "https://example.com/callback?a=1&b=2",
            "121.101.166.30/test.php",
            "example.com:8080/x",
            "http://127.0.0.1:23450/",
            "HTTP://a_b.example.com./",
            "http://example.com/redirect?to=http://other",
            "example.com/redirect?to=http://other",
        ] {
            assert_eq!(url_problem(good), None, "{good}");
        }
        for bad in [
            "http://",
            "ftp://example.com",
            "http://[::1]/",
            "http://::1/",
            "http://example.com:0",
            "http://example.com:65536",
            "http://example.com:",
            "http://example.com:+80",
            "http://user@example.com",
            "http://例え.jp/",
            "http://example.com/a b",
            "http://a..b/",
            "/only/a/path",
        ] {
            assert!(url_problem(bad).is_some(), "{bad}");
        }
    }
}
