//! UploadFile: files in one request and in parallel parts, through real sockets.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Answered, Cancellation, ErrorKind, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{
    BUCKET, RawServer, TemporaryFile, agreeing_receiver, client, client_builder, server, spec,
};

pub(crate) const PART: u64 = 102_400;

pub(crate) const LOST_ANSWER: Fault = Fault {
    direction: Direction::Answer,
    at: 0,
    action: Action::Cut,
};

/// Different in each part, and in each block of it.
pub(crate) fn contents(len: u64) -> Vec<u8> {
    (0..len).map(|i| (i * i % 251) as u8).collect()
}

pub(crate) fn requests(server: &Server, operation: &str) -> usize {
    let requests = server.multipart_requests();
    requests
        .iter()
        .filter(|request| request.operation == operation)
        .count()
}

/// The name of a checkpoint that goes away with the test, and everything beside it.
pub(crate) struct CheckpointFile(pub(crate) PathBuf);

impl CheckpointFile {
    pub(crate) fn new(name: &str) -> CheckpointFile {
        let file = format!("oss-callback-{}-{name}.checkpoint", std::process::id());
        CheckpointFile(std::env::temp_dir().join(file))
    }

    pub(crate) fn beside(&self) -> Vec<PathBuf> {
        let name = |suffix| PathBuf::from(format!("{}{suffix}", self.0.display()));
        [
            name(""),
            name(".oss-callback-lock"),
            name(".oss-callback-new"),
            name(".oss-callback-damaged"),
        ]
        .into_iter()
        .filter(|path| path.exists())
        .collect()
    }
}

impl Drop for CheckpointFile {
    fn drop(&mut self) {
        for path in self.beside() {
            let _ = fs::remove_file(path);
        }
    }
}

#[test]
fn a_file_of_any_size_becomes_one_object_with_one_callback() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let spec = spec(&receiver.url("/"));
    let client = client(server.endpoint());
    for (index, (len, parts)) in [
        (0, 0),
        (1, 0),
        (PART, 0),
        (PART + 1, 2),
        (3 * PART, 3),
        (20 * PART - 1, 20),
    ]
    .into_iter()
    .enumerate()
    {
        let contents = contents(len);
        let file = TemporaryFile::new("upload.png", &contents);
        let before = requests(&server, "UploadPart");
        let receipt = client
            .upload_file(BUCKET, "o")
            .part_size(PART)
            .parallel(3)
            .metadata("author", "Ming")
            .callback(&spec)
            .send(file.path())
            .unwrap();
        assert!(server.object(BUCKET, "o").unwrap() == contents, "{len}");
        assert_eq!(requests(&server, "UploadPart") - before, parts, "{len}");
        let stored = &server.stored()[index];
        assert_eq!(receipt.crc64(), Some(stored.crc64));
        assert_eq!(stored.content_type, "image/png");
        assert_eq!(stored.header("x-oss-meta-author"), Some("Ming"));
        assert_eq!(receipt.answer(), br#"{"Status":"OK"}"#);
        assert_eq!(receiver.requests().len(), index + 1);
        assert_eq!(receipt.notes(), [""; 0]);
    }
    // The server of the object heard of no callback before the end.
    let with_callback =
        |request: &&local_oss::MultipartRequest| request.header("x-oss-callback").is_some();
    let requests = server.multipart_requests();
    assert!(
        requests
            .iter()
            .filter(with_callback)
            .all(|r| r.operation == "CompleteMultipartUpload")
    );
}

#[test]
fn headers_go_where_oss_wants_them() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(PART + 1));
    client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .object_acl(oss_callback::ObjectAcl::PublicRead)
        .forbid_overwrite(true)
        .traffic_limit(81_920_000)
        .requester_pays(true)
        .cache_control("no-cache")
        .content_md5(true)
        .send(file.path())
        .unwrap();
    for request in server.multipart_requests() {
        let operation = request.operation.as_str();
        for (header, of) in [
            ("x-oss-object-acl", &["CompleteMultipartUpload"][..]),
            (
                "x-oss-forbid-overwrite",
                &["InitiateMultipartUpload", "CompleteMultipartUpload"],
            ),
            ("x-oss-traffic-limit", &["UploadPart"]),
            ("content-md5", &["UploadPart"]),
            ("cache-control", &["InitiateMultipartUpload"]),
            ("content-type", &["InitiateMultipartUpload"]),
            (
                "x-oss-request-payer",
                &[
                    "InitiateMultipartUpload",
                    "UploadPart",
                    "CompleteMultipartUpload",
                ],
            ),
        ] {
            assert_eq!(
                request.header(header).is_some(),
                of.contains(&operation),
                "{header} {operation}"
            );
        }
    }
}

#[test]
fn progress_is_told_on_this_thread_and_never_goes_back() {
    let server = server().start().unwrap();
    let len = 30 * PART;
    let file = TemporaryFile::new("a", &contents(len));
    let here = thread::current().id();
    let mut seen = Vec::new();
    client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .progress(|sent, total| {
            assert_eq!(thread::current().id(), here);
            assert_eq!(total, Some(len));
            seen.push(sent);
        })
        .send(file.path())
        .unwrap();
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.len() >= 30, "{}", seen.len());
    assert_eq!(seen.last(), Some(&len));
}

#[test]
fn a_bandwidth_is_that_of_all_connections_together() {
    let server = server().start().unwrap();
    let len = 10 * PART;
    let file = TemporaryFile::new("a", &contents(len));
    let begun = Instant::now();
    client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(5)
        .bandwidth(len)
        .send(file.path())
        .unwrap();
    // A second, but for what each of the five may send at once before it has to wait.
    let elapsed = begun.elapsed().as_secs_f64();
    assert!(elapsed > 0.4, "{elapsed}");
}

#[test]
fn parts_are_sent_at_once() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(4 * PART));
    // Nothing gets through before four connections are there.
    let fault = Fault {
        direction: Direction::Request,
        at: 50_000,
        action: Action::Stall,
    };
    let network = FaultyNetwork::start(server.address(), fault, usize::MAX);
    let cancellation = Cancellation::new();
    thread::scope(|scope| {
        let client = client(&format!("http://{}", network.address()));
        let (path, cancellation) = (file.path(), &cancellation);
        let upload = scope.spawn(move || {
            let upload = client.upload_file(BUCKET, "o").part_size(PART);
            upload.cancellation(cancellation).send(path)
        });
        // One of them began the upload.
        let deadline = Instant::now() + Duration::from_secs(10);
        while network.connections() < 4 {
            assert!(
                Instant::now() < deadline,
                "{} connections",
                network.connections()
            );
            thread::yield_now();
        }
        let begun = Instant::now();
        cancellation.cancel();
        let error = upload.join().unwrap().unwrap_err();
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Cancelled, Stored::No)
        );
    });
}

#[test]
fn a_cancelled_upload_is_aborted_if_that_is_quick() {
    let server = server().start().unwrap();
    let receiver = agreeing_receiver();
    let file = TemporaryFile::new("a", &contents(50 * PART));
    let cancellation = Cancellation::new();
    let error = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .cancellation(&cancellation)
        .callback(&spec(&receiver.url("/")))
        .progress(|sent, _| {
            if sent > 10 * PART {
                cancellation.cancel();
            }
        })
        .send(file.path())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::No, Answered::No)
    );
    aborted_or_named(&server, &error);
    assert_eq!(receiver.requests().len(), 0);
}

#[test]
fn an_upload_that_cannot_be_aborted_is_named() {
    // Lets an upload begin, and answers nothing else.
    let server = RawServer::start(|connection| {
        connection.read_body();
        if connection.head.starts_with("POST ") {
            let body = "<InitiateMultipartUploadResult><UploadId>left</UploadId></InitiateMultipartUploadResult>";
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: {}",
                body.len()
            );
            connection.write(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes());
        }
    });
    let file = TemporaryFile::new("a", &contents(4 * PART));
    let client = client_builder(&server.endpoint())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let upload = client.upload_file(BUCKET, "o").part_size(PART).parallel(1);
    let error = upload.send(file.path()).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::ConnectionLost, Stored::No)
    );
    assert_eq!(error.upload_id(), Some("left"));
    assert_eq!(error.notes().len(), 1);
    let note = &error.notes()[0];
    assert!(
        note.starts_with("upload left could not be aborted: "),
        "{note}"
    );
    // It was tried: the upload, a part, the end of it.
    assert_eq!(server.requests(), 3);
    assert!(server.head(2).starts_with("DELETE "), "{}", server.head(2));
}

#[test]
fn one_part_that_fails_ends_the_others_and_the_upload() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(100 * PART));
    let path = file.path().to_owned();
    // The file loses its end while it is sent.
    let error = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .progress(|sent, _| {
            if sent > PART {
                file.set_len(2 * PART);
            }
        })
        .send(&path)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyChanged);
    assert_eq!(error.stored(), Stored::No);
    assert!(requests(&server, "UploadPart") < 100);
    assert_eq!(server.open_uploads(), []);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_not_stored() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(8 * PART));
    let path = file.path().to_owned();
    let mut written = false;
    let error = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .progress(|sent, _| {
            if sent > PART && !written {
                // As long as before.
                let mut file = fs::File::options().write(true).open(&path).unwrap();
                file.write_all(b"changed").unwrap();
                file.set_modified(std::time::SystemTime::now() + Duration::from_secs(5))
                    .unwrap();
                written = true;
            }
        })
        .send(&path)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::BodyChanged, Stored::No)
    );
    assert_eq!(requests(&server, "CompleteMultipartUpload"), 0);
    assert_eq!(server.open_uploads(), []);
}

#[test]
fn a_203_ends_an_upload_in_parts_without_aborting_it() {
    let server = server().start().unwrap();
    let receiver = Receiver::start(|_| Answer::status(500)).unwrap();
    let checkpoint = CheckpointFile::new("203");
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let error = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .checkpoint(&checkpoint.0)
        .callback(&spec(&receiver.url("/")))
        .send(file.path())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::No)
    );
    assert_eq!(
        error.receipt().unwrap().crc64(),
        Some(server.stored()[0].crc64)
    );
    assert_eq!(requests(&server, "AbortMultipartUpload"), 0);
    assert_eq!(receiver.requests().len(), 1);
    assert!(checkpoint.beside().is_empty());
}

#[test]
fn a_refused_last_request_leaves_the_upload_open_and_says_so() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let path = file.path().to_owned();
    let mut put = false;
    let error = client
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .forbid_overwrite(true)
        .progress(|sent, _| {
            if sent > 0 && !put {
                client
                    .put_object(BUCKET, "o")
                    .send_bytes(b"earlier")
                    .unwrap();
                put = true;
            }
        })
        .send(&path)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Conflict, Stored::No)
    );
    // It was sent, so it is not aborted; but it can be.
    let id = error.upload_id().unwrap();
    assert_eq!(server.open_uploads()[0].upload_id, id);
    client
        .multipart_upload(BUCKET, "o", id)
        .abort()
        .send()
        .unwrap();
}

#[test]
fn a_cancellation_after_the_last_part_aborts_as_well() {
    let server = server().start().unwrap();
    let len = 3 * PART;
    let file = TemporaryFile::new("a", &contents(len));
    let cancellation = Cancellation::new();
    let error = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .cancellation(&cancellation)
        .progress(|sent, _| {
            if sent == len && requests(&server, "UploadPart") == 3 {
                cancellation.cancel();
            }
        })
        .send(file.path())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No)
    );
    assert_eq!(requests(&server, "CompleteMultipartUpload"), 0);
    aborted_or_named(&server, &error);
}

/// A caller who wants to end now gets that; the abort may not have been quick enough on a busy machine.
fn aborted_or_named(server: &Server, error: &oss_callback::Error) {
    match error.upload_id() {
        None => {
            assert_eq!(error.notes(), [""; 0]);
            assert_eq!(requests(server, "AbortMultipartUpload"), 1);
            assert_eq!(server.open_uploads(), []);
        }
        Some(id) => {
            let [note] = error.notes() else {
                panic!("{:?}", error.notes())
            };
            assert!(
                note.starts_with(&format!("upload {id} could not be aborted: ")),
                "{note}"
            );
        }
    }
}

#[test]
fn bad_arguments_are_named_before_anything_is_sent() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let small = TemporaryFile::new("small", b"1");
    let huge = TemporaryFile::sparse("huge", 10_001 * PART);
    let upload = || client.upload_file(BUCKET, "o");
    for (error, said) in [
        (
            upload().parallel(0).send(small.path()).unwrap_err(),
            "`parallel` 0 is not in 1 to 256",
        ),
        (
            upload().parallel(257).send(small.path()).unwrap_err(),
            "`parallel` 257",
        ),
        (
            upload().part_size(PART - 1).send(small.path()).unwrap_err(),
            "`part_size` 102399 is not in",
        ),
        (
            upload().part_size(PART).send(huge.path()).unwrap_err(),
            "`part_size` 102400 is too small",
        ),
        (
            upload().bandwidth(0).send(huge.path()).unwrap_err(),
            "`bandwidth` is zero",
        ),
        (
            upload().traffic_limit(1).send(small.path()).unwrap_err(),
            "`traffic_limit` 1",
        ),
        (
            client.upload_file("B", "o").send(small.path()).unwrap_err(),
            "`bucket` \"B\"",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().starts_with(said), "{error}");
    }
    let error = upload().send("/no/such/file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyUnreadable);
    let error = upload().send(std::env::temp_dir()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyUnreadable);
    assert_eq!(
        (server.multipart_requests(), server.stored()),
        (vec![], vec![])
    );
}
