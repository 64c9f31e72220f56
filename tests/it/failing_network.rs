//! Floods, forged answers, broken TLS, wrong clocks and failing callback connections: one of each, with what the uploader is
//! told. `tests/random_faults.rs` has all of them anywhere and together.

use std::time::{Duration, Instant};

use local_oss::{Receiver, Server};
use oss_callback::{Answered, ClientBuilder, ErrorKind, RetryPolicy, Stored};
use support::network::{Action, Direction, Early, Fault, Network, Plan};
use support::{BUCKET, agreeing_receiver, client_builder, server, spec};

/// Larger than the buffers of the system.
const LARGE: usize = 8 << 20;

fn at(direction: Direction, at: u64, action: Action) -> Fault {
    Fault {
        direction,
        at,
        action,
    }
}

/// Every connection through it has these faults.
fn network(server: &Server, faults: Vec<Fault>) -> Network {
    let network = Network::start(server.address());
    network.begin(Plan::new(usize::MAX, faults), None);
    network
}

fn through(network: &Network) -> ClientBuilder {
    client_builder(&format!("http://{}", network.address())).retry_policy(RetryPolicy::none())
}

/// An upload with a callback through a network with these faults: what is said, and what is stored in truth.
fn upload(faults: Vec<Fault>) -> (String, Stored, Answered) {
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let network = network(&server, faults);
    let client = through(&network).build().unwrap();
    let begun = Instant::now();
    let put = client.put_object(BUCKET, "a");
    let result = put.callback(&spec(&receiver.url("/"))).send_bytes("hello");
    assert!(begun.elapsed() < Duration::from_secs(20), "it hung");
    assert_eq!(server.wait_for_stored(1, Duration::from_secs(20)).len(), 1);
    match result {
        Ok(_) => ("receipt".to_owned(), Stored::Yes, Answered::Yes),
        Err(e) => (format!("{:?}", e.kind()), e.stored(), e.answered()),
    }
}

#[test]
fn floods_end_and_hide_nothing_that_was_said_before() {
    let answer = |place, action| vec![at(Direction::Answer, place, action)];
    for (faults, kind, stored, answered) in [
        // Before the status, inside the head, and behind it.
        (
            answer(0, Action::HeaderFlood),
            "Protocol",
            Stored::Unknown,
            Answered::Unknown,
        ),
        (
            answer(17, Action::HeaderFlood),
            "Protocol",
            Stored::Unknown,
            Answered::Unknown,
        ),
        (
            answer(0, Action::EndlessBody),
            "AnswerDamaged",
            Stored::Yes,
            Answered::Yes,
        ),
        // However many, they are not the answer, and what follows is.
        (
            answer(0, Action::Interim(1)),
            "receipt",
            Stored::Yes,
            Answered::Yes,
        ),
        (
            answer(0, Action::Interim(99)),
            "receipt",
            Stored::Yes,
            Answered::Yes,
        ),
        (
            answer(5, Action::Interim(1)),
            "Protocol",
            Stored::Unknown,
            Answered::Unknown,
        ),
    ] {
        let said = upload(faults.clone());
        assert_eq!(said, (kind.to_owned(), stored, answered), "{faults:?}");
    }
}

#[test]
fn several_faults_of_one_connection_come_about_in_their_order() {
    let faults = vec![
        at(Direction::Request, 0, Action::Pause(20)),
        at(Direction::Answer, 0, Action::Interim(3)),
        at(Direction::Answer, 1, Action::Pause(20)),
        at(Direction::Answer, 40, Action::Cut),
    ];
    let said = upload(faults);
    assert_eq!(
        said,
        (
            "ConnectionLost".to_owned(),
            Stored::Unknown,
            Answered::Unknown
        )
    );
}

#[test]
fn each_connection_has_faults_of_its_own() {
    let server = server().start().unwrap();
    let network = Network::start(server.address());
    network.begin(
        Plan::each(vec![
            vec![at(Direction::Request, 0, Action::Refuse)],
            vec![at(Direction::Answer, 0, Action::Reset)],
            vec![at(Direction::Request, 100, Action::Cut)],
        ]),
        None,
    );
    let policy = RetryPolicy::default().max_attempts(5);
    let client = through(&network)
        .retry_policy(policy.base_delay(Duration::from_millis(1)))
        .build()
        .unwrap();
    let receipt = client.put_object(BUCKET, "a").send_bytes("hello").unwrap();
    assert_eq!(receipt.attempts(), 4);
    let seen = network.end();
    let struck: Vec<usize> = seen
        .iter()
        .map(|connection| connection.struck.len())
        .collect();
    assert_eq!(struck, [1, 1, 1, 0]);
    assert!(
        seen[0].refused
            && seen[3].exchanges[0]
                .answer
                .as_ref()
                .is_some_and(|a| a.whole)
    );
}

#[test]
fn a_success_that_comes_too_early_is_not_believed() {
    let server = server().start().unwrap();
    let early = |early| {
        network(
            &server,
            vec![at(Direction::Request, 100_000, Action::Early(early))],
        )
    };
    for (answer, kind) in [
        // It has no request id of OSS; one that has is told by `early_answers.rs`.
        (Early::Success, ErrorKind::UnexpectedAnswer),
        (Early::Refusal, ErrorKind::AccessDenied),
        (Early::Unavailable, ErrorKind::ServerError),
    ] {
        let network = early(answer);
        let put = through(&network).build().unwrap().put_object(BUCKET, "a");
        let error = put.send_bytes(vec![b'a'; LARGE]).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::No),
            "{error}"
        );
    }
    assert!(server.stored().is_empty());
}

/// One upload through TLS whose server side is cut.
#[cfg(feature = "tls")]
fn over_tls(place: u64, action: Action) -> (String, Stored) {
    let server = server().tls(true).start().unwrap();
    let network = network(&server, vec![at(Direction::Answer, place, action)]);
    let client = client_builder(&format!("https://{}", network.address()))
        .root_certificates(oss_callback::RootCertificates::None)
        .ca_bundle(server.certificate_pem().unwrap())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    match client.put_object(BUCKET, "a").send_bytes("hello") {
        Ok(_) => ("receipt".to_owned(), Stored::Yes),
        Err(e) => (format!("{:?}", e.kind()), e.stored()),
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_tls_connection_that_ends_anywhere_is_told_truly() {
    // Through the handshake, the tickets and the answer, at the end of records and inside them.
    let mut seen = std::collections::BTreeSet::new();
    for place in (0..2600).step_by(100) {
        for action in [Action::CutAfterRecord, Action::Cut] {
            let (kind, stored) = over_tls(place, action);
            match stored {
                // Before the request.
                Stored::No => assert!(
                    ["Connect", "Tls", "ConnectionLost"].contains(&kind.as_str()),
                    "{place} {action:?}: {kind}"
                ),
                Stored::Unknown => assert_eq!(kind, "ConnectionLost", "{place} {action:?}"),
                // An answer that says how long it is may be whole without close_notify.
                Stored::Yes => assert_eq!(kind, "receipt", "{place} {action:?}"),
            }
            seen.insert(format!("{stored:?} {action:?}"));
        }
    }
    assert!(seen.len() >= 5, "{seen:?}");
}

#[test]
fn a_clock_that_jumps_is_followed_once() {
    const DAY: i64 = 86_400;
    let server = std::sync::Arc::new(server().start().unwrap());
    for (jumps, expected) in [
        (vec![DAY], Ok(2)),
        (vec![-DAY], Ok(2)),
        // The first request is refused, the second comes by the corrected clock, and then that is wrong.
        // What is said of another day, not of another hour.
        (vec![DAY, -DAY], Err("InvalidArgument")),
    ] {
        server.set_clock(0);
        let network = Network::start(server.address());
        let (jumping, offsets) = (server.clone(), jumps.clone());
        let hook = move |number| {
            if let Some(offset) = offsets.get(number) {
                jumping.set_clock(*offset);
            }
        };
        network.begin(Plan::default(), Some(Box::new(hook)));
        let client = through(&network).retry_policy(RetryPolicy::default().max_attempts(5));
        let client = client.max_idle_connections(0).build().unwrap();
        let stored = server.stored().len();
        match (client.put_object(BUCKET, "a").send_bytes("hello"), expected) {
            (Ok(receipt), Ok(attempts)) => assert_eq!(receipt.attempts(), attempts, "{jumps:?}"),
            (Err(error), Err(code)) => {
                assert_eq!((error.oss_code(), error.stored()), (Some(code), Stored::No));
                assert_eq!(server.stored().len(), stored);
            }
            (result, _) => panic!("{jumps:?}: {result:?}"),
        }
    }
}

#[test]
fn a_connection_to_the_application_server_that_fails_is_a_failed_callback() {
    let receiver: Receiver = agreeing_receiver();
    let server = server()
        .callback_timeout(Duration::from_millis(500))
        .start()
        .unwrap();
    let client = client_builder(server.endpoint()).build().unwrap();
    let mut uploads = 0;
    for (fault, delivered) in [
        (at(Direction::Request, 0, Action::Refuse), 0),
        (at(Direction::Request, 50, Action::Cut), 0),
        (at(Direction::Answer, 0, Action::Reset), 1),
        (at(Direction::Answer, 20, Action::Stall), 1),
        (at(Direction::Answer, 60, Action::HalfClose), 1),
    ] {
        let network = Network::start(receiver.address());
        network.begin(Plan::new(1, vec![fault]), None);
        let before = receiver.requests().len();
        let callback = spec(&format!("http://{}/", network.address()));
        let put = client.put_object(BUCKET, "a").callback(&callback);
        let error = put.send_bytes("hello").unwrap_err();
        uploads += 1;
        assert_eq!(
            (
                error.kind(),
                error.stored(),
                error.answered(),
                error.attempts()
            ),
            (ErrorKind::CallbackFailed, Stored::Yes, Answered::No, 1),
            "{fault:?}: {error}"
        );
        // It has got the callback, whatever became of its answer.
        assert_eq!(receiver.requests().len(), before + delivered, "{fault:?}");
        assert_eq!(server.stored().len(), uploads, "never sent again");
    }
}

#[test]
fn the_network_tells_what_went_over_it() {
    let server = server().start().unwrap();
    let network = Network::start(server.address());
    network.begin(Plan::default(), None);
    let client = through(&network).build().unwrap();
    client.put_object(BUCKET, "a").send_bytes("hello").unwrap();
    let chunks = client.put_object(BUCKET, "b");
    chunks.send_reader_chunked(&b"hello"[..]).unwrap();
    client.head_object(BUCKET, "a").send().unwrap();
    client.head_object(BUCKET, "none").send().unwrap_err();
    client.put_object(BUCKET, "c").send_bytes("").unwrap();
    let seen = network.end();
    let exchanges: Vec<_> = seen
        .iter()
        .flat_map(|connection| &connection.exchanges)
        .map(|e| {
            let answer = e.answer.as_ref().unwrap();
            let whole = e.sent && answer.whole && answer.from_oss;
            (e.method.as_str(), e.target.as_str(), answer.status, whole)
        })
        .collect();
    assert_eq!(
        exchanges,
        [
            ("PUT", "/examplebucket/a", 200, true),
            ("PUT", "/examplebucket/b", 200, true),
            ("HEAD", "/examplebucket/a", 200, true),
            ("HEAD", "/examplebucket/none", 404, true),
            ("PUT", "/examplebucket/c", 200, true),
        ]
    );
    assert_eq!(seen.len(), 1, "one connection for all");

    // What is missing of a request, and of an answer.
    for (fault, sent, answered) in [
        (at(Direction::Request, 300_000, Action::Cut), false, false),
        (at(Direction::Answer, 0, Action::Cut), true, false),
        (at(Direction::Answer, 30, Action::HalfClose), true, false),
    ] {
        network.begin(Plan::new(1, vec![fault]), None);
        let put = through(&network).build().unwrap().put_object(BUCKET, "d");
        put.send_bytes(vec![b'a'; LARGE]).unwrap_err();
        let seen = network.end();
        assert_eq!(seen[0].struck, [fault]);
        let exchange = &seen[0].exchanges[0];
        assert_eq!((exchange.sent, exchange.answer.is_some()), (sent, answered));
        assert_eq!(exchange.missing > 5 << 20, !sent, "{}", exchange.missing);
    }
}
