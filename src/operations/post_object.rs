//! PostObject: an upload by a form that somebody else has signed, streamed as `multipart/form-data`.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Cursor, Read, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use crate::base::crc64::Crc64;
use crate::engine::Engine;
use crate::engine::operation::operation_setters;
use crate::engine::source::{self, Source, Upload};
use crate::operations::post_policy::{PostForm, check_fields};
use crate::operations::put_options::{PutOptions, Step, body_setters, progress_setter};
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::retry::Again;
use crate::outcome::verdict::ErrorKind;
use crate::outcome::{self, Asked};
use crate::request::Request;
use crate::request::content_type;
use crate::transport::{Bandwidth, Progress, Reader, RewindableReader};

/// An upload by a form. Made by [`Client::post_object`](crate::Client::post_object); one of the `send` methods carries it out.
#[must_use = "nothing is sent before one of the `send` methods is called"]
pub struct PostObject<'a> {
    engine: Engine,
    form: PostForm,
    /// What the uploader adds.
    fields: Vec<(String, String)>,
    file_name: Option<String>,
    options: PutOptions,
    progress: Option<Box<Progress<'a>>>,
}

impl<'a> PostObject<'a> {
    operation_setters!(self, self.options.limits);
    body_setters!(self, self.options);
    progress_setter!();

    pub(crate) fn new(engine: Engine, form: &PostForm) -> PostObject<'a> {
        PostObject {
            engine,
            form: form.clone(),
            fields: Vec::new(),
            file_name: None,
            options: PutOptions::new(),
            progress: None,
        }
    }

    /// Those of these options that apply to a form, in place of those that were given before: how the body is sent, whether
    /// a callback may be repeated, and the limits. The form and its fields say what the object is to have. A callback and
    /// `content_md5` are refused.
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.of(Step::Form, &[]);
        self
    }

    /// The name of the file, which takes the place of `${filename}` in the object's name. Default: the last
    /// part of the path; without a path it is needed by a form that has the placeholder.
    pub fn file_name(mut self, name: &str) -> Self {
        self.file_name = Some(name.to_owned());
        self
    }

    /// The object's Content-Type (`x-oss-content-type`), if the form leaves it to the uploader.
    pub fn content_type(self, content_type: &str) -> Self {
        self.field("x-oss-content-type", content_type)
    }

    /// A field that the form leaves to the uploader. A later value replaces an earlier one.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says that the application server does the right thing when the same callback reaches it twice; see
    /// [`PutObject::callback_is_idempotent`](crate::PutObject::callback_is_idempotent).
    pub fn callback_is_idempotent(mut self, idempotent: bool) -> Self {
        self.options.callback_is_idempotent = idempotent;
        self
    }

    /// Uploads bytes and waits for the answer: with a callback for that of the application server.
    ///
    /// # Errors
    ///
    /// As [`PutObject::send_bytes`](crate::PutObject::send_bytes); [`ErrorKind::AccessDenied`] when the form
    /// has expired or does not permit this upload.
    pub fn send_bytes(self, bytes: impl AsRef<[u8]>) -> Result<Receipt> {
        let bytes = bytes.as_ref();
        let mut reader = Cursor::new(bytes);
        self.send(
            Source::Rewindable(&mut reader, 0),
            bytes.len() as u64,
            "`body`",
            None,
        )
    }

    /// Uploads a file and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`PutObject::send_file`](crate::PutObject::send_file).
    pub fn send_file(self, path: impl AsRef<Path>) -> Result<Receipt> {
        let path = path.as_ref();
        let name = format!("{path:?}");
        let mut file = source::open(path, &name).map_err(|e| self.before_sending(e))?;
        let len = file.len();
        self.send(Source::Rewindable(&mut file, 0), len, &name, Some(path))
    }

    /// Uploads what a reader gives, exactly `len` bytes. It is read once.
    ///
    /// # Errors
    ///
    /// As [`PutObject::send_reader`](crate::PutObject::send_reader).
    pub fn send_reader(self, mut reader: impl Read, len: u64) -> Result<Receipt> {
        self.send(Source::Once(&mut reader), len, "the reader", None)
    }

    fn asks_for_a_callback(&self) -> bool {
        let mut fields = self.form.fields().iter().chain(&self.fields);
        fields.any(|(name, _)| name.eq_ignore_ascii_case("callback"))
    }

    fn before_sending(&self, error: Error) -> Error {
        outcome::before_sending(error, self.asks_for_a_callback())
    }

    fn send(
        self,
        source: Source<'_>,
        len: u64,
        name: &str,
        path: Option<&Path>,
    ) -> Result<Receipt> {
        let callback = self.asks_for_a_callback();
        let before_sending = |error| outcome::before_sending(error, callback);
        let boundary = boundary();
        let (head, tail) = self.framing(&boundary, path).map_err(before_sending)?;
        let bandwidth = self.options.bandwidth.map(Bandwidth::new).transpose();
        let bandwidth = bandwidth.map_err(before_sending)?;
        let mut request = Request::to_url("POST", self.form.url());
        request.set_header(
            "Content-Type",
            format!("multipart/form-data; boundary={boundary}"),
        );
        let checked = request.check().and_then(|()| self.check_options());
        checked.map_err(before_sending)?;
        if self.form.url().starts_with("https:") && !self.engine.endpoint().is_https() {
            let message = "`form` has an https URL: give the client an endpoint with https, too";
            return Err(before_sending(Error::argument(message)));
        }

        let rewindable = matches!(source, Source::Rewindable(..));
        let total = head.len() as u64 + len + tail.len() as u64;
        let crc64 = Rc::new(Cell::new(0));
        let mut body = FormBody {
            head: Cursor::new(head),
            source,
            len,
            left: len,
            tail: Cursor::new(tail),
            crc64: Crc64::new(),
            file_crc64: crc64.clone(),
        };
        let urls = if callback { crate::spec::MAX_URLS } else { 0 };
        let attempts = self.options.limits.attempts(&self.engine, urls);
        let source = if rewindable {
            Source::Rewindable(&mut body, 0)
        } else {
            Source::Once(&mut body)
        };
        let mut upload = Upload {
            asked: Asked::Object,
            request,
            source,
            name,
            len: Some(total),
            ends: true,
            callback,
            compare_crc64: self.options.compare_crc64,
            content_crc64: Some(crc64),
            success: if callback { 200 } else { self.success() },
            progress: self.progress,
            bandwidth,
        };
        let idempotent = self.options.callback_is_idempotent;
        let (receipt, history) = attempts.run(|engine, limits| {
            let sent = upload.send(engine, limits);
            let again = Again {
                callback,
                idempotent,
                rewindable: sent.rewindable,
                signed_anew: false,
            };
            (sent.result, again)
        })?;
        Ok(receipt.with_history(history))
    }

    fn check_options(&self) -> Result<()> {
        if self.options.callback.is_some() {
            let message = "`callback` cannot be given: the form was signed with one, or without";
            return Err(Error::argument(message));
        }
        if self.options.content_md5 {
            return Err(Error::argument("`content_md5` cannot be sent with a form"));
        }
        self.options.check()
    }

    /// The status of a success without a callback.
    fn success(&self) -> u16 {
        let field = |wanted: &str| {
            let mut fields = self.fields.iter().chain(self.form.fields());
            fields
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.as_str())
        };
        match field("success_action_status") {
            _ if field("success_action_redirect").is_some() => 303,
            Some("200") => 200,
            Some("201") => 201,
            _ => 204,
        }
    }

    /// What stands before and after the file.
    fn framing(&self, boundary: &str, path: Option<&Path>) -> Result<(Vec<u8>, Vec<u8>)> {
        check_fields(self.form.fields().iter().chain(&self.fields))?;
        let from_path = path
            .and_then(|path| path.file_name())
            .map(|name| name.to_string_lossy());
        let file_name = self.file_name.as_deref().or(from_path.as_deref());
        let key = self.form.field("key").unwrap_or_default();
        if key.contains("${filename}") && file_name.is_none() {
            let message = "`file_name` is missing: the form puts it into the object's name";
            return Err(Error::argument(message));
        }
        let file_name = file_name.unwrap_or("file");
        let mut head = String::new();
        for (name, value) in self.form.fields().iter().chain(&self.fields) {
            let given = self
                .fields
                .iter()
                .filter(|(n, _)| n.eq_ignore_ascii_case(name))
                .count();
            let of_form = self.form.field(name).is_some();
            if given > 0 && of_form {
                return Err(Error::argument(format!(
                    "field {name} cannot be given: the form has it"
                )));
            }
            head.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                escape(name)
            ));
        }
        let content_type = path.map_or_else(
            || content_type::of(Path::new(file_name)),
            |path| content_type::of_either(path, file_name),
        );
        head.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: {content_type}\r\n\r\n",
            escape(file_name)
        ));
        Ok((
            head.into_bytes(),
            format!("\r\n--{boundary}--\r\n").into_bytes(),
        ))
    }
}

impl fmt::Debug for PostObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostObject")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// As browsers do (the WHATWG's "multipart/form-data").
fn escape(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Nothing that a file could hold by chance.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("oss-callback-{:016x}{:016x}", random(), random())
}

/// A file with a form around it.
struct FormBody<'a> {
    head: Cursor<Vec<u8>>,
    source: Source<'a>,
    len: u64,
    /// Of the file.
    left: u64,
    tail: Cursor<Vec<u8>>,
    crc64: Crc64,
    /// Where the CRC-64 of the file is put.
    file_crc64: Rc<Cell<u64>>,
}

impl FormBody<'_> {
    fn file(&mut self) -> &mut dyn Reader {
        match &mut self.source {
            Source::Rewindable(reader, _) => *reader,
            Source::Once(reader) => *reader,
        }
    }
}

impl Reader for FormBody<'_> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        if self.left > 0 {
            let room = usize::try_from(self.left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = self.file().read_some(&mut buffer[..room])?;
            let Some(bytes) = buffer[..room].get(..count) else {
                return Err(io::Error::other("it gave more bytes than it was asked for"));
            };
            if count == 0 {
                let message = format!(
                    "it ended after {} of {} bytes",
                    self.len - self.left,
                    self.len
                );
                return Err(io::Error::other(Error::new(
                    ErrorKind::BodyChanged,
                    message,
                )));
            }
            self.crc64.update(bytes);
            self.left -= count as u64;
            return Ok(count);
        }
        if self.tail.position() == 0 && self.file().read_some(&mut [0])? > 0 {
            let message = format!("it has more than {} bytes", self.len);
            return Err(io::Error::other(Error::new(
                ErrorKind::BodyChanged,
                message,
            )));
        }
        self.file_crc64.set(self.crc64.value());
        self.tail.read(buffer)
    }

    fn holds_still(
        &mut self,
        _: u64,
        patience: &mut dyn FnMut() -> Result<()>,
    ) -> io::Result<bool> {
        let crc64 = self.crc64.value();
        self.file().holds_still(crc64, patience)
    }
}

impl RewindableReader for FormBody<'_> {
    /// To the beginning only, for another attempt.
    fn seek_to(&mut self, _: SeekFrom) -> io::Result<u64> {
        if let Source::Rewindable(reader, start) = &mut self.source {
            reader.seek_to(SeekFrom::Start(*start))?;
        }
        self.head.set_position(0);
        self.tail.set_position(0);
        self.left = self.len;
        self.crc64 = Crc64::new();
        Ok(0)
    }
}
