//! The bytes of a finished object, handed out by range.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use hyper::body::Bytes;

use super::NewFile;
use crate::{image::Image, memory::Claim};

/// A finished object's bytes.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(super) place: Place,
    pub(super) size: u64,
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
    Nameless(NewFile),
    Kept(KeptFile),
}

/// A file of the data directory.
#[derive(Debug)]
pub(super) struct KeptFile {
    /// Until it is moved to its place.
    new: Mutex<Option<NewFile>>,
    path: OnceLock<PathBuf>,
}

impl KeptFile {
    pub(super) fn new(file: NewFile) -> Self {
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
    File(Arc<File>),
}

impl Contents {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.place, Place::Kept(_))
    }

    /// Not found if the object was removed since it was looked up.
    pub(crate) fn open(&self) -> io::Result<Source> {
        let file = match &self.place {
            Place::Memory(segments) => return Ok(Source::Memory(segments.clone())),
            Place::Nameless(file) => file.file().try_clone()?,
            Place::Kept(kept) => {
                let path = kept.path.get().ok_or(io::ErrorKind::NotFound)?;
                File::open(path)?
            }
        };
        Ok(Source::File(Arc::new(file)))
    }

    /// Gives a file of the data directory its place. Others need none.
    pub(crate) fn settle(&self, place: impl FnOnce() -> PathBuf) -> io::Result<()> {
        let Place::Kept(kept) = &self.place else {
            return Ok(());
        };
        let mut new = kept.new.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut *new {
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

    /// Adds to a file of the data directory that has no place yet.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Place::Kept(kept) = &mut self.place else {
            return Ok(());
        };
        let new = kept.new.get_mut().unwrap_or_else(PoisonError::into_inner);
        new.as_mut().map_or(Ok(()), |file| file.write(bytes))
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
            Self::File(file) => read_at(file, 0, size as usize),
        }
    }
}

/// May block.
pub(crate) fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    #[cfg(unix)]
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, offset)?;
    #[cfg(windows)]
    {
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            match std::os::windows::fs::FileExt::seek_read(file, &mut bytes[done..], at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
    }
    Ok(bytes)
}
