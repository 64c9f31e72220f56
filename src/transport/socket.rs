//! A TCP connection that never blocks for longer than the request allows.

use std::io::{self, IoSlice, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockRef, Type};

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
    /// Connects to one address within the limits of the request. With `candidates` addresses left to try,
    /// this one included, it may use its share of the time only.
    pub(super) fn connect(
        address: SocketAddr,
        candidates: usize,
        current: &Current,
    ) -> Result<io::Result<Socket>, Error> {
        let socket = match begin_to_connect(address) {
            Ok(stream) => Socket { stream, sent: 0 },
            Err(e) => return Ok(Err(e)),
        };
        // The first addresses get the most, the last one all that is left.
        let share = current.time_left().filter(|_| candidates > 1);
        let until = share.and_then(|left| Instant::now().checked_add(left / 2));
        if socket.wait_until(PollFlags::OUT, until, current)?.is_none() {
            return Ok(Err(io::ErrorKind::TimedOut.into()));
        }
        Ok(match SockRef::from(&socket.stream).take_error() {
            Ok(None) => Ok(socket),
            Ok(Some(e)) | Err(e) => Err(e),
        })
    }

    /// Waits until the socket can be written; true if something can be read meanwhile.
    pub(super) fn wait_to_write(&self, current: &Current) -> Result<bool, Error> {
        self.wait(PollFlags::OUT | PollFlags::IN, current)
    }

    /// Waits until something can be read.
    pub(super) fn wait_to_read(&self, current: &Current) -> Result<(), Error> {
        self.wait(PollFlags::IN, current).map(drop)
    }

    fn wait(&self, wanted: PollFlags, current: &Current) -> Result<bool, Error> {
        loop {
            if let Some(readable) = self.wait_until(wanted, None, current)? {
                return Ok(readable);
            }
        }
    }

    /// Whether the socket is readable, once it is ready; `None` when only this wait's own time is over.
    fn wait_until(
        &self,
        wanted: PollFlags,
        until: Option<Instant>,
        current: &Current,
    ) -> Result<Option<bool>, Error> {
        loop {
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(None);
            }
            let patience = Timespec::try_from(current.patience()?).unwrap_or_default();
            let mut sockets = [PollFd::new(&self.stream, wanted)];
            match poll(&mut sockets, Some(&patience)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => {
                    // An error or a hang-up shows itself to whoever reads or writes next.
                    let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
                    return Ok(Some(sockets[0].revents().intersects(readable)));
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

fn begin_to_connect(address: SocketAddr) -> io::Result<TcpStream> {
    // Whatever a fuzzer comes up with stays on its machine.
    if cfg!(fuzzing) && !address.ip().is_loopback() {
        return Err(io::ErrorKind::NetworkUnreachable.into());
    }
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Head and body leave together; nothing is gained by holding either back.
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        Err(e) if !goes_on(&e) => Err(e),
        _ => Ok(socket.into()),
    }
}

/// The connection comes about meanwhile, also after a signal.
fn goes_on(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    ) || e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
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
