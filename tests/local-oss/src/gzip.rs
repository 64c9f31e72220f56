//! gzip as OSS sends it to who accepts it. Nothing gets smaller: what is tested is that a client can read it, and that it
//! relies on no length.

use crc_fast::{CrcAlgorithm, Digest};
use hyper::{
    HeaderMap,
    body::Bytes,
    header::{ACCEPT_ENCODING, HeaderValue},
};

/// Smaller texts are sent as they are (OSS documentation, GetObject).
pub(crate) const SMALLEST: u64 = 1024;

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const LONGEST_BLOCK: usize = 0xffff;

/// Bytes on their way into a gzip file, in blocks that are not compressed.
pub(crate) struct Gzip {
    crc: Digest,
    size: u32,
    has_head: bool,
    pub(crate) is_done: bool,
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gzip").field("size", &self.size).finish()
    }
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            crc: Digest::new(CrcAlgorithm::Crc32IsoHdlc),
            size: 0,
            has_head: false,
            is_done: false,
        }
    }

    /// The next bytes of the file: with a piece of the contents, or at their end the last.
    pub(crate) fn add(&mut self, piece: Option<&[u8]>) -> Bytes {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.has_head, true) {
            out.extend(HEAD);
        }
        match piece {
            Some(piece) => {
                self.crc.update(piece);
                self.size = self.size.wrapping_add(piece.len() as u32);
                for block in piece.chunks(LONGEST_BLOCK) {
                    let length = block.len() as u16;
                    out.push(0);
                    out.extend(length.to_le_bytes());
                    out.extend((!length).to_le_bytes());
                    out.extend(block);
                }
            }
            None => {
                self.is_done = true;
                out.extend([1, 0, 0, 0xff, 0xff]);
                out.extend((self.crc.finalize() as u32).to_le_bytes());
                out.extend(self.size.to_le_bytes());
            }
        }
        out.into()
    }
}

/// Is a text of this type compressed for who accepts it?
pub(crate) fn is_text(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    media_type.starts_with("text/")
        || matches!(
            media_type.as_str(),
            "application/javascript"
                | "application/x-javascript"
                | "application/json"
                | "application/rss+xml"
                | "application/xml"
        )
}

pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(|coding| coding.split_once(';').unwrap_or((coding, "")));
    codings.any(|(coding, weight)| {
        coding.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}
