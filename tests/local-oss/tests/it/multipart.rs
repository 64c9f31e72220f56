//! Objects made of parts, over real sockets.

use std::{io::Write, net::Shutdown};

use crate::client;
use crate::client::{
    Response, connect, get,
    multipart::{
        Upload, begin, bytes, crc64, etag_of, hex, initiate, refused, start_for_small_parts,
    },
    request, start,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

const KIB: usize = 1024;

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

#[test]
fn a_part_that_comes_again_takes_the_place_of_the_first() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let old = upload.send_part(&server, 1, "old");
    let second = upload.send_part(&server, 2, "!");
    let new = upload.send_part(&server, 1, "newer");
    assert_eq!(
        upload.list_parts("").send(&server).elements("Size"),
        ["5", "1"]
    );
    let with_old = upload.complete(&[(1, &old), (2, &second)]).send(&server);
    assert_eq!(with_old.error(), refused(400, "InvalidPart"));
    let with_new = upload.complete(&[(1, &new), (2, &second)]).send(&server);
    assert_eq!(with_new.status, 200);
    assert_eq!(get("a").send(&server).text(), "newer!");
    let requests = server.multipart_requests();
    let ones = requests.iter().filter(|request| request.is_part(1));
    let ones: Vec<_> = ones.map(|request| request.size).collect();
    assert_eq!(ones, [Some(3), Some(5)]);
}

#[test]
fn part_numbers_are_1_to_10000() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    for number in ["0", "10001", "-1", "one", "", "4294967297", "1.0"] {
        let answer = upload.part(number, "x").send(&server);
        assert_eq!(answer.error(), refused(400, "InvalidArgument"), "{number}");
        let name = if number.is_empty() {
            "ResourceType"
        } else {
            "PartNumber"
        };
        assert_eq!(answer.element("ArgumentName").as_deref(), Some(name));
    }
    for target in [
        "/examplebucket/a?partNumber=1",
        "/examplebucket/a?uploadId=x",
    ] {
        assert_ne!(request("PUT", target).body("x").send(&server).status, 200);
    }
    for number in ["1", "10000"] {
        assert_eq!(upload.part(number, "x").send(&server).status, 200);
    }
    assert_eq!(server.open_uploads()[0].parts, [1, 10_000]);
    assert!(server.stored().is_empty());
}

#[test]
fn an_upload_that_is_not_there_is_named() {
    let server = start_for_small_parts();
    let open = begin(&server, "a");
    let etag = open.send_part(&server, 1, "x");
    let no_such_upload = refused(404, "NoSuchUpload");
    let of = |key: &str, id: &str| Upload {
        key: key.to_owned(),
        id: id.to_owned(),
    };
    for upload in [of("a", "0123456789ABCDEF"), of("a", ""), of("b", &open.id)] {
        for request in [
            upload.part(1, "x"),
            upload.list_parts(""),
            upload.complete(&[(1, &etag)]),
            upload.complete_all(),
            upload.abort(),
        ] {
            let answer = request.send(&server);
            assert_eq!(answer.error(), no_such_upload);
        }
    }
    assert_eq!(open.complete(&[(1, &etag)]).send(&server).status, 200);
}

#[test]
fn an_upload_ends_once() {
    let server = start_for_small_parts();
    let no_such_upload = refused(404, "NoSuchUpload");
    let completed = begin(&server, "a");
    let etag = completed.send_part(&server, 1, "x");
    assert_eq!(completed.complete(&[(1, &etag)]).send(&server).status, 200);
    let aborted = begin(&server, "b");
    aborted.send_part(&server, 1, "x");
    let answer = aborted.abort().send(&server);
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    for upload in [completed, aborted] {
        for request in [
            upload.part(1, "y"),
            upload.list_parts(""),
            upload.complete(&[(1, &etag)]),
            upload.complete_all(),
            upload.abort(),
        ] {
            assert_eq!(request.send(&server).error(), no_such_upload);
        }
    }
    assert!(server.open_uploads().is_empty());
    assert_eq!(get("a").send(&server).text(), "x");
    assert_eq!(get("b").send(&server).status, 404);
}

#[test]
fn parts_under_way_are_lost_when_the_upload_ends() {
    let server = start_for_small_parts();
    for ends_by_abort in [true, false] {
        let upload = begin(&server, "a");
        upload.send_part(&server, 1, "x");
        let mut stream = connect(server.address());
        let part = upload.part(2, bytes(600 * KIB, 0));
        stream.write_all(part.head().as_bytes()).unwrap();
        stream.write_all(&bytes(500 * KIB, 0)).unwrap();
        let end = match ends_by_abort {
            true => upload.abort(),
            false => upload.complete_all(),
        };
        assert!(end.send(&server).status < 300);
        stream.write_all(&bytes(100 * KIB, 0)).unwrap();
        let answer = Response::read(&mut stream, "PUT");
        assert_eq!(answer.error(), refused(404, "NoSuchUpload"));
    }
    assert_eq!(get("a").send(&server).text(), "x");
}

#[test]
fn what_does_not_match_its_checksum_is_no_part() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let wrong_md5 = STANDARD.encode(Md5::digest("other"));
    for (name, value, code) in [
        ("Content-MD5", wrong_md5.as_str(), "InvalidDigest"),
        ("Content-MD5", "not Base64", "InvalidDigest"),
        ("x-oss-hash-crc64ecma", "1", "InvalidCRC64"),
        ("x-oss-hash-crc64ecma", "many", "InvalidArgument"),
    ] {
        let answer = upload.part(1, "hello").header(name, value).send(&server);
        assert_eq!(answer.error(), refused(400, code), "{name}: {value}");
    }
    assert!(server.open_uploads()[0].parts.is_empty());
    let right = upload
        .part(1, "hello")
        .header("Content-MD5", &STANDARD.encode(Md5::digest("hello")))
        .header("x-oss-hash-crc64ecma", &crc64(b"hello"));
    assert_eq!(right.send(&server).status, 200);
}

#[test]
fn a_part_may_be_chunked_but_neither_cut_short_nor_too_large() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let open = |name: &str, value: &str| {
        let part = upload.part(1, "").without_length().header(name, value);
        let mut stream = connect(server.address());
        stream.write_all(part.head().as_bytes()).unwrap();
        stream
    };
    let mut chunked = open("Transfer-Encoding", "chunked");
    chunked
        .write_all(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        .unwrap();
    let etag = format!("\"{}\"", hex(&Md5::digest("hello")));
    assert_eq!(
        Response::read(&mut chunked, "PUT").header("ETag"),
        Some(&etag[..])
    );
    let announced = |length: u64| {
        let mut stream = open("Content-Length", &length.to_string());
        stream.write_all(b"hel").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        Response::read(&mut stream, "PUT").error()
    };
    let five_gigabytes = 5 * 1024 * 1024 * 1024;
    assert_eq!(announced(5), refused(400, "IncompleteBody"));
    assert_eq!(announced(five_gigabytes), refused(400, "IncompleteBody"));
    assert_eq!(
        announced(five_gigabytes + 1),
        refused(400, "EntityTooLarge")
    );
    let unknown = upload.part(1, "").without_length().send(&server);
    assert_eq!(unknown.error(), refused(411, "MissingContentLength"));
    // The part is still the one that came whole.
    let answer = upload.complete(&[(1, etag)]).send(&server);
    assert_eq!(answer.status, 200);
    let requests = server.multipart_requests();
    let parts = requests.iter().filter(|request| request.is_part(1));
    let outcomes: Vec<_> = parts
        .map(|part| (part.status, part.size, part.code.as_deref()))
        .collect();
    let whole = (200, Some(5), None);
    let cut = (400, None, Some("IncompleteBody"));
    let too_large = (400, None, Some("EntityTooLarge"));
    let no_length = (411, None, Some("MissingContentLength"));
    assert_eq!(outcomes, [whole, cut, cut, too_large, no_length]);
}

#[test]
fn many_parts_come_in_at_once() {
    let server = start();
    let upload = begin(&server, "a");
    let bodies: Vec<Vec<u8>> = (0..24)
        .map(|number| bytes(200 * KIB + 7 * number as usize, number))
        .collect();
    std::thread::scope(|scope| {
        for (thread, bodies) in bodies.chunks(3).enumerate() {
            let (server, upload) = (&server, &upload);
            scope.spawn(move || {
                for (index, body) in bodies.iter().enumerate() {
                    let number = 3 * thread + index + 1;
                    upload.send_part(server, number as u32, body.clone());
                }
            });
        }
    });
    let answer = upload.complete_all().send(&server);
    let whole = bodies.concat();
    assert_eq!(
        answer.header("x-oss-hash-crc64ecma"),
        Some(&crc64(&whole)[..])
    );
    assert!(get("a").send(&server).body == whole);
}

#[test]
fn ten_thousand_parts_are_listed_and_completed() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let body = |number: u32| format!("{number},");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (server, upload) = (&server, &upload);
            scope.spawn(move || {
                let mut stream = connect(server.address());
                for number in (1..=10_000).filter(|number| number % 4 == thread) {
                    let answer = upload.part(number, body(number)).send_on(&mut stream);
                    assert_eq!(answer.status, 200);
                }
            });
        }
    });
    let (mut listed, mut marker) = (Vec::new(), 0);
    loop {
        let page = upload.list_parts(&format!("part-number-marker={marker}"));
        let page = page.send(&server);
        let numbers = page.elements("PartNumber");
        let numbers = numbers.iter().map(|number| number.parse().unwrap());
        let etags = page.elements("ETag").into_iter();
        listed.extend(numbers.zip(etags.map(|etag| etag.replace("&quot;", "\""))));
        let next = page.element("NextPartNumberMarker").unwrap();
        marker = next.parse::<u32>().unwrap();
        assert_eq!(listed.len() as u32, marker);
        if page.element("IsTruncated").unwrap() == "false" {
            break;
        }
    }
    assert_eq!(listed.len(), 10_000);
    let answer = upload.complete(&listed).send(&server);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("ETag").unwrap().ends_with("-10000\""));
    let whole: String = (1..=10_000).map(body).collect();
    assert_eq!(
        answer.header("x-oss-hash-crc64ecma"),
        Some(&crc64(whole.as_bytes())[..])
    );
    assert!(get("a").send(&server).text() == whole);
}

#[test]
fn signatures_cover_what_makes_it_multipart() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let plain = "/examplebucket/a";
    for request in [
        initiate("a"),
        upload.part(1, "x"),
        upload.list_parts(""),
        upload.complete_all(),
        upload.abort(),
    ] {
        let answer = request.resource(plain).send(&server);
        assert_eq!(answer.error(), refused(403, "SignatureDoesNotMatch"));
    }
    let listing = request("GET", "/examplebucket/?uploads").resource("/examplebucket/");
    assert_eq!(
        listing.send(&server).error(),
        refused(403, "SignatureDoesNotMatch")
    );
    // Only requests that were signed right are written down.
    assert_eq!(server.multipart_requests().len(), 1);
}

#[test]
fn variants_that_are_not_there_say_so() {
    let server = start_for_small_parts();
    let versioned = initiate("a").target("/examplebucket/a?uploads&versionId=x");
    let versioned = versioned.resource("/examplebucket/a?uploads&versionId=x");
    assert_eq!(
        versioned.send(&server).error(),
        refused(501, "NotImplemented")
    );
    let other = request("PUT", "/examplebucket/a?uploads").send(&server);
    assert_eq!(other.error(), refused(501, "NotImplemented"));
}

#[test]
fn the_record_says_what_became_of_every_request() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let etag = upload.send_part(&server, 1, "x");
    upload.complete(&[(2, &etag)]).send(&server);
    upload.list_parts("").send(&server);
    let open = server.open_uploads();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (
            &open[0].bucket[..],
            &open[0].key[..],
            &open[0].upload_id,
            &open[0].parts[..]
        ),
        ("examplebucket", "a", &upload.id, &[1][..])
    );
    let completed = upload.complete(&[(1, &etag)]).send(&server);
    upload.abort().send(&server);
    let requests = server.multipart_requests();
    let outcomes: Vec<_> = requests
        .iter()
        .map(|request| {
            assert_eq!((&request.key[..], &request.upload_id), ("a", &upload.id));
            assert!(request.header("authorization").is_none() && request.header("host").is_some());
            let operation = request.operation.as_str();
            (
                operation,
                request.part_number,
                request.size,
                request.status,
                request.code.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("InitiateMultipartUpload", None, None, 200, None),
            ("UploadPart", Some(1), Some(1), 200, None),
            (
                "CompleteMultipartUpload",
                None,
                None,
                400,
                Some("InvalidPart")
            ),
            ("ListParts", None, None, 200, None),
            ("CompleteMultipartUpload", None, Some(1), 200, None),
            (
                "AbortMultipartUpload",
                None,
                None,
                404,
                Some("NoSuchUpload")
            ),
        ]
    );
    let request_id = completed.header("x-oss-request-id").unwrap();
    assert_eq!(requests[4].request_id, request_id);
    assert_eq!(server.stored()[0].request_id, request_id);
    assert_eq!(
        server.wait_for_multipart_requests(6, client::PATIENCE),
        requests
    );
}
