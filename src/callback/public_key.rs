//! An RSA public key and the one thing done with it: opening a signature. Pure.
//!
//! OSS signs with 512 bits and MD5, which TLS libraries refuse for good reasons; so the modular
//! exponentiation is a big-integer crate's, and the padding is compared whole, never parsed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use crate::outcome::error::{Error, Result};

/// The DigestInfo of MD5 in PKCS #1 v1.5 (RFC 8017, 9.2), up to the digest itself.
const MD5_DIGEST_INFO: [u8; 18] = [
    0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00,
    0x04, 0x10,
];
/// AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279, 2.3.1): the OID 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const MODULUS_BITS: std::ops::RangeInclusive<u64> = 512..=4096;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// A public key that verifies callbacks: RSA, 512 to 4096 bits. A clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    modulus: BigUint,
    exponent: BigUint,
}

impl PublicKey {
    /// Reads a key in the form that OSS publishes: `-----BEGIN PUBLIC KEY-----`, SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is anything else.
    pub fn from_pem(pem: &str) -> Result<PublicKey> {
        let invalid = |problem: &str| Error::argument(format!("`pem` {problem}"));
        let (_, rest) = pem
            .split_once("-----BEGIN PUBLIC KEY-----")
            .ok_or_else(|| invalid("has no `-----BEGIN PUBLIC KEY-----`"))?;
        let (base64, _) = rest
            .split_once("-----END PUBLIC KEY-----")
            .ok_or_else(|| invalid("has no `-----END PUBLIC KEY-----`"))?;
        let base64: String = base64.split_ascii_whitespace().collect();
        let der = STANDARD
            .decode(base64)
            .map_err(|_| invalid("is not Base64"))?;
        let (modulus, exponent) =
            rsa_key(&der).ok_or_else(|| invalid("is not an RSA public key"))?;
        if !MODULUS_BITS.contains(&modulus.bits()) {
            return Err(invalid(&format!(
                "has a key of {} bits: 512 to 4096 are taken",
                modulus.bits()
            )));
        }
        // 3 to 2^32: a larger exponent is nobody's, and would only cost time.
        if !modulus.bit(0) || !exponent.bit(0) || !(2..=32).contains(&exponent.bits()) {
            return Err(invalid("has a modulus or an exponent that no RSA key has"));
        }
        Ok(PublicKey(Arc::new(Inner { modulus, exponent })))
    }

    /// The size of the modulus, and of every signature, in bytes.
    fn len(&self) -> usize {
        self.0.modulus.bits().div_ceil(8) as usize
    }

    /// What the private key has signed, padding and all; `None` for bytes that cannot be a signature.
    pub(super) fn open(&self, signature: &[u8]) -> Option<Signed> {
        let number = BigUint::from_bytes_be(signature);
        if signature.len() != self.len() || number >= self.0.modulus {
            return None;
        }
        let opened = number.modpow(&self.0.exponent, &self.0.modulus);
        let digits = opened.to_bytes_be();
        // `digits` is shorter than the modulus by its leading zeros.
        let mut block = vec![0; self.len() - digits.len()];
        block.extend(digits);
        Some(Signed(block))
    }
}

/// The block inside a signature.
pub(super) struct Signed(Vec<u8>);

impl Signed {
    /// Whether this is the block of an MD5 digest: every byte of it, padding included.
    pub(super) fn is_of_md5(&self, digest: &[u8; 16]) -> bool {
        let tail = MD5_DIGEST_INFO.len() + digest.len();
        // 512 bits and more: there is always room for eight bytes of FF.
        let filling = self.0.len() - 3 - tail;
        let mut expected = vec![0, 1];
        expected.resize(2 + filling, 0xff);
        expected.push(0);
        expected.extend(MD5_DIGEST_INFO);
        expected.extend(digest);
        self.0 == expected
    }
}

/// Modulus and exponent of a SubjectPublicKeyInfo (RFC 5280, 4.1), which must be nothing else.
fn rsa_key(der: &[u8]) -> Option<(BigUint, BigUint)> {
    let info = whole(der, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    // No bits are left over in the last byte.
    let key = whole(rest, BIT_STRING)?.strip_prefix(&[0])?;
    if algorithm != RSA_ENCRYPTION {
        return None;
    }
    let (modulus, rest) = element(whole(key, SEQUENCE)?, INTEGER)?;
    Some((positive(modulus)?, positive(whole(rest, INTEGER)?)?))
}

/// The contents of the element that `der` consists of.
fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    element(der, tag)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(contents, _)| contents)
}

/// The contents of the first element, and what follows it. Lengths of up to two bytes are enough for any
/// key that is taken.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (len, rest) = match *rest {
        [len @ 0..=0x7f, ref rest @ ..] => (usize::from(len), rest),
        // The shortest form is the only one.
        [0x81, len @ 0x80..=0xff, ref rest @ ..] => (usize::from(len), rest),
        [0x82, high @ 1..=0xff, low, ref rest @ ..] => {
            (usize::from(u16::from_be_bytes([high, low])), rest)
        }
        _ => return None,
    };
    (*found == tag).then(|| rest.split_at_checked(len))?
}

fn positive(integer: &[u8]) -> Option<BigUint> {
    (integer.first()? < &0x80).then(|| BigUint::from_bytes_be(integer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn pems() -> Vec<String> {
        let file = vectors::file("callback_signature.json");
        let keys = file["test_keys"].as_array().unwrap().iter();
        keys.map(|key| key["public_pem"].as_str().unwrap().to_owned())
            .chain([file["production_public_key"]["pem"]
                .as_str()
                .unwrap()
                .to_owned()])
            .collect()
    }

    #[test]
    fn keys_of_every_size_are_read() {
        let bits: Vec<u64> = pems()
            .iter()
            .map(|pem| PublicKey::from_pem(pem).unwrap().0.modulus.bits())
            .collect();
        assert_eq!(bits, [512, 1024, 2048, 512]);
        let file = vectors::file("callback_signature.json");
        let production = PublicKey::from_pem(&pems()[3]).unwrap();
        assert_eq!(
            format!("{:x}", production.0.modulus),
            file["production_public_key"]["modulus_hex"]
                .as_str()
                .unwrap()
        );
        assert_eq!(production.0.exponent, BigUint::from(65537_u32));
    }

    #[test]
    fn what_is_not_such_a_key_is_refused() {
        let pem = &pems()[0];
        let base64: String = pem.lines().filter(|line| !line.contains("-----")).collect();
        let der = STANDARD.decode(base64).unwrap();
        let encode = |der: &[u8]| {
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
                STANDARD.encode(der)
            )
        };
        assert!(PublicKey::from_pem(&encode(&der)).is_ok());
        // No bit outside the two numbers may be another one, and nothing may be missing or follow.
        // With the zero in front, which keeps the number positive.
        let modulus = der.len() - 5 - 65..der.len() - 5;
        for bit in 0..der.len() * 8 {
            let mut changed = der.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let read = PublicKey::from_pem(&encode(&changed));
            let inside = modulus.contains(&(bit / 8)) || bit / 8 >= der.len() - 3;
            assert!(inside || read.is_err(), "bit {bit}");
        }
        for len in 0..der.len() {
            assert!(PublicKey::from_pem(&encode(&der[..len])).is_err(), "{len}");
        }
        assert!(PublicKey::from_pem(&encode(&[&der[..], &[0]].concat())).is_err());
        for text in [
            "",
            "not a key",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----!-----END PUBLIC KEY-----",
        ] {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_that_is_not_below_the_modulus_is_no_signature() {
        let key = PublicKey::from_pem(&pems()[0]).unwrap();
        let modulus = key.0.modulus.to_bytes_be();
        assert!(key.open(&modulus).is_none());
        assert!(key.open(&[0xff; 64]).is_none());
        assert!(key.open(&modulus[1..]).is_none());
        assert!(key.open(&[&[0], &[1; 64][..]].concat()).is_none());
        assert!(key.open(&[0; 64]).is_some());
        assert!(key.open(&[]).is_none());
    }
}
