//! The codes that functions return, and what becomes of an `ErrorKind`.

use libc::c_char;

use crate::ErrorKind;

/// What a function returns. Zero is success, so `if (code)` tests for failure.
///
/// A code names only the cause; oss_callback_error_stored says whether the object is stored. Values are
/// never changed or reused. New ones may be added, so a `switch` needs a `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_code {
    /// Success.
    Ok = 0,

    /// An argument is missing, malformed or out of range. Nothing was sent.
    InvalidArgument = 1,
    /// The callback or its variables break OSS's rules. Nothing was sent.
    InvalidCallback = 2,
    /// The credentials hook or the signer hook failed. This attempt sent nothing.
    CredentialsFailed = 3,

    /// The endpoint's name could not be resolved to an address.
    Resolve = 20,
    /// The connection was refused, the host is unreachable, or the system gave up. Or a proxy refused: then
    /// oss_callback_error_status is the proxy's.
    Connect = 21,
    /// The TLS handshake failed, most often because of the certificate.
    Tls = 22,
    /// A time limit of the client or of the options expired.
    Timeout = 23,
    /// The connection ended before the answer did.
    ConnectionLost = 24,
    /// The peer broke the rules of HTTP, sent something that can be read in two ways, answered before it
    /// had the request, or reported success before it had the whole object.
    Protocol = 25,
    /// An HTTP answer that is not from OSS, or that OSS does not give to this request. An answer without a
    /// request id (x-oss-request-id) comes from a login page, a proxy, a CDN or another server and says
    /// nothing about the object; the message shows its status, Content-Type and first words. A success
    /// without an ETag is not from OSS either.
    UnexpectedAnswer = 26,

    /// OSS refused the request: a 4xx that no other code names, or a redirect that names the bucket's
    /// endpoint.
    Refused = 40,
    /// OSS refused the credentials or the signature, or the credentials lack the permission (401, 403).
    AccessDenied = 41,
    /// The bucket or the object does not exist (404).
    NotFound = 42,
    /// The request conflicts with what is stored, for example because of x-oss-forbid-overwrite (409).
    Conflict = 43,
    /// OSS or a server in front of it failed (5xx, or an error document in place of a completed upload).
    ServerError = 50,

    /// OSS answered HTTP 203 to a request that has a callback: the object IS STORED, but the application
    /// server was not reached or did not agree.
    CallbackFailed = 60,
    /// The CRC-64 that OSS computed differs from the one computed while sending or receiving. An object
    /// that was sent IS STORED, with other contents. If a part was sent, nothing is stored.
    ChecksumMismatch = 61,
    /// The object is stored and the callback was answered, but the answer was cut short or is too long.
    AnswerDamaged = 62,

    /// The caller cancelled the request.
    Cancelled = 63,

    /// A local file or descriptor cannot be opened or read, or the read hook failed.
    BodyUnreadable = 70,
    /// A local file changed while it was sent, or the body was shorter or longer than announced.
    BodyChanged = 71,
    /// The destination of a download refused the data.
    WriteFailed = 72,
    /// Another upload is using the checkpoint.
    CheckpointInUse = 73,
    /// The checkpoint cannot be read or written, or is a file that this library did not write.
    CheckpointFailed = 74,

    /// A request to the application server is not POST, so it is not a callback.
    WrongMethod = 80,
    /// The body of a request to the application server is over the limit.
    BodyTooLarge = 81,
    /// A request to the application server has no Authorization, so nothing is signed.
    MissingAuthorization = 82,
    /// A request to the application server has no x-oss-pub-key-url.
    MissingPubKeyUrl = 83,
    /// x-oss-pub-key-url is not a URL on OSS's key host, so no key was fetched.
    BadPubKeyUrl = 84,
    /// The key could not be obtained, so it is not known whether the callback is valid.
    KeyUnavailable = 85,
    /// Authorization is not Base64.
    BadSignatureEncoding = 86,
    /// The signature does not match the request.
    BadSignature = 87,
    /// The body of a callback cannot be read, or can be read in more than one way.
    BadBody = 88,

    /// A callback carries no seal.
    SealMissing = 90,
    /// A callback was sealed with a key that the sealer does not have.
    UnknownSealKey = 91,
    /// A seal is forged or damaged, or belongs to another bucket or object, or to other variables.
    BadSeal = 92,
    /// The sealed permission has expired.
    SealExpired = 93,
    /// The seal does not permit the object's size.
    SealViolated = 94,
    /// The replay guard cannot tell whether the callback was seen before.
    ReplayUnknown = 95,
    /// The object does not exist, or differs from what the callback says.
    NotConfirmed = 96,

    /// A bug in this library. Please report it.
    Internal = 99,
}

impl From<ErrorKind> for oss_callback_code {
    fn from(kind: ErrorKind) -> Self {
        // Without a wildcard: a new kind must not compile before it has a code.
        match kind {
            ErrorKind::InvalidArgument => Self::InvalidArgument,
            ErrorKind::InvalidCallback => Self::InvalidCallback,
            ErrorKind::CredentialsFailed => Self::CredentialsFailed,
            ErrorKind::Resolve => Self::Resolve,
            ErrorKind::Connect => Self::Connect,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::ConnectionLost => Self::ConnectionLost,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Protocol => Self::Protocol,
            ErrorKind::UnexpectedAnswer => Self::UnexpectedAnswer,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::AccessDenied => Self::AccessDenied,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::ServerError => Self::ServerError,
            ErrorKind::CallbackFailed => Self::CallbackFailed,
            ErrorKind::ChecksumMismatch => Self::ChecksumMismatch,
            ErrorKind::AnswerDamaged => Self::AnswerDamaged,
            ErrorKind::BodyUnreadable => Self::BodyUnreadable,
            ErrorKind::BodyChanged => Self::BodyChanged,
            ErrorKind::WriteFailed => Self::WriteFailed,
            ErrorKind::CheckpointInUse => Self::CheckpointInUse,
            ErrorKind::CheckpointFailed => Self::CheckpointFailed,
            ErrorKind::WrongMethod => Self::WrongMethod,
            ErrorKind::BodyTooLarge => Self::BodyTooLarge,
            ErrorKind::MissingAuthorization => Self::MissingAuthorization,
            ErrorKind::MissingPubKeyUrl => Self::MissingPubKeyUrl,
            ErrorKind::BadPubKeyUrl => Self::BadPubKeyUrl,
            ErrorKind::KeyUnavailable => Self::KeyUnavailable,
            ErrorKind::BadSignatureEncoding => Self::BadSignatureEncoding,
            ErrorKind::BadSignature => Self::BadSignature,
            ErrorKind::BadBody => Self::BadBody,
            ErrorKind::SealMissing => Self::SealMissing,
            ErrorKind::UnknownSealKey => Self::UnknownSealKey,
            ErrorKind::BadSeal => Self::BadSeal,
            ErrorKind::SealExpired => Self::SealExpired,
            ErrorKind::SealViolated => Self::SealViolated,
            ErrorKind::ReplayUnknown => Self::ReplayUnknown,
            ErrorKind::NotConfirmed => Self::NotConfirmed,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// The codes with their names, once.
macro_rules! names {
    ($($variant:ident => $name:literal,)*) => {
        /// The name of a value, with its NUL.
        fn name(code: u32) -> &'static str {
            $(if code == oss_callback_code::$variant as u32 {
                return concat!($name, "\0");
            })*
            "UNKNOWN\0"
        }

        #[cfg(test)]
        const ALL: &[oss_callback_code] = &[$(oss_callback_code::$variant),*];
    };
}

names! {
    Ok => "OK",
    InvalidArgument => "INVALID_ARGUMENT",
    InvalidCallback => "INVALID_CALLBACK",
    CredentialsFailed => "CREDENTIALS_FAILED",
    Resolve => "RESOLVE",
    Connect => "CONNECT",
    Tls => "TLS",
    Timeout => "TIMEOUT",
    ConnectionLost => "CONNECTION_LOST",
    Protocol => "PROTOCOL",
    UnexpectedAnswer => "UNEXPECTED_ANSWER",
    Refused => "REFUSED",
    AccessDenied => "ACCESS_DENIED",
    NotFound => "NOT_FOUND",
    Conflict => "CONFLICT",
    ServerError => "SERVER_ERROR",
    CallbackFailed => "CALLBACK_FAILED",
    ChecksumMismatch => "CHECKSUM_MISMATCH",
    AnswerDamaged => "ANSWER_DAMAGED",
    Cancelled => "CANCELLED",
    BodyUnreadable => "BODY_UNREADABLE",
    BodyChanged => "BODY_CHANGED",
    WriteFailed => "WRITE_FAILED",
    CheckpointInUse => "CHECKPOINT_IN_USE",
    CheckpointFailed => "CHECKPOINT_FAILED",
    WrongMethod => "WRONG_METHOD",
    BodyTooLarge => "BODY_TOO_LARGE",
    MissingAuthorization => "MISSING_AUTHORIZATION",
    MissingPubKeyUrl => "MISSING_PUB_KEY_URL",
    BadPubKeyUrl => "BAD_PUB_KEY_URL",
    KeyUnavailable => "KEY_UNAVAILABLE",
    BadSignatureEncoding => "BAD_SIGNATURE_ENCODING",
    BadSignature => "BAD_SIGNATURE",
    BadBody => "BAD_BODY",
    SealMissing => "SEAL_MISSING",
    UnknownSealKey => "UNKNOWN_SEAL_KEY",
    BadSeal => "BAD_SEAL",
    SealExpired => "SEAL_EXPIRED",
    SealViolated => "SEAL_VIOLATED",
    ReplayUnknown => "REPLAY_UNKNOWN",
    NotConfirmed => "NOT_CONFIRMED",
    Internal => "INTERNAL",
}

/// The name of a code without its prefix, such as "CALLBACK_FAILED", or "UNKNOWN" if this version has no
/// such code. The text is static. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_code_name(code: u32) -> *const c_char {
    name(code).as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_the_name_of_its_enumerator() {
        for code in ALL {
            let mut expected = String::new();
            for (index, letter) in format!("{code:?}").char_indices() {
                if index > 0 && letter.is_ascii_uppercase() {
                    expected.push('_');
                }
                expected.push(letter.to_ascii_uppercase());
            }
            assert_eq!(name(*code as u32), format!("{expected}\0"));
        }
        assert_eq!(name(12345), "UNKNOWN\0");
    }
}
