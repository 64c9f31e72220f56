//! UploadPart: one part of a multipart upload.

use std::fmt;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use super::part::check_number;
use super::{MultipartUpload, Part};
use crate::engine::attempts::Attempts;
use crate::engine::content_md5;
use crate::engine::operation::operation_setters;
use crate::engine::source::{self, Source, Upload};
use crate::operations::presign::{self, PresignOptions, PresignedUrl};
use crate::operations::put_options::{
    PutOptions, Step, body_setters, content_md5_setter, progress_setter,
};
use crate::outcome::Asked;
use crate::outcome::error::{Error, Result};
use crate::outcome::retry::Again;
use crate::outcome::verdict::ErrorKind;
use crate::request::object_headers;
use crate::request::{MAX_BODY_LEN, Request};
use crate::transport::{Bandwidth, Progress};

/// Sends one part. Made by [`MultipartUpload::upload_part`]; one of the `send` methods carries it out.
///
/// A part is sent again whenever that is worth it: it replaces itself. Its errors always have
/// [`Stored::No`](crate::Stored::No): no object comes into being before the upload is completed.
#[must_use = "nothing is sent before one of the `send` methods is called"]
pub struct UploadPart<'a> {
    upload: MultipartUpload,
    number: u32,
    options: PutOptions,
    progress: Option<Box<Progress<'a>>>,
}

impl<'a> UploadPart<'a> {
    operation_setters!(self, self.options.limits);
    body_setters!(self, self.options);
    content_md5_setter!(self, self.options);
    progress_setter!();

    pub(super) fn new(upload: &MultipartUpload, number: u32) -> UploadPart<'a> {
        UploadPart {
            options: PutOptions::new().of(Step::Part, &upload.of_parts),
            progress: None,
            number,
            upload: upload.clone(),
        }
    }

    /// Those of these options that apply to a part, in place of those that were given before: how its body is sent, the
    /// traffic limit, who pays, and the limits.
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.of(Step::Part, &self.upload.of_parts);
        self.upload.paid_by(options);
        self
    }

    /// Asks OSS to take no more than so many **bits** per second, 819200 to 838860800.
    pub fn traffic_limit(mut self, bits_per_second: u64) -> Self {
        let value = object_headers::traffic_limit(bits_per_second);
        self.options.set_checked("x-oss-traffic-limit", value);
        self
    }

    /// Sends bytes as the part.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when OSS does not know the upload (any more),
    /// [`ErrorKind::ChecksumMismatch`] when OSS has other contents than were sent (send the part again),
    /// and every error of arguments and network.
    pub fn send_bytes(self, bytes: impl AsRef<[u8]>) -> Result<Part> {
        let bytes = bytes.as_ref();
        let mut reader = Cursor::new(bytes);
        let source = Source::Rewindable(&mut reader, 0);
        self.send(source, bytes.len() as u64, true, "`body`")
    }

    /// Sends `len` bytes of a file from `offset` on as the part.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](UploadPart::send_bytes), [`ErrorKind::InvalidArgument`] when the file ends before
    /// the range does, [`ErrorKind::BodyUnreadable`] when it cannot be opened or read or is not a regular
    /// file, and [`ErrorKind::BodyChanged`] when it changes meanwhile.
    pub fn send_file_range(self, path: impl AsRef<Path>, offset: u64, len: u64) -> Result<Part> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let mut file = source::open_range(path, &name, offset, len)?;
        self.send(Source::Rewindable(&mut file, offset), len, false, &name)
    }

    /// Sends what a reader gives, exactly `len` bytes, as the part. It is read once, so there is another
    /// attempt only if nothing was read yet.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](UploadPart::send_bytes), [`ErrorKind::BodyUnreadable`] when the reader fails, and
    /// [`ErrorKind::BodyChanged`] when it gives fewer or more than `len` bytes.
    pub fn send_reader(self, mut reader: impl Read, len: u64) -> Result<Part> {
        self.send(Source::Once(&mut reader), len, true, "the reader")
    }

    /// Sends `len` bytes of a reader that can be rewound, from its current position on, as the part. What
    /// follows them is not read.
    ///
    /// # Errors
    ///
    /// As [`send_reader`](UploadPart::send_reader).
    pub fn send_rewindable(self, mut reader: impl Read + Seek, len: u64) -> Result<Part> {
        let start = source::position(&mut reader)?;
        self.send(
            Source::Rewindable(&mut reader, start),
            len,
            false,
            "the reader",
        )
    }

    /// Permits this part to others, in place of sending it: see
    /// [`PutObject::presign`](crate::PutObject::presign).
    ///
    /// # Errors
    ///
    /// Every error of arguments, and [`ErrorKind::CredentialsFailed`].
    pub fn presign(mut self, options: &PresignOptions) -> Result<PresignedUrl> {
        let request = self.prepare()?;
        presign::presign(&self.upload.engine, request, None, options)
    }

    fn send<'s>(
        mut self,
        mut source: Source<'s>,
        len: u64,
        ends: bool,
        name: &'s str,
    ) -> Result<Part> {
        let mut request = self.prepare()?;
        if len > MAX_BODY_LEN {
            return Err(Error::argument(format!(
                "{name} has {len} bytes: a part has at most {MAX_BODY_LEN} (5 GiB)"
            )));
        }
        let bandwidth = self.options.bandwidth.map(Bandwidth::new).transpose()?;
        let attempts = self.options.limits.attempts(&self.upload.engine, 0);
        if self.options.content_md5 {
            let md5 = content_md5::of(&mut source, len, name, &attempts.limits)?;
            request.set_header("Content-MD5", md5);
        }
        let part = PartUpload {
            number: self.number,
            request,
            source,
            name,
            len,
            ends,
            compare_crc64: self.options.compare_crc64,
            progress: self.progress,
            bandwidth,
        };
        part.send(&attempts)
    }

    /// The request with its headers; refuses what OSS refuses or what makes no sense.
    fn prepare(&mut self) -> Result<Request> {
        self.upload.check()?;
        check_number(self.number)?;
        self.options.check()?;
        let mut request = request(&self.upload, self.number);
        for (name, value) in self.options.headers.drain(..) {
            request.set_header(name, value);
        }
        request.check()?;
        Ok(request)
    }
}

impl fmt::Debug for UploadPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadPart")
            .field("upload", &self.upload)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// The request that sends part `number`, without headers.
pub(crate) fn request(upload: &MultipartUpload, number: u32) -> Request {
    upload
        .request_for_object("PUT")
        .query("partNumber", Some(&number.to_string()))
        .query("uploadId", Some(&upload.upload_id))
}

/// A part that has been checked.
pub(crate) struct PartUpload<'a, 'p> {
    pub(crate) number: u32,
    pub(crate) request: Request,
    pub(crate) source: Source<'a>,
    pub(crate) name: &'a str,
    pub(crate) len: u64,
    pub(crate) ends: bool,
    pub(crate) compare_crc64: bool,
    pub(crate) progress: Option<Box<Progress<'p>>>,
    pub(crate) bandwidth: Option<Bandwidth>,
}

impl PartUpload<'_, '_> {
    pub(crate) fn send(self, attempts: &Attempts) -> Result<Part> {
        let mut upload = Upload {
            asked: Asked::Part,
            request: self.request,
            source: self.source,
            name: self.name,
            len: Some(self.len),
            ends: self.ends,
            callback: false,
            compare_crc64: self.compare_crc64,
            content_crc64: None,
            success: 200,
            progress: self.progress,
            bandwidth: self.bandwidth,
        };
        let mut crc64 = 0;
        let done = attempts.run(|engine, limits| {
            let sent = upload.send(engine, limits);
            let again = Again {
                callback: false,
                idempotent: true,
                rewindable: sent.rewindable,
                signed_anew: true,
            };
            crc64 = sent.contents.crc64;
            let number = self.number;
            let result = sent.result.map_err(|error| match error.kind() {
                ErrorKind::ChecksumMismatch => error.saying(format!(
                    "part {number} arrived with other contents than were sent"
                )),
                _ => error,
            });
            (result, again)
        });
        let (receipt, _) = done?;
        // An answer without an ETag is none of a part that OSS keeps.
        let etag = receipt.etag().unwrap_or_default();
        let part = Part::new(self.number, etag).with_size(self.len);
        // Of what was sent: OSS's own is equal, or nobody wanted to know.
        Ok(part.with_crc64(crc64))
    }
}
