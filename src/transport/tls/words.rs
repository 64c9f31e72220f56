//! What went wrong with TLS, in words that say what to look at.

use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use crate::base::dates::iso8601_basic;

/// A certificate may have thousands.
const MAX_NAMES: usize = 5;
const MAX_NAME_LEN: usize = 100;

/// Whether an alert says that the server did not accept the handshake or our certificate. With TLS 1.3 such an alert comes
/// after our side is done, maybe while the body goes out; a server that sends it has read nothing of that.
pub(super) fn is_about_the_handshake(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::HandshakeFailure
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::ProtocolVersion
            | Alert::InsufficientSecurity
            | Alert::InappropriateFallback
            | Alert::MissingExtension
            | Alert::UnsupportedExtension
            | Alert::UnrecognisedName
            | Alert::UnknownPSKIdentity
            | Alert::CertificateRequired
            | Alert::NoApplicationProtocol
            | Alert::EncryptedClientHelloRequired
    )
}

/// An error of rustls.
pub(super) fn of(error: &Error) -> String {
    match error {
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidCertificate(problem) => of_certificate(problem),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::FailedToGetCurrentTime => {
            "this machine's clock is before 1970, so that no certificate can be checked: set it"
                .to_owned()
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port; maybe it speaks http".to_owned()
        }
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            "the server speaks neither TLS 1.2 nor 1.3".to_owned()
        }
        other => other.to_string(),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let meaning = match alert {
        Alert::CertificateRequired | Alert::NoCertificate => {
            "the server wants a client certificate (`client_certificate`)"
        }
        Alert::UnknownCA => "the server does not trust whoever has signed the client certificate",
        Alert::CertificateExpired => "to the server the client certificate has expired",
        Alert::CertificateRevoked => "the client certificate was revoked",
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            "the server does not accept the client certificate, or wants one (`client_certificate`)"
        }
        Alert::DecryptError => {
            "the server cannot verify the client certificate, or a signature of the handshake"
        }
        Alert::AccessDenied => "the server does not admit this client, or its certificate",
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "the server and this library have no cipher in common, or the server wants a client certificate \
             (`client_certificate`)"
        }
        Alert::ProtocolVersion => "the server speaks neither TLS 1.2 nor 1.3",
        Alert::UnrecognisedName => "the server does not know this host name",
        _ => "the server ended it",
    };
    format!("{meaning}: alert {alert:?}")
}

fn of_certificate(problem: &CertificateError) -> String {
    match problem {
        CertificateError::UnknownIssuer => {
            "the server's certificate is signed by nobody who is trusted here: give its authority as `ca_bundle`, or \
             have the server send its intermediate certificates"
                .to_owned()
        }
        CertificateError::NotValidForName => {
            "the server's certificate is for another host name".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => of_names(presented),
        CertificateError::Expired => "the server's certificate has expired".to_owned(),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the server's certificate has expired: it ended at {}, and this machine's clock says {}",
            date(*not_after),
            date(*time)
        ),
        CertificateError::NotValidYet => {
            "the server's certificate is not yet valid; maybe this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the server's certificate is not yet valid: it begins at {}, and this machine's clock says {}; maybe the \
             clock is wrong",
            date(*not_before),
            date(*time)
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not for servers: its extended key usage lacks serverAuth".to_owned()
        }
        CertificateError::BadEncoding => "the server's certificate is damaged".to_owned(),
        CertificateError::BadSignature => {
            "a signature in the server's certificates, or of its handshake, is wrong".to_owned()
        }
        // webpki's own, which rustls passes on without naming it.
        CertificateError::Other(other) => match &*other.0.to_string() {
            "CaUsedAsEndEntity" => {
                "the server shows the certificate of an authority (CA:TRUE) as its own: give that very certificate as \
                 `ca_bundle`"
                    .to_owned()
            }
            "UnsupportedCertVersion" => {
                "the server's certificate is of X.509 version 1, which names no host and is not supported: the server \
                 needs one of version 3 with a subjectAltName"
                    .to_owned()
            }
            other => format!("the server's certificate cannot be verified: {other}"),
        },
        other => format!("the server's certificate cannot be verified: {other}"),
    }
}

/// The names are the server's, so that they are shown neither whole nor as they are.
fn of_names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "the server's certificate names no host (it has no subjectAltName; a common name does not count)"
            .to_owned();
    }
    let mut shown: Vec<String> = Vec::new();
    for name in presented.iter().take(MAX_NAMES) {
        let bare = name
            .strip_prefix("DnsName(\"")
            .and_then(|name| name.strip_suffix("\")"));
        let address = name
            .strip_prefix("IpAddress(")
            .and_then(|name| name.strip_suffix(')'));
        let name = bare.or(address).unwrap_or(name).chars().take(MAX_NAME_LEN);
        shown.push(name.collect::<String>().escape_debug().to_string());
    }
    if presented.len() > MAX_NAMES {
        shown.push("…".to_owned());
    }
    format!(
        "the server's certificate is not for this host, but for {}",
        shown.join(", ")
    )
}

fn date(time: UnixTime) -> String {
    let since = Duration::from_secs(time.as_secs());
    // A certificate may last until the year 9999; what is beyond a system's clock is its beginning.
    iso8601_basic(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))
}
