//! PutObject: an object in one request.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use crate::attempts::Attempts;
use crate::callback::CallbackSpec;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::operation::{OperationOptions, operation_setters};
use crate::outcome;
use crate::receipt::Receipt;
use crate::request::Request;
use crate::retry::Again;
use crate::source::{Source, Upload};
use crate::transport::Progress;
use crate::verdict::ErrorKind;

/// What OSS takes in one request (OSS documentation, "PutObject").
const MAX_LEN: u64 = 5 * 1024 * 1024 * 1024;

/// What OSS stores when nothing better is known.
const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// Headers that belong to the library, and what to use instead.
const OWN_HEADERS: [(&str, &str); 13] = [
    ("authorization", "the client signs its requests"),
    ("connection", "connections belong to the client"),
    ("content-length", "the length is that of the body"),
    ("date", "the client dates its requests"),
    ("expect", "it is never sent"),
    ("host", "the host is that of the endpoint"),
    ("transfer-encoding", "bodies are sent with their length"),
    ("user-agent", "use `user_agent` of the client"),
    ("x-oss-callback", "use `callback`"),
    ("x-oss-callback-var", "use `callback`"),
    ("x-oss-content-sha256", "the client signs its requests"),
    ("x-oss-date", "the client dates its requests"),
    (
        "x-oss-security-token",
        "use `security_token` of the credentials",
    ),
];

/// An upload in one request, with its options.
///
/// Made by [`Client::put_object`]; one of the `send` methods carries it out.
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
    client: Client,
    request: Request,
    callback: Option<CallbackSpec>,
    idempotent: bool,
    options: OperationOptions,
    compare_crc64: bool,
    progress: Option<Box<Progress<'a>>>,
    bandwidth: Option<u64>,
    /// The first header that belongs to the library; reported by `send`.
    own_header: Option<&'static str>,
}

impl<'a> PutObject<'a> {
    pub(crate) fn new(client: Client, bucket: &str, object: &str) -> PutObject<'a> {
        PutObject {
            request: Request::new("PUT", bucket, object),
            callback: None,
            idempotent: false,
            options: OperationOptions::default(),
            compare_crc64: true,
            progress: None,
            bandwidth: None,
            own_header: None,
            client,
        }
    }

    /// The object's Content-Type. Default: guessed from the extension of the file, else of the object's
    /// name, else `application/octet-stream`.
    pub fn content_type(self, content_type: &str) -> Self {
        self.header("Content-Type", content_type)
    }

    /// User metadata, stored with the object as `x-oss-meta-name`. Names are letters, digits and
    /// hyphens, and OSS turns them into lower case; all together at most 8 KiB.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.request.set_header(format!("x-oss-meta-{name}"), value);
        self
    }

    /// Any other header of PutObject by its name, for example `x-oss-forbid-overwrite` or
    /// `Cache-Control`. A later value replaces an earlier one; blanks around the value are removed.
    /// Headers that the library sets itself are refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let own = OWN_HEADERS
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((own, _)) = own {
            self.own_header.get_or_insert(own);
        } else {
            self.request
                .set_header(name, value.trim_matches([' ', '\t']));
        }
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

    /// Uploads bytes and waits for the answer: with a callback for that of the application server.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`]. [`Error::stored`] says whether the object is stored all the same:
    /// [`ErrorKind::CallbackFailed`], [`ErrorKind::ChecksumMismatch`] and
    /// [`ErrorKind::AnswerDamaged`] mean that it is.
    pub fn send_bytes(self, bytes: impl AsRef<[u8]>) -> Result<Receipt> {
        let bytes = bytes.as_ref();
        let content_type = guess_content_type(Path::new(&self.request.key));
        let len = Some(bytes.len() as u64);
        let mut reader = Cursor::new(bytes);
        self.send(
            Source::Rewindable(&mut reader, 0),
            len,
            true,
            "`body`",
            content_type,
        )
    }

    /// Uploads a file and waits for the answer: with a callback for that of the application server. The
    /// file is read while it is sent, 128 KiB at a time.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the file cannot
    /// be opened or read, or is not a regular file; [`ErrorKind::BodyChanged`] when it turns out shorter
    /// or longer than it was when the upload began. Nothing is stored then.
    pub fn send_file(self, path: impl AsRef<Path>) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let (mut file, len) = open(path, &name).map_err(|e| self.before_sending(e))?;
        let content_type = self.content_type_of(path);
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
    /// As [`send_file`](PutObject::send_file), and [`ErrorKind::InvalidArgument`] when the file ends
    /// before the range does.
    pub fn send_file_range(self, path: impl AsRef<Path>, offset: u64, len: u64) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let (mut file, file_len) = open(path, &name).map_err(|e| self.before_sending(e))?;
        if offset.checked_add(len).is_none_or(|end| end > file_len) {
            return Err(self.before_sending(Error::argument(format!(
                "{name} has {file_len} bytes: there are no {len} bytes from {offset} on"
            ))));
        }
        let content_type = self.content_type_of(path);
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
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the reader
    /// fails, [`ErrorKind::BodyChanged`] when it gives fewer or more than `len` bytes. Nothing is stored
    /// then.
    pub fn send_reader(self, mut reader: impl Read, len: u64) -> Result<Receipt> {
        let content_type = guess_content_type(Path::new(&self.request.key));
        self.send(
            Source::Once(&mut reader),
            Some(len),
            true,
            "the reader",
            content_type,
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
        let content_type = guess_content_type(Path::new(&self.request.key));
        let start = reader.stream_position().map_err(|e| {
            let message = format!(
                "find the reader's position: {}",
                e.to_string().to_lowercase()
            );
            self.before_sending(Error::new(ErrorKind::BodyUnreadable, message).with_source(e))
        })?;
        self.send(
            Source::Rewindable(&mut reader, start),
            Some(len),
            false,
            "the reader",
            content_type,
        )
    }

    /// Uploads whatever a reader gives until it ends, in chunks (`Transfer-Encoding: chunked`). Slower
    /// than a known length, and not every proxy lets it through. It is read once, so there is another
    /// attempt only if nothing was read yet.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::BodyUnreadable`] when the reader
    /// fails. Nothing is stored then.
    pub fn send_reader_chunked(self, mut reader: impl Read) -> Result<Receipt> {
        let content_type = guess_content_type(Path::new(&self.request.key));
        self.send(
            Source::Once(&mut reader),
            None,
            true,
            "the reader",
            content_type,
        )
    }

    fn content_type_of(&self, path: &Path) -> Option<&'static str> {
        guess_content_type(path).or_else(|| guess_content_type(Path::new(&self.request.key)))
    }

    fn before_sending(&self, error: Error) -> Error {
        outcome::before_sending(error, self.callback.is_some())
    }

    fn send<'s>(
        mut self,
        source: Source<'s>,
        len: Option<u64>,
        ends: bool,
        name: &'s str,
        content_type: Option<&'static str>,
    ) -> Result<Receipt> {
        if self.request.header("Content-Type").is_none() {
            let content_type = content_type.unwrap_or(DEFAULT_CONTENT_TYPE);
            self.request.set_header("Content-Type", content_type);
        }
        if let Some(spec) = &self.callback {
            self.request.set_header("x-oss-callback", spec.callback());
            if let Some(variables) = spec.callback_var() {
                self.request.set_header("x-oss-callback-var", variables);
            }
        }
        self.check(len, name).map_err(|e| self.before_sending(e))?;

        let callback_urls = self.callback.as_ref().map_or(0, CallbackSpec::urls);
        let callback = self.callback.is_some();
        let attempts = Attempts {
            policy: self.options.policy(&self.client),
            limits: self.options.limits(&self.client, callback_urls),
            client: self.client,
        };
        let mut upload = Upload {
            request: self.request,
            source,
            name,
            len,
            ends,
            callback,
            compare_crc64: self.compare_crc64,
            progress: self.progress,
            bandwidth: self.bandwidth,
        };
        let idempotent = self.idempotent;
        let (receipt, history) = attempts.run(|client, limits| {
            let (result, rewindable) = upload.send(client, limits);
            (
                result,
                Again {
                    callback,
                    idempotent,
                    rewindable,
                },
            )
        })?;
        Ok(receipt.with_history(history))
    }

    fn check(&self, len: Option<u64>, name: &str) -> Result<()> {
        if let Some(own) = self.own_header {
            let advice = OWN_HEADERS
                .iter()
                .find(|(name, _)| *name == own)
                .map(|(_, advice)| *advice);
            return Err(Error::argument(format!(
                "header {own} cannot be given: {}",
                advice.unwrap_or_default()
            )));
        }
        if let Some(len) = len.filter(|len| *len > MAX_LEN) {
            return Err(Error::argument(format!(
                "{name} has {len} bytes: PutObject takes at most {MAX_LEN} (5 GiB)"
            )));
        }
        self.options.check()?;
        if self.bandwidth == Some(0) {
            return Err(Error::argument("`bandwidth` is zero"));
        }
        self.request.check()
    }
}

impl fmt::Debug for PutObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutObject")
            .field("bucket", &self.request.bucket)
            .field("object", &self.request.key)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}

/// Opens a regular file and finds its length.
fn open(path: &Path, name: &str) -> Result<(File, u64)> {
    let unreadable = |e: std::io::Error| {
        let message = format!("open {name}: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::new(
            ErrorKind::BodyUnreadable,
            format!("{name} is not a regular file"),
        ));
    }
    // Files of /proc have a length of 0 and contents all the same; an empty object in their place would
    // be a silent loss.
    if metadata.len() == 0 && file.read(&mut [0]).map_err(unreadable)? > 0 {
        let message = format!("{name} has contents, but says that it is empty");
        return Err(Error::new(ErrorKind::BodyChanged, message));
    }
    Ok((file, metadata.len()))
}

fn guess_content_type(path: &Path) -> Option<&'static str> {
    mime_guess::from_path(path).first_raw()
}
