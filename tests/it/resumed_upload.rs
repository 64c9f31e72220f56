//! UploadFile again after it was interrupted: what a checkpoint saves, and what it must not be trusted with.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use local_oss::{Answer, Receiver, Server};
use oss_callback::{Answered, Cancellation, ErrorKind, RetryPolicy, Stored};
use support::faults::FaultyNetwork;
use support::{BUCKET, TemporaryFile, agreeing_receiver, client, client_builder, server, spec};

use crate::upload_file::{CheckpointFile, LOST_ANSWER, PART, contents, requests};

/// Uploads until so many parts are there and noted, and then no further.
pub(crate) fn interrupted(
    server: &Server,
    file: &Path,
    checkpoint: &Path,
    parts: u64,
) -> oss_callback::Error {
    let cancellation = Cancellation::new();
    let result = client(server.endpoint())
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(1)
        .checkpoint(checkpoint)
        .cancellation(&cancellation)
        .progress(|sent, _| {
            // One more is on its way.
            if sent > parts * PART {
                cancellation.cancel();
            }
        })
        .send(file);
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
    let error = interrupted(&server, file.path(), &checkpoint.0, 4);
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
    interrupted(&server, file.path(), &checkpoint.0, 2);
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
        interrupted(&server, file.path(), &checkpoint.0, 2);
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
    interrupted(&server, file.path(), &checkpoint.0, 2);
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
    interrupted(&server, file.path(), &checkpoint.0, 2);
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
    interrupted(&server, file.path(), &checkpoint.0, 2);
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
    interrupted(&server, file.path(), &checkpoint.0, 1);
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
    interrupted(&server, file.path(), &checkpoint.0, 2);
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
