//! The client: it hands out the operations, and owns the engine that they stand on.

mod builder;
mod confirm;

use std::fmt;

use crate::engine::Engine;
use crate::operations::multipart::{
    InitiateMultipartUpload, ListMultipartUploads, MultipartUpload,
};
use crate::operations::object::{DeleteObject, GetObject, HeadObject};
use crate::operations::post_object::PostObject;
use crate::operations::post_policy::{PostForm, PostPolicy};
use crate::operations::presign::PresignedUrl;
use crate::operations::put::PutObject;
use crate::operations::reconcile::Reconcile;
use crate::operations::upload::UploadFile;
use crate::outcome::error::Error;

pub use builder::ClientBuilder;

/// A connection to OSS, or to a server that speaks its protocol.
///
/// A client can be used from many threads at once, and a clone is cheap: both share the connections.
///
/// It can also be used in a child of a `fork`. The child opens connections of its own, asks a
/// [`CredentialsProvider`](crate::CredentialsProvider) for itself, and waits for nothing that a thread of its parent was
/// doing. Requests that were under way at the fork go on in the parent only: in a child that was forked by a reader, a writer
/// or a progress hook they fail, unless it ends first. Connections that the parent had open stay open, unused, until the
/// child ends or calls `exec`.
///
/// ```
/// # if !cfg!(feature = "tls") { return Ok(()); }
/// use oss_callback::{Client, Credentials};
///
/// let client = Client::builder()
///     .endpoint("https://oss-cn-hangzhou.aliyuncs.com")
///     .credentials(Credentials::new("access-key-id", "access-key-secret"))
///     .build()?;
/// # Ok::<(), oss_callback::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    engine: Engine,
}

impl Client {
    /// Everything a client can be told; only the endpoint and the credentials must be given.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Uploads an object in one request, at most 5 GiB: OSS's PutObject.
    pub fn put_object<'a>(&self, bucket: &str, object: &str) -> PutObject<'a> {
        PutObject::new(self.engine.clone(), bucket, object)
    }

    /// Uploads an object by a URL that somebody else [signed](PutObject::presign): nothing is signed here, and
    /// nothing may be added to the headers that belong to the URL. The client's endpoint and credentials do
    /// not count, but for https the endpoint must be one, too. A callback in the URL is heeded: the receipt
    /// and the errors are those of any other upload.
    pub fn put_object_with_url<'a>(&self, url: &PresignedUrl) -> PutObject<'a> {
        PutObject::with_url(self.engine.clone(), url)
    }

    /// Permits an upload by a form, for browsers: OSS's PostObject. Nothing is sent.
    pub fn post_policy(&self, bucket: &str) -> PostPolicy {
        PostPolicy::new(self.engine.clone(), bucket)
    }

    /// Uploads an object by a form that somebody [signed](PostPolicy::sign): OSS's PostObject. The client's
    /// credentials do not count.
    pub fn post_object<'a>(&self, form: &PostForm) -> PostObject<'a> {
        PostObject::new(self.engine.clone(), form)
    }

    /// Uploads a file of any size, in parallel parts if it is large, and resumable if wanted.
    pub fn upload_file<'a>(&self, bucket: &str, object: &str) -> UploadFile<'a> {
        UploadFile::new(self.engine.clone(), bucket, object)
    }

    /// Reads what is known of an object: OSS's HeadObject.
    pub fn head_object(&self, bucket: &str, object: &str) -> HeadObject {
        HeadObject::new(self.engine.clone(), bucket, object)
    }

    /// Downloads an object: OSS's GetObject.
    pub fn get_object(&self, bucket: &str, object: &str) -> GetObject {
        GetObject::new(self.engine.clone(), bucket, object)
    }

    /// Deletes an object: OSS's DeleteObject.
    pub fn delete_object(&self, bucket: &str, object: &str) -> DeleteObject {
        DeleteObject::new(self.engine.clone(), bucket, object)
    }

    /// Finds out what became of an upload whose outcome is [unknown](crate::Stored::Unknown). It is the error that
    /// says which upload it was; the client may be another one.
    pub fn reconcile(&self, error: &Error) -> Reconcile {
        Reconcile::new(self.engine.clone(), error)
    }

    /// Begins an object that is sent in parts: OSS's InitiateMultipartUpload.
    pub fn initiate_multipart_upload(&self, bucket: &str, object: &str) -> InitiateMultipartUpload {
        InitiateMultipartUpload::new(self.engine.clone(), bucket, object)
    }

    /// Goes on with a multipart upload that was begun before, here or elsewhere. Nothing is sent.
    pub fn multipart_upload(&self, bucket: &str, object: &str, upload_id: &str) -> MultipartUpload {
        MultipartUpload::new(self.engine.clone(), bucket, object, upload_id)
    }

    /// Asks which multipart uploads of a bucket are open: OSS's ListMultipartUploads.
    pub fn list_multipart_uploads(&self, bucket: &str) -> ListMultipartUploads {
        ListMultipartUploads::new(self.engine.clone(), bucket)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.engine).finish()
    }
}
