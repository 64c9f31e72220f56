//! A file descriptor that C lends.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::FromRawFd;

use libc::c_int;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::engine::open_file::OpenFile;
use crate::{Error, ErrorKind, Result};

/// A file behind a descriptor of the caller's.
pub(super) enum Descriptor {
    /// A regular file, read without moving the position that it shares with the caller's descriptor.
    Regular(OpenFile),
    /// A pipe, a socket, a device: read once.
    Stream(Stream),
}

impl Descriptor {
    /// Duplicates the descriptor: the caller's stays open, and may be closed meanwhile.
    pub(super) fn new(fd: c_int) -> Result<Descriptor> {
        if fd < 0 {
            return Err(Error::argument(format!("`fd` is {fd}")));
        }
        // SAFETY: duplicates a descriptor if there is one; the kernel looks after itself.
        let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if copy < 0 {
            return Err(unreadable(fd, io::Error::last_os_error()));
        }
        // SAFETY: new, open, and nobody else's.
        let mut file = unsafe { File::from_raw_fd(copy) };
        let metadata = file.metadata().map_err(|e| unreadable(fd, e))?;
        if !metadata.is_file() {
            // SAFETY: looks at a descriptor that is open.
            let flags = unsafe { libc::fcntl(copy, libc::F_GETFL) };
            if flags & libc::O_ACCMODE == libc::O_WRONLY {
                // The wrong end of a pipe would be waited for in vain.
                return Err(unreadable(fd, io::Error::from_raw_os_error(libc::EBADF)));
            }
            return Ok(Descriptor::Stream(Stream(file)));
        }
        let position = file.stream_position().map_err(|e| unreadable(fd, e))?;
        let file = OpenFile::new(file, position).map_err(|e| unreadable(fd, e))?;
        Ok(Descriptor::Regular(file))
    }
}

/// How many bytes a regular file has from its position on.
pub(super) fn len_of(file: &OpenFile) -> Result<u64> {
    let hides_its_length = file.hides_its_length().map_err(|e| {
        let message = format!("look at the file: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
    })?;
    // An empty object in its place would be a silent loss.
    if hides_its_length {
        let message = "the file has contents, but says that it is empty";
        return Err(Error::new(ErrorKind::BodyChanged, message));
    }
    Ok(file.len())
}

fn unreadable(fd: c_int, e: io::Error) -> Error {
    let message = format!("use descriptor {fd}: {}", e.to_string().to_lowercase());
    Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
}

/// A pipe, a socket, a device.
pub(super) struct Stream(File);

impl Read for Stream {
    /// Does not wait for long: where there is nothing yet, the upload's limits must have their say.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let slice = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&slice))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => self.0.read(buffer),
        }
    }
}
