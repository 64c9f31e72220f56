//! Who signs the requests.

mod environment;

use std::fmt;

use crate::error::{Error, Result};

/// An access key pair, with a security token when it came from STS, or nobody.
///
/// `Debug` shows the access key id only.
///
/// ```
/// use oss_callback::Credentials;
///
/// let permanent = Credentials::new("my-access-key-id", "my-access-key-secret");
/// let temporary = Credentials::new("STS.id", "secret").security_token("token");
/// assert!(!format!("{permanent:?} {temporary:?}").contains("secret\""));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Option<KeyPair>);

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) security_token: Option<String>,
}

impl Credentials {
    /// An access key pair: of a RAM user, or together with
    /// [`security_token`](Credentials::security_token) of a role.
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<String>) -> Self {
        Credentials(Some(KeyPair {
            id: access_key_id.into(),
            secret: access_key_secret.into(),
            security_token: None,
        }))
    }

    /// Adds the token that STS gave together with the key pair. An empty token means none.
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        if let Some(pair) = &mut self.0 {
            pair.security_token = Some(token.into()).filter(|token| !token.is_empty());
        }
        self
    }

    /// Nobody: requests are not signed. Only a bucket that is open to everyone accepts them, and OSS
    /// delivers no callback for them.
    pub fn anonymous() -> Self {
        Credentials(None)
    }

    /// The key pair of the environment: `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for a role,
    /// `OSS_SESSION_TOKEN`, as in the official SDKs. Read once, now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when one of the first two is
    /// unset, empty or not UTF-8.
    pub fn from_env() -> Result<Self> {
        environment::read(|name| std::env::var_os(name))
    }

    pub(crate) fn key_pair(&self) -> Option<&KeyPair> {
        self.0.as_ref()
    }

    /// Refuses what cannot be part of an Authorization header.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(pair) = &self.0 else { return Ok(()) };
        let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if pair.id.is_empty() {
            return Err(Error::argument("`access_key_id` is empty"));
        }
        if !visible(&pair.id) {
            return Err(Error::argument(
                "`access_key_id` holds a blank, a control character or a character outside ASCII",
            ));
        }
        if pair.secret.is_empty() {
            return Err(Error::argument("`access_key_secret` is empty"));
        }
        if pair
            .security_token
            .as_deref()
            .is_some_and(|token| !visible(token))
        {
            return Err(Error::argument(
                "`security_token` holds a blank, a control character or a character outside ASCII",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Credentials(anonymous)"),
            Some(pair) => f
                .debug_struct("Credentials")
                .field("access_key_id", &pair.id)
                .field(
                    "security_token",
                    &pair.security_token.as_ref().map(|_| "(hidden)"),
                )
                .finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_secret_nor_token() {
        let text = format!(
            "{:?}",
            Credentials::new("the-id", "the-secret").security_token("tok")
        );
        assert!(text.contains("the-id"), "{text}");
        assert!(
            !text.contains("the-secret") && !text.contains("tok\""),
            "{text}"
        );
    }

    #[test]
    fn a_key_that_would_break_the_header_is_refused_without_being_shown() {
        for (id, secret, token, named) in [
            ("", "s", "", "`access_key_id` is empty"),
            ("a b", "s", "", "`access_key_id` holds"),
            ("id", "", "", "`access_key_secret` is empty"),
            ("id", "s", "tok\r\nen", "`security_token` holds"),
        ] {
            let error = Credentials::new(id, secret)
                .security_token(token)
                .check()
                .unwrap_err();
            assert!(error.to_string().starts_with(named), "{error}");
            assert!(!error.to_string().contains("tok\r"), "{error}");
        }
    }
}
