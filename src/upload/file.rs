//! The file that is uploaded, read at many places at once.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::crc64::Crc64;
use crate::error::{Error, Result};
use crate::verdict::ErrorKind;

/// Blocks that are read to tell a file from another with the same size and time, and their size.
const SAMPLES: u64 = 9;
const SAMPLE_LEN: u64 = 16 * 1024;

/// What tells a file from one with other contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    pub(super) size: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub(super) modified: u64,
    /// The CRC-64 of samples of its contents.
    pub(super) sample: u64,
}

/// A piece of the file, which becomes a part of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) number: u32,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// An open file: whatever happens to its name, this is what is read.
pub(super) struct LocalFile {
    pub(super) file: File,
    len: u64,
    modified: u64,
    /// Names it in errors.
    pub(super) name: String,
}

impl LocalFile {
    pub(super) fn new(file: File, len: u64, name: String) -> Result<LocalFile> {
        let metadata = file.metadata().map_err(|e| unreadable(&name, e))?;
        Ok(LocalFile {
            modified: modified(&metadata),
            file,
            len,
            name,
        })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The pieces that become parts, in their order.
    pub(super) fn ranges(&self, part_size: u64) -> impl Iterator<Item = Range> + use<> {
        let len = self.len;
        (1..)
            .zip(0..len.div_ceil(part_size))
            .map(move |(number, index)| {
                let offset = index * part_size;
                Range {
                    number,
                    offset,
                    len: part_size.min(len - offset),
                }
            })
    }

    /// A reader of the file from an offset on.
    pub(super) fn at(&self, offset: u64) -> FileAt<'_> {
        FileAt {
            file: &self.file,
            position: offset,
        }
    }

    pub(super) fn identity(&self) -> Result<FileIdentity> {
        let mut crc64 = Crc64::new();
        let mut buffer = Vec::new();
        for index in 0..SAMPLES {
            let last = self.len.saturating_sub(SAMPLE_LEN);
            let offset = last / (SAMPLES - 1) * index;
            let offset = if index + 1 == SAMPLES { last } else { offset };
            buffer.clear();
            let sample = self.at(offset).take(SAMPLE_LEN).read_to_end(&mut buffer);
            sample.map_err(|e| unreadable(&self.name, e))?;
            crc64.update(&buffer);
        }
        Ok(FileIdentity {
            size: self.len,
            modified: self.modified,
            sample: crc64.value(),
        })
    }

    /// Refuses a checkpoint that is the file itself: it would be replaced.
    pub(super) fn check_other_than(&self, checkpoint: &Path) -> Result<()> {
        if is_same(&self.file, checkpoint) {
            let message = format!("`checkpoint` {checkpoint:?} is the file that is to be uploaded");
            return Err(Error::argument(message));
        }
        Ok(())
    }

    /// Whether it still is what it was when the upload began, as far as size and time tell.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let metadata = self
            .file
            .metadata()
            .map_err(|e| unreadable(&self.name, e))?;
        if metadata.len() == self.len && modified(&metadata) == self.modified {
            return Ok(());
        }
        let message = format!("{} changed while it was uploaded", self.name);
        Err(Error::new(ErrorKind::BodyChanged, message))
    }
}

/// Whether an open file has this name.
#[cfg(unix)]
pub(super) fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(file), Ok(path)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (file.dev(), file.ino()) == (path.dev(), path.ino())
}

/// There files are told from one another by other means, which the standard library does not have.
#[cfg(not(unix))]
pub(super) fn is_same(_: &File, _: &Path) -> bool {
    false
}

pub(super) fn unreadable(name: &str, e: io::Error) -> Error {
    let message = format!("read {name}: {}", e.to_string().to_lowercase());
    Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
}

/// Zero where the file system does not say.
fn modified(metadata: &Metadata) -> u64 {
    let time = metadata.modified().ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

/// Reads a file that others read, too.
pub(super) struct FileAt<'a> {
    file: &'a File,
    position: u64,
}

impl Read for FileAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let count = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.position)?;
        #[cfg(windows)]
        let count = std::os::windows::fs::FileExt::seek_read(self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for FileAt<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
