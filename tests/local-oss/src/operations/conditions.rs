//! `If-Match` and its relatives, of requests for an object and of those that copy one.

use hyper::{HeaderMap, StatusCode};

use crate::{error::OssError, objects::Object, timestamp::seconds};

/// What the four conditions are called.
pub(super) struct Names {
    matches: &'static str,
    matches_not: &'static str,
    unmodified_since: &'static str,
    modified_since: &'static str,
}

impl Names {
    pub(super) const OF_REQUEST: Self = Self {
        matches: "If-Match",
        matches_not: "If-None-Match",
        unmodified_since: "If-Unmodified-Since",
        modified_since: "If-Modified-Since",
    };
    pub(super) const OF_COPY: Self = Self {
        matches: "x-oss-copy-source-if-match",
        matches_not: "x-oss-copy-source-if-none-match",
        unmodified_since: "x-oss-copy-source-if-unmodified-since",
        modified_since: "x-oss-copy-source-if-modified-since",
    };
}

/// 412 or 304 if the object does not meet the conditions.
///
/// A comparison of ETags outweighs one of dates, as HTTP has it. A date that is none does not count.
pub(super) fn check(headers: &HeaderMap, object: &Object, names: &Names) -> Result<(), OssError> {
    let is_modified_since = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?;
        let since = httpdate::parse_http_date(text).ok()?;
        Some(seconds(object.last_modified) > seconds(since))
    };
    let failed = match matches(headers, names.matches, &object.etag) {
        Some(matches) => (!matches).then_some(names.matches),
        None => is_modified_since(names.unmodified_since)
            .unwrap_or(false)
            .then_some(names.unmodified_since),
    };
    if let Some(condition) = failed {
        return Err(OssError::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        )
        .detail("Condition", condition));
    }
    let unchanged = match matches(headers, names.matches_not, &object.etag) {
        Some(matches) => matches,
        None => is_modified_since(names.modified_since).is_some_and(|modified| !modified),
    };
    match unchanged {
        false => Ok(()),
        true => Err(OssError::new(
            StatusCode::NOT_MODIFIED,
            "NotModified",
            "The object has not been modified.",
        )
        .with_header("etag", format!("\"{}\"", object.etag))),
    }
}

/// Is the ETag in the header's list? `None` without the header. Quotes may be absent.
fn matches(headers: &HeaderMap, name: &str, etag: &str) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.any(|value| {
        let list = value.to_str().unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_matches('"') == etag)
    }))
}
