//! Signatures that are made elsewhere, where the secret is.

use std::fmt;

use crate::sign::SignatureVersion;

/// Signs for a client that does not have the secret.
///
/// Called once for each request that is sent, from any thread, from several at once if the client is used so.
/// It may block, and ask a server; the request's limits take effect when it returns. A closure
/// `Fn(&StringToSign) -> Result<String, Box<dyn Error + Send + Sync>>` is one.
///
/// With [`SignatureVersion::V4`] the signature is the HMAC-SHA256 of the text under the key of the scope, in
/// lower-case hexadecimal: the key is `HMAC(HMAC(HMAC(HMAC("aliyun_v4" + secret, date), region), product),
/// "aliyun_v4_request")`, so that a server may hand out that key for a day in place of signing each text. With
/// [`SignatureVersion::V1`] it is the HMAC-SHA1 of the text under the secret, in Base64. (OSS documentation:
/// "Include signatures in the Authorization header".)
pub trait Signer: Send + Sync {
    /// The signature of this text.
    ///
    /// # Errors
    ///
    /// Anything; the request then ends with
    /// [`ErrorKind::CredentialsFailed`](crate::ErrorKind::CredentialsFailed), and the error as its source.
    fn sign(
        &self,
        to_sign: &StringToSign<'_>,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>>;
}

impl<F> Signer for F
where
    F: Fn(&StringToSign<'_>) -> Result<String, Box<dyn std::error::Error + Send + Sync>>
        + Send
        + Sync,
{
    fn sign(
        &self,
        to_sign: &StringToSign<'_>,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        self(to_sign)
    }
}

/// What a [`Signer`] is to sign. `Debug` does not show the text, which may have a security token in it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct StringToSign<'a> {
    /// The text, UTF-8.
    pub text: &'a str,
    /// How it is to be signed.
    pub version: SignatureVersion,
    /// With [`SignatureVersion::V4`] what the signature is bound to:
    /// `20261124/cn-hangzhou/oss/aliyun_v4_request`.
    pub scope: Option<&'a str>,
}

impl fmt::Debug for StringToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringToSign")
            .field("version", &self.version)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
