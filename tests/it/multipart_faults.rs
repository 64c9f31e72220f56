//! Each fault of a network at each telling place of the request that completes an upload: what the uploader
//! is told, held against what local-oss stored and delivered.
//!
//! The table stands in `docs/OUTCOMES.md`; `BLESS=1 cargo test --test it multipart_faults` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver};
use oss_callback::{Answered, Receipt, Result, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, client, client_builder, server, spec};

const SHORT: Duration = Duration::from_millis(1500);

/// Of an answer of the application server: no head is that long, and the body is longer.
const IN_THE_BODY: u64 = 1000;

/// Where a fault strikes, in words and in bytes.
const PLACES: [(&str, Direction, u64); 5] = [
    ("before the request", Direction::Request, 0),
    ("in the request's head", Direction::Request, 100),
    ("before the answer", Direction::Answer, 0),
    ("in the answer's head", Direction::Answer, 100),
    ("in the answer's body", Direction::Answer, IN_THE_BODY),
];

const ACTIONS: [Action; 6] = [
    Action::Cut,
    Action::Reset,
    Action::Stall,
    Action::HalfClose,
    Action::Drip,
    Action::Corrupt,
];

/// What a row of the table says.
struct Row {
    fault: String,
    result: String,
    stored: Stored,
    answered: Answered,
    attempts: u32,
    truly_stored: bool,
    delivered: usize,
}

/// Completes an upload through a network whose first connection fails.
fn complete(fault: Fault, name: &str, with_callback: bool, policy: RetryPolicy) -> Row {
    let answer = format!(
        "{{\"padding\":\"{}\"}}",
        ".".repeat(2 * IN_THE_BODY as usize)
    );
    let receiver = Receiver::start(move |_| Answer::json(answer.clone())).unwrap();
    let server = server().start().unwrap();
    let upload = client(server.endpoint())
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let parts = [upload.upload_part(1).send_bytes(vec![b'a'; 1000]).unwrap()];
    let network = FaultyNetwork::start(server.address(), fault, 1);
    let through = client_builder(&format!("http://{}", network.address()))
        .retry_policy(policy)
        .progress_timeout(SHORT)
        .answer_timeout(SHORT)
        .build()
        .unwrap();
    let complete = through
        .multipart_upload(BUCKET, "o", upload.upload_id())
        .complete();
    let begun = Instant::now();
    // 5 s for the callback would only be waited for in vain here: the receiver answers at once.
    let complete = complete.timeout(Duration::from_secs(15));
    let result: Result<Receipt> = match with_callback {
        true => complete.callback(&spec(&receiver.url("/"))).send(&parts),
        false => complete.send(&parts),
    };
    let fault = format!("{:?} {name}", fault.action);
    assert!(begun.elapsed() < Duration::from_secs(20), "{fault} hung");
    drop(network);

    // What the server is still doing, it finishes; a stored object has had its callback by then.
    let truly_stored = !server
        .wait_for_stored(1, Duration::from_millis(200))
        .is_empty();
    let delivered = receiver.requests().len();
    let (name, stored, answered, attempts) = match &result {
        Ok(receipt) => (
            "receipt".to_owned(),
            Stored::Yes,
            Answered::Yes,
            receipt.attempts(),
        ),
        Err(e) => (
            format!("{:?}", e.kind()),
            e.stored(),
            e.answered(),
            e.attempts(),
        ),
    };
    let answered = if with_callback {
        answered
    } else {
        Answered::NotRequested
    };
    match stored {
        Stored::No => assert!(
            !truly_stored,
            "{fault}: said no, but it is stored: {result:?}"
        ),
        Stored::Yes => assert!(truly_stored, "{fault}: said yes, but it is not: {result:?}"),
        Stored::Unknown => {}
    }
    if answered == Answered::Yes {
        assert!(
            server.deliveries().iter().any(|delivery| delivery.accepted),
            "{fault}"
        );
    }
    assert!(
        delivered <= 1 && server.stored().len() <= 1,
        "{fault}: twice"
    );
    Row {
        fault,
        result: name,
        stored,
        answered,
        attempts,
        truly_stored,
        delivered,
    }
}

/// Each fault with this policy, several at once, since most of them wait for a limit.
fn each(with_callback: bool, policy: RetryPolicy) -> Vec<Row> {
    let cases: Vec<(&str, Fault)> = PLACES
        .iter()
        // OSS's own answer is shorter.
        .filter(|(_, _, at)| with_callback || *at != IN_THE_BODY)
        .flat_map(|(name, direction, at)| {
            ACTIONS.map(|action| {
                let (direction, at) = (*direction, *at);
                (
                    *name,
                    Fault {
                        direction,
                        at,
                        action,
                    },
                )
            })
        })
        .collect();
    let chunks = cases.chunks(10).map(|some| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|(name, fault)| scope.spawn(|| complete(*fault, name, with_callback, policy)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        })
    });
    chunks.flatten().collect()
}

#[test]
fn a_fault_when_an_upload_is_completed_is_looked_up_and_told_truly() {
    let mut table = String::new();
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    for with_callback in [true, false] {
        let title = if with_callback {
            "With a callback"
        } else {
            "Without a callback"
        };
        writeln!(table, "\n### {title}\n").unwrap();
        table.push_str(
            "| fault | result | stored | answered | attempts | in truth stored | delivered |\n",
        );
        table.push_str("|---|---|---|---|---|---|---|\n");
        for row in each(with_callback, policy) {
            // What a changed byte does depends on the byte; that it is told truly does not.
            if row.fault.starts_with("Corrupt") {
                continue;
            }
            // A fault that strikes once leaves nothing unknown but the server's answer.
            assert_eq!(row.stored, Stored::Yes, "{}", row.fault);
            let in_truth = if row.truly_stored { "yes" } else { "no" };
            writeln!(
                table,
                "| {} | {} | {:?} | {:?} | {} | {in_truth} | {} |",
                row.fault, row.result, row.stored, row.answered, row.attempts, row.delivered
            )
            .unwrap();
        }
    }
    support::hold_document(Path::new("docs/OUTCOMES.md"), "complete", &table);
}

#[test]
fn one_attempt_is_looked_up_as_well() {
    for with_callback in [true, false] {
        for row in each(with_callback, RetryPolicy::none()) {
            assert_eq!(row.attempts, 1, "{}", row.fault);
            // What is stored, and was not changed on its way, is found.
            if row.truly_stored && !row.fault.starts_with("Corrupt") {
                assert_eq!(row.stored, Stored::Yes, "{}", row.fault);
            }
        }
    }
}
