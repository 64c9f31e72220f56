//! The options of PutObject, besides the headers of the object. A value that OSS would refuse is refused by
//! `send`, before anything is sent.

use super::PutObject;
use crate::engine::operation::operation_setters;
use crate::engine::source::sending_setters;
use crate::request::object_headers::{object_acl_setter, object_header_setters};
use crate::spec::CallbackSpec;

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
    sending_setters!();
}
