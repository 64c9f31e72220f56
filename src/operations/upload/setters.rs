//! The options of an upload of a file: those of PutObject, and its own.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::UploadFile;
use crate::outcome::retry::RetryPolicy;
use crate::request::object_headers::{
    ObjectAcl, ServerSideDataEncryption, ServerSideEncryption, StorageClass,
};
use crate::spec::CallbackSpec;
use crate::transport::cancellation::Cancellation;

/// Setters that do what PutObject's do.
macro_rules! as_of_put_object {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("As [`PutObject::", stringify!($name), "`](crate::operations::put::PutObject::", stringify!($name), ").")]
            pub fn $name(mut self, $($argument: $type),*) -> Self {
                self.put = self.put.$name($($argument),*);
                self
            }
        )*
    };
}

impl<'a> UploadFile<'a> {
    as_of_put_object! {
        content_type(content_type: &str);
        metadata(name: &str, value: &str);
        idempotency_id(id: &str);
        object_acl(acl: ObjectAcl);
        storage_class(class: StorageClass);
        tag(key: &str, value: &str);
        server_side_encryption(method: ServerSideEncryption);
        server_side_encryption_key_id(id: &str);
        server_side_data_encryption(algorithm: ServerSideDataEncryption);
        forbid_overwrite(forbid: bool);
        cache_control(cache_control: &str);
        content_disposition(content_disposition: &str);
        content_encoding(content_encoding: &str);
        content_language(content_language: &str);
        expires(time: SystemTime);
        requester_pays(pays: bool);
        header(name: &str, value: &str);
        callback(spec: &CallbackSpec);
        connect_timeout(limit: Duration);
        answer_timeout(limit: Duration);
        progress_timeout(limit: Duration);
        timeout(limit: Duration);
        cancellation(cancellation: &Cancellation);
        retry_policy(policy: RetryPolicy);
        compare_crc64(compare: bool);
    }

    /// Says that the application server does the right thing when the same callback reaches it twice. It
    /// counts for a file that goes in one request; parts are completed, and their callback delivered, once
    /// by their nature.
    pub fn callback_is_idempotent(mut self, idempotent: bool) -> Self {
        self.put = self.put.callback_is_idempotent(idempotent);
        self
    }

    /// Whether each request's MD5 goes along; see [`PutObject::content_md5`](crate::operations::put::PutObject::content_md5).
    pub fn content_md5(mut self, send: bool) -> Self {
        self.put = self.put.content_md5(send);
        self
    }

    /// Asks OSS to take no more than so many **bits** per second of each connection; see
    /// [`PutObject::traffic_limit`](crate::operations::put::PutObject::traffic_limit).
    pub fn traffic_limit(mut self, bits_per_second: u64) -> Self {
        self.put = self.put.traffic_limit(bits_per_second);
        self
    }

    /// Calls `hook` with the number of bytes sent so far, and of those there are. It runs on this thread.
    /// Of an upload in parts it is told after each part and, while they are sent, every 20 ms: perhaps the same
    /// number again, never a lower one. What an earlier process has sent counts as sent.
    pub fn progress(mut self, hook: impl FnMut(u64, Option<u64>) + 'a) -> Self {
        self.put = self.put.progress(hook);
        self
    }

    /// Sends no more than so many bytes per second over all connections together. Default: no limit.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.put = self.put.bandwidth(bytes_per_second);
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
