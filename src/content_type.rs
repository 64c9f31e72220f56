//! The Content-Type of what is uploaded, when the caller does not give it.

use std::path::Path;

/// What OSS stores when nothing better is known.
const DEFAULT: &str = "application/octet-stream";
/// A type and its extensions on each line: mime_guess's own table, which is that of the official SDKs and more.
/// The crate's costs a shared library 0.2 MB, most of it relocations; this is text.
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
    TYPES.lines().find_map(|line| {
        let (content_type, extensions) = line.split_once(' ')?;
        let mut extensions = extensions.split(' ');
        extensions
            .any(|known| known.eq_ignore_ascii_case(extension))
            .then_some(content_type)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// `BLESS=1 cargo test --lib content_type` takes over what a newer mime_guess knows.
    #[test]
    fn types_are_those_of_mime_guess() {
        let mut lines: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let extensions = mime_guess::get_extensions("*", "*").unwrap();
        for extension in extensions {
            let known = mime_guess::from_ext(extension).first_raw().unwrap();
            lines.entry(known).or_default().insert(extension);
        }
        let mut table = String::new();
        for (content_type, extensions) in lines {
            let extensions: Vec<&str> = extensions.into_iter().collect();
            table += &format!("{content_type} {}\n", extensions.join(" "));
        }
        if std::env::var_os("BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/content_types.txt");
            std::fs::write(path, &table).unwrap();
        }
        assert!(extensions.len() > 1_000 && TYPES == table);
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
            ("cat.jpg jpeg", DEFAULT),
        ] {
            assert_eq!(of(Path::new(path)), expected, "{path}");
            let guessed = mime_guess::from_path(path).first_raw();
            assert_eq!(guess(Path::new(path)), guessed, "{path}");
        }
        assert_eq!(of_either(Path::new("a"), "b.png"), "image/png");
        assert_eq!(of_either(Path::new("a.gif"), "b.png"), "image/gif");
    }
}
