//! What an upload can be told: one value, whichever way the object is stored.

mod setters;

use std::borrow::Cow;
use std::fmt;

use crate::engine::operation::OperationOptions;
use crate::outcome::error::{Error, Result};
use crate::request::object_headers::{self, Tags};
use crate::request::{Header, set_header};
use crate::spec::CallbackSpec;

pub(crate) use setters::{
    body_setters, callback_setters, content_md5_setter, object_acl_setter, object_header_setters,
    progress_setter, put_option_setters,
};

/// What an upload can be told: the headers of the object, the callback, how the body is sent, limits.
///
/// One value serves any number of uploads, and every step of one: [`PutObject`](crate::PutObject),
/// [`UploadFile`](crate::UploadFile), and a multipart upload from
/// [`InitiateMultipartUpload`](crate::InitiateMultipartUpload) over [`UploadPart`](crate::UploadPart) to
/// [`CompleteMultipartUpload`](crate::CompleteMultipartUpload) each take it with their `options` and use what applies to
/// them: a tag when an upload is begun, an ACL when it is completed. The operations have the same setters themselves.
///
/// ```
/// use oss_callback::{Client, PutOptions};
/// # fn upload(client: &Client) -> Result<(), oss_callback::Error> {
/// let options = PutOptions::new().content_type("image/jpeg").tag("from", "camera 7");
/// for name in ["a.jpg", "b.jpg"] {
///     client.put_object("examplebucket", name).options(&options).send_file(name)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct PutOptions {
    /// Of the object; all of them go with a PutObject.
    pub(crate) headers: Vec<Header<'static>>,
    tags: Tags,
    pub(crate) callback: Option<CallbackSpec>,
    pub(crate) callback_is_idempotent: bool,
    pub(crate) content_md5: bool,
    pub(crate) compare_crc64: bool,
    pub(crate) bandwidth: Option<u64>,
    pub(crate) limits: OperationOptions,
    /// What is wrong with the first bad value; reported when something is to be sent.
    fault: Option<String>,
}

/// A request that does not carry the whole upload by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The one that makes an upload in parts begin.
    Initiate,
    Part,
    Complete,
    /// A form says itself what the object is to have.
    Form,
}

impl Step {
    /// OSS documentation, "InitiateMultipartUpload", "UploadPart" and "CompleteMultipartUpload". Who pays is said by each
    /// request of an upload, and so known to the upload itself.
    fn takes(self, header: &str) -> bool {
        let is = |name: &str| header.eq_ignore_ascii_case(name);
        let of_completing = is("x-oss-object-acl");
        let of_parts = is("x-oss-traffic-limit");
        match self {
            Step::Initiate => !of_completing && !of_parts,
            Step::Part => of_parts,
            Step::Complete => of_completing || is("x-oss-forbid-overwrite"),
            Step::Form => false,
        }
    }
}

impl PutOptions {
    /// Nothing but what is said of each option as its default.
    pub fn new() -> PutOptions {
        PutOptions {
            headers: Vec::new(),
            tags: Tags::default(),
            callback: None,
            callback_is_idempotent: false,
            content_md5: false,
            compare_crc64: true,
            bandwidth: None,
            limits: OperationOptions::default(),
            fault: None,
        }
    }

    /// Removes a header, whichever setter it came from, as if it had never been set. A bad value that was given before is
    /// still reported.
    pub fn without_header(mut self, name: &str) -> PutOptions {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if name.eq_ignore_ascii_case("x-oss-tagging") {
            self.tags = Tags::default();
        }
        if name.eq_ignore_ascii_case("Content-MD5") {
            self.content_md5 = false;
        }
        self
    }

    /// The limits alone, for listing the parts of an upload or aborting it. An expired deadline ends these too: to abort an
    /// upload whose deadline has expired, use other limits.
    pub fn limits(&self) -> &OperationOptions {
        &self.limits
    }

    /// Those for one request, on top of headers that are known before.
    pub(crate) fn of(&self, step: Step, known: &[Header<'static>]) -> PutOptions {
        let mut options = PutOptions {
            headers: known.to_vec(),
            ..self.clone()
        };
        for (name, value) in self.headers_of(step) {
            options.set(name, value);
        }
        options
    }

    /// The headers that go with one request of an upload in parts.
    pub(crate) fn headers_of(&self, step: Step) -> Vec<Header<'static>> {
        let headers = self.headers.iter();
        headers
            .filter(|(name, _)| step.takes(name))
            .cloned()
            .collect()
    }

    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_ref())
    }

    pub(crate) fn set(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        set_header(&mut self.headers, name, value);
    }

    /// Sets a header, or keeps the fault of its value.
    pub(crate) fn set_checked(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: Result<String>,
    ) {
        match value {
            Ok(value) => self.set(name, value),
            Err(fault) => drop(self.fault.get_or_insert_with(|| fault.to_string())),
        }
    }

    /// Sets a header of the caller's own.
    pub(crate) fn set_other(&mut self, name: &str, value: &str) {
        let value = value.trim_matches([' ', '\t']).to_owned();
        let value = object_headers::refuse_own(name).map(|()| value);
        self.set_checked(name.to_owned(), value);
    }

    pub(crate) fn add_tag(&mut self, key: &str, value: &str) {
        let added = self.tags.add(key, value).map(|()| self.tags.encoded());
        self.set_checked("x-oss-tagging", added);
    }

    /// Whether the one who sends the requests pays for them.
    pub(crate) fn pays(&self) -> bool {
        self.header_value("x-oss-request-payer").is_some()
    }

    /// Refuses bad values, and limits that make no sense.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(fault) = &self.fault {
            return Err(Error::argument(fault.as_str()));
        }
        self.limits.check()
    }
}

impl Default for PutOptions {
    fn default() -> PutOptions {
        PutOptions::new()
    }
}

/// Names only: what metadata says is the caller's business.
impl fmt::Debug for PutOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("PutOptions")
            .field("headers", &names)
            .field("callback", &self.callback)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
