//! UploadFile: a file of any size, in one request or in parallel parts, with one callback.

mod beside;
mod checkpoint;
mod file;
mod parts;
mod setters;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::engine::attempts::Attempts;
use crate::engine::source;
use crate::operations::multipart::{
    Complete, Completed, MAX_PART_LEN, MAX_PARTS, MIN_PART_LEN, MultipartUpload, Part, abort,
    initiate, is_gone, list_parts,
};
use crate::operations::put::PutObject;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::retry::{self, RetryPolicy};
#[cfg(doc)]
use crate::outcome::verdict::ErrorKind;
use crate::outcome::verdict::Stored;
use crate::request::content_type;
use crate::request::{Header, Request};
use crate::spec::CallbackSpec;
use crate::transport::{Bandwidth, Progress};

#[cfg(fuzzing)]
pub(crate) use checkpoint::read_and_write as read_and_write_checkpoint;
use checkpoint::{Checkpoint, Found, Identity, OldUpload, Origin, State};
use file::LocalFile;
use parts::Task;

/// Parts are no smaller unless the caller says so: each costs a request.
const DEFAULT_PART_SIZE: u64 = 8 * 1024 * 1024;

/// For aborting an upload whose caller wants to end.
const LAST_WORD: Duration = Duration::from_millis(80);

/// Headers that OSS wants with the request that completes an upload, and not with the one that begins it.
const OF_COMPLETING: [&str; 1] = ["x-oss-object-acl"];
/// Headers that go with both.
const OF_BOTH: [&str; 1] = ["x-oss-forbid-overwrite"];
/// Headers that go with each part instead.
const OF_PARTS: [&str; 1] = ["x-oss-traffic-limit"];

/// Headers that belong to the body of one request.
const OF_ONE_BODY: [&str; 2] = ["Content-MD5", "x-oss-hash-crc64ecma"];

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
    put: PutObject<'a>,
    part_size: Option<u64>,
    parallel: usize,
    checkpoint: Option<PathBuf>,
    verify_parts: bool,
}

/// The same upload, in parts when the file is large.
impl<'a> From<PutObject<'a>> for UploadFile<'a> {
    fn from(put: PutObject<'a>) -> UploadFile<'a> {
        UploadFile {
            put,
            part_size: None,
            parallel: 4,
            checkpoint: None,
            verify_parts: false,
        }
    }
}

impl<'a> UploadFile<'a> {
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
        let callback = self.put.callback.is_some();
        let before_sending = |error| outcome::before_sending(error, callback);

        let checked = self
            .put
            .check()
            .and_then(|()| self.put.request.refuse_url());
        checked.map_err(before_sending)?;
        let file = source::open(path, &name).map_err(before_sending)?;
        let len = file.len();
        let part_size = self.part_size_of(len, &name).map_err(before_sending)?;
        if self.put.request.header("Content-Type").is_none() {
            let content_type = content_type::of_either(path, &self.put.request.key);
            self.put.request.set_header("Content-Type", content_type);
        }
        let file = LocalFile::new(file, path, name);
        let checkpoint = self.checkpoint.take();
        if len > part_size {
            let transfer = Transfer::new(self, file, part_size, checkpoint);
            return transfer.map(Prepared::Parts).map_err(before_sending);
        }
        if checkpoint.is_none() {
            return Ok(Prepared::OneRequest(Box::new(OneRequest {
                put: self.put,
                file,
                notes: Vec::new(),
                _lock: None,
            })));
        }
        // In one request; what a checkpoint of an earlier, larger file says has to be settled all the same.
        let engine = self.put.engine.clone();
        let (object, options) = (self.put.request.clone(), self.put.options.clone());
        let earlier = PutObject::of(engine, object, options);
        let transfer = Transfer::new(earlier.into(), file, part_size, checkpoint);
        let (file, notes, lock) = transfer.map_err(before_sending)?.settle();
        Ok(Prepared::OneRequest(Box::new(OneRequest {
            put: self.put,
            file,
            notes,
            _lock: lock,
        })))
    }

    /// The size of the parts of a file of `len` bytes; of the last one at most.
    fn part_size_of(&self, len: u64, name: &str) -> Result<u64> {
        let least = len.div_ceil(u64::from(MAX_PARTS));
        if least > MAX_PART_LEN {
            return Err(Error::argument(format!(
                "{name} has {len} bytes: {MAX_PARTS} parts of {MAX_PART_LEN} bytes hold less"
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
            return Ok(rounded.clamp(DEFAULT_PART_SIZE, MAX_PART_LEN));
        };
        if !(MIN_PART_LEN..=MAX_PART_LEN).contains(&part_size) {
            return Err(Error::argument(format!(
                "`part_size` {part_size} is not in {MIN_PART_LEN} to {MAX_PART_LEN}"
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
            .field("put", &self.put)
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

/// An upload in parts, under way.
struct Transfer<'a> {
    file: LocalFile,
    part_size: u64,
    parallel: usize,
    /// With the headers of the object.
    initiate: Request,
    part_headers: Vec<Header<'static>>,
    complete_headers: Vec<Header<'static>>,
    content_md5: bool,
    callback: Option<CallbackSpec>,
    compare_crc64: bool,
    progress: Option<Box<Progress<'a>>>,
    bandwidth: Option<Bandwidth>,
    /// Of every request but the last.
    attempts: Attempts,
    /// Of the last, after which OSS calls the application server.
    last_attempts: Attempts,
    checkpoint: Option<Checkpoint>,
    verify_parts: bool,
    /// Worth telling the caller, however it ends.
    notes: Vec<String>,
}

impl<'a> Transfer<'a> {
    fn new(
        upload: UploadFile<'a>,
        file: LocalFile,
        part_size: u64,
        checkpoint: Option<PathBuf>,
    ) -> Result<Box<Transfer<'a>>> {
        let put = upload.put;
        for header in OF_ONE_BODY {
            if put.request.header(header).is_some() {
                let message =
                    format!("header {header} cannot be given: it is different for each part");
                return Err(Error::argument(message));
            }
        }
        let callback_urls = put.callback.as_ref().map_or(0, CallbackSpec::urls);
        let attempts = put.options.attempts(&put.engine, 0);
        let mut last_attempts = put.options.attempts(&put.engine, callback_urls);
        last_attempts.limits.deadline = attempts.limits.deadline;
        let headers = |names: &[&str]| {
            let of = |(name, _): &&Header<'_>| {
                names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
            };
            put.request.headers.iter().filter(of).cloned().collect()
        };
        let mut transfer = Box::new(Transfer {
            part_headers: headers(&OF_PARTS),
            complete_headers: headers(&[&OF_COMPLETING[..], &OF_BOTH[..]].concat()),
            initiate: put.request,
            bandwidth: put.bandwidth.map(Bandwidth::new).transpose()?,
            callback: put.callback,
            compare_crc64: put.compare_crc64,
            content_md5: put.content_md5,
            progress: put.progress,
            parallel: upload.parallel,
            checkpoint: None,
            verify_parts: upload.verify_parts,
            notes: Vec::new(),
            file,
            part_size,
            attempts,
            last_attempts,
        });
        for name in OF_COMPLETING.iter().chain(&OF_PARTS) {
            transfer.initiate.remove_header(name);
        }
        if let Some(path) = checkpoint {
            transfer.file.check_other_than(&path)?;
            let identity = Identity {
                endpoint: transfer.attempts.engine.endpoint().to_string(),
                file: transfer.file.identity()?,
                request: &transfer.initiate,
                part_size,
                origin: Origin {
                    path: transfer.file.canonical_path(),
                    changed: transfer.file.changed(),
                },
            };
            transfer.checkpoint = Some(Checkpoint::open(path, identity)?);
        }
        Ok(transfer)
    }

    /// Does what is to be done for a checkpoint whose upload does not go on, and gives back the file, what is
    /// worth telling, and the lock.
    fn settle(mut self) -> (LocalFile, Vec<String>, Option<Checkpoint>) {
        let found = self.checkpoint.as_mut().map(Checkpoint::take_found);
        let upload = match found {
            None | Some(Found::Nothing) => return (self.file, self.notes, self.checkpoint),
            Some(Found::Damaged(why)) => {
                let aside = self.set_checkpoint_aside();
                let aside = aside.unwrap_or_else(|error| format!("; {error}"));
                self.notes.push(format!(
                    "the checkpoint was damaged ({why}{aside}): this file goes in one request"
                ));
                return (self.file, self.notes, self.checkpoint);
            }
            Some(Found::Other { upload, .. }) => upload,
            Some(Found::Ours { state, .. }) => OldUpload {
                bucket: self.initiate.bucket.clone(),
                object: self.initiate.key.clone(),
                state,
                of_the_same: true,
            },
        };
        let note = "the checkpoint was of another upload: this file goes in one request";
        self.notes.push(note.to_owned());
        self.leave(upload);
        if let Some(checkpoint) = &mut self.checkpoint
            && let Err(error) = checkpoint.remove()
        {
            self.notes.push(error.to_string());
        }
        (self.file, self.notes, self.checkpoint)
    }

    fn run(mut self: Box<Self>) -> Result<Receipt> {
        let result = self.upload();
        let notes = std::mem::take(&mut self.notes);
        match result {
            Ok(receipt) => Ok(receipt.with_notes(notes)),
            Err(error) => Err(error.with_notes(notes)),
        }
    }

    fn upload(&mut self) -> Result<Receipt> {
        let mut begun = match self.begin() {
            Ok(begun) => begun,
            Err(error) => return Err(self.nothing_stored(error)),
        };
        let parts = match self.send_parts(&mut begun) {
            Ok(parts) => parts,
            Err(error) => return Err(self.give_up(&begun, error)),
        };
        self.complete(begun, &parts)
    }

    /// Goes on with the upload of the checkpoint, or begins one.
    fn begin(&mut self) -> Result<Begun> {
        match self.checkpoint.as_mut().map(Checkpoint::take_found) {
            None | Some(Found::Nothing) => {}
            Some(Found::Damaged(why)) => {
                let aside = self.set_checkpoint_aside()?;
                self.notes.push(format!(
                    "the checkpoint was damaged ({why}{aside}): the upload started over"
                ));
            }
            Some(Found::Other { why, upload }) => {
                self.notes.push(format!(
                    "the checkpoint was of another upload ({why}): the upload started over"
                ));
                self.leave(upload);
            }
            Some(Found::Ours { state, same_file }) => {
                if let Some(begun) = self.resume(state, same_file && !self.verify_parts)? {
                    return Ok(begun);
                }
                self.notes.push(
                    "OSS does not know the upload of the checkpoint any more: the upload started over"
                        .to_owned(),
                );
            }
        }
        let upload = initiate(&self.attempts, self.initiate.clone())?;
        self.notes.extend_from_slice(upload.notes());
        if let Some(checkpoint) = &mut self.checkpoint
            && let Err(error) = checkpoint.begin(upload.upload_id())
        {
            let aborted = self.abort(&upload);
            let id = upload.upload_id();
            return Err(if aborted {
                error
            } else {
                error.with_upload_id(id)
            });
        }
        let ranges = self.file.ranges(self.part_size);
        Ok(Begun {
            tasks: ranges.map(Task::send).collect(),
            parts: Vec::new(),
            completing: false,
            upload,
        })
    }

    /// Where a damaged checkpoint is now, to go on with after why it is damaged.
    fn set_checkpoint_aside(&mut self) -> Result<String> {
        let Some(checkpoint) = &mut self.checkpoint else {
            return Ok(String::new());
        };
        let aside = checkpoint.set_aside()?;
        Ok(aside.map_or_else(String::new, |path| format!("; it is now {path:?}")))
    }

    /// `None` if OSS does not know the upload any more. Without `trusted`, parts that were noted are compared with the file.
    fn resume(&mut self, state: State, trusted: bool) -> Result<Option<Begun>> {
        let engine = self.attempts.engine.clone();
        let upload = MultipartUpload::of(engine, &self.initiate, &state.upload_id);
        let listed = match list_parts(&self.attempts, &upload) {
            Ok(listed) => listed,
            Err(error) if is_gone(&error) => {
                // Completed by a process that did not live to hear of it, perhaps.
                return Ok(state.completing.then(|| Begun {
                    upload,
                    parts: state.parts,
                    tasks: VecDeque::new(),
                    completing: true,
                }));
            }
            Err(error) => {
                let error = self.nothing_stored(error).with_upload_id(&state.upload_id);
                let error = error.with_unsettled(upload.unsettled(None, state.completing));
                return Err(retry::add_up(state.completing, error));
            }
        };
        let mut begun = Begun {
            upload,
            parts: Vec::new(),
            tasks: VecDeque::new(),
            completing: state.completing,
        };
        if !trusted && let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.forget_parts();
        }
        for range in self.file.ranges(self.part_size) {
            let same = |part: &&Part| part.number() == range.number;
            let listed = listed
                .iter()
                .find(same)
                .filter(|part| part.size() == Some(range.len));
            let known = state.parts.iter().find(same);
            match (listed, known) {
                (Some(listed), Some(known)) if listed.etag() == known.etag() => match trusted {
                    true => begun.parts.push(known.clone()),
                    false => begun.tasks.push_back(Task::compare(range, known.clone())),
                },
                // It arrived, but that was not noted any more; or somebody else sent it.
                (Some(listed), _) if listed.crc64().is_some() => {
                    begun.tasks.push_back(Task::compare(range, listed.clone()));
                }
                _ => begun.tasks.push_back(Task::send(range)),
            }
        }
        Ok(Some(begun))
    }

    fn complete(&mut self, begun: Begun, parts: &[Part]) -> Result<Receipt> {
        // Nothing that ends here has been completed.
        let limits = &self.attempts.limits;
        let mut patience = || limits.check("its parts were compared");
        let ready = limits.check("its parts were sent");
        let ready = ready
            .and_then(|()| {
                self.file
                    .check_unchanged(self.part_size, parts, &mut patience)
            })
            .and_then(|()| {
                let checkpoint = self.checkpoint.as_mut();
                checkpoint.map_or(Ok(()), |checkpoint| checkpoint.completing(parts))
            });
        let complete = ready.and_then(|()| Complete::new(&begun.upload, parts));
        let mut complete = match complete {
            Ok(complete) => complete,
            Err(error) => return Err(self.give_up(&begun, error)),
        };
        complete.sent_before = begun.completing;
        complete
            .request
            .headers
            .extend(self.complete_headers.clone());
        if let Some(spec) = &self.callback {
            complete.callback = true;
            spec.add_to(&mut complete.request);
        }
        if !self.compare_crc64 {
            complete.contents = None;
        }
        let Completed { result, gone, sent } = complete.send(&self.last_attempts);
        let stored = result.as_ref().map_or_else(Error::stored, |_| Stored::Yes);
        // Once the upload is gone there is nothing to go on with.
        let ended = gone || stored == Stored::Yes;
        if ended
            && let Some(checkpoint) = &mut self.checkpoint
            && let Err(error) = checkpoint.remove()
        {
            self.notes.push(error.to_string());
        }
        match result {
            Err(error) if !sent => Err(self.give_up(&begun, error)),
            Err(error) if !ended => Err(error.with_upload_id(begun.upload.upload_id())),
            result => result,
        }
    }

    /// After a failure before the last request: leaves the upload for the next time, or aborts it.
    fn give_up(&mut self, begun: &Begun, error: Error) -> Error {
        let error = self.nothing_stored(error);
        let id = begun.upload.upload_id();
        if begun.completing {
            // What an earlier process may have completed is not ours to abort.
            let error = error.with_unsettled(begun.upload.unsettled(None, true));
            return retry::add_up(true, error).with_upload_id(id);
        }
        if self.checkpoint.is_some() || !self.abort(&begun.upload) {
            return error.with_upload_id(id);
        }
        error
    }

    /// Aborts the upload of a checkpoint that is of no more use, if there is no doubt that it is ours to abort.
    fn leave(&mut self, old: OldUpload) {
        let id = &old.state.upload_id;
        let engine = self.attempts.engine.clone();
        let upload = MultipartUpload::of(engine, &self.initiate, id);
        let why = match self.doubt(&old, &upload) {
            Ok(None) => {
                self.abort(&upload);
                return;
            }
            Ok(Some(why)) => why.to_owned(),
            Err(error) if is_gone(&error) => return,
            Err(error) => error.to_string(),
        };
        let (bucket, object) = (&old.bucket, &old.object);
        self.notes.push(format!(
            "upload {id} of {bucket}/{object}, which the old checkpoint names, is left as it is: {why}"
        ));
    }

    /// Why an upload may be somebody else's, or done. Anybody may have edited the checkpoint, so OSS's list of parts has to
    /// show that it is the one whose parts were noted.
    fn doubt(&self, old: &OldUpload, upload: &MultipartUpload) -> Result<Option<&'static str>> {
        if old.state.completing {
            return Ok(Some("it may have been completed"));
        }
        if !old.of_the_same {
            return Ok(Some("it is not of this endpoint, bucket, object and file"));
        }
        let noted = &old.state.parts;
        if noted.is_empty() {
            return Ok(Some("none of its parts was noted"));
        }
        let listed = list_parts(&self.attempts, upload)?;
        let is_there = |noted: &Part| {
            let mut listed = listed.iter();
            listed.any(|part| part.number() == noted.number() && part.etag() == noted.etag())
        };
        let all = noted.iter().all(is_there);
        Ok((!all).then_some("its parts are not those that were noted"))
    }

    /// Aborts an upload, or notes that it could not be done.
    fn abort(&mut self, upload: &MultipartUpload) -> bool {
        let ended = self.attempts.limits.check("").is_err();
        let mut limits = self.attempts.limits.clone();
        if ended {
            // A caller who wants to end now gets that, but for the chance of a quick answer.
            limits.cancellation = None;
            limits.deadline = Instant::now().checked_add(LAST_WORD);
        }
        let attempts = Attempts {
            engine: self.attempts.engine.clone(),
            policy: if ended {
                RetryPolicy::none()
            } else {
                self.attempts.policy
            },
            limits,
        };
        match abort(upload).send_with(&attempts, &[204, 200]) {
            Ok(_) => true,
            Err(error) if is_gone(&error) => true,
            Err(error) => {
                let id = upload.upload_id();
                self.notes
                    .push(format!("upload {id} could not be aborted: {error}"));
                false
            }
        }
    }

    fn nothing_stored(&self, error: Error) -> Error {
        match error.stored() {
            Stored::Unknown => error,
            _ => outcome::before_sending(error, self.callback.is_some()),
        }
    }
}

/// A multipart upload, and what is left to do for it.
struct Begun {
    upload: MultipartUpload,
    /// Those that OSS has.
    parts: Vec<Part>,
    tasks: VecDeque<Task>,
    /// An earlier process may have completed it.
    completing: bool,
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
        let most = u64::from(MAX_PARTS) * MAX_PART_LEN;
        for (len, part_size) in [
            (0, 8 * MIB),
            (80_000 * MIB, 8 * MIB),
            (80_000 * MIB + 1, 9 * MIB),
            (1 << 40, 105 * MIB),
            (most, MAX_PART_LEN),
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
