//! A TCP connection that never blocks for longer than the request allows.

use std::io::{self, IoSlice, Read};
use std::net::TcpStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use super::current::Current;
use super::queue;
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// Keeps a broken connection from raising SIGPIPE, which would end a C program.
#[cfg(not(any(target_vendor = "apple", windows)))]
const SEND_FLAGS: i32 = rustix::net::SendFlags::NOSIGNAL.bits() as i32;
/// There socket2 tells the socket itself when it makes it, or there is no such signal.
#[cfg(any(target_vendor = "apple", windows))]
const SEND_FLAGS: i32 = 0;

/// A connection in non-blocking mode.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// Bytes that the system took so far.
    sent: u64,
}

impl Socket {
    /// A connection that has come about.
    pub(super) fn new(stream: TcpStream) -> Socket {
        Socket { stream, sent: 0 }
    }

    /// Waits until the socket can be written.
    #[cfg(feature = "tls")]
    pub(super) fn wait_to_write(&self, current: &Current) -> Result<(), Error> {
        self.wait(PollFlags::OUT, current).map(drop)
    }

    /// Waits for one look at most; true if something can be read, `None` when neither reading nor, if that is wanted,
    /// writing is possible yet.
    pub(super) fn glance(&self, write: bool, current: &Current) -> Result<Option<bool>, Error> {
        let wanted = match write {
            true => PollFlags::OUT | PollFlags::IN,
            false => PollFlags::IN,
        };
        self.poll(wanted, current.patience()?, current)
    }

    /// Waits for so long at most; whether something can be read.
    pub(super) fn listen(&self, pause: Duration, current: &Current) -> Result<bool, Error> {
        let readable = self.poll(PollFlags::IN, pause, current)?;
        Ok(readable.unwrap_or(false))
    }

    /// Waits until something can be read.
    pub(super) fn wait_to_read(&self, current: &Current) -> Result<(), Error> {
        self.wait(PollFlags::IN, current).map(drop)
    }

    /// Whether the socket is readable, once it is ready.
    fn wait(&self, wanted: PollFlags, current: &Current) -> Result<bool, Error> {
        loop {
            if let Some(readable) = self.poll(wanted, current.patience()?, current)? {
                return Ok(readable);
            }
        }
    }

    /// Waits once; `None` if that was in vain.
    fn poll(
        &self,
        wanted: PollFlags,
        patience: Duration,
        current: &Current,
    ) -> Result<Option<bool>, Error> {
        let patience = Timespec::try_from(patience).unwrap_or_default();
        let mut sockets = [PollFd::new(&self.stream, wanted)];
        match poll(&mut sockets, Some(&patience)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(None),
            Ok(_) => {
                // An error or a hang-up shows itself to whoever reads or writes next.
                let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
                Ok(Some(sockets[0].revents().intersects(readable)))
            }
            Err(e) => {
                let message = format!("wait for {}: {e}", current.host());
                Err(Error::new(ErrorKind::Internal, message).with_source(e))
            }
        }
    }

    /// Sends what the system takes now.
    pub(super) fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = SockRef::from(&self.stream);
        let count = retry_interrupted(|| socket.send_vectored_with_flags(parts, SEND_FLAGS))?;
        #[cfg(fuzzing)]
        if self.sent == 0 {
            super::fuzzed::first_bytes_sent();
        }
        self.sent += count as u64;
        Ok(count)
    }

    /// Bytes that the system took so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Notes that the line is slow.
    pub(super) fn is_slow(&self) {
        queue::keep_short(&SockRef::from(&self.stream));
    }

    /// Bytes of those that have not left.
    pub(super) fn waiting(&self) -> u64 {
        queue::waiting(&self.stream)
    }

    /// Reads what is there now.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry_interrupted(|| (&self.stream).read(buffer))
    }

    /// Whether an idle connection is still good: nothing to be read, not even its end.
    pub(super) fn is_silent(&self) -> bool {
        let probe = retry_interrupted(|| self.stream.peek(&mut [0]));
        probe.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }
}

/// No signal handler of the host shows through.
pub(super) fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
