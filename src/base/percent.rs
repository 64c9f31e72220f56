//! Percent-encoding with the alphabet of OSS: everything but `A-Z a-z 0-9 - _ . ~`, upper-case hex.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Encodes a query name or value, a form value, or anything else in which `/` has no meaning.
pub(crate) fn encode(text: &str) -> String {
    query(text).to_string()
}

/// The same, piece by piece.
pub(crate) fn query(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, QUERY)
}

/// Encodes a path, piece by piece; `/` stays.
pub(crate) fn path(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, PATH)
}

/// Decodes what OSS encodes in XML with `encoding-type=url`: `%XX`, and `+` for a blank (inferred; OSS's own
/// encoder writes a plus sign as `%2B`). `None` if it is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    decoded.ok().map(|text| text.into_owned())
}
