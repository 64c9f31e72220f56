//! The file that is uploaded, read at many places at once.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::crc64::Crc64;
use crate::engine::open_file::{self, FileAt, OpenFile};
use crate::operations::multipart::Part;
use crate::outcome::error::{Error, Result};
use crate::transport::{changed, unreadable};

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
    pub(super) open: OpenFile,
    path: PathBuf,
    /// Names it in errors.
    pub(super) name: String,
}

impl LocalFile {
    pub(super) fn new(open: OpenFile, path: &Path, name: String) -> LocalFile {
        LocalFile {
            open,
            path: path.to_owned(),
            name,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.open.len()
    }

    /// Where it was found, whatever the folder that its path begins in.
    pub(super) fn canonical_path(&self) -> String {
        let path = self.path.canonicalize();
        let path = path.as_ref().unwrap_or(&self.path);
        path.to_string_lossy().into_owned()
    }

    /// When anything about it changed last; zero if that is not known.
    pub(super) fn changed(&self) -> u64 {
        self.open.state.changed
    }

    /// The pieces that become parts, in their order.
    pub(super) fn ranges(&self, part_size: u64) -> impl Iterator<Item = Range> + use<> {
        let len = self.len();
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
        FileAt::new(&self.open.file, offset)
    }

    pub(super) fn identity(&self) -> Result<FileIdentity> {
        let mut crc64 = Crc64::new();
        let mut buffer = Vec::new();
        for index in 0..SAMPLES {
            let last = self.len().saturating_sub(SAMPLE_LEN);
            let offset = last / (SAMPLES - 1) * index;
            let offset = if index + 1 == SAMPLES { last } else { offset };
            buffer.clear();
            let sample = self.at(offset).take(SAMPLE_LEN).read_to_end(&mut buffer);
            sample.map_err(|e| self.unreadable(e))?;
            crc64.update(&buffer);
        }
        Ok(FileIdentity {
            size: self.len(),
            modified: self.open.state.modified,
            sample: crc64.value(),
        })
    }

    /// Refuses a checkpoint that is the file itself: it would be replaced.
    pub(super) fn check_other_than(&self, checkpoint: &Path) -> Result<()> {
        if is_same(&self.open.file, checkpoint) {
            let message = format!("`checkpoint` {checkpoint:?} is the file that is to be uploaded");
            return Err(Error::argument(message));
        }
        Ok(())
    }

    /// The CRC-64 of a piece of it.
    pub(super) fn crc64_of(
        &self,
        range: Range,
        patience: &mut dyn FnMut() -> Result<()>,
    ) -> Result<u64> {
        let crc64 = open_file::crc64_of(&self.open.file, range.offset, range.len, patience);
        crc64.map_err(|e| self.unreadable(e))
    }

    /// Refuses a file that does not hold any more what was sent of it.
    pub(super) fn check_unchanged(
        &self,
        part_size: u64,
        parts: &[Part],
        patience: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let state = &self.open.state;
        let still = state.still_holds(&self.open.file, || {
            for range in self.ranges(part_size) {
                let sent = parts.iter().find(|part| part.number() == range.number);
                let file = &self.open.file;
                let crc64 = open_file::crc64_of(file, range.offset, range.len, patience)?;
                if sent.and_then(Part::crc64) != Some(crc64) {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        match still.map_err(|e| self.unreadable(e))? {
            true => Ok(()),
            false => Err(changed(&self.name)),
        }
    }

    fn unreadable(&self, e: io::Error) -> Error {
        unreadable(&self.name, e)
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
