//! Everything a client can be told.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::time::Duration;

use super::Client;
use crate::base::clock::Clock;
use crate::base::crc64;
use crate::credentials::Credentials;
use crate::engine::operation::check_limits;
use crate::engine::{Engine, Inner};
use crate::outcome::error::{Error, Result};
use crate::outcome::retry::RetryPolicy;
use crate::request::endpoint::Endpoint;
use crate::sign::SignatureVersion;
use crate::transport::{Given, Lookup, Origin, Proxies, Proxy, Settings, Transport};
#[cfg(feature = "tls")]
use crate::transport::{Pem, RootCertificates, TlsSettings};

/// Puts a [`Client`] together.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    region: Option<String>,
    credentials: Option<Credentials>,
    signature_version: SignatureVersion,
    cname: bool,
    path_style: bool,
    user_agent: String,
    connect_timeout: Duration,
    answer_timeout: Duration,
    progress_timeout: Duration,
    timeout: Option<Duration>,
    max_answer_len: usize,
    retry_policy: RetryPolicy,
    proxy: Option<Url>,
    proxy_from_env: bool,
    addresses: Given,
    lookup: Lookup,
    local_address: Option<IpAddr>,
    network_interface: Option<String>,
    max_idle_connections: usize,
    max_idle_time: Duration,
    #[cfg(feature = "tls")]
    tls: TlsSettings,
}

/// A URL that may hold a password, which `Debug` therefore does not show.
#[derive(Clone)]
struct Url(String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        ClientBuilder {
            endpoint: String::new(),
            region: None,
            credentials: None,
            signature_version: SignatureVersion::default(),
            cname: false,
            path_style: false,
            user_agent: concat!("oss-callback/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            progress_timeout: Duration::from_secs(30),
            timeout: None,
            max_answer_len: 4 * 1024 * 1024,
            retry_policy: RetryPolicy::default(),
            proxy: None,
            proxy_from_env: false,
            addresses: Given::default(),
            lookup: Lookup::default(),
            local_address: None,
            network_interface: None,
            max_idle_connections: 64,
            max_idle_time: Duration::from_secs(15),
            #[cfg(feature = "tls")]
            tls: TlsSettings::default(),
        }
    }
}

impl ClientBuilder {
    /// The server: `https://oss-cn-hangzhou.aliyuncs.com`, with a port if need be; https without a
    /// scheme. Required. An IP address means path style, `http://127.0.0.1:9000/bucket/object`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The region, `cn-hangzhou` or `oss-cn-hangzhou`. Read from a standard endpoint when not given;
    /// [`SignatureVersion::V4`] needs one.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Who signs. Required.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Default: [`SignatureVersion::V4`].
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature_version = version;
        self
    }

    /// The endpoint is a custom domain that is bound to one bucket, which URLs then do not name.
    pub fn cname(mut self, cname: bool) -> Self {
        self.cname = cname;
        self
    }

    /// URLs name the bucket in the path, not in the host. OSS itself refuses that on its standard
    /// endpoints; it serves other servers that are reached by a name, such as `localhost`.
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.path_style = path_style;
        self
    }

    /// The User-Agent of requests. Default: `oss-callback/` and the version.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Time for finding the server's address, and time for connecting, TLS included. Default: 10 s each.
    /// If the name has several addresses, the next one is tried after 250 ms, or at once when one refuses.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Time from the last byte sent until OSS answers, and then again for the answer's body; it does not begin
    /// while bytes are still leaving this machine. Default: 30 s. With a callback 5 s are added for each
    /// of its URLs, since OSS is silent while it waits for the application server; a spec that was made
    /// elsewhere counts as five URLs.
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.answer_timeout = limit;
        self
    }

    /// The longest time without progress while a body leaves this machine or is received; less than 1 KiB in
    /// that time is none. Default: 30 s.
    ///
    /// On Linux and Android a byte has left, and counts as sent, once the next machine has acknowledged it: the
    /// server, or a proxy, behind which the library does not see. Other systems do not tell: there a byte counts
    /// once the system has taken it, and [`answer_timeout`](ClientBuilder::answer_timeout) must leave time for
    /// what a slow line has not carried by then. [In the field](crate::guide::in_the_field) has advice for slow lines.
    pub fn progress_timeout(mut self, limit: Duration) -> Self {
        self.progress_timeout = limit;
        self
    }

    /// Time for an operation as a whole, all its attempts included. Default: no limit.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Bytes of an answer's body that are read; more is an error. Default: 4 MiB. Downloads are not
    /// limited.
    pub fn max_answer_len(mut self, bytes: usize) -> Self {
        self.max_answer_len = bytes;
        self
    }

    /// When uploads are sent again. What the policy leaves open has the defaults of [`RetryPolicy`].
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = policy;
        self
    }

    /// An HTTP proxy for all requests, `http://user:password@proxy.example.com:3128`; user and password are
    /// percent-encoded, and sent as Basic authentication. Requests to an https endpoint go through a tunnel
    /// (CONNECT); to an http endpoint they are sent to the proxy in absolute form, as a browser does. A proxy
    /// that is reached over https, and SOCKS, are refused. Default: none.
    ///
    /// A proxy that refuses (4xx) is not asked again: the error is
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) with the proxy's [status](crate::Error::status), nothing
    /// is stored, and the message says what to set. See [In the field](crate::guide::in_the_field).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Url(url.into()));
        self
    }

    /// Whether [`build`](ClientBuilder::build) reads the proxy from the environment, if no
    /// [`proxy`](ClientBuilder::proxy) is set. Default: no.
    ///
    /// * `https_proxy` or `HTTPS_PROXY` is for https endpoints, `http_proxy` or `HTTP_PROXY` for http ones;
    ///   otherwise `all_proxy` or `ALL_PROXY` counts. The first that is not empty is used; without a scheme it is
    ///   http.
    /// * `HTTP_PROXY` is ignored if `REQUEST_METHOD` is set: in a CGI program, the sender of a request sets it
    ///   ([httpoxy](https://httpoxy.org)).
    /// * `no_proxy` or `NO_PROXY` lists what is reached directly, separated by commas or blanks: `*` for
    ///   everything, a domain with all its subdomains (`aliyuncs.com` or `.aliyuncs.com`), an IP address, or a
    ///   range of addresses (`10.0.0.0/8`), which contains no names. A port may follow (`example.com:8080`).
    ///   Other entries match nothing.
    /// * `localhost`, names below it and loopback addresses are always reached directly.
    pub fn proxy_from_env(mut self, from_env: bool) -> Self {
        self.proxy_from_env = from_env;
        self
    }

    /// Addresses to use for a host name in place of the system's, for tests and split networks. They are tried
    /// in their order, as those of [`connect_timeout`](ClientBuilder::connect_timeout) are; port 0 means that of
    /// the URL. `*.oss.example.com` is every name that ends so, as the hosts of buckets do; the longest one that fits
    /// is used. TLS checks the name all the same. The name of a proxy can be given, too; a name that a proxy
    /// looks up cannot. Called again with the same name, it replaces its addresses.
    pub fn resolve(mut self, host: &str, addresses: impl Into<Vec<SocketAddr>>) -> Self {
        self.addresses.set(host, addresses.into());
        self
    }

    /// Finds the addresses of host names in place of the system. It may block: it runs on a thread of its
    /// own, which is left to itself when a limit is reached first: one for each name and port, 64 at most.
    /// Answers are kept for a minute. Clients of clones of this builder share both.
    pub fn resolver(
        mut self,
        lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.lookup = Lookup::new(lookup);
        self
    }

    /// The address of this machine that connections come from, to a proxy, too. Only addresses of the same family
    /// are tried: `0.0.0.0` means any of IPv4, `::` any of IPv6. That it is not this machine's is an
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) of each request, since that may change. Lookups by the
    /// system's resolver go their own way. Default: as the system chooses.
    pub fn local_address(mut self, address: IpAddr) -> Self {
        self.local_address = Some(address);
        self
    }

    /// The network interface that connections go through, such as `eth1` or `wwan0`, to a proxy, too: even if the
    /// routes say otherwise (SO_BINDTODEVICE). Linux only, elsewhere [`build`](ClientBuilder::build) refuses it;
    /// before Linux 5.7 it takes CAP_NET_RAW. Whether there is one of that name is seen by each request. Lookups
    /// by the system's resolver go their own way. Default: as the system chooses.
    pub fn network_interface(mut self, name: impl Into<String>) -> Self {
        self.network_interface = Some(name.into());
        self
    }

    /// Connections that are kept open between requests. Default: 64.
    pub fn max_idle_connections(mut self, connections: usize) -> Self {
        self.max_idle_connections = connections;
        self
    }

    /// How long a connection is kept open between requests. Default: 15 s.
    pub fn max_idle_time(mut self, limit: Duration) -> Self {
        self.max_idle_time = limit;
        self
    }

    /// Which certificate authorities are trusted. Default: the system's if it has any, otherwise
    /// Mozilla's as bundled with this library. The environment has no say in it: `SSL_CERT_FILE` and `SSL_CERT_DIR` are
    /// ignored.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, roots: RootCertificates) -> Self {
        self.tls.roots = roots;
        self
    }

    /// Certificates in PEM that are trusted besides; alone with [`RootCertificates::None`]. They are those of authorities,
    /// or of the server itself, which is then trusted whoever signed its certificate. A byte order mark, blanks before a
    /// line and either line end are fine, and so are `X509 CERTIFICATE` and OpenSSL's `TRUSTED CERTIFICATE`, unless its
    /// settings do not trust it with TLS servers. A certificate that cannot be read makes [`build`](Self::build) fail, if
    /// the endpoint is https.
    #[cfg(feature = "tls")]
    pub fn ca_bundle(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.bundle = Some(Pem::Bytes(pem.into()));
        self
    }

    /// As [`ca_bundle`](Self::ca_bundle), in its place, from a file of at most 16 MiB, which [`build`](Self::build) reads.
    #[cfg(feature = "tls")]
    pub fn ca_bundle_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.bundle = Some(Pem::File(path.into()));
        self
    }

    /// The certificate that this client shows to a server which asks for one, and its private key. Default: none.
    ///
    /// `chain` is PEM with the client's certificate first, and then those of the authorities between it and the one that
    /// the server knows. `key` is PEM, too, and not encrypted: PKCS #8 (`PRIVATE KEY`), PKCS #1 (`RSA PRIVATE KEY`) or SEC1
    /// (`EC PRIVATE KEY`), of RSA with 2048 bits or more, ECDSA P-256 or P-384, or Ed25519. Both may be one text. The key
    /// is never shown, neither in errors nor by `Debug`. What does not fit makes [`build`](Self::build) fail, if the
    /// endpoint is https; with http neither is used.
    #[cfg(feature = "tls")]
    pub fn client_certificate(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        let pair = (Pem::Bytes(chain.into()), Pem::Bytes(key.into()));
        self.tls.client_certificate = Some(pair);
        self
    }

    /// As [`client_certificate`](Self::client_certificate), in its place, from files, which [`build`](Self::build) reads.
    #[cfg(feature = "tls")]
    pub fn client_certificate_files(
        mut self,
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        let pair = (Pem::File(chain.into()), Pem::File(key.into()));
        self.tls.client_certificate = Some(pair);
        self
    }

    /// Checks everything and makes the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), naming what is missing or
    /// wrong.
    pub fn build(self) -> Result<Client> {
        let endpoint = Endpoint::parse(&self.endpoint, self.cname, self.path_style)?;
        if endpoint.is_https() && !cfg!(feature = "tls") {
            return Err(Error::argument(
                "`endpoint` is https, but this build of the library has no TLS (feature `tls`)",
            ));
        }
        let credentials = self.credentials.ok_or_else(|| {
            Error::argument("`credentials` are missing: give a key pair, or say anonymous")
        })?;
        credentials.check()?;
        let region = match &self.region {
            Some(region) => Some(bare_region(region)?),
            None => endpoint.region().map(str::to_owned),
        };
        let needs_region =
            self.signature_version == SignatureVersion::V4 && !credentials.is_anonymous();
        if needs_region && region.is_none() {
            return Err(Error::argument(format!(
                "`region` is missing: signature version 4 needs it, and endpoint {:?} does not name one",
                self.endpoint
            )));
        }
        if self.user_agent.is_empty()
            || !self.user_agent.bytes().all(|b| (b' '..=b'~').contains(&b))
        {
            return Err(Error::argument(
                "`user_agent` is empty or not printable ASCII",
            ));
        }
        check_limits([
            ("connect_timeout", Some(self.connect_timeout)),
            ("answer_timeout", Some(self.answer_timeout)),
            ("progress_timeout", Some(self.progress_timeout)),
            ("timeout", self.timeout),
        ])?;
        let proxies = match &self.proxy {
            Some(url) => Proxy::parse(&url.0, "`proxy`")?.into(),
            None if self.proxy_from_env => Proxies::from_env(endpoint.is_https())?,
            None => Proxies::default(),
        };
        crc64::prepare();
        let settings = Settings {
            proxies,
            addresses: self.addresses,
            lookup: self.lookup,
            origin: Origin::new(self.local_address, self.network_interface)?,
            max_idle_connections: self.max_idle_connections,
            max_idle_time: self.max_idle_time,
            #[cfg(feature = "tls")]
            tls: endpoint.is_https().then_some(self.tls),
        };
        let engine = Engine::from(Inner {
            endpoint,
            region,
            credentials,
            signature_version: self.signature_version,
            user_agent: self.user_agent,
            connect_timeout: self.connect_timeout,
            answer_timeout: self.answer_timeout,
            progress_timeout: self.progress_timeout,
            timeout: self.timeout,
            max_answer_len: self.max_answer_len,
            retry_policy: self.retry_policy,
            clock: Clock::default(),
            transport: Transport::new(settings)?,
        });
        Ok(Client { engine })
    }
}

/// `oss-cn-hangzhou` and `cn-hangzhou` are the same region; signatures want the bare one.
fn bare_region(region: &str) -> Result<String> {
    let bare = region.strip_prefix("oss-").unwrap_or(region);
    let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if bare.is_empty() || !bare.bytes().all(valid) {
        return Err(Error::argument(format!(
            "`region` {region:?} is not a region such as cn-hangzhou"
        )));
    }
    Ok(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ClientBuilder {
        Client::builder()
            .endpoint("http://127.0.0.1")
            .credentials(Credentials::new("id", "geheim"))
    }

    #[test]
    fn version_4_needs_a_region_and_finds_it_in_a_standard_endpoint() {
        let error = builder().build().unwrap_err();
        assert!(
            error.to_string().starts_with("`region` is missing"),
            "{error}"
        );
        let region = |builder: ClientBuilder| builder.build().unwrap().engine.region().to_owned();
        assert_eq!(region(builder().region("oss-cn-hangzhou")), "cn-hangzhou");
        builder()
            .signature_version(SignatureVersion::V1)
            .build()
            .unwrap();
        builder()
            .credentials(Credentials::anonymous())
            .build()
            .unwrap();
        for (host, expected) in [
            ("oss-cn-shanghai", "cn-shanghai"),
            ("cn-hangzhou-internal.oss-data-acc", "cn-hangzhou"),
        ] {
            let named = builder().endpoint(format!("http://{host}.aliyuncs.com"));
            assert_eq!(region(named), expected);
        }
        // Transfer acceleration serves every region.
        let accelerate = || builder().endpoint("http://oss-accelerate.aliyuncs.com");
        let error = accelerate().build().unwrap_err().to_string();
        assert!(error.starts_with("`region` is missing"), "{error}");
        assert_eq!(region(accelerate().region("cn-beijing")), "cn-beijing");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (builder, named) in [
            (
                Client::builder().credentials(Credentials::anonymous()),
                "`endpoint` is empty",
            ),
            (
                Client::builder().endpoint("http://a"),
                "`credentials` are missing",
            ),
            (builder().region("Hangzhou"), "`region` \"Hangzhou\""),
            (
                builder().region("a").timeout(Duration::ZERO),
                "`timeout` is zero",
            ),
            (
                builder().region("a").connect_timeout(Duration::ZERO),
                "`connect_timeout` is zero",
            ),
            (builder().region("a").user_agent("a\nb"), "`user_agent`"),
        ] {
            let error = builder.build().unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let builder = builder().region("a");
        assert!(!format!("{builder:?}").contains("geheim"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("geheim"));
    }

    #[test]
    fn a_callback_url_buys_five_seconds_of_silence() {
        let client = builder().region("a").build().unwrap();
        let answer = |urls| client.engine.limits(None, urls).answer.as_secs();
        assert_eq!((answer(0), answer(1), answer(5)), (30, 35, 55));
    }

    #[test]
    fn clients_are_shared_between_threads() {
        fn is_send_sync_clone<T: Send + Sync + Clone + 'static>() {}
        is_send_sync_clone::<Client>();
    }
}
