//! What a refusal says of the time. Pure.
//!
//! OSS refuses a request whose date is more than 15 minutes from its own time, in one of two forms (OSS documentation,
//! "RequestTimeTooSkewed"; the second as the official SDKs look for it), and says what its time is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::dates::parse_iso8601;
use crate::outcome::error::Error;
use crate::outcome::verdict::Stored;

/// The years 2000 to 2999: what is out of that no signature is dated with.
const FIRST: Duration = Duration::from_secs(946_684_800);
const LAST: Duration = Duration::from_secs(32_503_679_999);

/// OSS's time, if OSS refused the request because of its date and says a time that can be right.
pub(crate) fn told_by(error: &Error) -> Option<SystemTime> {
    // Nothing has a code but OSS's own answers.
    let is_refusal = error.stored() == Stored::No
        && is_about_the_date(error.status()?, error.oss_code()?, error.oss_message());
    if !is_refusal {
        return None;
    }
    // Boxes in between write dates of their own into answers, but not into documents.
    let server_time = error.detail("ServerTime").and_then(time);
    server_time.or_else(|| error.header("date").and_then(time))
}

/// Whether OSS says that the date of a request is not its own.
pub(super) fn is_about_the_date(status: u16, code: &str, message: Option<&str>) -> bool {
    match (status, code) {
        (403, "RequestTimeTooSkewed") => true,
        // Of version 4 only: the day in the scope.
        (400, "InvalidArgument") => message.is_some_and(|message| {
            message
                .to_ascii_lowercase()
                .contains("invalid signing date")
        }),
        _ => false,
    }
}

/// A time in either form, if it can be right.
fn time(text: &str) -> Option<SystemTime> {
    let time = parse_iso8601(text).or_else(|| httpdate::parse_http_date(text.trim()).ok())?;
    let is_plausible = (UNIX_EPOCH + FIRST..=UNIX_EPOCH + LAST).contains(&time);
    is_plausible.then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Answer, headers::Headers, refusal};

    const DATE: &str = "Thu, 29 Feb 2024 23:59:59 GMT";
    const ISO: &str = "2024-02-29T23:59:59.000Z";
    const SIGNING_DATE: &str = "<Code>InvalidArgument</Code><Message>Invalid signing date in Authorization header.</Message>";

    fn told(status: u16, headers: &[(&str, &str)], elements: &str) -> Option<SystemTime> {
        let mut all = Headers::default();
        for (name, value) in headers {
            all.push(name, value.as_bytes());
        }
        told_by(&refusal(Answer {
            status,
            headers: all,
            body: format!("<Error>{elements}</Error>").into_bytes(),
            damage: None,
            relayed: false,
        }))
    }

    #[test]
    fn only_a_refusal_of_oss_about_the_date_tells_the_time() {
        let id = ("x-oss-request-id", "R");
        let right = httpdate::parse_http_date(DATE).ok();
        let server_time = format!("<ServerTime>{ISO}</ServerTime>");
        let skewed = "<Code>RequestTimeTooSkewed</Code>";
        for elements in [skewed, SIGNING_DATE] {
            let status = if elements == skewed { 403 } else { 400 };
            // From the header, from the document, and from there although the header says another thing.
            assert_eq!(told(status, &[id, ("Date", DATE)], elements), right);
            let both = format!("{elements}{server_time}");
            assert_eq!(told(status, &[id], &both), right);
            let other = ("Date", "Fri, 01 Mar 2024 23:59:59 GMT");
            assert_eq!(told(status, &[id, other], &both), right);
            let nested = format!("{elements}<Detail>{server_time}</Detail>");
            assert_eq!(told(status, &[id, other], &nested), right);
            // What cannot be right is no time.
            for wrong in [
                "",
                "soon",
                "1970-01-01T00:00:00.000Z",
                "9999-01-01T00:00:00.000Z",
            ] {
                let wrong = format!("{elements}<ServerTime>{wrong}</ServerTime>");
                assert_eq!(told(status, &[id, ("Date", DATE)], &wrong), right);
                assert_eq!(told(status, &[id], &wrong), None);
            }
            // Somebody else's, with another status, or no time at all.
            assert_eq!(told(status, &[("Date", DATE)], &both), None);
            assert_eq!(told(503, &[id, ("Date", DATE)], &both), None);
            assert_eq!(told(200, &[id, ("Date", DATE)], &both), None);
            assert_eq!(told(status, &[id], elements), None);
        }
        for (status, elements) in [
            (
                403,
                "<Code>AccessDenied</Code><Message>Request has expired.</Message>",
            ),
            (403, "<Code>SignatureDoesNotMatch</Code>"),
            (
                400,
                "<Code>InvalidArgument</Code><Message>Invalid signing region in Authorization header.</Message>",
            ),
        ] {
            let elements = format!("{elements}{server_time}");
            assert_eq!(told(status, &[id, ("Date", DATE)], &elements), None);
        }
    }
}
