//! A TCP connection that never blocks for longer than the request allows.

use std::io::{self, IoSlice, Read};
use std::net::TcpStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use super::current::Current;
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

    /// Waits until the socket can be written; true if something can be read meanwhile.
    pub(super) fn wait_to_write(&self, current: &Current) -> Result<bool, Error> {
        self.wait(PollFlags::OUT | PollFlags::IN, current)
    }

    /// Waits until something can be read.
    pub(super) fn wait_to_read(&self, current: &Current) -> Result<(), Error> {
        self.wait(PollFlags::IN, current).map(drop)
    }

    /// Whether the socket is readable, once it is ready.
    fn wait(&self, wanted: PollFlags, current: &Current) -> Result<bool, Error> {
        loop {
            let patience = Timespec::try_from(current.patience()?).unwrap_or_default();
            let mut sockets = [PollFd::new(&self.stream, wanted)];
            match poll(&mut sockets, Some(&patience)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => {
                    // An error or a hang-up shows itself to whoever reads or writes next.
                    let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
                    return Ok(sockets[0].revents().intersects(readable));
                }
                Err(e) => {
                    let message = format!("wait for {}: {e}", current.host());
                    return Err(Error::new(ErrorKind::Internal, message).with_source(e));
                }
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
