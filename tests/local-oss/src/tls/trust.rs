//! Which application servers are believed to be who they say they are.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    },
};

use super::provider;

/// The certificates that https callbacks accept: those that the system trusts, further ones, or all.
pub(crate) struct Trust {
    further: Vec<CertificateDer<'static>>,
    all: bool,
    /// Made when first needed: reading the system's certificates takes a while.
    connectors: OnceLock<Result<Connectors, String>>,
}

struct Connectors {
    with_sni: TlsConnector,
    without_sni: TlsConnector,
}

impl Trust {
    /// `pem` holds the further certificates.
    pub(crate) fn new(pem: Option<&str>, all: bool) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
        let further: Vec<_> = match pem {
            None => Vec::new(),
            Some(pem) => CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|error| {
                    invalid(format!("the callback CA is not a PEM document: {error}"))
                })?,
        };
        if pem.is_some() && further.is_empty() {
            return Err(invalid("the callback CA has no certificate in it".into()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &further {
            let added = roots.add(certificate.clone());
            added.map_err(|error| invalid(format!("the callback CA: {error}")))?;
        }
        Ok(Self {
            further,
            all,
            connectors: OnceLock::new(),
        })
    }

    /// May block: reads files when called for the first time.
    pub(crate) fn connector(&self, sni: bool) -> Result<TlsConnector, String> {
        let connectors = self
            .connectors
            .get_or_init(|| self.connectors().map_err(|error| error.to_string()));
        let Connectors {
            with_sni,
            without_sni,
        } = connectors.as_ref().map_err(String::clone)?;
        Ok(if sni { with_sni } else { without_sni }.clone())
    }

    fn connectors(&self) -> Result<Connectors, rustls::Error> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = if self.all {
            let anybody = Arc::new(Anybody(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(anybody)
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(self.further.iter().cloned());
            builder.with_root_certificates(roots)
        };
        let with_sni = builder.with_no_client_auth();
        let mut without_sni = with_sni.clone();
        without_sni.enable_sni = false;
        Ok(Connectors {
            with_sni: TlsConnector::from(Arc::new(with_sni)),
            without_sni: TlsConnector::from(Arc::new(without_sni)),
        })
    }
}

/// Believes every certificate. Signatures are still checked: whoever answers has the key that it shows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
