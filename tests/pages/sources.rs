//! What the sources of tests and examples must not hold.

use std::fs;

use support::c;

/// What listens on a port that a test did not choose is not the test's business: `local_oss::RefusedAddress` holds a port at which
/// nobody answers.
#[test]
fn no_test_counts_on_a_port_that_happens_to_be_closed() {
    let folders = ["tests", "examples", "src"];
    let mut open: Vec<_> = folders.iter().map(|folder| c::source(folder)).collect();
    let (mut looked_at, mut found) = (0, Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("readable");
            open.extend(entries.map(|entry| entry.expect("readable").path()));
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        looked_at += 1;
        for host in ["127.0.0.1", "[::1]"] {
            for port in ["1", "9"] {
                let closed = format!("{host}:{port}");
                let mut places = text.match_indices(&closed);
                if places.any(|(at, _)| {
                    !text[at + closed.len()..].starts_with(|c: char| c.is_ascii_digit())
                }) {
                    found.push(format!("{} has {closed}", path.display()));
                }
            }
        }
    }
    assert!(looked_at > 400, "{looked_at} files");
    assert!(found.is_empty(), "{found:#?}");
}

/// A module that its `main.rs` does not name would be left out without a word.
#[test]
fn each_file_of_a_merged_test_is_a_module_of_it() {
    let mut files = 0;
    for folder in ["tests", "tests/local-oss/tests"] {
        for folder in fs::read_dir(c::source(folder)).expect("readable") {
            let folder = folder.expect("readable").path();
            let Ok(main) = fs::read_to_string(folder.join("main.rs")) else {
                continue;
            };
            for file in fs::read_dir(&folder).expect("readable") {
                let name = file.expect("readable").file_name();
                let name = name.to_str().expect("UTF-8");
                if let Some(module) = name.strip_suffix(".rs").filter(|name| *name != "main") {
                    files += 1;
                    let named = main.contains(&format!("mod {module};"));
                    assert!(named, "{folder:?}: main.rs does not name {module}");
                }
            }
        }
    }
    assert!(files > 60, "{files}");
}
