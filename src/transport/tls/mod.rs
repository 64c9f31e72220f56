//! TLS by rustls, over sockets whose writes raise no signal.

use std::fmt::Display;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedCipherSuite};

use super::socket::Socket;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// Plaintext that is encrypted before it is sent: a few records at once cost fewer calls.
const BUFFER_LIMIT: usize = 512 * 1024;

/// Reads of the socket in a row that may give no plaintext.
const MAX_EMPTY_READS: usize = 64;

/// Which certificate authorities a client trusts besides those of its own bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RootCertificates {
    /// The system's, if it has any, otherwise Mozilla's as bundled with this library.
    #[default]
    Automatic,
    /// The system's.
    System,
    /// Mozilla's, as bundled with this library.
    Bundled,
    /// None but those of [`ca_bundle`](crate::ClientBuilder::ca_bundle).
    None,
}

/// A copy that shares no sessions with its original, for all connections of one process.
pub(super) fn without_sessions(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.resumption = Resumption::default();
    Arc::new(config)
}

/// Builds the configuration of all connections of a client.
pub(super) fn config(roots: RootCertificates, bundle: Option<&[u8]>) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    if matches!(
        roots,
        RootCertificates::Automatic | RootCertificates::System
    ) {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    match roots {
        RootCertificates::System if store.is_empty() => {
            return Err(Error::argument("`root_certificates`: the system has none"));
        }
        RootCertificates::None if bundle.is_none() => {
            return Err(Error::argument(
                "`root_certificates` are none, and `ca_bundle` is missing",
            ));
        }
        RootCertificates::System | RootCertificates::None => {}
        RootCertificates::Automatic if !store.is_empty() => {}
        RootCertificates::Automatic | RootCertificates::Bundled => {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
    }
    if let Some(pem) = bundle {
        add_bundle(&mut store, pem)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Internal, format!("TLS: {e}")))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(config)
}

/// What rustls offers, with AES-128 first, as browsers have it: nobody breaks either, and AES-256 with its SHA-384 takes
/// longer.
fn provider() -> CryptoProvider {
    #[cfg(not(feature = "aws-lc"))]
    let mut provider = rustls::crypto::ring::default_provider();
    #[cfg(feature = "aws-lc")]
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let is_slower =
        |suite: &SupportedCipherSuite| !format!("{:?}", suite.suite()).contains("AES_128_GCM");
    provider.cipher_suites.sort_by_key(is_slower);
    provider
}

/// Adds every certificate of a PEM text; one that cannot be used is an error, and so is none.
fn add_bundle(store: &mut RootCertStore, pem: &[u8]) -> Result<()> {
    let bad = |what: &dyn Display| Error::argument(format!("`ca_bundle` {what}"));
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| bad(&format!("is not PEM: {e}")))?;
        count += 1;
        store
            .add(certificate)
            .map_err(|e| bad(&format!("holds a bad certificate, number {count}: {e}")))?;
    }
    if count == 0 {
        Err(bad(&"holds no certificate"))
    } else {
        Ok(())
    }
}

/// One TLS connection, without its socket.
#[derive(Debug)]
pub(super) struct TlsSession(ClientConnection);

impl TlsSession {
    pub(super) fn new(config: Arc<ClientConfig>, host: &str) -> Result<TlsSession> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let failed = |e: &dyn Display| Error::new(ErrorKind::Tls, format!("TLS with {host}: {e}"));
        let name = ServerName::try_from(bare.to_owned()).map_err(|e| failed(&e))?;
        let mut session = ClientConnection::new(config, name).map_err(|e| failed(&e))?;
        session.set_buffer_limit(Some(BUFFER_LIMIT));
        Ok(TlsSession(session))
    }

    /// The handshake, or the last of our own part of it, is not through yet.
    pub(super) fn is_handshaking(&self) -> bool {
        self.0.is_handshaking() || self.0.wants_write()
    }

    pub(super) fn wants_write(&self) -> bool {
        self.0.wants_write()
    }

    /// Goes on with the handshake as far as it can without waiting.
    pub(super) fn shake_hands(&mut self, socket: &mut Socket) -> io::Result<()> {
        if self.0.wants_write() {
            self.flush(socket)
        } else {
            self.read_records(socket)
        }
    }

    /// Encrypts as much as there is room for.
    pub(super) fn encrypt(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.writer().write_vectored(parts)
    }

    /// Sends everything that is encrypted.
    pub(super) fn flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(&mut Records(socket))?;
        }
        Ok(())
    }

    /// Reads what can be decrypted without waiting.
    pub(super) fn decrypt(&mut self, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
        // Records without plaintext, such as session tickets, are not gone through for ever at once: whoever
        // waits looks at the limits in between.
        for _ in 0..MAX_EMPTY_READS {
            match self.0.reader().read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.read_records(socket)?,
                result => return result,
            }
        }
        self.0.reader().read(buffer)
    }

    fn read_records(&mut self, socket: &mut Socket) -> io::Result<()> {
        let count = self.0.read_tls(&mut Records(socket))?;
        if let Err(e) = self.0.process_new_packets() {
            // The alert that says why; whether it arrives does not matter.
            let _ = self.flush(socket);
            return Err(io::Error::new(io::ErrorKind::InvalidData, e));
        }
        if count == 0 && self.0.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Encrypted records to and from a socket.
struct Records<'a>(&'a mut Socket);

impl Read for Records<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(buffer)
    }
}

impl Write for Records<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(&[IoSlice::new(bytes)])
    }

    /// rustls hands over many records at once; `TcpStream` would write them with `writev`, which raises
    /// SIGPIPE.
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A failed handshake: of TLS if rustls says so, else of the connection.
pub(super) fn handshake_error(host: &str, e: io::Error) -> Error {
    if e.kind() == io::ErrorKind::InvalidData {
        Error::new(ErrorKind::Tls, format!("TLS with {host}: {e}")).with_source(e)
    } else {
        let what = e.to_string().to_lowercase();
        let message = format!("connect to {host}: {what} during the TLS handshake");
        Error::new(ErrorKind::Connect, message).with_source(e)
    }
}
