//! What an answer means: is the object stored, and was the callback answered? Pure.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::callback::diagnosis;
use crate::error::{Error, OssError, Result};
use crate::error_document;
use crate::headers::Headers;
use crate::receipt::Receipt;
use crate::verdict::{Answered, ErrorKind, Stored};

/// An answer whose body has been read as far as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Why the body is not whole.
    pub(crate) damage: Option<Error>,
}

/// What became of an upload, as far as it can be seen from here.
#[derive(Debug)]
pub(crate) struct Upload {
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

/// The facts that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    last_write_started: bool,
    /// No answer can be one to the whole upload before that.
    all_sent: bool,
    callback: bool,
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: u16,
    /// It is the status of a success.
    success: bool,
    /// The answer has an error document of OSS or a request id of OSS.
    from_oss: bool,
    crc_differs: bool,
    body_complete: bool,
}

/// What was seen, in the words of the outcome table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Success,
    /// The connection or the time ended before the head of an answer.
    NoAnswer,
    /// A success that came before OSS could have the whole object.
    TooEarly,
    Refused,
    ServerError,
    Unexpected,
    ChecksumMismatch,
    AnswerDamaged,
    CallbackFailed,
}

/// The row of an answer that is no success, to any request.
fn row_of_failure(status: u16, from_oss: bool) -> Row {
    match status {
        400..=499 if from_oss => Row::Refused,
        500..=599 => Row::ServerError,
        _ => Row::Unexpected,
    }
}

/// The one place that decides. The first line that matches counts.
fn verdict(seen: Seen) -> (Row, Stored, Answered) {
    let row = match seen.head {
        None => Row::NoAnswer,
        Some(head) => match head.status {
            200..=299 if !seen.last_write_started || !seen.all_sent => Row::TooEarly,
            _ if (head.success || head.status == 203) && head.crc_differs => Row::ChecksumMismatch,
            _ if head.success && head.body_complete => Row::Success,
            _ if head.success => Row::AnswerDamaged,
            203 => Row::CallbackFailed,
            status => row_of_failure(status, head.from_oss),
        },
    };
    let (stored, answered) = match row {
        _ if !seen.last_write_started => (Stored::No, Answered::No),
        Row::Refused => (Stored::No, Answered::No),
        Row::NoAnswer | Row::TooEarly | Row::ServerError | Row::Unexpected => {
            (Stored::Unknown, Answered::Unknown)
        }
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

/// Turns what was seen of an upload into a receipt or an error.
pub(crate) fn of_upload(upload: Upload) -> Result<Receipt> {
    let Upload {
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
            let (_, stored, answered) = verdict(seen);
            return Err(error.with_verdict(stored, answered).with_waited(waited));
        }
    };
    let oss = oss_error(&answer).unwrap_or_default();
    let remote_crc = answer.headers.get("x-oss-hash-crc64ecma");
    let crc_differs = compare_crc64 && remote_crc.is_some_and(|value| number(value) != Some(crc64));
    seen.head = Some(Head {
        status: answer.status,
        success: answer.status == 200 || answer.status == success,
        from_oss: is_from_oss(&answer, &oss),
        crc_differs,
        body_complete: answer.damage.is_none(),
    });
    let (row, stored, answered) = verdict(seen);
    let request = || request_of(&answer, &oss);
    let (kind, message) = match row {
        Row::Success => {
            return Ok(receipt(answer.status, answer.headers, answer.body, waited));
        }
        Row::TooEarly => (
            ErrorKind::Protocol,
            format!(
                "HTTP {} came before the whole object was sent{}",
                answer.status,
                request()
            ),
        ),
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
        Row::NoAnswer | Row::Refused | Row::ServerError | Row::Unexpected => {
            return Err(refusal(answer, oss)
                .with_verdict(stored, answered)
                .with_waited(waited));
        }
    };
    let diagnosis =
        (row == Row::CallbackFailed).then(|| diagnosis::of_failed_callback(oss.message.as_deref()));
    let receipt = (stored == Stored::Yes).then(|| {
        let (headers, body) = (answer.headers.clone(), answer.body.clone());
        receipt(answer.status, headers, body, waited)
    });
    Err(Error::new(kind, message)
        .with_verdict(stored, answered)
        .with_waited(waited)
        .with_diagnosis(diagnosis)
        .with_receipt(receipt)
        .with_oss(oss)
        .with_answer(answer.status, answer.headers, answer.body))
}

fn receipt(status: u16, headers: Headers, body: Vec<u8>, waited: Duration) -> Receipt {
    // The body of a 203 is OSS's complaint, not the application server's answer.
    let answer = if status == 203 { Vec::new() } else { body };
    Receipt {
        status,
        headers,
        answer,
        waited,
        history: Vec::new(),
        notes: Vec::new(),
    }
}

/// Turns the answer to anything but an upload into an error unless it has one of the wanted statuses.
pub(crate) fn of_other(answer: Answer, wanted: &[u16]) -> Result<Answer> {
    if wanted.contains(&answer.status) {
        return Ok(answer);
    }
    let oss = oss_error(&answer).unwrap_or_default();
    Err(refusal(answer, oss))
}

/// Whether OSS refuses the credentials as such, which others may mend.
pub(crate) fn refuses_credentials(answer: &Answer) -> bool {
    answer.status == 403
        && oss_error(answer).is_some_and(|oss| {
            matches!(
                oss.code.as_deref(),
                Some("SecurityTokenExpired" | "InvalidAccessKeyId")
            )
        })
}

/// An answer of the right status with which nothing can be done.
pub(crate) fn useless(kind: ErrorKind, message: &str, answer: Answer) -> Error {
    let request = request_of(&answer, &OssError::default());
    let why = answer.damage.as_ref().map(|damage| format!(": {damage}"));
    let message = format!("{message}{}{request}", why.unwrap_or_default());
    Error::new(kind, message).with_answer(answer.status, answer.headers, answer.body)
}

/// An answer that is no success, without a verdict.
fn refusal(answer: Answer, oss: OssError) -> Error {
    let row = row_of_failure(answer.status, is_from_oss(&answer, &oss));
    let kind = match (row, answer.status) {
        (Row::Refused, 401 | 403) => ErrorKind::AccessDenied,
        (Row::Refused, 404) => ErrorKind::NotFound,
        (Row::Refused, 409) => ErrorKind::Conflict,
        (Row::Refused, _) => ErrorKind::Refused,
        (Row::ServerError, _) => ErrorKind::ServerError,
        _ => ErrorKind::UnexpectedAnswer,
    };
    let said = match (&oss.code, &oss.message) {
        (Some(code), Some(message)) => {
            format!(
                "{}: {}",
                snippet(code.as_bytes()),
                snippet(message.as_bytes())
            )
        }
        (Some(code), None) => snippet(code.as_bytes()),
        (None, _) => snippet(&answer.body),
    };
    let separator = if said.is_empty() { "" } else { ", " };
    let request = request_of(&answer, &oss);
    let message = format!("HTTP {}{separator}{said}{request}", answer.status);
    let argument_name = oss
        .details
        .iter()
        .find(|(name, _)| name == "ArgumentName")
        .map(|(_, v)| v.as_str());
    let diagnosis = (oss.code.as_deref() == Some("InvalidArgument"))
        .then(|| diagnosis::of_rejected_callback(oss.message.as_deref(), argument_name))
        .flatten();
    Error::new(kind, message)
        .with_diagnosis(diagnosis)
        .with_oss(oss)
        .with_answer(answer.status, answer.headers, answer.body)
}

/// Whether OSS has given an answer that is no success, and nothing in between.
fn is_from_oss(answer: &Answer, oss: &OssError) -> bool {
    oss.code.is_some() || answer.headers.get("x-oss-request-id").is_some()
}

/// OSS's error document: the body, or for an answer that has none, and some 203s, a header.
fn oss_error(answer: &Answer) -> Option<OssError> {
    // An answer of the application server is never taken for one of OSS.
    if answer.status == 200 {
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
    const LEN: usize = 120;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * LEN)]).into_owned();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answered as A;
    use Stored as S;

    const OSS: bool = true;
    const PROXY: bool = false;

    fn head(status: u16, from_oss: bool, crc_differs: bool, body_complete: bool) -> Option<Head> {
        Some(Head {
            status,
            success: status == 200,
            from_oss,
            crc_differs,
            body_complete,
        })
    }

    #[test]
    fn the_outcome_table_holds() {
        let good = |status| head(status, OSS, false, true);
        #[rustfmt::skip]
        let table = [
            // Nothing that could carry the last byte was sent.
            (false, None,                           Row::NoAnswer,         S::No,      A::No),
            (false, good(200),                      Row::TooEarly,         S::No,      A::No),
            (false, good(203),                      Row::TooEarly,         S::No,      A::No),
            (false, head(200, OSS, true, true),     Row::TooEarly,         S::No,      A::No),
            (false, good(204),                      Row::TooEarly,         S::No,      A::No),
            (false, good(403),                      Row::Refused,          S::No,      A::No),
            (false, head(413, PROXY, false, true),  Row::Unexpected,       S::No,      A::No),
            (false, good(503),                      Row::ServerError,      S::No,      A::No),
            (false, good(302),                      Row::Unexpected,       S::No,      A::No),
            // It was.
            (true,  None,                           Row::NoAnswer,         S::Unknown, A::Unknown),
            (true,  good(400),                      Row::Refused,          S::No,      A::No),
            (true,  head(404, OSS, true, false),    Row::Refused,          S::No,      A::No),
            (true,  head(400, PROXY, false, true),  Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(301),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(304),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(201),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(204),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(206),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(999),                      Row::Unexpected,       S::Unknown, A::Unknown),
            (true,  good(500),                      Row::ServerError,      S::Unknown, A::Unknown),
            (true,  head(502, PROXY, false, false), Row::ServerError,      S::Unknown, A::Unknown),
            (true,  head(200, OSS, true, true),     Row::ChecksumMismatch, S::Yes,     A::Yes),
            (true,  head(200, OSS, true, false),    Row::ChecksumMismatch, S::Yes,     A::Yes),
            (true,  head(203, OSS, true, true),     Row::ChecksumMismatch, S::Yes,     A::No),
            (true,  good(200),                      Row::Success,          S::Yes,     A::Yes),
            (true,  head(200, PROXY, false, true),  Row::Success,          S::Yes,     A::Yes),
            (true,  head(200, OSS, false, false),   Row::AnswerDamaged,    S::Yes,     A::Yes),
            (true,  good(203),                      Row::CallbackFailed,   S::Yes,     A::No),
            (true,  head(203, PROXY, false, false), Row::CallbackFailed,   S::Yes,     A::No),
        ];
        for (last_write_started, head, row, stored, answered) in table {
            let seen = Seen {
                last_write_started,
                all_sent: last_write_started,
                callback: true,
                head,
            };
            assert_eq!(verdict(seen), (row, stored, answered), "{seen:?}");
            let seen = Seen {
                callback: false,
                ..seen
            };
            assert_eq!(verdict(seen), (row, stored, A::NotRequested), "{seen:?}");
        }
    }

    #[test]
    fn a_success_before_the_last_byte_left_is_too_early() {
        for status in [200, 203] {
            let head = head(status, OSS, false, true);
            let seen = Seen {
                last_write_started: true,
                all_sent: false,
                callback: true,
                head,
            };
            assert_eq!(verdict(seen), (Row::TooEarly, S::Unknown, A::Unknown));
        }
    }

    fn upload(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt> {
        let mut all = Headers::default();
        headers
            .iter()
            .for_each(|(name, value)| all.push(name, value.as_bytes()));
        of_upload(Upload {
            last_write_started: true,
            all_sent: true,
            callback: true,
            crc64: 7,
            compare_crc64: true,
            success: 200,
            waited: Duration::ZERO,
            result: Ok(Answer {
                status,
                headers: all,
                body: body.into(),
                damage: None,
            }),
        })
    }

    #[test]
    fn a_crc_is_compared_as_a_number_when_there_is_one() {
        assert!(upload(200, &[], "{}").is_ok());
        assert!(upload(200, &[("x-oss-hash-crc64ecma", "7")], "{}").is_ok());
        for crc in ["8", "", "-7", "7x", "0x7", "99999999999999999999999", "é"] {
            let error = upload(200, &[("x-oss-hash-crc64ecma", crc)], "{}").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ChecksumMismatch, "{crc}");
            assert_eq!(
                (error.stored(), error.answered()),
                (S::Yes, A::Yes),
                "{crc}"
            );
            assert_eq!(error.receipt().unwrap().answer(), b"{}", "{crc}");
        }
    }

    #[test]
    fn an_answer_that_looks_like_an_error_of_oss_is_still_the_servers_answer() {
        let body = "<Error><Code>AccessDenied</Code></Error>";
        assert_eq!(upload(200, &[], body).unwrap().answer(), body.as_bytes());
    }

    #[test]
    fn a_203_tells_everything_it_knows() {
        let body = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message>\
                    <RequestId>R</RequestId><HostId>H</HostId><EC>0007-00000203</EC></Error>";
        let error = upload(
            203,
            &[("ETag", "\"AB\""), ("x-oss-hash-crc64ecma", "7")],
            body,
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CallbackFailed);
        assert_eq!(error.oss_code(), Some("CallbackFailed"));
        assert_eq!(error.oss_message(), Some("Error status : 502."));
        assert_eq!(
            (error.request_id(), error.host_id()),
            (Some("R"), Some("H"))
        );
        assert_eq!(error.ec(), Some("0007-00000203"));
        assert!(error.diagnosis().unwrap().contains("callbackSNI"));
        assert_eq!(error.body(), body.as_bytes());
        let receipt = error.receipt().unwrap();
        assert_eq!((receipt.etag(), receipt.crc64()), (Some("AB"), Some(7)));
        assert!(receipt.answer().is_empty());

        // Without an XML body it is a failed callback all the same; the document may be in a header.
        let error = upload(203, &[], "").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::CallbackFailed, S::Yes)
        );
        let error = upload(203, &[("x-oss-err", &STANDARD.encode(body))], "").unwrap_err();
        assert_eq!(error.ec(), Some("0007-00000203"));
    }

    #[test]
    fn refusals_are_named_by_their_status() {
        let id = [("x-oss-request-id", "R")];
        for (status, kind) in [
            (400, ErrorKind::Refused),
            (403, ErrorKind::AccessDenied),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Conflict),
            (503, ErrorKind::ServerError),
        ] {
            assert_eq!(upload(status, &id, "").unwrap_err().kind(), kind);
        }
        let error = upload(403, &[], "<html>\n<b>blocked by proxy</b>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
        assert_eq!(
            error.to_string(),
            "HTTP 403, <html> <b>blocked by proxy</b>"
        );
    }
}
