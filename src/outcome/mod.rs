//! What an answer means: is the object stored, and was the callback answered? Pure.

pub(crate) mod clock;
pub(crate) mod diagnosis;
pub(crate) mod error;
pub(crate) mod error_document;
pub(crate) mod headers;
pub(crate) mod receipt;
pub(crate) mod retry;
pub(crate) mod unsettled;
pub(crate) mod verdict;

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::percent;
use crate::base::xml::{self, Document};
use crate::outcome::error::{Error, OssError, Result};
use crate::outcome::headers::Headers;
use crate::outcome::receipt::Receipt;
use crate::outcome::verdict::{
    ErrorKind, Head, PartRow, Row, Seen, Stored, row_of_failure, row_of_part, verdict,
};

/// An answer whose body has been read as far as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Why the body is not whole.
    pub(crate) damage: Option<Error>,
    /// It came through a proxy, which may have given it itself.
    pub(crate) relayed: bool,
}

/// What a request asks for, as far as it decides what its answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To store an object.
    Object,
    /// To make an object of its parts. Without a callback OSS says in a document that it has.
    Completion,
    /// To keep a part, of which no object comes yet.
    Part,
}

/// What became of an upload, as far as it can be seen from here.
#[derive(Debug)]
pub(crate) struct SentUpload {
    pub(crate) asked: Asked,
    pub(crate) last_write_started: bool,
    /// The last byte was handed to the system.
    pub(crate) all_sent: bool,
    pub(crate) callback: bool,
    /// The CRC-64 of what was sent.
    pub(crate) crc64: u64,
    /// Off when the caller does not want the CRC-64 to be compared.
    pub(crate) compare_crc64: bool,
    /// The status of a success, besides 200: a form may ask for another.
    pub(crate) success: u16,
    /// How long the head of the answer was waited for.
    pub(crate) waited: Duration,
    /// An error here is one of the transport: no answer came.
    pub(crate) result: Result<Answer>,
}

/// The verdict on an upload of which nothing was sent.
pub(crate) fn before_sending(error: Error, callback: bool) -> Error {
    let (_, stored, answered) = verdict(Seen {
        last_write_started: false,
        all_sent: false,
        callback,
        head: None,
    });
    error.with_verdict(stored, answered)
}

/// Turns what was seen of an upload into a receipt or an error. That of a part says nothing of the object.
pub(crate) fn of_upload(upload: SentUpload) -> Result<Receipt> {
    let SentUpload {
        asked,
        last_write_started,
        all_sent,
        callback,
        crc64,
        compare_crc64,
        success,
        waited,
        result,
    } = upload;
    let mut seen = Seen {
        last_write_started,
        all_sent,
        callback,
        head: None,
    };
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            let error = error.with_waited(waited);
            if asked == Asked::Part {
                return Err(error);
            }
            let (_, stored, answered) = verdict(seen);
            return Err(error.with_verdict(stored, answered));
        }
    };
    // Without a callback the body is OSS's own, whatever the status.
    let document = (asked == Asked::Completion && !callback).then(|| xml::parse(&answer.body));
    let oss = match &document {
        Some(_) => error_of(&answer),
        None => oss_error(&answer),
    };
    // The header of almost every success; some say it elsewhere.
    let stated = has_etag(&answer.headers).then_some(None);
    let etag = stated.or_else(|| stated_etag(&answer, document.as_ref()).map(Some));
    let remote_crc = answer.headers.get("x-oss-hash-crc64ecma");
    let crc_differs = compare_crc64 && remote_crc.is_some_and(|value| number(value) != Some(crc64));
    let confirmed = |document: &Option<Document>| confirms(&answer, document.as_ref());
    seen.head = Some(Head {
        status: answer.status,
        from_oss: is_from_oss(&answer.headers),
        success: answer.status == 200 || answer.status == success,
        proven: etag.is_some() && document.as_ref().is_none_or(confirmed),
        needs_document: document.is_some(),
        error_document: oss.is_some(),
        names_endpoint: names_endpoint(oss.as_ref()),
        crc_differs,
        body_complete: answer.damage.is_none(),
    });
    let etag = etag.flatten();
    if asked == Asked::Part {
        let row = row_of_part(seen);
        return of_part(row, answer, oss.unwrap_or_default(), crc64, waited);
    }
    let (row, stored, answered) = verdict(seen);
    let oss = oss.unwrap_or_default();
    let request = || request_of(&answer, &oss);
    let (kind, message) = match row {
        Row::Success => {
            let Answer {
                status,
                headers,
                body,
                ..
            } = answer;
            return Ok(receipt(status, headers, body, etag, waited));
        }
        Row::TooEarly => too_early(&answer, &oss),
        Row::CutShort => cut_short(&answer, &oss),
        Row::ChecksumMismatch => (
            ErrorKind::ChecksumMismatch,
            format!(
                "stored with other contents: CRC-64 {} at OSS, {crc64} here{}",
                snippet(remote_crc.unwrap_or_default()),
                request()
            ),
        ),
        Row::AnswerDamaged => {
            let why = answer
                .damage
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            (
                ErrorKind::AnswerDamaged,
                format!("stored, but {why}{}", request()),
            )
        }
        Row::CallbackFailed => (
            ErrorKind::CallbackFailed,
            format!(
                "stored, but the callback failed: {}{}",
                snippet(
                    oss.message
                        .as_deref()
                        .unwrap_or("OSS does not say why")
                        .as_bytes()
                ),
                request()
            ),
        ),
        Row::NoAnswer
        | Row::Refused
        | Row::Redirected
        | Row::ServerError
        | Row::NotFromOss
        | Row::Unexpected => {
            return Err(failure(row, answer, oss)
                .with_verdict(stored, answered)
                .with_waited(waited));
        }
    };
    let diagnosis =
        (row == Row::CallbackFailed).then(|| diagnosis::of_failed_callback(oss.message.as_deref()));
    let receipt = (stored == Stored::Yes).then(|| {
        let (headers, body) = (answer.headers.clone(), answer.body.clone());
        receipt(answer.status, headers, body, etag, waited)
    });
    Err(Error::new(kind, message)
        .with_verdict(stored, answered)
        .with_waited(waited)
        .with_diagnosis(diagnosis)
        .with_receipt(receipt)
        .with_oss(oss)
        .with_answer(answer.status, answer.headers, answer.body))
}

/// What is said of a part. Errors have the verdict that they are made with: no object is stored.
fn of_part(
    row: PartRow,
    answer: Answer,
    oss: OssError,
    crc64: u64,
    waited: Duration,
) -> Result<Receipt> {
    let request = || request_of(&answer, &oss);
    let (kind, message) = match row {
        PartRow::Kept => {
            return Ok(receipt(
                answer.status,
                answer.headers,
                answer.body,
                None,
                waited,
            ));
        }
        PartRow::Differs => {
            let theirs = answer.headers.get("x-oss-hash-crc64ecma");
            let theirs = snippet(theirs.unwrap_or_default());
            let message = format!(
                "other contents arrived than were sent: CRC-64 {theirs} at OSS, {crc64} here"
            );
            (ErrorKind::ChecksumMismatch, message + &request())
        }
        PartRow::Damaged => cut_short(&answer, &oss),
        PartRow::Failed(Row::TooEarly) => too_early(&answer, &oss),
        PartRow::Failed(row) => return Err(failure(row, answer, oss).with_waited(waited)),
    };
    Err(Error::new(kind, message)
        .with_waited(waited)
        .with_oss(oss)
        .with_answer(answer.status, answer.headers, answer.body))
}

/// Why an answer is not whole that does not show a stored object.
fn cut_short(answer: &Answer, oss: &OssError) -> (ErrorKind, String) {
    let damage = answer.damage.as_ref();
    let kind = match damage.map(Error::kind) {
        // That is said of stored objects alone.
        None | Some(ErrorKind::AnswerDamaged) => ErrorKind::Protocol,
        Some(kind) => kind,
    };
    let why = damage.map(ToString::to_string).unwrap_or_default();
    (kind, why + &request_of(answer, oss))
}

fn too_early(answer: &Answer, oss: &OssError) -> (ErrorKind, String) {
    let message = format!(
        "HTTP {} came before everything was sent{}",
        answer.status,
        request_of(answer, oss)
    );
    (ErrorKind::Protocol, message)
}

fn receipt(
    status: u16,
    headers: Headers,
    body: Vec<u8>,
    stated_etag: Option<String>,
    waited: Duration,
) -> Receipt {
    // The body of a 203 is OSS's complaint, not the application server's answer.
    let answer = if status == 203 { Vec::new() } else { body };
    Receipt {
        status,
        headers,
        answer,
        stated_etag,
        waited,
        history: Vec::new(),
        notes: Vec::new(),
    }
}

/// Whether an answer to anything but an upload is OSS's, with one of the wanted statuses.
pub(crate) fn is_wanted(status: u16, headers: &Headers, wanted: &[u16]) -> bool {
    is_from_oss(headers) && wanted.contains(&status)
}

/// Turns the answer to anything but an upload into an error unless it is [wanted](is_wanted).
pub(crate) fn of_other(answer: Answer, wanted: &[u16]) -> Result<Answer> {
    if is_wanted(answer.status, &answer.headers, wanted) {
        return Ok(answer);
    }
    Err(refusal(answer))
}

/// An answer to anything but an upload that is not wanted, without a verdict.
pub(crate) fn refusal(answer: Answer) -> Error {
    let oss = oss_error(&answer);
    let from_oss = is_from_oss(&answer.headers);
    let row = row_of_failure(answer.status, from_oss, names_endpoint(oss.as_ref()));
    failure(row, answer, oss.unwrap_or_default())
}

/// Whether OSS refuses the credentials as such, which others may mend.
pub(crate) fn refuses_credentials(answer: &Answer) -> bool {
    // The document of an answer with another status is not looked at.
    answer.status == 403
        && oss_error(answer).is_some_and(|oss| is_of_credentials(403, oss.code.as_deref()))
}

/// The same, by status and code.
pub(crate) fn is_of_credentials(status: u16, code: Option<&str>) -> bool {
    status == 403 && matches!(code, Some("SecurityTokenExpired" | "InvalidAccessKeyId"))
}

/// An answer of the right status with which nothing can be done.
pub(crate) fn useless(kind: ErrorKind, message: &str, answer: Answer) -> Error {
    let request = request_of(&answer, &OssError::default());
    let why = answer.damage.as_ref().map(|damage| format!(": {damage}"));
    let message = format!("{message}{}{request}", why.unwrap_or_default());
    Error::new(kind, message).with_answer(answer.status, answer.headers, answer.body)
}

/// An answer that is no success, without a verdict.
fn failure(row: Row, answer: Answer, oss: OssError) -> Error {
    let kind = match (row, answer.status) {
        (Row::Refused, 401 | 403) => ErrorKind::AccessDenied,
        (Row::Refused, 404) => ErrorKind::NotFound,
        (Row::Refused, 409) => ErrorKind::Conflict,
        (Row::Refused | Row::Redirected, _) => ErrorKind::Refused,
        (Row::ServerError, _) => ErrorKind::ServerError,
        _ => ErrorKind::UnexpectedAnswer,
    };
    let mut message = format!("HTTP {}", answer.status);
    let mut say = |what: &str, text: &[u8]| {
        let text = snippet(text);
        if !text.is_empty() {
            message.push_str(what);
            message.push_str(&text);
        }
    };
    if row == Row::NotFromOss {
        say(" ", b"not from OSS (no x-oss-request-id)");
    }
    if kind == ErrorKind::UnexpectedAnswer {
        let content_type = answer.headers.get("content-type");
        say(", Content-Type ", content_type.unwrap_or_default());
    }
    match &oss.code {
        Some(code) => {
            say(", ", code.as_bytes());
            say(": ", oss.message.as_deref().unwrap_or_default().as_bytes());
        }
        None => say(", ", &answer.body),
    }
    // OSS refuses what comes to another endpoint than the bucket's, and names the right one.
    let is_elsewhere = row == Row::Redirected
        || row == Row::Refused && answer.status == 403 && names_endpoint(Some(&oss));
    let endpoint = oss
        .detail("Endpoint")
        .filter(|_| is_elsewhere)
        .map(str::trim);
    if let Some(endpoint) = endpoint {
        say("; the bucket's endpoint is ", endpoint.as_bytes());
    }
    message.push_str(&request_of(&answer, &oss));
    // Whoever it was, he would refuse it again, and count.
    let refused_on_the_way =
        row == Row::NotFromOss && answer.relayed && (400..500).contains(&answer.status);
    let diagnosis = match row {
        _ if refused_on_the_way => Some(Cow::from(diagnosis::OF_A_PROXY)),
        Row::NotFromOss => Some(Cow::from(diagnosis::of_somebody_else(answer.status))),
        Row::Refused | Row::Redirected => diagnosis::of_refusal(answer.status, &oss, endpoint),
        _ => None,
    };
    Error::new(kind, message)
        .with_diagnosis(diagnosis)
        .with_oss(oss)
        .with_answer(answer.status, answer.headers, answer.body)
        .with_finality(refused_on_the_way)
}

/// The one fact that tells an answer of OSS's from one of a login page, a proxy, a CDN or another server: OSS gives each
/// a request id (OSS documentation, "Common response headers"). Whoever imitates that over plain HTTP is not found out.
fn is_from_oss(headers: &Headers) -> bool {
    let id = headers.get("x-oss-request-id");
    id.is_some_and(|id| !id.trim_ascii().is_empty())
}

fn has_etag(headers: &Headers) -> bool {
    headers
        .text("etag")
        .is_some_and(|etag| !unquoted(etag).is_empty())
}

/// An ETag that is not in the header: in the document of a completed upload, or in the address that a form leads to.
fn stated_etag(answer: &Answer, document: Option<&Option<Document>>) -> Option<String> {
    let etag = match document {
        Some(document) => document.as_ref()?.root.text_of("ETag")?.to_owned(),
        None if answer.status == 303 => {
            let (_, query) = answer.headers.text("location")?.split_once('?')?;
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            percent::decode(pairs.find(|(name, _)| *name == "etag")?.1)?
        }
        None => return None,
    };
    let etag = unquoted(&etag);
    (!etag.is_empty()).then(|| etag.to_owned())
}

fn unquoted(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}

/// Whether the document says that the upload is completed. One that did not come whole may.
fn confirms(answer: &Answer, document: Option<&Document>) -> bool {
    document.is_some_and(|document| {
        let whole = document.whole || answer.damage.is_some();
        whole && document.root.name == "CompleteMultipartUploadResult"
    })
}

fn names_endpoint(oss: Option<&OssError>) -> bool {
    let endpoint = oss.and_then(|oss| oss.detail("Endpoint"));
    endpoint.is_some_and(|endpoint| !endpoint.trim().is_empty())
}

/// OSS's error document. In an answer of 200 the body is the application server's, and never taken for one.
fn oss_error(answer: &Answer) -> Option<OssError> {
    if answer.status == 200 {
        return None;
    }
    error_of(answer)
}

/// OSS's error document: the body, or for an answer that has none, and some 203s, a header.
fn error_of(answer: &Answer) -> Option<OssError> {
    if !is_from_oss(&answer.headers) {
        return None;
    }
    error_document::parse(&answer.body).or_else(|| {
        let header = answer.headers.get("x-oss-err")?;
        error_document::parse(&STANDARD.decode(header).ok()?)
    })
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn request_of(answer: &Answer, oss: &OssError) -> String {
    let id = answer
        .headers
        .text("x-oss-request-id")
        .or(oss.request_id.as_deref());
    id.map(|id| format!(" (request {})", snippet(id.as_bytes())))
        .unwrap_or_default()
}

/// The beginning of what a server says, on one line: it may say anything.
fn snippet(body: &[u8]) -> String {
    const LEN: usize = 100;
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * LEN)]).into_owned();
    let mut line = String::with_capacity(LEN);
    for word in text.split_whitespace() {
        let before = line.len();
        if before > 0 {
            line.push(' ');
        }
        let begin = line.len();
        line.extend(word.chars().filter(is_printable));
        if line.len() == begin {
            line.truncate(before);
        }
    }
    if let Some((end, _)) = line.char_indices().nth(LEN) {
        line.truncate(end);
        line.truncate(line.trim_end().len());
    }
    line
}

/// Neither a control character nor one that changes how others are shown, nor what stands for bytes that are no text.
fn is_printable(c: &char) -> bool {
    let escaped = !matches!(c, '"' | '\'' | '\\') && c.escape_debug().len() > 1;
    !escaped && *c != char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests;
