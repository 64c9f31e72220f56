//! Where the keys that verify callbacks come from. Pure: the one source that fetches has a file of its own.

use std::collections::HashMap;

use once_cell::race::OnceBox;

use super::public_key::PublicKey;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// The host of OSS's keys, slash included: it rules out a port, a user name and a longer host name (OSS
/// documentation, "Callback").
const HOSTS: [&str; 2] = [
    "http://gosspublic.alicdn.com/",
    "https://gosspublic.alicdn.com/",
];

/// The key that OSS signs with in production, `…/callback_pub_key_v1.pem`. Its documentation calls the
/// content unchanging; it verifies the real callbacks in `tests/vectors/callback_signature.json`.
const PRODUCTION_PATH: &str = "callback_pub_key_v1.pem";
const PRODUCTION_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs
C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==
-----END PUBLIC KEY-----
";

/// What follows the host in the URL of a key, if OSS can have named it: scheme and host exactly, case
/// included.
pub(super) fn path_of(url: &str) -> Option<&str> {
    HOSTS.iter().find_map(|host| url.strip_prefix(host))
}

/// Finds the key for a URL that a callback named in `x-oss-pub-key-url`.
///
/// [`verify`](super::verify()) asks only for URLs on OSS's own host; a source need not check that. It may
/// be asked from many threads at once.
pub trait KeySource: Send + Sync {
    /// The key at this URL.
    ///
    /// # Errors
    ///
    /// [`key_unavailable`] when there is none to be had: the callback is then neither valid nor
    /// invalid, and its answer should be a 5xx.
    fn key(&self, url: &str) -> Result<PublicKey>;
}

/// An error that says why there is no key: [`ErrorKind::KeyUnavailable`].
pub fn key_unavailable(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::KeyUnavailable, reason)
}

impl<T: KeySource + ?Sized> KeySource for std::sync::Arc<T> {
    fn key(&self, url: &str) -> Result<PublicKey> {
        (**self).key(url)
    }
}

/// Keys that are at hand: OSS's production key, and whatever the application adds. Nothing is fetched.
///
/// ```
/// use oss_callback::callback::KnownKeys;
///
/// # fn add(pem: &str) -> Result<(), oss_callback::Error> {
/// let keys = KnownKeys::new().add("https://gosspublic.alicdn.com/callback_pub_key_v2.pem", pem)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct KnownKeys {
    /// By what follows the host; http and https lead to the same key.
    keys: HashMap<String, PublicKey>,
}

impl KnownKeys {
    /// Only the production key.
    pub fn new() -> KnownKeys {
        KnownKeys::default()
    }

    /// Adds the key at a URL of OSS's key host, in place of any other for it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when `pem` is no RSA public key, or `url` is not on that host: for
    /// tests see [`Verifier::trust_key_url_for_tests`](super::Verifier::trust_key_url_for_tests).
    pub fn add(mut self, url: &str, pem: &str) -> Result<KnownKeys> {
        let path = path_of(url).ok_or_else(|| {
            Error::argument(format!(
                "`url` is not below {}, so that no callback could use its key",
                HOSTS[1]
            ))
        })?;
        self.keys.insert(path.to_owned(), PublicKey::from_pem(pem)?);
        Ok(self)
    }

    pub(super) fn find(&self, path: &str) -> Option<PublicKey> {
        let production = || (path == PRODUCTION_PATH).then(production_key);
        self.keys.get(path).cloned().or_else(production)
    }
}

impl KeySource for KnownKeys {
    fn key(&self, url: &str) -> Result<PublicKey> {
        path_of(url)
            .and_then(|path| self.find(path))
            .ok_or_else(|| {
                key_unavailable(
                    "the callback names a key that is not known here: add it, or let it be fetched",
                )
            })
    }
}

fn production_key() -> PublicKey {
    // Without a lock, which a fork could leave locked in a child.
    static KEY: OnceBox<PublicKey> = OnceBox::new();
    KEY.get_or_init(|| {
        let key = PublicKey::from_pem(PRODUCTION_PEM);
        Box::new(key.expect("a test reads the key that is built in"))
    })
    .clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn the_production_key_is_that_of_the_vectors() {
        let file = vectors::file("callback_signature.json");
        let (url, pem) = (
            &file["production_public_key"]["url"],
            &file["production_public_key"]["pem"],
        );
        let known = PublicKey::from_pem(pem.as_str().unwrap()).unwrap();
        let https = url.as_str().unwrap();
        let http = https.replace("https", "http");
        for url in [https, &http] {
            assert_eq!(KnownKeys::new().key(url).unwrap(), known);
        }
    }

    #[test]
    fn a_key_of_another_host_cannot_be_added_and_an_unknown_one_is_unavailable() {
        let file = vectors::file("callback_signature.json");
        let pem = file["test_keys"][1]["public_pem"].as_str().unwrap();
        for url in [
            "https://gosspublic.alicdn.com",
            "https://gosspublic.alicdn.com:443/k.pem",
            "https://gosspublic.alicdn.com.evil.example/k.pem",
            "https://x@gosspublic.alicdn.com/k.pem",
            "HTTPS://gosspublic.alicdn.com/k.pem",
            "https://GOSSPUBLIC.alicdn.com/k.pem",
            "ftp://gosspublic.alicdn.com/k.pem",
            "http://127.0.0.1/k.pem",
        ] {
            let error = KnownKeys::new().add(url, pem).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{url}");
        }
        let url = "https://gosspublic.alicdn.com/callback_pub_key_v2.pem";
        let keys = KnownKeys::new().add(url, pem).unwrap();
        assert_eq!(keys.key(url).unwrap(), PublicKey::from_pem(pem).unwrap());
        let error = KnownKeys::new().key(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    }
}
