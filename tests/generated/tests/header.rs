//! The C header is committed as it is generated.
//!
//! `BLESS=1 cargo test -p generated --test header` writes the generated one over the committed one.

#[path = "../../../build.rs"]
#[allow(dead_code, reason = "its `main` is for cargo")]
mod build;

use std::fs;

use support::c;

#[test]
fn the_committed_header_is_the_generated_one() {
    let manifest = fs::read_to_string(c::source("Cargo.toml")).expect("it is there");
    let (_, rest) = manifest.split_once("version = \"").expect("a version");
    let version = rest.split('"').next().expect("it ends");
    let generated = build::header::generate(&c::source(""), version);
    if std::env::var_os("BLESS").is_some() {
        fs::write(c::source("include/oss_callback.h"), &generated).expect("the header is writable");
    }
    let committed = c::header();
    let mut lines = committed.lines().zip(generated.lines()).enumerate();
    if let Some((index, (committed, generated))) = lines.find(|(_, (a, b))| a != b) {
        panic!(
            "line {} of include/oss_callback.h\n  is        {committed}\n  should be {generated}\n\
             run `BLESS=1 cargo test -p generated` and read the difference",
            index + 1
        );
    }
    assert_eq!(committed.len(), generated.len(), "one of the two goes on");
}
