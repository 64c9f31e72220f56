//! Random uploads through networks that fail at random, by the C ABI: as `tests/random_faults.rs`, with the same variables.
//!
//! `VALGRIND=valgrind` runs the C program under valgrind, which is slow: with a few hundred cases.
#![cfg(feature = "tls")]

mod ground_truth;

use ground_truth::Run;
use ground_truth::c_program::{InC, OPERATIONS};
use ground_truth::case::Abilities;
use support::c;

const SEED: u64 = 0x0055_ca11_bac0;

#[test]
fn whatever_goes_wrong_a_c_program_is_told_what_is_true() {
    let program = c::product("random_faults.out");
    let mut compiler = c::c_compiler("c99");
    compiler.args(["-g", "-pthread", "-o"]).arg(&program);
    compiler.arg(c::source("tests/c/random_faults.c"));
    c::link(&mut compiler);
    c::succeed(&mut compiler);

    let valgrind = std::env::var("VALGRIND").unwrap_or_default();
    let (cases, slowness) = if valgrind.is_empty() {
        (600, 1)
    } else {
        (150, 10)
    };
    let mut before = Vec::new();
    if !valgrind.is_empty() {
        before = vec![
            valgrind,
            "--quiet".to_owned(),
            "--error-exitcode=99".to_owned(),
            "--leak-check=full".to_owned(),
            "--show-leak-kinds=definite".to_owned(),
            "--errors-for-leak-kinds=definite".to_owned(),
            // What ring encrypts by its own assembly is uninitialised to valgrind. Addresses and leaks are what counts here.
            "--undef-value-errors=no".to_owned(),
        ];
    }
    let abilities = Abilities {
        operations: &OPERATIONS,
        resolver: false,
        slowness,
    };
    let mut run = Run::new(SEED, cases, abilities);
    if !before.is_empty() {
        run.workers = run.workers.min(4);
    }
    run.hold(|| Box::new(InC::start(&before, &program)));
}
