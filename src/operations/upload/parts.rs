//! The threads that send the parts of a file, each over a connection of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::file::{LocalFile, Range};
use crate::engine::attempts::Attempts;
use crate::engine::content_md5;
use crate::engine::source::Source;
use crate::operations::multipart::{MultipartUpload, Part, PartUpload, part_request};
use crate::outcome::error::Result;
use crate::request::Header;
use crate::transport::Bandwidth;
use crate::transport::cancellation::Cancellation;

/// Connections at once: more than that helps nobody.
pub(super) const MAX_PARALLEL: usize = 256;

/// How often the progress hook is told while no part ends. The threads that send only count: to wake the caller's thread
/// for each of their blocks cost a third on top of all the rest.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_millis(20);

/// A part that OSS does not have for certain.
pub(super) struct Task {
    range: Range,
    /// What OSS has under its number, perhaps the same.
    listed: Option<Part>,
}

impl Task {
    pub(super) fn send(range: Range) -> Task {
        Task {
            range,
            listed: None,
        }
    }

    /// Only if OSS has other contents.
    pub(super) fn compare(range: Range, listed: Part) -> Task {
        Task {
            range,
            listed: Some(listed),
        }
    }
}

/// Cancels what is left to do.
pub(super) struct StopOnDrop<'a>(pub(super) &'a Cancellation);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Cancels what is left to do when this thread panics.
pub(super) struct StopOnPanic<'a>(pub(super) &'a Cancellation);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.cancel();
        }
    }
}

/// What the threads share.
pub(super) struct Workers<'a> {
    pub(super) file: &'a LocalFile,
    pub(super) headers: &'a [Header<'static>],
    pub(super) content_md5: bool,
    pub(super) compare_crc64: bool,
    pub(super) bandwidth: Option<&'a Bandwidth>,
    pub(super) upload: &'a MultipartUpload,
    pub(super) attempts: Attempts,
    pub(super) tasks: Mutex<VecDeque<Task>>,
    /// Bytes that each has sent of its part.
    pub(super) sent: Vec<AtomicU64>,
}

impl Workers<'_> {
    pub(super) fn under_way(&self) -> u64 {
        self.sent
            .iter()
            .map(|sent| sent.load(Ordering::Relaxed))
            .sum()
    }

    /// Carries out tasks until there are none, one fails, or nobody listens.
    pub(super) fn work(&self, sent: &AtomicU64, tell: &Sender<Result<Part>>) {
        loop {
            let next = self
                .tasks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(task) = next else { return };
            let result = self.carry_out(task, sent);
            let failed = result.is_err();
            sent.store(0, Ordering::Relaxed);
            if tell.send(result).is_err() || failed {
                return;
            }
        }
    }

    fn carry_out(&self, task: Task, sent: &AtomicU64) -> Result<Part> {
        let range = task.range;
        if let Some(listed) = task.listed {
            let mut patience = || {
                let limits = &self.attempts.limits;
                limits.check("the parts that OSS has were compared")
            };
            let crc64 = self.file.crc64_of(range, &mut patience)?;
            if listed.crc64() == Some(crc64) {
                return Ok(listed);
            }
        }
        let mut request = part_request(self.upload, range.number);
        for (name, value) in self.headers {
            request.set_header(name.clone(), value.clone());
        }
        let mut reader = self.file.at(range.offset);
        let mut source = Source::Rewindable(&mut reader, range.offset);
        if self.content_md5 {
            let (name, limits) = (&self.file.name, &self.attempts.limits);
            let md5 = content_md5::of(&mut source, range.len, name, limits)?;
            request.set_header("Content-MD5", md5);
        }
        let part = PartUpload {
            number: range.number,
            request,
            source,
            name: &self.file.name,
            len: range.len,
            ends: false,
            compare_crc64: self.compare_crc64,
            progress: Some(Box::new(|bytes, _| sent.store(bytes, Ordering::Relaxed))),
            bandwidth: self.bandwidth.cloned(),
        };
        part.send(&self.attempts)
    }
}
