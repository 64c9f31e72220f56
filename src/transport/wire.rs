//! Bytes over one connection, in the clear or through TLS, with an eye on answers that come early.

use std::io::{self, IoSlice};

use super::INPUT_BUFFER_LEN;
use super::current::{Current, Phase};
use super::framing;
use super::hidden;
use super::socket::Socket;
#[cfg(feature = "tls")]
use super::tls::TlsSession;
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// What may come before it is taken for an answer whatever it is.
const MAX_EARLY_LEN: usize = 64 * 1024;

/// Interim answers (1xx) that are skipped; a server that sends more is up to no good.
const MAX_INTERIM: usize = 100;

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    #[cfg(feature = "tls")]
    tls: Option<Box<TlsSession>>,
    /// What the socket will have sent, about, once all that was handed over is sent.
    due: u64,
    /// What had left at the last look.
    left: u64,
    /// What came while a body was still going out, and the beginning of an answer.
    received: Vec<u8>,
    interim: usize,
    /// The answer has begun, interim ones are behind.
    answering: bool,
    /// It has served a request before this one.
    used: bool,
    /// The connection cannot serve another request.
    spent: bool,
    /// The answer to this request, or the end of the connection, is there.
    answered: bool,
    /// Why the last write failed; told when no answer explains it.
    write_error: Option<io::Error>,
    /// Why nothing more can be read, found while an answer was looked for; told to whoever reads next.
    read_error: Option<io::Error>,
}

/// What was there to be read.
#[derive(PartialEq)]
enum Heard {
    Nothing,
    /// The beginning of an answer that is none of the interim ones.
    Answer,
    End,
    Broken,
}

/// Why nothing could be read.
#[derive(Debug)]
pub(super) enum ReceiveError {
    /// The connection broke.
    Lost(io::Error),
    /// The request must end.
    Stopped(Error),
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Wire {
        Wire {
            socket,
            #[cfg(feature = "tls")]
            tls: None,
            due: 0,
            left: 0,
            received: Vec::new(),
            interim: 0,
            answering: false,
            used: false,
            spent: false,
            answered: false,
            write_error: None,
            read_error: None,
        }
    }

    /// Puts TLS on top of the connection and completes the handshake.
    #[cfg(feature = "tls")]
    pub(super) fn secure(&mut self, session: TlsSession, current: &Current) -> Result<(), Error> {
        let session = self.tls.insert(Box::new(session));
        while session.is_handshaking() {
            current.patience()?;
            match session.shake_hands(&mut self.socket) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if session.wants_write() {
                        self.socket.wait_to_write(current)?;
                    } else {
                        self.socket.wait_to_read(current)?;
                    }
                }
                Err(e) => return Err(super::tls::handshake_error(current.host(), e)),
            }
        }
        Ok(())
    }

    pub(super) fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Another request begins.
    pub(super) fn begin(&mut self) {
        self.interim = 0;
        self.answering = false;
        self.answered = false;
    }

    /// Before the first byte of a request: whatever came already is no answer to it, and ends the connection.
    pub(super) fn expect_silence(&mut self, current: &Current) -> Result<(), Error> {
        let host = current.host();
        let (kind, message) = match self.pull(&mut [0]) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && self.received.is_empty() => {
                return Ok(());
            }
            Ok(0) => (
                ErrorKind::ConnectionLost,
                format!("{host} closed the connection before the request was sent"),
            ),
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => {
                self.spent = true;
                // TLS 1.3 may tell now that a client certificate was wanted.
                if let Some(refusal) = self.refusal(current) {
                    return Err(refusal);
                }
                let what = e.to_string().to_lowercase();
                let message = format!("connection to {host}, before the request was sent: {what}");
                let kind = match e.kind() {
                    io::ErrorKind::InvalidData if !self.used => ErrorKind::Tls,
                    _ => ErrorKind::ConnectionLost,
                };
                (kind, message)
            }
            // An earlier answer may have gone on, or the server have given up on an idle connection.
            _ if self.used => (
                ErrorKind::ConnectionLost,
                format!("{host} said something on the open connection before the request was sent"),
            ),
            _ => (
                ErrorKind::Protocol,
                format!("{host} answered before the request was sent"),
            ),
        };
        self.spent = true;
        Err(Error::new(kind, message))
    }

    /// Sends everything, then true, unless an answer comes first or the peer has gone: then the request is
    /// early, and whoever reads next finds out what there is.
    pub(super) fn send(&mut self, parts: [&[u8]; 2], current: &Current) -> Result<bool, Error> {
        let mut accepted = 0;
        self.hand_over(parts[0].len() + parts[1].len());
        while !current.early.get() {
            if self.send_some(parts, &mut accepted, current)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// So many bytes more are to be sent.
    pub(super) fn hand_over(&mut self, bytes: usize) {
        // At most what TLS adds to its records, of up to 16 KiB: 29 bytes each.
        let added = match self.is_secure() {
            true => bytes / 512 + 64,
            false => 0,
        };
        self.due = self.due.max(self.socket.sent()) + (bytes + added) as u64;
    }

    /// Sends as much as the system takes without a pause that is worth telling of; true when that was everything. Otherwise
    /// `accepted` bytes need not be given again, or the request is early, as above.
    pub(super) fn send_some(
        &mut self,
        parts: [&[u8]; 2],
        accepted: &mut usize,
        current: &Current,
    ) -> Result<bool, Error> {
        while !current.early.get() {
            match self.push(parts, accepted) {
                Ok(true) => {
                    self.due = self.socket.sent();
                    self.take_stock(current);
                    return Ok(true);
                }
                Ok(false) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    let readable = self.socket.glance(true, current)?;
                    if readable == Some(true) {
                        self.look_for_answer(current);
                    }
                    self.take_stock(current);
                    if readable.is_none() {
                        self.socket.is_slow();
                        return Ok(false);
                    }
                }
                Err(e) => {
                    self.write_error = Some(e);
                    self.end_early(current);
                }
            }
            current.patience()?;
        }
        Ok(false)
    }

    /// Waits a little for the bandwidth, whose time does not count. An answer that comes meanwhile is noticed, if it may.
    pub(super) fn pause(&mut self, listen: bool, current: &Current) -> Result<(), Error> {
        let pause = current.pause.get().min(current.patience()?);
        current.leave();
        let mut readable = false;
        if listen {
            readable = self.socket.listen(pause, current)?;
        } else {
            std::thread::sleep(pause);
        }
        current.come_back()?;
        if readable {
            self.look_for_answer(current);
        }
        self.take_stock(current);
        Ok(())
    }

    /// Looks how much has left.
    fn take_stock(&mut self, current: &Current) {
        let (sent, waiting) = (self.socket.sent(), self.socket.waiting());
        let left = sent.saturating_sub(waiting);
        let behind = self.due.saturating_sub(sent) + waiting;
        current.took_stock(left.saturating_sub(self.left), behind);
        self.left = left;
    }

    /// Sends what can be sent now; true when that was everything. `accepted` bytes are on their way or in
    /// TLS's buffer already.
    fn push(&mut self, [head, body]: [&[u8]; 2], accepted: &mut usize) -> io::Result<bool> {
        let rest = [
            IoSlice::new(head.get(*accepted..).unwrap_or_default()),
            IoSlice::new(&body[accepted.saturating_sub(head.len())..]),
        ];
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.tls {
            *accepted += session.encrypt(&rest)?;
            session.flush(&mut self.socket)?;
            return Ok(*accepted == head.len() + body.len());
        }
        *accepted += self.socket.send(&rest)?;
        Ok(*accepted == head.len() + body.len())
    }

    /// Looks without waiting whether an answer came already.
    pub(super) fn look_for_answer(&mut self, current: &Current) {
        match self.hear() {
            Heard::Nothing => return,
            Heard::Answer | Heard::End => {}
            Heard::Broken => current.reset.set(true),
        }
        self.end_early(current);
    }

    /// Takes what has come.
    fn hear(&mut self) -> Heard {
        loop {
            match self.pull_some() {
                Ok(0) => return Heard::End,
                Ok(_) if self.has_final_answer() => return Heard::Answer,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Heard::Nothing,
                Err(e) => {
                    self.read_error = Some(e);
                    return Heard::Broken;
                }
            }
        }
    }

    /// Adds some of what is there now to what was received.
    fn pull_some(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let count = self.pull(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..count]);
        Ok(count)
    }

    /// Waits for the answer, for one look at most; true once it has begun, or the connection has ended.
    pub(super) fn answer_begins(&mut self, current: &Current) -> Result<bool, Error> {
        if self.answered || self.has_final_answer() {
            return Ok(true);
        }
        // It is rarely there already. Under TLS it may be, decrypted with what came before.
        let mut heard = match self.is_secure() {
            true => self.hear(),
            false => Heard::Nothing,
        };
        if heard == Heard::Nothing && self.socket.glance(false, current)?.is_some() {
            heard = self.hear();
        }
        self.take_stock(current);
        self.answered = heard != Heard::Nothing;
        Ok(self.answered)
    }

    /// Drops interim answers; true when something else is there.
    fn has_final_answer(&mut self) -> bool {
        /// `HTTP/1.1 100`
        const STATUS: std::ops::Range<usize> = 9..12;
        loop {
            if self.received.len() > MAX_EARLY_LEN || self.interim > MAX_INTERIM {
                return true;
            }
            match self.received.get(STATUS) {
                // Too short to tell.
                None => return false,
                // Nothing follows it that would be HTTP.
                Some(b"101") => return true,
                Some([b'1', ..]) if self.received.starts_with(b"HTTP/1.") => {}
                Some(_) => return true,
            }
            let Some(len) = head_len(&self.received) else {
                return false;
            };
            self.received.drain(..len);
            self.interim += 1;
        }
    }

    fn end_early(&mut self, current: &Current) {
        current.early.set(true);
        self.spent = true;
    }

    /// Waits for bytes and reads some; 0 at the end of the connection. Interim answers are skipped: they say
    /// nothing that is wanted here, and ureq refuses some that have headers.
    pub(super) fn receive(
        &mut self,
        buffer: &mut [u8],
        current: &Current,
    ) -> Result<usize, ReceiveError> {
        if current.phase() == Phase::Waiting && !self.answering {
            while !self.answer_begins(current).map_err(ReceiveError::Stopped)? {}
            self.read_head(current)?;
            self.answering = true;
            self.used = true;
        }
        if !self.received.is_empty() {
            let count = self.received.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.received[..count]);
            self.received.drain(..count);
            return Ok(count);
        }
        self.read(buffer, current)
    }

    /// Waits for all of the answer's head, or the end of the connection.
    fn read_head(&mut self, current: &Current) -> Result<(), ReceiveError> {
        let mut buffer = [0; 4096];
        while !self.has_final_answer() {
            match self.read(&mut buffer, current)? {
                0 => return Ok(()),
                count => self.received.extend_from_slice(&buffer[..count]),
            }
        }
        // What is no HTTP at all, or has no end, ureq refuses. The rest is looked at before ureq reads it.
        while self.received.starts_with(b"HTTP/1.") {
            if let Some(len) = head_len(&self.received) {
                return match framing::check(&self.received[..len]) {
                    Ok(is_from_oss) => {
                        // OSS's own answer may still come after somebody else's: no other request may get it.
                        self.spent |= !is_from_oss;
                        hidden::hide(&mut self.received[..len]);
                        Ok(())
                    }
                    Err(problem) => {
                        self.spent = true;
                        let host = current.host();
                        let message =
                            format!("{host} answers in HTTP that cannot be relied on: {problem}");
                        let error = Error::new(ErrorKind::Protocol, message);
                        Err(ReceiveError::Stopped(error))
                    }
                };
            }
            if self.received.len() >= INPUT_BUFFER_LEN {
                break;
            }
            match self.read(&mut buffer, current)? {
                0 => break,
                count => self.received.extend_from_slice(&buffer[..count]),
            }
        }
        Ok(())
    }

    /// Waits for bytes and reads some; 0 at the end of the connection.
    fn read(&mut self, buffer: &mut [u8], current: &Current) -> Result<usize, ReceiveError> {
        if let Some(e) = self.read_error.take() {
            return Err(self.lost(e, current));
        }
        loop {
            current.patience().map_err(ReceiveError::Stopped)?;
            match self.pull(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.socket
                        .wait_to_read(current)
                        .map_err(ReceiveError::Stopped)?;
                }
                Err(e) => return Err(self.lost(e, current)),
                Ok(0) => {
                    self.spent = true;
                    return self
                        .write_error
                        .take()
                        .map_or(Ok(0), |e| Err(ReceiveError::Lost(e)));
                }
                Ok(count) => {
                    current.moved(count as u64);
                    return Ok(count);
                }
            }
        }
    }

    /// What ends a request whose answer cannot be read.
    fn lost(&mut self, e: io::Error, current: &Current) -> ReceiveError {
        self.spent = true;
        match self.refusal(current) {
            Some(refusal) => {
                current.refused.set(true);
                ReceiveError::Stopped(refusal)
            }
            None => ReceiveError::Lost(self.write_error.take().unwrap_or(e)),
        }
    }

    /// The server has not accepted the TLS handshake, and said so in place of an answer.
    #[cfg(feature = "tls")]
    fn refusal(&self, current: &Current) -> Option<Error> {
        self.tls.as_ref()?.refusal(current.host())
    }

    #[cfg(not(feature = "tls"))]
    fn refusal(&self, _: &Current) -> Option<Error> {
        None
    }

    /// Reads what is there now.
    fn pull(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.tls {
            return session.decrypt(&mut self.socket, buffer);
        }
        self.socket.receive(buffer)
    }

    /// Whether another request may be sent, as far as this side knows.
    pub(super) fn is_reusable(&self) -> bool {
        !self.spent && self.received.is_empty()
    }

    /// Whether the connection can serve another request. An idle one is probed with one call.
    pub(super) fn is_open(&mut self) -> bool {
        if !self.is_reusable() {
            return false;
        }
        #[cfg(feature = "tls")]
        if let Some(session) = &mut self.tls {
            // Session tickets may be waiting: they are not an end.
            let probe = session.decrypt(&mut self.socket, &mut [0]);
            return probe.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
        }
        self.socket.is_silent()
    }
}

/// The length of the head at the beginning; its lines may end with LF alone, as ureq allows it.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut line_ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    line_ends.find_map(|(index, _)| match &bytes[index + 1..] {
        [b'\n', ..] => Some(index + 2),
        [b'\r', b'\n', ..] => Some(index + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        for (bytes, len) in [
            ("", None),
            ("a\r\nb\r\n\r", None),
            ("a\r\nb\r\n\r\nc", Some(8)),
            ("a\nb\n\nc\r\n\r\n", Some(5)),
            ("a\n\r\n", Some(4)),
        ] {
            assert_eq!(head_len(bytes.as_bytes()), len, "{bytes:?}");
        }
    }
}
