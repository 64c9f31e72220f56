//! Tests that leave something out say so, where the test harness does not swallow it.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Says once in this process that something is not tested, and what would be needed. Where `OSS_CALLBACK_ALL_FACES` is set
/// nothing may be left out.
pub fn skip(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let all = std::env::var_os("OSS_CALLBACK_ALL_FACES").is_some();
    assert!(!all, "{reason}");
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(reason.to_owned()) {
        // Unlike `eprintln!` this is never captured.
        let mut stderr = std::io::stderr();
        let _ = writeln!(
            stderr,
            "skipped: {reason}; `.ci/run` installs what is missing"
        );
    }
}
