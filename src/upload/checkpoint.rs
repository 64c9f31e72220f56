//! What an upload in parts leaves behind, so that the next process can go on with it.
//!
//! A file of two lines: the CRC-64 of the second, in decimal, and a JSON object. It is replaced as a whole, so
//! that there is a whole one at any moment, and locked through a second file beside it, since a lock on a file
//! that is replaced locks nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::file::{FileIdentity, is_same};
use crate::crc64::Crc64;
use crate::error::{Error, Result};
use crate::multipart::{Part, is_upload_id};
use crate::request::Request;
use crate::sorted::sorted_by;
use crate::verdict::ErrorKind;

const FORMAT: &str = "oss-callback checkpoint 1";
/// Well above 10,000 parts.
const MAX_LEN: u64 = 16 * 1024 * 1024;
/// Writing takes no more than this share of the time; parts that are not noted because of it are found by
/// their CRC-64.
const SHARE: u32 = 10;

/// What an upload must have in common with a checkpoint to go on with it.
pub(super) struct Identity<'a> {
    pub(super) endpoint: String,
    pub(super) file: FileIdentity,
    /// The request that begins the upload, with the object's headers.
    pub(super) request: &'a Request,
    pub(super) part_size: u64,
}

impl Identity<'_> {
    fn to_value(&self) -> Value {
        let headers = self
            .request
            .headers
            .iter()
            .map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase()));
        let headers = sorted_by(headers, Ord::cmp);
        json!({
            "endpoint": self.endpoint,
            "bucket": self.request.bucket,
            "object": self.request.key,
            // They may say things that are nobody else's business.
            "headers": crc64_of(headers.join("\n").as_bytes()).to_string(),
            "size": self.file.size,
            "modified": self.file.modified,
            "sample": self.file.sample.to_string(),
            "part_size": self.part_size,
        })
    }
}

/// What a checkpoint held when it was opened.
#[derive(Debug, Default)]
pub(super) enum Found {
    #[default]
    Nothing,
    /// It cannot be trusted.
    Damaged(String),
    /// It is whole, but of another upload.
    Other {
        why: String,
        upload: OldUpload,
    },
    Ours(State),
}

/// An upload that does not go on.
#[derive(Debug)]
pub(super) struct OldUpload {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) id: String,
    /// It is at this endpoint, and was not about to be completed.
    pub(super) ours_to_abort: bool,
}

/// How far an upload got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) upload_id: String,
    pub(super) parts: Vec<Part>,
    /// The last request is about to be sent, or was.
    pub(super) completing: bool,
}

/// A checkpoint file that is in nobody else's use.
pub(super) struct Checkpoint {
    path: PathBuf,
    identity: Value,
    state: State,
    found: Found,
    /// Parts were added since it was written.
    dirty: bool,
    /// When it may be written again.
    next: Instant,
    _lock: Lock,
}

impl Checkpoint {
    pub(super) fn open(path: PathBuf, identity: Identity<'_>) -> Result<Checkpoint> {
        let lock = Lock::take(&path)?;
        let identity = identity.to_value();
        let found = match read(&path).map_err(|e| failed("read", &path, e))? {
            None => Found::Nothing,
            Some(bytes) if !looks_like_one(&bytes) => {
                let what = "it is something else, and stays as it is";
                return Err(failed("use", &path, io::Error::other(what)));
            }
            Some(bytes) => parse(&bytes, &identity),
        };
        let state = match &found {
            Found::Ours(state) => state.clone(),
            _ => State::default(),
        };
        Ok(Checkpoint {
            path,
            identity,
            state,
            found,
            dirty: false,
            next: Instant::now(),
            _lock: lock,
        })
    }

    /// What it held, once.
    pub(super) fn take_found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    /// Notes an upload that was begun.
    pub(super) fn begin(&mut self, upload_id: &str) -> Result<()> {
        self.state = State {
            upload_id: upload_id.to_owned(),
            ..State::default()
        };
        self.write()
    }

    /// Notes a part that OSS has; it is written now or with one of the next.
    pub(super) fn add(&mut self, part: &Part) -> Result<()> {
        // One that is sent again takes the place of what was noted.
        self.state
            .parts
            .retain(|known| known.number() != part.number());
        self.state.parts.push(part.clone());
        self.dirty = true;
        if Instant::now() < self.next {
            return Ok(());
        }
        self.write()
    }

    /// Writes what was added.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.dirty { self.write() } else { Ok(()) }
    }

    /// Notes that the last request is about to be sent.
    pub(super) fn completing(&mut self, parts: &[Part]) -> Result<()> {
        self.state.parts = parts.to_vec();
        self.state.completing = true;
        self.write()
    }

    /// Removes it: the upload has ended.
    pub(super) fn remove(&mut self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", &self.path, e)),
            _ => Ok(()),
        }
    }

    fn write(&mut self) -> Result<()> {
        let begun = Instant::now();
        let bytes = two_lines(&self.state.to_value(&self.identity).to_string());
        replace(&self.path, bytes.as_bytes()).map_err(|e| failed("write", &self.path, e))?;
        self.dirty = false;
        let pause: Duration = begun.elapsed() * SHARE;
        self.next = Instant::now() + pause;
        Ok(())
    }
}

/// A name beside the checkpoint.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// For files that are nobody else's business.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts new contents in place of a file's, wholly or not at all, even if the power fails.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    // Left by a process that was killed, or by somebody who has no business here.
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = private().write(true).create_new(true).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name lasts once its folder does. Not everywhere can folders be opened.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// `None` if there is none. One that is too long comes without its end, and so is damaged.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Before it is opened: a pipe would hold the call up for ever.
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if !metadata.is_file() => {
            return Err(io::Error::other("it is no regular file"));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LEN).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether it is a checkpoint, or what a crash leaves of one: nothing, or zeros. A file that is something else
/// was named by mistake, and is not to be replaced.
fn looks_like_one(bytes: &[u8]) -> bool {
    let mut digits = bytes.iter().take(20).take_while(|byte| **byte != b'\n');
    let named = bytes
        .windows(FORMAT.len())
        .any(|window| window == FORMAT.as_bytes());
    named || bytes.iter().all(|byte| *byte == 0) || digits.all(u8::is_ascii_digit)
}

/// The two lines of a checkpoint.
fn two_lines(text: &str) -> String {
    format!("{}\n{text}\n", crc64_of(text.as_bytes()))
}

fn parse(bytes: &[u8], identity: &Value) -> Found {
    let damaged = |why: &str| Found::Damaged(why.to_owned());
    let Some((crc64, text)) = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.split_once('\n'))
    else {
        return damaged("it is not of two lines");
    };
    let text = text.strip_suffix('\n').unwrap_or(text);
    if crc64 != crc64_of(text.as_bytes()).to_string() {
        return damaged("its CRC-64 differs");
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return damaged("it is not JSON");
    };
    if value["format"] != FORMAT {
        return damaged("it has another format");
    }
    let Some(state) = State::from_value(&value) else {
        return damaged("it is incomplete");
    };
    let theirs = &value["identity"];
    if theirs == identity {
        return Found::Ours(state);
    }
    let fields = identity
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    let differs: Vec<&str> = fields
        .filter(|field| theirs[field.as_str()] != identity[field.as_str()])
        .map(String::as_str)
        .collect();
    let text = |name: &str| theirs[name].as_str().unwrap_or_default().to_owned();
    Found::Other {
        why: format!("other {}", differs.join(", ")),
        upload: OldUpload {
            bucket: text("bucket"),
            object: text("object"),
            id: state.upload_id,
            ours_to_abort: !state.completing && theirs["endpoint"] == identity["endpoint"],
        },
    }
}

/// What is read of a checkpoint with this second line, and of the one that is written of that.
#[cfg(fuzzing)]
pub(crate) fn read_and_write(text: &str, identity: &Value) -> [Option<(String, Vec<Part>)>; 2] {
    let read = |bytes: &str| match parse(bytes.as_bytes(), identity) {
        Found::Ours(state) => Some(state),
        _ => None,
    };
    let first = read(&two_lines(text));
    let again = first
        .as_ref()
        .and_then(|state| read(&two_lines(&state.to_value(identity).to_string())));
    [first, again].map(|state| state.map(|state| (state.upload_id, state.parts)))
}

impl State {
    fn to_value(&self, identity: &Value) -> Value {
        let parts = self.parts.iter().map(Part::to_value);
        json!({
            "format": FORMAT,
            "identity": identity,
            "upload_id": self.upload_id,
            "completing": self.completing,
            "parts": parts.collect::<Vec<_>>(),
        })
    }

    fn from_value(value: &Value) -> Option<State> {
        let parts = value["parts"].as_array()?.iter();
        Some(State {
            upload_id: value["upload_id"]
                .as_str()
                .filter(|id| is_upload_id(id))?
                .to_owned(),
            parts: parts.map(whole_part).collect::<Option<_>>()?,
            completing: value["completing"].as_bool()?,
        })
    }
}

/// A part of which everything is known.
fn whole_part(value: &Value) -> Option<Part> {
    let part = Part::from_value(value)?;
    part.size()?;
    part.crc64()?;
    Some(part)
}

fn crc64_of(bytes: &[u8]) -> u64 {
    let mut crc64 = Crc64::new();
    crc64.update(bytes);
    crc64.value()
}

fn failed(what: &str, path: &Path, e: io::Error) -> Error {
    let what = format!(
        "{what} checkpoint {path:?}: {}",
        e.to_string().to_lowercase()
    );
    Error::new(ErrorKind::CheckpointFailed, what).with_source(e)
}

/// The lock of a checkpoint, released and removed when dropped, and released by the system when the process
/// ends in any other way.
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn take(checkpoint: &Path) -> Result<Lock> {
        let path = beside(checkpoint, ".lock");
        loop {
            // A link could lead anywhere.
            if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
                let what = format!("{path:?} is no regular file");
                return Err(failed("lock", checkpoint, io::Error::other(what)));
            }
            let file = private()
                .create(true)
                .write(true)
                .truncate(false)
                .open(&path);
            let file = file.map_err(|e| failed("lock", checkpoint, e))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let message = format!("checkpoint {checkpoint:?} is in use by another upload");
                    return Err(Error::new(ErrorKind::CheckpointInUse, message));
                }
                Err(TryLockError::Error(e)) => return Err(failed("lock", checkpoint, e)),
            }
            // Who had it before may have removed the name meanwhile.
            if cfg!(not(unix)) || is_same(&file, &path) {
                return Ok(Lock { path, file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // In this order nobody else can have the name; unless somebody took it away before.
        if cfg!(not(unix)) || is_same(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(modified: u64) -> Value {
        let identity = Identity {
            endpoint: "https://host".to_owned(),
            file: FileIdentity {
                size: 5,
                modified,
                sample: u64::MAX,
            },
            request: &Request::new("POST", "bucket", "object"),
            part_size: 102_400,
        };
        identity.to_value()
    }

    fn checkpoint(path: &Path) -> Checkpoint {
        Checkpoint {
            path: path.to_owned(),
            identity: identity(7),
            state: State::default(),
            found: Found::Nothing,
            dirty: false,
            next: Instant::now(),
            _lock: Lock::take(path).unwrap(),
        }
    }

    /// Removed with everything in it when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_written_is_found_and_nothing_else_is_left() {
        let folder = Folder::new("checkpoint");
        let path = folder.0.join("a");
        let part = Part::new(1, "AB").with_size(5).with_crc64(u64::MAX);
        let mut written = checkpoint(&path);
        written.begin("id").unwrap();
        written.add(&part).unwrap();
        written.flush().unwrap();
        let bytes = read(&path).unwrap().unwrap();
        let Found::Ours(state) = parse(&bytes, &identity(7)) else {
            panic!("not ours");
        };
        assert_eq!(state, written.state);
        assert_eq!(state.parts, [part]);

        let Found::Other { why, upload } = parse(&bytes, &identity(8)) else {
            panic!("not of another");
        };
        assert_eq!(why, "other modified");
        assert_eq!((upload.id.as_str(), upload.ours_to_abort), ("id", true));
        written.completing(&state.parts).unwrap();
        let bytes = read(&path).unwrap().unwrap();
        let Found::Other { upload, .. } = parse(&bytes, &identity(8)) else {
            panic!("not of another");
        };
        assert!(!upload.ours_to_abort, "what may have been completed is not");

        written.remove().unwrap();
        written.remove().unwrap();
        drop(written);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }

    #[test]
    fn no_damage_is_trusted() {
        let folder = Folder::new("damage");
        let path = folder.0.join("a");
        let mut written = checkpoint(&path);
        written.begin("id").unwrap();
        let bytes = read(&path).unwrap().unwrap();
        for index in 0..bytes.len() {
            for damage in [
                &bytes[..index],
                &[&bytes[..index], b"\0", &bytes[index + 1..]].concat(),
            ] {
                // Without its last line feed it is whole all the same.
                let whole = index + 1 == bytes.len() && damage.len() < bytes.len();
                let found = parse(damage, &identity(7));
                assert_eq!(
                    matches!(found, Found::Damaged(_)),
                    !whole,
                    "{index}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn a_file_that_is_something_else_is_no_checkpoint() {
        for (bytes, is_one) in [
            (&b""[..], true),
            (&[0; 100][..], true),
            (b"123\n{", true),
            (b"12", true),
            (b"\xff{\"format\":\"oss-callback checkpoint 1\"", true),
            (b"#!/bin/sh\n", false),
            (b"\x89PNG", false),
            (b"hello", false),
        ] {
            assert_eq!(looks_like_one(bytes), is_one, "{bytes:?}");
        }
    }

    #[test]
    fn one_upload_uses_a_checkpoint_at_a_time() {
        let folder = Folder::new("lock");
        let path = folder.0.join("a");
        let first = Lock::take(&path).unwrap();
        let second = Lock::take(&path).err().unwrap();
        assert_eq!(second.kind(), ErrorKind::CheckpointInUse);
        drop(first);
        drop(Lock::take(&path).unwrap());
        let missing = folder.0.join("missing/a");
        let error = Lock::take(&missing).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::CheckpointFailed);
    }
}
