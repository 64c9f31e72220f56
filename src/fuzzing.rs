//! Doors for the fuzz targets to parsers that otherwise only a socket or a file leads to, and to the moment in which a
//! server can answer without a thread of its own. In no build but theirs: cargo-fuzz sets `--cfg fuzzing`.

use serde_json::Value;

use crate::operations::{multipart, upload};
use crate::outcome::error_document;
pub use crate::transport::on_first_bytes;

/// Code, message, request id, host id and EC of an error document, and then its further elements.
pub fn error_document(body: &[u8]) -> Option<Vec<(String, String)>> {
    let error = error_document::parse(body)?;
    let known = [
        ("Code", error.code),
        ("Message", error.message),
        ("RequestId", error.request_id),
        ("HostId", error.host_id),
        ("EC", error.ec),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?)));
    Some(known.chain(error.details).collect())
}

/// The parts on a page of ListParts, and whether another page follows.
pub fn list_parts(body: &[u8]) -> Option<(Vec<multipart::Part>, bool)> {
    multipart::read_page(body)
}

/// Reads a checkpoint of this JSON, its CRC-64 being right, and what is read once it was written again: the
/// parts and the upload id, if they are trusted. `identity` is that of the upload which is to go on.
pub fn checkpoint(json: &str, identity: &Value) -> [Option<(String, Vec<multipart::Part>)>; 2] {
    upload::read_and_write_checkpoint(json, identity)
}
