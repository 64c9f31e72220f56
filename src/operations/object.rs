//! Enough of the read side to look at what was stored: HeadObject, GetObject, DeleteObject.

use std::io::{Read, Write};
use std::time::SystemTime;

use crate::base::crc64::Crc64;
use crate::engine::Engine;
use crate::engine::operation::{Operation, OperationOptions, operation_options};
use crate::operations::presign::presign_method;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::headers::Headers;
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;
use crate::transport::{AnswerBody, Limits};

/// What OSS says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMetadata {
    headers: Headers,
}

impl ObjectMetadata {
    pub(crate) fn new(headers: Headers) -> ObjectMetadata {
        ObjectMetadata { headers }
    }

    pub(crate) fn into_headers(self) -> Headers {
        self.headers
    }

    /// The object's size in bytes; of a range the range's.
    pub fn content_length(&self) -> Option<u64> {
        self.number("content-length")
    }

    /// The ETag without its quotes.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag").map(|etag| etag.trim_matches('"'))
    }

    /// The CRC-64 of the whole object (CRC-64/XZ).
    pub fn crc64(&self) -> Option<u64> {
        self.number("x-oss-hash-crc64ecma")
    }

    /// The object's Content-Type.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// When the object was stored.
    pub fn last_modified(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("last-modified")?).ok()
    }

    /// User metadata by its name without `x-oss-meta-`, in any case.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.header(&format!("x-oss-meta-{name}"))
    }

    /// The object's version, in a bucket with versioning.
    pub fn version_id(&self) -> Option<&str> {
        self.header("x-oss-version-id")
    }

    /// The id under which OSS's support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-oss-request-id")
    }

    /// A header of the answer, by its name in any case. `None` too when its value is not UTF-8: see
    /// [`headers`](ObjectMetadata::headers).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.text(name)
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether it can be an object that was made of parts: one that was put in one request is none.
    pub(crate) fn is_of_parts(&self) -> bool {
        let kind = self.header("x-oss-object-type");
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("Multipart"))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.parse().ok()
    }
}

/// Asks for an object's metadata. Made by [`Client::head_object`](crate::Client::head_object).
///
/// ```no_run
/// # fn look(client: &oss_callback::Client) -> Result<(), oss_callback::Error> {
/// let metadata = client.head_object("examplebucket", "photos/cat.jpg").send()?;
/// println!("{:?} bytes", metadata.content_length());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send` is called"]
pub struct HeadObject {
    operation: Operation,
    options: OperationOptions,
}

impl HeadObject {
    operation_options!();
    presign_method!();

    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> HeadObject {
        HeadObject {
            operation: Operation::new(engine, Request::new("HEAD", bucket, object)),
            options: OperationOptions::default(),
        }
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such object, and every error of arguments and network.
    pub fn send(self) -> Result<ObjectMetadata> {
        let answer = self.operation.send(&self.options, &[200])?;
        Ok(ObjectMetadata {
            headers: answer.headers,
        })
    }
}

/// Deletes an object. Made by [`Client::delete_object`](crate::Client::delete_object).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send` is called"]
pub struct DeleteObject {
    operation: Operation,
    options: OperationOptions,
}

impl DeleteObject {
    operation_options!();
    presign_method!();

    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> DeleteObject {
        DeleteObject {
            operation: Operation::new(engine, Request::new("DELETE", bucket, object)),
            options: OperationOptions::default(),
        }
    }

    /// Sends the request. An object that does not exist counts as deleted, as with OSS.
    ///
    /// # Errors
    ///
    /// Every error of arguments and network, and refusals of OSS. After a lost answer the object may be
    /// deleted or not; deleting again does no harm.
    pub fn send(self) -> Result<()> {
        self.operation.send(&self.options, &[204, 200]).map(drop)
    }
}

/// Downloads an object. Made by [`Client::get_object`](crate::Client::get_object).
///
/// ```no_run
/// # fn download(client: &oss_callback::Client) -> Result<(), oss_callback::Error> {
/// let mut bytes = Vec::new();
/// client.get_object("examplebucket", "photos/cat.jpg").write_to(&mut bytes)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `write_to` is called"]
pub struct GetObject {
    operation: Operation,
    options: OperationOptions,
}

impl GetObject {
    operation_options!();
    presign_method!();

    pub(crate) fn new(engine: Engine, bucket: &str, object: &str) -> GetObject {
        GetObject {
            operation: Operation::new(engine, Request::new("GET", bucket, object)),
            options: OperationOptions::default(),
        }
    }

    /// Sends the request and writes the object's contents to `writer`, comparing their CRC-64 with the
    /// one that OSS has.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], [`ErrorKind::WriteFailed`] when `writer` fails,
    /// [`ErrorKind::ConnectionLost`] when the contents end early, [`ErrorKind::ChecksumMismatch`] when
    /// they are not what OSS stored, and every error of arguments and network. What was written until
    /// then is then not the object.
    pub fn write_to(self, writer: &mut dyn Write) -> Result<ObjectMetadata> {
        let GetObject { operation, options } = self;
        let mut touched = false;
        operation.run(&options, |engine, request, limits| {
            // The object may be of any size; what counts is that it comes.
            let limits = Limits {
                body: None,
                ..limits.clone()
            };
            let result = get(engine, request, &limits, writer, &mut touched);
            // What was written once cannot be taken back.
            (result, !touched)
        })
    }
}

/// One attempt; `touched` becomes true with the first byte that is written.
fn get(
    engine: &Engine,
    request: &Request,
    limits: &Limits,
    writer: &mut dyn Write,
    touched: &mut bool,
) -> Result<ObjectMetadata> {
    let answer = engine.exchange(request, None, limits).result?;
    if !outcome::is_wanted(answer.status, &answer.headers, &[200]) {
        return Err(outcome::refusal(engine.read(answer)));
    }
    let metadata = ObjectMetadata {
        headers: answer.headers,
    };
    let crc64 = copy(answer.body, writer, touched)?;
    let remote = metadata.crc64();
    if metadata.header("x-oss-hash-crc64ecma").is_none() || remote == Some(crc64) {
        return Ok(metadata);
    }
    let remote = remote.map_or_else(|| "no number".to_owned(), |remote| remote.to_string());
    let message = format!("the contents have CRC-64 {crc64}, the object {remote}");
    Err(Error::new(ErrorKind::ChecksumMismatch, message))
}

/// Copies a body and returns the CRC-64 of what was copied.
fn copy(mut body: AnswerBody, writer: &mut dyn Write, touched: &mut bool) -> Result<u64> {
    let mut crc64 = Crc64::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => return Ok(crc64.value()),
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(body.error(e)),
        };
        crc64.update(&buffer[..count]);
        *touched = true;
        writer.write_all(&buffer[..count]).map_err(|e| {
            Error::new(ErrorKind::WriteFailed, format!("write the object: {e}")).with_source(e)
        })?;
    }
}
