//! Each fault of a network at each telling place, with and without a callback: what the uploader is told,
//! held against what local-oss stored and delivered.
//!
//! The table stands in `docs/OUTCOMES.md`; `BLESS=1 cargo test --test it faults` writes it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver};
use oss_callback::{Answered, ErrorKind, Receipt, Result, RetryPolicy, Stored};
use support::faults::{
    ACTIONS, ANSWER, Action, Direction, Fault, FaultyNetwork, LARGE, PLACES, Place,
};
use support::{BUCKET, client_builder, server, spec};

const SHORT: Duration = Duration::from_millis(1500);

/// One row of the table.
struct Row {
    fault: String,
    result: String,
    stored: Stored,
    answered: Answered,
    truly_stored: bool,
    delivered: usize,
}

fn upload(place: Place, action: Action, with_callback: bool) -> Option<Row> {
    if !place.exists(with_callback) {
        return None;
    }
    let receiver = Receiver::start(|_| Answer::json(ANSWER)).unwrap();
    let server = server().start().unwrap();
    let network = FaultyNetwork::start(server.address(), place.fault(action), usize::MAX);
    let client = client_builder(&format!("http://{}", network.address()))
        .retry_policy(RetryPolicy::none())
        .progress_timeout(SHORT)
        .answer_timeout(SHORT)
        .timeout(Duration::from_secs(12))
        .build()
        .unwrap();
    let put = client.put_object(BUCKET, "object");
    let spec = spec(&receiver.url("/"));
    // 5 s for the callback would only be waited for in vain here: the receiver answers at once.
    let put = if with_callback {
        put.callback(&spec)
    } else {
        put
    };
    let begun = Instant::now();
    let result = put.send_bytes(vec![b'a'; place.len]);
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "{} {action:?} hung",
        place.name
    );
    assert_eq!(network.connections(), 1, "nothing is tried again here");
    drop(network);

    let name = format!("{action:?} {}", place.name);
    Some(judge(name, result, &server, &receiver, with_callback))
}

/// Holds the verdict against the truth.
fn judge(
    fault: String,
    result: Result<Receipt>,
    server: &local_oss::Server,
    receiver: &Receiver,
    with_callback: bool,
) -> Row {
    let (name, stored, answered) = match &result {
        Ok(_) => ("receipt".to_owned(), Stored::Yes, Answered::Yes),
        Err(e) => (format!("{:?}", e.kind()), e.stored(), e.answered()),
    };
    let answered = if with_callback {
        answered
    } else {
        Answered::NotRequested
    };
    // What the server is still doing, it finishes; a stored object has had its callback by then.
    let truth = server.wait_for_stored(1, Duration::from_millis(300));
    let truly_stored = !truth.is_empty();
    let delivered = receiver.requests().len();
    match stored {
        Stored::No => assert!(
            !truly_stored,
            "{fault}: said no, but it is stored: {result:?}"
        ),
        Stored::Yes => assert!(truly_stored, "{fault}: said yes, but it is not: {result:?}"),
        Stored::Unknown => {}
    }
    if let Ok(receipt) = &result {
        // A corrupted header may be missing; a wrong value would not be a receipt.
        let crc64 = truth[0].crc64;
        assert!(
            receipt.crc64().is_none_or(|claimed| claimed == crc64),
            "{fault}"
        );
    }
    if answered == Answered::Yes {
        assert!(
            server.deliveries().iter().any(|delivery| delivery.accepted),
            "{fault}"
        );
    }
    assert!(truth.len() <= 1 && delivered <= 1, "{fault}: twice");
    Row {
        fault,
        result: name,
        stored,
        answered,
        truly_stored,
        delivered,
    }
}

#[test]
fn no_fault_makes_the_uploader_say_what_is_not_true() {
    let mut table = String::new();
    for with_callback in [true, false] {
        let title = if with_callback {
            "With a callback"
        } else {
            "Without a callback"
        };
        writeln!(table, "\n### {title}\n").unwrap();
        table.push_str("| fault | result | stored | answered | in truth stored | delivered |\n");
        table.push_str("|---|---|---|---|---|---|\n");
        let cases: Vec<(Place, Action)> = PLACES
            .iter()
            .flat_map(|place| ACTIONS.map(|action| (*place, action)))
            .collect();
        // Most of them wait for a limit, so several wait together.
        for some in cases.chunks(9) {
            let rows: Vec<Option<Row>> = std::thread::scope(|scope| {
                let uploads: Vec<_> = some
                    .iter()
                    .map(|(place, action)| scope.spawn(|| upload(*place, *action, with_callback)))
                    .collect();
                uploads
                    .into_iter()
                    .map(|upload| upload.join().unwrap())
                    .collect()
            });
            for row in rows.into_iter().flatten() {
                // What a changed byte of a head does depends on the byte; that it is told truly does not.
                if row.fault.starts_with("Corrupt") && row.fault.ends_with("head") {
                    continue;
                }
                let in_truth = if row.truly_stored { "yes" } else { "no" };
                writeln!(
                    table,
                    "| {} | {} | {:?} | {:?} | {in_truth} | {} |",
                    row.fault, row.result, row.stored, row.answered, row.delivered
                )
                .unwrap();
            }
        }
    }
    support::hold_document(Path::new("docs/OUTCOMES.md"), "faults", &table);
}

#[test]
fn a_fault_is_survived_by_another_attempt_where_that_is_safe() {
    let fault = Fault {
        direction: Direction::Request,
        at: 1_000_000,
        action: Action::Reset,
    };
    let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
    let server = server().start().unwrap();
    let network = FaultyNetwork::start(server.address(), fault, 2);
    let client = client_builder(&format!("http://{}", network.address()))
        .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap();
    let put = client
        .put_object(BUCKET, "a")
        .callback(&spec(&receiver.url("/")));
    let receipt = put.send_bytes(vec![b'a'; LARGE]).unwrap();
    assert_eq!((receipt.attempts(), network.connections()), (3, 3));
    assert!(
        receipt
            .history()
            .iter()
            .all(|attempt| attempt.kind == ErrorKind::ConnectionLost)
    );
    assert_eq!((server.stored().len(), receiver.requests().len()), (1, 1));
}
