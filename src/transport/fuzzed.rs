//! A server of a fuzz target that answers on the thread that asks. In no other build.

use std::sync::OnceLock;

static ON_FIRST_BYTES: OnceLock<fn()> = OnceLock::new();

/// Has a function called by each thread that has sent the first bytes over a connection.
pub fn on_first_bytes(accept: fn()) {
    let _ = ON_FIRST_BYTES.set(accept);
}

pub(super) fn first_bytes_sent() {
    if let Some(accept) = ON_FIRST_BYTES.get() {
        accept();
    }
}
