//! A certificate made for this run, and the authority that signed it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};

use super::provider;

/// Nobody trusts it for longer: it is made anew at each start.
const VALIDITY: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// For clients whose clock is behind.
const BACKDATED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a server shows to prove its name, and what clients have to trust for that.
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    authority_pem: String,
    client_pem: Option<String>,
}

impl Identity {
    /// For this machine's own names, `names` and the address.
    ///
    /// The key of the authority is forgotten, so that nobody who trusts it can be deceived with it later.
    /// With `asks_clients` it is made for one client, too, and only that client is served.
    pub(crate) fn new(
        address: SocketAddr,
        names: &[String],
        asks_clients: bool,
    ) -> io::Result<Self> {
        let own = ["127.0.0.1", "::1", "localhost", "*.localhost"].map(str::to_owned);
        let address = address.ip();
        let mut all: Vec<String> = own.into_iter().chain(names.iter().cloned()).collect();
        if !address.is_unspecified() {
            all.push(address.to_string());
        }
        all.sort_unstable();
        all.dedup();
        Self::make(all, asks_clients).map_err(io::Error::other)
    }

    fn make(
        names: Vec<String>,
        asks_clients: bool,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut authority = parameters(Vec::new(), "local-oss authority")?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let authority_pem = authority_certificate.pem();

        let mut server = parameters(names, "local-oss")?;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let issuer = Issuer::new(authority, authority_key);
        let certificate = server.signed_by(&key, &issuer)?;

        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let mut client_pem = None;
        let builder = if asks_clients {
            let mut client = parameters(Vec::new(), "local-oss client")?;
            client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            let key = KeyPair::generate()?;
            let certificate = client.signed_by(&key, &issuer)?;
            client_pem = Some(certificate.pem() + &key.serialize_pem());
            let mut roots = RootCertStore::empty();
            roots.add(authority_certificate.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority_pem,
            client_pem,
        })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// Certificate and key.
    pub(crate) fn client_pem(&self) -> Option<&str> {
        self.client_pem.as_deref()
    }
}

fn parameters(names: Vec<String>, common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names)?;
    let now = std::time::SystemTime::now();
    parameters.not_before = (now - BACKDATED).into();
    parameters.not_after = (now + VALIDITY).into();
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(parameters)
}
