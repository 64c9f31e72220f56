//! Authorities, certificates and servers of these tests, by rustls and not by the library.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oss_callback::{ClientBuilder, RootCertificates};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion, version::TLS12,
    version::TLS13,
};
use support::client_builder;

/// Parameters of a client's certificate.
pub fn client_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters
        .distinguished_name
        .push(DnType::CommonName, "a client");
    parameters
}

/// What OSS says to a plain upload.
pub const STORED: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nx-oss-request-id: 5C0\r\nETag: \"E\"\r\n\
    Content-Length: 0\r\n\r\n";

pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Parameters of a certificate for the address of every server here.
pub fn parameters() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned()]).unwrap()
}

pub struct Certified {
    pub certificate: CertificateDer<'static>,
    pub key: KeyPair,
}

impl Certified {
    pub fn self_signed(parameters: &CertificateParams) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().der().clone();
        Certified { certificate, key }
    }

    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }
}

/// A DER element.
pub fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [_, _, high, low] = u32::try_from(contents.len()).unwrap().to_be_bytes();
    let len = match contents.len() {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], &len[..], contents].concat()
}

/// A PEM block with lines of 64 digits.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = base64.as_bytes().chunks(64);
    let lines: String = lines
        .map(|l| format!("{}\n", str::from_utf8(l).unwrap()))
        .collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

pub struct Authority {
    pub certified: Certified,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Authority {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let parameters = Authority::parameters(&format!("authority {number} of a test"));
        let certified = Certified::self_signed(&parameters);
        Authority::of(parameters, certified)
    }

    fn parameters(name: &str) -> CertificateParams {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters
    }

    fn of(parameters: CertificateParams, certified: Certified) -> Authority {
        let key = KeyPair::from_pem(&certified.key.serialize_pem()).unwrap();
        Authority {
            certified,
            issuer: Issuer::new(parameters, key),
        }
    }

    pub fn signs(&self, parameters: &CertificateParams) -> Certified {
        self.signs_key(parameters, KeyPair::generate().unwrap())
    }

    pub fn signs_key(&self, parameters: &CertificateParams, key: KeyPair) -> Certified {
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .unwrap()
            .der()
            .clone();
        Certified { certificate, key }
    }

    /// A certificate for a client.
    pub fn client(&self) -> Certified {
        self.signs(&client_parameters())
    }

    /// Another authority, below this one.
    pub fn signs_authority(&self) -> Authority {
        let parameters = Authority::parameters("authority between");
        let certified = self.signs(&parameters);
        Authority::of(parameters, certified)
    }

    pub fn pem(&self) -> String {
        self.certified.pem()
    }
}

/// Shows a certificate whether or not the key is its own.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// A server with this certificate and key, which wants a client's certificate if there is an authority for them.
pub fn config(
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certified.certificate.clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider()).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    let shown = CertifiedKey::new(vec![certificate.clone()], key);
    let mut config = builder.with_cert_resolver(Arc::new(Shows(shown.into())));
    config.enable_secret_extraction = true;
    config
}

/// A connection whose handshake is behind, as far as the server knows.
pub struct Secured {
    pub session: ServerConnection,
    pub stream: TcpStream,
}

impl Secured {
    /// Reads one request whole; none at the end of the connection.
    pub fn request(&mut self) -> Option<()> {
        let mut received = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = str::from_utf8(&received[..end + 2]).unwrap();
                let len = support::header(head, "content-length");
                let len: usize = len.map_or(0, |len| len.parse().unwrap());
                if received.len() >= end + 4 + len {
                    return Some(());
                }
            }
            let mut stream = rustls::Stream::new(&mut self.session, &mut self.stream);
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => received.extend_from_slice(&buffer[..count]),
            }
        }
    }

    pub fn says(&mut self, bytes: &[u8]) {
        let mut stream = rustls::Stream::new(&mut self.session, &mut self.stream);
        let _ = stream.write_all(bytes);
    }

    /// Says something, and then sends an alert, in one segment, and waits until the client has closed.
    pub fn says_and_alerts(mut self, bytes: &[u8], level: u8, alert: u8) {
        use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
        use rustls::{ConnectionTrafficSecrets as Secrets, ContentType, ProtocolVersion};

        let mut out = Vec::new();
        self.session.writer().write_all(bytes).unwrap();
        while self.session.wants_write() {
            self.session.write_tls(&mut out).unwrap();
        }
        let suite = self.session.negotiated_cipher_suite().unwrap();
        let suite = suite.tls13().expect("TLS 1.3");
        let (number, secrets) = self.session.dangerous_extract_secrets().unwrap().tx;
        let (Secrets::Aes128Gcm { key, iv }
        | Secrets::Aes256Gcm { key, iv }
        | Secrets::Chacha20Poly1305 { key, iv }) = secrets
        else {
            panic!("another cipher");
        };
        let message = OutboundPlainMessage {
            typ: ContentType::Alert,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(&[level, alert]),
        };
        let mut encrypter = suite.aead_alg.encrypter(key, iv);
        out.extend(encrypter.encrypt(message, number).unwrap().encode());
        let _ = self.stream.write_all(&out);
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
        let _ = self.stream.read_to_end(&mut Vec::new());
    }
}

/// A server that lives as long as the test's process.
pub struct TlsServer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Does with each connection what the test says, once the handshake is through; one that fails is closed at once,
    /// whatever the client is still sending.
    pub fn start(
        config: ServerConfig,
        serve: impl Fn(Secured) + Send + Sync + 'static,
    ) -> TlsServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counter, config, serve) = (connections.clone(), Arc::new(config), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                stream.set_nodelay(true).unwrap();
                let patience = Some(Duration::from_secs(20));
                stream.set_read_timeout(patience).unwrap();
                let mut session = ServerConnection::new(config.clone()).unwrap();
                let serve = serve.clone();
                std::thread::spawn(move || {
                    while session.is_handshaking() {
                        if session.complete_io(&mut stream).is_err() {
                            return;
                        }
                    }
                    serve(Secured { session, stream });
                });
            }
        });
        TlsServer {
            address,
            connections,
        }
    }

    /// Stores everything.
    pub fn storing(config: ServerConfig) -> TlsServer {
        TlsServer::start(config, |mut secured| {
            while secured.request().is_some() {
                secured.says(STORED);
            }
        })
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A client that trusts what is in this bundle, and nobody else.
    pub fn client(&self, bundle: impl Into<Vec<u8>>) -> ClientBuilder {
        client_builder(&format!("https://{}", self.address))
            .root_certificates(RootCertificates::None)
            .ca_bundle(bundle)
    }
}
