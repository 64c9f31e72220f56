//! `If-Match` and its relatives.

use std::time::SystemTime;

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE},
};

use crate::objects::Object;

/// 304 or 412, or `None` if the object is to be sent.
///
/// A comparison of ETags outweighs one of dates, as HTTP has it. A date that is none does not count.
pub(crate) fn refusal(headers: &HeaderMap, object: &Object) -> Option<StatusCode> {
    let is_modified_since = |name: HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        let since = httpdate::parse_http_date(text).ok()?;
        Some(whole_seconds(object.last_modified) > whole_seconds(since))
    };
    let failed = match matches(headers, IF_MATCH, &object.etag) {
        Some(matches) => !matches,
        None => is_modified_since(IF_UNMODIFIED_SINCE).unwrap_or(false),
    };
    if failed {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    let unchanged = match matches(headers, IF_NONE_MATCH, &object.etag) {
        Some(matches) => matches,
        None => is_modified_since(IF_MODIFIED_SINCE).is_some_and(|modified| !modified),
    };
    unchanged.then_some(StatusCode::NOT_MODIFIED)
}

/// Is the ETag in the header's list? `None` without the header. Quotes may be absent.
fn matches(headers: &HeaderMap, name: HeaderName, etag: &str) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.any(|value| {
        let list = value.to_str().unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_matches('"') == etag)
    }))
}

fn whole_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
