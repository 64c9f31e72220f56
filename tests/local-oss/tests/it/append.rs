//! AppendObject: pieces one behind the other.

use std::sync::Barrier;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

use crate::client::{Request, builder, get, multipart::crc64, put, request, start};

fn append(key: &str, position: impl std::fmt::Display, body: &str) -> Request {
    request(
        "POST",
        &format!("/examplebucket/{key}?append&position={position}"),
    )
    .body(body)
}

#[test]
fn pieces_are_put_one_behind_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => builder().data_dir(folder.path()).start().unwrap(),
            false => builder().start().unwrap(),
        };
        let mut server = start();
        let first = append("log", 0, "one\n")
            .header("Content-Type", "text/plain")
            .header("x-oss-meta-a", "b");
        let mut all = String::new();
        let pieces = [
            (first, "one\n"),
            (append("log", 4, ""), ""),
            (append("log", 4, "two\n"), "two\n"),
        ];
        for (piece, text) in pieces {
            all += text;
            let answer = piece.send(&server);
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
            let next = all.len().to_string();
            assert_eq!(answer.header("x-oss-next-append-position"), Some(&*next));
            assert_eq!(
                answer.header("x-oss-hash-crc64ecma"),
                Some(&*crc64(all.as_bytes()))
            );
            let head = request("HEAD", "/examplebucket/log").send(&server);
            assert_eq!(head.header("x-oss-next-append-position"), Some(&*next));
            assert_eq!(head.header("ETag"), answer.header("ETag"));
            if kept {
                drop(server);
                server = start();
            }
        }
        let read = get("log").send(&server);
        assert_eq!(read.text(), "one\ntwo\n");
        for (name, value) in [
            ("x-oss-object-type", "Appendable"),
            ("Content-Type", "text/plain"),
            ("x-oss-meta-a", "b"),
        ] {
            assert_eq!(read.header(name), Some(value));
        }
        assert_eq!(read.header("Content-MD5"), None);
        for position in ["3", "9", "0"] {
            let answer = append("log", position, "x").send(&server);
            assert_eq!(answer.error(), (409, "PositionNotEqualToLength".to_owned()));
            assert_eq!(answer.header("x-oss-next-append-position"), Some("8"));
            assert_eq!(answer.header("x-oss-ec"), Some("0026-00000016"));
        }
        assert_eq!(get("log").send(&server).text(), "one\ntwo\n");
    }
    let files = std::fs::read_dir(folder.path().join("objects/examplebucket")).unwrap();
    assert_eq!(files.count(), 1);
}

#[test]
fn what_cannot_be_appended_to_is_left_alone() {
    let server = start();
    put("a", "hello").send(&server);
    let answer = append("a", 5, "x").send(&server);
    assert_eq!(answer.error(), (409, "ObjectNotAppendable".to_owned()));
    let answer = append("new", 1, "x").send(&server);
    assert_eq!(answer.error(), (409, "PositionNotEqualToLength".to_owned()));
    let answer = request("POST", "/examplebucket/new?append").send(&server);
    assert_eq!(answer.header("x-oss-ec"), Some("0016-00000501"));
    assert_eq!(
        append("new", "x", "x").send(&server).error(),
        (400, "InvalidArgument".to_owned())
    );
    // A piece that arrives damaged is not there.
    append("log", 0, "one").send(&server);
    let md5 = STANDARD.encode(Md5::digest("two"));
    let damaged = append("log", 3, "twO")
        .header("Content-MD5", &md5)
        .send(&server);
    assert_eq!(damaged.error(), (400, "InvalidDigest".to_owned()));
    let whole = append("log", 3, "two")
        .header("Content-MD5", &md5)
        .send(&server);
    assert_eq!(whole.status, 200);
    assert_eq!(get("a").send(&server).text(), "hello");
    assert_eq!(get("new").send(&server).status, 404);
    assert_eq!(get("log").send(&server).text(), "onetwo");
    // What describes it was said with the first piece; what later ones say is not looked at.
    let later = append("log", 6, "")
        .header("x-oss-tagging", "=")
        .header("Content-Type", "a/b");
    assert_eq!(later.send(&server).status, 200);
    assert_eq!(
        get("log").send(&server).header("Content-Type"),
        Some("application/octet-stream")
    );
    assert_eq!(
        append("other", 0, "")
            .header("x-oss-tagging", "=")
            .send(&server)
            .status,
        400
    );
    // An overwrite makes it an object like others.
    put("log", "hi").send(&server);
    assert_eq!(append("log", 2, "x").send(&server).status, 409);
}

#[test]
fn of_several_at_one_position_one_is_taken() {
    let server = start();
    append("log", 0, "").send(&server);
    let barrier = Barrier::new(8);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (server, barrier) = (&server, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    append("log", 0, &format!("{number}")).send(server).status
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(taken, 1, "{statuses:?}");
    assert_eq!(get("log").send(&server).body.len(), 1);
}
