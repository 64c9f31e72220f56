//! The body on its way out: counted, checksummed, and never shorter or longer than announced.

use std::io::{self, Read};

use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind};

/// What a request sends.
pub(crate) struct Body<'a> {
    pub(crate) reader: &'a mut dyn Read,
    pub(crate) len: u64,
    /// Names the reader in errors.
    pub(crate) name: &'a str,
}

/// Hands a body to ureq.
///
/// ureq would spin for ever on a reader that ends early, and cut one that goes on; both are errors here,
/// and found before the last block leaves, so that nothing is stored.
pub(super) struct Reader<'a> {
    body: Option<Body<'a>>,
    remaining: u64,
    crc64: Crc64,
    failure: Option<Error>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: Option<Body<'a>>) -> Reader<'a> {
        let remaining = body.as_ref().map_or(0, |body| body.len);
        Reader {
            body,
            remaining,
            crc64: Crc64::new(),
            failure: None,
        }
    }

    /// The announced length; `None` without a body.
    pub(super) fn len(&self) -> Option<u64> {
        self.body.as_ref().map(|body| body.len)
    }

    pub(super) fn last_block_handed_over(&self) -> bool {
        self.remaining == 0 && self.failure.is_none()
    }

    pub(super) fn crc64(&self) -> u64 {
        self.crc64.value()
    }

    /// Why the body could not be read, if that is what ended the request.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure
    }

    fn next_block(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(body) = &mut self.body else {
            return Ok(0);
        };
        let room = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if room == 0 {
            return Ok(0);
        }
        let count = read(body, &mut buffer[..room])?;
        if count == 0 {
            let sent = body.len - self.remaining;
            let message = format!("{} ended after {sent} of {} bytes", body.name, body.len);
            return Err(Error::new(ErrorKind::FileChanged, message));
        }
        if count as u64 == self.remaining && read(body, &mut [0])? > 0 {
            let message = format!("{} has more than {} bytes", body.name, body.len);
            return Err(Error::new(ErrorKind::FileChanged, message));
        }
        self.crc64.update(&buffer[..count]);
        self.remaining -= count as u64;
        Ok(count)
    }
}

fn read(body: &mut Body<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    loop {
        match body.reader.read(buffer) {
            Ok(count) => return Ok(count),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                let message = format!("read {}: {}", body.name, e.to_string().to_lowercase());
                return Err(Error::new(ErrorKind::FileUnreadable, message).with_source(e));
            }
        }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.next_block(buffer).map_err(|failure| {
            self.failure = Some(failure);
            io::Error::other("the body cannot be read")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(reader: &mut dyn Read, len: u64) -> (Vec<u8>, bool, Option<Error>) {
        let mut reader = Reader::new(Some(Body {
            reader,
            len,
            name: "it",
        }));
        let mut sent = Vec::new();
        let _ = reader.read_to_end(&mut sent);
        (sent, reader.last_block_handed_over(), reader.into_failure())
    }

    /// Gives one byte at a time, and is interrupted in between.
    struct Slow(Vec<u8>, bool);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    #[test]
    fn a_body_of_the_announced_length_goes_out_whole() {
        let (sent, last, failure) = send(&mut Slow(b"hello".to_vec(), false), 5);
        assert_eq!((sent.as_slice(), last), (b"hello".as_slice(), true));
        assert!(failure.is_none());
    }

    #[test]
    fn an_early_end_is_an_error() {
        let (_, last, failure) = send(&mut &b"hell"[..], 5);
        let failure = failure.unwrap();
        assert_eq!((failure.kind(), last), (ErrorKind::FileChanged, false));
        assert_eq!(failure.to_string(), "it ended after 4 of 5 bytes");
    }

    #[test]
    fn a_longer_body_is_found_before_its_last_block_leaves() {
        let (sent, last, failure) = send(&mut Slow(b"hello!".to_vec(), false), 5);
        assert_eq!((sent.as_slice(), last), (b"hell".as_slice(), false));
        assert_eq!(failure.unwrap().to_string(), "it has more than 5 bytes");
    }

    #[test]
    fn a_failing_reader_is_named() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("disk on fire"))
            }
        }
        let (_, last, failure) = send(&mut Fails, 5);
        let failure = failure.unwrap();
        assert_eq!((failure.kind(), last), (ErrorKind::FileUnreadable, false));
        assert_eq!(failure.to_string(), "read it: disk on fire");
    }
}
