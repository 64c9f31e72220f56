//! The options of PutObject: each arrives as OSS wants it, and what OSS would refuse is refused before it is sent.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oss_callback::{
    Cancellation, ErrorKind, ObjectAcl, PutObject, ServerSideDataEncryption, ServerSideEncryption,
    SignatureVersion, StorageClass, Stored,
};
use support::{BUCKET, RawServer, TemporaryFile, client, client_builder, header, server, spec};

const EMPTY_ANSWER: &str =
    "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n";

/// The head of a request that is sent with these options.
fn head_of(options: impl FnOnce(PutObject<'static>) -> PutObject<'static>) -> String {
    let server = RawServer::answering(EMPTY_ANSWER);
    let put = client(&server.endpoint()).put_object(BUCKET, "a");
    options(put).compare_crc64(false).send_bytes(b"1").unwrap();
    server.head(0)
}

#[test]
fn each_option_goes_out_in_the_words_of_oss() {
    let head = head_of(|put| {
        put.object_acl(ObjectAcl::PublicReadWrite)
            .storage_class(StorageClass::IA)
            .tag("a b", "1&2=3+目")
            .tag("second", "")
            .server_side_encryption(ServerSideEncryption::KMS)
            .server_side_encryption_key_id("9468da86-3509-4f8d-a61e-6eab1eac")
            .server_side_data_encryption(ServerSideDataEncryption::SM4)
            .traffic_limit(819_200)
            .forbid_overwrite(true)
            .cache_control("no-cache")
            .content_disposition("attachment; filename=\"猫.jpg\"")
            .content_encoding("gzip")
            .content_language("zh-CN")
            .expires(UNIX_EPOCH + Duration::from_secs(784_111_777))
            .requester_pays(true)
            .content_md5(true)
    });
    for (name, value) in [
        ("x-oss-object-acl", "public-read-write"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-tagging", "a%20b=1%262%3D3%2B%E7%9B%AE&second="),
        ("x-oss-server-side-encryption", "KMS"),
        (
            "x-oss-server-side-encryption-key-id",
            "9468da86-3509-4f8d-a61e-6eab1eac",
        ),
        ("x-oss-server-side-data-encryption", "SM4"),
        ("x-oss-traffic-limit", "819200"),
        ("x-oss-forbid-overwrite", "true"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment; filename=\"猫.jpg\""),
        ("content-encoding", "gzip"),
        ("content-language", "zh-CN"),
        ("expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-oss-request-payer", "requester"),
        ("content-md5", "xMpCOKC5I4INzFCab3WEmw=="),
    ] {
        assert_eq!(header(&head, name), Some(value), "{name}");
    }
}

#[test]
fn the_last_value_of_an_option_counts() {
    let head = head_of(|put| {
        put.storage_class(StorageClass::Archive)
            .header("X-OSS-Storage-Class", "Standard")
            .forbid_overwrite(true)
            .forbid_overwrite(false)
            .requester_pays(true)
            .requester_pays(false)
            .content_md5(true)
            .content_md5(false)
    });
    assert_eq!(header(&head, "x-oss-storage-class"), Some("Standard"));
    assert_eq!(header(&head, "x-oss-forbid-overwrite"), Some("false"));
    assert_eq!(header(&head, "x-oss-request-payer"), None);
    assert_eq!(header(&head, "content-md5"), None);
}

#[test]
fn what_oss_would_refuse_is_not_sent() {
    type Options = fn(PutObject<'static>) -> PutObject<'static>;
    let bad: [(&str, Options); 12] = [
        ("`tag` has an empty key", |put| put.tag("", "v")),
        ("`tag` has a key of 129 bytes", |put| {
            put.tag(&"k".repeat(129), "v")
        }),
        ("`tag` \"k\" has a value of 257 bytes", |put| {
            put.tag("k", &"v".repeat(257))
        }),
        ("`tag` \"k\" is given twice", |put| {
            put.tag("k", "1").tag("k", "2")
        }),
        ("`tag` \"10\" is one too many", |put| {
            (0..11).fold(put, |put, number| put.tag(&number.to_string(), ""))
        }),
        ("`server_side_encryption_key_id` is given", |put| {
            put.server_side_encryption_key_id("id")
        }),
        ("`server_side_data_encryption` is given", |put| {
            put.server_side_encryption(ServerSideEncryption::AES256)
                .server_side_data_encryption(ServerSideDataEncryption::SM4)
        }),
        ("`traffic_limit` 819199 is not in", |put| {
            put.traffic_limit(819_199)
        }),
        ("`traffic_limit` 838860801 is not in", |put| {
            put.traffic_limit(838_860_801).traffic_limit(819_200)
        }),
        ("`expires` is not in the years", |put| {
            put.expires(UNIX_EPOCH - Duration::from_secs(1))
        }),
        ("`expires` is not in the years", |put| {
            put.expires(SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000))
        }),
        ("header Cache-Control has a value", |put| {
            put.cache_control("no-cache\r\nx-oss-object-acl: public-read")
        }),
    ];
    let server = RawServer::answering(EMPTY_ANSWER);
    let client = client(&server.endpoint());
    for (said, options) in bad {
        let put = options(client.put_object(BUCKET, "a"));
        let put = put.callback(&spec("http://app.example.com/"));
        let error = put.send_bytes(b"1").unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::InvalidArgument, Stored::No)
        );
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn as_many_headers_as_are_taken_can_be_sent() {
    let server = RawServer::answering(EMPTY_ANSWER);
    let client = client(&server.endpoint());
    let put = |count: usize, value: &str| {
        let put = client.put_object(BUCKET, "a").content_type("text/plain");
        let headers = (1..count).map(|number| format!("{number}"));
        let put = headers.fold(put, |put, name| put.header(&name, value));
        put.send_bytes(b"1").map(drop)
    };
    put(1000, &"v".repeat(60)).unwrap();
    for count in [1001, 10_000] {
        let error = put(count, "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let said = format!("the request has {count} headers: at most 1000 can be sent");
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn oss_keeps_what_it_is_told_to_keep() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let put = || client.put_object(BUCKET, "a").forbid_overwrite(true);
    put().cache_control("max-age=60").send_bytes(b"1").unwrap();
    let error = put().send_bytes(b"2").unwrap_err();
    assert_eq!(
        (error.kind(), error.oss_code()),
        (ErrorKind::Conflict, Some("FileAlreadyExists"))
    );
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"1");
    let metadata = client.head_object(BUCKET, "a").send().unwrap();
    assert_eq!(metadata.header("Cache-Control"), Some("max-age=60"));
}

#[test]
fn the_md5_is_that_of_what_is_sent() {
    let server = server().start().unwrap();
    let contents: Vec<u8> = (0..400_000_u32).map(|i| (i % 251) as u8).collect();
    let file = TemporaryFile::new("md5.bin", &contents);
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let client = client_builder(server.endpoint())
            .signature_version(version)
            .build()
            .unwrap();
        let put = |key| client.put_object(BUCKET, key).content_md5(true);
        put("bytes").send_bytes(&contents).unwrap();
        put("empty").send_bytes(b"").unwrap();
        put("file").send_file(file.path()).unwrap();
        put("range")
            .send_file_range(file.path(), 100, 300_000)
            .unwrap();
        let mut reader = Cursor::new(&contents);
        reader.set_position(5);
        put("reader").send_rewindable(&mut reader, 250).unwrap();
    }
    assert!(server.object(BUCKET, "file").unwrap() == contents);
    assert!(server.object(BUCKET, "range").unwrap() == contents[100..300_100]);
    assert!(server.object(BUCKET, "reader").unwrap() == contents[5..255]);
}

/// Gives other contents each time it is rewound.
struct Fickle(u8);

impl Read for Fickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(self.0);
        Ok(buffer.len())
    }
}

impl Seek for Fickle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if matches!(to, SeekFrom::Start(_)) {
            self.0 += 1;
        }
        Ok(0)
    }
}

#[test]
fn a_body_that_is_not_the_one_of_its_md5_is_not_stored() {
    let server = server().start().unwrap();
    let put = client(server.endpoint()).put_object(BUCKET, "a");
    let error = put
        .content_md5(true)
        .send_rewindable(Fickle(0), 10)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.oss_code(), error.stored()),
        (ErrorKind::Refused, Some("InvalidDigest"), Stored::No)
    );
    assert!(server.stored().is_empty());
}

#[test]
fn an_md5_that_cannot_be_had_is_no_upload() {
    let server = RawServer::answering(EMPTY_ANSWER);
    let client = client(&server.endpoint());
    let put = || client.put_object(BUCKET, "a").content_md5(true);
    let cancellation = Cancellation::new();
    cancellation.cancel();
    for (error, kind, said) in [
        (
            put().send_reader(&b"1"[..], 1),
            ErrorKind::InvalidArgument,
            "`content_md5` needs a body that can be read twice",
        ),
        (
            put().send_reader_chunked(&b"1"[..]),
            ErrorKind::InvalidArgument,
            "`content_md5` needs a body that can be read twice",
        ),
        (
            put().cancellation(&cancellation).send_bytes(b"1"),
            ErrorKind::Cancelled,
            "the upload was cancelled",
        ),
        (
            put().timeout(Duration::from_nanos(1)).send_bytes(b"1"),
            ErrorKind::Timeout,
            "the overall time limit ran out",
        ),
    ] {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.stored()), (kind, Stored::No));
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_rewindable_reader_is_sent_again_from_where_it_stood() {
    let server = server().start().unwrap();
    let reader = || {
        let mut reader = Cursor::new(b"0123456789");
        reader.set_position(2);
        reader
    };
    client(server.endpoint())
        .put_object(BUCKET, "a")
        .send_rewindable(reader(), 5)
        .unwrap();
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"23456");

    // The client compares the checksum with that of what it has sent in its second attempt.
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nx-oss-hash-crc64ecma: {}\r\nContent-Length: 0\r\n\r\n",
        server.stored()[0].crc64
    );
    let failed = AtomicBool::new(false);
    let failing = RawServer::start(move |connection| {
        connection.read_body();
        if failed.swap(true, Ordering::Relaxed) {
            connection.write(answer.as_bytes());
        } else {
            connection
                .write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let receipt = client(&failing.endpoint())
        .put_object(BUCKET, "a")
        .send_rewindable(reader(), 5)
        .unwrap();
    assert_eq!((receipt.attempts(), failing.requests()), (2, 2));

    let error = client(server.endpoint())
        .put_object(BUCKET, "short")
        .send_rewindable(reader(), 9)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyChanged);
}
