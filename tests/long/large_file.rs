//! A file of 6 GiB in four parallel parts: how much memory its uploader takes. Not part of the usual run, since it
//! writes 6 GiB to the folder for temporary files:
//!
//! `cargo test --release --test long large_file -- --ignored --nocapture`

use std::env;
use std::process::Command;
use std::time::Instant;

use support::{BUCKET, TemporaryFile, agreeing_receiver, client, server, spec};

const LEN: u64 = 6 << 30;
const MOST_MEMORY: u64 = 64 << 20;

/// What the uploader finds in its environment.
const ENDPOINT: &str = "OSS_CALLBACK_TEST_ENDPOINT";
const FILE: &str = "OSS_CALLBACK_TEST_FILE";
const CALLBACK: &str = "OSS_CALLBACK_TEST_CALLBACK";

/// Not a test of its own: the uploader, a process apart from the server.
#[test]
fn uploads_for_the_test_that_measures_it() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let variable = |name| env::var(name).unwrap();
    let begun = Instant::now();
    let receipt = client(&endpoint)
        .upload_file(BUCKET, "large")
        .parallel(4)
        .callback(&spec(&variable(CALLBACK)))
        .send(variable(FILE))
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = peak.unwrap().split_whitespace().nth(1).unwrap();
    println!("measured {kib} {seconds:.1}");
}

#[test]
#[ignore = "writes 6 GiB; a measurement"]
fn six_gibibytes_take_less_than_64_mebibytes_of_memory() {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let file = TemporaryFile::sparse("six-gibibytes.bin", LEN);
    let uploader = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "large_file::uploads_for_the_test_that_measures_it",
        ])
        .arg("--nocapture")
        .env(ENDPOINT, server.endpoint())
        .env(FILE, file.path())
        .env(CALLBACK, receiver.url("/"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&uploader.stdout);
    assert!(
        uploader.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&uploader.stderr)
    );
    let measured = said.lines().find_map(|line| line.split_once("measured "));
    let (kib, seconds) = measured.unwrap().1.split_once(' ').unwrap();
    let peak = kib.parse::<u64>().unwrap() * 1024;
    println!(
        "{LEN} bytes in {seconds} s, at most {} MiB of memory",
        peak >> 20
    );
    assert_eq!(server.stored()[0].size, LEN);
    assert_eq!(receiver.requests().len(), 1);
    assert!(peak < MOST_MEMORY, "{peak} bytes");
}
