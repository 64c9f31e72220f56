//! The C API is driven by a program: functions of the header in any order, their handles in any legal order,
//! NULL wherever a pointer is taken, texts and numbers from good to absurd. AddressSanitizer looks on; what the
//! header promises besides is checked in `program`.
//!
//! The input is the program, and text as far as it can be. Its first line says what the server answers, a character
//! for each request: `0` for what is right, blanks and punctuation up to `/` for what is wrong (see `answers`). Each
//! further line is a call: the name of a function, or any other word, which stands for some function, and after a
//! blank a character for each choice that an argument takes: `0` for a good value, `/` for NULL, and what else there is
//! (see `Program` and `choices`). What a line does not say is good. `PROGRAM=1` shows what is called.
#![no_main]

mod answers;
mod calls;
mod choices;
mod deliver;
mod hooks;
mod program;
mod server;

use libfuzzer_sys::fuzz_target;
// The functions of the header are in it.
use oss_callback as _;
use program::Program;

/// Enough for handles to meet, and little enough for a run to be fast.
const MAX_CALLS: usize = 48;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    answers::begin(lines.next().unwrap_or_default());
    let mut program = Program::default();
    let lines = lines.filter(|line| !line.is_empty());
    lines.take(MAX_CALLS).for_each(|line| program.step(line));
    program.end(data.len() % 2 == 1);
    // What is left would pass for a leak.
    answers::begin(b"");
});
