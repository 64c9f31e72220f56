//! Who signs the requests.

mod environment;
mod provider;
mod secret;
mod signer;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::clock::Clock;
use crate::outcome::error::{Error, Result};

pub use provider::CredentialsProvider;
use provider::Provided;
use secret::Secret;
pub use signer::{Signer, StringToSign};

/// An access key pair, with a security token when it came from STS; or whoever provides one; or nobody.
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
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    Anonymous,
    Fixed(Arc<KeyPair>),
    Provided(Arc<Provided>),
}

/// An access key, and what signs with it.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) key: SigningKey,
    pub(crate) security_token: Option<String>,
    pub(crate) expires: Option<SystemTime>,
}

#[derive(Clone)]
pub(crate) enum SigningKey {
    Secret(Secret),
    /// The secret is elsewhere.
    Remote(Arc<dyn Signer>),
}

impl Credentials {
    /// An access key pair: of a RAM user, or together with
    /// [`security_token`](Credentials::security_token) of a role.
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<String>) -> Self {
        Credentials::with_key(
            access_key_id.into(),
            SigningKey::Secret(Secret::new(access_key_secret.into())),
        )
    }

    /// An access key whose secret is elsewhere, on an application server for one: `signer` is given each
    /// text that is to be signed and returns the signature. What is sent is the same, byte for byte, as with
    /// the secret here.
    pub fn remote(access_key_id: impl Into<String>, signer: impl Signer + 'static) -> Self {
        Credentials::with_key(access_key_id.into(), SigningKey::Remote(Arc::new(signer)))
    }

    /// Asks for credentials when they are needed; see [`CredentialsProvider`].
    pub fn provider(provider: impl CredentialsProvider + 'static) -> Self {
        Credentials(Kind::Provided(Arc::new(Provided::new(provider))))
    }

    fn with_key(id: String, key: SigningKey) -> Self {
        Credentials(Kind::Fixed(Arc::new(KeyPair {
            id,
            key,
            security_token: None,
            expires: None,
        })))
    }

    /// Adds the token that STS gave together with the key pair. An empty token means none. Without effect on
    /// a provider, which gives its own, and on nobody.
    pub fn security_token(self, token: impl Into<String>) -> Self {
        let token = Some(token.into()).filter(|token| !token.is_empty());
        self.change(|pair| pair.security_token = token)
    }

    /// Says when they expire, so that the [provider](CredentialsProvider) that gives them is asked for new
    /// ones in time: the time that STS names with them, or one counted from this machine's clock, however wrong that is.
    pub fn expires_at(self, time: SystemTime) -> Self {
        self.change(|pair| pair.expires = Some(time))
    }

    fn change(mut self, change: impl FnOnce(&mut KeyPair)) -> Self {
        if let Kind::Fixed(pair) = &mut self.0 {
            change(Arc::make_mut(pair));
        }
        self
    }

    /// Nobody: requests are not signed. Only a bucket that is open to everyone accepts them, and OSS
    /// delivers no callback for them.
    pub fn anonymous() -> Self {
        Credentials(Kind::Anonymous)
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

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.0, Kind::Anonymous)
    }

    /// Who signs the next request; `None` for nobody.
    pub(crate) fn key_pair(&self, clock: &Clock) -> Result<Option<Arc<KeyPair>>> {
        match &self.0 {
            Kind::Anonymous => Ok(None),
            Kind::Fixed(pair) => Ok(Some(pair.clone())),
            Kind::Provided(provided) => provided.key_pair(clock).map(Some),
        }
    }

    pub(crate) fn is_provided(&self) -> bool {
        matches!(self.0, Kind::Provided(_))
    }

    /// OSS has refused what was signed by these.
    pub(crate) fn forget(&self, pair: &Arc<KeyPair>) {
        if let Kind::Provided(provided) = &self.0 {
            provided.forget(pair);
        }
    }

    /// Refuses what cannot be part of an Authorization header.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            // What a provider gives is checked when it is given.
            Kind::Anonymous | Kind::Provided(_) => Ok(()),
            Kind::Fixed(pair) => pair.check(),
        }
    }
}

impl KeyPair {
    fn check(&self) -> Result<()> {
        let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if self.id.is_empty() {
            return Err(Error::argument("`access_key_id` is empty"));
        }
        if !visible(&self.id) {
            return Err(Error::argument(
                "`access_key_id` holds a blank, a control character or a character outside ASCII",
            ));
        }
        if matches!(&self.key, SigningKey::Secret(secret) if secret.text().is_empty()) {
            return Err(Error::argument("`access_key_secret` is empty"));
        }
        if self
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
            Kind::Anonymous => f.write_str("Credentials(anonymous)"),
            Kind::Provided(_) => f.write_str("Credentials(provider)"),
            Kind::Fixed(pair) => f
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
