//! The request that this thread is carrying out: its limits, how far it got, and whether to go on.
//!
//! Calls block and stay on one thread, so a thread-local reaches the sockets through ureq.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::Authority;

use super::Limits;
use super::proxy::Proxy;
use crate::base::process::this_process;
use crate::outcome::error::Error;
use crate::outcome::verdict::ErrorKind;

/// No wait is longer, so that a cancellation is seen in time.
const SLICE: Duration = Duration::from_millis(100);

/// Nor is any longer while bytes are leaving, so that it is seen in time.
const GLANCE: Duration = Duration::from_millis(20);

/// Fewer bytes than these in the time of the progress limit count as no progress, so that a drip does not
/// get past it.
const LEAST_PROGRESS: u64 = 1024;

/// What a request is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Resolving,
    Connecting,
    Sending,
    Waiting,
    Receiving,
}

/// What the reader of the body has put into the output buffer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Output {
    /// Nothing that is to be sent: it is the connection's turn to wait.
    #[default]
    Nothing,
    /// So many bytes of a body of known length.
    Bytes(usize),
    /// A chunk, which ureq has framed.
    Chunk,
    /// A chunk that is not to be sent, but the end of all chunks in its place.
    End,
}

/// One request under way.
#[derive(Debug)]
pub(super) struct Current {
    /// Whose request it is: its connection must not be used by a child.
    pub(super) process: u32,
    limits: Limits,
    host: Authority,
    phase: Cell<Phase>,
    /// When the phase must have ended.
    until: Cell<Option<Instant>>,
    /// When enough bytes had moved last, and how many have since.
    progress: Cell<(Instant, u64)>,
    /// Since when the caller's own code runs.
    left: Cell<Option<Instant>>,
    /// A body follows the head.
    pub(super) has_body: bool,
    /// The last block of the body, or the head of a request without one, is in the output buffer.
    pub(super) last_block_ready: Cell<bool>,
    /// A write was started that could carry the last byte.
    pub(super) last_write_started: Cell<bool>,
    /// The last byte was handed to the system.
    pub(super) all_sent: Cell<bool>,
    /// What the connection is to send next of the body.
    pub(super) output: Cell<Output>,
    /// The system has not taken all of it yet.
    pub(super) unsent: Cell<bool>,
    /// How long the bandwidth holds the next block back.
    pub(super) pause: Cell<Duration>,
    /// Bytes of the request that were handed over and have not left; of TLS, a little more.
    behind: Cell<u64>,
    /// The answer, or the end of the connection, is there.
    pub(super) answered: Cell<bool>,
    /// An answer, or the end, came while the body was still going out: nothing more is sent.
    pub(super) early: Cell<bool>,
    /// The connection ended other than in good order.
    pub(super) reset: Cell<bool>,
    /// The server did not accept the TLS handshake, or a proxy did not pass the request on: the server has read nothing of
    /// it, whatever was sent.
    pub(super) refused: Cell<bool>,
    /// Passes the request on.
    pub(super) proxy: OnceCell<Arc<Proxy>>,
    /// Since when the answer's head is waited for, and how long it was, once it is there.
    waiting: Cell<Option<Instant>>,
    waited: Cell<Duration>,
    failure: RefCell<Option<Error>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Current>>> = const { RefCell::new(None) };
}

/// The request that this thread is carrying out.
pub(super) fn current() -> Option<Rc<Current>> {
    CURRENT.with_borrow(Clone::clone)
}

impl Current {
    pub(super) fn new(limits: Limits, host: Authority, body_len: Option<u64>) -> Rc<Current> {
        let has_body = body_len.is_none_or(|len| len > 0);
        Rc::new(Current {
            process: this_process(),
            limits,
            host,
            phase: Cell::new(Phase::Resolving),
            until: Cell::new(None),
            progress: Cell::new((Instant::now(), 0)),
            left: Cell::new(None),
            has_body,
            last_block_ready: Cell::new(!has_body),
            last_write_started: Cell::new(false),
            all_sent: Cell::new(false),
            output: Cell::default(),
            unsent: Cell::new(false),
            pause: Cell::new(Duration::ZERO),
            behind: Cell::new(0),
            answered: Cell::new(false),
            early: Cell::new(false),
            reset: Cell::new(false),
            refused: Cell::new(false),
            proxy: OnceCell::new(),
            waiting: Cell::new(None),
            waited: Cell::new(Duration::ZERO),
            failure: RefCell::new(None),
        })
    }

    /// Runs a call into ureq on behalf of this request. Calls may nest: a reader may use a client.
    pub(super) fn within<T>(self: &Rc<Self>, call: impl FnOnce() -> T) -> T {
        struct Restore(Option<Rc<Current>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        call()
    }

    /// Host and port that the request is for.
    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Begins a phase, with its own limit and with fresh progress.
    pub(super) fn enter(&self, phase: Phase) {
        let now = Instant::now();
        let limit = match phase {
            Phase::Resolving | Phase::Connecting => Some(self.limits.connect),
            Phase::Waiting => Some(self.limits.answer),
            Phase::Receiving => self.limits.body,
            Phase::Sending => None,
        };
        if phase == Phase::Waiting {
            self.waiting.set(Some(now));
        } else if let Some(since) = self.waiting.take() {
            self.waited.set(now - since);
        }
        self.phase.set(phase);
        // A limit beyond the end of time is none.
        self.until
            .set(limit.and_then(|limit| now.checked_add(limit)));
        self.progress.set((now, 0));
    }

    /// How long the head of the answer was waited for.
    pub(super) fn waited(&self) -> Duration {
        self.waiting
            .get()
            .map_or(self.waited.get(), |since| since.elapsed())
    }

    /// Notes that bytes went over the wire; true if that is progress.
    pub(super) fn moved(&self, bytes: u64) -> bool {
        let (since, moved) = self.progress.get();
        let moved = moved.saturating_add(bytes);
        let progress = moved >= LEAST_PROGRESS;
        self.progress.set(match progress {
            true => (Instant::now(), 0),
            false => (since, moved),
        });
        progress
    }

    /// Notes how many bytes have left since the last look, and how many have not.
    pub(super) fn took_stock(&self, left: u64, behind: u64) {
        let before = self.behind.replace(behind);
        let progress = self.moved(left) || (behind == 0 && before > 0);
        // As long as it leaves nobody can answer. When it has left, or does not go on, the answer is due.
        if progress && self.phase.get() == Phase::Waiting {
            self.await_answer_from(Instant::now());
        }
    }

    /// Bytes of the request that were handed over and have not left.
    pub(super) fn behind(&self) -> u64 {
        self.behind.get()
    }

    fn await_answer_from(&self, moment: Instant) {
        self.waiting.set(Some(moment));
        // A limit beyond the end of time is none.
        self.until.set(moment.checked_add(self.limits.answer));
    }

    /// The caller's own code runs from now on: its time does not count for the limits of this phase.
    pub(super) fn leave(&self) {
        self.left.set(Some(Instant::now()));
    }

    /// The caller's own code is done. An error when it was forked there, and this is the child: the request and its
    /// connection are the parent's.
    pub(super) fn come_back(&self) -> Result<(), Error> {
        if self.process != this_process() {
            // What becomes of the request is up to the parent.
            self.last_write_started.set(true);
            let what = "the process was forked during the request, which goes on in the parent";
            return Err(self.error(ErrorKind::Cancelled, what));
        }
        if let Some(left) = self.left.take() {
            let (since, moved) = self.progress.get();
            let away = left.elapsed();
            self.progress.set((since + away, moved));
            // Nor does it count as waiting for an answer.
            if let Some(since) = self.waiting.get() {
                self.await_answer_from(since + away);
            }
        }
        Ok(())
    }

    /// What is left of the limit of this phase, and of the whole.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let ends = [self.until.get(), self.limits.deadline];
        let end = ends.into_iter().flatten().min()?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// How long may be waited now; an error when the request must end.
    pub(super) fn patience(&self) -> Result<Duration, Error> {
        if self
            .limits
            .cancellation
            .as_ref()
            .is_some_and(|c| c.is_cancelled())
        {
            return Err(self.error(ErrorKind::Cancelled, "the request was cancelled"));
        }
        let now = Instant::now();
        let mut patience = if self.behind.get() > 0 { GLANCE } else { SLICE };
        let mut limit = |until: Option<Instant>, what: &str| {
            let Some(until) = until else { return Ok(()) };
            let left = until.saturating_duration_since(now);
            patience = patience.min(left);
            if left.is_zero() {
                Err(self.error(ErrorKind::Timeout, what))
            } else {
                Ok(())
            }
        };
        limit(self.limits.deadline, "the overall time limit ran out")?;
        let (what, moves) = match self.phase.get() {
            Phase::Resolving => ("its address was not found in time", false),
            Phase::Connecting => ("no connection in time", false),
            Phase::Sending => ("", true),
            // What has not left goes on leaving.
            Phase::Waiting => ("no answer in time", self.behind.get() > 0),
            Phase::Receiving => ("the answer did not end in time", true),
        };
        limit(self.until.get(), what)?;
        if moves {
            let (since, _) = self.progress.get();
            limit(
                since.checked_add(self.limits.progress),
                "no progress for too long",
            )?;
        }
        Ok(patience)
    }

    fn error(&self, kind: ErrorKind, what: &str) -> Error {
        Error::new(kind, format!("{}: {what}", self.host))
    }

    /// Keeps the error that a call into ureq will end with, and gives what ureq is told.
    pub(super) fn fail(&self, error: Error) -> ureq::Error {
        self.failure.replace(Some(error));
        ureq::Error::ConnectionFailed
    }

    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure.take()
    }
}
