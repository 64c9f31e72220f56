//! An upload in parts: begun or resumed, sent, completed or given up.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::UploadFile;
use super::checkpoint::{Checkpoint, Found, Identity, OldUpload, Origin, State};
use super::file::LocalFile;
use super::parts::{PROGRESS_INTERVAL, StopOnDrop, StopOnPanic, Task, Workers};
use crate::engine::attempts::Attempts;
use crate::operations::multipart::{
    Complete, Completed, MultipartUpload, Part, abort, initiate, is_gone, list_parts,
};
use crate::operations::put_options::{PutOptions, Step};
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::retry::{self, RetryPolicy};
use crate::outcome::verdict::{ErrorKind, Stored};
use crate::request::{Header, Request};
use crate::spec::CallbackSpec;
use crate::transport::cancellation::Cancellation;
use crate::transport::{Bandwidth, Progress};

/// For aborting an upload whose caller wants to end.
const LAST_WORD: Duration = Duration::from_millis(80);

/// Headers that belong to the body of one request.
const OF_ONE_BODY: [&str; 2] = ["Content-MD5", "x-oss-hash-crc64ecma"];

/// An upload in parts, under way.
pub(super) struct Transfer<'a> {
    file: LocalFile,
    part_size: u64,
    parallel: usize,
    /// With the headers of the object.
    initiate: Request,
    part_headers: Vec<Header<'static>>,
    complete_headers: Vec<Header<'static>>,
    options: PutOptions,
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
    pub(super) fn new(
        upload: UploadFile<'a>,
        file: LocalFile,
        part_size: u64,
        checkpoint: Option<PathBuf>,
    ) -> Result<Box<Transfer<'a>>> {
        let UploadFile {
            engine,
            mut request,
            options,
            ..
        } = upload;
        request.headers = options.headers_of(Step::Initiate);
        for header in OF_ONE_BODY {
            if options.header_value(header).is_some() {
                let message =
                    format!("header {header} cannot be given: it is different for each part");
                return Err(Error::argument(message));
            }
        }
        let callback_urls = options.callback.as_ref().map_or(0, CallbackSpec::urls);
        let attempts = options.limits.attempts(&engine, 0);
        let mut last_attempts = options.limits.attempts(&engine, callback_urls);
        last_attempts.limits.deadline = attempts.limits.deadline;
        let mut transfer = Box::new(Transfer {
            initiate: request,
            part_headers: options.headers_of(Step::Part),
            complete_headers: options.headers_of(Step::Complete),
            bandwidth: options.bandwidth.map(Bandwidth::new).transpose()?,
            progress: upload.progress,
            parallel: upload.parallel,
            checkpoint: None,
            verify_parts: upload.verify_parts,
            notes: Vec::new(),
            options,
            file,
            part_size,
            attempts,
            last_attempts,
        });
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
    pub(super) fn settle(mut self) -> (LocalFile, Vec<String>, Option<Checkpoint>) {
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

    pub(super) fn run(mut self: Box<Self>) -> Result<Receipt> {
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

    /// Sends what is left to send, and gives all parts. The progress hook and the checkpoint are this
    /// thread's.
    fn send_parts(&mut self, begun: &mut Begun) -> Result<Vec<Part>> {
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
            content_md5: self.options.content_md5,
            compare_crc64: self.options.compare_crc64,
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
        for (name, value) in &self.complete_headers {
            complete.request.set_header(name.clone(), value.clone());
        }
        if let Some(spec) = &self.options.callback {
            complete.callback = true;
            spec.add_to(&mut complete.request);
        }
        if !self.options.compare_crc64 {
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
            _ => outcome::before_sending(error, self.options.callback.is_some()),
        }
    }
}

/// A multipart upload, and what is left to do for it.
pub(super) struct Begun {
    upload: MultipartUpload,
    /// Those that OSS has.
    parts: Vec<Part>,
    tasks: VecDeque<Task>,
    /// An earlier process may have completed it.
    completing: bool,
}
