//! Credentials from the environment's variables, by the names of the official SDKs.

use std::ffi::OsString;

use super::Credentials;
use crate::outcome::error::{Error, Result};

/// Reads the variables through `get`, so that a test need not change the process.
pub(super) fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Credentials> {
    let optional = |name: &str| match get(name) {
        None => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(_) => Err(Error::argument(format!(
                "environment variable {name} is not UTF-8"
            ))),
        },
    };
    let required = |name: &str| {
        optional(name)?.ok_or_else(|| {
            Error::argument(format!("environment variable {name} is not set or empty"))
        })
    };
    let credentials = Credentials::new(
        required("OSS_ACCESS_KEY_ID")?,
        required("OSS_ACCESS_KEY_SECRET")?,
    );
    Ok(match optional("OSS_SESSION_TOKEN")? {
        Some(token) => credentials.security_token(token),
        None => credentials,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::credentials::SigningKey;

    fn read_from(variables: &[(&str, &str)]) -> Result<Credentials> {
        read(|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_variables_of_the_official_sdks_are_read() {
        let pair = [
            ("OSS_ACCESS_KEY_ID", "id"),
            ("OSS_ACCESS_KEY_SECRET", "secret"),
        ];
        let read = |variables: &[(&str, &str)]| {
            let pair = read_from(variables)
                .unwrap()
                .key_pair(&Clock::default())
                .unwrap()
                .unwrap();
            let secret = match &pair.key {
                SigningKey::Secret(secret) => secret.text().to_owned(),
                SigningKey::Remote(_) => panic!("a signer"),
            };
            (pair.id.clone(), secret, pair.security_token.clone())
        };
        let text = str::to_owned;
        assert_eq!(read(&pair), (text("id"), text("secret"), None));

        let role = [pair[0], pair[1], ("OSS_SESSION_TOKEN", "token")];
        assert_eq!(
            read(&role),
            (text("id"), text("secret"), Some(text("token")))
        );
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error =
            read_from(&[("OSS_ACCESS_KEY_ID", "id"), ("OSS_ACCESS_KEY_SECRET", "")]).unwrap_err();
        assert!(
            error.to_string().contains("OSS_ACCESS_KEY_SECRET"),
            "{error}"
        );
    }
}
