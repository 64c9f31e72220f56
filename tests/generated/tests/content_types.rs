//! `src/request/content_types.txt` is the table of mime_guess, and what is not in it mime_guess does not know either.
//!
//! `BLESS=1 cargo test -p generated --test content_types` takes over what a newer mime_guess knows.

#[path = "../../../src/request/content_type.rs"]
#[allow(dead_code, reason = "the library calls it in another way, too")]
mod content_type;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use support::c;

#[test]
fn types_are_those_of_mime_guess() {
    let extensions = mime_guess::get_extensions("*", "*").unwrap();
    let lines: BTreeMap<String, &str> = extensions
        .iter()
        .map(|extension| {
            let known = mime_guess::from_ext(extension).first_raw().unwrap();
            (extension.to_ascii_lowercase(), known)
        })
        .collect();
    let mut table = String::new();
    for (extension, content_type) in &lines {
        table += &format!("{extension} {content_type}\n");
    }
    let file = c::source("src/request/content_types.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert!(lines.len() > 1_000 && table.is_ascii() && committed == table);
}

#[test]
fn what_is_not_in_the_table_mime_guess_does_not_know() {
    for path in [
        "cat.jpg",
        "a.b/CAT.JPG",
        "archive.tar.gz",
        ".jpg",
        "jpg",
        "cat.jp",
        "cat.",
        "cat.!",
        "cat.jpeg2",
        "cat.zzzzzz",
        "cat.\u{76ee}",
        "cat.jpg jpeg",
    ] {
        let guessed = mime_guess::from_path(path).first_raw();
        let of = content_type::of(Path::new(path));
        assert_eq!(of, guessed.unwrap_or("application/octet-stream"), "{path}");
    }
}
