//! Where parts and the objects made of them are: in files, and out of memory.

use std::{fs, path::Path};

use crate::client::{
    builder, get,
    multipart::{Upload, begin, bytes, initiate, refused},
    put, request,
};
use local_oss::Server;

const MIB: usize = 1024 * 1024;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn start_in(folder: &Path) -> Server {
    let builder = builder().min_part_size(0).data_dir(folder);
    builder.start().unwrap()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_server_that_is_started_again_has_objects_made_of_parts_again() {
    let folder = folder();
    let server = start_in(folder.path());
    let begun = initiate("a").header("x-oss-meta-colour", "blue");
    let upload = Upload::of("a", &begun.send(&server));
    let bodies = [
        bytes(MIB + 3, 1),
        Vec::new(),
        bytes(300_000, 2),
        b"!".to_vec(),
    ];
    // The file has them in another order, and one part twice.
    for number in [3, 1, 4, 2] {
        upload.send_part(&server, number as u32, bytes(70_000, 9));
        upload.send_part(&server, number as u32, bodies[number - 1].clone());
    }
    assert_eq!(upload.complete_all().send(&server).status, 200);
    let whole = bodies.concat();
    let describe = |server: &Server| {
        let answer = get("a").send(server);
        assert!(answer.body == whole);
        let names = [
            "ETag",
            "x-oss-hash-crc64ecma",
            "x-oss-object-type",
            "Content-MD5",
            "Last-Modified",
            "x-oss-meta-colour",
        ];
        names.map(|name| answer.header(name).map(str::to_owned))
    };
    let before = describe(&server);
    assert_eq!(before[2].as_deref(), Some("Multipart"));
    // An upload that is open ends with the server.
    let open = begin(&server, "open");
    open.send_part(&server, 1, "x");
    assert_eq!(files(&folder.path().join("incoming")), 1);
    server.shutdown();

    let server = start_in(folder.path());
    assert_eq!(describe(&server), before);
    let part = get("a").header("Range", "bytes=1048570-1348577");
    assert!(part.send(&server).body == whole[1_048_570..=1_348_577]);
    let lost = open.part(2, "x").send(&server);
    assert_eq!(lost.error(), refused(404, "NoSuchUpload"));
    assert_eq!(files(&folder.path().join("incoming")), 0);
    put("a", "replaced").send(&server);
    assert_eq!(files(&folder.path().join("objects/examplebucket")), 1);
}

#[test]
fn an_upload_that_is_aborted_or_refused_leaves_nothing() {
    let folder = folder();
    let server = start_in(folder.path());
    let incoming = folder.path().join("incoming");
    let upload = begin(&server, "a");
    assert_eq!(files(&incoming), 0);
    upload.send_part(&server, 1, bytes(2 * MIB, 0));
    upload.send_part(&server, 2, "x");
    assert_eq!(files(&incoming), 1, "one file for all parts");
    let wrong = upload.complete(&[(1, "\"0\"")]).send(&server);
    assert_eq!(wrong.error(), refused(400, "InvalidPart"));
    assert_eq!(files(&incoming), 1);
    assert_eq!(upload.abort().send(&server).status, 204);
    assert_eq!(files(&incoming), 0);
    assert_eq!(files(&folder.path().join("objects/examplebucket")), 0);
}

#[test]
fn an_upload_whose_overwrite_was_forbidden_goes_on() {
    let folder = folder();
    let server = start_in(folder.path());
    let upload = begin(&server, "a");
    upload.send_part(&server, 1, "one");
    put("a", "put").send(&server);
    let forbidding = upload
        .complete_all()
        .header("x-oss-forbid-overwrite", "true");
    assert_eq!(forbidding.send(&server).status, 409);
    upload.send_part(&server, 2, "two");
    request("DELETE", "/examplebucket/a").send(&server);
    assert_eq!(forbidding.send(&server).status, 200);
    drop(server);
    let server = start_in(folder.path());
    assert_eq!(get("a").send(&server).text(), "onetwo");
}

#[test]
fn a_file_whose_extents_cannot_be_is_set_aside() {
    let folder = folder();
    let server = start_in(folder.path());
    let upload = begin(&server, "a");
    upload.send_part(&server, 2, "world");
    upload.send_part(&server, 1, "hello");
    upload.complete_all().send(&server);
    drop(server);
    let objects = folder.path().join("objects/examplebucket");
    let file = fs::read_dir(objects).unwrap().next().unwrap();
    let file = file.unwrap().path();
    let whole = fs::read(&file).unwrap();
    let extents = b"[[5,5],[0,5]]";
    let at = whole
        .windows(extents.len())
        .position(|part| part == extents);
    let at = at.unwrap();
    for damaged in [
        b"[[5,9],[0,1]]",
        b"[[5,5],[0,4]]",
        b"[[5,5],[0,6]]",
        b"[[9,5],[0,5]]",
        b"[[5,5],[0]  ]",
    ] {
        let mut bytes = whole.clone();
        bytes[at..at + extents.len()].copy_from_slice(damaged);
        fs::write(&file, bytes).unwrap();
        let server = start_in(folder.path());
        assert_eq!(get("a").send(&server).status, 404);
        drop(server);
        assert!(!file.exists());
    }
    let aside = fs::read_dir(folder.path().join("damaged/examplebucket")).unwrap();
    assert_eq!(aside.count(), 5);
    fs::write(&file, whole).unwrap();
    let server = start_in(folder.path());
    assert_eq!(get("a").send(&server).text(), "helloworld");
}

#[test]
fn objects_made_of_parts_may_be_larger_than_the_memory() {
    let folder = folder();
    for builder in [builder(), builder().data_dir(folder.path())] {
        let server = builder.max_total_bytes(3 * MIB as u64).start().unwrap();
        let upload = begin(&server, "a");
        let part = bytes(5 * MIB, 3);
        for number in 1..=8 {
            upload.send_part(&server, number, part.clone());
        }
        assert_eq!(upload.complete_all().send(&server).status, 200);
        assert!(get("a").send(&server).body == part.repeat(8));
    }
}

#[test]
fn what_is_kept_of_uploads_and_parts_takes_memory() {
    let server = builder().max_total_bytes(100_000).start().unwrap();
    let quota = refused(403, "QuotaExceeded");
    let upload = begin(&server, "a");
    let stays = upload.part(1, "x");
    assert_eq!(stays.send(&server).status, 200);
    // A part that comes again takes the memory of the first.
    for _ in 0..300 {
        assert_eq!(stays.send(&server).status, 200);
    }
    let refused_at = (2..1_000).find(|number| {
        let answer = upload.part(number, "x").send(&server);
        answer.status != 200 && answer.error() == quota
    });
    assert!(
        refused_at.is_some_and(|number| number > 100),
        "{refused_at:?}"
    );
    assert_eq!(initiate("b").send(&server).error(), quota);
    let list = upload.complete_with(" ".repeat(10_000)).send(&server);
    assert_eq!(list.error(), quota);
    assert_eq!(upload.abort().send(&server).status, 204);
    let begun: Vec<Upload> = (0..100).map(|_| begin(&server, "b")).collect();
    let more = (0..1_000).find(|_| initiate("b").send(&server).error() == quota);
    assert!(more.is_some());
    for upload in begun {
        assert_eq!(upload.abort().send(&server).status, 204);
    }
    assert_eq!(put("c", bytes(40_000, 0)).send(&server).status, 200);
}
