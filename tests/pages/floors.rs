//! The floors of `src`: who uses whom, by the table in CONTRIBUTING.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use support::c;

/// The floor of each room, as the table says.
fn floors() -> BTreeMap<String, u32> {
    let page = fs::read_to_string(c::source("CONTRIBUTING.md")).expect("readable");
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.trim().strip_prefix("| ")?.split(" | ");
        let floor = cells.next()?.trim().parse().ok()?;
        let rooms = cells.next()?.split(", ");
        Some(rooms.map(move |room| (room.trim().trim_matches('`').to_owned(), floor)))
    });
    rows.flatten().collect()
}

/// What a file says outside its comments and its unit tests.
fn code(text: &str) -> String {
    let (text, _) = text
        .split_once("\n#[cfg(test)]\nmod tests {")
        .unwrap_or((text, ""));
    let lines = text.lines().map(str::trim_start);
    let code: Vec<_> = lines.filter(|line| !line.starts_with("//")).collect();
    code.join("\n")
}

/// The first name of each path that begins with `crate::`, also of those in braces; what `lib.rs` exports is its.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        let group = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split('}').next());
        for path in group.unwrap_or(rest).split(',') {
            let path = path.trim_start();
            let name: String = path
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                let is_module = name.starts_with(|c: char| c.is_ascii_lowercase());
                used.insert(if is_module { name } else { "lib".to_owned() });
            }
            if group.is_none() {
                break;
            }
        }
    }
    used
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn every_room_uses_only_what_is_below_it() {
    let (floors, src) = (floors(), c::source("src"));
    let (mut all, mut arrows, mut wrong) = (Vec::new(), 0, Vec::new());
    files(&src, &mut all);
    for path in all {
        let inside = path
            .strip_prefix(&src)
            .expect("in src")
            .to_str()
            .expect("UTF-8");
        let Some(room) = inside
            .split('/')
            .next()
            .map(|room| room.trim_end_matches(".rs"))
        else {
            continue;
        };
        // Of unit tests.
        if !inside.ends_with(".rs")
            || room == "vectors"
            || inside.ends_with("tests.rs")
            || inside.ends_with("properties.rs")
        {
            continue;
        }
        let floor = floors
            .get(room)
            .unwrap_or_else(|| panic!("{room} is not in the table"));
        for other in used(&code(&fs::read_to_string(&path).expect("UTF-8"))) {
            let other_floor = floors
                .get(&other)
                .unwrap_or_else(|| panic!("{inside} uses {other}"));
            arrows += u32::from(other != room);
            if other != room && other_floor >= floor {
                wrong.push(format!(
                    "{inside}, on floor {floor}, uses {other}, on {other_floor}"
                ));
            }
        }
    }
    assert!(arrows > 100, "{arrows}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_long_and_the_root_has_few_entries() {
    let src = c::source("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let is_code = |path: &&std::path::PathBuf| path.extension().is_some_and(|end| end == "rs");
    for path in all.iter().filter(is_code) {
        let lines = fs::read_to_string(path).expect("UTF-8").lines().count();
        assert!(lines <= 600, "{path:?} has {lines} lines");
    }
    assert!(fs::read_dir(&src).expect("readable").count() <= 18);
}
