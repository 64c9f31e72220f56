//! A file that is being written.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Vanishes when dropped, unless it was moved to its place.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    path: Option<PathBuf>,
}

impl NewFile {
    /// In the system's folder for temporary files. It vanishes with the process, however that ends.
    pub(super) fn without_name() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            path: None,
        })
    }

    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        Ok(Self {
            file: File::options()
                .create_new(true)
                .read(true)
                .write(true)
                .open(&path)?,
            path: Some(path),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Makes it visible under this name, whole.
    pub(super) fn move_to(&mut self, place: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, place)?;
            self.path = None;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(path);
        }
    }
}
