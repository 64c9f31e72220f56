//! A folder whose objects outlive the program.
//!
//! `objects/BUCKET/NUMBER` is an object: its bytes, its description in JSON, the length of that (4 bytes, little endian), and
//! the end mark. The bytes of an object made of parts lie in extents, which its description names; between them may be what
//! replaced parts have left. A file appears there whole. Of two for the same key, which only a crash can leave, the higher number is the
//! later. `incoming/NUMBER` is an upload under way, or what a crash has left of one. `damaged/BUCKET/NUMBER` was an object, but
//! its file is not whole. `buckets/BUCKET` has the settings of a bucket in JSON. `lock` keeps a second server away.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    Contents, Extent, NewFile,
    contents::{KeptFile, Place},
    new_file::Writer,
};
use crate::{
    addressing::is_bucket_name,
    log::Log,
    memory::Memory,
    objects::{Object, ObjectType},
    settings::Settings,
};

const END_MARK: &[u8; 8] = b"local-o1";
const TAIL: usize = 4 + END_MARK.len();
/// Metadata has limits of its own, far below; 10,000 parts of 5 GB are 800,000 extents.
const LONGEST_DESCRIPTION: u64 = 64 * 1024 * 1024;

/// The folder, locked.
#[derive(Debug)]
pub(crate) struct DataDir {
    objects: PathBuf,
    buckets: PathBuf,
    incoming: PathBuf,
    damaged: PathBuf,
    log: Log,
    next: AtomicU64,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if there is none, and removes what uploads have left that were under way when the program ended.
    pub(crate) fn open(root: &Path, log: Log) -> io::Result<Self> {
        let (objects, incoming) = (root.join("objects"), root.join("incoming"));
        let buckets = root.join("buckets");
        fs::create_dir_all(&objects)?;
        fs::create_dir_all(&buckets)?;
        fs::create_dir_all(&incoming)?;
        let lock = File::create(root.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => {
                let root = root.display();
                io::Error::new(ErrorKind::ResourceBusy, format!("{root} is in use"))
            }
        })?;
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self {
            objects,
            buckets,
            incoming,
            damaged: root.join("damaged"),
            log,
            next: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// The folder of a bucket, made if there is none.
    pub(crate) fn add_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::create_dir_all(self.objects.join(bucket))
    }

    /// The buckets that have a folder. What else is there belongs to somebody else.
    pub(crate) fn buckets(&self) -> io::Result<Vec<String>> {
        let mut buckets = Vec::new();
        for entry in fs::read_dir(&self.objects)? {
            let entry = entry?;
            match entry.file_name().into_string() {
                Ok(name) if is_bucket_name(&name) && entry.path().is_dir() => buckets.push(name),
                _ => self.tell(&entry.path(), "is not a bucket: left alone"),
            }
        }
        Ok(buckets)
    }

    /// Removes the folder of a bucket that has no objects.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> io::Result<()> {
        let folder = self.objects.join(bucket);
        fs::remove_dir(&folder)?;
        match fs::remove_file(self.buckets.join(bucket)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Keeps the settings of a bucket: those before, or these, but nothing between. May block.
    pub(crate) fn save_settings(&self, bucket: &str, settings: &Settings) -> io::Result<()> {
        let new = self.incoming.join(self.number());
        fs::write(&new, settings.to_json().to_string())?;
        fs::rename(new, self.buckets.join(bucket))
    }

    /// The settings of a bucket, if they were ever saved.
    pub(crate) fn settings(&self, bucket: &str) -> io::Result<Option<Settings>> {
        let path = self.buckets.join(bucket);
        let json = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            json => serde_json::from_slice(&json?).ok(),
        };
        let settings = json.as_ref().and_then(Settings::from_json);
        if settings.is_none() {
            self.tell(&path, "cannot be read: the bucket is private, as a new one");
        }
        Ok(settings)
    }

    /// Every object with its key, of each key the latest. Older ones are removed, those that are not whole are set aside, and
    /// what is no object is left alone.
    pub(crate) fn load(&self, bucket: &str, memory: &Memory) -> io::Result<Vec<(String, Object)>> {
        let mut latest: BTreeMap<String, (u64, Object)> = BTreeMap::new();
        for entry in fs::read_dir(self.objects.join(bucket))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let number = name.and_then(|name| u64::from_str_radix(name, 16).ok());
            let Some(number) = number.filter(|_| path.is_file()) else {
                self.tell(&path, "is not an object: left alone");
                continue;
            };
            self.next
                .fetch_max(number.saturating_add(1), Ordering::Relaxed);
            let (key, object) = match read(path.clone(), memory) {
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    let aside = self.set_aside(bucket, &path)?;
                    let aside = aside.display();
                    self.tell(&path, &format!("is not whole: it is now {aside}"));
                    continue;
                }
                read => read?,
            };
            let is_older = latest.get(&key).is_some_and(|(other, _)| *other > number);
            let older = match is_older {
                true => Some((number, object)),
                false => latest.insert(key, (number, object)),
            };
            if let Some((_, older)) = older {
                older.contents.discard();
            }
        }
        let latest = latest.into_iter();
        Ok(latest.map(|(key, (_, object))| (key, object)).collect())
    }

    /// Moves a file to where it does no harm, and says where that is.
    fn set_aside(&self, bucket: &str, path: &Path) -> io::Result<PathBuf> {
        let folder = self.damaged.join(bucket);
        fs::create_dir_all(&folder)?;
        let name = path.file_name().unwrap_or_default();
        let mut aside = folder.join(name);
        let mut number = 2;
        while fs::symlink_metadata(&aside).is_ok() {
            aside = folder.join(format!("{}-{number}", name.display()));
            number += 1;
        }
        fs::rename(path, &aside)?;
        Ok(aside)
    }

    fn tell(&self, path: &Path, what: &str) {
        let path = path.display();
        self.log
            .line(format_args!("{path} in the data directory {what}"));
    }

    pub(super) fn create(&self) -> io::Result<NewFile> {
        NewFile::at(self.incoming.join(self.number()))
    }

    /// Where an object that is stored now has its file.
    pub(crate) fn place(&self, bucket: &str) -> PathBuf {
        self.objects.join(bucket).join(self.number())
    }

    fn number(&self) -> String {
        format!("{:016x}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes what is not in a file yet: small contents, and the tail. May block.
    pub(crate) fn complete(&self, key: &str, object: &mut Object) -> io::Result<()> {
        let contents = &mut object.contents;
        if let Place::Memory(segments) = &contents.place {
            let mut file = Writer::new(Arc::new(self.create()?), Some(contents.size));
            segments
                .iter()
                .try_for_each(|segment| file.write(segment))?;
            let (file, extents) = file.finish();
            contents.place = Place::Kept(KeptFile::new(file));
            contents.extents = extents.into();
            contents.release_memory();
        }
        let tail = tail(key, object);
        object.contents.seal(&tail)
    }
}

/// What a file has behind the bytes of its object.
pub(crate) fn tail(key: &str, object: &Object) -> Vec<u8> {
    let mut tail = describe(key, object).to_string().into_bytes();
    let length = tail.len() as u32;
    tail.extend_from_slice(&length.to_le_bytes());
    tail.extend_from_slice(END_MARK);
    tail
}

fn describe(key: &str, object: &Object) -> Value {
    let since_1970 = object.last_modified.duration_since(SystemTime::UNIX_EPOCH);
    let headers: Vec<(&str, String)> = object
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect();
    let extents = object.contents.extents.iter();
    let extents: Vec<[u64; 2]> = extents.map(|extent| [extent.at, extent.length]).collect();
    json!({
        "key": key,
        "type": object.object_type.name(),
        "size": object.contents.size(),
        "extents": extents,
        "md5": object.contents.md5,
        // As a string: most JSON readers cannot hold 64 bits in a number.
        "crc64": object.contents.crc64.to_string(),
        "etag": object.etag,
        "last_modified_ms": since_1970.unwrap_or(Duration::ZERO).as_millis() as u64,
        "content_type": text(&object.content_type),
        "headers": headers,
    })
}

/// Bytes as the characters of the same number: nothing says that a header is UTF-8.
fn text(value: &HeaderValue) -> String {
    value
        .as_bytes()
        .iter()
        .map(|byte| char::from(*byte))
        .collect()
}

fn header_value(text: &str) -> Option<HeaderValue> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    HeaderValue::from_bytes(&bytes.ok()?).ok()
}

fn read(path: PathBuf, memory: &Memory) -> io::Result<(String, Object)> {
    let mut file = File::open(&path)?;
    let length = file.metadata()?.len();
    let not_whole = || io::Error::from(ErrorKind::InvalidData);
    let tail_at = length.checked_sub(TAIL as u64).ok_or_else(not_whole)?;
    file.seek(SeekFrom::Start(tail_at))?;
    let mut tail = [0; TAIL];
    file.read_exact(&mut tail)?;
    let (described, end_mark) = tail.split_at(4);
    if end_mark != END_MARK {
        return Err(not_whole());
    }
    let described = described
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let bytes = tail_at.checked_sub(described).ok_or_else(not_whole)?;
    if described > LONGEST_DESCRIPTION {
        return Err(not_whole());
    }
    file.seek(SeekFrom::Start(bytes))?;
    let mut description = vec![0; described as usize];
    file.read_exact(&mut description)?;
    let description: Value = serde_json::from_slice(&description).map_err(|_| not_whole())?;
    let (key, mut object) = parse(&description, bytes, memory).ok_or_else(not_whole)?;
    if !object
        .contents
        .claim_for_existing(key.len() + described as usize)
    {
        let message = "the objects of the data directory do not fit into the memory for objects";
        return Err(io::Error::new(ErrorKind::OutOfMemory, message));
    }
    object.contents.place = Place::Kept(KeptFile::existing(path));
    Ok((key, object))
}

/// `bytes` are in the file before the description.
fn parse(description: &Value, bytes: u64, memory: &Memory) -> Option<(String, Object)> {
    let size = description["size"].as_u64()?;
    let text = |name: &str| description[name].as_str();
    let md5: Option<Vec<u8>> = description["md5"]
        .as_array()?
        .iter()
        .map(|byte| byte.as_u64()?.try_into().ok())
        .collect();
    let headers: Option<Vec<_>> = description["headers"]
        .as_array()?
        .iter()
        .map(|pair| {
            let name = HeaderName::try_from(pair[0].as_str()?).ok()?;
            Some((name, header_value(pair[1].as_str()?)?))
        })
        .collect();
    let since_1970 = Duration::from_millis(description["last_modified_ms"].as_u64()?);
    let object = Object {
        contents: Contents {
            place: Place::Memory(Vec::new()),
            extents: extents(description, size, bytes)?.into(),
            size,
            md5: md5?.try_into().ok()?,
            crc64: text("crc64")?.parse().ok()?,
            image: None,
            claim: memory.claim(),
        },
        object_type: match text("type") {
            None => ObjectType::Normal,
            Some(name) => ObjectType::named(name)?,
        },
        etag: text("etag")?.to_owned(),
        content_type: header_value(text("content_type")?)?,
        headers: headers?,
        last_modified: SystemTime::UNIX_EPOCH.checked_add(since_1970)?,
    };
    Some((text("key")?.to_owned(), object))
}

/// All within the file and as long as the object. Without parts that is all that is there, and files of earlier versions
/// name no extents.
fn extents(description: &Value, size: u64, bytes: u64) -> Option<Vec<Extent>> {
    let has_parts = description["type"] == ObjectType::Multipart.name();
    if !has_parts && size != bytes {
        return None;
    }
    let Some(pairs) = description["extents"].as_array() else {
        let all = Extent {
            at: 0,
            length: size,
        };
        return Some(vec![all]);
    };
    let mut left = size;
    let mut extents = Vec::new();
    for pair in pairs {
        let (at, length) = (pair[0].as_u64()?, pair[1].as_u64()?);
        at.checked_add(length).filter(|end| *end <= bytes)?;
        left = left.checked_sub(length)?;
        extents.push(Extent { at, length });
    }
    (left == 0).then_some(extents)
}
