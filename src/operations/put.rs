//! PutObject: an object in one request.

use std::fmt;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::time::Instant;

use crate::engine::Engine;
use crate::engine::content_md5;
use crate::engine::open_file::OpenFile;
use crate::engine::source::{self, Source, Upload};
use crate::operations::presign::{self, PresignOptions, PresignedUrl};
use crate::operations::put_options::{PutOptions, progress_setter, put_option_setters};
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::retry::Again;
use crate::outcome::unsettled::{LostRequest, Unsettled};
#[cfg(doc)]
use crate::outcome::verdict::ErrorKind;
use crate::outcome::verdict::Stored;
use crate::outcome::{self, Asked};
use crate::request::content_type;
use crate::request::object_headers;
use crate::request::{Header, MAX_BODY_LEN, Request, names_parameter};
use crate::spec::MAX_URLS;
use crate::transport::{Bandwidth, Progress};

/// An upload in one request, with its options.
///
/// Made by [`Client::put_object`](crate::Client::put_object); one of the `send` methods carries it out.
///
/// ```no_run
/// # use oss_callback::{CallbackSpec, Client};
/// # fn upload(client: &Client, spec: &CallbackSpec) -> Result<(), oss_callback::Error> {
/// let receipt = client
///     .put_object("examplebucket", "photos/cat.jpg")
///     .metadata("author", "Ming")
///     .callback(spec)
///     .send_file("cat.jpg")?;
/// println!("{}", String::from_utf8_lossy(receipt.answer()));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before one of the `send` methods is called"]
pub struct PutObject<'a> {
    pub(crate) engine: Engine,
    pub(crate) request: Request,
    pub(crate) options: PutOptions,
    pub(crate) progress: Option<Box<Progress<'a>>>,
    /// Headers that belong to the URL of somebody else's.
    signed_headers: Vec<Header<'static>>,
    /// Why this URL cannot be used here.
    wrong_url: Option<Error>,
}

impl<'a> PutObject<'a> {
    put_option_setters!(self, self.options);
    progress_setter!();

    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> PutObject<'a> {
        PutObject::of(engine, Request::new("PUT", bucket, object))
    }

    fn of(engine: Engine, request: Request) -> PutObject<'a> {
        PutObject {
            engine,
            request,
            options: PutOptions::new(),
            progress: None,
            signed_headers: Vec::new(),
            wrong_url: None,
        }
    }

    pub(crate) fn with_url(engine: Engine, url: &PresignedUrl) -> PutObject<'a> {
        let mut put = PutObject::of(engine, Request::to_url("PUT", url.url()));
        let headers = url.headers().iter().cloned();
        put.signed_headers = headers
            // The transport says the length by itself.
            .filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Length"))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        put.wrong_url = match url.method() {
            "PUT" if names_parameter(url.url(), "uploadId") => {
                Some(Error::argument("`url` is of a part, not of an object"))
            }
            "PUT" => None,
            method => Some(Error::argument(format!("`url` permits {method}, not PUT"))),
        };
        put
    }

    /// All of these options in place of those that were given before.
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Uploads bytes and waits for the answer: with a callback for that of the application server.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`]. [`Error::stored`] says whether the object is stored all the same:
    /// [`ErrorKind::CallbackFailed`], [`ErrorKind::ChecksumMismatch`] and
    /// [`ErrorKind::AnswerDamaged`] mean that it is.
    pub fn send_bytes(self, bytes: impl AsRef<[u8]>) -> Result<Receipt> {
        let bytes = bytes.as_ref();
        let len = Some(bytes.len() as u64);
        let mut reader = Cursor::new(bytes);
        self.send(
            Source::Rewindable(&mut reader, 0),
            len,
            true,
            "`body`",
            None,
        )
    }

    /// Uploads a file and waits for the answer: with a callback for that of the application server. The
    /// file is read while it is sent, 128 KiB at a time.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the file cannot
    /// be opened or read, or is not a regular file; [`ErrorKind::BodyChanged`] when it changes while it
    /// is sent: what is stored is what it held when the upload began. Nothing is stored then. The guide says
    /// [what cannot be seen](crate::guide::large_files).
    pub fn send_file(self, path: impl AsRef<Path>) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let mut file = source::open(path, &name).map_err(|e| self.before_sending(e))?;
        let content_type = Some(content_type::of_either(path, &self.request.key));
        let len = file.len();
        self.send(
            Source::Rewindable(&mut file, 0),
            Some(len),
            true,
            &name,
            content_type,
        )
    }

    /// Uploads `len` bytes of a file from `offset` on, as an object of its own.
    ///
    /// # Errors
    ///
    /// As [`send_file`](PutObject::send_file), also when the file changes outside the range, and
    /// [`ErrorKind::InvalidArgument`] when it ends before the range does.
    pub fn send_file_range(self, path: impl AsRef<Path>, offset: u64, len: u64) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let file = source::open_range(path, &name, offset, len);
        let mut file = file.map_err(|e| self.before_sending(e))?;
        let content_type = Some(content_type::of_either(path, &self.request.key));
        self.send(
            Source::Rewindable(&mut file, offset),
            Some(len),
            false,
            &name,
            content_type,
        )
    }

    /// Uploads what a reader gives, exactly `len` bytes. It is read once, so there is another attempt only
    /// if nothing was read yet.
    ///
    /// While the reader runs, neither a cancellation nor a time limit takes effect. One that has nothing to
    /// give yet may return [`WouldBlock`](std::io::ErrorKind::WouldBlock), as a socket with a read timeout
    /// does: it is asked again, and they take effect in between.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the reader
    /// fails, [`ErrorKind::BodyChanged`] when it gives fewer or more than `len` bytes. Nothing is stored
    /// then.
    pub fn send_reader(self, mut reader: impl Read, len: u64) -> Result<Receipt> {
        self.send(
            Source::Once(&mut reader),
            Some(len),
            true,
            "the reader",
            None,
        )
    }

    /// Uploads `len` bytes of a reader that can be rewound, from its current position on. What follows them
    /// is not read.
    ///
    /// # Errors
    ///
    /// As [`send_reader`](PutObject::send_reader), and [`ErrorKind::BodyUnreadable`] when it cannot be
    /// rewound for another attempt.
    pub fn send_rewindable(self, mut reader: impl Read + Seek, len: u64) -> Result<Receipt> {
        let start = source::position(&mut reader).map_err(|e| self.before_sending(e))?;
        self.send(
            Source::Rewindable(&mut reader, start),
            Some(len),
            false,
            "the reader",
            None,
        )
    }

    /// Uploads whatever a reader gives until it ends, in chunks (`Transfer-Encoding: chunked`). Slower
    /// than a known length, and not every proxy lets it through. As with
    /// [`send_reader`](PutObject::send_reader), it is read once, and may have nothing to give for a while.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the reader
    /// fails. Nothing is stored then.
    pub fn send_reader_chunked(self, mut reader: impl Read) -> Result<Receipt> {
        self.send(Source::Once(&mut reader), None, true, "the reader", None)
    }

    /// Permits this upload to others, in place of carrying it out: whoever has the URL can put this object,
    /// with these headers and this callback, until it expires. Progress, limits and the like do not count. A
    /// Content-Type is part of it only if it is given.
    ///
    /// # Errors
    ///
    /// Every error of arguments, and [`ErrorKind::CredentialsFailed`].
    pub fn presign(mut self, options: &PresignOptions) -> Result<PresignedUrl> {
        self.prepare(false)?;
        if self.options.content_md5 {
            let message = "`content_md5` needs the body: give the header Content-MD5 instead";
            return Err(Error::argument(message));
        }
        let callback = self.options.callback.as_ref();
        presign::presign(&self.engine, self.request, callback, options)
    }

    fn asks_for_a_callback(&self) -> bool {
        self.options.callback.is_some()
            || self.request.asks_for_a_callback()
            || has_header(&self.signed_headers, "x-oss-callback")
    }

    fn before_sending(&self, error: Error) -> Error {
        outcome::before_sending(error, self.asks_for_a_callback())
    }

    fn send<'s>(
        mut self,
        mut source: Source<'s>,
        len: Option<u64>,
        ends: bool,
        name: &'s str,
        content_type: Option<&'static str>,
    ) -> Result<Receipt> {
        if self.options.header_value("Content-Type").is_none() && self.request.url.is_none() {
            let content_type =
                content_type.unwrap_or_else(|| content_type::of(Path::new(&self.request.key)));
            self.options.set("Content-Type", content_type);
        }
        let prepared = self.prepare(true).and_then(|()| check_len(len, name));
        prepared.map_err(|e| self.before_sending(e))?;
        let bandwidth = self.options.bandwidth.map(Bandwidth::new).transpose();
        let bandwidth = bandwidth.map_err(|e| self.before_sending(e))?;

        let callback = self.asks_for_a_callback();
        let callback_urls = match &self.options.callback {
            Some(spec) => spec.urls(),
            // In the URL there may be as many as OSS allows.
            None => usize::from(callback) * MAX_URLS,
        };
        let attempts = self.options.limits.attempts(&self.engine, callback_urls);
        if self.options.content_md5 {
            // A length that is not known belongs to a body that can be read once.
            let md5 = content_md5::of(&mut source, len.unwrap_or(0), name, &attempts.limits);
            let md5 = md5.map_err(|e| self.before_sending(e))?;
            self.request.set_header("Content-MD5", md5);
        }
        let mut upload = Upload {
            asked: Asked::Object,
            request: self.request,
            source,
            name,
            len,
            ends,
            callback,
            compare_crc64: self.options.compare_crc64,
            content_crc64: None,
            success: 200,
            progress: self.progress,
            bandwidth,
        };
        let idempotent = self.options.callback_is_idempotent;
        let begun = Instant::now();
        let mut contents = None;
        let done = attempts.run(|engine, limits| {
            let sent = upload.send(engine, limits);
            if let Err(error) = &sent.result
                && error.stored() == Stored::Unknown
            {
                contents = Some(sent.contents);
            }
            let again = Again {
                callback,
                idempotent,
                rewindable: sent.rewindable,
                signed_anew: upload.request.url.is_none(),
            };
            (sent.result, again)
        });
        match done {
            Ok((receipt, history)) => Ok(receipt.with_history(history)),
            // What a URL of somebody else's stores is not said by it.
            Err(error) if upload.request.url.is_some() => Err(error),
            Err(error) => Err(error.with_unsettled(Unsettled {
                bucket: upload.request.bucket.clone(),
                object: upload.request.key.clone(),
                contents,
                idempotency_id: object_headers::idempotency_id(&upload.request),
                requester_pays: upload.request.header("x-oss-request-payer").is_some(),
                request: LostRequest::Put { begun },
            })),
        }
    }

    /// Puts the headers into the request, with those of the callback if wanted, and refuses what OSS refuses or what makes no
    /// sense.
    fn prepare(&mut self, with_callback: bool) -> Result<()> {
        if let Some(wrong) = self.wrong_url.take() {
            return Err(wrong);
        }
        self.options.check()?;
        let headers = std::mem::take(&mut self.options.headers);
        if self.request.url.is_some() {
            self.request.headers.clone_from(&self.signed_headers);
            for (name, value) in headers {
                self.request.set_header(name, value);
            }
        } else {
            self.request.headers = headers;
        }
        if let Some(spec) = self.options.callback.as_ref().filter(|_| with_callback) {
            spec.add_to(&mut self.request);
        }
        object_headers::check(&self.request.headers)?;
        self.request.check()?;
        match &self.request.url {
            Some(url) => self.check_url(url),
            None => Ok(()),
        }
    }

    /// Refuses what a URL of somebody else's does not permit.
    fn check_url(&self, url: &str) -> Result<()> {
        if url.starts_with("https:") && !self.engine.endpoint().is_https() {
            let message = "`url` is https: give the client an endpoint with https, too";
            return Err(Error::argument(message));
        }
        if self.options.callback.is_some() {
            let message = "`callback` cannot be given: the URL was signed with one, or without";
            return Err(Error::argument(message));
        }
        let signed = |name: &str| has_header(&self.signed_headers, name);
        let mut headers = self.request.headers.iter();
        match headers.find(|(name, _)| !signed(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Error::argument(format!(
                "header {name} cannot be given: the URL was signed without it"
            ))),
        }
    }

    /// Uploads a file that is open already.
    pub(crate) fn send_open_file(self, mut file: OpenFile, name: &str) -> Result<Receipt> {
        let (start, len) = (file.start(), file.len());
        let source = Source::Rewindable(&mut file, start);
        self.send(source, Some(len), true, name, None)
    }

    /// Uploads `len` bytes of a file that is open already.
    #[cfg(all(feature = "capi", unix))]
    pub(crate) fn send_open_range(
        self,
        mut file: OpenFile,
        len: u64,
        name: &str,
    ) -> Result<Receipt> {
        let start = file.start();
        let source = Source::Rewindable(&mut file, start);
        self.send(source, Some(len), false, name, None)
    }
}

fn has_header(headers: &[Header<'_>], wanted: &str) -> bool {
    let mut headers = headers.iter();
    headers.any(|(name, _)| name.eq_ignore_ascii_case(wanted))
}

fn check_len(len: Option<u64>, name: &str) -> Result<()> {
    match len.filter(|len| *len > MAX_BODY_LEN) {
        None => Ok(()),
        Some(len) => Err(Error::argument(format!(
            "{name} has {len} bytes: PutObject takes at most {MAX_BODY_LEN} (5 GiB)"
        ))),
    }
}

impl fmt::Debug for PutObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutObject")
            .field("bucket", &self.request.bucket)
            .field("object", &self.request.key)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
