//! What can be said of an attempt: why it failed, whether the object is stored, whether the callback was
//! answered.

use std::time::Duration;

/// Why an operation failed.
///
/// The kind names the cause only. Whether the object is stored is said by
/// [`Error::stored`](crate::Error::stored), never by the kind: the same
/// [`Timeout`](ErrorKind::Timeout) may come before or after the last byte went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is missing, malformed or out of range. Nothing was sent.
    InvalidArgument,
    /// The callback or its variables break a rule of OSS. Nothing was sent.
    InvalidCallback,
    /// The credentials provider or the remote signer failed. This attempt sent nothing.
    CredentialsFailed,

    /// The endpoint's name could not be resolved to an address.
    Resolve,
    /// No connection: refused, unreachable, or given up by the system.
    Connect,
    /// The TLS handshake failed, most often because of the certificate.
    Tls,
    /// A time limit of the client ran out.
    Timeout,
    /// The connection ended before the answer did.
    ConnectionLost,
    /// The caller ended the request with a [`Cancellation`](crate::Cancellation).
    Cancelled,
    /// The peer does not speak HTTP properly or in a way that two readers could read differently, or it answered
    /// before it was asked, or success before it had the whole object.
    Protocol,
    /// An HTTP answer that is not OSS's, or that OSS does not give to this request. Without a request id
    /// (`x-oss-request-id`) it comes from a login page, a proxy, a CDN or another server, and says nothing of the
    /// object; the message shows its status, its Content-Type and its first words. A success without an ETag is
    /// none, either.
    UnexpectedAnswer,

    /// OSS refused the request: a 4xx that no other kind names, or a redirect that names the bucket's endpoint.
    Refused,
    /// OSS refused the credentials or the signature, or they lack the permission (401, 403).
    AccessDenied,
    /// The bucket or the object does not exist (404).
    NotFound,
    /// The request conflicts with what is stored, for example with `x-oss-forbid-overwrite` (409).
    Conflict,
    /// OSS or something before it failed (5xx, or an error document in place of a completed upload).
    ServerError,

    /// HTTP 203 of OSS to a request with a callback: the object **is stored**, but the application server was not reached or did not agree.
    CallbackFailed,
    /// The CRC-64 that OSS computed differs from the one computed while sending or receiving. An object that was
    /// sent **is stored**, with other contents; of a part nothing is.
    ChecksumMismatch,
    /// The object is stored and the callback was answered, but the answer was cut short or is too long.
    AnswerDamaged,

    /// A local file, or the caller's reader, cannot be opened or read.
    BodyUnreadable,
    /// A local file changed while it was sent; or the caller's reader was shorter or longer than it was said to be.
    BodyChanged,
    /// The destination of a download refused the data.
    WriteFailed,
    /// Another upload uses the checkpoint.
    CheckpointInUse,
    /// The checkpoint cannot be read or written, or is a file of somebody else's.
    CheckpointFailed,

    /// A request at the application server is not POST, so it is no callback.
    WrongMethod,
    /// The body of a request at the application server is over the limit.
    BodyTooLarge,
    /// A request at the application server has no `Authorization`, so nothing is signed.
    MissingAuthorization,
    /// A request at the application server has no `x-oss-pub-key-url`.
    MissingPubKeyUrl,
    /// `x-oss-pub-key-url` is not a URL on OSS's key host, so no key was asked for.
    BadPubKeyUrl,
    /// The key could not be had: the callback is neither valid nor invalid.
    KeyUnavailable,
    /// `Authorization` is not Base64.
    BadSignatureEncoding,
    /// The signature is not that of this request.
    BadSignature,
    /// The body of a callback cannot be read, or not in one way only.
    BadBody,

    /// A callback carries no seal.
    SealMissing,
    /// A callback carries the seal of a key that the [`Sealer`](crate::callback::Sealer) does not have.
    UnknownSealKey,
    /// A seal is forged or damaged, or belongs to another bucket, object or other variables.
    BadSeal,
    /// The permission that was sealed has ended.
    SealExpired,
    /// The object's size is not the one that was sealed.
    SealViolated,
    /// The replay guard is full or its store fails: it is not known whether the callback was seen before.
    ReplayUnknown,
    /// The object is not there, or not as the callback says.
    NotConfirmed,

    /// A fault of this library. Please report it.
    Internal,
}

/// Did this operation store the object?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stored {
    /// No. Sending again cannot store it twice.
    No,
    /// Yes.
    Yes,
    /// It cannot be known from here: the answer was lost. Look with
    /// [`Client::reconcile`](crate::Client::reconcile) before you send again.
    Unknown,
}

/// Did OSS accept the application server's answer to the callback?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answered {
    /// The request carried no callback.
    NotRequested,
    /// Yes: the application server answered, and OSS passed its answer on.
    Yes,
    /// No. With [`ErrorKind::CallbackFailed`] the application server may have received the callback all
    /// the same: it may have answered too late, or with something that OSS does not accept.
    No,
    /// It cannot be known from here: the answer was lost.
    Unknown,
}

/// An attempt that failed and was followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Why it failed.
    pub kind: ErrorKind,
    /// Whether it stored the object.
    pub stored: Stored,
    /// Whether its callback was answered.
    pub answered: Answered,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// How long the head of the answer was waited for.
    pub waited: Duration,
}
