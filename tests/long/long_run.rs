//! One client, a million small uploads with callbacks on eight threads, a network that fails about once in a thousand:
//! memory and descriptors stay as they are, and every verdict is true.
//!
//! ```sh
//! cargo test --locked --test long long_run -- --ignored --nocapture
//! ```
//!
//! `OSS_CALLBACK_UPLOADS` is another number of uploads. The last result stands in `docs/OUTCOMES.md`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use oss_callback::{Error, Receipt, RetryPolicy, Stored};
use support::network::{Action, Direction, Fault, Network, Plan};
use support::{BUCKET, TemporaryFile, agreeing_receiver, client_builder, server, spec};

const UPLOADS: usize = 1_000_000;
const THREADS: usize = 8;
/// Of a request and of an answer, about.
const REQUEST_LEN: u64 = 1100;
const ANSWER_LEN: u64 = 560;
const SHORT: Duration = Duration::from_millis(300);

/// What one number of the uploading process was on average over a tenth of the run.
const TENTHS: [&str; 2] = ["first", "last"];

#[test]
#[ignore = "takes minutes: see the top of the file"]
fn a_million_uploads_leave_nothing_behind_and_end_in_the_truth() {
    let uploads = std::env::var("OSS_CALLBACK_UPLOADS").map_or(UPLOADS, |n| n.parse().unwrap());
    let receiver = agreeing_receiver();
    let server = server().history_bytes(8 << 30).max_total_bytes(16 << 30);
    let server = server.start().unwrap();
    let network = Network::start(server.address());
    network.begin(Plan::each(faults(uploads)), None);
    let verdicts = TemporaryFile::new("verdicts", b"");
    let begun = Instant::now();
    // A process of its own, so that the server's memory is not counted.
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "long_run::uploads_of_the_long_run",
        ])
        .env("LONG_RUN_ENDPOINT", format!("http://{}", network.address()))
        .env("LONG_RUN_CALLBACK_URL", receiver.url("/"))
        .env("LONG_RUN_UPLOADS", uploads.to_string())
        .env("LONG_RUN_VERDICTS", verdicts.path())
        .output()
        .unwrap();
    let elapsed = begun.elapsed();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}{errors}");
    let connections = network.connections();
    drop(network);
    assert!(
        server.wait_until_idle(Duration::from_secs(10)),
        "it is still busy"
    );

    let verdicts = fs::read(verdicts.path()).unwrap();
    assert_eq!(verdicts.len(), uploads);
    let mut stored = vec![0_u8; uploads];
    let mut delivered = vec![0_u8; uploads];
    for object in server.stored() {
        stored[object.key.parse::<usize>().unwrap()] += 1;
    }
    for delivery in server.deliveries() {
        delivered[delivery.key.parse::<usize>().unwrap()] += 1;
    }
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for (number, verdict) in verdicts.iter().enumerate() {
        let truth = (stored[number], delivered[number]);
        assert!(truth.0 <= 1 && truth.1 <= 1, "{number}: {truth:?}");
        match verdict {
            b'R' => assert_eq!(truth, (1, 1), "{number} has a receipt"),
            b'Y' => assert_eq!(truth.0, 1, "{number} is said to be stored"),
            b'N' => assert_eq!(truth, (0, 0), "{number} is said not to be stored"),
            b'U' => {}
            other => panic!("{number}: {other}"),
        }
        *counts.entry(char::from(*verdict)).or_default() += 1;
    }
    let faulty = uploads - counts[&'R'];
    println!(
        "{uploads} uploads in {} s over {connections} connections: {counts:?} (R receipt, Y stored with an error, N not \
         stored, U unknown)\n{said}",
        elapsed.as_secs()
    );
    assert!(faulty > uploads / 4000, "only {faulty} met a fault");
    let of = |name: &str, tenth: &str| -> f64 {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("{name} {tenth} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} {tenth} in {said}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let [first, last] = TENTHS.map(|tenth| of("memory", tenth));
    assert!(
        last <= first * 1.05 + 2048.0,
        "memory grew from {first} to {last} KiB"
    );
    let [first, last] = TENTHS.map(|tenth| of("descriptors", tenth));
    assert!(
        last <= first + 1.0,
        "descriptors grew from {first} to {last}"
    );
}

/// On each connection one after another, about as often as one upload in a thousand: some leave it open.
fn faults(uploads: usize) -> Vec<Vec<Fault>> {
    const ACTIONS: [Action; 6] = [
        Action::Cut,
        Action::Reset,
        Action::Stall,
        Action::HalfClose,
        Action::Drip,
        Action::Corrupt,
    ];
    let fault = |number: usize, next: usize| {
        let (direction, len) = match (number + next) % 4 {
            0 => (Direction::Answer, ANSWER_LEN),
            _ => (Direction::Request, REQUEST_LEN),
        };
        Fault {
            direction,
            // Anywhere in a request, by a step that shares no factor with its length.
            at: (next as u64 + 1) * 600 * len + number as u64 * 389 % len,
            action: ACTIONS[(number + next) % ACTIONS.len()],
        }
    };
    let of = |number| (0..100).map(|next| fault(number, next)).collect();
    (0..uploads / 100 + 100).map(of).collect()
}

/// Not a test of its own: the uploads, in a process apart from the server.
#[test]
fn uploads_of_the_long_run() {
    let Ok(endpoint) = std::env::var("LONG_RUN_ENDPOINT") else {
        return;
    };
    let variable = |name: &str| std::env::var(name).unwrap();
    let uploads: usize = variable("LONG_RUN_UPLOADS").parse().unwrap();
    let client = client_builder(&endpoint)
        .retry_policy(RetryPolicy::none())
        .progress_timeout(SHORT)
        .timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let callback = spec(&variable("LONG_RUN_CALLBACK_URL"));
    let verdicts: Vec<AtomicU8> = (0..uploads).map(|_| AtomicU8::new(b'?')).collect();
    let next = AtomicUsize::new(0);
    let samples = Mutex::new(Vec::with_capacity(uploads / 1000 + 1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= uploads {
                        return;
                    }
                    let object = format!("{number:07}");
                    let put = client.put_object(BUCKET, &object).callback(&callback);
                    let result = put.send_bytes([b'a'; 100]);
                    verdicts[number].store(verdict(&result), Ordering::Relaxed);
                    if number.is_multiple_of(1000) {
                        let mut samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
                        samples.push((memory(), descriptors()));
                    }
                }
            });
        }
    });
    let samples = samples.into_inner().unwrap();
    let tenth = samples.len().div_ceil(10);
    let tell = |name: &str, tenth: &str, values: &mut dyn Iterator<Item = u64>| {
        let values: Vec<u64> = values.collect();
        let mean: &dyn Display = &(values.iter().sum::<u64>() as f64 / values.len() as f64);
        println!("\n{name} {tenth} {mean:.1}");
    };
    // The very first is before everything is in use.
    for (name, part) in TENTHS
        .iter()
        .zip([&samples[1..=tenth], &samples[samples.len() - tenth..]])
    {
        tell("memory", name, &mut part.iter().map(|sample| sample.0));
        tell("descriptors", name, &mut part.iter().map(|sample| sample.1));
    }
    let verdicts: Vec<u8> = verdicts.into_iter().map(AtomicU8::into_inner).collect();
    fs::write(Path::new(&variable("LONG_RUN_VERDICTS")), verdicts).unwrap();
}

fn verdict(result: &Result<Receipt, Error>) -> u8 {
    match result {
        Ok(_) => b'R',
        Err(error) => match error.stored() {
            Stored::Yes => b'Y',
            Stored::No => b'N',
            Stored::Unknown => b'U',
        },
    }
}

/// Of this process, in KiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").unwrap().count() as u64
}
