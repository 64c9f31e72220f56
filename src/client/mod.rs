//! The client: where requests go, who signs them, how long they may take.

mod builder;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::authorization::Authorization;
use crate::credentials::{Credentials, KeyPair};
use crate::error::{Error, Result};
use crate::multipart::{InitiateMultipartUpload, ListMultipartUploads, MultipartUpload};
use crate::object::{DeleteObject, GetObject, HeadObject};
use crate::outcome;
use crate::post_object::PostObject;
use crate::post_policy::{PostForm, PostPolicy};
use crate::presign::PresignedUrl;
use crate::put::PutObject;
use crate::reconcile::Reconcile;
use crate::request::{Endpoint, Request, set_header};
use crate::retry::RetryPolicy;
use crate::transport::{Answer, Body, Exchange, Limits, SignedRequest, Transport};
use crate::upload::UploadFile;

pub use builder::ClientBuilder;

/// OSS may wait so long for the application server, at each callback URL (OSS documentation,
/// "Callback"), and be silent meanwhile.
const CALLBACK_TIME: Duration = Duration::from_secs(5);

/// Headers that the client adds to those of an operation: who asks, and four of the signature.
const MAX_OWN_HEADERS: usize = 5;

/// Which signature requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SignatureVersion {
    /// HMAC-SHA1. Older, needs no region.
    V1,
    /// HMAC-SHA256, bound to the day and the region.
    #[default]
    V4,
}

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
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    region: Option<String>,
    credentials: Credentials,
    signature_version: SignatureVersion,
    user_agent: String,
    connect_timeout: Duration,
    answer_timeout: Duration,
    progress_timeout: Duration,
    timeout: Option<Duration>,
    max_answer_len: usize,
    retry_policy: RetryPolicy,
    /// Seconds by which the clock here is ahead of OSS's.
    clock_ahead: AtomicI64,
    transport: Transport,
}

impl Client {
    /// Everything a client can be told; only the endpoint and the credentials must be given.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Uploads an object in one request, at most 5 GiB: OSS's PutObject.
    pub fn put_object<'a>(&self, bucket: &str, object: &str) -> PutObject<'a> {
        PutObject::new(self.clone(), bucket, object)
    }

    /// Uploads an object by a URL that somebody else [signed](PutObject::presign): nothing is signed here, and
    /// nothing may be added to the headers that belong to the URL. The client's endpoint and credentials do
    /// not count, but for https the endpoint must be one, too. A callback in the URL is heeded: the receipt
    /// and the errors are those of any other upload.
    pub fn put_object_with_url<'a>(&self, url: &PresignedUrl) -> PutObject<'a> {
        PutObject::with_url(self.clone(), url)
    }

    /// Permits an upload by a form, for browsers: OSS's PostObject. Nothing is sent.
    pub fn post_policy(&self, bucket: &str) -> PostPolicy {
        PostPolicy::new(self.clone(), bucket)
    }

    /// Uploads an object by a form that somebody [signed](PostPolicy::sign): OSS's PostObject. The client's
    /// credentials do not count.
    pub fn post_object<'a>(&self, form: &PostForm) -> PostObject<'a> {
        PostObject::new(self.clone(), form)
    }

    /// Uploads a file of any size, in parallel parts if it is large, and resumable if wanted.
    pub fn upload_file<'a>(&self, bucket: &str, object: &str) -> UploadFile<'a> {
        UploadFile::from(self.put_object(bucket, object))
    }

    /// Reads what is known of an object: OSS's HeadObject.
    pub fn head_object(&self, bucket: &str, object: &str) -> HeadObject {
        HeadObject::new(self.clone(), bucket, object)
    }

    /// Downloads an object: OSS's GetObject.
    pub fn get_object(&self, bucket: &str, object: &str) -> GetObject {
        GetObject::new(self.clone(), bucket, object)
    }

    /// Deletes an object: OSS's DeleteObject.
    pub fn delete_object(&self, bucket: &str, object: &str) -> DeleteObject {
        DeleteObject::new(self.clone(), bucket, object)
    }

    /// Finds out what became of an upload whose outcome is [unknown](crate::Stored::Unknown). It is the error that
    /// says which upload it was; the client may be another one.
    pub fn reconcile(&self, error: &Error) -> Reconcile {
        Reconcile::new(self.clone(), error)
    }

    /// Begins an object that is sent in parts: OSS's InitiateMultipartUpload.
    pub fn initiate_multipart_upload(&self, bucket: &str, object: &str) -> InitiateMultipartUpload {
        InitiateMultipartUpload::new(self.clone(), bucket, object)
    }

    /// Goes on with a multipart upload that was begun before, here or elsewhere. Nothing is sent.
    pub fn multipart_upload(&self, bucket: &str, object: &str, upload_id: &str) -> MultipartUpload {
        MultipartUpload::new(self.clone(), bucket, object, upload_id)
    }

    /// Asks which multipart uploads of a bucket are open: OSS's ListMultipartUploads.
    pub fn list_multipart_uploads(&self, bucket: &str) -> ListMultipartUploads {
        ListMultipartUploads::new(self.clone(), bucket)
    }

    /// The limits of a request, with `answer_timeout` in place of the client's if there is one, after which
    /// OSS may call `callback_urls` servers before it answers.
    pub(crate) fn limits(&self, answer_timeout: Option<Duration>, callback_urls: usize) -> Limits {
        let answer_timeout = answer_timeout.unwrap_or(self.0.answer_timeout);
        let callbacks = CALLBACK_TIME * u32::try_from(callback_urls).unwrap_or(u32::MAX);
        Limits {
            connect: self.0.connect_timeout,
            answer: answer_timeout.saturating_add(callbacks),
            body: Some(answer_timeout),
            progress: self.0.progress_timeout,
            deadline: self
                .0
                .timeout
                .and_then(|limit| Instant::now().checked_add(limit)),
            cancellation: None,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.0.retry_policy
    }

    /// The time, corrected by what OSS said of it.
    fn now(&self) -> SystemTime {
        let ahead = self.0.clock_ahead.load(Ordering::Relaxed);
        let offset = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let corrected = if ahead < 0 {
            now.checked_add(offset)
        } else {
            now.checked_sub(offset)
        };
        corrected.unwrap_or(now).max(UNIX_EPOCH)
    }

    /// Takes OSS's time, an HTTP date, for the right one; false if it did not say one that makes sense.
    pub(crate) fn correct_clock(&self, date: Option<&str>) -> bool {
        let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
            return false;
        };
        let seconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        };
        // From the year 2000 to 3000: what is out of that no signature can be dated with.
        if !(946_684_800..32_503_680_000).contains(&seconds(theirs)) {
            return false;
        }
        let ahead = seconds(SystemTime::now()) - seconds(theirs);
        self.0.clock_ahead.store(ahead, Ordering::Relaxed);
        true
    }

    /// Whether other credentials may be had than those that OSS refused.
    pub(crate) fn may_renew_credentials(&self) -> bool {
        self.0.credentials.is_provided()
    }

    /// Signs and sends a request that has been checked.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        body: Option<Body<'_>>,
        limits: &Limits,
    ) -> Exchange {
        let mut headers = Vec::with_capacity(request.headers.len() + MAX_OWN_HEADERS);
        let given = request.headers.iter();
        headers.extend(given.map(|(name, value)| (Cow::from(&**name), Cow::from(&**value))));
        set_header(&mut headers, "User-Agent", self.0.user_agent.as_str());
        if let Some(url) = &request.url {
            let signed = SignedRequest {
                method: request.method,
                url: url.into(),
                headers: &headers,
            };
            return self.0.transport.exchange(signed, body, limits);
        }
        let pair = match self.key_pair() {
            Ok(pair) => pair,
            Err(error) => return Exchange::unsent(error),
        };
        if let Some(pair) = &pair
            && let Err(error) = self.authorization(pair).sign(request, &mut headers)
        {
            return Exchange::unsent(error);
        }
        let signed = SignedRequest {
            method: request.method,
            url: self.0.endpoint.url(request).into(),
            headers: &headers,
        };
        let mut exchange = self.0.transport.exchange(signed, body, limits);
        drop(headers);
        if let Ok(answer) = &mut exchange.result {
            answer.signed_by = pair;
        }
        exchange
    }

    /// Who signs the next request; `None` for nobody.
    pub(crate) fn key_pair(&self) -> Result<Option<Arc<KeyPair>>> {
        self.0.credentials.key_pair()
    }

    /// Signs, now, in the way of this client.
    pub(crate) fn authorization<'a>(&'a self, pair: &'a KeyPair) -> Authorization<'a> {
        Authorization {
            pair,
            version: self.0.signature_version,
            // The builder has seen to it that there is one where it is needed.
            region: self.0.region.as_deref().unwrap_or_default(),
            product: "oss",
            now: self.now(),
        }
    }

    /// Reads the body of an answer as far as the client's limit allows.
    pub(crate) fn read(&self, answer: Answer) -> outcome::Answer {
        let (body, damage) = answer.body.read_to_limit(self.0.max_answer_len);
        let read = outcome::Answer {
            status: answer.status,
            headers: answer.headers,
            body,
            damage,
        };
        if let Some(pair) = &answer.signed_by
            && outcome::refuses_credentials(&read)
        {
            self.0.credentials.forget(pair);
        }
        read
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.0.endpoint)
            .field("region", &self.0.region)
            .field("credentials", &self.0.credentials)
            .field("signature_version", &self.0.signature_version)
            .finish_non_exhaustive()
    }
}
