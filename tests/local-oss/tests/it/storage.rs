//! Objects that outlive the server, and objects larger than its memory.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::client::{Request, builder, connect, get, put, request};
use local_oss::Server;

const MIB: usize = 1024 * 1024;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn start_in(folder: &Path) -> Server {
    builder().data_dir(folder).start().unwrap()
}

fn bytes(length: usize, seed: u32) -> Vec<u8> {
    (0..length as u32)
        .map(|index| (index.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// The files of all objects.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("objects/examplebucket"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_server_that_is_started_again_has_its_objects_again() {
    let folder = folder();
    let bodies = [
        ("empty", Vec::new()),
        ("small", b"hello".to_vec()),
        ("two-pieces", bytes(MIB + 1, 1)),
        ("large", bytes(20 * MIB + 7, 2)),
    ];
    let server = start_in(folder.path());
    for (key, body) in &bodies {
        let put = put(key, body.clone())
            .header("Content-Type", "text/x-a")
            .header("x-oss-meta-latin", "caf\u{e9}")
            .header("Cache-Control", "no-cache");
        assert_eq!(put.send(&server).status, 200);
    }
    put("deleted", "x").send(&server);
    request("DELETE", "/examplebucket/deleted").send(&server);
    put("replaced", "old").send(&server);
    put("replaced", "new").send(&server);
    let describe = |server: &Server| -> Vec<_> {
        let heads = bodies.iter().map(|(key, _)| {
            let head = request("HEAD", &format!("/examplebucket/{key}")).send(server);
            let of_this_answer = ["date", "x-oss-request-id", "x-oss-server-time"];
            let mut headers = head.headers;
            headers.retain(|(name, _)| !of_this_answer.contains(&name.to_lowercase().as_str()));
            (head.status, headers)
        });
        heads.collect()
    };
    let before = describe(&server);
    assert_eq!(before[0].0, 200);
    assert!(
        before[0]
            .1
            .iter()
            .any(|(name, _)| name == "x-oss-meta-latin")
    );
    server.shutdown();

    let server = start_in(folder.path());
    assert_eq!(describe(&server), before);
    for (key, body) in &bodies {
        assert!(get(key).send(&server).body == *body, "{key}");
        assert!(server.object("examplebucket", key).unwrap() == *body);
    }
    let part = get("large")
        .header("Range", "bytes=1048570-20971520")
        .send(&server);
    assert!(part.body == bodies[3].1[1_048_570..=20_971_520]);
    assert_eq!(get("deleted").send(&server).status, 404);
    assert_eq!(get("replaced").send(&server).text(), "new");
    assert_eq!(files(folder.path()).len(), 5);
    assert!(is_empty(&folder.path().join("incoming")));
}

#[test]
fn the_buckets_of_the_folder_exist() {
    let folder = folder();
    let in_bucket = |bucket: &str| {
        let server = builder().bucket(bucket).data_dir(folder.path());
        server.start().unwrap()
    };
    let server = in_bucket("one-bucket");
    assert_eq!(
        request("PUT", "/one-bucket/a")
            .body("x")
            .send(&server)
            .status,
        200
    );
    drop(server);
    let server = in_bucket("other-bucket");
    assert_eq!(request("GET", "/one-bucket/a").send(&server).text(), "x");
    assert_eq!(
        request("GET", "/other-bucket/a").send(&server).error().1,
        "NoSuchKey"
    );
    assert_eq!(get("a").send(&server).error().1, "NoSuchBucket");
}

#[test]
fn uploads_that_do_not_end_well_leave_nothing() {
    let folder = folder();
    let incoming = folder.path().join("incoming");
    let server = start_in(folder.path());
    let wrong = put("a", bytes(20 * MIB, 0)).header("x-oss-hash-crc64ecma", "1");
    assert_eq!(wrong.send(&server).error().1, "InvalidCRC64");
    let small = put("a", "hello").header("x-oss-hash-crc64ecma", "1");
    assert_eq!(small.send(&server).error().1, "InvalidCRC64");
    put("once", "x").send(&server);
    let forbidden = put("once", "y").header("x-oss-forbid-overwrite", "true");
    assert_eq!(forbidden.send(&server).status, 409);
    assert!(is_empty(&incoming) && files(folder.path()).len() == 1);

    // Half an object is under way when the server ends.
    let mut stream = connect(server.address());
    let upload = put("half", bytes(40 * MIB, 0));
    stream.write_all(upload.head().as_bytes()).unwrap();
    stream.write_all(&bytes(39 * MIB, 0)).unwrap();
    server.shutdown();
    drop(stream);
    // What a killed one leaves.
    fs::write(incoming.join("00000000000000ff"), "left").unwrap();
    let server = start_in(folder.path());
    assert!(is_empty(&incoming));
    assert_eq!(get("half").send(&server).status, 404);
    assert_eq!(get("once").send(&server).text(), "x");
}

#[test]
fn of_two_files_for_a_key_the_later_counts() {
    let folder = folder();
    let server = start_in(folder.path());
    put("a", "old").send(&server);
    let old = files(folder.path()).pop().unwrap();
    let kept = fs::read(&old).unwrap();
    put("a", "new").send(&server);
    assert!(!old.exists());
    drop(server);
    // As after a crash between storing the one and removing the other.
    fs::write(&old, kept).unwrap();
    let server = start_in(folder.path());
    assert_eq!(get("a").send(&server).text(), "new");
    assert_eq!(files(folder.path()).len(), 1);
    // Numbers go on, so that the next is later still.
    put("a", "newest").send(&server);
    drop(server);
    assert_eq!(get("a").send(&start_in(folder.path())).text(), "newest");
}

#[test]
fn a_folder_has_one_server_at_a_time() {
    let folder = folder();
    let server = start_in(folder.path());
    let error = builder().data_dir(folder.path()).start().unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(server);
    start_in(folder.path());
}

#[test]
fn a_file_that_is_not_whole_is_set_aside_and_the_rest_is_there() {
    let folder = folder();
    let server = start_in(folder.path());
    put("a", "hello").send(&server);
    let file = files(folder.path()).pop().unwrap();
    put("b", "other").send(&server);
    drop(server);
    let whole = fs::read(&file).unwrap();
    let aside = folder.path().join("damaged/examplebucket");
    let mut count = 0;
    let mut longer = b"x".to_vec();
    longer.extend(&whole);
    let mut endless = whole.clone();
    let length_at = whole.len() - 12;
    endless[length_at..length_at + 4].fill(0xff);
    for damaged in [
        &whole[..whole.len() - 1],
        &whole[whole.len() - 9..],
        b"",
        &longer,
        &endless,
    ] {
        fs::write(&file, damaged).unwrap();
        let server = start_in(folder.path());
        assert_eq!(get("a").send(&server).status, 404);
        assert_eq!(get("b").send(&server).text(), "other");
        count += 1;
        let found = fs::read_dir(&aside).unwrap().map(|entry| entry.unwrap());
        let found: Vec<_> = found.map(|entry| fs::read(entry.path()).unwrap()).collect();
        assert_eq!(found.len(), count);
        assert!(found.iter().any(|found| found == damaged), "it is kept");
        assert!(!file.exists());
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(get("a").send(&start_in(folder.path())).text(), "hello");
}

#[test]
fn what_is_no_object_is_left_alone() {
    let folder = folder();
    let server = start_in(folder.path());
    put("a", "hello").send(&server);
    drop(server);
    let notes = folder.path().join("objects/examplebucket/notes.txt");
    let stray = folder.path().join("objects/.DS_Store");
    fs::write(&notes, "x").unwrap();
    fs::write(&stray, "y").unwrap();
    fs::create_dir(folder.path().join("objects/examplebucket/00ff")).unwrap();
    assert_eq!(get("a").send(&start_in(folder.path())).text(), "hello");
    assert_eq!(fs::read(notes).unwrap(), b"x");
    assert_eq!(fs::read(stray).unwrap(), b"y");
}

#[test]
fn objects_may_be_larger_than_the_memory() {
    let folder = folder();
    let body = bytes(50 * MIB, 3);
    for builder in [builder(), builder().data_dir(folder.path())] {
        let server = builder.max_total_bytes(3 * MIB as u64).start().unwrap();
        for key in ["a", "b", "a"] {
            assert_eq!(put(key, body.clone()).send(&server).status, 200);
        }
        assert!(get("a").send(&server).body == body);
        let part = get("a").header("Range", "bytes=-1048577").send(&server);
        assert!(part.body == body[body.len() - MIB - 1..]);
        assert_eq!(server.stored()[0].size, body.len() as u64);
    }
}

#[test]
fn objects_in_files_take_no_memory() {
    let folder = folder();
    let server = builder()
        .data_dir(folder.path())
        .max_total_bytes(MIB as u64)
        .start()
        .unwrap();
    for number in 0..20 {
        let put = put(&number.to_string(), bytes(MIB / 2, number));
        assert_eq!(put.send(&server).status, 200);
    }
    assert!(get("7").send(&server).body == bytes(MIB / 2, 7));
    // Their names do, here as well as when they are found again.
    drop(server);
    let little = builder().data_dir(folder.path()).max_total_bytes(1_000);
    let error = little.start().unwrap_err();
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn a_download_goes_on_when_its_object_is_replaced_or_deleted() {
    let folder = folder();
    let (old, new) = (bytes(40 * MIB, 1), bytes(17 * MIB, 2));
    for builder in [builder(), builder().data_dir(folder.path())] {
        let server = builder.start().unwrap();
        assert_eq!(put("a", old.clone()).send(&server).status, 200);
        let begin = |request: &Request| {
            let mut stream = connect(server.address());
            stream.write_all(request.head().as_bytes()).unwrap();
            let mut first = [0; 1];
            stream.read_exact(&mut first).unwrap();
            stream
        };
        let mut first = begin(&get("a"));
        assert_eq!(put("a", new.clone()).send(&server).status, 200);
        let mut second = begin(&get("a"));
        assert_eq!(
            request("DELETE", "/examplebucket/a").send(&server).status,
            204
        );
        for (stream, body) in [(&mut first, &old), (&mut second, &new)] {
            let mut answer = Vec::new();
            // The rest of the head is text, and the body follows it.
            let mut byte = [0];
            while !answer.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
            let mut received = vec![0; body.len()];
            stream.read_exact(&mut received).unwrap();
            assert!(received == *body);
        }
    }
}
