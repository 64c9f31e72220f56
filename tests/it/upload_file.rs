//! UploadFile: files in one request and in parallel parts, through real sockets.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Answered, Cancellation, ErrorKind, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{
    BUCKET, RawServer, TemporaryFile, agreeing_receiver, client, client_builder, server, spec,
};

const PART: u64 = 102_400;

const LOST_ANSWER: Fault = Fault {
    direction: Direction::Answer,
    at: 0,
    action: Action::Cut,
};

/// Different in each part, and in each block of it.
fn contents(len: u64) -> Vec<u8> {
    (0..len).map(|i| (i * i % 251) as u8).collect()
}

fn requests(server: &Server, operation: &str) -> usize {
    let requests = server.multipart_requests();
    requests
        .iter()
        .filter(|request| request.operation == operation)
        .count()
}

/// The name of a checkpoint that goes away with the test, and everything beside it.
struct CheckpointFile(PathBuf);

impl CheckpointFile {
    fn new(name: &str) -> CheckpointFile {
        let file = format!("oss-callback-{}-{name}.checkpoint", std::process::id());
        CheckpointFile(std::env::temp_dir().join(file))
    }

    fn beside(&self) -> Vec<PathBuf> {
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

/// Uploads until so many parts are there and noted, and then no further.
fn interrupted(
    server: &Server,
    file: &TemporaryFile,
    checkpoint: &CheckpointFile,
    parts: u64,
) -> oss_callback::Error {
    let cancellation = Cancellation::new();
    let result = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(1)
        .checkpoint(&checkpoint.0)
        .cancellation(&cancellation)
        .progress(|sent, _| {
            // One more is on its way.
            if sent > parts * PART {
                cancellation.cancel();
            }
        })
        .send(file.path());
    assert!(server.wait_until_idle(Duration::from_secs(30)));
    result.unwrap_err()
}

fn resumed(
    server: &Server,
    file: &TemporaryFile,
    checkpoint: &CheckpointFile,
) -> oss_callback::Receipt {
    client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(1)
        .checkpoint(&checkpoint.0)
        .send(file.path())
        .unwrap()
}

#[test]
fn an_interrupted_upload_goes_on_where_it_was() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("resume");
    let contents = contents(10 * PART);
    let file = TemporaryFile::new("a", &contents);
    let error = interrupted(&server, &file, &checkpoint, 4);
    assert_eq!(
        error.upload_id(),
        Some(server.open_uploads()[0].upload_id.as_str())
    );
    assert_eq!(checkpoint.beside(), std::slice::from_ref(&checkpoint.0));
    let mut first = None;
    let receipt = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(3)
        .checkpoint(&checkpoint.0)
        .progress(|sent, _| _ = first.get_or_insert(sent))
        .send(file.path())
        .unwrap();
    assert!(first.unwrap() >= 4 * PART, "{first:?}");
    assert_eq!(receipt.notes(), [""; 0]);
    assert!(server.object(BUCKET, "o").unwrap() == contents);
    assert_eq!(requests(&server, "InitiateMultipartUpload"), 1);
    let mut seen = HashSet::new();
    for request in server.multipart_requests() {
        if request.operation == "UploadPart" && request.status == 200 {
            assert!(seen.insert(request.part_number), "{request:?} came twice");
        }
    }
    assert!(checkpoint.beside().is_empty());
}

#[test]
fn parts_that_were_not_noted_are_compared_and_not_sent() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("unnoted");
    let contents = contents(10 * PART);
    let file = TemporaryFile::new("a", &contents);
    interrupted(&server, &file, &checkpoint, 2);
    // Two more arrive behind the checkpoint's back: one as it should be, one not.
    let open = &server.open_uploads()[0];
    let upload = client(server.endpoint()).multipart_upload(BUCKET, "o", &open.upload_id);
    let (offset, len) = (7 * PART as usize, PART as usize);
    upload
        .upload_part(8)
        .send_bytes(&contents[offset..offset + len])
        .unwrap();
    upload.upload_part(9).send_bytes(vec![0; len]).unwrap();
    // And one that is noted is replaced.
    upload.upload_part(1).send_bytes(vec![0; len]).unwrap();
    let before = server.multipart_requests().len();
    resumed(&server, &file, &checkpoint);
    assert!(server.object(BUCKET, "o").unwrap() == contents);
    let after = server.multipart_requests().split_off(before);
    let sent = |number| {
        after
            .iter()
            .filter(|request| request.is_part(number))
            .count()
    };
    assert_eq!((sent(1), sent(8), sent(9)), (1, 0, 1));
}

#[test]
fn a_changed_file_starts_over() {
    for change in ["size", "time", "contents"] {
        let server = server().start().unwrap();
        let checkpoint = CheckpointFile::new(change);
        let mut contents = contents(5 * PART);
        let file = TemporaryFile::new("a", &contents);
        interrupted(&server, &file, &checkpoint, 2);
        let modified = fs::metadata(file.path()).unwrap().modified().unwrap();
        let mut time = modified;
        match change {
            "size" => contents.push(1),
            "time" => time += Duration::from_secs(1),
            _ => contents[10] ^= 1,
        }
        fs::write(file.path(), &contents).unwrap();
        let opened = fs::File::options().write(true).open(file.path()).unwrap();
        opened.set_modified(time).unwrap();
        let receipt = resumed(&server, &file, &checkpoint);
        assert!(server.object(BUCKET, "o").unwrap() == contents, "{change}");
        assert_eq!(receipt.notes().len(), 1, "{change}");
        let note = &receipt.notes()[0];
        assert!(
            note.starts_with("the checkpoint was of another upload (other "),
            "{note}"
        );
        assert_eq!(requests(&server, "InitiateMultipartUpload"), 2);
        assert_eq!(server.open_uploads(), [], "the old one is aborted");
    }
}

#[test]
fn a_checkpoint_of_another_upload_starts_over() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("other");
    let contents = contents(5 * PART);
    let file = TemporaryFile::new("a", &contents);
    interrupted(&server, &file, &checkpoint, 2);
    let receipt = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .content_type("text/plain")
        .checkpoint(&checkpoint.0)
        .send(file.path())
        .unwrap();
    assert_eq!(
        receipt.notes(),
        ["the checkpoint was of another upload (other headers): the upload started over"]
    );
    assert_eq!(server.stored()[0].content_type, "text/plain");
}

#[test]
fn a_file_that_is_no_checkpoint_is_not_touched() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(2 * PART));
    let precious = TemporaryFile::new("thesis.tex", b"\\documentclass{book}");
    for (checkpoint, kind) in [
        (file.path(), ErrorKind::InvalidArgument),
        (precious.path(), ErrorKind::CheckpointFailed),
    ] {
        let upload = client(server.endpoint())
            .upload_file(BUCKET, "o")
            .part_size(PART);
        let error = upload.checkpoint(checkpoint).send(file.path()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (kind, Stored::No),
            "{error}"
        );
    }
    assert!(fs::read(file.path()).unwrap() == contents(2 * PART));
    assert_eq!(fs::read(precious.path()).unwrap(), b"\\documentclass{book}");
    assert_eq!(server.multipart_requests(), []);
}

#[test]
fn nobody_else_reads_a_checkpoint() {
    use std::os::unix::fs::PermissionsExt;
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("private");
    let file = TemporaryFile::new("a", &contents(5 * PART));
    interrupted(&server, &file, &checkpoint, 2);
    let mode = fs::metadata(&checkpoint.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&checkpoint.0).unwrap();
    assert!(!text.contains(support::KEY_SECRET) && !text.contains(support::KEY_ID));
}

#[test]
fn a_file_that_became_small_settles_its_checkpoint() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("small");
    let file = TemporaryFile::new("a", &contents(5 * PART));
    interrupted(&server, &file, &checkpoint, 2);
    fs::write(file.path(), b"small").unwrap();
    let receipt = resumed(&server, &file, &checkpoint);
    assert_eq!(server.object(BUCKET, "o").unwrap(), b"small");
    assert_eq!(
        receipt.notes(),
        ["the checkpoint was of another upload: this file goes in one request"]
    );
    assert_eq!(server.open_uploads(), []);
    assert!(checkpoint.beside().is_empty());
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
fn a_signer_that_panics_ends_the_upload_at_once() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(60 * PART));
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let calls = std::sync::Arc::new(calls);
    let counter = calls.clone();
    let panics = move |_: &oss_callback::StringToSign<'_>| {
        let call = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert!(call != 0, "the key ring is gone");
        Err("no key".into())
    };
    // The upload is begun by somebody who can.
    let checkpoint = CheckpointFile::new("panic");
    interrupted(&server, &file, &checkpoint, 1);
    let credentials = oss_callback::Credentials::remote(support::KEY_ID, panics);
    let client = client_builder(server.endpoint())
        .credentials(credentials)
        .build()
        .unwrap();
    let upload = std::panic::AssertUnwindSafe(|| {
        client
            .upload_file(BUCKET, "o")
            .part_size(PART)
            .checkpoint(&checkpoint.0)
            .send(file.path())
    });
    assert!(std::panic::catch_unwind(upload).is_err());
    assert!(calls.load(std::sync::atomic::Ordering::SeqCst) < 10);
    assert_eq!(
        checkpoint.beside(),
        std::slice::from_ref(&checkpoint.0),
        "no lock is left"
    );
}

#[test]
fn a_completed_upload_that_cannot_be_asked_for_is_unknown_to_the_end() {
    let checkpoint = CheckpointFile::new("unasked");
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let (server, receiver) = (server().start().unwrap(), agreeing_receiver());
    let through = |address| {
        client_builder("http://oss.test")
            .path_style(true)
            .resolve("oss.test", [address])
            .retry_policy(RetryPolicy::none())
            .build()
            .unwrap()
    };
    let spec = spec(&receiver.url("/"));
    let upload = |address| {
        let upload = through(address)
            .upload_file(BUCKET, "o")
            .part_size(PART)
            .checkpoint(&checkpoint.0);
        upload.callback(&spec).send(file.path()).unwrap_err()
    };
    // Stopped when everything was sent but the last request, which may have left.
    let network = FaultyNetwork::start(server.address(), LOST_ANSWER, 0);
    let address = network.address();
    let network = Mutex::new(Some(network));
    let cutting = Receiver::start(move |_| {
        drop(network.lock().unwrap().take());
        Answer::json("{}")
    });
    let cutting = cutting.unwrap();
    let cut = support::spec(&cutting.url("/"));
    let first = through(address)
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .checkpoint(&checkpoint.0);
    let error = first.callback(&cut).send(file.path()).unwrap_err();
    assert_eq!(error.stored(), Stored::Unknown);
    // Now nobody answers.
    let refused = local_oss::RefusedAddress::new().unwrap();
    let error = upload(refused.address());
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown),
        "{error}"
    );
    assert!(error.upload_id().is_some());
    assert!(!checkpoint.beside().is_empty());
}

#[test]
fn an_upload_that_oss_does_not_know_any_more_starts_over() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("expired");
    let file = TemporaryFile::new("a", &contents(5 * PART));
    interrupted(&server, &file, &checkpoint, 2);
    let id = server.open_uploads()[0].upload_id.clone();
    client(server.endpoint())
        .multipart_upload(BUCKET, "o", &id)
        .abort()
        .send()
        .unwrap();
    let receipt = resumed(&server, &file, &checkpoint);
    assert!(
        receipt.notes()[0].contains("does not know the upload"),
        "{:?}",
        receipt.notes()
    );
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn two_uploads_do_not_share_a_checkpoint() {
    let server = server().start().unwrap();
    let checkpoint = CheckpointFile::new("shared");
    let file = TemporaryFile::new("a", &contents(5 * PART));
    let second = Mutex::new(None);
    client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .checkpoint(&checkpoint.0)
        .progress(|_, _| {
            let other = client(server.endpoint())
                .upload_file(BUCKET, "o")
                .part_size(PART);
            let result = other.checkpoint(&checkpoint.0).send(file.path());
            second.lock().unwrap().get_or_insert(result);
        })
        .send(file.path())
        .unwrap();
    let error = second.into_inner().unwrap().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::CheckpointInUse, Stored::No)
    );
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_an_error_before_anything_is_sent() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(2 * PART));
    let folder = std::env::temp_dir();
    for checkpoint in [folder.join("no/such/folder/checkpoint"), folder] {
        let error = client(server.endpoint())
            .upload_file(BUCKET, "o")
            .part_size(PART)
            .checkpoint(&checkpoint)
            .send(file.path())
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::CheckpointFailed, Stored::No)
        );
        assert_eq!(server.multipart_requests(), []);
    }
}

#[test]
fn the_last_answer_may_be_lost_and_the_next_run_knows() {
    let server = server().start().unwrap();
    let no_fault = LOST_ANSWER;
    let network = FaultyNetwork::start(server.address(), no_fault, 0);
    // One name for both ways, since another endpoint is another upload.
    let through = |address| {
        client_builder("http://oss.test")
            .path_style(true)
            .resolve("oss.test", [address])
            .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
            .build()
            .unwrap()
    };
    let (faulty, direct) = (through(network.address()), through(server.address()));
    // The network goes away while the application server is being called.
    let network = Mutex::new(Some(network));
    let receiver = Receiver::start(move |_| {
        drop(network.lock().unwrap().take());
        Answer::json("{}")
    })
    .unwrap();
    let spec = spec(&receiver.url("/"));
    let checkpoint = CheckpointFile::new("lost");
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let upload = |client: &oss_callback::Client| {
        let upload = client
            .upload_file(BUCKET, "o")
            .part_size(PART)
            .checkpoint(&checkpoint.0);
        upload.callback(&spec).send(file.path()).unwrap_err()
    };
    let error = upload(&faulty);
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Unknown, Answered::Unknown),
        "{error}"
    );
    assert_eq!(server.wait_for_stored(1, Duration::from_secs(5)).len(), 1);
    assert_eq!(checkpoint.beside(), std::slice::from_ref(&checkpoint.0));
    assert!(error.upload_id().is_some());

    let error = upload(&direct);
    assert_eq!(
        (error.kind(), error.oss_code()),
        (ErrorKind::NotFound, Some("NoSuchUpload"))
    );
    assert_eq!(
        (error.stored(), error.answered()),
        (Stored::Yes, Answered::Unknown),
        "{error}"
    );
    assert_eq!(
        error.receipt().unwrap().etag(),
        Some(server.stored()[0].etag.as_str())
    );
    assert_eq!((error.upload_id(), receiver.requests().len()), (None, 1));
    assert_eq!(requests(&server, "UploadPart"), 3);
    assert!(checkpoint.beside().is_empty());
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
