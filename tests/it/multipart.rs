//! Multipart uploads, through real sockets.

use std::io::Cursor;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Answered, ErrorKind, MultipartUpload, ObjectAcl, Part, StorageClass, Stored};
use support::{BUCKET, RawServer, TemporaryFile, agreeing_receiver, client, server, spec};

pub(crate) const PART: usize = 102_400;

/// Different in each part, and in each block of it.
pub(crate) fn contents(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i * i % 251) as u8).collect()
}

/// Sends contents in parts, from several threads.
pub(crate) fn send_parts(upload: &MultipartUpload, contents: &[u8], part: usize) -> Vec<Part> {
    thread::scope(|scope| {
        let threads: Vec<_> = (1..)
            .zip(contents.chunks(part))
            .map(|(number, bytes)| {
                scope.spawn(move || upload.upload_part(number).send_bytes(bytes))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap())
            .collect()
    })
}

pub(crate) fn requests(server: &Server, operation: &str) -> usize {
    let requests = server.multipart_requests();
    requests
        .iter()
        .filter(|request| request.operation == operation)
        .count()
}

#[test]
fn parts_become_an_object_with_one_callback() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let client = client(server.endpoint());
    let upload = client
        .initiate_multipart_upload(BUCKET, "a b/目.jpg")
        .metadata("author", "Ming")
        .storage_class(StorageClass::IA)
        .tag("k", "v")
        .cache_control("no-cache")
        .send()
        .unwrap();
    let contents = contents(3 * PART + 5);
    let mut parts = send_parts(&upload, &contents, PART);
    // The order of the list is of no account.
    parts.reverse();
    let receipt = upload
        .complete()
        .callback(&spec(&receiver.url("/")))
        .send(&parts)
        .unwrap();

    let stored = &server.stored()[0];
    assert_eq!(stored.operation, "CompleteMultipartUpload");
    assert_eq!(server.object(BUCKET, "a b/目.jpg").unwrap(), contents);
    assert_eq!(receipt.crc64(), Some(stored.crc64));
    assert_eq!(receipt.etag(), Some(stored.etag.as_str()));
    assert!(stored.etag.ends_with("-4"), "{}", stored.etag);
    assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
    assert_eq!(stored.content_type, "image/jpeg");
    assert_eq!(stored.header("x-oss-meta-author"), Some("Ming"));
    let body = receiver.requests()[0].text();
    assert_eq!(
        body,
        format!(
            "filename=a%20b%2F%E7%9B%AE.jpg&size={}&mimeType=image%2Fjpeg",
            contents.len()
        )
    );
    assert_eq!((receiver.requests().len(), receipt.attempts()), (1, 1));
    assert_eq!(server.open_uploads(), []);
}

#[test]
fn a_part_comes_from_bytes_a_reader_or_a_piece_of_a_file() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let contents = contents(4 * PART);
    let file = TemporaryFile::new("whole", &contents);
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let piece = |number: usize| &contents[(number - 1) * PART..number * PART];
    let mut seen = Vec::new();
    let mut later = Cursor::new(&contents);
    later.set_position(3 * PART as u64);
    let parts = [
        upload.upload_part(1).send_bytes(piece(1)).unwrap(),
        upload
            .upload_part(2)
            .send_reader(piece(2), PART as u64)
            .unwrap(),
        upload
            .upload_part(3)
            .content_md5(true)
            .progress(|sent, total| seen.push((sent, total)))
            .send_file_range(file.path(), 2 * PART as u64, PART as u64)
            .unwrap(),
        upload
            .upload_part(4)
            .send_rewindable(later, PART as u64)
            .unwrap(),
    ];
    for (part, number) in parts.iter().zip(1..) {
        assert_eq!((part.number(), part.size()), (number, Some(PART as u64)));
    }
    assert_eq!(seen.last(), Some(&(PART as u64, Some(PART as u64))));
    assert_eq!(upload.list_parts().send().unwrap(), parts);
    let receipt = upload.complete().send(&parts).unwrap();
    assert_eq!(server.object(BUCKET, "o").unwrap(), contents);
    assert!(receipt.crc64().is_some());
    let sent = server.multipart_requests();
    let md5 = |number| {
        sent.iter()
            .find(|r| r.is_part(number))
            .unwrap()
            .header("content-md5")
    };
    assert!(md5(3).is_some() && md5(1).is_none());

    // What the reader or the file does wrong is named, and the part is not there.
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let short = upload
        .upload_part(1)
        .send_reader(&b"12"[..], 3)
        .unwrap_err();
    let long = upload
        .upload_part(1)
        .send_reader(&b"1234"[..], 3)
        .unwrap_err();
    let beyond = upload
        .upload_part(1)
        .send_file_range(file.path(), 1, 4 * PART as u64)
        .unwrap_err();
    assert_eq!(
        (short.kind(), long.kind()),
        (ErrorKind::BodyChanged, ErrorKind::BodyChanged)
    );
    assert_eq!(beyond.kind(), ErrorKind::InvalidArgument);
    assert_eq!(upload.list_parts().send().unwrap(), []);
}

#[test]
fn another_machine_goes_on_with_plain_values() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let contents = contents(2 * PART + 1);
    let upload = client(server.endpoint())
        .initiate_multipart_upload(BUCKET, "fleet")
        .send()
        .unwrap();
    let id = upload.upload_id().to_owned();
    let lines: Vec<String> = (1..)
        .zip(contents.chunks(PART))
        .map(|(number, bytes)| {
            let worker = client(server.endpoint()).multipart_upload(BUCKET, "fleet", &id);
            worker
                .upload_part(number)
                .send_bytes(bytes)
                .unwrap()
                .to_json()
        })
        .collect();
    let parts: Vec<Part> = lines
        .iter()
        .map(|line| Part::from_json(line).unwrap())
        .collect();
    let coordinator = client(server.endpoint()).multipart_upload(BUCKET, "fleet", &id);
    let spec = spec(&receiver.url("/"));
    coordinator.complete().callback(&spec).send(&parts).unwrap();
    assert_eq!(server.object(BUCKET, "fleet").unwrap(), contents);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn all_parts_are_completed_without_a_list_and_checked_all_the_same() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let contents = contents(2 * PART);
    for compare in [true, false] {
        let upload = client
            .initiate_multipart_upload(BUCKET, "all")
            .send()
            .unwrap();
        send_parts(&upload, &contents, PART);
        let listed = requests(&server, "ListParts");
        upload.complete().compare_crc64(compare).send_all().unwrap();
        assert_eq!(server.object(BUCKET, "all").unwrap(), contents);
        assert_eq!(
            requests(&server, "ListParts") - listed,
            usize::from(compare)
        );
    }
}

#[test]
fn ten_thousand_parts_are_listed_and_completed() {
    let server = server().min_part_size(1).start().unwrap();
    let client = client(server.endpoint());
    let contents = contents(10_000);
    let upload = client
        .initiate_multipart_upload(BUCKET, "many")
        .send()
        .unwrap();
    let parts: Vec<Part> = thread::scope(|scope| {
        let upload = &upload;
        let threads: Vec<_> = (1..)
            .zip(contents.chunks(1_250))
            .map(|(thread, bytes): (u32, _)| {
                scope.spawn(move || {
                    let first = (thread - 1) * 1_250 + 1;
                    let part = |(number, byte): (u32, &u8)| {
                        upload.upload_part(number).send_bytes([*byte]).unwrap()
                    };
                    (first..).zip(bytes).map(part).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(upload.list_parts().send().unwrap(), parts);
    assert_eq!(requests(&server, "ListParts"), 10);
    upload.complete().send(&parts).unwrap();
    assert_eq!(server.object(BUCKET, "many").unwrap(), contents);
}

#[test]
fn uploads_are_listed_over_pages_and_aborted() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let names: Vec<String> = (0..1_003)
        .map(|i| format!("logs/{:03}/+ \u{1}目{i:04}", i % 3))
        .collect();
    for name in names.iter().chain(&["other".to_owned()]) {
        client
            .initiate_multipart_upload(BUCKET, name)
            .send()
            .unwrap();
    }
    let list = client.list_multipart_uploads(BUCKET).send().unwrap();
    assert_eq!((list.uploads.len(), list.common_prefixes.len()), (1_004, 0));
    let mut sorted = names.clone();
    sorted.sort();
    let found: Vec<&str> = list
        .uploads
        .iter()
        .map(|upload| upload.object.as_str())
        .collect();
    assert_eq!(found[..1_003], sorted);

    let folders = client
        .list_multipart_uploads(BUCKET)
        .prefix("logs/")
        .delimiter("/")
        .send()
        .unwrap();
    assert_eq!(
        folders.common_prefixes,
        ["logs/000/", "logs/001/", "logs/002/"]
    );
    assert_eq!(folders.uploads, []);
    let error = client
        .list_multipart_uploads(BUCKET)
        .max_uploads(1_003)
        .send()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);

    let last = &list.uploads[1_003];
    let upload = client.multipart_upload(BUCKET, &last.object, &last.upload_id);
    upload.abort().send().unwrap();
    let error = upload.abort().send().unwrap_err();
    assert_eq!(
        (error.kind(), error.oss_code()),
        (ErrorKind::NotFound, Some("NoSuchUpload"))
    );
    assert_eq!(server.open_uploads().len(), 1_003);
}

#[test]
fn refusals_of_oss_are_told_as_they_are() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let spec = spec(&receiver.url("/"));
    let client = client(server.endpoint());
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let good = upload.upload_part(1).send_bytes(contents(PART)).unwrap();
    let small = upload.upload_part(2).send_bytes(b"small").unwrap();
    let last = upload.upload_part(3).send_bytes(b"last").unwrap();
    for (parts, code) in [
        (
            vec![Part::new(1, "0123456789ABCDEF0123456789ABCDEF")],
            "InvalidPart",
        ),
        (vec![good.clone(), Part::new(9, good.etag())], "InvalidPart"),
        (vec![good.clone(), small, last.clone()], "EntityTooSmall"),
    ] {
        let error = upload.complete().callback(&spec).send(&parts).unwrap_err();
        assert_eq!(
            (error.kind(), error.oss_code()),
            (ErrorKind::Refused, Some(code))
        );
        assert_eq!(
            (error.stored(), error.answered()),
            (Stored::No, Answered::No)
        );
        assert_eq!(error.attempts(), 1);
    }
    // The upload is open all the same, and OSS keeps what is there if it is told to.
    client
        .put_object(BUCKET, "o")
        .send_bytes(b"earlier")
        .unwrap();
    let parts = [good, last];
    let error = upload
        .complete()
        .forbid_overwrite(true)
        .send(&parts)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Conflict, Stored::No)
    );
    let early = client
        .initiate_multipart_upload(BUCKET, "o")
        .forbid_overwrite(true)
        .send()
        .unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Conflict);
    upload
        .complete()
        .object_acl(ObjectAcl::PublicRead)
        .send(&parts)
        .unwrap();

    // What never was, and what is gone: no object comes of it.
    let unknown = client.multipart_upload(BUCKET, "nothing", "0004B9894A22E5B1888A1E29F8236E2D");
    for error in [
        unknown.upload_part(1).send_bytes(b"1").unwrap_err(),
        unknown.list_parts().send().unwrap_err(),
        unknown.complete().callback(&spec).send(&parts).unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.oss_code()),
            (ErrorKind::NotFound, Some("NoSuchUpload"))
        );
        assert_eq!(error.stored(), Stored::No);
    }
    assert_eq!(receiver.requests().len(), 0);
}

/// Those that this library's own requests do not draw are answered by a server of a few lines.
#[test]
fn every_refusal_to_complete_leaves_nothing_stored() {
    use ErrorKind::{Conflict, NotFound, Refused};
    let parts = [Part::new(1, "A").with_size(1).with_crc64(7)];
    for (status, code, kind) in [
        ("400 Bad Request", "InvalidPart", Refused),
        ("400 Bad Request", "InvalidPartOrder", Refused),
        ("400 Bad Request", "EntityTooSmall", Refused),
        ("400 Bad Request", "MalformedXML", Refused),
        ("400 Bad Request", "InvalidArgument", Refused),
        ("404 Not Found", "NoSuchBucket", NotFound),
        ("409 Conflict", "FileAlreadyExists", Conflict),
    ] {
        let document = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        let server = RawServer::answering(format!(
            "HTTP/1.1 {status}\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{document}",
            document.len()
        ));
        let upload = client(&server.endpoint()).multipart_upload(BUCKET, "o", "id");
        let spec = spec("http://app.example.com/");
        let error = upload.complete().callback(&spec).send(&parts).unwrap_err();
        assert_eq!((error.kind(), error.oss_code()), (kind, Some(code)));
        assert_eq!(
            (error.stored(), error.answered()),
            (Stored::No, Answered::No),
            "{code}"
        );
        // Nothing is looked up or tried again.
        assert_eq!((server.requests(), error.attempts()), (1, 1), "{code}");
    }
}

#[test]
fn a_203_means_stored_and_nothing_is_aborted_or_sent_again() {
    let server = server().start().unwrap();
    let receiver = Receiver::start(|_| Answer::status(500)).unwrap();
    let client = client(server.endpoint());
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let parts = send_parts(&upload, &contents(PART + 1), PART);
    let error = upload
        .complete()
        .callback(&spec(&receiver.url("/")))
        .send(&parts)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::No)
    );
    let receipt = error.receipt().unwrap();
    assert_eq!(receipt.etag(), Some(server.stored()[0].etag.as_str()));
    assert_eq!((receiver.requests().len(), error.attempts()), (1, 1));
    assert_eq!(requests(&server, "CompleteMultipartUpload"), 1);
    assert_eq!(requests(&server, "AbortMultipartUpload"), 0);
}

#[test]
fn a_request_that_is_refused_never_claims_the_object() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let spec = spec(&receiver.url("/"));
    let client = client(server.endpoint());
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let parts = send_parts(&upload, &contents(PART + 1), PART);
    upload.complete().callback(&spec).send(&parts).unwrap();
    // The object is there, but it could be yesterday's, and this upload an aborted one.
    let error = upload.complete().callback(&spec).send(&parts).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert!(error.to_string().contains("may be older"), "{error}");
    assert!(error.receipt().is_none());

    // Another object in its place, even one with the same contents that was put, proves nothing.
    client
        .put_object(BUCKET, "o")
        .send_bytes(contents(PART + 1))
        .unwrap();
    let error = upload.complete().callback(&spec).send(&parts).unwrap_err();
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown)
    );
    assert!(error.to_string().contains("cannot be shown"), "{error}");
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn bad_arguments_are_named_before_anything_is_sent() {
    let server = RawServer::answering("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    let client = client(&server.endpoint());
    let upload = client.multipart_upload(BUCKET, "o", "id");
    let nameless = client.multipart_upload(BUCKET, "o", "");
    let part = Part::new(1, "AB");
    for (error, said) in [
        (
            upload.upload_part(0).send_bytes(b"").unwrap_err(),
            "`part_number` 0 is not in 1 to 10000",
        ),
        (
            upload.upload_part(10_001).send_bytes(b"").unwrap_err(),
            "`part_number` 10001",
        ),
        (
            upload
                .upload_part(1)
                .bandwidth(0)
                .send_bytes(b"")
                .unwrap_err(),
            "`bandwidth` is zero",
        ),
        (
            upload
                .upload_part(1)
                .traffic_limit(1)
                .send_bytes(b"")
                .unwrap_err(),
            "`traffic_limit` 1 is",
        ),
        (upload.complete().send(&[]).unwrap_err(), "`parts` is empty"),
        (
            upload
                .complete()
                .send(&[part.clone(), part.clone()])
                .unwrap_err(),
            "`parts` names part 1 twice",
        ),
        (
            upload
                .complete()
                .header("x-oss-callback", "e30=")
                .send(&[part])
                .unwrap_err(),
            "header x-oss-callback",
        ),
        (nameless.abort().send().unwrap_err(), "`upload_id` is empty"),
        (
            nameless.list_parts().send().unwrap_err(),
            "`upload_id` is empty",
        ),
        (
            nameless.complete().send_all().unwrap_err(),
            "`upload_id` is empty",
        ),
        (
            client
                .initiate_multipart_upload("B", "o")
                .send()
                .unwrap_err(),
            "`bucket` \"B\"",
        ),
        (
            client.list_multipart_uploads("B").send().unwrap_err(),
            "`bucket` \"B\"",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    let answer = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let initiate = |body: &str| {
        let server = RawServer::answering(answer(body));
        client(&server.endpoint())
            .initiate_multipart_upload(BUCKET, "o")
            .send()
            .unwrap_err()
    };
    for body in [
        "",
        "{}",
        "<InitiateMultipartUploadResult/>",
        "<Other><UploadId>x</UploadId></Other>",
    ] {
        assert_eq!(initiate(body).kind(), ErrorKind::Protocol, "{body}");
    }
    let list = |body: &str| {
        let server = RawServer::answering(answer(body));
        let upload = client(&server.endpoint()).multipart_upload(BUCKET, "o", "id");
        upload.list_parts().send().unwrap_err()
    };
    // A page that goes on for ever, parts out of order, and half a page.
    for body in [
        "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>",
        "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>A</ETag></Part>\
         <IsTruncated>true</IsTruncated></ListPartsResult>",
        "<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>A</ETag></Part>\
         <Part><PartNumber>1</PartNumber><ETag>A</ETag></Part></ListPartsResult>",
        "<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>A</ETag></Part>",
    ] {
        assert_eq!(list(body).kind(), ErrorKind::Protocol, "{body}");
    }
}

#[test]
fn what_is_too_long_for_a_request_is_refused_by_name() {
    const MIB: usize = 1024 * 1024;
    let long = "x".repeat(MIB);
    let answering = |body: String| {
        RawServer::answering(format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    };
    // A server's.
    for id in [&long, &"x".repeat(1025)] {
        let server = answering(format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        ));
        let error = client(&server.endpoint())
            .initiate_multipart_upload(BUCKET, "o")
            .send()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
    for marker in ["NextKeyMarker", "NextUploadIdMarker"] {
        let server = answering(format!(
            "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>I</UploadId></Upload>\
             <IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><{marker}>{long}</{marker}>\
             </ListMultipartUploadsResult>"
        ).replace("<NextKeyMarker>b</NextKeyMarker><NextKeyMarker>", "<NextKeyMarker>"));
        let list = client(&server.endpoint()).list_multipart_uploads(BUCKET);
        let error = list.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert_eq!(server.requests(), 1);
    }
    // The caller's.
    let server = RawServer::answering("");
    let client = client(&server.endpoint());
    let upload = client.multipart_upload(BUCKET, "o", &long);
    let parts = [Part::new(1, "A")];
    let list = || client.list_multipart_uploads(BUCKET);
    for (error, said) in [
        (
            upload.upload_part(1).send_bytes(b"").unwrap_err(),
            "`upload_id` has 1048576 bytes",
        ),
        (
            upload.list_parts().send().unwrap_err(),
            "`upload_id` has 1048576 bytes",
        ),
        (
            upload.complete().send(&parts).unwrap_err(),
            "`upload_id` has 1048576 bytes",
        ),
        (
            upload.complete().send_all().unwrap_err(),
            "`upload_id` has 1048576 bytes",
        ),
        (
            upload.abort().send().unwrap_err(),
            "`upload_id` has 1048576 bytes",
        ),
        (
            list().prefix(&long).send().unwrap_err(),
            "`prefix` has 1048576 bytes",
        ),
        (
            list().delimiter(&long).send().unwrap_err(),
            "`delimiter` has 1048576 bytes",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(error.stored(), Stored::No);
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_list_of_uploads_that_does_not_get_anywhere_ends() {
    const UPLOAD: &str = "<Upload><Key>a</Key><UploadId>I</UploadId></Upload>";
    // The same marker again and again, and others that bring nothing.
    for (upload, moves, requests) in [(UPLOAD, false, 2), ("", true, 1)] {
        let page = Mutex::new(1);
        let server = RawServer::start(move |connection| {
            let mut page = page.lock().unwrap();
            let body = format!(
                "<ListMultipartUploadsResult>{upload}<IsTruncated>true</IsTruncated>\
                 <NextKeyMarker>{}</NextKeyMarker></ListMultipartUploadsResult>",
                "a".repeat(*page)
            );
            *page += usize::from(moves);
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\ncontent-length: {}",
                body.len()
            );
            connection.write(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes());
        });
        let list = client(&server.endpoint()).list_multipart_uploads(BUCKET);
        let error = list.timeout(Duration::from_secs(3)).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert_eq!(server.requests(), requests);
    }
}
