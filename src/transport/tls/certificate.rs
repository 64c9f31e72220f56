//! The few members of a certificate that rustls does not show: its validity, its purposes, its key (RFC 5280, 4.1).

/// `id-kp-serverAuth` and `anyExtendedKeyUsage`, the contents of their OIDs.
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// `id-ce-extKeyUsage`.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]` and `[3]`, constructed.
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;

/// DER that is read element by element.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element: its tag, its contents, and all of it.
    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let add = |sum, byte: &u8| sum << 8 | usize::from(*byte);
                (len.iter().fold(0, add), rest)
            }
            _ => return None,
        };
        let (contents, after) = rest.split_at_checked(len)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some((tag, contents, whole))
    }

    /// The contents of the next element, which has this tag.
    fn contents(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.optional(tag)
    }

    /// The same, if it is the next one.
    fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = Der(self.0);
        let (_, contents, _) = ahead.next().filter(|(found, ..)| *found == tag)?;
        *self = ahead;
        Some(contents)
    }

    /// Whether one of the OIDs here is for servers.
    fn has_server_auth(mut self) -> bool {
        std::iter::from_fn(|| self.next())
            .any(|(tag, oid, _)| tag == OID && (oid == SERVER_AUTH || oid == ANY_PURPOSE))
    }
}

/// What is looked at of a certificate. Times are in seconds since 1970; before it they are 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate<'a> {
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    /// SubjectPublicKeyInfo, whole.
    pub(super) key: &'a [u8],
    /// May be a server's.
    pub(super) for_servers: bool,
}

impl<'a> Certificate<'a> {
    /// `None` if it is no certificate.
    pub(super) fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        let mut signed = Der(Der(der).contents(SEQUENCE)?);
        let mut members = Der(signed.contents(SEQUENCE)?);
        let _version = members.optional(CONTEXT_0);
        let (_serial, _algorithm, _issuer) = (members.next()?, members.next()?, members.next()?);
        let mut validity = Der(members.contents(SEQUENCE)?);
        let (before, after) = (validity.next()?, validity.next()?);
        let _subject = members.next()?;
        let (_, _, key) = members.next()?;
        let mut for_servers = true;
        while let Some((tag, contents, _)) = members.next() {
            if tag == CONTEXT_3 {
                let mut extensions = Der(Der(contents).contents(SEQUENCE)?);
                while let Some((_, extension, _)) = extensions.next() {
                    let mut extension = Der(extension);
                    if extension.contents(OID)? == EXTENDED_KEY_USAGE {
                        let _critical = extension.optional(BOOLEAN);
                        let mut value = Der(extension.contents(OCTET_STRING)?);
                        for_servers = Der(value.contents(SEQUENCE)?).has_server_auth();
                    }
                }
            }
        }
        Some(Certificate {
            not_before: seconds(before.0, before.1)?,
            not_after: seconds(after.0, after.1)?,
            key,
            for_servers,
        })
    }
}

/// The certificate of a `TRUSTED CERTIFICATE`, and whether OpenSSL would trust it with servers. What follows it is CertAux:
/// a list of purposes for which it is trusted, and one of those for which it is not.
pub(super) fn trusted(der: &[u8]) -> Option<(&[u8], bool)> {
    let mut elements = Der(der);
    let (_, _, certificate) = elements.next()?;
    let mut aux = match elements.next() {
        None => return Some((certificate, true)),
        Some((SEQUENCE, aux, _)) => Der(aux),
        Some(_) => return None,
    };
    let trust = aux.optional(SEQUENCE);
    let reject = aux.optional(CONTEXT_0);
    let trusts = trust.is_none_or(|purposes| Der(purposes).has_server_auth());
    let rejects = reject.is_some_and(|purposes| Der(purposes).has_server_auth());
    Some((certificate, trusts && !rejects))
}

/// `YYMMDDHHMMSSZ` or, with four digits of the year, GeneralizedTime.
fn seconds(tag: u8, text: &[u8]) -> Option<u64> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let year = digits(text.get(..2)?)?;
            (
                if year < 50 { 2000 + year } else { 1900 + year },
                &text[2..],
            )
        }
        GENERALIZED_TIME => (digits(text.get(..4)?)?, &text[4..]),
        _ => return None,
    };
    let rest = rest.strip_suffix(b"Z").filter(|rest| rest.len() == 10)?;
    let mut pairs = [0; 5];
    for (pair, text) in pairs.iter_mut().zip(rest.chunks(2)) {
        *pair = digits(text)?;
    }
    let [month, day, hour, minute, second] = pairs;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 0000-03-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
    let of_day = 3_600 * hour + 60 * minute + second;
    Some((86_400 * days + of_day).saturating_sub(86_400 * 719_468))
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| 10 * sum + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", Some(0)),
            (UTC_TIME, "000229120000Z", Some(951_825_600)),
            (UTC_TIME, "261129105516Z", Some(1_795_949_716)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (UTC_TIME, "701301000000Z", None),
            (UTC_TIME, "7001010000Z", None),
            (UTC_TIME, "700101000000+0000", None),
            (UTC_TIME, "7001010000é0Z", None),
            (OID, "700101000000Z", None),
            (UTC_TIME, "", None),
        ] {
            assert_eq!(seconds(tag, text.as_bytes()), expected, "{text}");
        }
    }

    /// A certificate as rcgen makes it, for which this is read another way.
    fn made(purposes: Vec<rcgen::ExtendedKeyUsagePurpose>) -> (rcgen::Certificate, Vec<u8>) {
        let mut parameters = rcgen::CertificateParams::new(["a.example.com".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(1999, 12, 31);
        parameters.not_after = rcgen::date_time_ymd(2051, 3, 1);
        parameters.extended_key_usages = purposes;
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&pair).unwrap();
        (
            certificate,
            rcgen::PublicKeyData::subject_public_key_info(&pair),
        )
    }

    #[test]
    fn a_certificate_is_read_as_it_was_made() {
        use rcgen::ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
        for (purposes, for_servers) in [
            (vec![], true),
            (vec![ClientAuth], false),
            (vec![ClientAuth, ServerAuth], true),
            (vec![Any], true),
        ] {
            let (certificate, key) = made(purposes);
            let expected = Certificate {
                not_before: 946_598_400,
                not_after: 2_561_241_600,
                key: &key,
                for_servers,
            };
            assert_eq!(Certificate::parse(certificate.der()), Some(expected));
        }
    }

    #[test]
    fn no_prefix_and_no_changed_byte_of_a_certificate_is_a_panic() {
        let (certificate, _) = made(vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth]);
        let der = certificate.der();
        for len in 0..der.len() {
            assert_eq!(Certificate::parse(&der[..len]), None, "{len}");
            let mut changed = der.to_vec();
            for byte in [0, 0x30, 0x7f, 0x83, 0xff] {
                changed[len] = byte;
                let _ = (Certificate::parse(&changed), trusted(&changed));
            }
        }
    }

    #[test]
    fn openssl_s_trust_settings_decide() {
        let purpose = |oid: &[u8]| [&[OID, oid.len() as u8], oid].concat();
        let list = |tag, contents: Vec<u8>| [&[tag, contents.len() as u8][..], &contents].concat();
        let client = purpose(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
        let (server, any) = (purpose(SERVER_AUTH), purpose(ANY_PURPOSE));
        let certificate = list(SEQUENCE, vec![5, 0]);
        let alias = vec![0x0c, 1, b'a'];
        for (aux, expected) in [
            (None, true),
            (Some(vec![]), true),
            (Some(alias.clone()), true),
            (Some(list(SEQUENCE, server.clone())), true),
            (Some(list(SEQUENCE, any.clone())), true),
            (Some(list(SEQUENCE, client.clone())), false),
            (Some(list(CONTEXT_0, client.clone())), true),
            (Some(list(CONTEXT_0, server.clone())), false),
            (
                Some([list(SEQUENCE, server), list(CONTEXT_0, any), alias].concat()),
                false,
            ),
        ] {
            let aux = aux.map(|aux| list(SEQUENCE, aux)).unwrap_or_default();
            let der = [certificate.clone(), aux].concat();
            assert_eq!(trusted(&der), Some((&certificate[..], expected)));
        }
    }
}
