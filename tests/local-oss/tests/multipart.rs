//! Objects made of parts, over real sockets.

mod client;

use client::{
    get,
    multipart::{Upload, initiate},
    request, start,
};
use crc64fast::Digest as Crc64;
use md5::{Digest, Md5};

const KIB: usize = 1024;

fn bytes(length: usize, seed: u32) -> Vec<u8> {
    (0..length as u32)
        .map(|index| (index.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn crc64(bytes: &[u8]) -> String {
    let mut crc64 = Crc64::new();
    crc64.write(bytes);
    crc64.sum64().to_string()
}

/// In upper case, as ETags are.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// What OSS makes the ETag of an object from.
fn etag_of(parts: &[&[u8]]) -> String {
    let md5s: Vec<u8> = parts.iter().flat_map(Md5::digest).collect();
    format!("\"{}-{}\"", hex(&Md5::digest(md5s)), parts.len())
}

#[test]
fn an_object_comes_back_as_its_parts_were_put() {
    let server = start();
    let answer = initiate("a/b.txt")
        .header("Content-Type", "text/plain")
        .header("x-oss-meta-colour", "blue")
        .header("Cache-Control", "no-cache")
        .send(&server);
    assert_eq!(
        ["Bucket", "Key"].map(|name| answer.element(name).unwrap()),
        ["examplebucket", "a/b.txt"]
    );
    assert_eq!(answer.element("EncodingType"), None);
    let upload = Upload::of("a/b.txt", &answer);

    // Numbers need not follow each other, and parts come in any order.
    let bodies = [bytes(300 * KIB + 1, 1), bytes(100 * KIB, 2), bytes(5, 3)];
    let mut etags = Vec::new();
    for (number, body) in [(10_000, 2), (2, 0), (7, 1)] {
        let answer = upload.part(number, bodies[body].clone()).send(&server);
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        let etag = format!("\"{}\"", hex(&Md5::digest(&bodies[body])));
        assert_eq!(answer.header("ETag"), Some(etag.as_str()));
        let crc64 = crc64(&bodies[body]);
        assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some(&crc64[..]));
        etags.push((number, etag));
    }
    etags.sort();
    assert_eq!(get("a/b.txt").send(&server).status, 404);

    let complete = upload.complete(&etags).header("Host", "localhost");
    let answer = complete.send(&server);
    let whole = bodies.concat();
    let etag = etag_of(&bodies.each_ref().map(Vec::as_slice));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Content-Type"), Some("application/xml"));
    for (name, expected) in [
        ("Location", "http://localhost/examplebucket/a/b.txt"),
        ("Bucket", "examplebucket"),
        ("Key", "a/b.txt"),
        ("ETag", &etag.replace('"', "&quot;")),
    ] {
        assert_eq!(answer.element(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(answer.header("ETag"), Some(&etag[..]));
    assert_eq!(
        answer.header("x-oss-hash-crc64ecma"),
        Some(&crc64(&whole)[..])
    );
    assert_eq!(answer.header("Content-MD5"), None);

    for method in ["GET", "HEAD"] {
        let answer = request(method, "/examplebucket/a/b.txt").send(&server);
        assert_eq!(answer.status, 200);
        assert!(method == "HEAD" || answer.body == whole);
        for (name, expected) in [
            ("Content-Length", Some(&whole.len().to_string()[..])),
            ("ETag", Some(&etag)),
            ("x-oss-hash-crc64ecma", Some(&crc64(&whole))),
            ("x-oss-object-type", Some("Multipart")),
            ("Content-MD5", None),
            ("Content-Type", Some("text/plain")),
            ("Cache-Control", Some("no-cache")),
            ("x-oss-meta-colour", Some("blue")),
        ] {
            assert_eq!(answer.header(name), expected, "{method} {name}");
        }
    }
    let part = get("a/b.txt")
        .header("Range", "bytes=307199-409601")
        .send(&server);
    assert!(part.status == 206 && part.body == whole[307_199..=409_601]);
    let listed = request("GET", "/examplebucket/").send(&server);
    assert_eq!(listed.element("Type").as_deref(), Some("Multipart"));
    let stored = &server.stored()[0];
    assert_eq!(
        (stored.operation.as_str(), stored.size, stored.key.as_str()),
        ("CompleteMultipartUpload", whole.len() as u64, "a/b.txt")
    );
    assert_eq!(format!("\"{}\"", stored.etag), etag);
    assert!(server.object("examplebucket", "a/b.txt").unwrap() == whole);
}
