//! Random uploads through networks that fail at random, and in which somebody who is not OSS answers: what the client says, held
//! against the truth.
//!
//! Everything of a case is made from one number, and the numbers of all cases from one seed, which is printed. The seed is
//! always the same in `cargo test`, so that what fails there was broken by a change and not found by chance; other cases are
//! tried by the commands below. What happens when is left to the machine all the same: the truth is what the servers and the
//! networks have seen, not what was planned.
//!
//! ```sh
//! OSS_CALLBACK_SEED=7 OSS_CALLBACK_CASES=100000 cargo test --locked --test random_faults -- --nocapture    # about 15 min
//! OSS_CALLBACK_CASE=0x1234567890abcdef cargo test --locked --test random_faults -- --nocapture             # one of them
//! ```
//!
//! `OSS_CALLBACK_WORKERS` says how many cases run at once, 16 if it says nothing. This file has one test, since that counts
//! threads and descriptors.
#![cfg(feature = "tls")]

mod ground_truth;

use ground_truth::Run;
use ground_truth::case::{Abilities, Operation};
use ground_truth::rust::InRust;

const SEED: u64 = 0x0055_ca11_bac0;

#[test]
fn whatever_goes_wrong_the_client_says_what_is_true() {
    let abilities = Abilities {
        operations: &Operation::ALL,
        resolver: true,
        slowness: 1,
    };
    Run::new(SEED, 2000, abilities).hold(|| Box::new(InRust::default()));
}
