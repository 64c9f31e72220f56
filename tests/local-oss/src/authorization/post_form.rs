//! The signature of a form: that of its policy.

use std::time::SystemTime;

use super::{
    Credential, check_clock, check_expiry, check_security_token, find, no_signature, v1,
    v4::{self, ScopeFault},
};
use crate::error::OssError;

/// The fields that must stand in the policy of a form that is signed by version 4, each with its very value.
pub(crate) const CONDITIONS_OF_VERSION_4: [&str; 3] =
    ["x-oss-signature-version", "x-oss-credential", "x-oss-date"];

/// By one of these a form is signed, in lower case; a token alone signs nothing.
pub(crate) const SIGNATURE_FIELDS: [&str; 6] = [
    "ossaccesskeyid",
    "policy",
    "signature",
    "x-oss-credential",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// Of a signature that differs.
const EC: &str = "0002-00000705";

/// Who signed a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormSignature {
    V1,
    V4,
}

/// Refuses a form that none of `credentials` signed. `field` returns a field by its name in lower case.
pub(crate) fn authorize_form<'a>(
    field: impl Fn(&str) -> Option<&'a str>,
    credentials: &[Credential],
    region: &str,
    now: SystemTime,
) -> Result<FormSignature, OssError> {
    let is_v1 = ["ossaccesskeyid", "signature"]
        .iter()
        .any(|name| field(name).is_some());
    let is_v4 = [
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-signature",
    ]
    .iter()
    .any(|name| field(name).is_some());
    let policy = field("policy");
    let (credential, version) = match (is_v1, is_v4) {
        // Who signs nothing is anonymous, and all buckets are private.
        (false, false) if policy.is_none() => return Err(no_signature()),
        (true, true) => {
            return Err(OssError::invalid_argument(
                "A form is signed by version 1 or by version 4, not by both.",
                "Signature",
                "",
            ));
        }
        (_, false) => {
            let names = ["OSSAccessKeyId", "policy", "Signature"];
            let [id, policy, signature] =
                all(names, [field("ossaccesskeyid"), policy, field("signature")])?;
            if id.is_empty() {
                return Err(empty("accessKeyId", "OSSAccessKeyId", "0002-00000707"));
            }
            if signature.is_empty() {
                return Err(empty("signature", "Signature", "0002-00000704"));
            }
            let credential = find(credentials, id)?;
            let credential = v1::compare(credential, signature, policy.as_bytes())
                .map_err(|error| error.ec(EC))?;
            (credential, FormSignature::V1)
        }
        (false, true) => {
            let names = [
                "policy",
                "x-oss-signature-version",
                "x-oss-credential",
                "x-oss-date",
                "x-oss-signature",
            ];
            let values = names.map(&field);
            let [policy, version, who, date, signature] = all(names, values)?;
            if signature.is_empty() {
                return Err(empty("signature", "x-oss-signature", "0002-00000704"));
            }
            v4::check_version(version).map_err(|error| error.ec("0002-00000701"))?;
            let scope = v4::parse_scope(who).map_err(|error| error.ec("0002-00000710"))?;
            let credential = find(credentials, scope.access_key_id)?;
            let time = v4::parse_date(date)?;
            // How old it may be, its policy says.
            if let Some(fault) = scope.fault(region, date, time, time) {
                let error = v4::wrong_credential(fault, who);
                return Err(match fault {
                    ScopeFault::Region => error.ec("0002-00000715"),
                    ScopeFault::Date => error.ec("0002-00000709"),
                    ScopeFault::Product => error,
                });
            }
            // Only a date to come is wrong in itself (inferred).
            if time > now {
                check_clock(time, now)?;
            }
            let credential = v4::compare(credential, &scope, signature, policy.as_bytes())
                .map_err(|error| error.ec(EC))?;
            (credential, FormSignature::V4)
        }
    };
    let token = field("x-oss-security-token").map(str::as_bytes);
    check_security_token(token, credential)?;
    check_expiry(credential, now)?;
    Ok(version)
}

fn all<'a, const N: usize>(
    names: [&'static str; N],
    values: [Option<&'a str>; N],
) -> Result<[&'a str; N], OssError> {
    match values.iter().position(Option::is_none) {
        Some(missing) => Err(missing_field(names[missing])),
        None => Ok(values.map(Option::unwrap_or_default)),
    }
}

/// A field that a form must have is not there, or stands behind the file.
pub(crate) fn missing_field(name: &'static str) -> OssError {
    let message = format!(
        "The bucket POST must contain the specified '{name}'. If it is specified, please check the order of the fields"
    );
    let error = OssError::invalid_argument(message, name, "");
    match name {
        "policy" => error.ec("0002-00000702"),
        "Signature" | "x-oss-signature" => error.ec("0002-00000703"),
        "OSSAccessKeyId" => error.ec("0002-00000706"),
        _ => error,
    }
}

fn empty(what: &str, name: &str, ec: &'static str) -> OssError {
    OssError::invalid_argument(format!("Post request {what} is empty."), name, "").ec(ec)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::authorization::parse_basic_time;

    const VECTORS: &str = include_str!("../../tests/vectors/post_policy.json");

    type Fields = BTreeMap<String, String>;

    /// Each vector with its fields, their names in lower case.
    fn forms() -> Vec<(Value, Fields)> {
        let file: Value = serde_json::from_str(VECTORS).unwrap();
        let rows = file["vectors"].as_array().unwrap().clone();
        assert_eq!(rows.len() as u64, file["count"].as_u64().unwrap());
        let fields = |row: &Value| {
            let pairs = row["form_fields"].as_array().unwrap().iter();
            pairs
                .map(|pair| {
                    let text = |index: usize| pair[index].as_str().unwrap();
                    (text(0).to_lowercase(), text(1).to_owned())
                })
                .collect()
        };
        rows.into_iter()
            .map(|row| (row.clone(), fields(&row)))
            .collect()
    }

    fn credential(row: &Value) -> Credential {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        Credential {
            access_key_id: text("access_key_id").unwrap(),
            access_key_secret: text("access_key_secret").unwrap(),
            security_token: text("security_token"),
            expiry: None,
        }
    }

    fn verdict_of(
        row: &Value,
        fields: &Fields,
        credential: Credential,
    ) -> Result<FormSignature, &'static str> {
        let now = parse_basic_time(row["time"].as_str().unwrap().as_bytes()).unwrap();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let region = row["region"].as_str().unwrap();
        authorize_form(field, &[credential], region, now).map_err(|error| error.code)
    }

    fn verdict(row: &Value, fields: &Fields) -> Result<FormSignature, &'static str> {
        verdict_of(row, fields, credential(row))
    }

    #[test]
    fn the_forms_of_the_vectors_are_accepted() {
        for (row, fields) in forms() {
            let version = match row["version"].as_str().unwrap() {
                "v1" => FormSignature::V1,
                _ => FormSignature::V4,
            };
            assert_eq!(fields["policy"], row["string_to_sign"].as_str().unwrap());
            assert_eq!(verdict(&row, &fields), Ok(version), "{}", row["id"]);
        }
    }

    #[test]
    fn whatever_was_signed_cannot_be_changed() {
        for (row, fields) in forms() {
            for name in ["policy", "signature", "x-oss-signature"] {
                let mut changed = fields.clone();
                let Some(value) = changed.get_mut(name) else {
                    continue;
                };
                let other = if value.starts_with('a') { "b" } else { "a" };
                value.replace_range(..1, other);
                let verdict = verdict(&row, &changed);
                assert_eq!(verdict, Err("SignatureDoesNotMatch"), "{name}");
            }
            let mut stranger = credential(&row);
            stranger.access_key_secret.push('x');
            let verdict = verdict_of(&row, &fields, stranger);
            assert_eq!(verdict, Err("SignatureDoesNotMatch"));
        }
    }

    #[test]
    fn all_fields_of_a_signature_come_or_none() {
        for (row, fields) in forms() {
            for name in fields.keys() {
                let mut changed = fields.clone();
                changed.remove(name);
                let code = match name.as_str() {
                    "x-oss-security-token" => "InvalidAccessKeyId",
                    _ => "InvalidArgument",
                };
                assert_eq!(verdict(&row, &changed), Err(code), "{name}");
            }
            assert_eq!(verdict(&row, &Fields::new()), Err("AccessDenied"));
        }
        let [(row, mut both), (_, other)]: [_; 2] = forms()[..2].to_vec().try_into().unwrap();
        both.extend(other);
        assert_eq!(verdict(&row, &both), Err("InvalidArgument"));
    }

    #[test]
    fn a_token_must_be_the_one_of_its_key() {
        for (row, fields) in forms() {
            let with = |token: &str| Credential {
                security_token: Some(token.to_owned()),
                ..credential(&row)
            };
            let code = match fields.contains_key("x-oss-security-token") {
                true => "InvalidSecurityToken",
                false => "InvalidAccessKeyId",
            };
            assert_eq!(verdict_of(&row, &fields, with("another")), Err(code));
            let mut empty = fields.clone();
            empty.insert("x-oss-security-token".to_owned(), String::new());
            let verdict = verdict_of(&row, &empty, with("another"));
            assert_eq!(verdict, Err("InvalidAccessKeyId"));
        }
    }

    #[test]
    fn a_wrong_scope_is_refused() {
        let (row, fields) = forms().remove(1);
        for (name, value) in [
            (
                "x-oss-credential",
                "LTAI5tShared/20240102/cn-beijing/oss/aliyun_v4_request",
            ),
            (
                "x-oss-credential",
                "LTAI5tShared/20240103/cn-hangzhou/oss/aliyun_v4_request",
            ),
            ("x-oss-credential", "LTAI5tShared"),
            ("x-oss-date", "20240103T030405Z"),
            ("x-oss-signature-version", "AWS4-HMAC-SHA256"),
        ] {
            let mut changed = fields.clone();
            changed.insert(name.to_owned(), value.to_owned());
            assert_eq!(verdict(&row, &changed), Err("InvalidArgument"), "{value}");
        }
    }
}
