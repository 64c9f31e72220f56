//! The Content-Type of what is uploaded, when the caller does not give it.

use std::cmp::Ordering;
use std::path::Path;

/// What OSS stores when nothing better is known.
const DEFAULT: &str = "application/octet-stream";
/// An extension and its type on each line, sorted: mime_guess's own table, which is that of the official SDKs and
/// more. The crate's costs a shared library 0.2 MB, most of it relocations; this is text.
const TYPES: &str = include_str!("content_types.txt");

/// By the extension of a file or an object.
pub(crate) fn of(path: &Path) -> &'static str {
    guess(path).unwrap_or(DEFAULT)
}

/// By the extension of a file, else by that of the object.
pub(crate) fn of_either(file: &Path, object: &str) -> &'static str {
    guess(file).unwrap_or_else(|| of(Path::new(object)))
}

fn guess(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let extension = || extension.bytes().map(|byte| byte.to_ascii_lowercase());
    // The line is one of these, if there is one. To look at each would take longer than the rest of a small upload.
    let mut lines = TYPES;
    while !lines.is_empty() {
        let (before, after) = lines.split_at(lines.len() / 2);
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let end = before.len() + after.find('\n')?;
        let (known, content_type) = lines[begin..end].split_once(' ')?;
        match known.bytes().cmp(extension()) {
            Ordering::Less => lines = &lines[end + 1..],
            Ordering::Greater => lines = &lines[..begin],
            Ordering::Equal => return Some(content_type),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also the first and the last. Of an extension with two dots only the second counts.
    #[test]
    fn each_line_of_the_table_is_found() {
        for line in TYPES.lines() {
            let (extension, content_type) = line.split_once(' ').unwrap();
            if !extension.contains('.') {
                let path = format!("a.{extension}");
                assert_eq!(guess(Path::new(&path)), Some(content_type), "{path}");
            }
        }
    }

    #[test]
    fn what_a_file_is_called_decides() {
        for (path, expected) in [
            ("cat.jpg", "image/jpeg"),
            ("a.b/CAT.JPG", "image/jpeg"),
            ("archive.tar.gz", "application/gzip"),
            (".jpg", DEFAULT),
            ("jpg", DEFAULT),
            ("cat.jp", DEFAULT),
            ("cat.", DEFAULT),
            ("cat.!", DEFAULT),
            ("cat.jpeg2", DEFAULT),
            ("cat.zzzzzz", DEFAULT),
            ("cat.\u{76ee}", DEFAULT),
            ("cat.jpg jpeg", DEFAULT),
        ] {
            assert_eq!(of(Path::new(path)), expected, "{path}");
        }
        assert_eq!(of_either(Path::new("a"), "b.png"), "image/png");
        assert_eq!(of_either(Path::new("a.gif"), "b.png"), "image/gif");
    }
}
