//! A server of a fuzz target that answers on the thread that asks. In no other build.

use std::sync::OnceLock;

static ON_CONNECT: OnceLock<fn()> = OnceLock::new();

/// Has a function called by each thread that has opened a connection, before anything is sent.
pub fn on_connect(accept: fn()) {
    let _ = ON_CONNECT.set(accept);
}

pub(super) fn connected() {
    if let Some(accept) = ON_CONNECT.get() {
        accept();
    }
}
