//! Files that change while they are sent: nothing is stored, or what the file held when it was opened.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use local_oss::Server;
use oss_callback::{Client, Credentials, Error, ErrorKind, PresignOptions, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, TemporaryFile, client, client_builder, server};

const LEN: u64 = 1024 * 1024;
const PART: u64 = 102_400;

fn contents(byte: u8) -> Vec<u8> {
    vec![byte; LEN as usize]
}

fn open(path: &Path) -> File {
    File::options().write(true).open(path).unwrap()
}

/// What may happen to a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    /// Other contents of the same length.
    Rewritten,
    /// One byte of what was read already.
    OneByte,
    /// Other contents, and the time of the last change as before.
    TimeSetBack,
    Truncated,
    Grown,
}

const CHANGES: [Change; 5] = [
    Change::Rewritten,
    Change::OneByte,
    Change::TimeSetBack,
    Change::Truncated,
    Change::Grown,
];

impl Change {
    fn happen(self, path: &Path) {
        let mut file = open(path);
        let modified: SystemTime = file.metadata().unwrap().modified().unwrap();
        match self {
            Change::Rewritten => file.write_all(&contents(b'n')).unwrap(),
            Change::OneByte => file.write_all(b"n").unwrap(),
            Change::TimeSetBack => {
                file.write_all(&contents(b'n')).unwrap();
                file.set_modified(modified).unwrap();
            }
            Change::Truncated => file.set_len(LEN - 1).unwrap(),
            Change::Grown => {
                file.seek(SeekFrom::End(0)).unwrap();
                file.write_all(b"more").unwrap();
            }
        }
    }
}

/// Bytes per second: what has left is known before the next block is read, whatever else the machine does.
const SLOWLY: u64 = 4 * LEN;

/// Calls `change` once, when half of the file has left.
fn half_way<'a>(change: impl Fn() + 'a) -> impl FnMut(u64, Option<u64>) + 'a {
    let done = Cell::new(false);
    move |sent, _| {
        if sent >= LEN / 2 && !done.replace(true) {
            change();
        }
    }
}

/// A way in which a file is sent in one request.
type Way = fn(&Client, &Server, &Path, &dyn Fn()) -> Result<(), Error>;

fn ways() -> [(&'static str, Way); 5] {
    [
        ("send_file", |client, _, path, change| {
            let put = client
                .put_object(BUCKET, "o")
                .bandwidth(SLOWLY)
                .progress(half_way(change));
            put.send_file(path).map(drop)
        }),
        ("send_file_range", |client, _, path, change| {
            let put = client
                .put_object(BUCKET, "o")
                .bandwidth(SLOWLY)
                .progress(half_way(change));
            put.send_file_range(path, 1, LEN - 2).map(drop)
        }),
        ("upload_file", |client, _, path, change| {
            let upload = client
                .upload_file(BUCKET, "o")
                .bandwidth(SLOWLY)
                .progress(half_way(change));
            upload.send(path).map(drop)
        }),
        ("post_object", |client, _, path, change| {
            let policy = client.post_policy(BUCKET).key("o");
            let form = policy.expires_in(Duration::from_secs(60)).sign()?;
            let post = client
                .post_object(&form)
                .bandwidth(SLOWLY)
                .progress(half_way(change));
            post.send_file(path).map(drop)
        }),
        ("upload_part", |client, _, path, change| {
            let upload = client.initiate_multipart_upload(BUCKET, "o").send()?;
            let part = upload
                .upload_part(1)
                .bandwidth(SLOWLY)
                .progress(half_way(change));
            part.send_file_range(path, 0, LEN).map(drop)
        }),
    ]
}

#[test]
fn a_file_that_changes_while_it_is_sent_in_one_request_is_not_stored() {
    for (name, way) in ways() {
        for change in CHANGES {
            if !cfg!(unix) && change == Change::TimeSetBack {
                continue;
            }
            let server = server().start().unwrap();
            let file = TemporaryFile::new("a", &contents(b'o'));
            let path = file.path();
            let client = client(server.endpoint());
            let error = way(&client, &server, path, &|| change.happen(path)).err();
            let error = error.unwrap_or_else(|| panic!("{name} was told nothing of {change:?}"));
            assert_eq!(
                (error.kind(), error.stored()),
                (ErrorKind::BodyChanged, Stored::No),
                "{name}, {change:?}: {error}"
            );
            assert_eq!(server.stored(), [], "{name}, {change:?}");
            let parts = server.multipart_requests();
            assert!(
                !parts
                    .iter()
                    .any(|request| request.is_part(1) && request.status == 200)
            );
        }
    }
}

/// Something that happens to a file.
#[cfg(unix)]
type Happens = fn(&Path);

#[cfg(unix)]
#[test]
fn a_file_whose_name_or_mode_changes_is_stored_as_it_was_opened() {
    use std::os::unix::fs::PermissionsExt;

    let changes: [(&str, Happens); 4] = [
        ("replaced", |path| {
            let other = path.with_extension("other");
            fs::write(&other, contents(b'n')).unwrap();
            fs::rename(other, path).unwrap();
        }),
        ("moved away", |path| {
            fs::rename(path, path.with_extension("old")).unwrap();
            fs::rename(path.with_extension("old"), path).unwrap();
        }),
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("mode", |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
    ];
    for (name, way) in ways() {
        for (change, happen) in changes {
            let server = server().start().unwrap();
            let file = TemporaryFile::new("a", &contents(b'o'));
            let path = file.path();
            let client = client(server.endpoint());
            let result = way(&client, &server, path, &|| happen(path));
            result.unwrap_or_else(|error| panic!("{name}, {change}: {error}"));
            if name != "upload_part" {
                let stored = server.object(BUCKET, "o").unwrap();
                assert!(stored.iter().all(|byte| *byte == b'o'), "{name}, {change}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_in_parts_whose_time_is_set_back_is_not_stored_and_one_that_is_moved_is() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(b'o'));
    let path = file.path();
    let upload = |change: &dyn Fn()| {
        let upload = client(server.endpoint()).upload_file(BUCKET, "o");
        let upload = upload.part_size(PART).parallel(2);
        upload
            .bandwidth(SLOWLY)
            .progress(half_way(change))
            .send(path)
    };
    let error = upload(&|| Change::TimeSetBack.happen(path)).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::BodyChanged, Stored::No)
    );
    assert_eq!((server.stored(), server.open_uploads()), (vec![], vec![]));

    fs::write(path, contents(b'o')).unwrap();
    let moved = path.with_extension("old");
    upload(&|| fs::rename(path, &moved).unwrap()).unwrap();
    fs::rename(&moved, path).unwrap();
    assert!(server.object(BUCKET, "o").unwrap() == contents(b'o'));
}

#[test]
fn a_file_of_one_write_that_changes_before_it_is_read_is_not_stored() {
    for change in [&b"other"[..], b"oth", b"other!"] {
        let server = server().start().unwrap();
        let file = TemporaryFile::new("a", b"older");
        let path = file.path().to_owned();
        // Credentials are asked for when the file has been opened, and before it is read.
        let changes = Arc::new(AtomicUsize::new(0));
        let counter = changes.clone();
        let provider = move || {
            if counter.fetch_add(1, Ordering::SeqCst) == 0 {
                let mut file = open(&path);
                file.set_len(change.len() as u64).unwrap();
                file.write_all(change).unwrap();
                // Whatever the clock of the file system shows.
                let later = SystemTime::now() + Duration::from_secs(5);
                file.set_modified(later).unwrap();
            }
            Ok(Credentials::new(support::KEY_ID, support::KEY_SECRET))
        };
        let client = client_builder(server.endpoint())
            .credentials(Credentials::provider(provider))
            .build()
            .unwrap();
        let error = client
            .put_object(BUCKET, "o")
            .send_file(file.path())
            .err()
            .unwrap_or_else(|| panic!("{change:?} was stored"));
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::BodyChanged, Stored::No)
        );
        assert_eq!(
            (changes.load(Ordering::SeqCst), server.stored()),
            (1, vec![])
        );
    }
}

#[test]
fn a_file_that_changes_between_two_attempts_is_not_stored() {
    let server = server().start().unwrap();
    let fault = Fault {
        direction: Direction::Request,
        at: LEN / 2,
        action: Action::Cut,
    };
    let network = FaultyNetwork::start(server.address(), fault, 1);
    // More than buffers hold, so that the first attempt cannot have arrived.
    let file = TemporaryFile::sparse("a", 32 * LEN);
    let path = file.path();
    let client = client_builder(&format!("http://{}", network.address()))
        .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap();
    let mut before = 0;
    let error = client
        .put_object(BUCKET, "o")
        .progress(|sent, _| {
            if sent < before {
                Change::Rewritten.happen(path);
            }
            before = sent;
        })
        .send_file(path)
        .unwrap_err();
    assert_eq!(error.attempts(), 2, "{error}");
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::BodyChanged, Stored::No)
    );
    assert_eq!(server.stored(), []);
}

#[test]
fn a_file_that_was_written_just_before_is_watched_as_well() {
    // Its time of change is that of the moment: a file system has no finer clock than a few milliseconds.
    for _ in 0..20 {
        let server = server().start().unwrap();
        let file = TemporaryFile::new("a", &contents(b'o'));
        let path = file.path();
        let client = client(server.endpoint());
        fs::write(path, contents(b'o')).unwrap();
        let put = client.put_object(BUCKET, "o");
        let error = put
            .bandwidth(SLOWLY)
            .progress(half_way(|| Change::Rewritten.happen(path)))
            .send_file(path)
            .err();
        assert_eq!(error.unwrap().kind(), ErrorKind::BodyChanged);
    }
}

#[test]
fn presigned_urls_and_forms_watch_their_files_as_well() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(b'o'));
    let path = file.path();
    let client = client(server.endpoint());
    let options = PresignOptions::expires_in(Duration::from_secs(60));
    let url = client.put_object(BUCKET, "o").presign(&options).unwrap();
    let put = client.put_object_with_url(&url);
    let error = put
        .bandwidth(SLOWLY)
        .progress(half_way(|| Change::Rewritten.happen(path)))
        .send_file(path)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyChanged);
    assert_eq!(server.stored(), []);
}
