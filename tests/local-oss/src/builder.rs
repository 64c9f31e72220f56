//! The settings of a server, and its start.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::{Arc, RwLock, atomic::AtomicUsize},
    time::{Duration, SystemTime},
};

use rand_core::{OsRng, RngCore};
use tokio::sync::Semaphore;

use crate::{
    addressing::is_bucket_name,
    authorization::Credential,
    background::Background,
    callback::{CallbackKey, Deliverer, Resolver, Rules},
    connection,
    cors::AllowedOrigins,
    log::Log,
    memory::Memory,
    objects::Objects,
    operations::is_domain,
    record::Record,
    server::Server,
    service::{RequestIds, Service},
    settings::{Domain, Settings},
    storage::{DataDir, Storage},
    tls::{Identity, Trust},
    uploads::Uploads,
};

/// The bucket of a server that was given none.
pub const DEFAULT_BUCKET: &str = "examplebucket";
/// The region of a server that was given none.
pub const DEFAULT_REGION: &str = "cn-hangzhou";
/// The access key id of a server that was given no credentials.
pub const DEFAULT_ACCESS_KEY_ID: &str = "local-oss-key-id";
/// The access key secret of a server that was given no credentials.
pub const DEFAULT_ACCESS_KEY_SECRET: &str = "local-oss-key-secret";
/// How long OSS waits for an application server.
pub const DEFAULT_CALLBACK_TIMEOUT: Duration = Duration::from_secs(5);
/// 128 MiB each of [`Server::stored`], [`Server::deliveries`] and [`Server::multipart_requests`].
pub const DEFAULT_HISTORY_BYTES: usize = 128 * 1024 * 1024;
/// Callbacks that may be under way at once.
pub const DEFAULT_MAX_CALLBACKS: usize = 1024;
/// The size of OSS's own key.
pub const DEFAULT_CALLBACK_KEY_BITS: usize = 512;
/// 1 GiB of objects.
pub const DEFAULT_MAX_TOTAL_BYTES: u64 = 1024 * 1024 * 1024;
/// The size that all parts of an object but the last must have at OSS: 100 KB.
pub const DEFAULT_MIN_PART_SIZE: u64 = 100 * 1024;
/// For connections on which nothing moves.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Settings of a [`Server`].
pub struct Builder {
    listen: String,
    tls: bool,
    asks_clients: bool,
    buckets: Vec<String>,
    domains: Vec<(String, String)>,
    credentials: Vec<Credential>,
    region: String,
    callback_timeout: Duration,
    max_callbacks: usize,
    callback_key: Option<PathBuf>,
    callback_key_bits: usize,
    callback_ca: Option<String>,
    callback_insecure: bool,
    strict: bool,
    strict_variables: bool,
    whole_errors: bool,
    resolver: Resolver,
    data_dir: Option<PathBuf>,
    max_total_bytes: u64,
    min_part_size: u64,
    idle_timeout: Duration,
    allowed_origins: AllowedOrigins,
    history_bytes: usize,
    record_file: Option<PathBuf>,
    quiet: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            tls: false,
            asks_clients: false,
            buckets: Vec::new(),
            domains: Vec::new(),
            credentials: Vec::new(),
            region: DEFAULT_REGION.to_owned(),
            callback_timeout: DEFAULT_CALLBACK_TIMEOUT,
            max_callbacks: DEFAULT_MAX_CALLBACKS,
            callback_key: None,
            callback_key_bits: DEFAULT_CALLBACK_KEY_BITS,
            callback_ca: None,
            callback_insecure: false,
            strict: false,
            strict_variables: false,
            whole_errors: false,
            resolver: Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())),
            data_dir: None,
            max_total_bytes: DEFAULT_MAX_TOTAL_BYTES,
            min_part_size: DEFAULT_MIN_PART_SIZE,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
            allowed_origins: AllowedOrigins::default(),
            history_bytes: DEFAULT_HISTORY_BYTES,
            record_file: None,
            quiet: true,
        }
    }
}

impl Builder {
    /// Address and port to listen on; port 0, the default, is one that is free.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Speak TLS, with a certificate made for this run; see [`Server::certificate_pem`]. Off by default.
    ///
    /// The certificate names 127.0.0.1, ::1, localhost, the address listened on, `oss-REGION.aliyuncs.com`, and each bucket in
    /// front of those that are names.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let server = local_oss::Server::builder().tls(true).start()?;
    /// assert!(server.endpoint().starts_with("https://127.0.0.1:"));
    /// assert!(server.certificate_pem().unwrap().contains("BEGIN CERTIFICATE"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// With [`Builder::tls`]: serve only clients that show the certificate made for them; see [`Server::client_pem`]. Off by
    /// default.
    pub fn client_certificates(mut self, wanted: bool) -> Self {
        self.asks_clients = wanted;
        self
    }

    /// Adds a bucket. Without any there is [`DEFAULT_BUCKET`].
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.buckets.push(name.into());
        self
    }

    /// A host name that stands for a bucket, which must be there at the start: what PutCname does at OSS for a domain of one's
    /// own.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let server = local_oss::Server::builder()
    ///     .bucket("photos")
    ///     .domain("photos.example.com", "photos")
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn domain(mut self, name: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.domains
            .push((name.into().to_ascii_lowercase(), bucket.into()));
        self
    }

    /// Adds an access key. Without any there is [`DEFAULT_ACCESS_KEY_ID`] with [`DEFAULT_ACCESS_KEY_SECRET`].
    pub fn credentials(
        self,
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
    ) -> Self {
        self.credential(Credential {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            security_token: None,
            expiry: None,
        })
    }

    /// Adds temporary credentials (STS): requests must carry the token. They do not expire unless they are
    /// [made to](Server::expire_credentials); further ones may be [added](Server::add_sts_credentials) later.
    pub fn sts_credentials(
        self,
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
        security_token: impl Into<String>,
    ) -> Self {
        self.credential(Credential {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            security_token: Some(security_token.into()),
            expiry: None,
        })
    }

    fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// The region that version 4 signatures must name; [`DEFAULT_REGION`] by default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// How long each callback URL may take; 5 s by default, as OSS has it.
    pub fn callback_timeout(mut self, timeout: Duration) -> Self {
        self.callback_timeout = timeout;
        self
    }

    /// How many callbacks may be under way at once; 1024 by default. The upload of a further one is told "Too many callback
    /// requests.", as by an OSS that is overloaded.
    pub fn max_callbacks(mut self, number: usize) -> Self {
        self.max_callbacks = number.min(Semaphore::MAX_PERMITS);
        self
    }

    /// A file with the private key that signs callbacks: RSA, PEM, PKCS #8 or PKCS #1. By default a key is made.
    pub fn callback_key(mut self, pem_file: impl Into<PathBuf>) -> Self {
        self.callback_key = Some(pem_file.into());
        self
    }

    /// The size of the key that is made; 512 by default, the size of OSS's own.
    pub fn callback_key_bits(mut self, bits: usize) -> Self {
        self.callback_key_bits = bits;
        self
    }

    /// Accept https application servers whose certificate one of these signed, a PEM document, besides those that the system
    /// trusts.
    pub fn callback_ca(mut self, pem: impl Into<String>) -> Self {
        self.callback_ca = Some(pem.into());
        self
    }

    /// Accept https application servers whatever their certificate, which OSS never does. Off by default.
    pub fn callback_insecure(mut self, insecure: bool) -> Self {
        self.callback_insecure = insecure;
        self
    }

    /// Refuse callback addresses that OSS could not reach, loopback and private ones. Off by default.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Refuse callback variables whose names do not begin with `x:`, as OSS's documentation has it. Off by default: a test of
    /// an official SDK saw OSS accept them. A warning in the log names them.
    pub fn strict_variables(mut self, strict: bool) -> Self {
        self.strict_variables = strict;
        self
    }

    /// Repeat a refused argument in error documents whatever its length. By default it ends after 1 KiB: oss2 reads no more
    /// than 4,096 bytes of an error document, and fails on one that is longer. What OSS does is not known.
    pub fn whole_errors(mut self, whole: bool) -> Self {
        self.whole_errors = whole;
        self
    }

    /// Finds the addresses of callback hosts in place of the system. May block; must not block for ever.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let server = local_oss::Server::builder()
    ///     .resolver(|_host, port| Ok(vec![([127, 0, 0, 1], port).into()]))
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolver(
        mut self,
        resolver: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// A folder that keeps the objects and their metadata, made if there is none: a server that is started with it again has
    /// them again. Its buckets exist without being named. Only one server at a time may use it.
    ///
    /// Without it, objects end with the server.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Memory for objects, those under way too; 1 GiB by default. What goes beyond is refused.
    ///
    /// Contents that are in files do not count: those larger than 16 MiB, with a [data directory](Self::data_dir) all. Each
    /// object takes about 512 bytes and its metadata, each large upload under way 1 MiB, or 16 if it does not say how long
    /// it is, and 1 more if its callback asks for `imageInfo`.
    pub fn max_total_bytes(mut self, bytes: u64) -> Self {
        self.max_total_bytes = bytes;
        self
    }

    /// The least size of all parts of an object but the last; 102400 bytes by default, as at OSS. A small one keeps tests of
    /// many parts small.
    ///
    /// As at OSS a smaller part may be uploaded; CompleteMultipartUpload refuses it.
    pub fn min_part_size(mut self, bytes: u64) -> Self {
        self.min_part_size = bytes;
        self
    }

    /// How long a connection may stay without a request, a request without its next bytes, an answer without anybody who
    /// takes it; 60 s by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Lets the web pages of an origin use the server and read its answers, as a CORS rule of a bucket does at OSS: preflight
    /// requests are answered, and every answer says what the page may see. May be called several times. None by default.
    ///
    /// `http://127.0.0.1:8080`, `https://*.example.com`, or `*` for all. It counts for every bucket, every method and every
    /// header.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let server = local_oss::Server::builder().allow_origin("http://127.0.0.1:8080").start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.add(origin.into());
        self
    }

    /// Memory for [`Server::stored`], and as much each for [`Server::deliveries`] and [`Server::multipart_requests`]; 128 MiB by
    /// default. The oldest events are forgotten first.
    pub fn history_bytes(mut self, bytes: usize) -> Self {
        self.history_bytes = bytes;
        self
    }

    /// Also append every event to this file, one JSON object a line.
    pub fn record_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.record_file = Some(path.into());
        self
    }

    /// No log on stderr. On by default.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Starts the server, which then listens.
    ///
    /// # Errors
    ///
    /// The address cannot be had, a file cannot be opened, or a setting is impossible.
    pub fn start(mut self) -> io::Result<Server> {
        if self.buckets.is_empty() {
            self.buckets.push(DEFAULT_BUCKET.to_owned());
        }
        if self.credentials.is_empty() {
            self = self.credentials(DEFAULT_ACCESS_KEY_ID, DEFAULT_ACCESS_KEY_SECRET);
        }
        if let Some(bucket) = self.buckets.iter().find(|bucket| !is_bucket_name(bucket)) {
            let message =
                format!("`{bucket}` is no bucket name: 3 to 63 of a-z, 0-9 and inner hyphens");
            return Err(invalid_input(message));
        }
        self.allowed_origins.check()?;
        let listen = self.listen.clone();
        let mut service = None;
        let background = Background::start("local-oss", listen.as_str(), |address| {
            let endpoint = endpoint(address, self.tls);
            let shared = Arc::new(self.service(address, &endpoint)?);
            service = Some((Arc::clone(&shared), endpoint));
            Ok(move |listener| connection::serve(shared, listener))
        })?;
        let (service, endpoint) = service.expect("the service was made before the thread");
        Ok(Server::new(background, endpoint, service))
    }

    fn service(mut self, address: SocketAddr, endpoint: &str) -> io::Result<Service> {
        let key = match &self.callback_key {
            Some(file) => CallbackKey::from_pem(&fs::read_to_string(file)?, endpoint),
            None => CallbackKey::generate(self.callback_key_bits, endpoint),
        };
        let record = Arc::new(Record::new(
            self.history_bytes,
            self.record_file.as_deref(),
        )?);
        let log = Log { quiet: self.quiet };
        let clock = Arc::default();
        let memory = Memory::new(self.max_total_bytes);
        let (storage, objects) = self.storage(&memory)?;
        self.bind_domains(&objects)?;
        let tls = match self.tls {
            true => Some(Identity::new(address, &self.names(), self.asks_clients)?),
            false => None,
        };
        Ok(Service {
            clock: Arc::clone(&clock),
            tls,
            objects,
            uploads: Uploads::default(),
            min_part_size: self.min_part_size,
            storage,
            region: self.region,
            credentials: RwLock::new(self.credentials),
            memory,
            deliverer: Deliverer {
                key: key.map_err(invalid_input)?,
                clock,
                trust: Arc::new(Trust::new(
                    self.callback_ca.as_deref(),
                    self.callback_insecure,
                )?),
                timeout: self.callback_timeout,
                places: Semaphore::new(self.max_callbacks),
                record: Arc::clone(&record),
                log,
            },
            record,
            rules: Rules {
                strict: self.strict,
                strict_variables: self.strict_variables,
                resolver: self.resolver,
            },
            idle_timeout: self.idle_timeout,
            whole_errors: self.whole_errors,
            allowed_origins: self.allowed_origins,
            request_ids: RequestIds::new(OsRng.next_u64()),
            connections: AtomicUsize::new(0),
            log,
        })
    }

    fn bind_domains(&self, objects: &Objects) -> io::Result<()> {
        for (name, bucket) in &self.domains {
            if !is_domain(name) {
                return Err(invalid_input(format!("`{name}` is no domain")));
            }
            let domain = || Domain {
                name: name.clone(),
                since: SystemTime::now(),
            };
            let add = |settings: &mut Settings| -> io::Result<()> {
                settings.domains.retain(|known| known.name != *name);
                settings.domains.push(domain());
                Ok(())
            };
            let added = objects.change_settings(bucket, add, |_| Ok(()));
            let nobody = || invalid_input(format!("there is no bucket `{bucket}` for `{name}`"));
            added.ok_or_else(nobody)??;
        }
        Ok(())
    }

    /// Adds the buckets of the data directory to those that were named.
    fn storage(&mut self, memory: &Memory) -> io::Result<(Storage, Objects)> {
        let objects = Objects::default();
        let new = || Settings::new(SystemTime::now());
        let Some(folder) = &self.data_dir else {
            for bucket in &self.buckets {
                objects.add_bucket(bucket, new(), |_| Ok(()))?;
            }
            return Ok((Storage::Temporary, objects));
        };
        // Whoever wants no line for each request still wants to know of objects that are lost.
        let folder = DataDir::open(folder, Log { quiet: false })?;
        for bucket in &self.buckets {
            folder.add_bucket(bucket)?;
        }
        self.buckets = folder.buckets()?;
        for bucket in &self.buckets {
            match folder.settings(bucket)? {
                Some(settings) => objects.add_bucket(bucket, settings, |_| Ok(()))?,
                None => objects.add_bucket(bucket, new(), |settings| {
                    folder.save_settings(bucket, settings)
                })?,
            };
            for (key, object) in folder.load(bucket, memory)? {
                objects.add(bucket, key, object);
            }
        }
        Ok((Storage::Kept(Arc::new(folder)), objects))
    }

    /// The names that clients use besides those of this machine. Each bucket's is there too: many clients take no `*` in
    /// front of a name without a dot, such as localhost.
    fn names(&self) -> Vec<String> {
        let regional = format!("oss-{}.aliyuncs.com", self.region);
        let mut names = vec![format!("*.{regional}")];
        for bucket in &self.buckets {
            names.extend(
                ["localhost", "127.0.0.1", &regional].map(|name| format!("{bucket}.{name}")),
            );
        }
        names.push(regional);
        names
    }
}

pub(crate) fn invalid_input(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// What a client on this machine connects to, also when the server listens on all addresses.
fn endpoint(address: SocketAddr, tls: bool) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}
