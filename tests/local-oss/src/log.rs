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
            // What a request says must not look like another line, nor move the cursor.
            let line = line.to_string().replace(char::is_control, "\u{fffd}");
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}
