//! The Content-Type of what is uploaded, when the caller does not give it.

use std::path::Path;

/// What OSS stores when nothing better is known.
const DEFAULT: &str = "application/octet-stream";

/// By the extension of a file or an object.
pub(crate) fn of(path: &Path) -> &'static str {
    guess(path).unwrap_or(DEFAULT)
}

/// By the extension of a file, else by that of the object.
pub(crate) fn of_either(file: &Path, object: &str) -> &'static str {
    guess(file).unwrap_or_else(|| of(Path::new(object)))
}

fn guess(path: &Path) -> Option<&'static str> {
    mime_guess::from_path(path).first_raw()
}
