//! The README shows code that runs: each of its blocks is a region of an example.
//!
//! `BLESS=1 cargo test --test pages readme` copies the regions into the README.

use std::fs;
use std::path::Path;

const MARK: &str = "<!-- README region: ";

#[test]
fn the_readme_shows_the_examples_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (current, regions) = with_regions(&readme, root);
    assert!(regions >= 2, "the README shows only {regions} regions");
    if std::env::var_os("BLESS").is_some() {
        fs::write(root.join("README.md"), current).unwrap();
    } else {
        assert!(
            readme == current,
            "the README is not current: BLESS=1 cargo test --test pages readme"
        );
    }
}

/// The README with each marked block replaced by its region, and their number.
fn with_regions(readme: &str, root: &Path) -> (String, usize) {
    let mut current = String::new();
    let mut regions = 0;
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        current.push_str(&format!("{line}\n"));
        let Some(file) = line
            .strip_prefix(MARK)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let fence = lines.next().expect("a block follows the mark");
        assert!(
            fence.starts_with("```"),
            "a block follows the mark of {file}"
        );
        lines
            .by_ref()
            .take_while(|line| *line != "```")
            .for_each(drop);
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        current.push_str(&format!("{fence}\n{}```\n", region(&source, file)));
        regions += 1;
    }
    (current, regions)
}

/// The lines between `README begin` and `README end`, without their common indentation.
fn region(source: &str, file: &str) -> String {
    let lines: Vec<&str> = source
        .lines()
        .skip_while(|line| !line.contains("README begin"))
        .skip(1)
        .take_while(|line| !line.contains("README end"))
        .collect();
    assert!(!lines.is_empty(), "{file} has no region");
    let indentation = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| format!("{}\n", line.get(indentation..).unwrap_or("")))
        .collect()
}
