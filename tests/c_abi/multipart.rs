//! Uploads in parts, and of files of any size.

use std::fs;

use local_oss::{Answer, Receiver, Server};
use support::c;

use crate::{Scene, agreeing, keys_of};

pub(crate) const PART: usize = 102_400;

/// A file that is not there, nor is anything that was made beside it.
fn fresh(name: &str) -> std::path::PathBuf {
    let path = c::product(name);
    for suffix in ["", ".lock", ".new"] {
        let _ = fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path
}

pub(crate) fn file(name: &str, len: usize) -> (String, Vec<u8>) {
    let contents: Vec<u8> = (0..len).map(|index| (index * index % 251) as u8).collect();
    let path = fresh(name);
    fs::write(&path, &contents).expect("writable");
    (path.to_str().expect("UTF-8").to_owned(), contents)
}

/// The requests of one operation for one object that succeeded.
fn succeeded(server: &Server, operation: &str, key: &str) -> usize {
    let requests = server.multipart_requests();
    requests
        .iter()
        .filter(|r| r.operation == operation && r.key == key && r.status == 200)
        .count()
}

/// How often OSS got this part of this object.
fn parts_sent(server: &Server, key: &str, number: u32) -> usize {
    let requests = server.multipart_requests();
    requests
        .iter()
        .filter(|r| r.is_part(number) && r.key == key && r.status == 200)
        .count()
}

#[test]
fn threads_send_the_parts_of_one_object() {
    let (path, contents) = file("c_abi_part.bin", 5 + PART);
    let receiver = Receiver::start(|_| Answer::json("\"one\"")).expect("a free port");
    let scene = Scene::new().calling(receiver.url("/"));
    let said = scene.run("multipart.c", &[&path]);
    assert_eq!(said.value("answer"), "\"one\"");

    let stored = scene.server.stored();
    assert_eq!(keys_of(&stored), ["folder/object"]);
    said.agrees_with(&stored[0]);
    assert_eq!(stored[0].content_type, "text/x-parts");
    assert_eq!(stored[0].header("x-oss-meta-author"), Some("Ming"));
    let expected = [&[b'a'; PART], &contents[5..], &[b'r'; PART], b"end"].concat();
    assert!(scene.server.object("examplebucket", "folder/object") == Some(expected));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    let body = format!(
        "filename=folder%2Fobject&size={}&mimeType=text%2Fx-parts",
        3 * PART + 3
    );
    assert_eq!(requests[0].text(), body);
    assert!(scene.server.open_uploads().is_empty());
}

#[test]
fn other_machines_go_on_with_an_upload() {
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    for with_lines in [true, false] {
        let id = scene.run("multipart_machines.c", &["begin"]);
        let id = id.value("upload_id");
        let lines = ["2", "1", "3"].map(|number| {
            let said = scene.run("multipart_machines.c", &["part", id, number]);
            said.value("json").to_owned()
        });
        let mut arguments = vec!["complete", id];
        if with_lines {
            arguments.extend(lines.iter().map(String::as_str));
        }
        let said = scene.run("multipart_machines.c", &arguments);
        said.agrees_with(scene.server.stored().last().expect("it is stored"));
        let expected = [[b'1'; PART], [b'2'; PART], [b'3'; PART]].concat();
        assert!(scene.server.object("examplebucket", "object") == Some(expected));
    }
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn uploads_in_parts_are_listed_aborted_refused_and_completed() {
    let not_found = Receiver::start(|_| Answer::status(404)).expect("a free port");
    let scene = Scene::new().calling(not_found.url("/"));
    let said = scene.run("multipart_ends.c", &[]);
    let stored = scene.server.stored();
    assert_eq!(keys_of(&stored), ["kept", "kept", "first", "disagreed"]);
    said.agrees_with(&stored[3]);
    let object = |key| scene.server.object("examplebucket", key);
    assert_eq!(object("kept").as_deref(), Some(&b"contents"[..]));
    assert_eq!(object("disagreed").as_deref(), Some(&b"contents"[..]));
    assert_eq!(not_found.requests().len(), 1);
    assert!(scene.server.open_uploads().is_empty());

    let requests = scene.server.multipart_requests();
    let completed = requests
        .iter()
        .rfind(|r| r.operation == "CompleteMultipartUpload" && r.key == "kept")
        .expect("it was completed");
    for (name, value) in [
        ("x-oss-forbid-overwrite", "false"),
        ("x-oss-object-acl", "public-read"),
        ("x-oss-request-payer", "requester"),
    ] {
        assert_eq!(completed.header(name), Some(value), "{name}");
    }
}

#[test]
fn a_file_of_any_size_goes_up_and_goes_on() {
    let (path, contents) = file("c_abi_file.bin", 4 * PART - 7);
    let checkpoint = fresh("c_abi_file.checkpoint");
    let receiver = agreeing();
    let scene = Scene::new().calling(receiver.url("/"));
    let arguments = [
        &path,
        &contents.len().to_string(),
        checkpoint.to_str().expect("UTF-8"),
    ];
    let said = scene.run("upload_file.c", &arguments);

    let stored = scene.server.stored();
    let keys = ["small", "large", "resumed", "damaged", "undisturbed"];
    assert_eq!(keys_of(&stored), keys);
    said.agrees_with(&stored[1]);
    assert_eq!(stored[1].content_type, "text/x-parts");
    for key in keys {
        let object = scene.server.object("examplebucket", key);
        assert!(object.as_ref() == Some(&contents), "{key}");
        let begun = usize::from(key != "small");
        // The third part of the one that was ended may have arrived without anybody to hear of it.
        for number in [1, 2, 4] {
            let sent = parts_sent(&scene.server, key, number);
            assert_eq!(sent, begun, "part {number} of {key}");
        }
        let initiate = "InitiateMultipartUpload";
        assert_eq!(succeeded(&scene.server, initiate, key), begun, "{key}");
    }
    // One callback for each object.
    assert_eq!(receiver.requests().len(), keys.len());

    // What ended with a checkpoint was gone on with.
    let requests = scene.server.multipart_requests();
    let resumed = requests.iter().filter(|r| r.key == "resumed");
    let mut ids: Vec<&str> = resumed.map(|r| r.upload_id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids, [said.value("upload_id")]);
    assert!(!checkpoint.exists());
}
