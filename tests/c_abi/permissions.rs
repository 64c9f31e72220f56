//! Presigned URLs and forms.

use local_oss::{Answer, Receiver};

use crate::{Scene, agreeing, c};

#[test]
fn permissions_allow_what_they_say() {
    let path = c::product("c_abi_permission.png");
    std::fs::write(&path, b"12345").expect("writable");
    let path = path.to_str().expect("UTF-8");
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("permissions.c", &["agrees", path]);
    // Two versions; a URL in two ways and a form; bytes and a file each.
    let stored = scene.server.stored();
    assert_eq!((stored.len(), receiver.requests().len()), (12, 12));
    let posted = stored
        .iter()
        .filter(|object| object.operation == "PostObject");
    let posted: Vec<_> = posted
        .map(|object| (object.key.as_str(), object.content_type.as_str()))
        .collect();
    let twice = [
        ("from-c/a.png", "image/png"),
        ("from-c/c_abi_permission.png", "image/jpeg"),
    ];
    assert_eq!(posted, [twice, twice].concat());
    assert!(stored.iter().all(|object| object.size == 5));
}

#[test]
fn a_permission_whose_callback_fails_is_stored_all_the_same() {
    let receiver = Receiver::start(|_| Answer::status(500)).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    scene.run("permissions.c", &["fails", "/"]);
    assert_eq!(
        (scene.server.stored().len(), receiver.requests().len()),
        (6, 6)
    );
}
