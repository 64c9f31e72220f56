//! Sealed variables: the proof that *we* permitted an upload, which OSS's signature is not. Pure, but for
//! the clock and the nonce.
//!
//! The format is documented in `docs/TRUSTING_A_CALLBACK.md`; `tests/vectors/callback_seal.json` holds known
//! answers that were computed without this code.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::body::CallbackBody;
use super::permission::{ObjectRule, Permission, SizeRule, seconds};
use super::verify::VerifiedCallback;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::spec::callback_spec::{CallbackSpec, CallbackSpecBuilder};
use crate::spec::template::{BodyType, TemplateValue, VARIABLES};

/// The variable that carries the seal.
const VARIABLE: &str = "seal";
const VERSION: &str = "v1";
/// Says what the MAC is for, so that the secret can do no harm elsewhere.
const DOMAIN: &str = "oss-callback seal";
const MIN_SECRET_LEN: usize = 32;
const MAX_KEY_ID_LEN: usize = 32;
/// A seal has some 120 bytes and the names of its variables.
const MAX_LEN: usize = 1024;

/// Seals callbacks on the application server, and checks the seals of those that come back.
///
/// A seal proves *we permitted this upload*: bucket, object or prefix, size, time and variables are those
/// that the holder of the secret has sealed. It does not prove that the upload took place, nor its ETag or
/// contents: see [`VerifiedCallback::confirm`]. A sealed spec is for one upload: see [`ReplayGuard`].
///
/// The secret stays on the application server; the uploader receives the finished spec and can change
/// nothing that is sealed. May be shared between threads.
///
/// ```
/// use std::time::Duration;
/// use oss_callback::CallbackSpec;
/// use oss_callback::callback::{Permission, Sealer};
///
/// let sealer = Sealer::new("2026-01", b"32 random bytes or more, not this")?;
/// let spec = sealer.seal(
///     CallbackSpec::builder()
///         .url("https://app.example.com/callback")
///         .body("bucket=${bucket}&object=${object}&size=${size}&user=${x:user}&seal=${x:seal}")
///         .variable("user", "4711"),
///     &Permission::object("examplebucket", "photos/4711.jpg")
///         .max_size(10 * 1024 * 1024)
///         .valid_for(Duration::from_secs(600)),
/// )?;
/// # Ok::<(), oss_callback::Error>(())
/// ```
///
/// And when the callback comes: `sealer.check(&verifier.verify(&request)?)?`.
///
/// [`ReplayGuard`]: super::ReplayGuard
#[derive(Clone)]
pub struct Sealer {
    /// The first seals; all are accepted.
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    secret: Vec<u8>,
}

impl Key {
    fn new(id: &str, secret: &[u8]) -> Result<Key> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !(1..=MAX_KEY_ID_LEN).contains(&id.len()) || !id.bytes().all(valid) {
            return Err(Error::argument(format!(
                "`key_id` must be 1 to {MAX_KEY_ID_LEN} of A-Z a-z 0-9 - _"
            )));
        }
        if secret.len() < MIN_SECRET_LEN {
            return Err(Error::argument(format!(
                "`secret` has {} bytes: at least {MIN_SECRET_LEN} random ones are needed",
                secret.len()
            )));
        }
        Ok(Key {
            id: id.to_owned(),
            secret: secret.to_vec(),
        })
    }
}

impl Sealer {
    /// Seals with this key. The id stands in every seal and is no secret; `secret` is at least 32 random
    /// bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for an id that is not 1 to 32 letters, digits, `-` and `_`, and for a
    /// shorter secret.
    pub fn new(key_id: &str, secret: &[u8]) -> Result<Sealer> {
        Ok(Sealer {
            keys: vec![Key::new(key_id, secret)?],
        })
    }

    /// Also accepts the seals of another key: the one before, until its seals have expired, or the next
    /// one, before the first server seals with it.
    ///
    /// # Errors
    ///
    /// As [`Sealer::new`], and for an id that is there already.
    pub fn accept(mut self, key_id: &str, secret: &[u8]) -> Result<Sealer> {
        if self.keys.iter().any(|key| key.id == key_id) {
            return Err(Error::argument(format!(
                "`key_id` {key_id:?} is given twice"
            )));
        }
        self.keys.push(Key::new(key_id, secret)?);
        Ok(self)
    }

    /// Builds a spec with a seal in the variable `x:seal`: for one upload.
    ///
    /// All variables of the builder are sealed. The body must carry `${bucket}`, `${object}`, `${size}`,
    /// `${x:seal}` and every variable under a name where [`CallbackBody`] finds them: OSS's own, or for
    /// variables also the bare name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`] when the body does not carry a sealed fact, and as
    /// [`CallbackSpecBuilder::build`]; [`ErrorKind::InvalidArgument`] when the permission lacks a size or an
    /// end, or has ended.
    pub fn seal(
        &self,
        builder: CallbackSpecBuilder,
        permission: &Permission,
    ) -> Result<CallbackSpec> {
        let now = seconds(SystemTime::now());
        if permission.expires.is_some_and(|end| end <= now) {
            return Err(Error::argument("`permission` has ended already"));
        }
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|e| {
            Error::new(
                ErrorKind::Internal,
                format!("the system has no random bytes: {e}"),
            )
        })?;
        self.seal_with(builder, permission, nonce)
    }

    fn seal_with(
        &self,
        builder: CallbackSpecBuilder,
        permission: &Permission,
        nonce: [u8; 16],
    ) -> Result<CallbackSpec> {
        let missing = |what: &str| Error::argument(format!("`permission` has no {what}"));
        let size = permission.size.ok_or_else(|| missing("size"))?;
        let expires = permission.expires.ok_or_else(|| missing("end"))?;
        let object = match &permission.object {
            ObjectRule::Exact(text) | ObjectRule::Prefix(text) => text,
        };
        if permission.bucket.is_empty() || object.is_empty() {
            return Err(missing("bucket, object or prefix"));
        }
        let mut variables = builder.variables().to_vec();
        variables.sort();
        let mut names = Vec::new();
        for (name, _) in &variables {
            let bare = name.strip_prefix("x:").unwrap_or_default();
            let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if bare.is_empty() || !bare.bytes().all(valid) {
                return Err(Error::new(
                    ErrorKind::InvalidCallback,
                    format!("`variable` {name:?} cannot be sealed: its name is not of a-z 0-9 _"),
                ));
            }
            names.push(bare);
        }
        let values: Vec<&str> = variables.iter().map(|(_, value)| value.as_str()).collect();

        let terms = Terms {
            key_id: self.keys[0].id.clone(),
            expires: expires.to_string(),
            object: match &permission.object {
                ObjectRule::Exact(_) => "o".to_owned(),
                ObjectRule::Prefix(prefix) => format!("p{}", prefix.len()),
            },
            size: match size {
                SizeRule::Exact(bytes) => format!("s{bytes}"),
                SizeRule::AtMost(bytes) => format!("m{bytes}"),
            },
            names: names.join(","),
            nonce: URL_SAFE_NO_PAD.encode(nonce),
        };
        let mac = terms.mac(
            &self.keys[0],
            &permission.bucket,
            object.as_bytes(),
            &values,
        );
        let mac = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let seal = format!("{}.{mac}", terms.text());
        if seal.len() > MAX_LEN {
            return Err(Error::new(
                ErrorKind::InvalidCallback,
                format!(
                    "`variable`: the names together are too long for a seal of {MAX_LEN} bytes"
                ),
            ));
        }
        let spec = builder.variable(VARIABLE, seal).build()?;
        check_template(&spec, &names)?;
        Ok(spec)
    }

    /// Checks the seal of a verified callback against what its body says, by the clock of this machine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadBody`], [`ErrorKind::SealMissing`], [`ErrorKind::UnknownSealKey`];
    /// [`ErrorKind::BadSeal`] when it is forged, or belongs to another bucket, object or variables;
    /// [`ErrorKind::SealExpired`]; [`ErrorKind::SealViolated`] when the object's size is not the permitted
    /// one.
    pub fn check(&self, verified: &VerifiedCallback) -> Result<SealedCallback> {
        self.check_at(verified, SystemTime::now())
    }

    /// As [`check`](Sealer::check), at another time.
    ///
    /// # Errors
    ///
    /// As [`check`](Sealer::check).
    pub fn check_at(&self, verified: &VerifiedCallback, now: SystemTime) -> Result<SealedCallback> {
        let bad = |problem: &str| Error::new(ErrorKind::BadSeal, format!("the seal {problem}"));
        let body = verified.parse()?;
        let Some(seal) = body.variable(VARIABLE).filter(|seal| !seal.is_empty()) else {
            return Err(Error::new(
                ErrorKind::SealMissing,
                "the callback carries no seal, so nobody here has permitted the upload",
            ));
        };
        let (terms, mac) = Terms::parse(seal).ok_or_else(|| bad("is damaged"))?;
        let Some(key) = self.keys.iter().find(|key| key.id == terms.key_id) else {
            return Err(Error::new(
                ErrorKind::UnknownSealKey,
                "the seal is of a key that is not known here",
            ));
        };
        let needed = |fact: Option<&str>, name| {
            fact.map(str::to_owned)
                .ok_or_else(|| bad(&format!("cannot be checked: the body has no `{name}`")))
        };
        let (bucket, object) = (
            needed(body.bucket(), "bucket")?,
            needed(body.object(), "object")?,
        );
        let size = body
            .size()
            .ok_or_else(|| bad("cannot be checked: the body has no `size`"))?;
        let mut variables = Vec::new();
        for name in terms.names() {
            let value = needed(body.variable(name), name)?;
            variables.push((name.to_owned(), value));
        }

        let rule = terms.size_rule().ok_or_else(|| bad("is damaged"))?;
        let expires = number(&terms.expires).ok_or_else(|| bad("is damaged"))?;
        // An end that no clock reaches would be none: the nonce could not be kept so long.
        let end = UNIX_EPOCH
            .checked_add(Duration::from_secs(expires))
            .ok_or_else(|| bad("ends after the end of time"))?;
        let nonce = decoded::<16>(&terms.nonce).ok_or_else(|| bad("is damaged"))?;
        let sealed_part = match terms.object.strip_prefix('p') {
            None => object.as_bytes(),
            Some(len) => number(len)
                .and_then(|len| object.as_bytes().get(..usize::try_from(len).ok()?))
                .ok_or_else(|| bad("is that of another object"))?,
        };
        let values: Vec<&str> = variables.iter().map(|(_, value)| value.as_str()).collect();
        // In constant time.
        terms
            .mac(key, &bucket, sealed_part, &values)
            .verify_slice(&mac)
            .map_err(|_| {
                bad("is not that of this bucket, object and variables, or of another secret")
            })?;

        if seconds(now) >= expires {
            return Err(Error::new(
                ErrorKind::SealExpired,
                format!("the permission ended {} s ago", seconds(now) - expires),
            ));
        }
        let within = match rule {
            SizeRule::Exact(bytes) => size == bytes,
            SizeRule::AtMost(bytes) => size <= bytes,
        };
        if !within {
            return Err(Error::new(
                ErrorKind::SealViolated,
                format!("the object has {size} bytes, which was not permitted"),
            ));
        }
        Ok(SealedCallback {
            key_id: terms.key_id,
            bucket,
            object,
            size,
            variables,
            expires: end,
            nonce,
            body_digest: Sha256::digest(verified.body()).into(),
        })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("Sealer")
            .field("key_ids", &ids)
            .finish_non_exhaustive()
    }
}

/// Whether a receiver finds everything that is sealed in the bodies that OSS will render: by rendering one
/// with other values, hostile ones, and reading it. What is not sealed has values as well, for it may make a
/// body unreadable.
fn check_template(spec: &CallbackSpec, names: &[&str]) -> Result<()> {
    let sealed: Vec<String> = ["bucket", "object", &format!("x:{VARIABLE}")]
        .into_iter()
        .map(str::to_owned)
        .chain(names.iter().map(|name| format!("x:{name}")))
        .collect();
    // For each name another.
    let odd = |name| (name, format!("a&{name}=\"c\"+%41\\,目"));
    let sealed_names = sealed.iter().map(String::as_str);
    let texts: Vec<(&str, String)> = sealed_names.chain(VARIABLES).map(odd).collect();
    let text = |name: &str| {
        let found = texts.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str())
    };
    let decoded = spec.decoded()?;
    let body_type = decoded.body_type;
    let body = decoded.body.render(body_type, |name| match name {
        "size" => Some(TemplateValue::Number(4711)),
        "imageInfo.height" | "imageInfo.width" => Some(TemplateValue::Number(1)),
        _ => text(name).map(TemplateValue::Text),
    })?;
    let fault = |name: &str| {
        let example = match body_type {
            BodyType::Form => format!("{name}=${{{name}}}"),
            BodyType::Json => format!("\"{name}\":${{{name}}}"),
        };
        Error::new(
            ErrorKind::InvalidCallback,
            format!(
                "`body` does not carry ${{{name}}} where a receiver finds it, so that the seal could not be \
                 checked: write {example}"
            ),
        )
    };
    let Ok(body) = CallbackBody::parse(Some(body_type.as_str()), body.as_bytes()) else {
        return Err(Error::new(
            ErrorKind::InvalidCallback,
            "`body` becomes a body that a receiver cannot read, so that the seal could not be checked",
        ));
    };
    for name in &sealed {
        let found = match name.as_str() {
            "bucket" => body.bucket(),
            "object" => body.object(),
            variable => body.variable(variable),
        };
        if found != text(name) {
            return Err(fault(name));
        }
    }
    if body.size() != Some(4711) {
        return Err(fault("size"));
    }
    Ok(())
}

/// What a seal says in clear, in its order.
struct Terms {
    key_id: String,
    expires: String,
    object: String,
    size: String,
    names: String,
    nonce: String,
}

impl Terms {
    fn text(&self) -> String {
        [
            VERSION,
            &self.key_id,
            &self.expires,
            &self.object,
            &self.size,
            &self.names,
            &self.nonce,
        ]
        .join(".")
    }

    /// The terms, and the MAC.
    fn parse(seal: &str) -> Option<(Terms, [u8; 32])> {
        if seal.len() > MAX_LEN {
            return None;
        }
        let parts: Vec<&str> = seal.splitn(9, '.').collect();
        let [VERSION, key_id, expires, object, size, names, nonce, mac] = parts[..] else {
            return None;
        };
        if object != "o" && !object.starts_with('p') {
            return None;
        }
        let terms = Terms {
            key_id: key_id.to_owned(),
            expires: expires.to_owned(),
            object: object.to_owned(),
            size: size.to_owned(),
            names: names.to_owned(),
            nonce: nonce.to_owned(),
        };
        Some((terms, decoded(mac)?))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.split(',').filter(|name| !name.is_empty())
    }

    fn size_rule(&self) -> Option<SizeRule> {
        match self.size.split_at_checked(1)? {
            ("s", bytes) => number(bytes).map(SizeRule::Exact),
            ("m", bytes) => number(bytes).map(SizeRule::AtMost),
            _ => None,
        }
    }

    /// Each field with its length before it, so that no two lists of fields look the same.
    fn mac(&self, key: &Key, bucket: &str, object: &[u8], values: &[&str]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key.secret).expect("HMAC takes a secret of any length");
        let mut add = |field: &[u8]| {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        };
        add(DOMAIN.as_bytes());
        for term in [
            VERSION,
            &self.key_id,
            &self.expires,
            &self.object,
            &self.size,
            &self.names,
            &self.nonce,
            bucket,
        ] {
            add(term.as_bytes());
        }
        add(object);
        for value in values {
            add(value.as_bytes());
        }
        mac
    }
}

/// Decimal digits without a sign or a zero in front.
fn number(text: &str) -> Option<u64> {
    let canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok())?
}

fn decoded<const N: usize>(base64: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(base64).ok()?.try_into().ok()
}

/// A callback whose upload was permitted here: what the seal covers, and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCallback {
    key_id: String,
    bucket: String,
    object: String,
    size: u64,
    variables: Vec<(String, String)>,
    expires: SystemTime,
    nonce: [u8; 16],
    body_digest: [u8; 32],
}

impl SealedCallback {
    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object: the permitted one, or one that begins with the permitted prefix.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// The size that the callback says, in bytes: within what was permitted. Whether the object has it is
    /// not proved.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// A sealed variable, with or without `x:` in front.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let name = name.strip_prefix("x:").unwrap_or(name);
        self.variables
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// All sealed variables, without `x:`.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The id of the key that sealed it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// When the permission ends.
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// 16 random bytes that no other seal has.
    pub fn nonce(&self) -> &[u8; 16] {
        &self.nonce
    }

    /// The SHA-256 of the body: callbacks with one nonce and one digest are one callback, delivered again.
    pub fn body_digest(&self) -> &[u8; 32] {
        &self.body_digest
    }
}

impl fmt::Debug for SealedCallback {
    /// Without the variables, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedCallback")
            .field("key_id", &self.key_id)
            .field("bucket", &self.bucket)
            .field("object", &self.object)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
