//! The vectors that a description makes.

use std::process::Command;

use support::c;

/// Code, description and vectors cannot drift apart: the script has nothing but the description.
#[test]
fn the_vectors_are_those_that_the_description_makes() {
    if !c::is_there(&mut Command::new("python3")) {
        return;
    }
    let script = c::source("tests/vectors/callback_seal.py");
    let made = c::succeed(Command::new("python3").arg(script).env("PYTHONUTF8", "1"));
    assert_eq!(made, include_str!("../vectors/callback_seal.json"));
}
