//! Uploads to Alibaba Cloud OSS with an *upload callback*.
//!
//! A program uploads an object and names an application server; OSS stores the object, POSTs a message
//! to that server and hands the server's answer back to the uploader. This crate is the uploader:
//! blocking, without a runtime, and exact about what happened. It has a C ABI behind the feature `capi`.
//!
//! ```no_run
//! use oss_callback::{CallbackSpec, Client, Credentials, ErrorKind, Stored};
//!
//! let client = Client::builder()
//!     .endpoint("https://oss-cn-hangzhou.aliyuncs.com")
//!     .credentials(Credentials::from_env()?)
//!     .build()?;
//! let spec = CallbackSpec::builder()
//!     .url("https://app.example.com/oss-callback")
//!     .body("filename=${object}&size=${size}")
//!     .build()?;
//!
//! match client.put_object("examplebucket", "cat.jpg").callback(&spec).send_file("cat.jpg") {
//!     Ok(receipt) => println!("{}", String::from_utf8_lossy(receipt.answer())),
//!     // HTTP 203: stored, but the application server did not agree. Do not upload again.
//!     Err(e) if e.kind() == ErrorKind::CallbackFailed => println!("{e}: {:?}", e.diagnosis()),
//!     // The answer was lost: look before you send again.
//!     Err(e) if e.stored() == Stored::Unknown => println!("{:?}", client.reconcile(&e).send()?),
//!     Err(e) => return Err(e),
//! }
//! # Ok::<(), oss_callback::Error>(())
//! ```
//!
//! The application server's side, verifying and answering callbacks, is in [`callback`]. The [guide] begins with
//! nothing and ends with migrating from the official SDKs.
//!
//! # What happened
//!
//! Every [`Error`] says whether the object is [stored](Error::stored) and whether the callback was
//! [answered](Error::answered); a [`Receipt`] means both.
//!
//! | seen | result | stored | answered |
//! |---|---|---|---|
//! | HTTP 200 of OSS with a whole answer | [`Receipt`] | yes | yes |
//! | HTTP 200 of OSS, the answer cut short or too long | [`ErrorKind::AnswerDamaged`] | yes | yes |
//! | HTTP 203 of OSS to a request with a callback | [`ErrorKind::CallbackFailed`] | yes | no |
//! | the same with another CRC-64 | [`ErrorKind::ChecksumMismatch`] | yes, wrong contents | yes or no |
//! | HTTP 4xx of OSS | [`ErrorKind::Refused`] and its variants | no | no |
//! | any answer of somebody else: a login page, a proxy, a CDN | [`ErrorKind::UnexpectedAnswer`] | unknown | unknown |
//! | anything else, once the last byte was on its way | its cause | unknown | unknown |
//! | anything, before that | its cause | no | no |
//!
//! An answer is OSS's when it has a request id (`x-oss-request-id`), and a success has an ETag. Over plain HTTP somebody who
//! imitates both cannot be told from OSS.
//!
//! A [large file](Client::upload_file) goes in parallel parts, resumable by a checkpoint, and becomes one object with
//! one callback; the parts can also come from [many machines](MultipartUpload). The answer to the request that
//! completes an upload may be lost, too, but it [can be looked up](CompleteMultipartUpload).
//!
//! A failed request is sent again where that is worth it and does no harm; one with a callback only if it
//! certainly stored nothing, or if the caller allows it: see [`RetryPolicy`].

#[cfg(test)]
#[path = "../tests/support/src/any.rs"]
mod any;
mod base;
pub mod callback;
mod client;
mod credentials;
mod engine;
#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "the C boundary is made of raw pointers")]
mod ffi;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
// For rustdoc and its tests only, so that it costs a build nothing.
#[cfg(any(doc, doctest))]
pub mod guide;
mod operations;
mod outcome;
mod request;
mod sign;
mod spec;
mod transport;
#[cfg(test)]
mod vectors;

pub use client::{Client, ClientBuilder};
pub use credentials::{Credentials, CredentialsProvider, Signer, StringToSign};
pub use engine::operation::OperationOptions;
pub use operations::multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, ListMultipartUploads,
    ListParts, ListedUpload, MultipartUpload, MultipartUploadList, Part, UploadPart,
};
pub use operations::object::{DeleteObject, GetObject, HeadObject, ObjectMetadata};
pub use operations::post_object::PostObject;
pub use operations::post_policy::{PostForm, PostPolicy};
pub use operations::presign::{PresignOptions, PresignedUrl};
pub use operations::put::PutObject;
pub use operations::put_options::PutOptions;
pub use operations::reconcile::{Reconcile, Reconciled};
pub use operations::upload::UploadFile;
pub use outcome::error::{Error, Result};
pub use outcome::headers::Headers;
pub use outcome::receipt::Receipt;
pub use outcome::retry::RetryPolicy;
pub use outcome::verdict::{Answered, Attempt, ErrorKind, Stored};
pub use request::object_headers::{
    ObjectAcl, ServerSideDataEncryption, ServerSideEncryption, StorageClass,
};
pub use sign::SignatureVersion;
pub use spec::{
    BodyTemplate, BodyType, CallbackPreview, CallbackSpec, CallbackSpecBuilder, CallbackWarning,
    ObjectFacts, TemplateValue,
};
#[cfg(feature = "tls")]
pub use transport::RootCertificates;
pub use transport::cancellation::Cancellation;
