//! The key pair that signs callbacks.

use std::error::Error;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;
use rand_core::OsRng;
use rsa::{
    Pkcs1v15Sign, RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    traits::PublicKeyParts,
};

/// The DigestInfo of MD5 in PKCS #1 v1.5, up to the digest itself.
const MD5_PREFIX: [u8; 18] = [
    0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00,
    0x04, 0x10,
];

/// Where the public key is served: a path that no bucket can have.
pub(crate) const KEY_PATH: &str = "/callback_pub_key_v1.pem";

/// A key pair that signs callbacks as OSS does: RSA with MD5.
///
/// ```
/// let key = local_oss::CallbackKey::generate(512, "http://127.0.0.1:9000")?;
/// let authorization = key.sign("/callback?id=1", b"object=a");
/// assert_eq!(authorization.len(), 88);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct CallbackKey {
    private: RsaPrivateKey,
    public_pem: String,
    public_url: String,
}

impl CallbackKey {
    /// A new pair of 512 to 4096 bits; its public key is said to be served by `endpoint`.
    ///
    /// # Errors
    ///
    /// Another size.
    pub fn generate(bits: usize, endpoint: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        if !(512..=4096).contains(&bits) {
            return Err(format!("a callback key has 512 to 4096 bits, not {bits}").into());
        }
        Self::new(RsaPrivateKey::new(&mut OsRng, bits)?, endpoint)
    }

    /// A private key in PEM, PKCS #8 or PKCS #1.
    ///
    /// # Errors
    ///
    /// It is none, or too short.
    pub fn from_pem(pem: &str, endpoint: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let private = RsaPrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
            .map_err(|error| {
                format!("the callback key is not an RSA private key in PEM: {error}")
            })?;
        Self::new(private, endpoint)
    }

    fn new(private: RsaPrivateKey, endpoint: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        // 11 bytes of padding and the 34 of DigestInfo have to fit.
        if private.size() < 45 {
            return Err("the callback key is too short for a signature with MD5".into());
        }
        let public_pem = private.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self {
            private,
            public_pem,
            public_url: format!("{endpoint}{KEY_PATH}"),
        })
    }

    /// The private key in PEM, PKCS #8.
    ///
    /// # Errors
    ///
    /// It cannot be encoded.
    pub fn private_pem(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(self.private.to_pkcs8_pem(LineEnding::LF)?.to_string())
    }

    /// Another URL for the public key than that below an endpoint.
    pub fn with_public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = url.into();
        self
    }

    /// The public key in PEM, as OSS publishes its own.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The URL that callbacks name in x-oss-pub-key-url, before it is Base64.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The Authorization header of a callback to this request target, path and query, with this body.
    pub fn sign(&self, target: &str, body: &[u8]) -> String {
        let digest = Md5::digest(string_to_sign(target, body));
        let padding = Pkcs1v15Sign {
            hash_len: Some(digest.len()),
            prefix: MD5_PREFIX.into(),
        };
        let signature = self
            .private
            .sign(padding, &digest)
            .expect("the key is long enough for MD5");
        STANDARD.encode(signature)
    }
}

/// The path decoded once, the query as it stands with its `?`, a line feed, the body.
fn string_to_sign(target: &str, body: &[u8]) -> Vec<u8> {
    let query = target.find('?').unwrap_or(target.len());
    let (path, query) = target.split_at(query);
    let mut text: Vec<u8> = percent_decode_str(path).collect();
    text.extend_from_slice(query.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(body);
    text
}

#[cfg(test)]
mod tests {
    use rsa::{RsaPublicKey, pkcs8::DecodePublicKey};
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/callback_signature.json")).unwrap()
    }

    fn body(row: &Value) -> Vec<u8> {
        match row["body_utf8"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => STANDARD
                .decode(row["body_base64"].as_str().unwrap())
                .unwrap(),
        }
    }

    #[test]
    fn strings_to_sign_are_those_of_the_vectors() {
        let file = vectors();
        let rows = file["vectors"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let text = string_to_sign(row["request_target"].as_str().unwrap(), &body(row));
            let expected = row["string_to_verify_base64"].as_str().unwrap();
            assert_eq!(STANDARD.encode(text), expected, "{}", row["id"]);
        }
    }

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let file = vectors();
        let keys: Vec<CallbackKey> = file["test_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let pem = |field: &str| key[field].as_str().unwrap();
                let one = CallbackKey::from_pem(pem("private_pkcs1_pem"), "").unwrap();
                let other = CallbackKey::from_pem(pem("private_pkcs8_pem"), "").unwrap();
                assert_eq!(one.sign("/a?b", b"c"), other.sign("/a?b", b"c"));
                assert_eq!(one.public_pem(), pem("public_pem"));
                one
            })
            .collect();
        let mut compared = 0;
        for row in file["vectors"].as_array().unwrap() {
            if row["expect"]["valid"] != true || row["captured"] == true {
                continue;
            }
            // The row names its key by URL; the text of the key is what we hold.
            let public: Vec<&str> = row["public_keys"]
                .as_object()
                .unwrap()
                .values()
                .map(|pem| pem.as_str().unwrap())
                .collect();
            let Some(key) = keys.iter().find(|key| public.contains(&key.public_pem())) else {
                panic!("{}: no private key", row["id"]);
            };
            let authorization = row["headers"]
                .as_array()
                .unwrap()
                .iter()
                .find(|header| {
                    header[0]
                        .as_str()
                        .unwrap()
                        .eq_ignore_ascii_case("authorization")
                })
                .unwrap()[1]
                .as_str()
                .unwrap();
            let target = row["request_target"].as_str().unwrap();
            assert_eq!(key.sign(target, &body(row)), authorization, "{}", row["id"]);
            compared += 1;
        }
        assert!(compared >= 5, "{compared}");
    }

    #[test]
    fn a_key_it_makes_signs_and_verifies() {
        let key = CallbackKey::generate(512, "http://keys.example.com").unwrap();
        assert_eq!(
            key.public_url(),
            "http://keys.example.com/callback_pub_key_v1.pem"
        );
        let public = RsaPublicKey::from_public_key_pem(key.public_pem()).unwrap();
        assert_eq!(public.size() * 8, 512);
        let signature = STANDARD.decode(key.sign("/%41?a=%41", b"body")).unwrap();
        let padding = Pkcs1v15Sign {
            hash_len: Some(16),
            prefix: MD5_PREFIX.into(),
        };
        public
            .verify(padding, &Md5::digest(b"/A?a=%41\nbody"), &signature)
            .unwrap();
    }

    #[test]
    fn keys_that_cannot_sign_are_refused() {
        assert!(CallbackKey::generate(256, "").is_err());
        assert!(CallbackKey::from_pem("not a key", "").is_err());
        assert!(
            CallbackKey::from_pem(
                vectors()["test_keys"][0]["public_pem"].as_str().unwrap(),
                ""
            )
            .is_err()
        );
    }
}
