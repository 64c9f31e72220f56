//! A file that is being written, by one upload or by all parts of one at once.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Extent;

/// Vanishes when dropped, unless it was moved to its place.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: Arc<File>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    path: Option<PathBuf>,
    /// Behind all that is reserved. `None` once the file is whole.
    end: Option<u64>,
}

impl NewFile {
    /// In the system's folder for temporary files. It vanishes with the process, however that ends.
    pub(super) fn without_name() -> io::Result<Self> {
        Ok(Self::new(tempfile::tempfile()?, None))
    }

    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        let file = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)?;
        Ok(Self::new(file, Some(path)))
    }

    fn new(file: File, path: Option<PathBuf>) -> Self {
        let state = State { path, end: Some(0) };
        Self {
            file: Arc::new(file),
            state: Mutex::new(state),
        }
    }

    pub(super) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Room for one writer alone; what it does not use, it may [give back](Self::give_back).
    fn reserve(&self, length: u64) -> io::Result<u64> {
        let mut state = self.lock();
        let start = state.end.ok_or_else(is_whole)?;
        state.end = Some(start.checked_add(length).ok_or(ErrorKind::FileTooLarge)?);
        Ok(start)
    }

    /// Takes room back, unless other room was reserved behind it since.
    fn give_back(&self, start: u64, length: u64) {
        let mut state = self.lock();
        if state.end == Some(start + length) {
            state.end = Some(start);
        }
    }

    /// Writes the last bytes. Nobody can reserve room behind them.
    pub(super) fn seal(&self, tail: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let end = state.end.ok_or_else(is_whole)?;
        write_at(&self.file, end, tail)?;
        state.end = None;
        Ok(())
    }

    /// Makes it visible under this name, whole.
    pub(super) fn move_to(&self, place: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(path) = &state.path {
            fs::rename(path, place)?;
            state.path = None;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &state.path {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(path);
        }
    }
}

fn is_whole() -> io::Error {
    io::Error::other("the object of this file was stored meanwhile")
}

/// The room of the writers of a file is taken in pieces of this size at most: an announced length costs its sender nothing.
const LARGEST_ROOM: u64 = 64 * 1024 * 1024;
const ROOM_OF_UNKNOWN_LENGTH: u64 = 1024 * 1024;

/// Writes one body to its own extents of a file.
pub(super) struct Writer {
    file: Arc<NewFile>,
    extents: Vec<Extent>,
    /// What is still to come, as it was announced.
    expected: Option<u64>,
    room_at: u64,
    room: u64,
}

impl Writer {
    pub(super) fn new(file: Arc<NewFile>, expected: Option<u64>) -> Self {
        Self {
            file,
            extents: Vec::new(),
            expected,
            room_at: 0,
            room: 0,
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.room == 0 {
                let wanted = self.expected.unwrap_or(ROOM_OF_UNKNOWN_LENGTH);
                self.room = wanted.clamp(bytes.len() as u64, LARGEST_ROOM);
                self.room_at = self.file.reserve(self.room)?;
            }
            let length = bytes.len().min(self.room as usize);
            let (now, later) = bytes.split_at(length);
            write_at(&self.file.file, self.room_at, now)?;
            let written = Extent {
                at: self.room_at,
                length: length as u64,
            };
            written.add_to(&mut self.extents);
            self.room_at += written.length;
            self.room -= written.length;
            self.expected = self.expected.map(|all| all.saturating_sub(written.length));
            bytes = later;
        }
        Ok(())
    }

    /// The file, and where in it the bytes are, in their order.
    pub(super) fn finish(mut self) -> (Arc<NewFile>, Vec<Extent>) {
        (Arc::clone(&self.file), std::mem::take(&mut self.extents))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.room > 0 {
            self.file.give_back(self.room_at, self.room);
        }
    }
}

#[cfg(unix)]
fn write_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        at += written as u64;
        bytes = &bytes[written..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::FileBytes;

    #[test]
    fn writers_of_one_file_do_not_meet() {
        let file = Arc::new(NewFile::without_name().unwrap());
        let mut writers = [None, Some(7), Some(1 << 40)].map(|expected| {
            let writer = Writer::new(Arc::clone(&file), expected);
            (writer, Vec::new())
        });
        for round in 0..40u8 {
            for (number, (writer, written)) in writers.iter_mut().enumerate() {
                let bytes = vec![round * 3 + number as u8; 40_000 + usize::from(round)];
                writer.write(&bytes).unwrap();
                written.extend(bytes);
            }
        }
        for (writer, written) in writers {
            let (file, extents) = writer.finish();
            let bytes = FileBytes::new(Arc::clone(file.file()), extents.into());
            assert!(bytes.read(0, written.len() + 1).is_err());
            assert!(bytes.read(0, written.len()).unwrap() == written);
            let (from, to) = (39_999, 1_100_000);
            let part = bytes.read(from, to - from as usize).unwrap();
            assert!(part == written[from as usize..to]);
        }
    }

    #[test]
    fn nothing_comes_behind_the_seal() {
        let file = Arc::new(NewFile::without_name().unwrap());
        let mut early = Writer::new(Arc::clone(&file), Some(10));
        early.write(b"hello").unwrap();
        file.seal(b"tail").unwrap();
        early.write(b"world").unwrap();
        let mut late = Writer::new(Arc::clone(&file), None);
        assert!(late.write(b"x").is_err() && file.seal(b"again").is_err());
        assert_eq!(file.file().metadata().unwrap().len(), 14);
        let extents = [Extent { at: 0, length: 14 }];
        let bytes = FileBytes::new(Arc::clone(file.file()), extents.into());
        assert_eq!(bytes.read(0, 14).unwrap(), b"helloworldtail");
    }

    #[test]
    fn room_that_is_not_used_is_given_back() {
        let file = Arc::new(NewFile::without_name().unwrap());
        for (expected, at) in [(None, 0), (Some(1000), 5), (Some(5), 10)] {
            let mut writer = Writer::new(Arc::clone(&file), expected);
            writer.write(b"hello").unwrap();
            let (_, extents) = writer.finish();
            assert_eq!(extents, [Extent { at, length: 5 }]);
        }
    }
}
