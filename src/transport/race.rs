//! A connection to whichever of several addresses answers first: "Happy Eyeballs", RFC 8305.
//!
//! The attempts are sockets of this thread that never block, and are waited for together.

use std::fmt::Write as _;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockRef, Type};

use super::current::Current;
use super::origin::Origin;
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// How long an attempt has for itself before the next one begins beside it: what RFC 8305 recommends.
const DELAY: Duration = Duration::from_millis(250);

/// Attempts under way beyond which the oldest is given up for the next: each takes a descriptor, and an answer of the DNS
/// may have thousands of addresses.
const MAX_ATTEMPTS: usize = 32;

/// Addresses that an error names.
const MAX_NAMED: usize = 4;

/// An address, and why there is no connection to it.
type Failure = (SocketAddr, io::Error);

/// Connects to the first of these addresses that can be connected to, and says which it was.
pub(super) fn connect(
    host: &str,
    addresses: &[SocketAddr],
    origin: &Origin,
    current: &Current,
) -> Result<(TcpStream, SocketAddr), Error> {
    let mut waiting = addresses.iter();
    let mut attempts: Vec<(SocketAddr, TcpStream)> = Vec::new();
    let mut failures: Vec<Failure> = Vec::new();
    let mut next_at = Instant::now();
    loop {
        let patience = match current.patience() {
            Ok(patience) => patience,
            Err(e) if e.kind() == ErrorKind::Timeout && !attempts.is_empty() => {
                failures.extend(attempts.into_iter().map(no_answer));
                let message = format!("{e}: {}", tell(host, &failures));
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            Err(e) => return Err(e),
        };
        while attempts.is_empty() || next_at <= Instant::now() {
            let left = waiting.len();
            let Some(address) = waiting.next() else { break };
            match begin(*address, origin)? {
                Ok(stream) => {
                    if attempts.len() == MAX_ATTEMPTS {
                        failures.push(no_answer(attempts.remove(0)));
                    }
                    attempts.push((*address, stream));
                    // With little time, each address gets its share of it.
                    let share = current.time_left().map(|time| time / left as u32);
                    next_at = Instant::now() + share.map_or(DELAY, |share| share.min(DELAY));
                }
                Err(e) => failures.push((*address, e)),
            }
        }
        if attempts.is_empty() {
            return Err(unreachable(host, failures));
        }
        let patience = match waiting.len() {
            0 => patience,
            _ => patience.min(next_at.saturating_duration_since(Instant::now())),
        };
        let ready = poll_all(&attempts, patience).map_err(|e| {
            let message = format!("wait for {}: {e}", current.host());
            Error::new(ErrorKind::Internal, message).with_source(e)
        })?;
        let mut ready = ready.into_iter();
        for (address, stream) in attempts.extract_if(.., |_| ready.next() == Some(true)) {
            match SockRef::from(&stream).take_error() {
                Ok(None) => return Ok((stream, address)),
                Ok(Some(e)) | Err(e) => {
                    failures.push((address, e));
                    next_at = Instant::now();
                }
            }
        }
    }
}

/// Which of the attempts have ended, well or not.
fn poll_all(
    attempts: &[(SocketAddr, TcpStream)],
    patience: Duration,
) -> Result<Vec<bool>, rustix::io::Errno> {
    let polled = attempts.iter();
    let mut polled: Vec<_> = polled
        .map(|(_, stream)| PollFd::new(stream, PollFlags::OUT))
        .collect();
    let patience = Timespec::try_from(patience).unwrap_or_default();
    match poll(&mut polled, Some(&patience)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e),
    }
    let ready = polled.iter().map(|polled| !polled.revents().is_empty());
    Ok(ready.collect())
}

/// An error of the outer kind says that it would be the same with every address.
fn begin(address: SocketAddr, origin: &Origin) -> Result<io::Result<TcpStream>, Error> {
    // Whatever a fuzzer comes up with stays on its machine.
    if cfg!(fuzzing) && !address.ip().is_loopback() {
        return Ok(Err(io::ErrorKind::NetworkUnreachable.into()));
    }
    let socket = match new_socket(address) {
        Ok(socket) => socket,
        Err(e) => return Ok(Err(e)),
    };
    origin.bind(&socket, address)?;
    Ok(match socket.connect(&address.into()) {
        Err(e) if !goes_on(&e) => Err(e),
        _ => Ok(socket.into()),
    })
}

fn new_socket(address: SocketAddr) -> io::Result<socket2::Socket> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Head and body leave together; nothing is gained by holding either back.
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// The connection comes about meanwhile, also after a signal.
fn goes_on(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    ) || e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

fn no_answer((address, _): (SocketAddr, TcpStream)) -> Failure {
    (address, io::Error::other("no answer"))
}

fn unreachable(host: &str, mut failures: Vec<Failure>) -> Error {
    let message = tell(host, &failures);
    match failures.pop() {
        Some((_, e)) => Error::new(ErrorKind::Connect, message).with_source(e),
        None => Error::new(
            ErrorKind::Resolve,
            format!("resolve {host}: it has no address"),
        ),
    }
}

/// Which addresses were tried, and what became of each.
fn tell(host: &str, failures: &[Failure]) -> String {
    let is_literal =
        |address: &SocketAddr| host.trim_matches(['[', ']']) == address.ip().to_string();
    let mut text = match failures {
        [(address, _)] if is_literal(address) => "connect to".to_owned(),
        _ => format!("connect to {host} at"),
    };
    for (index, (address, e)) in failures.iter().take(MAX_NAMED).enumerate() {
        let begin = if index == 0 { " " } else { ", at " };
        let what = e.to_string().to_lowercase();
        let _ = write!(text, "{begin}{address}: {what}");
    }
    if failures.len() > MAX_NAMED {
        let _ = write!(text, ", and at {} more", failures.len() - MAX_NAMED);
    }
    text
}
