//! A certificate made for this run, and the authority that signed it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
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
}

impl Identity {
    /// For this machine's own names, `names` and the address.
    ///
    /// The key of the authority is forgotten, so that nobody who trusts it can be deceived with it later.
    pub(crate) fn new(address: SocketAddr, names: &[String]) -> io::Result<Self> {
        let own = ["127.0.0.1", "::1", "localhost", "*.localhost"].map(str::to_owned);
        let address = address.ip();
        let mut all: Vec<String> = own.into_iter().chain(names.iter().cloned()).collect();
        if !address.is_unspecified() {
            all.push(address.to_string());
        }
        all.sort_unstable();
        all.dedup();
        Self::make(all).map_err(io::Error::other)
    }

    fn make(names: Vec<String>) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut authority = parameters(Vec::new(), "local-oss authority")?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();

        let mut server = parameters(names, "local-oss")?;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;

        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority_pem,
        })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
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
