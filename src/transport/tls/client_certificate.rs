//! The certificate with which a client says who it is, and its private key, which is never shown.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::certificate::Certificate;
use super::pem::{Block, Pem, blocks};
use super::roots::{bad, certificates_of};
use crate::outcome::error::{Error, Result};

/// What answers a server that wants a certificate.
pub(super) fn load(
    certificate: &Pem,
    key: &Pem,
    provider: &CryptoProvider,
) -> Result<SingleCertAndKey> {
    let name = "client_certificate";
    let chain: Vec<_> = certificates_of(name, &certificate.read(name)?)?
        .into_iter()
        .map(|(certificate, _)| certificate)
        .collect();
    let private = private_key(&key.read("client_key")?)?;
    let loaded = provider.key_provider.load_private_key(private);
    // rustls's own words name no bytes of the key, nor do they help.
    let signing = loaded.map_err(|_| {
        Error::argument(
            "`client_key` is damaged, or of a kind that is not supported: RSA of 2048 bits or more, ECDSA P-256 or \
             P-384, or Ed25519",
        )
    })?;
    let mut of_certificates = Vec::new();
    for (index, certificate) in chain.iter().enumerate() {
        let members = Certificate::parse(certificate);
        of_certificates.push(
            members
                .ok_or_else(|| bad(name, index, "is no certificate"))?
                .key,
        );
    }
    if let Some(public) = signing.public_key() {
        match of_certificates.iter().position(|key| *key == &public[..]) {
            Some(0) => {}
            None => {
                return Err(Error::argument(
                    "`client_key` does not fit the certificate: `client_certificate` has another public key",
                ));
            }
            Some(index) => {
                return Err(Error::argument(format!(
                    "`client_key` fits certificate number {} of `client_certificate`, which must be the first",
                    index + 1
                )));
            }
        }
    }
    Ok(Arc::new(CertifiedKey::new(chain, signing)).into())
}

/// The first private key of a PEM text.
fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    let refused = |problem: &str| Error::argument(format!("`client_key` {problem}"));
    let is_key = |block: &Block| block.label.is_empty() || block.label.ends_with("PRIVATE KEY");
    let Some(block) = blocks(pem).into_iter().find(is_key) else {
        let hint = if pem.is_empty() {
            ": it is empty"
        } else {
            " in PEM"
        };
        return Err(refused(&format!("holds no private key{hint}")));
    };
    if block.encrypted || block.label.starts_with("ENCRYPTED") {
        return Err(refused(
            "is encrypted, which is not supported: decrypt it first (openssl pkey)",
        ));
    }
    let der =
        (block.contents).map_err(|problem| refused(&format!("cannot be read: it {problem}")))?;
    Ok(match &*block.label {
        "PRIVATE KEY" => PrivatePkcs8KeyDer::from(der).into(),
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(der).into(),
        other => {
            // A label has no secret; where it ends with a key's it is short.
            let kind: String = other.chars().take(40).collect();
            return Err(refused(&format!(
                "is {kind:?}, which is not supported: PRIVATE KEY, RSA PRIVATE KEY and EC PRIVATE KEY are (openssl pkey)"
            )));
        }
    })
}
