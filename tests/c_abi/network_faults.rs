//! Every fault of the network that `tests/it/faults.rs` knows, from C, many times: two hundred with
//! `OSS_CALLBACK_TIMES=200 VALGRIND=valgrind cargo test --test c_abi network_faults`, which takes ten minutes.

use std::env;
use std::fs;
use std::path::Path;
use std::thread;

use local_oss::{Answer, Receiver};

use crate::{Library, Scene, build, valgrind};
use support::c;
use support::faults::{ACTIONS, ANSWER, Action, FaultyNetwork, PLACES, Place};

#[test]
fn faults_of_the_network_leave_nothing_behind() {
    let expected = results_of_faults();
    let program = build("network_faults.c", "network_faults.c", Library::Shared);
    // A place at a time would leave a processor idle while the uploads wait for their limit.
    for places in PLACES.chunks(2) {
        thread::scope(|scope| {
            for place in places {
                scope.spawn(|| fails_many_times(&program, place, &expected));
            }
        });
    }
}

/// Everything that goes wrong at one place, from one C program.
fn fails_many_times(program: &Path, place: &Place, expected: &[(String, String)]) {
    // What the body is longer than this adds nothing but time.
    let len = place.len.min(2 << 20).to_string();
    let (room, short) = match (valgrind(), place.len > 2 << 20) {
        (Some(_), true) => ("20000", "1000"),
        (Some(_), false) => ("20000", "200"),
        (None, _) => ("10000", "300"),
    };
    let times = env::var("OSS_CALLBACK_TIMES").unwrap_or_else(|_| "10".to_owned());
    let receiver = Receiver::start(|_| Answer::json(ANSWER)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    let networks = ACTIONS.map(|action| {
        let fault = place.fault(action);
        FaultyNetwork::start(scene.server.address(), fault, usize::MAX)
    });
    let endpoints = networks
        .each_ref()
        .map(|network| format!("http://{}", network.address()));
    let mut arguments = vec![times.as_str(), room];
    let mut names = Vec::new();
    for with_callback in [true, false] {
        if place.exists(with_callback) {
            for (action, endpoint) in ACTIONS.iter().zip(&endpoints) {
                let flag = if with_callback { "1" } else { "0" };
                // Only some faults keep an upload waiting, and then it is for its limit.
                let limit = match action {
                    Action::Stall | Action::Drip => short,
                    _ => "10000",
                };
                arguments.extend([endpoint.as_str(), &len, flag, limit]);
                names.push(format!("{with_callback} {action:?} {}", place.name));
            }
        }
    }
    let said = scene.execute(program, &arguments);
    for (index, name) in names.iter().enumerate() {
        let codes = said.value(&index.to_string());
        assert!(!codes.contains("INTERNAL"), "{name}: {codes}");
        if let Some((_, code)) = expected.iter().find(|(fault, _)| fault == name) {
            let mut codes = codes.split(' ');
            assert!(codes.any(|c| c == code), "{name}: no {code} in {codes:?}");
        }
    }
    let times: usize = times.parse().expect("a number");
    let each = names.len() / ACTIONS.len() * times;
    // An upload that reaches its limit may not have connected.
    let mut connections = networks.iter().map(FaultyNetwork::connections);
    assert!(connections.all(|count| count > each / 2), "{}", place.name);
}

/// The results that `docs/OUTCOMES.md` has for faults, as codes; their names begin with whether there is a
/// callback.
fn results_of_faults() -> Vec<(String, String)> {
    let document = fs::read_to_string(c::source("docs/OUTCOMES.md")).expect("it is there");
    let (_, faults) = document
        .split_once("<!-- begin faults -->")
        .expect("a table");
    let (faults, _) = faults.split_once("<!-- end faults -->").expect("its end");
    let (with_callback, without) = faults
        .split_once("### Without a callback")
        .expect("two tables");
    let mut results = Vec::new();
    for (with_callback, table) in [(true, with_callback), (false, without)] {
        for row in table
            .lines()
            .filter(|line| line.contains(" the ") || line.contains(" a large "))
        {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let (Some(fault), Some(kind)) = (cells.next(), cells.next()) else {
                panic!("{row:?} is not a row");
            };
            results.push((format!("{with_callback} {fault}"), code_of(kind)));
        }
    }
    assert!(results.len() > 50, "{} rows", results.len());
    results
}

/// `ConnectionLost` to `CONNECTION_LOST`.
fn code_of(kind: &str) -> String {
    if kind == "receipt" {
        return "OK".to_owned();
    }
    let mut code = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}
