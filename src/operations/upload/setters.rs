//! The options of an upload of a file: those of every upload, and its own.

use std::path::PathBuf;

use super::UploadFile;
use crate::operations::put_options::{PutOptions, put_option_setters};

impl<'a> UploadFile<'a> {
    put_option_setters!(self, self.options);

    /// All of these options in place of those that were given before.
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Calls `hook` with the number of bytes that have left this machine, as
    /// [`PutObject::progress`](crate::PutObject::progress) counts them, and of those there are. It runs on this thread.
    /// Of an upload in parts it is told after each part and, while they are sent, every 20 ms: perhaps the same
    /// number again, never a lower one. What an earlier process has sent counts as sent.
    pub fn progress(mut self, hook: impl FnMut(u64, Option<u64>) + 'a) -> Self {
        self.progress = Some(Box::new(hook));
        self
    }

    /// The size of the parts in bytes, 102400 to 5368709120; a file that is no larger goes in one request.
    /// Default: 8 MiB, or as much more as it takes for 10,000 parts to hold the file.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = Some(bytes);
        self
    }

    /// How many parts are sent at once, each over a connection of its own: 1 to 256. Default: 4.
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts;
        self
    }

    /// A file that remembers the parts that were sent. When the upload fails or its process dies, the same call
    /// later, by this or another process, resumes it: with the same file (size, time of change, samples of its
    /// contents; see [`verify_parts`](UploadFile::verify_parts)), object, headers, endpoint and part size. A file
    /// that changed, or a checkpoint that is damaged or of another upload, starts over, and one of
    /// [`Receipt::notes`](crate::Receipt::notes) says so. It is removed once the object is stored. One
    /// upload uses it at a time; beside it stand, for a while, files with `.oss-callback-lock` and
    /// `.oss-callback-new` added to its name. A file that the library did not write is never replaced or
    /// removed: a checkpoint in its place is [`CheckpointFailed`](crate::ErrorKind::CheckpointFailed). A file
    /// that goes in one request has none. Default: none; a failed upload is aborted.
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Whether an upload that is resumed reads every part that OSS has from the file again and compares it, and
    /// sends what differs. Without it that is done only when the file may have been touched: when the time of
    /// change that no program can set (`ctime`) is another, or the system has none. Default: false.
    pub fn verify_parts(mut self, verify: bool) -> Self {
        self.verify_parts = verify;
        self
    }
}
