//! Proof of a stored object.

use std::time::Duration;

use crate::outcome::headers::Headers;
use crate::outcome::verdict::Attempt;

/// What OSS said about a stored object, together with the application server's answer.
///
/// ```
/// # fn show(receipt: &oss_callback::Receipt) {
/// println!("ETag {:?}, CRC-64 {:?}", receipt.etag(), receipt.crc64());
/// println!("the application server said {}", String::from_utf8_lossy(receipt.answer()));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) answer: Vec<u8>,
    /// The ETag of an answer that has it elsewhere than in its header.
    pub(crate) stated_etag: Option<String>,
    pub(crate) waited: Duration,
    pub(crate) history: Vec<Attempt>,
    pub(crate) notes: Vec<String>,
}

impl Receipt {
    /// Adds the attempts that came before this one.
    pub(crate) fn with_history(mut self, history: Vec<Attempt>) -> Receipt {
        self.history = history;
        self
    }

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Receipt {
        self.notes = notes;
        self
    }

    /// Of an object whose upload's own answer was lost, with the headers that a look-up found.
    pub(crate) fn of_look_up(headers: Headers, waited: Duration) -> Receipt {
        Receipt {
            status: 200,
            headers,
            answer: Vec::new(),
            stated_etag: None,
            waited,
            history: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The HTTP status: 200, or 203 when the callback failed.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The object's ETag without its quotes, as `${etag}` has it in a callback body.
    pub fn etag(&self) -> Option<&str> {
        let header = self.headers.text("etag");
        self.stated_etag
            .as_deref()
            .or_else(|| header.map(|etag| etag.trim_matches('"')))
    }

    /// The CRC-64 that OSS computed over the object (CRC-64/XZ, header `x-oss-hash-crc64ecma`).
    pub fn crc64(&self) -> Option<u64> {
        self.headers.text("x-oss-hash-crc64ecma")?.parse().ok()
    }

    /// The object's version, in a bucket with versioning.
    pub fn version_id(&self) -> Option<&str> {
        self.headers.text("x-oss-version-id")
    }

    /// The id under which OSS's support finds the request; the callback carries the same one.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.text("x-oss-request-id")
    }

    /// How often the request was sent until this answer came, 1 or more.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.history.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }

    /// The attempts that failed before this one, in their order.
    pub fn history(&self) -> &[Attempt] {
        &self.history
    }

    /// What else is worth knowing of an [`UploadFile`](crate::UploadFile), a sentence each: why it did not
    /// go on where its checkpoint said, or that an older upload could not be aborted.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How long the head of the answer was waited for, after the last byte was sent: with a callback
    /// mostly the application server's time.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// The application server's answer, byte for byte: JSON as a rule, but nothing is assumed. Empty
    /// without a callback and when the callback failed; cut short in a receipt that comes with
    /// [`ErrorKind::AnswerDamaged`](crate::ErrorKind::AnswerDamaged).
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// The Content-Type of [`answer`](Receipt::answer), as the application server gave it.
    pub fn answer_content_type(&self) -> Option<&str> {
        if self.answer.is_empty() {
            None
        } else {
            self.headers.text("content-type")
        }
    }

    /// A header of the answer, by its name in any case. `None` too when its value is not UTF-8: see
    /// [`headers`](Receipt::headers).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.text(name)
    }

    /// The headers of OSS's answer.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}
