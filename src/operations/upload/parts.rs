//! Sends the parts of a file over several connections at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::file::{LocalFile, Range};
use super::{Begun, Transfer};
use crate::engine::attempts::Attempts;
use crate::engine::content_md5;
use crate::engine::source::Source;
use crate::operations::multipart::{MultipartUpload, Part, PartUpload, part_request};
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Header;
use crate::transport::Bandwidth;
use crate::transport::cancellation::Cancellation;

/// Connections at once: more than that helps nobody.
pub(super) const MAX_PARALLEL: usize = 256;

/// How often the progress hook is told while no part ends. The threads that send only count: to wake the caller's thread
/// for each of their blocks cost a third on top of all the rest.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(20);

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

impl Transfer<'_> {
    /// Sends what is left to send, and gives all parts. The progress hook and the checkpoint are this
    /// thread's.
    pub(super) fn send_parts(&mut self, begun: &mut Begun) -> Result<Vec<Part>> {
        let mut parts = std::mem::take(&mut begun.parts);
        let tasks = std::mem::take(&mut begun.tasks);
        let mut done: u64 = parts.iter().filter_map(Part::size).sum();
        let mut most = 0;
        let total = self.file.len();
        let mut report = |sent: u64| {
            // A part that is sent again takes nothing back.
            most = sent.max(most);
            if let Some(progress) = &mut self.progress {
                progress(most, Some(total));
            }
        };
        report(done);

        let parent = self.attempts.limits.cancellation.as_ref();
        let stop = parent.map_or_else(Cancellation::new, Cancellation::child);
        let threads = self.parallel.min(tasks.len());
        let workers = Workers {
            file: &self.file,
            headers: &self.part_headers,
            content_md5: self.content_md5,
            compare_crc64: self.compare_crc64,
            bandwidth: self.bandwidth.as_ref(),
            upload: &begun.upload,
            attempts: self.attempts.with_cancellation(&stop),
            tasks: Mutex::new(tasks),
            sent: (0..threads).map(|_| AtomicU64::new(0)).collect(),
        };
        let checkpoint = &mut self.checkpoint;
        let mut result = Ok(());
        thread::scope(|scope| {
            // Whatever happens here, a hook that panics for one, nobody goes on without this thread.
            let _stop = StopOnDrop(&stop);
            let (tell, ended) = mpsc::channel();
            let mut running = 0;
            for sent in &workers.sent {
                let (workers, tell, stop) = (&workers, tell.clone(), &stop);
                let work = move || {
                    let _stop = StopOnPanic(stop);
                    workers.work(sent, &tell);
                };
                match thread::Builder::new().spawn_scoped(scope, work) {
                    Ok(_) => running += 1,
                    // With those there are it takes longer.
                    Err(_) if running > 0 => break,
                    Err(e) => {
                        let message = format!("the system gives no thread to send parts: {e}");
                        result = Err(Error::new(ErrorKind::Connect, message).with_source(e));
                        break;
                    }
                }
            }
            drop(tell);
            loop {
                let outcome = match ended.recv_timeout(PROGRESS_INTERVAL) {
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => Ok(()),
                    Ok(Ok(part)) => {
                        done += part.size().unwrap_or(0);
                        let noted = checkpoint.as_mut().map_or(Ok(()), |c| c.add(&part));
                        parts.push(part);
                        noted
                    }
                    Ok(Err(error)) => Err(error),
                };
                if outcome.is_err() {
                    stop.cancel();
                }
                // What comes after the first failure is its consequence.
                result = std::mem::replace(&mut result, Ok(())).and(outcome);
                if result.is_ok() {
                    report(done + workers.under_way());
                }
            }
        });
        if let Some(checkpoint) = checkpoint {
            result = result.and(checkpoint.flush());
        }
        result.map(|()| parts)
    }
}

/// Cancels what is left to do.
struct StopOnDrop<'a>(&'a Cancellation);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Cancels what is left to do when this thread panics.
struct StopOnPanic<'a>(&'a Cancellation);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.cancel();
        }
    }
}

/// What the threads share.
struct Workers<'a> {
    file: &'a LocalFile,
    headers: &'a [Header<'static>],
    content_md5: bool,
    compare_crc64: bool,
    bandwidth: Option<&'a Bandwidth>,
    upload: &'a MultipartUpload,
    attempts: Attempts,
    tasks: Mutex<VecDeque<Task>>,
    /// Bytes that each has sent of its part.
    sent: Vec<AtomicU64>,
}

impl Workers<'_> {
    fn under_way(&self) -> u64 {
        self.sent
            .iter()
            .map(|sent| sent.load(Ordering::Relaxed))
            .sum()
    }

    /// Carries out tasks until there are none, one fails, or nobody listens.
    fn work(&self, sent: &AtomicU64, tell: &Sender<Result<Part>>) {
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
        request.headers.extend_from_slice(self.headers);
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
