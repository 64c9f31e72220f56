//! What is remembered of an upload whose outcome is unknown, so that it can be looked up later.

use std::time::Instant;

/// An upload that may have stored its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsettled {
    pub(crate) bucket: String,
    pub(crate) object: String,
    /// What was sent, if that is known.
    pub(crate) contents: Option<Contents>,
    pub(crate) idempotency_id: Option<String>,
    pub(crate) requester_pays: bool,
    pub(crate) request: LostRequest,
}

/// The request whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LostRequest {
    Put {
        /// Before the first attempt was sent.
        begun: Instant,
    },
    Complete {
        upload_id: String,
        /// Whether an answer was lost at all: OSS may have said that it does not know the upload instead.
        answer_lost: bool,
    },
}

/// Size and CRC-64 of what an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) size: u64,
    pub(crate) crc64: u64,
}
