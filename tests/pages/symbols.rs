//! What the shared library exports: the functions of the header, nothing else, and no name of another SDK.
//!
//! `BLESS=1 cargo test --test pages symbols` rewrites `tests/symbols.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use support::c;

/// Every dynamic symbol that the library beside this test defines.
fn exported() -> BTreeSet<String> {
    let library = c::library_folder().join("liboss_callback.so");
    let table = c::succeed(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library),
    );
    let names = table
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    names.map(str::to_owned).collect()
}

/// Functions, types, macros and enumerators of the header, in its comments too.
fn names_of_the_header() -> BTreeSet<String> {
    let header = c::header();
    let words = header.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("oss_") || word.starts_with("OSS_"));
    names.map(str::to_owned).collect()
}

/// The list: names, and the version of the library in which each appeared.
fn listed() -> BTreeMap<String, String> {
    let list = fs::read_to_string(c::source("tests/symbols.txt")).expect("the list is committed");
    let words = list
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, version)| (name.to_owned(), version.to_owned()));
    words.collect()
}

#[test]
fn the_library_exports_the_names_of_the_list() {
    let mut listed = listed();
    let exported = exported();
    if std::env::var_os("BLESS").is_some() {
        listed.retain(|name, _| exported.contains(name));
        for name in &exported {
            let version = || env!("CARGO_PKG_VERSION").to_owned();
            listed.entry(name.clone()).or_insert_with(version);
        }
        let lines = listed
            .iter()
            .map(|(name, since)| format!("{name} {since}\n"));
        let list = c::source("tests/symbols.txt");
        fs::write(list, lines.collect::<String>()).expect("the list is writable");
    }
    let listed: BTreeSet<String> = listed.into_keys().collect();
    assert_eq!(
        exported, listed,
        "run `BLESS=1 cargo test --test pages symbols` if this is meant, and see docs/COMPATIBILITY.md if a name goes"
    );
}

#[test]
fn no_name_appeared_in_a_version_to_come() {
    let number = |version: &str| -> Vec<u32> {
        let parts = version
            .split('.')
            .map(|part| part.parse().expect("a number"));
        parts.collect()
    };
    for (name, since) in listed() {
        assert_eq!(number(&since).len(), 3, "{name}");
        assert!(
            number(&since) <= number(env!("CARGO_PKG_VERSION")),
            "{name}"
        );
    }
}

#[test]
fn the_library_exports_the_functions_of_the_header() {
    let prototypes = c::prototypes();
    let declared: BTreeSet<String> = prototypes
        .iter()
        .map(|p| c::name_of(p).to_owned())
        .collect();
    assert_eq!(
        declared.len(),
        prototypes.len(),
        "a function is declared twice"
    );
    assert_eq!(exported(), declared);
}

#[test]
fn functions_have_one_of_the_two_shapes() {
    for name in exported() {
        let operation = name.starts_with("oss_") && name.ends_with("_with_callback");
        assert!(operation || name.starts_with("oss_callback_"), "{name}");
    }
}

#[test]
fn no_name_is_taken_by_aliyun_oss_c_sdk() {
    let list = include_str!("../symbols_of_aliyun_oss_c_sdk.txt");
    let taken = list.lines().filter(|line| !line.starts_with('#'));
    let ours: BTreeSet<String> = names_of_the_header().union(&exported()).cloned().collect();
    assert!(ours.contains("oss_callback_client") && ours.contains("OSS_CALLBACK_CODE_OK"));
    for taken in taken {
        let family = taken.strip_suffix('*');
        let clash = ours.iter().find(|name| match family {
            Some(prefix) => name.starts_with(prefix),
            None => *name == taken,
        });
        assert_eq!(clash, None, "is taken by aliyun-oss-c-sdk, as {taken}");
    }
}
