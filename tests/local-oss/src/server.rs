//! The server as its user holds it.

use std::{
    fmt, io,
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, PoisonError, RwLockWriteGuard, atomic::Ordering},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    authorization::Credential,
    background::Background,
    builder::Builder,
    multipart_request::{MultipartRequest, OpenUpload},
    record::{Delivery, Stored},
    service::Service,
    tls::Identity,
    uploads::MultipartUpload,
};

/// A running server. It stops when it is dropped.
///
/// May be shared between threads.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let server = local_oss::Server::builder()
///     .bucket("photos")
///     .credentials("AK", "SK")
///     .start()?;
/// assert!(server.endpoint().starts_with("http://127.0.0.1:"));
/// assert!(server.stored().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Server {
    background: Background,
    endpoint: String,
    service: Arc<Service>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.endpoint;
        f.debug_struct("Server")
            .field("endpoint", endpoint)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn new(background: Background, endpoint: String, service: Arc<Service>) -> Self {
        Self {
            background,
            endpoint,
            service,
        }
    }

    /// A server with every setting at its default, ready to be changed.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, with TLS `https://127.0.0.1:PORT`: what to give to a client as endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// Every object that was stored, overwritten ones too, in order: the latest, see [`Builder::history_bytes`].
    pub fn stored(&self) -> Vec<Stored> {
        self.service.record.stored().all()
    }

    /// Every attempt to deliver a callback, in order: the latest, see [`Builder::history_bytes`].
    ///
    /// When the uploader has its answer the attempts of its upload are here.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.service.record.deliveries().all()
    }

    /// [`stored`](Self::stored), once `count` objects have been stored or `patience` has ended.
    pub fn wait_for_stored(&self, count: usize, patience: Duration) -> Vec<Stored> {
        self.service.record.stored().wait_for(count, patience)
    }

    /// [`deliveries`](Self::deliveries), once there were `count` of them or `patience` has ended. For uploaders that do not
    /// wait for their answer.
    pub fn wait_for_deliveries(&self, count: usize, patience: Duration) -> Vec<Delivery> {
        self.service.record.deliveries().wait_for(count, patience)
    }

    /// Every request for a part of a multipart upload's life that was signed right, with its outcome, in order: the latest, see
    /// [`Builder::history_bytes`].
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// # let server = local_oss::Server::builder().start()?;
    /// let requests = server.multipart_requests();
    /// // How often did part 7 come in whole?
    /// let sevens = requests.iter().filter(|request| request.is_part(7) && request.status == 200);
    /// // What became of each Complete?
    /// let completes = requests.iter().filter(|request| request.operation == "CompleteMultipartUpload");
    /// let outcomes: Vec<u16> = completes.map(|request| request.status).collect();
    /// # assert_eq!((sevens.count(), outcomes.len()), (0, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn multipart_requests(&self) -> Vec<MultipartRequest> {
        self.service.record.multipart_requests().all()
    }

    /// [`multipart_requests`](Self::multipart_requests), once there were `count` of them or `patience` has ended.
    pub fn wait_for_multipart_requests(
        &self,
        count: usize,
        patience: Duration,
    ) -> Vec<MultipartRequest> {
        let requests = self.service.record.multipart_requests();
        requests.wait_for(count, patience)
    }

    /// The multipart uploads that are open now, by bucket, key and id.
    pub fn open_uploads(&self) -> Vec<OpenUpload> {
        let uploads = self.service.uploads.all();
        let open = |upload: &Arc<MultipartUpload>| OpenUpload {
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            upload_id: upload.id.clone(),
            parts: upload.parts.all().into_keys().collect(),
        };
        uploads.iter().map(open).collect()
    }

    /// Waits until no connection is open, for no longer than `patience`; false if some are left. Then everything is done that
    /// clients had begun which are gone, those that were killed too, and the record has it.
    pub fn wait_until_idle(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        // Who connected before this is known to the server when it has closed this.
        if let Ok(mut stream) = TcpStream::connect(self.address()) {
            let _ = stream.set_read_timeout(Some(patience.max(Duration::from_millis(1))));
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        while self.service.connections.load(Ordering::SeqCst) > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// From now on the server's clock is so many seconds ahead of the system's, or behind it if the number is negative.
    /// Signatures that are too far from it are refused with 403 `RequestTimeTooSkewed`, and the `Date` of answers says what
    /// time the server believes it is.
    pub fn set_clock(&self, seconds_ahead: i64) {
        self.service.clock.set(seconds_ahead);
    }

    /// The contents that an object has now.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let (object, source) = self.service.objects.open(bucket, key).ok()??;
        source.to_vec(object.contents.size()).ok()
    }

    /// Accepts temporary credentials (STS) from now on until `expiry`, in place of those with the same id. Later, requests with
    /// them are refused with 403 `SecurityTokenExpired`.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let server = local_oss::Server::builder().sts_credentials("STS.1", "secret", "token").start()?;
    /// // In the middle of an upload: the client must fetch the next ones.
    /// let expiry = SystemTime::now() + Duration::from_secs(900);
    /// server.add_sts_credentials("STS.2", "secret", "token", expiry);
    /// server.expire_credentials("STS.1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_sts_credentials(
        &self,
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
        security_token: impl Into<String>,
        expiry: SystemTime,
    ) {
        let credential = Credential {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            security_token: Some(security_token.into()),
            expiry: Some(expiry),
        };
        let mut credentials = self.credentials();
        credentials.retain(|known| known.access_key_id != credential.access_key_id);
        credentials.push(credential);
    }

    /// Credentials of this id expire now, so that a test need not wait. A request that was let in before goes on.
    pub fn expire_credentials(&self, access_key_id: &str) {
        for credential in self.credentials().iter_mut() {
            if credential.access_key_id == access_key_id {
                credential.expiry = Some(SystemTime::UNIX_EPOCH);
            }
        }
    }

    fn credentials(&self) -> RwLockWriteGuard<'_, Vec<Credential>> {
        let credentials = self.service.credentials.write();
        credentials.unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that verifies its callbacks, as a PEM document.
    pub fn public_key_pem(&self) -> &str {
        self.service.deliverer.key.public_pem()
    }

    /// Where the server serves that document; callbacks name it in `x-oss-pub-key-url`.
    pub fn public_key_url(&self) -> &str {
        self.service.deliverer.key.public_url()
    }

    /// The certificate that clients have to trust, as a PEM document; `None` without [`Builder::tls`].
    ///
    /// It is that of an authority which signed this server's certificate and can sign no other.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.service.tls.as_ref().map(Identity::authority_pem)
    }

    /// The certificate that clients have to show, and its private key, as a PEM document; `None` without
    /// [`Builder::client_certificates`].
    pub fn client_pem(&self) -> Option<&str> {
        self.service.tls.as_ref().and_then(Identity::client_pem)
    }

    /// Stops the server and closes all connections. Dropping it does the same.
    pub fn shutdown(mut self) {
        self.background.stop();
    }
}
