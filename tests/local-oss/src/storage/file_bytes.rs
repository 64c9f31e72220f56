//! Bytes that lie in a file, in pieces.

use std::{fs::File, io, sync::Arc};

/// Bytes that follow each other in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) at: u64,
    pub(crate) length: u64,
}

impl Extent {
    /// Adds it to extents that it follows, to the last of them if it follows that in the file too.
    pub(crate) fn add_to(self, extents: &mut Vec<Self>) {
        match extents.last_mut() {
            Some(last) if last.at + last.length == self.at => last.length += self.length,
            _ => extents.push(self),
        }
    }
}

/// An open file, and where in it the bytes are, in their order.
#[derive(Clone, Debug)]
pub(crate) struct FileBytes {
    file: Arc<File>,
    extents: Arc<[Extent]>,
}

impl FileBytes {
    pub(crate) fn new(file: Arc<File>, extents: Arc<[Extent]>) -> Self {
        Self { file, extents }
    }

    /// May block.
    pub(crate) fn read(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let (mut skip, mut rest) = (start, &mut bytes[..]);
        for extent in self.extents.iter() {
            if rest.is_empty() {
                break;
            }
            if skip >= extent.length {
                skip -= extent.length;
                continue;
            }
            let here = (extent.length - skip).min(rest.len() as u64) as usize;
            let (now, later) = rest.split_at_mut(here);
            read_at(&self.file, extent.at + skip, now)?;
            (skip, rest) = (0, later);
        }
        match rest.is_empty() {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut at: u64, mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                at += read as u64;
                bytes = &mut bytes[read..];
            }
        }
    }
    Ok(())
}
