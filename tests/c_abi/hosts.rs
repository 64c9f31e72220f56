//! Programs that are hosts of an unusual kind: without standard streams, descriptors or stack, that fork, that hand
//! handles from thread to thread.

use local_oss::{Answer, Receiver};
use support::c;

use crate::{Library, Scene, build, keys_of, switch, valgrind};

fn scene() -> (Receiver, Scene) {
    let receiver = Receiver::start(|_| Answer::json("{}")).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    (receiver, scene)
}

#[test]
fn a_daemon_has_no_standard_streams() {
    let (receiver, scene) = scene();
    scene.run("closed_stdio.c", &[]);
    assert_eq!(scene.server.stored().len(), 3);
    assert_eq!(receiver.requests().len(), 3);
}

#[test]
fn a_resolver_that_hangs_leaves_one_thread_for_each_name() {
    Scene::new().run("hanging_resolver.c", &[]);
}

#[test]
fn after_a_fork_each_process_gets_its_own_answers() {
    // What the parent's other threads held is lost in a child, whatever a library does; valgrind calls that a leak.
    if valgrind().is_some() {
        return;
    }
    // The application server says which object it was told about.
    let receiver = Receiver::start(|request| {
        let body = String::from_utf8_lossy(&request.body);
        let name = body
            .strip_prefix("filename=")
            .and_then(|rest| rest.split('&').next());
        Answer::json(format!(r#"{{"filename":"{}"}}"#, name.unwrap_or_default()))
    })
    .expect("a free port");
    let others = [
        "after-00",
        "before-00",
        "child0-50",
        "grandchild-00",
        "slow",
    ];
    let mut expected: Vec<String> = others.map(str::to_owned).into();
    let mut processes: Vec<String> = (0..8).map(|number| format!("child{number}")).collect();
    processes.push("parent".to_owned());
    for process in processes {
        expected.extend((0..50).map(|count| format!("{process}-{count:02}")));
    }
    expected.sort();
    let scene = Scene::new().calling(receiver.url("/"));
    let program = build("fork.c", "fork.c", Library::Shared);
    let uploaded = |server: &local_oss::Server| {
        let mut keys: Vec<String> = (server.stored().into_iter())
            .map(|object| object.key)
            .collect();
        keys.sort();
        keys
    };
    scene.execute(&program, &[]);
    assert_eq!(uploaded(&scene.server), expected);
    // What ring's assembly sends looks uninitialised to valgrind.
    if cfg!(feature = "tls") && valgrind().is_none() {
        let secure = local_oss::Server::builder()
            .bucket("examplebucket")
            .credentials("id", "secret")
            .tls(true)
            .start()
            .expect("a free port");
        let pem = secure.certificate_pem().expect("it speaks TLS").to_owned();
        let mut scene = scene.at(secure.endpoint());
        scene.variables.push(("CA_BUNDLE", pem));
        scene.execute(&program, &[]);
        assert_eq!(uploaded(&secure), expected);
    }
}

#[test]
fn a_child_never_waits_for_a_thread_of_its_parent() {
    // What the parent's other threads held is lost in a child, whatever a library does; valgrind calls that a leak.
    if valgrind().is_some() {
        return;
    }
    for (place, stored) in [
        (
            "pool",
            &["before", "child", "child again", "parent", "parent again"][..],
        ),
        (
            "resolver",
            &["child", "child again", "parent", "parent again"],
        ),
        (
            "credentials",
            &["child", "child again", "parent", "parent again"],
        ),
        ("signer", &[]),
    ] {
        let (_receiver, mut scene) = scene();
        if place == "resolver" {
            let named = scene.server.endpoint().replace("127.0.0.1", "localhost");
            scene = scene.at(&named);
        }
        scene.run("fork_locks.c", &[place]);
        assert_eq!(keys_of(&scene.server.stored()), stored, "{place}");
    }
}

#[test]
fn a_cancelled_thread_finishes_its_call_first() {
    let (_receiver, scene) = scene();
    scene.run("cancelled_thread.c", &[]);
    assert_eq!(
        keys_of(&scene.server.stored()),
        ["by another", "by itself", "state", "state"]
    );
}

#[test]
fn without_a_descriptor_nothing_is_sent() {
    let (_receiver, scene) = scene();
    scene.run("descriptor_limit.c", &[]);
    assert_eq!(keys_of(&scene.server.stored()), ["object"]);
}

#[test]
fn a_small_stack_is_enough() {
    // Address sanitizer's frames are larger than ours.
    if switch("SANITIZE").is_some() {
        return;
    }
    let (receiver, mut scene) = scene();
    let file = c::product("c_abi_small_stack.bin");
    std::fs::write(&file, vec![1; 500_000]).expect("writable");
    let file = file.to_str().expect("UTF-8").to_owned();
    let program = build("small_stack.c", "small_stack.c", Library::Shared);
    scene.execute(&program, &[STACK, &file]);
    assert_eq!(keys_of(&scene.server.stored()), ["bytes", "file"]);
    assert_eq!(receiver.requests().len(), 2);
    // What ring's assembly sends looks uninitialised to valgrind.
    if cfg!(feature = "tls") && valgrind().is_none() {
        let secure = local_oss::Server::builder()
            .bucket("examplebucket")
            .credentials("id", "secret")
            .tls(true)
            .start()
            .expect("a free port");
        let pem = secure.certificate_pem().expect("it speaks TLS").to_owned();
        scene = scene.at(secure.endpoint());
        scene.variables.push(("CA_BUNDLE", pem));
        scene.execute(&program, &[STACK, &file]);
        assert_eq!(keys_of(&secure.stored()), ["bytes", "file"]);
        assert_eq!(receiver.requests().len(), 4);
    }
}

/// What the header promises, in bytes.
const STACK: &str = "131072";

#[test]
fn handles_go_from_thread_to_thread() {
    let (receiver, scene) = scene();
    scene.run("handed_on.c", &[]);
    assert_eq!(keys_of(&scene.server.stored()), ["object"]);
    assert!(scene.server.open_uploads().is_empty());
    assert_eq!(receiver.requests().len(), 1);
}
