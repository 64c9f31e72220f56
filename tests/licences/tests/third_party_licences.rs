//! THIRD_PARTY_LICENSES.txt names every crate that is inside the C library, with its licence.
//!
//! `BLESS=1 cargo test --manifest-path tests/licences/Cargo.toml` rewrites it. Cargo downloads what it has not yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../THIRD_PARTY_LICENSES.txt");
/// Its table of Content-Types is here as text.
const COPIED: &str = "mime_guess";

/// What cargo knows of all packages, with every feature of the C library on. One platform, so that the file does not
/// depend on where the test runs.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args([
            "--features=capi,small,aws-lc",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name}"))
}

/// The packages that are compiled into the library.
fn inside(metadata: &Value) -> Vec<&Value> {
    let packages: BTreeMap<&str, &Value> = list(metadata, "packages")
        .iter()
        .map(|package| (text(package, "id"), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"], "nodes")
        .iter()
        .map(|node| (text(node, "id"), node))
        .collect();
    let root = text(&metadata["resolve"], "root");
    let (mut found, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        let macros = |target: &Value| list(target, "kind").contains(&"proc-macro".into());
        if list(packages[id], "targets").iter().any(macros) || !found.insert(id) {
            continue;
        }
        for dependency in list(nodes[id], "deps") {
            let kinds = list(dependency, "dep_kinds");
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                open.push(text(dependency, "pkg"));
            }
        }
    }
    found.remove(root);
    let copied = packages.values().find(|p| text(p, "name") == COPIED);
    let mut found: Vec<&Value> = found.into_iter().map(|id| packages[id]).collect();
    found.extend(copied);
    found.sort_by_key(|package| (text(package, "name"), text(package, "version")));
    found
}

/// The texts of a package's licence. MIT's alone where that is offered.
fn texts(package: &Value) -> Vec<String> {
    let mut folder = Path::new(text(package, "manifest_path"))
        .parent()
        .unwrap()
        .to_owned();
    let mut starts = vec!["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];
    // Where there is such a folder it holds a file for each licence, of its name.
    if folder.join("LICENSES").is_dir() {
        folder.push("LICENSES");
        starts = vec![""];
    }
    let mut files: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            let name = name.to_ascii_uppercase();
            starts.iter().any(|start| name.starts_with(start))
                && folder.join(name).extension().is_none_or(|e| e != "HTML")
        })
        .filter(|name| folder.join(name).is_file())
        .collect();
    files.sort();
    let is_mit = |name: &&String| name.to_ascii_uppercase().contains("MIT");
    if let Some(mit) = files.iter().find(is_mit) {
        files = vec![mit.clone()];
    }
    let read = |name: &String| fs::read_to_string(folder.join(name)).unwrap();
    files
        .iter()
        .map(read)
        .map(|text| {
            let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
            lines.join("\n")
        })
        .collect()
}

fn document() -> String {
    let metadata = metadata();
    let mut document = "\
The C library of oss-callback contains the following crates, and the Rust standard library (MIT OR Apache-2.0; what that
contains is listed in https://github.com/rust-lang/rust/blob/master/COPYRIGHT). oss-callback itself is under the terms of
LICENSE-MIT or LICENSE-APACHE, as you like. Where a crate offers the MIT licence among others, its text is the one below.

"
    .to_owned();
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in inside(&metadata) {
        let name = format!("{} {}", text(package, "name"), text(package, "version"));
        let license = package["license"].as_str().unwrap_or("see below");
        document += &format!("{name}: {license}\n");
        for text in texts(package) {
            by_text.entry(text).or_default().push(name.clone());
        }
    }
    let mut sections: Vec<(Vec<String>, String)> = by_text
        .into_iter()
        .map(|(text, names)| (names, text))
        .collect();
    sections.sort();
    for (names, text) in sections {
        let line = "-".repeat(80);
        document += &format!("\n{line}\n{}\n{line}\n\n{text}\n", names.join(", "));
    }
    document
}

#[test]
fn every_crate_inside_is_named_with_its_licence() {
    let document = document();
    if std::env::var_os("BLESS").is_some() {
        fs::write(FILE, &document).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap();
    let first = committed
        .lines()
        .zip(document.lines())
        .find(|(a, b)| a != b);
    assert_eq!(
        first, None,
        "run `BLESS=1 cargo test --manifest-path tests/licences/Cargo.toml`"
    );
    assert_eq!(committed.len(), document.len());
}

/// None is left without a text, and none has terms that a user of the library would have to know of.
#[test]
fn no_licence_is_missing_or_reaches_further() {
    let metadata = metadata();
    let packages = inside(&metadata);
    let names: Vec<&str> = packages
        .iter()
        .map(|package| text(package, "name"))
        .collect();
    assert!(names.contains(&"rustls") && names.contains(&"ureq") && !names.contains(&"cbindgen"));
    for package in packages {
        let name = text(package, "name");
        let license = text(package, "license");
        let permissive = [
            "MIT",
            "Apache-2.0",
            "ISC",
            "BSD-3-Clause",
            "Unlicense",
            "Zlib",
            "0BSD",
            "CDLA-Permissive-2.0",
        ];
        let known = |word: &str| permissive.contains(&word);
        let alternatives = license.split(" OR ").flat_map(|part| part.split('/'));
        let fits = |alternative: &str| {
            alternative
                .split(" AND ")
                .all(|word| known(word.trim_matches(['(', ')'])))
        };
        assert!(alternatives.into_iter().any(fits), "{name}: {license}");
        assert!(
            !texts(package).is_empty(),
            "{name} ({license}) ships no text"
        );
    }
}
