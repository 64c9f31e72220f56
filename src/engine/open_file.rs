//! A regular file that is uploaded: read from an open handle, so that its name does not matter, and compared at the end
//! with what it was when the upload began.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::crc64::Crc64;
use crate::outcome::error::Result;
use crate::transport::{Reader, RewindableReader};

/// File systems take the time of a change from a clock that moves every 1 to 10 ms.
const TICK: Duration = Duration::from_millis(10);

/// A file of this size is read at once or nearly so: there is no point in waiting for a tick.
const READ_AT_ONCE: u64 = 128 * 1024;

/// What changes with a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) len: u64,
    /// When its contents changed last, in nanoseconds since 1970; programs can set it.
    pub(crate) modified: u64,
    /// When anything about it changed last, its name, mode and `modified` included; nothing can set it. Zero where the
    /// system does not say.
    pub(crate) changed: u64,
}

impl FileState {
    fn of(metadata: &Metadata) -> FileState {
        let time = metadata.modified().ok();
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        FileState {
            len: metadata.len(),
            modified: since.map_or(0, nanoseconds),
            changed: changed(metadata),
        }
    }

    /// Of a file that is about to be read. When it was changed in this very tick of the clock, another change could leave
    /// its times as they are, so the tick is let pass first.
    fn before_reading(file: &File) -> io::Result<FileState> {
        let mut state = FileState::of(&file.metadata()?);
        // A file that somebody keeps writing to is not waited for.
        for _ in 0..3 {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let newest = state.modified.max(state.changed);
            // One in the future is by another clock.
            let age = now.map_or(0, nanoseconds).checked_sub(newest);
            let wait = age.and_then(|age| TICK.checked_sub(Duration::from_nanos(age)));
            let Some(wait) = wait.filter(|_| state.len > READ_AT_ONCE) else {
                break;
            };
            thread::sleep(wait);
            state = FileState::of(&file.metadata()?);
        }
        Ok(state)
    }

    /// Whether the file still holds what it held then. When all that differs is a time that changes with its name, its
    /// mode or its other time, too, the contents are compared by `same_contents`.
    pub(crate) fn still_holds(
        &self,
        file: &File,
        same_contents: impl FnOnce() -> io::Result<bool>,
    ) -> io::Result<bool> {
        let now = FileState::of(&file.metadata()?);
        if now == *self {
            return Ok(true);
        }
        if (now.len, now.modified) != (self.len, self.modified) {
            return Ok(false);
        }
        Ok(same_contents()? && FileState::of(&file.metadata()?) == now)
    }
}

fn nanoseconds(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
    let nanoseconds = u64::try_from(metadata.ctime_nsec()).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> u64 {
    0
}

/// A file, or what follows a position in it, as the body of an upload.
pub(crate) struct OpenFile {
    pub(crate) file: File,
    pub(crate) state: FileState,
    /// Where the body begins, and where it is read next.
    start: u64,
    position: u64,
}

impl OpenFile {
    /// A regular file from an offset on.
    pub(crate) fn new(file: File, start: u64) -> io::Result<OpenFile> {
        Ok(OpenFile {
            state: FileState::before_reading(&file)?,
            file,
            start,
            position: start,
        })
    }

    /// The same file from another offset on.
    pub(crate) fn from(mut self, start: u64) -> OpenFile {
        (self.start, self.position) = (start, start);
        self
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// How many bytes there are from the offset on.
    pub(crate) fn len(&self) -> u64 {
        self.state.len.saturating_sub(self.start)
    }

    /// Whether it has contents in spite of a length of 0, as files of /proc do.
    pub(crate) fn hides_its_length(&self) -> io::Result<bool> {
        Ok(self.state.len == 0 && read_at(&self.file, &mut [0], self.start)? > 0)
    }
}

impl Reader for OpenFile {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }

    fn holds_still(
        &mut self,
        crc64: u64,
        patience: &mut dyn FnMut() -> Result<()>,
    ) -> io::Result<bool> {
        let read = self.position - self.start;
        self.state.still_holds(&self.file, || {
            Ok(crc64_of(&self.file, self.start, read, patience)? == crc64)
        })
    }
}

impl RewindableReader for OpenFile {
    fn seek_to(&mut self, position: SeekFrom) -> io::Result<u64> {
        FileAt::new(&self.file, self.position)
            .seek(position)
            .inspect(|position| self.position = *position)
    }
}

/// The CRC-64 of a piece of a file. An error of `patience` is passed on as that of the reader.
pub(crate) fn crc64_of(
    file: &File,
    offset: u64,
    len: u64,
    patience: &mut dyn FnMut() -> Result<()>,
) -> io::Result<u64> {
    let mut crc64 = Crc64::new();
    let mut piece = FileAt::new(file, offset).take(len);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        patience().map_err(io::Error::other)?;
        match piece.read(&mut buffer) {
            Ok(0) => return Ok(crc64.value()),
            Ok(count) => crc64.update(&buffer[..count]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Reads a file that others read, too.
pub(crate) struct FileAt<'a> {
    file: &'a File,
    position: u64,
}

impl<'a> FileAt<'a> {
    pub(crate) fn new(file: &'a File, position: u64) -> FileAt<'a> {
        FileAt { file, position }
    }
}

impl Read for FileAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(self.file, buffer, self.position)?;
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

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}
