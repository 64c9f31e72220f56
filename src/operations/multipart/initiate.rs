//! InitiateMultipartUpload: begins a multipart upload, with everything that the object is to have.

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use super::{MultipartUpload, is_upload_id};
use crate::base::dates::iso8601;
use crate::base::xml;
use crate::engine::Engine;
use crate::engine::attempts::Attempts;
use crate::engine::operation::{Operation, operation_setters};
use crate::operations::put_options::{PutOptions, Step, object_acl_setter, object_header_setters};
use crate::outcome;
use crate::outcome::error::Result;
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;
use crate::request::content_type;
use crate::request::object_headers;

/// Begins a multipart upload, with the headers that the object is to have. Made by
/// [`Client::initiate_multipart_upload`](crate::Client::initiate_multipart_upload).
///
/// A callback is given when the upload is [completed](MultipartUpload::complete).
#[must_use = "nothing is sent before `send` is called"]
pub struct InitiateMultipartUpload {
    engine: Engine,
    request: Request,
    options: PutOptions,
}

impl InitiateMultipartUpload {
    object_header_setters!(self, self.options);
    object_acl_setter!(self, self.options);
    operation_setters!(self, self.options.limits);

    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> Self {
        InitiateMultipartUpload {
            request: Request::new("POST", bucket, object),
            options: PutOptions::new(),
            engine,
        }
    }

    /// All of these options in place of those that were given before. The [`MultipartUpload`] remembers those for later
    /// requests: the traffic limit of parts, the ACL, and whether an object is replaced, which is checked now and again on
    /// completion. On another machine, give them again. A callback is for
    /// [completing the upload](MultipartUpload::complete).
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Every error of arguments and network, and refusals of OSS. After a lost answer OSS may have begun an
    /// upload whose id nobody knows. One of [`Error::notes`](crate::Error::notes) says so then, or one of [`MultipartUpload::notes`] if a
    /// later attempt succeeded; [`ListMultipartUploads::begun_since`](crate::ListMultipartUploads::begun_since)
    /// finds it.
    pub fn send(mut self) -> Result<MultipartUpload> {
        self.options.check()?;
        if self.options.header_value("Content-Type").is_none() {
            let content_type = content_type::of(Path::new(&self.request.key));
            self.options.set("Content-Type", content_type);
        }
        object_headers::check(&self.options.headers)?;
        self.request.headers.clone_from(&self.options.headers);
        self.request.check()?;
        self.request.headers = self.options.headers_of(Step::Initiate);
        let attempts = self.options.limits.attempts(&self.engine, 0);
        let upload = initiate(&attempts, self.request)?;
        Ok(upload.with_begun(&self.options))
    }
}

impl fmt::Debug for InitiateMultipartUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitiateMultipartUpload")
            .field("bucket", &self.request.bucket)
            .field("object", &self.request.key)
            .finish_non_exhaustive()
    }
}

/// Begins the upload of a request that has been checked and has the object's headers.
pub(crate) fn initiate(attempts: &Attempts, mut request: Request) -> Result<MultipartUpload> {
    let begun = request.clone();
    request.method = "POST";
    // The object's name is not read from the answer, but some names break XML unless they are encoded.
    let request = request
        .query("uploads", None)
        .query("encoding-type", Some("url"));
    let operation = Operation::new(attempts.engine.clone(), request).body(Vec::new());
    let since = SystemTime::now();
    let mut unknown = 0_u32;
    let answer = operation.send_telling(attempts, &[200], || unknown += 1);
    let id = answer.and_then(|answer| match upload_id(&answer) {
        Some(id) => Ok(id),
        None => {
            unknown += 1;
            let message =
                "OSS's answer to InitiateMultipartUpload names no upload id that can be used";
            Err(outcome::useless(ErrorKind::Protocol, message, answer))
        }
    });
    let notes = match unknown {
        0 => Vec::new(),
        count => vec![lost(count, &begun, since)],
    };
    match id {
        Ok(id) => {
            let upload = MultipartUpload::of(attempts.engine.clone(), &begun, &id);
            Ok(upload.with_notes(notes))
        }
        Err(error) => Err(error.with_notes(notes)),
    }
}

/// What is to be known of uploads that may have been begun, and whose ids were lost.
fn lost(count: u32, request: &Request, since: SystemTime) -> String {
    let (bucket, object, since) = (&request.bucket, &request.key, iso8601(since));
    let uploads = match count {
        1 => "an upload".to_owned(),
        count => format!("up to {count} uploads"),
    };
    format!(
        "OSS may keep, and bill, {uploads} of {bucket}/{object} begun since {since}, whose answer was lost: \
         list those begun since then, and abort what nobody uses"
    )
}

fn upload_id(answer: &outcome::Answer) -> Option<String> {
    let document = xml::parse(&answer.body)?;
    let id = document.root.text_of("UploadId")?.trim();
    let whole = document.whole && answer.damage.is_none();
    let found = document.root.name == "InitiateMultipartUploadResult" && is_upload_id(id);
    (whole && found).then(|| id.to_owned())
}
