//! UploadFile: a file of any size, in one request or in parallel parts, with one callback.

mod beside;
mod checkpoint;
mod file;
mod parts;
mod setters;
mod transfer;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::engine::Engine;
use crate::engine::source;
use crate::operations::multipart::{MAX_PARTS, MIN_PART_LEN};
use crate::operations::put::PutObject;
use crate::operations::put_options::PutOptions;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
#[cfg(doc)]
use crate::outcome::verdict::{ErrorKind, Stored};
use crate::request::content_type;
use crate::request::object_headers;
use crate::request::{MAX_BODY_LEN, Request};
use crate::transport::Progress;

use checkpoint::Checkpoint;
#[cfg(fuzzing)]
pub(crate) use checkpoint::read_and_write as read_and_write_checkpoint;
use file::LocalFile;
use transfer::Transfer;

/// Parts are no smaller unless the caller says so: each costs a request.
const DEFAULT_PART_SIZE: u64 = 8 * 1024 * 1024;

/// An upload of a file of any size, with its options.
///
/// Made by [`Client::upload_file`](crate::Client::upload_file); [`send`](UploadFile::send) carries it out. A
/// file of up to [`part_size`](UploadFile::part_size) goes in one request, a larger one in parts over
/// [`parallel`](UploadFile::parallel) connections. Either way there is one object, one callback and one
/// [`Receipt`]. Memory does not grow with the file or its parts: each connection has a buffer of 160 KiB.
///
/// ```no_run
/// # use oss_callback::{CallbackSpec, Client};
/// # fn upload(client: &Client, spec: &CallbackSpec) -> Result<(), oss_callback::Error> {
/// let receipt = client
///     .upload_file("examplebucket", "videos/holiday.mp4")
///     .checkpoint("holiday.mp4.checkpoint")
///     .progress(|sent, total| eprintln!("{sent} of {total:?} bytes"))
///     .callback(spec)
///     .send("holiday.mp4")?;
/// println!("{}", String::from_utf8_lossy(receipt.answer()));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `send` is called"]
pub struct UploadFile<'a> {
    engine: Engine,
    request: Request,
    options: PutOptions,
    progress: Option<Box<Progress<'a>>>,
    part_size: Option<u64>,
    parallel: usize,
    checkpoint: Option<PathBuf>,
    verify_parts: bool,
}

impl<'a> UploadFile<'a> {
    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> UploadFile<'a> {
        UploadFile {
            engine,
            request: Request::new("POST", bucket, object),
            options: PutOptions::new(),
            progress: None,
            part_size: None,
            parallel: 4,
            checkpoint: None,
            verify_parts: false,
        }
    }

    /// Uploads the file and waits for the answer: with a callback for that of the application server.
    ///
    /// A lost answer to the last request is looked up: see
    /// [`CompleteMultipartUpload`](crate::CompleteMultipartUpload).
    ///
    /// # Errors
    ///
    /// Those of [`PutObject::send_file`]. When an upload in parts fails before the last request, and there
    /// is no [`checkpoint`](UploadFile::checkpoint), it is aborted; if that fails too, one of
    /// [`Error::notes`] says so, and [`Error::upload_id`] is the upload that is left.
    /// [`ErrorKind::ChecksumMismatch`] with [`Stored::No`] when a part arrived with other contents.
    /// [`ErrorKind::BodyChanged`] when the file changes meanwhile: nothing is stored then. When OSS may have begun an upload
    /// whose id was lost with the answer, one of [`Error::notes`] or [`Receipt::notes`] says so.
    /// [`ErrorKind::CheckpointInUse`] when another process uses the checkpoint, and
    /// [`ErrorKind::CheckpointFailed`] when it cannot be read or written, or is a file of somebody else's.
    pub fn send(self, path: impl AsRef<Path>) -> Result<Receipt> {
        // What was needed to prepare it is off the stack, which may be small, when it is carried out.
        match self.prepare(path.as_ref())? {
            Prepared::OneRequest(one) => one.run(),
            Prepared::Parts(transfer) => transfer.run(),
        }
    }

    #[inline(never)]
    fn prepare(mut self, path: &Path) -> Result<Prepared<'a>> {
        let name = format!("{path:?}");
        let callback = self.options.callback.is_some();
        let before_sending = |error| outcome::before_sending(error, callback);

        let checked = self.options.check();
        let checked = checked.and_then(|()| object_headers::check(&self.options.headers));
        checked.map_err(before_sending)?;
        self.request.headers.clone_from(&self.options.headers);
        self.request.check().map_err(before_sending)?;
        let file = source::open(path, &name).map_err(before_sending)?;
        let len = file.len();
        let part_size = self.part_size_of(len, &name).map_err(before_sending)?;
        if self.options.header_value("Content-Type").is_none() {
            let content_type = content_type::of_either(path, &self.request.key);
            self.options.set("Content-Type", content_type);
        }
        let file = LocalFile::new(file, path, name);
        let checkpoint = self.checkpoint.take();
        if len > part_size {
            let transfer = Transfer::new(self, file, part_size, checkpoint);
            return transfer.map(Prepared::Parts).map_err(before_sending);
        }
        let mut one = OneRequest {
            put: PutObject::new(self.engine.clone(), &self.request.bucket, &self.request.key),
            file,
            notes: Vec::new(),
            _lock: None,
        };
        if checkpoint.is_some() {
            // What a checkpoint of an earlier, larger file says has to be settled all the same.
            let earlier = UploadFile {
                engine: self.engine,
                request: self.request,
                options: self.options.clone(),
                progress: None,
                ..self
            };
            let transfer = Transfer::new(earlier, one.file, part_size, checkpoint);
            (one.file, one.notes, one._lock) = transfer.map_err(before_sending)?.settle();
        }
        one.put.options = self.options;
        one.put.progress = self.progress;
        Ok(Prepared::OneRequest(Box::new(one)))
    }

    /// The size of the parts of a file of `len` bytes; of the last one at most.
    fn part_size_of(&self, len: u64, name: &str) -> Result<u64> {
        let least = len.div_ceil(u64::from(MAX_PARTS));
        if least > MAX_BODY_LEN {
            return Err(Error::argument(format!(
                "{name} has {len} bytes: {MAX_PARTS} parts of {MAX_BODY_LEN} bytes hold less"
            )));
        }
        if !(1..=parts::MAX_PARALLEL).contains(&self.parallel) {
            let (given, most) = (self.parallel, parts::MAX_PARALLEL);
            return Err(Error::argument(format!(
                "`parallel` {given} is not in 1 to {most}"
            )));
        }
        let Some(part_size) = self.part_size else {
            // Whole mebibytes, so that the size does not change with each byte of the file.
            let rounded = least.div_ceil(1024 * 1024) * 1024 * 1024;
            return Ok(rounded.clamp(DEFAULT_PART_SIZE, MAX_BODY_LEN));
        };
        if !(MIN_PART_LEN..=MAX_BODY_LEN).contains(&part_size) {
            return Err(Error::argument(format!(
                "`part_size` {part_size} is not in {MIN_PART_LEN} to {MAX_BODY_LEN}"
            )));
        }
        if part_size < least {
            return Err(Error::argument(format!(
                "`part_size` {part_size} is too small: {name} has {len} bytes, and {MAX_PARTS} parts must \
                 hold them, so give at least {least}"
            )));
        }
        Ok(part_size)
    }
}

impl fmt::Debug for UploadFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile")
            .field("bucket", &self.request.bucket)
            .field("object", &self.request.key)
            .field("options", &self.options)
            .field("part_size", &self.part_size)
            .field("parallel", &self.parallel)
            .field("checkpoint", &self.checkpoint)
            .field("verify_parts", &self.verify_parts)
            .finish()
    }
}

/// An upload that is ready to be sent.
enum Prepared<'a> {
    OneRequest(Box<OneRequest<'a>>),
    Parts(Box<Transfer<'a>>),
}

/// A file that is no larger than a part.
struct OneRequest<'a> {
    put: PutObject<'a>,
    file: LocalFile,
    /// What came of the checkpoint of an earlier, larger file, and its lock.
    notes: Vec<String>,
    _lock: Option<Checkpoint>,
}

impl OneRequest<'_> {
    fn run(self) -> Result<Receipt> {
        let result = self.put.send_open_file(self.file.open, &self.file.name);
        match result {
            Ok(receipt) => Ok(receipt.with_notes(self.notes)),
            Err(error) => Err(error.with_notes(self.notes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Credentials};

    #[test]
    fn parts_are_so_large_that_ten_thousand_hold_the_file() {
        const MIB: u64 = 1024 * 1024;
        let client = Client::builder()
            .endpoint("http://127.0.0.1")
            .credentials(Credentials::anonymous())
            .build()
            .unwrap();
        let upload = client.upload_file("examplebucket", "object");
        let most = u64::from(MAX_PARTS) * MAX_BODY_LEN;
        for (len, part_size) in [
            (0, 8 * MIB),
            (80_000 * MIB, 8 * MIB),
            (80_000 * MIB + 1, 9 * MIB),
            (1 << 40, 105 * MIB),
            (most, MAX_BODY_LEN),
        ] {
            assert_eq!(upload.part_size_of(len, "it").unwrap(), part_size, "{len}");
            assert!(len.div_ceil(part_size) <= u64::from(MAX_PARTS));
        }
        let error = upload.part_size_of(most + 1, "it").unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument);
        // What the caller says counts, if it suffices.
        let upload = upload.part_size(MIN_PART_LEN);
        let enough = u64::from(MAX_PARTS) * MIN_PART_LEN;
        assert_eq!(upload.part_size_of(enough, "it").unwrap(), MIN_PART_LEN);
        assert!(upload.part_size_of(enough + 1, "it").is_err());
    }
}
