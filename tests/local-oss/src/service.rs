//! From a request to its answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http_body_util::BodyExt;
use hyper::{
    Method, Request, StatusCode,
    body::{Body, Incoming},
    header::{EXPECT, HOST, HeaderValue, ORIGIN, SERVER},
    http::request::Parts,
};
use tokio::time::timeout;

use crate::{
    addressing::{self, Resource, is_bucket_name, is_object_name},
    answer::{self, Answer, insert},
    authorization::{Credential, SignedRequest, authorize, is_signed, no_signature},
    callback::{Deliverer, KEY_PATH, Rules},
    clock::Clock,
    cors::{self, AllowedOrigins},
    error::OssError,
    log::Log,
    memory::Memory,
    objects::Objects,
    operations::{self, Level, Operation},
    query::Query,
    record::Record,
    storage::Storage,
    tls::Identity,
    uploads::Uploads,
};

/// An answer may be ready before the body has come in. So much of the rest is still read, so that a client which sends
/// all before it reads sees the answer, and its connection stays usable.
const DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// The account that owns every bucket and sends every request.
pub(crate) const ACCOUNT: &str = "1234567890123456";

/// Everything that requests share.
pub(crate) struct Service {
    pub(crate) clock: Arc<Clock>,
    /// Present if the server speaks TLS.
    pub(crate) tls: Option<Identity>,
    pub(crate) region: String,
    pub(crate) credentials: RwLock<Vec<Credential>>,
    pub(crate) memory: Memory,
    pub(crate) storage: Storage,
    pub(crate) objects: Objects,
    pub(crate) uploads: Uploads,
    /// For all parts but the last.
    pub(crate) min_part_size: u64,
    pub(crate) record: Arc<Record>,
    pub(crate) deliverer: Deliverer,
    pub(crate) rules: Rules,
    /// For a body of which nothing more comes.
    pub(crate) idle_timeout: Duration,
    /// Arguments in error documents are repeated to their end.
    pub(crate) whole_errors: bool,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) request_ids: RequestIds,
    /// How many are open.
    pub(crate) connections: AtomicUsize,
    pub(crate) log: Log,
}

/// 24 hexadecimal digits, as OSS's request ids have: a random start and a number.
#[derive(Debug)]
pub(crate) struct RequestIds {
    start: u64,
    next: AtomicU32,
}

impl RequestIds {
    pub(crate) fn new(start: u64) -> Self {
        Self {
            start,
            next: AtomicU32::new(0),
        }
    }

    pub(crate) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016X}{number:08X}", self.start)
    }
}

/// A request whose signature was found right, as operations see it.
pub(crate) struct Call {
    pub(crate) request_id: String,
    pub(crate) client: SocketAddr,
    pub(crate) bucket: String,
    /// Empty for the bucket itself.
    pub(crate) key: String,
    pub(crate) query: Query,
    pub(crate) head: Parts,
}

impl Call {
    /// The document of an error that is not the whole answer.
    pub(crate) fn error_answer(&self, error: &OssError) -> Answer {
        let head = &self.head;
        error_answer(error, &head.method, &self.request_id, host(head))
    }
}

impl Service {
    pub(crate) async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Answer {
        let start = Instant::now();
        let request_id = self.request_ids.next();
        let (head, mut body) = request.into_parts();
        let expects_continue = head.headers.contains_key(EXPECT);
        let host = host(&head).to_owned();
        let origin = head.headers.get(ORIGIN).cloned();
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let resource = addressing::resource(&host, uri.path(), &self.region, |name| {
            // The name of a container, too, may stand behind a bucket.
            let label = name.split('.').next().unwrap_or_default();
            let bucket = self.objects.bucket_of_domain(name);
            bucket.or_else(|| self.objects.has_bucket(label).then(|| label.to_owned()))
        });
        let bucket = resource.bucket.clone().unwrap_or_default();

        let result = self
            .answer(head, &mut body, resource, client, &request_id)
            .await;
        let (mut answer, why) = match result {
            Ok(answer) => (answer, String::new()),
            Err(error) => {
                let error = match self.whole_errors {
                    true => error,
                    false => error.cut(),
                };
                (
                    error_answer(&error, &method, &request_id, &host),
                    format!(" {}: {}", error.code, error.message),
                )
            }
        };
        let headers = answer.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static("AliyunOSS"));
        insert(headers, "date", &httpdate::fmt_http_date(self.clock.now()));
        insert(headers, "x-oss-request-id", &request_id);
        insert(
            headers,
            "x-oss-server-time",
            &start.elapsed().as_millis().to_string(),
        );
        let settings = self.objects.settings(&bucket);
        let rules = settings
            .as_ref()
            .and_then(|settings| settings.cors.as_ref());
        cors::allow(
            &self.allowed_origins,
            rules,
            origin.as_ref(),
            &method,
            &mut answer,
        );

        let (path, status, time) = (uri.path(), answer.status().as_u16(), start.elapsed());
        self.log.line(format_args!(
            "{method} {host}{path} -> {status}{why} in {time:.1?} [{request_id}]"
        ));
        // A client that waits for `100 Continue` has its answer now and sends nothing.
        if !expects_continue && !body.is_end_stream() {
            tokio::spawn(drain(body, self.idle_timeout));
        }
        answer
    }

    async fn answer(
        &self,
        head: Parts,
        body: &mut Incoming,
        resource: Resource,
        client: SocketAddr,
        request_id: &str,
    ) -> Result<Answer, OssError> {
        let path = head.uri.path();
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let is_signed = is_signed(&head.headers, &query);
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        if path == KEY_PATH && !is_signed && !resource.virtual_host && is_read {
            let pem = self.deliverer.key.public_pem().to_owned();
            return Ok(answer::with_body(
                StatusCode::OK,
                "application/x-pem-file",
                pem,
            ));
        }
        if head.method == Method::OPTIONS {
            let bucket = resource.bucket.as_deref().unwrap_or_default();
            self.check_bucket(bucket)?;
            let settings = self.objects.settings(bucket);
            let rules = settings
                .as_ref()
                .and_then(|settings| settings.cors.as_ref());
            return cors::preflight(&self.allowed_origins, rules, &head.headers);
        }
        let level = match &resource.bucket {
            None => Level::Service,
            Some(_) if resource.key.is_empty() => Level::Bucket,
            Some(_) => Level::Object,
        };
        let operation = Operation::of(level, &head.method, &query, &head.headers);
        let bucket = resource.bucket.as_deref().unwrap_or_default();
        match operation {
            Ok(Operation::CreateBucket) => check_bucket_name(bucket)?,
            _ if level == Level::Service => {}
            // Whoever asks, and whatever the signature is.
            _ => self.check_bucket(bucket)?,
        }
        if is_signed && !matches!(operation, Ok(Operation::PostObject)) {
            let signed = SignedRequest {
                method: head.method.as_str(),
                bucket: resource.bucket.as_deref(),
                key: &resource.key,
                query: &query,
                headers: &head.headers,
            };
            let credentials = self.credentials.read();
            let credentials = credentials.unwrap_or_else(PoisonError::into_inner);
            let authorized = authorize(&signed, &credentials, &self.region, self.clock.now());
            drop(credentials);
            match (authorized, &operation) {
                (Ok(()), _) => {}
                // Nobody knows whether version 1 covers a word that it does not know, so that more is said here.
                (Err(error), Err(_))
                    if error.code == "SignatureDoesNotMatch"
                        && operations::has_new_word(&query) => {}
                (Err(error), _) => return Err(error),
            }
        }
        let operation = match operation {
            Err(_) if !is_signed => return Err(no_signature()),
            operation => operation?,
        };
        let key = match level {
            Level::Object => object_name(&resource, &head.method)?,
            _ => String::new(),
        };
        let call = Call {
            request_id: request_id.to_owned(),
            client,
            bucket: resource.bucket.unwrap_or_default(),
            key,
            query,
            head,
        };
        if !is_signed {
            operations::check_stranger(self, operation, &call)?;
        }
        operations::serve(self, operation, call, body).await
    }

    /// Is there such a bucket?
    fn check_bucket(&self, bucket: &str) -> Result<(), OssError> {
        check_bucket_name(bucket)?;
        match self.objects.has_bucket(bucket) {
            true => Ok(()),
            false => Err(no_such_bucket(bucket)),
        }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }
}

fn check_bucket_name(bucket: &str) -> Result<(), OssError> {
    match is_bucket_name(bucket) {
        true => Ok(()),
        false => Err(OssError::new(
            StatusCode::BAD_REQUEST,
            "InvalidBucketName",
            "The specified bucket is not valid.",
        )
        .ec("0015-00000001")
        .detail("BucketName", bucket)),
    }
}

pub(crate) fn no_such_bucket(bucket: &str) -> OssError {
    OssError::new(
        StatusCode::NOT_FOUND,
        "NoSuchBucket",
        "The specified bucket does not exist.",
    )
    .ec("0015-00000101")
    .detail("BucketName", bucket)
}

/// The key, if an object can have it.
fn object_name(resource: &Resource, method: &Method) -> Result<String, OssError> {
    let Ok(key) = std::str::from_utf8(&resource.key) else {
        let key = String::from_utf8_lossy(&resource.key);
        return Err(OssError::invalid_argument(
            "The characters encoding must be utf-8.",
            "object",
            key,
        ));
    };
    match is_object_name(key) {
        true => Ok(key.to_owned()),
        // There is none of such a name.
        false if method == Method::HEAD && key.starts_with('/') => {
            Err(operations::no_such_key(key))
        }
        false => Err(invalid_object_name(key.to_owned())),
    }
}

pub(crate) fn invalid_object_name(key: String) -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "InvalidObjectName",
        "The specified object is not valid.",
    )
    .detail("ObjectName", key)
}

/// The Host header, or what an absolute URL in the request line says.
pub(crate) fn host(head: &Parts) -> &str {
    let header = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    head.uri
        .authority()
        .map(|authority| authority.as_str())
        .or(header)
        .unwrap_or_default()
}

/// The answer to a HEAD has no body, so that the document stands in a header as well; OSS puts that of a 203 there too (both
/// read in official SDKs).
fn error_answer(error: &OssError, method: &Method, request_id: &str, host: &str) -> Answer {
    let host = addressing::without_port(host);
    let document = error.document(request_id, host);
    let mut answer = answer::with_body(error.status, "application/xml", document);
    if let Some(ec) = error.ec {
        insert(answer.headers_mut(), "x-oss-ec", ec);
    }
    for (name, value) in &error.headers {
        insert(answer.headers_mut(), name, value);
    }
    let in_header =
        method == Method::HEAD || error.status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
    if let Some(header) = in_header.then(|| error.header(request_id, host)).flatten() {
        insert(answer.headers_mut(), "x-oss-err", &header);
    }
    answer
}

async fn drain(mut body: Incoming, idle_timeout: Duration) {
    let mut left = DRAINED_BYTES;
    while let Ok(Some(Ok(frame))) = timeout(idle_timeout, body.frame()).await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
