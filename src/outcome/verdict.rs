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
    /// No connection: refused, unreachable, or given up by the system. Or a proxy refused: then
    /// [`Error::status`](crate::Error::status) is the proxy's.
    Connect,
    /// The TLS handshake failed, most often because of a certificate: the server's, the client's or a missing one. Nothing is
    /// stored, even if the server says so only after the request was sent, as TLS 1.3 allows.
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

/// The facts that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) last_write_started: bool,
    /// No answer can be one to the whole upload before that.
    pub(super) all_sent: bool,
    pub(super) callback: bool,
    pub(super) head: Option<Head>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) from_oss: bool,
    /// It is the status of a success.
    pub(super) success: bool,
    /// It has what a success of this request has: an ETag, and without a callback the document of a completion.
    pub(super) proven: bool,
    /// What shows a success stands in the body.
    pub(super) needs_document: bool,
    /// It holds an error document of OSS in place of that.
    pub(super) error_document: bool,
    /// It is a redirect that names another endpoint.
    pub(super) names_endpoint: bool,
    pub(super) crc_differs: bool,
    pub(super) body_complete: bool,
}

/// What was seen, in the words of the outcome table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    Success,
    /// The connection or the time ended before the head of an answer.
    NoAnswer,
    /// A success that came before OSS could have the whole object.
    TooEarly,
    /// It may be a success, but so little of it came that it does not show it.
    CutShort,
    Refused,
    /// Refused because the bucket has another endpoint.
    Redirected,
    ServerError,
    /// Somebody in between has answered, who knows nothing of the object.
    NotFromOss,
    /// OSS's, but not an answer that it gives to this request.
    Unexpected,
    ChecksumMismatch,
    AnswerDamaged,
    CallbackFailed,
}

/// What was seen of a part. Whatever it is, no object is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartRow {
    Kept,
    /// OSS keeps other contents than were sent.
    Differs,
    /// OSS may keep it, but its answer did not come whole.
    Damaged,
    /// As of any other request.
    Failed(Row),
}

/// The row of an answer that is no success, to any request.
pub(super) fn row_of_failure(status: u16, from_oss: bool, names_endpoint: bool) -> Row {
    match status {
        // Whoever it is that fails, nothing more is known, and another attempt may end differently.
        500..=599 => Row::ServerError,
        _ if !from_oss => Row::NotFromOss,
        400..=499 => Row::Refused,
        300..=399 if names_endpoint => Row::Redirected,
        _ => Row::Unexpected,
    }
}

impl Head {
    fn failure(self) -> Row {
        row_of_failure(self.status, self.from_oss, self.names_endpoint)
    }

    fn is_success(self) -> bool {
        self.from_oss && self.success && self.proven
    }
}

/// The one place that decides of an object. The first line that matches counts.
pub(super) fn verdict(seen: Seen) -> (Row, Stored, Answered) {
    let row = match seen.head {
        None => Row::NoAnswer,
        Some(head) if !head.from_oss => head.failure(),
        Some(head) => match head.status {
            200..=299 if !seen.last_write_started || !seen.all_sent => Row::TooEarly,
            _ if head.is_success() && head.crc_differs => Row::ChecksumMismatch,
            _ if head.is_success() && head.body_complete => Row::Success,
            _ if head.is_success() => Row::AnswerDamaged,
            _ if head.success && head.error_document => Row::ServerError,
            _ if head.success && head.needs_document && !head.body_complete => Row::CutShort,
            203 if seen.callback && head.crc_differs => Row::ChecksumMismatch,
            203 if seen.callback => Row::CallbackFailed,
            _ => head.failure(),
        },
    };
    let (stored, answered) = match row {
        _ if !seen.last_write_started => (Stored::No, Answered::No),
        Row::Refused | Row::Redirected => (Stored::No, Answered::No),
        Row::NoAnswer
        | Row::TooEarly
        | Row::CutShort
        | Row::ServerError
        | Row::NotFromOss
        | Row::Unexpected => (Stored::Unknown, Answered::Unknown),
        Row::Success | Row::AnswerDamaged => (Stored::Yes, Answered::Yes),
        Row::CallbackFailed => (Stored::Yes, Answered::No),
        Row::ChecksumMismatch => match seen.head.map(|head| head.status) {
            Some(203) => (Stored::Yes, Answered::No),
            _ => (Stored::Yes, Answered::Yes),
        },
    };
    (
        row,
        stored,
        if seen.callback {
            answered
        } else {
            Answered::NotRequested
        },
    )
}

/// The one place that decides of a part.
pub(super) fn row_of_part(seen: Seen) -> PartRow {
    match seen.head {
        None => PartRow::Failed(Row::NoAnswer),
        Some(head) if !head.from_oss => PartRow::Failed(head.failure()),
        Some(head) => match head.status {
            200..=299 if !seen.all_sent => PartRow::Failed(Row::TooEarly),
            _ if head.is_success() && head.crc_differs => PartRow::Differs,
            _ if head.is_success() && head.body_complete => PartRow::Kept,
            _ if head.is_success() => PartRow::Damaged,
            _ => PartRow::Failed(head.failure()),
        },
    }
}
