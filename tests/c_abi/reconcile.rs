//! What became of uploads whose outcome is unknown, from C.

use local_oss::{Answer, Receiver};

use crate::{Scene, keys_of};
use support::faults::{Action, Direction, Fault, FaultyNetwork};

#[test]
fn an_unknown_outcome_can_be_looked_up() {
    let receiver = Receiver::start(|_| Answer::json("{}")).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
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
    let endpoints = networks.map(|network| (format!("http://{}", network.address()), network));
    scene.run("reconcile.c", &[&endpoints[0].0, &endpoints[1].0]);
    assert_eq!(
        keys_of(&scene.server.stored()),
        ["put", "nameless", "replaced", "replaced", "parts"]
    );
    assert_eq!(receiver.requests().len(), 1);
}
