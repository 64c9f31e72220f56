//! The options of PutObject, besides the headers of the object. A value that OSS would refuse is refused by
//! `send`, before anything is sent.

use super::PutObject;
use crate::callback::CallbackSpec;
use crate::object_headers::{object_acl_setter, object_header_setters};
use crate::operation::operation_setters;

impl<'a> PutObject<'a> {
    object_header_setters!();
    object_acl_setter!();

    /// Whether the body's MD5 goes along (Content-MD5), so that OSS refuses a body that was damaged on its
    /// way and stores nothing. The body is read once more for it, before anything is sent; a reader that
    /// can be read once is refused. Default: false.
    pub fn content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// Asks OSS to call the application server once the object is stored, and to pass its answer on.
    pub fn callback(mut self, spec: &CallbackSpec) -> Self {
        self.callback = Some(spec.clone());
        self
    }

    /// Says that the application server does the right thing when the same callback reaches it twice.
    /// Only then is an upload with a callback sent again after its answer was lost. Default: false.
    pub fn callback_is_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    operation_setters!();

    /// Whether the CRC-64 of OSS is compared with the one of what was sent. Default: true.
    pub fn compare_crc64(mut self, compare: bool) -> Self {
        self.compare_crc64 = compare;
        self
    }

    /// Calls `hook` with the number of bytes handed over for sending, and of those there are, if that is
    /// known. It runs on this thread, after each block of up to 128 KiB; with another attempt it begins
    /// anew.
    pub fn progress(mut self, hook: impl FnMut(u64, Option<u64>) + 'a) -> Self {
        self.progress = Some(Box::new(hook));
        self
    }

    /// Sends no more than so many bytes per second. Default: no limit.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bandwidth = Some(bytes_per_second);
        self
    }
}
