//! TLS by rustls, over sockets whose writes raise no signal.

mod certificate;
mod client_certificate;
mod pem;
mod roots;
mod verifier;
mod words;

use std::fmt::Display;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, SupportedCipherSuite};

pub(crate) use pem::Pem;
pub use roots::RootCertificates;
use verifier::Verifier;

use super::socket::Socket;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// Plaintext that is encrypted before it is sent: a few records at once cost fewer calls.
const BUFFER_LIMIT: usize = 512 * 1024;

/// Reads of the socket in a row that may give no plaintext.
const MAX_EMPTY_READS: usize = 64;

/// A copy that shares no sessions with its original, for all connections of one process.
pub(super) fn without_sessions(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.resumption = Resumption::default();
    Arc::new(config)
}

/// Whom to trust, and who the client is.
#[derive(Debug, Default, Clone)]
pub(crate) struct TlsSettings {
    pub(crate) roots: RootCertificates,
    /// Further authorities.
    pub(crate) bundle: Option<Pem>,
    /// A certificate with its chain, and its private key.
    pub(crate) client_certificate: Option<(Pem, Pem)>,
}

/// Builds the configuration of all connections of a client.
pub(super) fn config(settings: &TlsSettings) -> Result<ClientConfig> {
    let unlikely =
        |e: &dyn Display| Error::new(ErrorKind::Internal, format!("TLS cannot be set up: {e}"));
    let provider = Arc::new(provider());
    let (authorities, own) = roots::load(settings.roots, settings.bundle.as_ref())?;
    let client = match &settings.client_certificate {
        Some((certificate, key)) => Some(client_certificate::load(certificate, key, &provider)?),
        None => None,
    };
    let chains =
        WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider.clone())
            .build()
            .map_err(|e| unlikely(&e))?;
    let builder = ClientConfig::builder_with_details(provider, Arc::new(Clock))
        .with_safe_default_protocol_versions()
        .map_err(|e| unlikely(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier::new(chains, own)));
    Ok(match client {
        Some(client) => builder.with_client_cert_resolver(Arc::new(client)),
        None => builder.with_no_client_auth(),
    })
}

/// The system's clock. Before 1970 it has no time that certificates could be checked by; rustls's own clock panics there.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(since))
    }
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

/// One TLS connection, without its socket.
#[derive(Debug)]
pub(super) struct TlsSession {
    connection: ClientConnection,
    /// Something that the server has said was read.
    heard: bool,
    /// Why nothing more can be read, once everything before it is.
    failure: Option<rustls::Error>,
}

impl TlsSession {
    pub(super) fn new(config: Arc<ClientConfig>, host: &str) -> Result<TlsSession> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|e| {
            let message = format!("TLS with {host}: {e}");
            Error::new(ErrorKind::Tls, message).with_source(e)
        })?;
        let connection = ClientConnection::new(config, name);
        let mut connection = connection.map_err(|e| failed(host, &e))?;
        connection.set_buffer_limit(Some(BUFFER_LIMIT));
        Ok(TlsSession {
            connection,
            heard: false,
            failure: None,
        })
    }

    /// The handshake, or the last of our own part of it, is not through yet.
    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking() || self.connection.wants_write()
    }

    pub(super) fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Goes on with the handshake as far as it can without waiting.
    pub(super) fn shake_hands(&mut self, socket: &mut Socket) -> io::Result<()> {
        if self.connection.wants_write() {
            self.flush(socket)
        } else {
            self.read_records(socket)
        }
    }

    /// Encrypts as much as there is room for.
    pub(super) fn encrypt(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.connection.writer().write_vectored(parts)
    }

    /// Sends everything that is encrypted.
    pub(super) fn flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut Records(socket))?;
        }
        Ok(())
    }

    /// Reads what can be decrypted without waiting.
    pub(super) fn decrypt(&mut self, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
        // Records without plaintext, such as session tickets, are not gone through for ever at once: whoever
        // waits looks at the limits in between.
        for _ in 0..MAX_EMPTY_READS {
            match self.connection.reader().read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    self.heard |= matches!(result, Ok(1..));
                    return result;
                }
            }
            if let Some(failure) = &self.failure {
                return Err(io::Error::new(io::ErrorKind::InvalidData, failure.clone()));
            }
            match self.read_records(socket) {
                // What came before an alert, maybe a whole answer, is read first.
                Err(_) if self.failure.is_some() => {}
                result => result?,
            }
        }
        self.connection.reader().read(buffer)
    }

    fn read_records(&mut self, socket: &mut Socket) -> io::Result<()> {
        let count = self.connection.read_tls(&mut Records(socket))?;
        if let Err(e) = self.connection.process_new_packets() {
            // The alert that says why; whether it arrives does not matter.
            let _ = self.flush(socket);
            self.failure = Some(e.clone());
            return Err(io::Error::new(io::ErrorKind::InvalidData, e));
        }
        if count == 0 && self.connection.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// The server has not accepted the handshake, so that it has read nothing of what was sent since: an alert says so, in
    /// place of anything else. On a connection that has served an answer no such alert means that.
    pub(super) fn refusal(&self, host: &str) -> Option<Error> {
        match &self.failure {
            Some(failure @ rustls::Error::AlertReceived(alert))
                if !self.heard && words::is_about_the_handshake(*alert) =>
            {
                Some(failed(host, failure))
            }
            _ => None,
        }
    }
}

fn failed(host: &str, e: &rustls::Error) -> Error {
    let message = format!("TLS with {host}: {}", words::of(e));
    Error::new(ErrorKind::Tls, message).with_source(e.clone())
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
    let of_tls = e.get_ref().and_then(|e| e.downcast_ref());
    of_tls.map(|e| failed(host, e)).unwrap_or_else(|| {
        let what = e.to_string().to_lowercase();
        let message = format!("connect to {host}: {what} during the TLS handshake");
        Error::new(ErrorKind::Connect, message).with_source(e)
    })
}
