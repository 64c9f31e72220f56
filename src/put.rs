//! PutObject: an object in one request.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::callback::CallbackSpec;
use crate::client::Client;
use crate::error::{Answered, Error, ErrorKind, Result, Stored};
use crate::outcome::{self, Upload};
use crate::receipt::Receipt;
use crate::request::Request;
use crate::transport::Body;

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
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before one of the `send` methods is called"]
pub struct PutObject {
    client: Client,
    request: Request,
    callback: Option<CallbackSpec>,
    /// The first header that belongs to the library; reported by `send`.
    own_header: Option<&'static str>,
}

impl PutObject {
    pub(crate) fn new(client: Client, bucket: &str, object: &str) -> PutObject {
        let request = Request::new("PUT", bucket, object);
        PutObject {
            client,
            request,
            callback: None,
            own_header: None,
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
        self.send(&mut &*bytes, bytes.len() as u64, "`body`", content_type)
    }

    /// Uploads a file and waits for the answer: with a callback for that of the application server. The
    /// file is read while it is sent, 128 KiB at a time.
    ///
    /// # Errors
    ///
    /// As [`send_bytes`](PutObject::send_bytes), and [`ErrorKind::FileUnreadable`] when the file cannot
    /// be opened or read, or is not a regular file; [`ErrorKind::FileChanged`] when it turns out shorter
    /// or longer than it was when the upload began. Nothing is stored then.
    pub fn send_file(self, path: impl AsRef<Path>) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let answered = self.not_answered();
        let (mut file, len) =
            open(path, &name).map_err(|e| e.with_verdict(Stored::No, answered))?;
        let content_type =
            guess_content_type(path).or_else(|| guess_content_type(Path::new(&self.request.key)));
        self.send(&mut file, len, &name, content_type)
    }

    /// The verdict on the callback while nothing was sent.
    fn not_answered(&self) -> Answered {
        if self.callback.is_some() {
            Answered::No
        } else {
            Answered::NotRequested
        }
    }

    fn send(
        mut self,
        reader: &mut dyn Read,
        len: u64,
        name: &str,
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
        self.check(len, name)
            .map_err(|e| e.with_verdict(Stored::No, self.not_answered()))?;

        let callback_urls = self.callback.as_ref().map_or(0, CallbackSpec::urls);
        let limits = self.client.limits(callback_urls, self.client.whole_body());
        let body = Body { reader, len, name };
        let exchange = self.client.exchange(self.request, Some(body), &limits);
        outcome::of_upload(Upload {
            last_write_started: exchange.last_write_started,
            callback: self.callback.is_some(),
            crc64: exchange.crc64,
            attempts: 1,
            result: exchange.result.map(|answer| self.client.read(answer)),
        })
    }

    fn check(&self, len: u64, name: &str) -> Result<()> {
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
        if len > MAX_LEN {
            return Err(Error::argument(format!(
                "{name} has {len} bytes: PutObject takes at most {MAX_LEN} (5 GiB)"
            )));
        }
        self.request.check()
    }
}

/// Opens a regular file and finds its length.
fn open(path: &Path, name: &str) -> Result<(File, u64)> {
    let unreadable = |e: std::io::Error| {
        let message = format!("open {name}: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::FileUnreadable, message).with_source(e)
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::new(
            ErrorKind::FileUnreadable,
            format!("{name} is not a regular file"),
        ));
    }
    // Files of /proc have a length of 0 and contents all the same; an empty object in their place would
    // be a silent loss.
    if metadata.len() == 0 && file.read(&mut [0]).map_err(unreadable)? > 0 {
        let message = format!("{name} has contents, but says that it is empty");
        return Err(Error::new(ErrorKind::FileChanged, message));
    }
    Ok((file, metadata.len()))
}

fn guess_content_type(path: &Path) -> Option<&'static str> {
    mime_guess::from_path(path).first_raw()
}
