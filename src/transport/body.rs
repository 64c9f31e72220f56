//! The body on its way out: counted, checksummed, and never shorter or longer than announced.

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::bandwidth::Bandwidth;
use super::current::{Current, Output};
use super::socket::retry_interrupted;
use crate::base::crc64::Crc64;
use crate::outcome::error::Error;
use crate::outcome::unsettled::Contents;
use crate::outcome::verdict::ErrorKind;

/// Before a reader that had nothing to give is asked again.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// Told how much has left this machine, and of how much, if that is known.
pub(crate) type Progress<'a> = dyn FnMut(u64, Option<u64>) + 'a;

/// What is asked of a reader. `dyn Read` would have all of its ten functions compiled, for every reader there is.
pub(crate) trait Reader {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Asked once everything was read, and before the last of it is sent: whether what was read, which has this CRC-64, is
    /// what was there at one moment. An error of `patience` ends the request.
    fn holds_still(
        &mut self,
        _crc64: u64,
        _patience: &mut dyn FnMut() -> Result<(), Error>,
    ) -> io::Result<bool> {
        Ok(true)
    }
}

/// A reader that can be rewound.
pub(crate) trait RewindableReader: Reader {
    fn seek_to(&mut self, position: SeekFrom) -> io::Result<u64>;
}

impl<T: Read + Seek> RewindableReader for T {
    fn seek_to(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.seek(position)
    }
}

impl<T: Read> Reader for T {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }
}

/// What a request sends.
pub(crate) struct Body<'a> {
    pub(crate) reader: &'a mut dyn Reader,
    /// Unknown means that it is sent in chunks.
    pub(crate) len: Option<u64>,
    /// Nothing may follow after `len` bytes.
    pub(crate) ends: bool,
    /// Names the reader in errors.
    pub(crate) name: &'a str,
    pub(crate) progress: &'a mut Progress<'a>,
    pub(crate) bandwidth: Option<Bandwidth>,
}

/// Hands a body to ureq.
///
/// ureq would spin for ever on a reader that ends early, and cut one that goes on; both are errors here,
/// and found before the last block leaves, so that nothing is stored.
pub(super) struct Outgoing<'a> {
    body: Option<Body<'a>>,
    current: Rc<Current>,
    /// What was read from the caller, and what ureq was told of it: more, once nothing is sent any more, and until all has
    /// left a byte less, so that ureq goes on asking.
    sent: u64,
    announced: u64,
    /// What the caller's hook was told last.
    told: u64,
    /// All was read.
    complete: bool,
    /// So many bytes may be read next, and when, by the bandwidth.
    reserved: Option<(usize, Instant)>,
    crc64: Crc64,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(body: Option<Body<'a>>, current: Rc<Current>) -> Outgoing<'a> {
        Outgoing {
            body,
            current,
            sent: 0,
            announced: 0,
            told: 0,
            complete: false,
            reserved: None,
            crc64: Crc64::new(),
        }
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// What was read so far.
    pub(super) fn sent(&self) -> Contents {
        Contents {
            size: self.sent,
            crc64: self.crc64.value(),
        }
    }

    /// Tells the caller's hook what has left since it was told last.
    fn report(&mut self) -> Result<(), Error> {
        let left = self.sent.saturating_sub(self.current.behind());
        let Some(body) = self.body.as_mut().filter(|_| left > self.told) else {
            return Ok(());
        };
        self.told = left;
        self.current.leave();
        (body.progress)(left, body.len);
        self.current.come_back()?;
        self.current.patience().map(drop)
    }

    /// Puts the next block into the buffer, or nothing if it is the connection's turn, and says what ureq is to count of it.
    fn turn(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.current.early.get() {
            // The answer is there already, so there is no need to read the rest: nothing of it is sent.
            return Ok(self.announce_rest(buffer));
        }
        self.report()?;
        if self.current.unsent.get() {
            return Ok(self.pass(buffer));
        }
        if self.complete {
            return Ok(
                match self.current.behind() > 0 && !self.current.answered.get() {
                    true => self.pass(buffer),
                    false => self.announce_rest(buffer),
                },
            );
        }
        if self.is_too_early(buffer.len()) {
            return Ok(self.pass(buffer));
        }
        let count = self.next_block(buffer)?;
        let in_chunks = self.in_chunks();
        self.current.output.set(match in_chunks {
            false => Output::Bytes(count),
            true if count == 0 => Output::End,
            true => Output::Chunk,
        });
        let count = match self.complete {
            false => count,
            true if in_chunks => self.pass(buffer),
            true => count - 1,
        };
        self.announced += count as u64;
        Ok(count)
    }

    /// Whether the bandwidth does not allow the next block yet; the connection is told how long.
    fn is_too_early(&mut self, room: usize) -> bool {
        let room = self.room(room);
        let Some(bandwidth) = self.body.as_ref().and_then(|body| body.bandwidth.as_ref()) else {
            return false;
        };
        let (_, due) = self.reserved.get_or_insert_with(|| bandwidth.reserve(room));
        let pause = due.saturating_duration_since(Instant::now());
        self.current.pause.set(pause);
        !pause.is_zero()
    }

    fn give_back(&self, bytes: usize) {
        if let Some(Body {
            bandwidth: Some(bandwidth),
            ..
        }) = &self.body
        {
            bandwidth.give_back(bytes);
        }
    }

    /// How much of so much room the rest of the body takes.
    fn room(&self, most: usize) -> usize {
        let len = self.body.as_ref().and_then(|body| body.len);
        let rest = len.map_or(u64::MAX, |len| len - self.sent);
        usize::try_from(rest).unwrap_or(usize::MAX).min(most)
    }

    fn in_chunks(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.len.is_none())
    }

    /// Leaves it to the connection to wait. ureq takes no bytes for the end of a body in chunks, so it gets one, which the
    /// connection does not send.
    fn pass(&self, buffer: &mut [u8]) -> usize {
        let count = usize::from(self.in_chunks());
        buffer[..count].fill(0);
        count
    }

    /// ureq goes on until it has what was announced.
    fn announce_rest(&mut self, buffer: &[u8]) -> usize {
        let len = self.body.as_ref().and_then(|body| body.len);
        let rest = len.map_or(0, |len| len - self.announced);
        let count = usize::try_from(rest)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        self.announced += count as u64;
        count
    }

    fn next_block(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let room = self.room(buffer.len());
        let room = self.reserved.take().map_or(room, |(bytes, _)| bytes);
        let Some(body) = &mut self.body else {
            return Ok(0);
        };
        // From here on the caller's reader has the word; the server is not to blame for its time.
        self.current.leave();
        let count = if room == 0 {
            0
        } else {
            read(body, &mut buffer[..room], &self.current)?
        };
        let sent = self.sent + count as u64;
        self.crc64.update(&buffer[..count]);
        match body.len {
            Some(len) if count == 0 && sent < len => {
                let message = format!("{} ended after {sent} of {len} bytes", body.name);
                return Err(Error::new(ErrorKind::BodyChanged, message));
            }
            Some(len) if sent == len => {
                if body.ends && read(body, &mut [0], &self.current)? > 0 {
                    let message = format!("{} has more than {len} bytes", body.name);
                    return Err(Error::new(ErrorKind::BodyChanged, message));
                }
                let patience = &mut || self.current.patience().map(drop);
                let still = body.reader.holds_still(self.crc64.value(), patience);
                if !still.map_err(|e| unreadable(body.name, e))? {
                    return Err(changed(body.name));
                }
                self.complete = true;
            }
            None if count == 0 => self.complete = true,
            _ => {}
        }
        self.sent = sent;
        self.give_back(room.saturating_sub(count));
        self.current.last_block_ready.set(self.complete);
        self.current.come_back()?;
        self.current.patience()?;
        Ok(count)
    }
}

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        if let Some((bytes, _)) = self.reserved.take() {
            self.give_back(bytes);
        }
    }
}

fn read(body: &mut Body<'_>, buffer: &mut [u8], current: &Current) -> Result<usize, Error> {
    let result = loop {
        match retry_interrupted(|| body.reader.read_some(buffer)) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                current.come_back()?;
                // It may not have waited itself.
                std::thread::sleep(PAUSE.min(current.patience()?));
                current.leave();
            }
            result => break result,
        }
    };
    let count = result.map_err(|e| unreadable(body.name, e))?;
    if count > buffer.len() {
        let message = format!(
            "{} says that it gave more bytes than it was asked for",
            body.name
        );
        return Err(Error::new(ErrorKind::BodyUnreadable, message));
    }
    Ok(count)
}

/// What an error of a reader is in our terms.
pub(crate) fn unreadable(name: &str, e: io::Error) -> Error {
    // A reader of ours may know better what is wrong.
    let (kind, what) = match e.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => (error.kind(), error.to_string()),
        None => (ErrorKind::BodyUnreadable, e.to_string().to_lowercase()),
    };
    Error::new(kind, format!("read {name}: {what}")).with_source(e)
}

/// The error of a file that changed.
pub(crate) fn changed(name: &str) -> Error {
    let message = format!("{name} changed while it was sent");
    Error::new(ErrorKind::BodyChanged, message)
}

impl Read for Outgoing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.turn(buffer);
        block.map_err(|failure| self.current.fail(failure).into_io())
    }
}

#[cfg(test)]
mod tests {
    use http::uri::Authority;

    use super::*;
    use crate::transport::Limits;
    use crate::transport::cancellation::Cancellation;

    /// What goes out, whether its last block was handed over, and what failed.
    fn send(
        reader: &mut dyn Reader,
        len: Option<u64>,
        ends: bool,
    ) -> (Vec<u8>, bool, Option<Error>) {
        send_within(Limits::default(), reader, len, ends)
    }

    fn send_within(
        limits: Limits,
        reader: &mut dyn Reader,
        len: Option<u64>,
        ends: bool,
    ) -> (Vec<u8>, bool, Option<Error>) {
        let current = Current::new(limits, Authority::from_static("host"), len);
        let progress = &mut |_, _| {};
        let body = Body {
            reader,
            len,
            ends,
            name: "it",
            progress,
            bandwidth: None,
        };
        let mut outgoing = Outgoing::new(Some(body), current.clone());
        let (mut sent, mut announced) = (Vec::new(), 0);
        let mut buffer = [0; 32];
        // As ureq does it, over a line that takes everything at once.
        while len != Some(announced) {
            let Ok(count) = outgoing.read(&mut buffer) else {
                break;
            };
            announced += count as u64;
            match current.output.take() {
                Output::Bytes(count) => sent.extend_from_slice(&buffer[..count]),
                Output::Chunk => sent.extend_from_slice(&buffer[..count]),
                Output::End => assert_eq!(count, 1),
                Output::Nothing if len.is_none() && count == 0 => break,
                Output::Nothing => assert!(count > 0, "nothing is waited for"),
            }
        }
        (sent, current.last_block_ready.get(), current.take_failure())
    }

    /// Gives one byte at a time, is interrupted in between, and has nothing to give at times.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 % 3 {
                1 => return Err(io::ErrorKind::Interrupted.into()),
                2 => return Err(io::ErrorKind::WouldBlock.into()),
                _ => {}
            }
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    #[test]
    fn a_body_of_the_announced_length_goes_out_whole() {
        for len in [Some(5), None] {
            let (sent, last, failure) = send(&mut Slow(b"hello".to_vec(), 0), len, true);
            assert_eq!((sent.as_slice(), last), (b"hello".as_slice(), true));
            assert!(failure.is_none());
        }
    }

    #[test]
    fn a_reader_that_has_nothing_to_give_does_not_get_past_the_limits() {
        struct Never;
        impl Read for Never {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
        let cancellation = Cancellation::new();
        cancellation.cancel();
        let ends = [
            (
                Limits {
                    deadline: Instant::now().checked_add(Duration::from_millis(5)),
                    ..Limits::default()
                },
                ErrorKind::Timeout,
            ),
            (
                Limits {
                    cancellation: Some(cancellation),
                    ..Limits::default()
                },
                ErrorKind::Cancelled,
            ),
        ];
        for (limits, kind) in ends {
            let (sent, last, failure) = send_within(limits, &mut Never, Some(5), true);
            assert_eq!((sent.len(), last), (0, false));
            assert_eq!(failure.unwrap().kind(), kind);
        }
    }

    #[test]
    fn an_early_end_is_an_error() {
        let (_, last, failure) = send(&mut &b"hell"[..], Some(5), true);
        let failure = failure.unwrap();
        assert_eq!((failure.kind(), last), (ErrorKind::BodyChanged, false));
        assert_eq!(failure.to_string(), "it ended after 4 of 5 bytes");
    }

    #[test]
    fn a_longer_body_is_found_before_its_last_block_leaves() {
        let (sent, last, failure) = send(&mut Slow(b"hello!".to_vec(), 0), Some(5), true);
        assert_eq!((sent.as_slice(), last), (b"hell".as_slice(), false));
        assert_eq!(failure.unwrap().to_string(), "it has more than 5 bytes");

        // A range does not mind what follows.
        let (sent, last, failure) = send(&mut &b"hello!"[..], Some(5), false);
        assert_eq!((sent.as_slice(), last), (b"hello".as_slice(), true));
        assert!(failure.is_none());
    }

    #[test]
    fn a_failing_or_lying_reader_is_named() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("disk on fire"))
            }
        }
        struct Lies;
        impl Read for Lies {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Ok(buffer.len() + 1)
            }
        }
        let readers: [(&mut dyn Reader, &str); 2] = [
            (&mut Fails, "read it: disk on fire"),
            (&mut Lies, "it says that it gave more"),
        ];
        for (reader, said) in readers {
            let (_, last, failure) = send(reader, Some(5), true);
            let failure = failure.unwrap();
            assert_eq!((failure.kind(), last), (ErrorKind::BodyUnreadable, false));
            assert!(failure.to_string().starts_with(said), "{failure}");
        }
    }
}
