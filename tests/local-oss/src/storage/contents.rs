//! The bytes of a finished object or part, handed out by range.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use hyper::body::Bytes;

use super::{Extent, FileBytes, NewFile};
use crate::{image::Image, memory::Claim};

/// The bytes of a finished object or part.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(super) place: Place,
    /// Where the bytes are in their file, in their order. Empty if they are in memory.
    pub(super) extents: Arc<[Extent]>,
    pub(super) size: u64,
    /// Of all bytes; for contents made of parts, of the MD5s of the parts.
    pub(crate) md5: [u8; 16],
    pub(crate) crc64: u64,
    /// What it shows, if that was asked for.
    pub(crate) image: Option<Image>,
    /// Given back when nobody reads the object any more.
    pub(super) claim: Claim,
}

#[derive(Debug)]
pub(super) enum Place {
    Memory(Vec<Bytes>),
    Nameless(Arc<NewFile>),
    Kept(KeptFile),
}

/// A file of the data directory.
#[derive(Debug)]
pub(super) struct KeptFile {
    /// Until it is moved to its place.
    new: Mutex<Option<Arc<NewFile>>>,
    path: OnceLock<PathBuf>,
}

impl KeptFile {
    pub(super) fn new(file: Arc<NewFile>) -> Self {
        Self {
            new: Mutex::new(Some(file)),
            path: OnceLock::new(),
        }
    }

    pub(super) fn existing(path: PathBuf) -> Self {
        Self {
            new: Mutex::new(None),
            path: path.into(),
        }
    }
}

/// Contents that are open: they stay readable whatever becomes of the object.
#[derive(Debug)]
pub(crate) enum Source {
    Memory(Vec<Bytes>),
    File(FileBytes),
}

impl Contents {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Where in its file the bytes are.
    pub(crate) fn extents(&self) -> &[Extent] {
        &self.extents
    }

    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.place, Place::Kept(_))
    }

    /// Not found if the object was removed since it was looked up.
    pub(crate) fn open(&self) -> io::Result<Source> {
        let file = match &self.place {
            Place::Memory(segments) => return Ok(Source::Memory(segments.clone())),
            Place::Nameless(file) => Arc::clone(file.file()),
            Place::Kept(kept) => {
                let path = kept.path.get().ok_or(io::ErrorKind::NotFound)?;
                Arc::new(File::open(path)?)
            }
        };
        Ok(Source::File(FileBytes::new(
            file,
            Arc::clone(&self.extents),
        )))
    }

    /// Gives a file of the data directory its place, after `tail` if it has none yet. Others need neither.
    pub(crate) fn settle(
        &self,
        tail: Option<&[u8]>,
        place: impl FnOnce() -> PathBuf,
    ) -> io::Result<()> {
        let Place::Kept(kept) = &self.place else {
            return Ok(());
        };
        let mut new = kept.new.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*new {
            if let Some(tail) = tail {
                file.seal(tail)?;
            }
            let place = place();
            file.move_to(&place)?;
            *new = None;
            let _ = kept.path.set(place);
        }
        Ok(())
    }

    /// Removes the file of an object that nobody can find any more. Who has it open may go on.
    pub(crate) fn discard(&self) {
        let path = match &self.place {
            Place::Kept(kept) => kept.path.get(),
            _ => None,
        };
        if let Some(path) = path {
            let _ = fs::remove_file(path);
        }
    }

    /// The bytes are no longer in memory; what is kept along with them still is.
    pub(super) fn release_memory(&mut self) {
        self.claim.shrink_by(self.size);
    }

    pub(super) fn claim_for_existing(&mut self, bytes: usize) -> bool {
        self.claim.grow(512 + bytes as u64)
    }

    /// Ends a file of the data directory that has no place yet.
    pub(super) fn seal(&mut self, tail: &[u8]) -> io::Result<()> {
        let Place::Kept(kept) = &mut self.place else {
            return Ok(());
        };
        let new = kept.new.get_mut().unwrap_or_else(PoisonError::into_inner);
        new.as_ref().map_or(Ok(()), |file| file.seal(tail))
    }
}

impl Source {
    /// The pieces in memory that hold `range`, which must lie within the object.
    pub(crate) fn slice(segments: &[Bytes], range: Range<u64>) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for segment in segments {
            let end = start + segment.len() as u64;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                pieces.push(segment.slice((from - start) as usize..(to - start) as usize));
            }
            start = end;
        }
        pieces
    }

    /// All of `size` bytes. May block.
    pub(crate) fn to_vec(&self, size: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Memory(segments) => Ok(segments.concat()),
            Self::File(bytes) => bytes.read(0, size as usize),
        }
    }
}
