//! A line per request and per callback.

use std::{
    fmt,
    io::{self, Write},
};

/// Writes to stderr, or nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) quiet: bool,
}

impl Log {
    /// A stderr that nobody reads is no reason to stop.
    pub(crate) fn line(self, line: fmt::Arguments<'_>) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}
