//! The main rows of `docs/OUTCOMES.md`, from each source and in each form; part of `cpp.rs`.

use std::path::PathBuf;

use local_oss::{Answer, Receiver, RefusedAddress};

use crate::{Scene, agreeing, build, compiler_is_there};
use support::TemporaryFile;
use support::faults::{ANSWER, Action, Direction, Fault, FaultyNetwork, PLACES};

/// The program that says what became of an upload, with exceptions and without.
fn programs() -> [PathBuf; 2] {
    let forms: [&[&str]; 2] = [&[], &["-fno-exceptions"]];
    forms.map(|flags| build(&["outcome.cpp"], flags))
}

/// What each source and each form says of an upload that is stored and has its callback delivered: the same, and this.
fn all_say(programs: &[PathBuf], scene: &Scene, expected: &str) {
    let file = TemporaryFile::new("contents.bin", b"contents");
    let file = file.path().to_str().expect("UTF-8");
    let mut lines = 0;
    for source in ["bytes", "file", "stream", "reader"] {
        for program in programs {
            // The object's kind is guessed from the file's name, and counts for nothing here.
            let said = scene.execute(program, &[source, file, "60000"]);
            for line in said.0.lines() {
                assert_eq!(line, expected, "{source} {program:?}");
                lines += 1;
            }
        }
    }
    assert_eq!(lines, 4 * 3);
    assert_eq!(scene.server.stored().len(), lines);
    assert_eq!(scene.server.deliveries().len(), lines);
}

#[test]
fn each_answer_of_an_application_server_has_its_outcome() {
    if !compiler_is_there() {
        return;
    }
    let programs = programs();
    let refused = RefusedAddress::new().expect("a free port");
    type Answering = fn() -> Answer;
    let answers: [(Answering, &str); 5] = [
        (
            || Answer::json(r#"{"Status":"OK"}"#),
            r#"receipt OK Yes Yes {"Status":"OK"}"#,
        ),
        (
            || Answer::status(404),
            "callback_failed CALLBACK_FAILED Yes No Error status : 404.",
        ),
        (
            || Answer::status(502),
            "callback_failed CALLBACK_FAILED Yes No Error status : 502.",
        ),
        (
            || Answer::json("OK"),
            "callback_failed CALLBACK_FAILED Yes No Response body is not valid json format.",
        ),
        (
            Answer::close,
            "callback_failed CALLBACK_FAILED Yes No Error status : 502.",
        ),
    ];
    for (answer, expected) in answers {
        let receiver = Receiver::start(move |_| answer()).expect("a free port");
        all_say(
            &programs,
            &Scene::new().calling(receiver.url("/")),
            expected,
        );
    }
    all_say(
        &programs,
        &Scene::new().calling(refused.url("/")),
        "callback_failed CALLBACK_FAILED Yes No Error status : 502.",
    );
}

#[test]
fn silence_of_the_application_server_is_a_failed_callback() {
    if !compiler_is_there() {
        return;
    }
    let receiver = Receiver::start(|_| Answer::silence()).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    let said = scene.run("outcome.cpp", &["bytes", "", "60000"]);
    let expected = "callback_failed CALLBACK_FAILED Yes No Cost too long time.\n";
    assert_eq!(said.0, expected.repeat(2));
    assert_eq!(scene.server.stored().len(), 2);
}

#[test]
fn an_answer_that_is_lost_or_cut_is_an_error_that_says_what_is_stored() {
    if !compiler_is_there() {
        return;
    }
    let programs = programs();
    for (place, expected) in [
        (
            "before the answer",
            "error CONNECTION_LOST Unknown Unknown -",
        ),
        ("in the answer's body", "error ANSWER_DAMAGED Yes Yes -"),
    ] {
        let receiver = Receiver::start(|_| Answer::json(ANSWER)).expect("a free port");
        let scene = Scene::new().calling(receiver.url("/"));
        let place = PLACES
            .iter()
            .find(|p| p.name == place)
            .expect("a place of that name");
        let fault = place.fault(Action::Cut);
        let network = FaultyNetwork::start(scene.server.address(), fault, usize::MAX);
        let scene = scene.at(format!("http://{}", network.address()));
        all_say(&programs, &scene, expected);
    }
}

#[test]
fn what_oss_refuses_is_an_error_and_not_stored() {
    if !compiler_is_there() {
        return;
    }
    let receiver = agreeing();
    let mut scene = Scene::new().calling(receiver.url("/"));
    scene.secret = "another";
    let said = scene.run("outcome.cpp", &["bytes", "", "60000"]);
    for line in said.0.lines() {
        assert!(line.starts_with("error ACCESS_DENIED No No "), "{line}");
    }
    assert!(scene.server.stored().is_empty() && receiver.requests().is_empty());
}

#[test]
fn an_unknown_outcome_can_be_looked_up() {
    if !compiler_is_there() {
        return;
    }
    let scene = Scene::new();
    let losing = |direction, at| {
        let action = Action::Cut;
        let fault = Fault {
            direction,
            at,
            action,
        };
        FaultyNetwork::start(scene.server.address(), fault, usize::MAX)
    };
    let networks = [
        losing(Direction::Answer, 0),
        losing(Direction::Request, 100),
    ];
    let endpoints = networks
        .each_ref()
        .map(|network| format!("http://{}", network.address()));
    scene.run("reconcile.cpp", &[&endpoints[0], &endpoints[1]]);
    let stored = scene.server.stored();
    let keys: Vec<&str> = stored.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["put", "nameless", "nameless"]);
}
