//! The client's side of TLS.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Trusts nobody but `pem`.
pub fn connect(address: SocketAddr, name: &str, pem: &str) -> Stream {
    try_connect(address, name, Some(pem)).unwrap()
}

pub fn try_connect(address: SocketAddr, name: &str, pem: Option<&str>) -> io::Result<Stream> {
    try_connect_as(address, name, pem, None)
}

/// With a certificate of the client's own, and its key.
pub fn try_connect_as(
    address: SocketAddr,
    name: &str,
    pem: Option<&str>,
    client: Option<&str>,
) -> io::Result<Stream> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = pem {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(certificate).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(pem) => config
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, super::connect(address));
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}
