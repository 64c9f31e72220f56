//! What went wrong, and above all: is the object stored, and was the callback answered?

use std::fmt;

use crate::headers::Headers;
use crate::receipt::Receipt;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
///
/// The kind names the cause only. Whether the object is stored is said by [`Error::stored`], never by
/// the kind: the same [`Timeout`](ErrorKind::Timeout) may come before or after the last byte went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is missing, malformed or out of range. Nothing was sent.
    InvalidArgument,
    /// The callback or its variables break a rule of OSS. Nothing was sent.
    InvalidCallback,

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
    /// The peer does not speak HTTP properly, or answered success before it had the whole object.
    Protocol,
    /// An HTTP answer that OSS does not give: a redirect, another 2xx, a 4xx from something in between.
    UnexpectedAnswer,

    /// OSS refused the request (a 4xx that no other kind names).
    Refused,
    /// OSS refused the credentials or the signature, or they lack the permission (401, 403).
    AccessDenied,
    /// The bucket or the object does not exist (404).
    NotFound,
    /// The request conflicts with what is stored, for example with `x-oss-forbid-overwrite` (409).
    Conflict,
    /// OSS or something before it failed (5xx).
    ServerError,

    /// HTTP 203: the object **is stored**, but the application server was not reached or did not agree.
    CallbackFailed,
    /// The CRC-64 that OSS computed differs from the one computed while sending or receiving.
    ChecksumMismatch,
    /// The object is stored and the callback was answered, but the answer was cut short or is too long.
    AnswerDamaged,

    /// A local file cannot be opened or read.
    FileUnreadable,
    /// A local file was not as long as it said when the upload began.
    FileChanged,
    /// The destination of a download refused the data.
    WriteFailed,

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
    /// [`Client::head_object`](crate::Client::head_object) before you send again.
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

/// What OSS says about a refusal, in its XML error document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OssError {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) host_id: Option<String>,
    pub(crate) ec: Option<String>,
    /// Every other element of the document, in its order.
    pub(crate) details: Vec<(String, String)>,
}

/// A failure, with everything that is known about it.
///
/// ```
/// # use oss_callback::{CallbackSpec, Client, Credentials, ErrorKind, Stored};
/// # fn upload(client: &Client, spec: &CallbackSpec) -> Result<(), oss_callback::Error> {
/// match client.put_object("examplebucket", "cat.jpg").callback(spec).send_bytes(b"...") {
///     Ok(receipt) => println!("stored, the server said {:?}", receipt.answer()),
///     Err(e) if e.kind() == ErrorKind::CallbackFailed => println!("stored, but {e}"),
///     Err(e) if e.stored() == Stored::Unknown => println!("look before sending again: {e}"),
///     Err(e) => return Err(e),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    stored: Stored,
    answered: Answered,
    status: Option<u16>,
    headers: Headers,
    body: Vec<u8>,
    oss: OssError,
    receipt: Option<Receipt>,
    diagnosis: Option<&'static str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of which nothing is known yet but its cause: nothing stored, no callback.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            stored: Stored::No,
            answered: Answered::NotRequested,
            status: None,
            headers: Headers::default(),
            body: Vec::new(),
            oss: OssError::default(),
            receipt: None,
            diagnosis: None,
            source: None,
        }))
    }

    pub(crate) fn argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_verdict(mut self, stored: Stored, answered: Answered) -> Error {
        self.0.stored = stored;
        self.0.answered = answered;
        self
    }

    pub(crate) fn with_answer(mut self, status: u16, headers: Headers, body: Vec<u8>) -> Error {
        self.0.status = Some(status);
        self.0.headers = headers;
        self.0.body = body;
        self
    }

    pub(crate) fn with_oss(mut self, oss: OssError) -> Error {
        self.0.oss = oss;
        self
    }

    pub(crate) fn with_receipt(mut self, receipt: Option<Receipt>) -> Error {
        self.0.receipt = receipt;
        self
    }

    pub(crate) fn with_diagnosis(mut self, diagnosis: Option<&'static str>) -> Error {
        self.0.diagnosis = diagnosis;
        self
    }

    /// The cause.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Did this operation store the object? An operation that stores nothing (head, get, delete) says
    /// [`Stored::No`].
    pub fn stored(&self) -> Stored {
        self.0.stored
    }

    /// Did OSS accept the application server's answer?
    pub fn answered(&self) -> Answered {
        self.0.answered
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The code of OSS's error document, such as `NoSuchBucket` or `CallbackFailed`.
    pub fn oss_code(&self) -> Option<&str> {
        self.0.oss.code.as_deref()
    }

    /// The message of OSS's error document. For a failed callback it says what the application server
    /// did, for example `Error status : 502.`
    pub fn oss_message(&self) -> Option<&str> {
        self.0.oss.message.as_deref()
    }

    /// The error code of OSS's troubleshooting pages, such as `0007-00000203`. OSS may change these at
    /// any time: show them, do not branch on them.
    pub fn ec(&self) -> Option<&str> {
        self.0.oss.ec.as_deref().or_else(|| self.header("x-oss-ec"))
    }

    /// The id under which OSS's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-oss-request-id")
            .or(self.0.oss.request_id.as_deref())
    }

    /// The host that OSS believes to have answered.
    pub fn host_id(&self) -> Option<&str> {
        self.0.oss.host_id.as_deref()
    }

    /// A further element of OSS's error document by its name, for example `ArgumentName` or
    /// `StringToSign`.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// Every further element of OSS's error document, in its order.
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .oss
            .details
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What is known of the stored object: present exactly when [`stored`](Error::stored) is
    /// [`Stored::Yes`].
    pub fn receipt(&self) -> Option<&Receipt> {
        self.0.receipt.as_ref()
    }

    /// For an error of the callback: what usually causes it and what to do, in one or two sentences.
    pub fn diagnosis(&self) -> Option<&str> {
        self.0.diagnosis
    }

    /// A header of the answer, by its name in any case. `None` too when its value is not UTF-8: see
    /// [`headers`](Error::headers).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.text(name)
    }

    /// The headers of the answer; none when no answer came.
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// The body of the answer as it came, up to the client's limit.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("stored", &self.0.stored)
            .field("answered", &self.0.answered)
            .field("status", &self.0.status)
            .field("oss_code", &self.0.oss.code)
            .field("ec", &self.ec())
            .field("request_id", &self.request_id())
            .field("diagnosis", &self.0.diagnosis)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
