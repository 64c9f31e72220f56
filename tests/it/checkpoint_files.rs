//! What stands at the name of a checkpoint and beside it: nothing of anybody else's is replaced, removed or aborted.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use local_oss::Server;
use oss_callback::{Error, ErrorKind, Receipt, Stored, UploadFile};
use support::{BUCKET, TemporaryFile, client, server};

use crate::resumed_upload::interrupted;
use crate::upload_file::{PART, contents};

/// A folder of its own that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("oss-callback-{}-{name}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| name(entry.unwrap()))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn upload<'a>(endpoint: &str, checkpoint: &Path) -> UploadFile<'a> {
    client(endpoint)
        .upload_file(BUCKET, "o")
        .part_size(PART)
        .parallel(1)
        .checkpoint(checkpoint)
}

fn notes_of(result: &Result<Receipt, Error>) -> &[String] {
    match result {
        Ok(receipt) => receipt.notes(),
        Err(error) => error.notes(),
    }
}

#[test]
fn a_file_that_only_looks_like_a_checkpoint_is_not_touched() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let folder = Folder::new("foreign");
    for text in [
        &b""[..],
        b"\n",
        b"\nprecious diary\n",
        b"7 of 9\n",
        b"123",
        b"20261125\n1;2;3\nprecious\n",
        b"18446744073709551615\n{\"format\":\"something\"}\n",
        &[0; 10_000],
        b"oss-callback checkpoint 1\nprecious\n",
        b"oss-callback checkpoint 2\nprecious\n",
        b"oss-callback checkpoint 2 and what I think of it\n",
        b"oss-callback checkpoint 2 0123456789abcdef and more\n{}\n",
        b" oss-callback checkpoint 2 0123456789abcdef\n{}\n",
        b"{\"format\":\"oss-callback checkpoint 1\"}\n",
    ] {
        let checkpoint = folder.path("cp");
        fs::write(&checkpoint, text).unwrap();
        let result = upload(server.endpoint(), &checkpoint).send(file.path());
        let said = String::from_utf8_lossy(&text[..text.len().min(40)]);
        let error = result.err().unwrap_or_else(|| panic!("{said:?} was taken"));
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::CheckpointFailed, Stored::No),
            "{said:?}: {error}"
        );
        assert_eq!(fs::read(&checkpoint).unwrap(), text);
        assert_eq!(folder.names(), ["cp"], "{said:?}");
    }
    assert_eq!(server.multipart_requests(), []);
}

#[cfg(unix)]
#[test]
fn a_link_or_a_folder_is_not_touched() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let folder = Folder::new("links");
    fs::write(folder.path("target"), b"precious").unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    std::os::unix::fs::symlink(folder.path("target"), folder.path("link")).unwrap();
    std::os::unix::fs::symlink(folder.path("nowhere"), folder.path("dangling")).unwrap();
    for name in ["link", "dangling", "folder"] {
        let checkpoint = folder.path(name);
        let before = fs::symlink_metadata(&checkpoint).unwrap().file_type();
        let result = upload(server.endpoint(), &checkpoint).send(file.path());
        let error = result.err().unwrap_or_else(|| panic!("{name} was taken"));
        assert_eq!(error.kind(), ErrorKind::CheckpointFailed, "{name}: {error}");
        let after = fs::symlink_metadata(&checkpoint).unwrap().file_type();
        assert_eq!(before, after, "{name}");
        assert_eq!(folder.names(), ["dangling", "folder", "link", "target"]);
    }
    assert_eq!(fs::read(folder.path("target")).unwrap(), b"precious");
}

#[test]
fn files_beside_a_checkpoint_are_not_touched() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(3 * PART));
    for (checkpoint, name) in [
        ("Cargo", "Cargo.lock"),
        ("cp", "cp.new"),
        ("cp", "cp.tmp"),
        ("cp", "cp.oss-callback-new"),
        ("cp", "cp.oss-callback-new2"),
    ] {
        let folder = Folder::new(name);
        for text in [&b"precious"[..], b"", b"123\n"] {
            fs::write(folder.path(name), text).unwrap();
            let result = upload(server.endpoint(), &folder.path(checkpoint)).send(file.path());
            assert_eq!(notes_of(&result), [""; 0], "{name}");
            result.unwrap();
            assert_eq!(fs::read(folder.path(name)).unwrap(), text, "{name}");
            assert_eq!(folder.names(), [name]);
        }
    }
}

#[test]
fn a_file_at_the_name_of_the_lock_is_not_touched() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let folder = Folder::new("lock");
    let lock = folder.path("cp.oss-callback-lock");
    fs::write(&lock, b"precious").unwrap();
    let error = upload(server.endpoint(), &folder.path("cp"))
        .send(file.path())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CheckpointFailed, "{error}");
    assert!(
        error.to_string().contains("cp.oss-callback-lock"),
        "{error}"
    );
    assert_eq!(fs::read(&lock).unwrap(), b"precious");
    // An empty one may be what a killed process left, and serves; but it may be somebody else's.
    fs::write(&lock, b"").unwrap();
    upload(server.endpoint(), &folder.path("cp"))
        .send(file.path())
        .unwrap();
    assert_eq!(folder.names(), ["cp.oss-callback-lock"]);
}

#[test]
fn a_name_of_the_librarys_own_is_no_checkpoint() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(3 * PART));
    let folder = Folder::new("own");
    for name in [
        "cp.oss-callback-lock",
        "cp.oss-callback-new",
        "cp.oss-callback-new12",
        "cp.oss-callback-damaged",
    ] {
        let error = upload(server.endpoint(), &folder.path(name))
            .send(file.path())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn what_a_killed_process_left_beside_a_checkpoint_is_removed() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(5 * PART));
    let folder = Folder::new("left");
    let checkpoint = folder.path("cp");
    interrupted(&server, file.path(), &checkpoint, 2);
    fs::copy(&checkpoint, folder.path("cp.oss-callback-new")).unwrap();
    upload(server.endpoint(), &checkpoint)
        .send(file.path())
        .unwrap();
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_file_that_takes_a_checkpoints_place_meanwhile_stays() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(5 * PART));
    let folder = Folder::new("meanwhile");
    let checkpoint = folder.path("cp");
    // Before the last part, so that the checkpoint is to be written again; and after everything.
    let result = upload(server.endpoint(), &checkpoint)
        .progress(|sent, _| {
            if sent > PART && !folder.path("cp").is_symlink() {
                let other = folder.path("other");
                if !other.exists() {
                    fs::write(&other, b"precious").unwrap();
                    fs::copy(&other, folder.path("third")).unwrap();
                    fs::rename(folder.path("third"), folder.path("cp")).unwrap();
                }
            }
        })
        .send(file.path());
    assert_eq!(fs::read(&checkpoint).unwrap(), b"precious");
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::CheckpointFailed, Stored::No)
    );
    assert_eq!(folder.names(), ["cp", "other"]);
}

#[test]
fn a_damaged_checkpoint_is_set_aside() {
    let server = server().start().unwrap();
    let contents = contents(5 * PART);
    let file = TemporaryFile::new("a", &contents);
    let folder = Folder::new("damaged");
    let checkpoint = folder.path("cp");
    for round in 1..=2 {
        interrupted(&server, file.path(), &checkpoint, 2);
        let mut text = fs::read_to_string(&checkpoint).unwrap();
        text.push_str("precious\n");
        fs::write(&checkpoint, &text).unwrap();
        let receipt = upload(server.endpoint(), &checkpoint)
            .send(file.path())
            .unwrap();
        let aside = match round {
            1 => "cp.oss-callback-damaged",
            _ => "cp.oss-callback-damaged2",
        };
        let [note] = receipt.notes() else {
            panic!("{:?}", receipt.notes())
        };
        assert!(
            note.starts_with("the checkpoint was damaged (") && note.contains(aside),
            "{note}"
        );
        assert_eq!(fs::read_to_string(folder.path(aside)).unwrap(), text);
        assert!(!checkpoint.exists());
        assert!(server.object(BUCKET, "o").unwrap() == contents);
    }
}

/// Changes a checkpoint as somebody does who knows its format.
fn edit(server: &Server, checkpoint: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(checkpoint).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    let second = change(second.trim_end().to_owned());
    let stored = client(server.endpoint())
        .put_object(BUCKET, "to-know-its-crc64")
        .send_bytes(&second)
        .unwrap();
    let crc64 = stored.crc64().unwrap();
    let first = match first.rsplit_once(' ') {
        Some((before, _)) => format!("{before} {crc64:016x}"),
        None => crc64.to_string(),
    };
    fs::write(checkpoint, format!("{first}\n{second}\n")).unwrap();
}

#[test]
fn an_edited_checkpoint_aborts_no_upload_of_somebody_else() {
    let server = server().bucket("otherbucket").start().unwrap();
    let contents = contents(5 * PART);
    let file = TemporaryFile::new("a", &contents);
    let folder = Folder::new("edited");
    let begin = |bucket: &str, object: &str, has_part: bool| {
        let client = client(server.endpoint());
        let upload = client
            .initiate_multipart_upload(bucket, object)
            .send()
            .unwrap();
        if has_part {
            upload.upload_part(1).send_bytes(b"victim").unwrap();
        }
        upload.upload_id().to_owned()
    };
    for (bucket, object, has_part, and_smaller) in [
        ("otherbucket", "o", true, false),
        (BUCKET, "victim", true, false),
        // Of the same object, but its parts are not those that were noted.
        (BUCKET, "o", true, false),
        (BUCKET, "o", false, false),
        (BUCKET, "o", true, true),
        (BUCKET, "victim", true, true),
    ] {
        let checkpoint = folder.path("cp");
        fs::write(file.path(), &contents).unwrap();
        interrupted(&server, file.path(), &checkpoint, 2);
        let ours = server.open_uploads()[0].upload_id.clone();
        let victim = begin(bucket, object, has_part);
        edit(&server, &checkpoint, |text| {
            text.replace(&ours, &victim)
                .replace(
                    &format!("\"bucket\":\"{BUCKET}\""),
                    &format!("\"bucket\":\"{bucket}\""),
                )
                .replace("\"object\":\"o\"", &format!("\"object\":\"{object}\""))
        });
        let now = if and_smaller {
            &b"small"[..]
        } else {
            &contents[1..]
        };
        fs::write(file.path(), now).unwrap();
        let receipt = upload(server.endpoint(), &checkpoint)
            .send(file.path())
            .unwrap();
        assert!(server.object(BUCKET, "o").unwrap() == now);
        let open = server.open_uploads();
        let told = format!("{bucket}/{object} {has_part}: {:?}", receipt.notes());
        assert!(open.iter().any(|open| open.upload_id == victim), "{told}");
        assert!(
            receipt.notes().iter().any(|note| note.contains(&victim)),
            "{told}"
        );
        for left in open {
            let upload = client(server.endpoint()).multipart_upload(
                &left.bucket,
                &left.key,
                &left.upload_id,
            );
            upload.abort().send().unwrap();
        }
    }
}

/// What the process with a full disk finds in its environment.
const ENDPOINT: &str = "OSS_CALLBACK_TEST_ENDPOINT";
const FILE: &str = "OSS_CALLBACK_TEST_FILE";
const CHECKPOINT: &str = "OSS_CALLBACK_TEST_CHECKPOINT";

/// Not a test of its own: the process whose files cannot grow.
#[test]
fn uploads_for_the_test_with_a_full_disk() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let checkpoint = PathBuf::from(env::var(CHECKPOINT).unwrap());
    let error = upload(&endpoint, &checkpoint)
        .send(env::var(FILE).unwrap())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::CheckpointFailed, Stored::No),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_beside_a_checkpoint() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("a", &contents(40 * PART));
    // Nothing can be written; the checkpoint cannot be begun; it cannot grow.
    for blocks in ["0", "1", "2"] {
        let folder = Folder::new(&format!("full-{blocks}"));
        // A write beyond the limit is an error then, as on a full disk.
        let program = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let status = Command::new("sh")
            .args(["-c", &program, "sh"])
            .arg(env::current_exe().unwrap())
            .args([
                "--exact",
                "checkpoint_files::uploads_for_the_test_with_a_full_disk",
            ])
            .env(ENDPOINT, server.endpoint())
            .env(FILE, file.path())
            .env(CHECKPOINT, folder.path("cp"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&status.stdout);
        assert!(status.status.success(), "{blocks}: {said}");
        assert!(said.contains("1 passed"), "{said}");
        let names = folder.names();
        // What was written before stays: the next call resumes there.
        assert!(names.iter().all(|name| name == "cp"), "{blocks}: {names:?}");
        let whole = |text: String| text.ends_with("}\n");
        assert!(names.is_empty() || whole(fs::read_to_string(folder.path("cp")).unwrap()));
    }
    assert_eq!(server.stored(), []);
}

/// As a tool does that keeps a file's times.
fn replace_contents(path: &Path, contents: &[u8]) {
    let modified: SystemTime = fs::metadata(path).unwrap().modified().unwrap();
    fs::write(path, contents).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
}

#[cfg(unix)]
#[test]
fn other_contents_with_the_same_size_and_time_do_not_mix() {
    let server = server().start().unwrap();
    let mut contents = contents(5 * PART);
    let file = TemporaryFile::new("a", &contents);
    let folder = Folder::new("same-time");
    let checkpoint = folder.path("cp");
    interrupted(&server, file.path(), &checkpoint, 2);
    // In the first part, which OSS has, and where no sample is taken.
    contents[20_000] ^= 1;
    replace_contents(file.path(), &contents);
    let before = server.multipart_requests().len();
    upload(server.endpoint(), &checkpoint)
        .send(file.path())
        .unwrap();
    assert!(server.object(BUCKET, "o").unwrap() == contents);
    let after = server.multipart_requests().split_off(before);
    let sent = |number| {
        after
            .iter()
            .filter(|request| request.is_part(number))
            .count()
    };
    assert_eq!(
        (sent(1), sent(2)),
        (1, 0),
        "only what differs is sent again"
    );
}

#[cfg(unix)]
#[test]
fn parts_are_verified_on_request_whatever_the_times_say() {
    use std::os::unix::fs::MetadataExt;
    let server = server().start().unwrap();
    let old = contents(5 * PART);
    let mut new = old.clone();
    new[20_000] ^= 1;
    let folder = Folder::new("verify");
    let checkpoint = folder.path("cp");
    for verify in [false, true] {
        let file = TemporaryFile::new("a", &old);
        let ctime = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            let (s, ns) = (metadata.ctime(), metadata.ctime_nsec());
            format!("\"changed\":{}", s * 1_000_000_000 + ns)
        };
        let before = ctime(file.path());
        interrupted(&server, file.path(), &checkpoint, 2);
        replace_contents(file.path(), &new);
        // As if the system did not tell.
        let after = ctime(file.path());
        edit(&server, &checkpoint, |text| {
            assert!(text.contains(&before), "{text}");
            text.replace(&before, &after)
        });
        upload(server.endpoint(), &checkpoint)
            .verify_parts(verify)
            .send(file.path())
            .unwrap();
        let stored = server.object(BUCKET, "o").unwrap();
        assert_eq!(stored == new, verify);
    }
}
