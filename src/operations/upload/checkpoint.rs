//! What an upload in parts leaves behind, so that the next process can go on with it.
//!
//! A file of two lines: what it is, with the CRC-64 of the second line, and a JSON object. It is replaced as a whole, so
//! that there is a whole one at any moment, and locked through a second file beside it, since a lock on a file
//! that is replaced locks nothing. A file with any other first line is somebody else's, and stays as it is.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::beside::{self, Lock, NewFile, failed};
use super::file::{FileIdentity, is_same};
use crate::base::crc64::Crc64;
use crate::base::sorted::sorted_by;
use crate::operations::multipart::{Part, is_upload_id};
use crate::outcome::error::Result;
use crate::request::Request;

/// What a checkpoint begins with, whatever the number of its format.
const KIND: &str = "oss-callback checkpoint ";
const FORMAT: &str = "oss-callback checkpoint 2";
/// Well above 10,000 parts.
const MAX_LEN: u64 = 16 * 1024 * 1024;
/// Writing takes no more than this share of the time; parts that are not noted because of it are found by
/// their CRC-64.
const SHARE: u32 = 10;

/// What an upload must have in common with a checkpoint to go on with it, and what else is noted of its file.
pub(super) struct Identity<'a> {
    pub(super) endpoint: String,
    pub(super) file: FileIdentity,
    /// The request that begins the upload, with the object's headers.
    pub(super) request: &'a Request,
    pub(super) part_size: u64,
    pub(super) origin: Origin,
}

/// Where the file was, and when anything about it changed last. The same contents may be elsewhere the next time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) path: String,
    /// In nanoseconds since 1970, or zero.
    pub(super) changed: u64,
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
    Other { why: String, upload: OldUpload },
    Ours {
        state: State,
        /// Nothing about the file has changed since, so that its contents need not be compared.
        same_file: bool,
    },
}

/// An upload that does not go on.
#[derive(Debug)]
pub(super) struct OldUpload {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) state: State,
    /// It is of the same endpoint, bucket, object and path.
    pub(super) of_the_same: bool,
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
    origin: Origin,
    state: State,
    found: Found,
    /// What stands under the name: what was read, or written last. It is kept open, so that no other file gets its number.
    standing: Option<File>,
    /// What was read is to be set aside.
    damaged: bool,
    /// Parts were added since it was written.
    dirty: bool,
    /// When it may be written again.
    next: Instant,
    _lock: Lock,
}

impl Checkpoint {
    pub(super) fn open(path: PathBuf, identity: Identity<'_>) -> Result<Checkpoint> {
        beside::check_name(&path)?;
        let lock = Lock::take(&path)?;
        let origin = identity.origin.clone();
        let identity = identity.to_value();
        let mut standing = None;
        let found = match read(&path).map_err(|e| failed("read", &path, e))? {
            None => Found::Nothing,
            Some((_, bytes)) if crc64_of_first_line(&bytes).is_none() => {
                let what = "it is something else, and stays as it is";
                return Err(failed("use", &path, io::Error::other(what)));
            }
            Some((file, bytes)) => {
                standing = Some(file);
                parse(&bytes, &identity, &origin)
            }
        };
        let state = match &found {
            Found::Ours { state, .. } => state.clone(),
            _ => State::default(),
        };
        Ok(Checkpoint {
            path,
            identity,
            origin,
            state,
            damaged: matches!(found, Found::Damaged(_)),
            found,
            standing,
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

    /// Forgets the parts that were noted, until they have been compared with the file.
    pub(super) fn forget_parts(&mut self) {
        self.state.parts.clear();
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
        let failed = |e| failed("remove", &self.path, e);
        if self.stands().map_err(failed)? {
            fs::remove_file(&self.path).map_err(failed)?;
        }
        self.standing = None;
        Ok(())
    }

    /// Gives a damaged one another name, so that what it held is not lost, and says which.
    pub(super) fn set_aside(&mut self) -> Result<Option<PathBuf>> {
        let failed = |e| failed("set aside", &self.path, e);
        if !std::mem::take(&mut self.damaged) || !self.stands().map_err(failed)? {
            return Ok(None);
        }
        let aside = beside::set_aside(&self.path).map_err(failed)?;
        self.standing = None;
        Ok(Some(aside))
    }

    /// Whether the file that was read or written is still there; an error if another has taken its place.
    fn stands(&self) -> io::Result<bool> {
        if beside::look(&self.path)?.is_none() {
            return Ok(false);
        }
        let ours = self.standing.as_ref();
        // Elsewhere files cannot be told from one another.
        match ours.is_some_and(|file| cfg!(not(unix)) || is_same(file, &self.path)) {
            true => Ok(true),
            false => Err(io::Error::other(
                "another file has taken its place, and stays as it is",
            )),
        }
    }

    fn write(&mut self) -> Result<()> {
        let begun = Instant::now();
        let bytes = two_lines(
            &self
                .state
                .to_value(&self.identity, &self.origin)
                .to_string(),
        );
        let failed = |e| failed("write", &self.path, e);
        self.stands().map_err(failed)?;
        let new = NewFile::write(&self.path, bytes.as_bytes(), is_checkpoint).map_err(failed)?;
        let file = new.put_in_place().map_err(failed)?;
        self.standing = Some(file);
        self.dirty = false;
        let pause: Duration = begun.elapsed() * SHARE;
        self.next = Instant::now() + pause;
        Ok(())
    }
}

/// `None` if there is none. One that is too long comes without its end, and so is damaged.
fn read(path: &Path) -> io::Result<Option<(File, Vec<u8>)>> {
    // Before it is opened: a pipe would hold the call up for ever. A link would be replaced, and not what it leads to.
    match beside::look(path)? {
        None => return Ok(None),
        Some(found) if !found.is_file() => {
            return Err(io::Error::other("it is no regular file"));
        }
        Some(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    (&file).take(MAX_LEN).read_to_end(&mut bytes)?;
    Ok(Some((file, bytes)))
}

/// Whether there is a checkpoint under this name, whole or not.
fn is_checkpoint(path: &Path) -> bool {
    let found = read(path).ok().flatten();
    found.is_some_and(|(_, bytes)| crc64_of_first_line(&bytes).is_some())
}

/// The CRC-64 that the first line of a checkpoint says, of this format or another. `None`: the file is something else, was
/// named by mistake, and is not to be replaced.
fn crc64_of_first_line(bytes: &[u8]) -> Option<u64> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    let (format, crc64) = line.strip_prefix(KIND)?.split_once(' ')?;
    let is_number = (1..=9).contains(&format.len()) && format.bytes().all(|b| b.is_ascii_digit());
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let whole = is_number && crc64.len() == 16 && crc64.bytes().all(is_digit);
    whole.then(|| u64::from_str_radix(crc64, 16).ok())?
}

/// The two lines of a checkpoint.
fn two_lines(text: &str) -> String {
    format!("{FORMAT} {:016x}\n{text}\n", crc64_of(text.as_bytes()))
}

fn parse(bytes: &[u8], identity: &Value, origin: &Origin) -> Found {
    let damaged = |why: &str| Found::Damaged(why.to_owned());
    let crc64 = crc64_of_first_line(bytes);
    let text = std::str::from_utf8(bytes).ok();
    let Some((first, text)) = text.and_then(|text| text.split_once('\n')) else {
        return damaged("it is not of two lines");
    };
    if !first.starts_with(&format!("{FORMAT} ")) {
        return damaged("it has another format");
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    if crc64 != Some(crc64_of(text.as_bytes())) {
        return damaged("its CRC-64 differs");
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return damaged("it is not JSON");
    };
    let Some(state) = State::from_value(&value) else {
        return damaged("it is incomplete");
    };
    let theirs = &value["identity"];
    let Some(theirs_origin) = Origin::from_value(&value) else {
        return damaged("it is incomplete");
    };
    if theirs == identity {
        let same_file = origin.changed != 0 && origin.changed == theirs_origin.changed;
        return Found::Ours { state, same_file };
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
    let mut of_the_same = ["endpoint", "bucket", "object"].iter();
    Found::Other {
        why: format!("other {}", differs.join(", ")),
        upload: OldUpload {
            bucket: text("bucket"),
            object: text("object"),
            state,
            of_the_same: theirs_origin.path == origin.path
                && of_the_same.all(|name| theirs[name] == identity[name]),
        },
    }
}

/// What is read of a checkpoint with this second line, and of the one that is written of that.
#[cfg(fuzzing)]
pub(crate) fn read_and_write(text: &str, identity: &Value) -> [Option<(String, Vec<Part>)>; 2] {
    let origin = Origin::default();
    let read = |bytes: &str| match parse(bytes.as_bytes(), identity, &origin) {
        Found::Ours { state, .. } => Some(state),
        _ => None,
    };
    let first = read(&two_lines(text));
    let again = first
        .as_ref()
        .and_then(|state| read(&two_lines(&state.to_value(identity, &origin).to_string())));
    [first, again].map(|state| state.map(|state| (state.upload_id, state.parts)))
}

impl State {
    fn to_value(&self, identity: &Value, origin: &Origin) -> Value {
        let parts = self.parts.iter().map(Part::to_value);
        json!({
            "identity": identity,
            "path": origin.path,
            "changed": origin.changed,
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

impl Origin {
    fn from_value(value: &Value) -> Option<Origin> {
        Some(Origin {
            path: value["path"].as_str()?.to_owned(),
            changed: value["changed"].as_u64()?,
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

#[cfg(test)]
mod properties;

/// Removed with everything in it when dropped.
#[cfg(test)]
pub(super) struct Folder(pub(super) PathBuf);

#[cfg(test)]
impl Folder {
    pub(super) fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

#[cfg(test)]
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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
            origin: origin(),
        };
        identity.to_value()
    }

    fn origin() -> Origin {
        Origin {
            path: "/a".to_owned(),
            changed: 9,
        }
    }

    fn parse(bytes: &[u8], identity: &Value) -> Found {
        super::parse(bytes, identity, &origin())
    }

    fn bytes_of(path: &Path) -> Vec<u8> {
        read(path).unwrap().unwrap().1
    }

    fn checkpoint(path: &Path) -> Checkpoint {
        Checkpoint {
            path: path.to_owned(),
            identity: identity(7),
            origin: origin(),
            state: State::default(),
            found: Found::Nothing,
            standing: None,
            damaged: false,
            dirty: false,
            next: Instant::now(),
            _lock: Lock::take(path).unwrap(),
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
        let bytes = bytes_of(&path);
        let Found::Ours { state, same_file } = parse(&bytes, &identity(7)) else {
            panic!("not ours");
        };
        assert_eq!((&state, same_file), (&written.state, true));
        let other = Origin {
            changed: 10,
            ..origin()
        };
        let Found::Ours { same_file, .. } = super::parse(&bytes, &identity(7), &other) else {
            panic!("not ours");
        };
        assert!(!same_file);
        assert_eq!(state.parts, [part]);

        let Found::Other { why, upload } = parse(&bytes, &identity(8)) else {
            panic!("not of another");
        };
        assert_eq!(why, "other modified");
        assert_eq!((&upload.state, upload.of_the_same), (&state, true));
        let elsewhere = Origin {
            path: "/b".to_owned(),
            ..origin()
        };
        let Found::Other { upload, .. } = super::parse(&bytes, &identity(8), &elsewhere) else {
            panic!("not of another");
        };
        assert!(!upload.of_the_same);
        written.completing(&state.parts).unwrap();
        let bytes = bytes_of(&path);
        let Found::Other { upload, .. } = parse(&bytes, &identity(8)) else {
            panic!("not of another");
        };
        assert!(upload.state.completing);

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
        let bytes = bytes_of(&path);
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
    fn a_file_with_another_first_line_is_no_checkpoint() {
        let line = "oss-callback checkpoint 2 00000000000000ff";
        assert_eq!(
            crc64_of_first_line(format!("{line}\nanything").as_bytes()),
            Some(255)
        );
        let other = "oss-callback checkpoint 31 00000000000000ff\n";
        assert_eq!(crc64_of_first_line(other.as_bytes()), Some(255));
        assert!(matches!(
            parse(other.as_bytes(), &identity(7)),
            Found::Damaged(_)
        ));
        for text in [
            "",
            "\n",
            "123\n{",
            line,
            &format!(" {line}\n"),
            &format!("{line} \n"),
            &format!("{line}\r\n"),
            "oss-callback checkpoint 2 00000000000000FF\n",
            "oss-callback checkpoint 2 +0000000000000ff\n",
            "oss-callback checkpoint 2 0ff\n",
            "oss-callback checkpoint  00000000000000ff\n",
            "oss-callback checkpoint x 00000000000000ff\n",
            "#!/bin/sh\n",
        ] {
            assert_eq!(crc64_of_first_line(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(crc64_of_first_line(b"\x89PNG\n"), None);
    }
}
