//! Where the body of an upload comes from, and what it takes to send it once.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use crate::engine::Engine;
use crate::engine::open_file::OpenFile;
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::unsettled::Contents;
use crate::outcome::verdict::ErrorKind;
use crate::outcome::{self, Asked};
use crate::request::Request;
use crate::transport::{
    Bandwidth, Body, Limits, PAUSE, Progress, Reader, RewindableReader, changed, unreadable,
};

/// An upload that is ready to be sent, any number of times if its source allows it.
pub(crate) struct Upload<'a, 'p> {
    pub(crate) asked: Asked,
    pub(crate) request: Request,
    pub(crate) source: Source<'a>,
    /// Names the source in errors.
    pub(crate) name: &'a str,
    /// Unknown means that the body is sent in chunks.
    pub(crate) len: Option<u64>,
    /// Nothing may follow after `len` bytes: a range of a file goes on, a whole one does not.
    pub(crate) ends: bool,
    pub(crate) callback: bool,
    pub(crate) compare_crc64: bool,
    /// The CRC-64 of the object, if it is not all of the body.
    pub(crate) content_crc64: Option<Rc<Cell<u64>>>,
    /// The status of a success, besides 200.
    pub(crate) success: u16,
    pub(crate) progress: Option<Box<Progress<'p>>>,
    pub(crate) bandwidth: Option<Bandwidth>,
}

/// Where the body comes from.
pub(crate) enum Source<'a> {
    /// Can be read again from this position.
    Rewindable(&'a mut dyn RewindableReader, u64),
    /// Can be read once.
    Once(&'a mut dyn Reader),
}

impl Upload<'_, '_> {
    /// Sends it once.
    pub(crate) fn send(&mut self, engine: &Engine, limits: &Limits) -> Sent {
        let mut rewindable = true;
        let reader: &mut dyn Reader = match &mut self.source {
            Source::Rewindable(reader, start) => {
                if let Err(e) = reader.seek_to(SeekFrom::Start(*start)) {
                    let message = format!("rewind {}: {}", self.name, e.to_string().to_lowercase());
                    let error = Error::new(ErrorKind::BodyUnreadable, message).with_source(e);
                    return Sent::nothing(outcome::before_sending(error, self.callback));
                }
                *reader
            }
            Source::Once(reader) => {
                rewindable = false;
                *reader
            }
        };
        let mut reader = Touched {
            reader,
            touched: false,
        };
        if self.len == Some(0)
            && let Err(error) = holds_nothing(&mut reader, self.ends, self.name, limits)
        {
            return Sent::nothing(outcome::before_sending(error, self.callback));
        }
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
            bandwidth: self.bandwidth.clone(),
        };
        let exchange = engine.exchange(&self.request, Some(body), limits);
        let result = outcome::of_upload(outcome::SentUpload {
            asked: self.asked,
            last_write_started: exchange.last_write_started,
            all_sent: exchange.all_sent,
            callback: self.callback,
            crc64: self
                .content_crc64
                .as_ref()
                .map_or(exchange.sent.crc64, |crc64| crc64.get()),
            compare_crc64: self.compare_crc64,
            success: self.success,
            waited: exchange.waited,
            result: exchange.result.map(|answer| engine.read(answer)),
        });
        Sent {
            result,
            rewindable: rewindable || !reader.touched,
            contents: exchange.sent,
        }
    }
}

/// What came of an upload that was sent once.
pub(crate) struct Sent {
    pub(crate) result: Result<Receipt>,
    /// It can be sent again.
    pub(crate) rewindable: bool,
    /// What was sent of the body.
    pub(crate) contents: Contents,
}

impl Sent {
    fn nothing(error: Error) -> Sent {
        Sent {
            result: Err(error),
            rewindable: false,
            contents: Contents { size: 0, crc64: 0 },
        }
    }
}

/// Opens a regular file.
pub(crate) fn open(path: &Path, name: &str) -> Result<OpenFile> {
    let unopenable = |e: io::Error| {
        let message = format!("open {name}: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
    };
    let irregular = || {
        Error::new(
            ErrorKind::BodyUnreadable,
            format!("{name} is not a regular file"),
        )
    };
    // Before it is opened: a pipe without a writer would hold the call up for ever.
    if !std::fs::metadata(path).map_err(unopenable)?.is_file() {
        return Err(irregular());
    }
    let file = File::open(path).map_err(unopenable)?;
    if !file.metadata().map_err(unopenable)?.is_file() {
        return Err(irregular());
    }
    let file = OpenFile::new(file, 0).map_err(unopenable)?;
    // An empty object in its place would be a silent loss.
    if file.hides_its_length().map_err(unopenable)? {
        let message = format!("{name} has contents, but says that it is empty");
        return Err(Error::new(ErrorKind::BodyChanged, message));
    }
    Ok(file)
}

/// Opens a regular file of which `len` bytes from `offset` on are wanted.
pub(crate) fn open_range(path: &Path, name: &str, offset: u64, len: u64) -> Result<OpenFile> {
    let file = open(path, name)?;
    let file_len = file.len();
    if offset.checked_add(len).is_none_or(|end| end > file_len) {
        return Err(Error::argument(format!(
            "{name} has {file_len} bytes: there are no {len} bytes from {offset} on"
        )));
    }
    Ok(file.from(offset))
}

/// Where a reader that can be rewound stands.
pub(crate) fn position(reader: &mut dyn RewindableReader) -> Result<u64> {
    reader.seek_to(SeekFrom::Current(0)).map_err(|e| {
        let what = e.to_string().to_lowercase();
        let message = format!("find the reader's position: {what}");
        Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
    })
}

/// Nobody reads a body of no length while it is sent, so whether it is one is looked at before.
fn holds_nothing(reader: &mut dyn Reader, ends: bool, name: &str, limits: &Limits) -> Result<()> {
    if ends {
        check_end(reader, name, limits)?;
    }
    let patience = &mut || limits.check("its body was compared");
    match reader.holds_still(0, patience) {
        Ok(true) => Ok(()),
        Ok(false) => Err(changed(name)),
        Err(e) => Err(unreadable(name, e)),
    }
}

/// Refuses a reader that has more to give.
fn check_end(reader: &mut dyn Reader, name: &str, limits: &Limits) -> Result<()> {
    loop {
        match reader.read_some(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) => {
                let message = format!("{name} has more than 0 bytes");
                return Err(Error::new(ErrorKind::BodyChanged, message));
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                limits.check("its body was waited for")?;
                // It may not have waited itself.
                std::thread::sleep(PAUSE);
            }
            Err(e) => return Err(unreadable(name, e)),
        }
    }
}

/// Notices whether it is read.
struct Touched<'a> {
    reader: &'a mut dyn Reader,
    touched: bool,
}

impl Reader for Touched<'_> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.touched = true;
        self.reader.read_some(buffer)
    }

    fn holds_still(
        &mut self,
        crc64: u64,
        patience: &mut dyn FnMut() -> Result<()>,
    ) -> io::Result<bool> {
        self.reader.holds_still(crc64, patience)
    }
}
