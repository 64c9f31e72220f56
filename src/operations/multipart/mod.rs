//! Multipart uploads: an object that is sent in parts, by one program or by many.
//!
//! OSS documentation: "Multipart upload", "InitiateMultipartUpload", "UploadPart", "ListParts",
//! "ListMultipartUploads", "AbortMultipartUpload".

mod complete;
mod initiate;
mod list;
mod list_uploads;
mod look_up;
mod part;
mod upload_part;

use crate::engine::Engine;
use crate::engine::operation::{Operation, OperationOptions, operation_options};
use crate::operations::put_options::{PutOptions, Step};
use crate::outcome::error::{Error, Result};
use crate::outcome::unsettled::{Contents, LostRequest, Unsettled};
use crate::request::object_headers;
use crate::request::{Header, Request};

pub use complete::CompleteMultipartUpload;
pub(crate) use complete::{Complete, Completed};
pub use initiate::InitiateMultipartUpload;
pub(crate) use initiate::initiate;
pub use list::ListParts;
pub(crate) use list::list_parts;
#[cfg(fuzzing)]
pub(crate) use list::read_page;
pub use list_uploads::{ListMultipartUploads, ListedUpload, MultipartUploadList};
pub(crate) use look_up::{Found, is_gone, look_up};
pub use part::Part;
pub use upload_part::UploadPart;
pub(crate) use upload_part::{PartUpload, request as part_request};

/// The least that OSS takes in a part that is not the last; checked when the upload is completed.
pub(crate) const MIN_PART_LEN: u64 = 100 * 1024;
/// Upload ids of OSS have 32 characters; the names of objects, and so what they begin with, at most 1023 bytes. What is
/// longer has no room in a URL.
const MAX_ID_LEN: usize = 1024;
/// How many parts an object can have.
pub(crate) const MAX_PARTS: u32 = 10_000;

/// A multipart upload that was begun: bucket, object and upload id, and the client that goes on with it.
///
/// Begun by [`Client::initiate_multipart_upload`](crate::Client::initiate_multipart_upload); one that was begun elsewhere, by another thread, process or
/// machine, is gone on with by [`Client::multipart_upload`](crate::Client::multipart_upload). Parts may be sent from many threads at once. The
/// object comes into being when the upload is [completed](MultipartUpload::complete); until then OSS keeps,
/// and bills, the parts.
///
/// # One object from many machines
///
/// The upload id, and number, ETag, size and CRC-64 of each part, are plain values: one machine begins the
/// upload, others send a part each, and whoever has all the parts completes it.
///
/// ```no_run
/// # use oss_callback::{CallbackSpec, Client, Error, Part};
/// # fn coordinator(client: &Client) -> Result<String, Error> {
/// // The coordinator begins and tells the others the id.
/// let upload = client.initiate_multipart_upload("examplebucket", "survey.tif").send()?;
/// let upload_id = upload.upload_id().to_owned();
/// # Ok(upload_id) }
/// # fn worker(client: &Client, upload_id: &str, number: u32, tile: &[u8]) -> Result<String, Error> {
/// // Each worker sends its part and returns a line of JSON.
/// let upload = client.multipart_upload("examplebucket", "survey.tif", upload_id);
/// let line = upload.upload_part(number).send_bytes(tile)?.to_json();
/// # Ok(line) }
/// # fn finish(client: &Client, upload_id: &str, lines: &[String], spec: &CallbackSpec) -> Result<(), Error> {
/// // The coordinator completes; the application server hears of the object once.
/// let parts = lines.iter().map(|line| Part::from_json(line)).collect::<Result<Vec<_>, _>>()?;
/// let upload = client.multipart_upload("examplebucket", "survey.tif", upload_id);
/// let receipt = upload.complete().callback(spec).send(&parts)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct MultipartUpload {
    engine: Engine,
    bucket: String,
    object: String,
    upload_id: String,
    requester_pays: bool,
    idempotency_id: Option<String>,
    /// Headers given at the beginning that belong to its parts, and to completing it.
    of_parts: Vec<Header<'static>>,
    of_completing: Vec<Header<'static>>,
    notes: Vec<String>,
}

impl MultipartUpload {
    pub(crate) fn new(engine: Engine, bucket: &str, object: &str, upload_id: &str) -> Self {
        MultipartUpload {
            engine,
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            upload_id: upload_id.to_owned(),
            requester_pays: false,
            idempotency_id: None,
            of_parts: Vec::new(),
            of_completing: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The upload that this request, which has been checked, begins or has begun.
    pub(crate) fn of(engine: Engine, initiate: &Request, upload_id: &str) -> Self {
        MultipartUpload {
            requester_pays: initiate.header("x-oss-request-payer").is_some(),
            idempotency_id: object_headers::idempotency_id(initiate),
            ..MultipartUpload::new(engine, &initiate.bucket, &initiate.key, upload_id)
        }
    }

    /// Whether the requester pays for this upload, as another account's bucket may require.
    /// Default: as its beginning was told; false for one that was begun elsewhere.
    pub fn requester_pays(mut self, pays: bool) -> Self {
        self.requester_pays = pays;
        self
    }

    /// The bucket of the object.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The name of the object.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// OSS's name for the upload. Together with bucket and object it is all that another machine needs.
    pub fn upload_id(&self) -> &str {
        &self.upload_id
    }

    /// What else is worth knowing of its beginning, a sentence each: that the answer to an earlier attempt was lost, so
    /// that OSS may have begun an upload that nobody knows. See
    /// [`ListMultipartUploads::begun_since`].
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// Remembers what the beginning was told of the requests to come.
    fn with_begun(mut self, options: &PutOptions) -> Self {
        self.of_parts = options.headers_of(Step::Part);
        self.of_completing = options.headers_of(Step::Complete);
        self
    }

    /// The requester pays also if these options say so.
    fn paid_by(&mut self, options: &PutOptions) {
        self.requester_pays |= options.pays();
    }

    /// Sends a part: OSS's UploadPart. `number` is in 1 to 10000 and decides where in the object the part
    /// stands; a part with the same number is replaced.
    pub fn upload_part<'a>(&self, number: u32) -> UploadPart<'a> {
        UploadPart::new(self, number)
    }

    /// Asks which parts OSS has: OSS's ListParts.
    pub fn list_parts(&self) -> ListParts {
        ListParts::new(self)
    }

    /// Makes the object of its parts: OSS's CompleteMultipartUpload, with a callback if wanted.
    pub fn complete(&self) -> CompleteMultipartUpload {
        CompleteMultipartUpload::new(self)
    }

    /// Gives the upload up, and deletes its parts: OSS's AbortMultipartUpload.
    pub fn abort(&self) -> AbortMultipartUpload {
        AbortMultipartUpload {
            operation: abort(self),
            upload: self.clone(),
            options: OperationOptions::default(),
        }
    }

    /// A request about this upload.
    fn request(&self, method: &'static str) -> Request {
        self.request_for_object(method)
            .query("uploadId", Some(&self.upload_id))
    }

    /// A request about the object that it is to become.
    fn request_for_object(&self, method: &'static str) -> Request {
        let mut request = Request::new(method, &self.bucket, &self.object);
        if self.requester_pays {
            request.set_header("x-oss-request-payer", "requester");
        }
        request
    }

    /// What to remember when it may have been completed.
    pub(crate) fn unsettled(&self, contents: Option<Contents>, answer_lost: bool) -> Unsettled {
        Unsettled {
            bucket: self.bucket.clone(),
            object: self.object.clone(),
            contents,
            idempotency_id: self.idempotency_id.clone(),
            requester_pays: self.requester_pays,
            request: LostRequest::Complete {
                upload_id: self.upload_id.clone(),
                answer_lost,
            },
        }
    }

    fn check(&self) -> Result<()> {
        if self.upload_id.is_empty() {
            return Err(Error::argument("`upload_id` is empty"));
        }
        check_len("upload_id", &self.upload_id)
    }
}

/// Whether a text can be one of OSS's upload ids.
pub(crate) fn is_upload_id(id: &str) -> bool {
    (1..=MAX_ID_LEN).contains(&id.len())
}

/// Refuses what has no room in a request.
fn check_len(name: &str, text: &str) -> Result<()> {
    if text.len() <= MAX_ID_LEN {
        return Ok(());
    }
    let message = format!(
        "`{name}` has {} bytes: at most {MAX_ID_LEN} can be sent",
        text.len()
    );
    Err(Error::argument(message))
}

/// The request that gives an upload up.
pub(crate) fn abort(upload: &MultipartUpload) -> Operation {
    Operation::new(upload.engine.clone(), upload.request("DELETE"))
}

/// Gives a multipart upload up. Made by [`MultipartUpload::abort`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send` is called"]
pub struct AbortMultipartUpload {
    operation: Operation,
    upload: MultipartUpload,
    options: OperationOptions,
}

impl AbortMultipartUpload {
    operation_options!();

    /// Sends the request. Do not do so after the upload may have been completed. Parts that are under way
    /// meanwhile may survive: abort again when they have ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when OSS does not know the upload, because it was
    /// completed or aborted before; after a lost answer that may have been this call. Every error of
    /// arguments and network.
    pub fn send(self) -> Result<()> {
        self.upload.check()?;
        self.operation.send(&self.options, &[204, 200]).map(drop)
    }
}
