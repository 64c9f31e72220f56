//! From a request to its answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
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
    authorization::{Credential, SIGNATURE_PARAMETERS, SUB_RESOURCES, SignedRequest, authorize},
    callback::{Deliverer, KEY_PATH, Rules},
    clock::Clock,
    cors::AllowedOrigins,
    error::OssError,
    log::Log,
    memory::Memory,
    objects::Objects,
    operations::{self, multipart},
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
    pub(crate) started: SystemTime,
    pub(crate) clock: Arc<Clock>,
    /// Present if the server speaks TLS.
    pub(crate) tls: Option<Identity>,
    pub(crate) region: String,
    pub(crate) buckets: Vec<String>,
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

        let result = self
            .answer(head, &mut body, &host, client, &request_id)
            .await;
        let (mut answer, why) = match result {
            Ok(answer) => (answer, String::new()),
            Err(error) => (
                error_answer(&error, &method, &request_id, &host),
                format!(" {}: {}", error.code, error.message),
            ),
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
        if let Some(origin) = origin {
            self.allowed_origins.allow(&origin, &mut answer);
        }

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
        host: &str,
        client: SocketAddr,
        request_id: &str,
    ) -> Result<Answer, OssError> {
        let path = head.uri.path();
        let resource = addressing::resource(host, path, &self.region, &self.buckets);
        let is_anonymous = !head.headers.contains_key("authorization");
        if path == KEY_PATH && is_anonymous && !resource.virtual_host && head.method == Method::GET
        {
            let pem = self.deliverer.key.public_pem().to_owned();
            return Ok(answer::with_body(
                StatusCode::OK,
                "application/x-pem-file",
                pem,
            ));
        }
        if head.method == Method::OPTIONS {
            self.existing(resource)?;
            return self.allowed_origins.preflight(&head.headers);
        }
        let query = Query::parse(head.uri.query().unwrap_or_default());
        if resource.bucket.is_some()
            && resource.key.is_empty()
            && operations::is_form(&head.method, &query)
        {
            let (bucket, key) = self.existing(resource)?;
            let call = Call {
                request_id: request_id.to_owned(),
                client,
                bucket,
                key,
                query,
                head,
            };
            return operations::post_object(self, call, body).await;
        }
        let signed = SignedRequest {
            method: head.method.as_str(),
            bucket: resource.bucket.as_deref(),
            key: &resource.key,
            query: &query,
            headers: &head.headers,
        };
        authorize(
            &signed,
            &self
                .credentials
                .read()
                .unwrap_or_else(PoisonError::into_inner),
            &self.region,
            self.clock.now(),
        )?;

        let (bucket, key) = self.existing(resource)?;
        let call = Call {
            request_id: request_id.to_owned(),
            client,
            bucket,
            key,
            query,
            head,
        };
        self.dispatch(call, body).await
    }

    pub(crate) fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    /// The bucket, which must exist, and the key, which must be one or none.
    fn existing(&self, resource: Resource) -> Result<(String, String), OssError> {
        let bucket = resource
            .bucket
            .ok_or_else(|| OssError::not_implemented("operations on the service"))?;
        if !is_bucket_name(&bucket) {
            return Err(OssError::new(
                StatusCode::BAD_REQUEST,
                "InvalidBucketName",
                "The specified bucket is not valid.",
            )
            .detail("BucketName", bucket));
        }
        if !self.objects.has_bucket(&bucket) {
            return Err(OssError::new(
                StatusCode::NOT_FOUND,
                "NoSuchBucket",
                "The specified bucket does not exist.",
            )
            .ec("0015-00000101")
            .detail("BucketName", bucket));
        }
        match String::from_utf8(resource.key) {
            Ok(key) if key.is_empty() || is_object_name(&key) => Ok((bucket, key)),
            other => {
                let key = other
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                Err(invalid_object_name(key))
            }
        }
    }

    async fn dispatch(&self, call: Call, body: &mut Incoming) -> Result<Answer, OssError> {
        if call.key.is_empty() {
            return self.dispatch_bucket(&call);
        }
        if let Some(operation) = multipart::Operation::of(&call) {
            return multipart::serve(self, operation, call, body).await;
        }
        if let Some(name) = call.query.pairs().find_map(unknown_sub_resource) {
            return Err(OssError::not_implemented(&format!(
                "the sub-resource {name}"
            )));
        }
        match call.head.method {
            Method::PUT if call.head.headers.contains_key("x-oss-copy-source") => {
                Err(OssError::not_implemented("CopyObject"))
            }
            Method::PUT => operations::put_object(self, call, body).await,
            Method::GET => operations::get_object(self, &call),
            Method::HEAD => operations::head_object(self, &call),
            Method::DELETE => Ok(operations::delete_object(self, &call).await),
            ref method => Err(OssError::not_implemented(&format!("{method} on objects"))),
        }
    }

    fn dispatch_bucket(&self, call: &Call) -> Result<Answer, OssError> {
        const KNOWN: [&str; 3] = ["bucketInfo", "continuation-token", "uploads"];
        let unknown = |name: &&str| !KNOWN.contains(name);
        let mut sub_resources = call.query.pairs().filter_map(unknown_sub_resource);
        if let Some(name) = sub_resources.find(unknown) {
            return Err(OssError::not_implemented(&format!(
                "the sub-resource {name}"
            )));
        }
        match call.head.method {
            Method::GET if call.query.contains("bucketInfo") => {
                Ok(operations::bucket_info(self, call))
            }
            Method::GET if call.query.contains("uploads") => multipart::list_uploads(self, call),
            Method::GET => operations::list_objects(self, call),
            ref method => Err(OssError::not_implemented(&format!("{method} on buckets"))),
        }
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

/// A query parameter that makes another operation of the request, or a variant that would have to differ.
///
/// `response-*` belongs to Get and the callback to Put; elsewhere OSS ignores them. HEAD with `objectMeta` is a shorter
/// HeadObject. Limits of speed and who pays do not matter here, and a signature has been checked.
pub(crate) fn unknown_sub_resource<'a>((name, _): (&'a [u8], &[u8])) -> Option<&'a str> {
    let name = std::str::from_utf8(name).ok()?;
    let changes_nothing = name.starts_with("response-")
        || matches!(
            name,
            "callback"
                | "callback-var"
                | "objectMeta"
                | "x-oss-request-payer"
                | "x-oss-traffic-limit"
        )
        || SIGNATURE_PARAMETERS.contains(&name);
    let is_sub_resource = name.starts_with("x-oss-") || SUB_RESOURCES.contains(&name);
    (is_sub_resource && !changes_nothing).then_some(name)
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
