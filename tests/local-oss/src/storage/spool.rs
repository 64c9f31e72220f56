//! The file that bytes go to while they come in: of one object, or of all parts of one.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use md5::{Digest as _, Md5};

use super::{
    Contents, Extent, FileBytes, NewFile, Storage,
    contents::{KeptFile, Place},
};
use crate::{
    image::{Image, LONGEST_START},
    memory::Claim,
};

/// Made when the first bytes need it, so that an upload without bytes takes no descriptor.
#[derive(Debug)]
pub(crate) struct Spool {
    storage: Storage,
    file: Mutex<Option<Arc<NewFile>>>,
}

/// What contents made of parts are, besides their bytes.
pub(crate) struct Joined {
    pub(crate) extents: Vec<Extent>,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) crc64: u64,
    pub(crate) claim: Claim,
}

impl Spool {
    pub(crate) fn new(storage: &Storage) -> Self {
        Self {
            storage: storage.clone(),
            file: Mutex::new(None),
        }
    }

    /// May block.
    pub(super) fn file(&self) -> io::Result<Arc<NewFile>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match &*file {
            Some(file) => Ok(Arc::clone(file)),
            None => {
                let new = Arc::new(self.storage.create()?);
                *file = Some(Arc::clone(&new));
                Ok(new)
            }
        }
    }

    pub(super) fn place(&self, file: Arc<NewFile>) -> Place {
        match self.storage {
            Storage::Temporary => Place::Nameless(file),
            Storage::Kept(_) => Place::Kept(KeptFile::new(file)),
        }
    }

    /// The MD5 of the bytes themselves. May block.
    pub(crate) fn md5(&self, joined: &Joined) -> io::Result<[u8; 16]> {
        let bytes = FileBytes::new(
            Arc::clone(self.file()?.file()),
            joined.extents.clone().into(),
        );
        let (mut md5, mut start) = (Md5::new(), 0);
        while start < joined.size {
            let length = (joined.size - start).min(1024 * 1024);
            md5.update(bytes.read(start, length as usize)?);
            start += length;
        }
        Ok(md5.finalize().into())
    }

    /// Contents from bytes of this spool, none of which is copied. May block.
    pub(crate) fn join(&self, joined: Joined, look_for_image: bool) -> io::Result<Contents> {
        let Joined {
            extents,
            size,
            md5,
            crc64,
            claim,
        } = joined;
        let (file, extents) = (self.file()?, Arc::<[Extent]>::from(extents));
        let image = if look_for_image {
            let bytes = FileBytes::new(Arc::clone(file.file()), Arc::clone(&extents));
            Image::find(&bytes.read(0, size.min(LONGEST_START as u64) as usize)?)
        } else {
            None
        };
        Ok(Contents {
            place: self.place(file),
            extents,
            size,
            md5,
            crc64,
            image,
            claim,
        })
    }
}
