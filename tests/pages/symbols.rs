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

/// The opaque types of the header.
fn handles() -> BTreeSet<String> {
    let header = c::header();
    let lines = header
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct "));
    let names = lines.filter_map(|line| Some(line.split_once(' ')?.0.to_owned()));
    names.collect()
}

/// Types and names of a function's parameters.
fn parameters(prototype: &str) -> Vec<(String, String)> {
    let (_, list) = prototype.split_once('(').expect("a list of parameters");
    let list = list.trim_end_matches(')').split(',').map(str::trim);
    let given = list.filter(|parameter| *parameter != "void");
    given
        .map(|parameter| {
            let name = parameter.rsplit([' ', '*']).next().unwrap_or_default();
            let of_type = parameter.strip_suffix(name).unwrap_or_default();
            (of_type.trim().to_owned(), name.to_owned())
        })
        .collect()
}

/// What is wrong with a name, by the rule at the top of the header.
fn broken_rule(prototype: &str, handles: &BTreeSet<String>) -> Option<&'static str> {
    let name = c::name_of(prototype);
    let parameters = parameters(prototype);
    let gives_receipt = parameters
        .iter()
        .any(|(of_type, _)| of_type == "oss_callback_receipt **");
    let operation = !name.starts_with("oss_callback_");
    let with = ["_with_callback", "_with_url", "_with_form"];
    if gives_receipt != operation || operation != with.iter().any(|with| name.ends_with(with)) {
        return Some("what gives a receipt is oss_<verb>_<noun>_with_{callback,url,form}");
    }
    // `expires_in` is a duration.
    let moments = ["expires", "modified", "observed"];
    let moment = moments.iter().any(|word| name.contains(word)) && !name.contains("expires_in");
    let units = if moment {
        &["_at_s"][..]
    } else {
        &["_ms", "_s"]
    };
    let timed = [
        "timeout",
        "expires",
        "deadline",
        "valid_for",
        "time",
        "delay",
        "waited",
        "modified",
        "bandwidth",
        "traffic_limit",
        "observed",
    ];
    let numbers = ["uint64_t", "uint64_t *"];
    let is_number = parameters
        .last()
        .is_some_and(|(of_type, _)| numbers.contains(&of_type.as_str()))
        || prototype.starts_with("uint64_t ");
    if is_number
        && timed.iter().any(|word| name.contains(word))
        && !units.iter().any(|unit| name.ends_with(unit))
    {
        return Some("units are part of a name");
    }
    if operation || ["oss_callback_version", "oss_callback_version_number"].contains(&name) {
        return None;
    }
    let owner = handles
        .iter()
        .map(String::as_str)
        .chain(["oss_callback_code"])
        .filter(|handle| name.starts_with(&format!("{handle}_")))
        .max_by_key(|handle| handle.len());
    let Some(owner) = owner else {
        return Some("everything else is oss_callback_<handle>_<verb>");
    };
    let first = parameters
        .first()
        .map_or("", |(of_type, _)| of_type.as_str());
    let takes = [format!("{owner} *"), format!("const {owner} *")].contains(&first.to_owned());
    let makes = name.starts_with(&format!("{owner}_new"))
        && parameters
            .iter()
            .any(|(of_type, _)| *of_type == format!("{owner} **"));
    let gives = prototype.starts_with(&format!("const {owner} *"));
    if takes || makes || gives || owner == "oss_callback_code" {
        None
    } else {
        Some("a method takes its handle first, or makes one")
    }
}

#[test]
fn every_name_obeys_the_rule_at_the_top_of_the_header() {
    let handles = handles();
    assert!(handles.len() > 30, "{handles:?}");
    for prototype in c::prototypes() {
        assert_eq!(broken_rule(&prototype, &handles), None, "{prototype}");
    }
    // The names that it was made for.
    for before in [
        "oss_callback_code oss_callback_client_put_object_with_url(const oss_callback_client *client, oss_callback_receipt **receipt)",
        "oss_callback_code oss_put_object(const oss_callback_client *client, oss_callback_receipt **receipt)",
        "oss_callback_code oss_head_object_with_callback(const oss_callback_client *client)",
        "void oss_callback_permission_set_valid_for(oss_callback_permission *permission, uint64_t seconds)",
        "uint64_t oss_callback_sealed_expires(const oss_callback_sealed *sealed)",
        "void oss_callback_credentials_set_expires_s(oss_callback_credentials *credentials, uint64_t expires)",
        "oss_callback_code oss_callback_multipart_upload_new(const oss_callback_client *client)",
        "void oss_callback_frobnicate(oss_callback_client *client)",
    ] {
        assert!(broken_rule(before, &handles).is_some(), "{before}");
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
