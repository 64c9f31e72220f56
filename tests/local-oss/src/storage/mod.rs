//! Where the bytes of objects are: small ones in memory, large ones in files, with a data directory all in files that
//! outlive the program.

mod collector;
mod contents;
mod data_dir;
mod file_bytes;
mod new_file;
mod spool;

use std::{io, sync::Arc};

pub(crate) use collector::{Collector, Trouble};
pub(crate) use contents::{Contents, Source};
pub(crate) use data_dir::{DataDir, tail};
pub(crate) use file_bytes::{Extent, FileBytes};
use new_file::NewFile;
pub(crate) use spool::{Joined, Spool};

/// Objects are received and kept in pieces of at most this size, so that a growing one is never copied whole. Large enough to
/// be worth another thread's while, small enough to be still in the cache when that thread hashes it.
const SEGMENT: usize = 256 * 1024;

/// The place for files, and which objects are in them.
#[derive(Clone, Debug)]
pub(crate) enum Storage {
    /// Objects larger than [`Collector::LARGEST_IN_MEMORY`] and those made of parts, in files without a name.
    Temporary,
    /// All objects.
    Kept(Arc<DataDir>),
}

impl Storage {
    /// May block.
    fn create(&self) -> io::Result<NewFile> {
        match self {
            Self::Temporary => NewFile::without_name(),
            Self::Kept(folder) => folder.create(),
        }
    }
}
