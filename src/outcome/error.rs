//! What went wrong, and above all: is the object stored, and was the callback answered?

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::outcome::headers::Headers;
use crate::outcome::receipt::Receipt;
use crate::outcome::unsettled::Unsettled;
use crate::outcome::verdict::{Answered, Attempt, ErrorKind, Stored};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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

impl OssError {
    pub(crate) fn detail(&self, name: &str) -> Option<&str> {
        let mut details = self.details.iter();
        details
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
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
    diagnosis: Option<Cow<'static, str>>,
    waited: Duration,
    history: Vec<Attempt>,
    notes: Vec<String>,
    upload_id: Option<String>,
    unsettled: Option<Unsettled>,
    is_final: bool,
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
            waited: Duration::ZERO,
            history: Vec::new(),
            notes: Vec::new(),
            upload_id: None,
            unsettled: None,
            is_final: false,
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

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Error {
        // What it says already comes last.
        let own = std::mem::replace(&mut self.0.notes, notes);
        self.0.notes.extend(own);
        self
    }

    pub(crate) fn with_upload_id(mut self, id: &str) -> Error {
        self.0.upload_id = Some(id.to_owned());
        self
    }

    /// Remembers the upload that may have stored its object, or be about to.
    pub(crate) fn with_unsettled(mut self, unsettled: Unsettled) -> Error {
        self.0.unsettled = Some(unsettled);
        self
    }

    pub(crate) fn unsettled(&self) -> Option<&Unsettled> {
        self.0.unsettled.as_ref()
    }

    /// The same in other words.
    pub(crate) fn saying(mut self, message: String) -> Error {
        self.0.message = message;
        self
    }

    /// Says more in the message.
    pub(crate) fn and(mut self, more: &str) -> Error {
        self.0.message.push_str("; ");
        self.0.message.push_str(more);
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

    /// It would end the same if it were tried again.
    pub(crate) fn with_finality(mut self, is_final: bool) -> Error {
        self.0.is_final = is_final;
        self
    }

    pub(crate) fn is_final(&self) -> bool {
        self.0.is_final
    }

    pub(crate) fn with_receipt(mut self, receipt: Option<Receipt>) -> Error {
        self.0.receipt = receipt;
        self
    }

    pub(crate) fn with_diagnosis(
        mut self,
        diagnosis: Option<impl Into<Cow<'static, str>>>,
    ) -> Error {
        self.0.diagnosis = diagnosis.map(Into::into);
        self
    }

    pub(crate) fn with_waited(mut self, waited: Duration) -> Error {
        self.0.waited = waited;
        self
    }

    /// Adds the attempts that came before this one.
    pub(crate) fn with_history(mut self, history: Vec<Attempt>) -> Error {
        if let Some(receipt) = self.0.receipt.take() {
            self.0.receipt = Some(receipt.with_history(history.clone()));
        }
        self.0.history = history;
        self
    }

    /// What is said of this failure when another attempt follows it.
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt {
            kind: self.kind(),
            stored: self.stored(),
            answered: self.answered(),
            status: self.status(),
            waited: self.waited(),
        }
    }

    /// The cause.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Did this operation store the object? An operation that stores nothing (head, get, delete) says
    /// [`Stored::No`]. After [`Stored::Unknown`], [`Client::reconcile`](crate::Client::reconcile) looks.
    pub fn stored(&self) -> Stored {
        self.0.stored
    }

    /// Did OSS accept the application server's answer?
    pub fn answered(&self) -> Answered {
        self.0.answered
    }

    /// OSS itself refused the request, and so did nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.status(), Some(400..=499)) && self.request_id().is_some()
    }

    /// The HTTP status, if an answer came. With [`ErrorKind::Connect`] it is that of a proxy that refused.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The code of OSS's error document, such as `NoSuchBucket` or `CallbackFailed`. Of a document in an answer that is
    /// not OSS's nothing is taken.
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
        self.0.oss.detail(name)
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

    /// For an error of the callback, of the clock, of the endpoint or of the region, and for an answer that is not OSS's:
    /// what usually causes it and what to do, in a few sentences.
    pub fn diagnosis(&self) -> Option<&str> {
        self.0.diagnosis.as_deref()
    }

    /// How long the head of the answer was waited for in the last attempt, after the last byte was sent.
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// The attempts that failed before the last one, in their order. Their verdicts are part of
    /// [`stored`](Error::stored) and [`answered`](Error::answered) already.
    pub fn history(&self) -> &[Attempt] {
        &self.0.history
    }

    /// What else is worth knowing of an [`UploadFile`](crate::UploadFile) or an
    /// [`InitiateMultipartUpload`](crate::InitiateMultipartUpload), a sentence each: that an upload could not be
    /// aborted, why it did not resume where its checkpoint said, or that OSS may have begun an upload whose id was
    /// lost with the answer.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// The multipart upload that an [`UploadFile`](crate::UploadFile) left open. Go on with it by its
    /// checkpoint, or [abort](crate::MultipartUpload::abort) it; until then OSS keeps, and bills, its parts.
    pub fn upload_id(&self) -> Option<&str> {
        self.0.upload_id.as_deref()
    }

    /// How many attempts were made: 1 or more, and 1 also when nothing was sent.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.0.history.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
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
            .field("history", &self.0.history)
            .field("upload_id", &self.0.upload_id)
            .field("notes", &self.0.notes)
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
