//! Tests of what holds for every value: each case is made from a seed, and one that fails says which.

use std::ops::RangeInclusive;
use std::{env, iter, thread};

use fastrand::Rng;

/// Runs a test with one random case after the other, `OSS_CALLBACK_CASES` in place of `cases` when that is set.
pub fn for_any(cases: u64, test: impl Fn(&mut Rng)) {
    struct Seed(u64);
    impl Drop for Seed {
        fn drop(&mut self) {
            if thread::panicking() {
                eprintln!("in the case of seed {}", self.0);
            }
        }
    }
    let cases = match env::var("OSS_CALLBACK_CASES") {
        Ok(more) => more.parse().expect("a number in OSS_CALLBACK_CASES"),
        Err(_) => cases,
    };
    for seed in 0..cases {
        let seed = Seed(seed);
        test(&mut Rng::with_seed(seed.0));
    }
}

/// Any character, and those that mean something to somebody more often than others.
fn character(random: &mut Rng) -> char {
    const SPECIAL: &[u8] = b" +%&?#=/\\.~:;@!$'()*,[]{}|^`\"<>-_aZ0\n\r\t\0\x7f";
    match random.u8(0..8) {
        0 => random
            .choice(['\u{e9}', '\u{76ee}', '\u{1f4a9}', '\u{feff}'])
            .unwrap(),
        1..5 => char::from(*random.choice(SPECIAL).unwrap()),
        _ => random.char(..),
    }
}

/// A text of so many characters, all of which pass.
pub fn text(
    random: &mut Rng,
    lens: RangeInclusive<usize>,
    passes: impl Fn(char) -> bool,
) -> String {
    let len = random.usize(lens);
    let any = iter::repeat_with(|| character(random));
    any.filter(|c| passes(*c)).take(len).collect()
}

/// At most so many bytes.
pub fn bytes(random: &mut Rng, most: usize) -> Vec<u8> {
    let len = random.usize(0..=most);
    (0..len).map(|_| random.u8(..)).collect()
}
