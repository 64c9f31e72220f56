//! An upload, sent again as long as that is worth it and does no harm.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::outcome;
use crate::receipt::Receipt;
use crate::request::Request;
use crate::retry::{self, Again, RetryPolicy};
use crate::transport::{Body, Limits, Progress};
use crate::verdict::{Attempt, ErrorKind, Stored};

/// An upload that is ready to be sent.
pub(crate) struct Upload<'a, 'p> {
    pub(crate) client: Client,
    pub(crate) request: Request,
    pub(crate) source: Source<'a>,
    /// Names the source in errors.
    pub(crate) name: &'a str,
    /// Unknown means that the body is sent in chunks.
    pub(crate) len: Option<u64>,
    /// Nothing may follow after `len` bytes: a range of a file goes on, a whole one does not.
    pub(crate) ends: bool,
    pub(crate) callback: bool,
    /// The caller said that the callback may be delivered twice.
    pub(crate) idempotent: bool,
    pub(crate) policy: RetryPolicy,
    pub(crate) limits: Limits,
    pub(crate) compare_crc64: bool,
    pub(crate) progress: Option<Box<Progress<'p>>>,
    /// Bytes per second.
    pub(crate) bandwidth: Option<u64>,
}

/// Where the body comes from.
pub(crate) enum Source<'a> {
    /// Can be read again from this position.
    Rewindable(&'a mut dyn ReadSeek, u64),
    /// Can be read once.
    Once(&'a mut dyn Read),
}

/// A reader that can be rewound.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

impl Upload<'_, '_> {
    /// Sends the upload until an attempt succeeds or no other may follow.
    pub(crate) fn send(mut self) -> Result<Receipt> {
        let mut history: Vec<Attempt> = Vec::new();
        let mut clock_corrected = false;
        loop {
            let (result, touched) = self.attempt();
            let error = match result {
                Ok(receipt) => return Ok(receipt.with_history(history)),
                Err(error) => error,
            };
            let again = Again {
                callback: self.callback,
                idempotent: self.idempotent,
                rewindable: !touched || matches!(self.source, Source::Rewindable(..)),
            };
            let attempts = u32::try_from(history.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            let mut delay = self.policy.delay(attempts, &error, again, random());
            let skewed = error.oss_code() == Some("RequestTimeTooSkewed");
            if skewed && !clock_corrected && again.rewindable {
                // The clocks differ too much: OSS's own is right, and worth one more attempt.
                clock_corrected = self.client.correct_clock(error.header("date"));
                delay = clock_corrected.then_some(Duration::ZERO);
            }
            let unknown = history
                .iter()
                .any(|attempt| attempt.stored == Stored::Unknown);
            let Some(delay) = delay.filter(|delay| self.has_time(*delay)) else {
                return Err(retry::add_up(unknown, error).with_history(history));
            };
            history.push(error.attempt());
            if !self.sleep(delay) {
                let message = "the request was cancelled before its next attempt";
                let unknown = unknown || error.stored() == Stored::Unknown;
                let cancelled = Error::new(ErrorKind::Cancelled, message)
                    .with_verdict(Stored::No, error.answered());
                return Err(retry::add_up(unknown, cancelled).with_history(history));
            }
        }
    }

    /// One attempt, and whether anything was read from the source.
    fn attempt(&mut self) -> (Result<Receipt>, bool) {
        let reader: &mut dyn Read = match &mut self.source {
            Source::Rewindable(reader, start) => {
                if let Err(e) = reader.seek(SeekFrom::Start(*start)) {
                    let message = format!("rewind {}: {}", self.name, e.to_string().to_lowercase());
                    let error = Error::new(ErrorKind::BodyUnreadable, message).with_source(e);
                    return (Err(outcome::before_sending(error, self.callback)), false);
                }
                reader
            }
            Source::Once(reader) => reader,
        };
        let mut reader = Touched {
            reader,
            touched: false,
        };
        let progress = &mut self.progress;
        let mut report = |sent, len| {
            if let Some(progress) = progress {
                progress(sent, len);
            }
        };
        let body = Body {
            reader: &mut reader,
            len: self.len,
            ends: self.ends,
            name: self.name,
            progress: &mut report,
            bandwidth: self.bandwidth,
        };
        let exchange = self
            .client
            .exchange(self.request.clone(), Some(body), &self.limits);
        let result = outcome::of_upload(outcome::Upload {
            last_write_started: exchange.last_write_started,
            callback: self.callback,
            crc64: exchange.crc64,
            compare_crc64: self.compare_crc64,
            waited: exchange.waited,
            result: exchange.result.map(|answer| self.client.read(answer)),
        });
        (result, reader.touched)
    }

    /// Whether another attempt can begin before the deadline.
    fn has_time(&self, delay: Duration) -> bool {
        let begin = Instant::now().checked_add(delay);
        self.limits
            .deadline
            .is_none_or(|deadline| begin.is_some_and(|begin| begin < deadline))
    }

    /// Waits, but not for a request that is cancelled meanwhile: then false.
    fn sleep(&self, delay: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(100);
        let begun = Instant::now();
        loop {
            if self
                .limits
                .cancellation
                .as_ref()
                .is_some_and(|c| c.is_cancelled())
            {
                return false;
            }
            let left = delay.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Notices whether it is read.
struct Touched<'a> {
    reader: &'a mut dyn Read,
    touched: bool,
}

impl Read for Touched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.touched = true;
        self.reader.read(buffer)
    }
}

/// Between 0 and 1, from the seed that the standard library gives its hash maps.
fn random() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}
