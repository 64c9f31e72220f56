//! What goes back to the client.

use std::{
    collections::VecDeque,
    future::Future as _,
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Bytes, Frame, SizeHint},
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Sleep, sleep_until},
};

use crate::{
    gzip::Gzip,
    pace::Pace,
    storage::{FileBytes, Source},
};

/// What is read from a file at once.
const FILE_PIECE: u64 = 256 * 1024;

/// An answer, its common headers still missing.
pub(crate) type Answer = Response<Content>;

/// What is sent at once if the client wants its answer slowly.
const SLOW_PIECE: usize = 16 * 1024;

/// A body: pieces in memory, or a part of a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pieces: VecDeque<Bytes>,
    file: Option<FilePart>,
    left: u64,
    gzip: Option<Gzip>,
    pace: Option<Pace>,
    /// Nothing is sent before.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Read piece by piece, the next one while one is being sent.
#[derive(Debug)]
struct FilePart {
    file: FileBytes,
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl FilePart {
    fn read_on(&mut self) {
        let Range { start, end } = self.rest;
        if start < end {
            let length = (end - start).min(FILE_PIECE);
            self.rest.start += length;
            let file = self.file.clone();
            self.reading = Some(spawn_blocking(move || file.read(start, length as usize)));
        }
    }
}

impl Content {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self {
            left: pieces.iter().map(|piece| piece.len() as u64).sum(),
            pieces: pieces.into(),
            ..Self::default()
        }
    }

    /// The part of an object, within which `range` must lie.
    pub(crate) fn of(source: Source, range: Range<u64>) -> Self {
        match source {
            Source::Memory(segments) => Self::new(Source::slice(&segments, range)),
            Source::File(file) => Self {
                left: range.end - range.start,
                file: Some(FilePart {
                    file,
                    rest: range,
                    reading: None,
                }),
                ..Self::default()
            },
        }
    }

    /// The body of an answer to HEAD: its length is told, and nothing is sent.
    pub(crate) fn unsent(length: u64) -> Self {
        Self {
            left: length,
            ..Self::default()
        }
    }

    /// As a gzip file, whose length nobody knows before.
    pub(crate) fn zipped(mut self) -> Self {
        self.gzip = Some(Gzip::new());
        self
    }

    pub(crate) fn at(mut self, pace: Option<Pace>) -> Self {
        self.pace = pace;
        self
    }

    /// What is to be sent of a piece now.
    fn sent(&mut self, mut piece: Bytes) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(pace) = &mut self.pace {
            if piece.len() > SLOW_PIECE {
                self.pieces.push_front(piece.split_off(SLOW_PIECE));
            }
            self.pause = Some(Box::pin(sleep_until(pace.pass(piece.len()))));
        }
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(piece)))
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if let Some(piece) = self.pieces.pop_front() {
            return self.sent(piece);
        }
        let Some(part) = &mut self.file else {
            return Poll::Ready(None);
        };
        if part.reading.is_none() {
            part.read_on();
        }
        let Some(reading) = &mut part.reading else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(context));
        part.reading = None;
        match read.map_err(io::Error::other).flatten() {
            Ok(piece) => {
                part.read_on();
                self.sent(piece.into())
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.gzip.as_ref().is_some_and(|gzip| gzip.is_done) {
            return Poll::Ready(None);
        }
        let piece = ready!(self.poll_piece(context)).transpose()?;
        let piece = match &mut self.gzip {
            None => piece,
            Some(gzip) => Some(gzip.add(piece.as_deref())),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.gzip {
            None => self.left == 0,
            Some(gzip) => gzip.is_done,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.gzip {
            None => SizeHint::with_exact(self.left),
            Some(_) => SizeHint::default(),
        }
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

pub(crate) fn with_body(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = empty(status);
    *answer.body_mut() = Content::new(vec![body.into()]);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    answer
}

/// Inserts a value that the server made itself, or leaves it out if it cannot stand in a header.
pub(crate) fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
