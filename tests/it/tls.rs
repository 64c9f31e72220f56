//! HTTPS against local-oss, whose certificates it makes itself; in the modules below against servers of their own.

mod alerts;
mod client_certificates;
mod server;
mod trust;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use oss_callback::{Cancellation, ClientBuilder, ErrorKind, RetryPolicy, RootCertificates, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, TemporaryFile, agreeing_receiver, client_builder, server, spec};

/// A client that trusts this server and nobody else.
fn trusting(server: &local_oss::Server, endpoint: &str) -> ClientBuilder {
    client_builder(endpoint)
        .root_certificates(RootCertificates::None)
        .ca_bundle(server.certificate_pem().unwrap())
}

#[test]
fn uploads_and_downloads_go_over_tls() {
    let (server, receiver) = (server().tls(true).start().unwrap(), agreeing_receiver());
    assert!(server.endpoint().starts_with("https://"));
    let client = trusting(&server, server.endpoint()).build().unwrap();
    let contents: Vec<u8> = (0..5_000_001_u32).map(|i| (i * 7 % 251) as u8).collect();
    let callback = spec(&receiver.url("/"));
    for _ in 0..3 {
        let put = client.put_object(BUCKET, "a").callback(&callback);
        assert_eq!(
            put.send_bytes(&contents).unwrap().answer(),
            br#"{"Status":"OK"}"#
        );
    }
    let mut bytes = Vec::new();
    client.get_object(BUCKET, "a").write_to(&mut bytes).unwrap();
    assert!(bytes == contents);
}

#[test]
fn a_connection_is_used_again_though_tickets_come_after_the_handshake() {
    let server = server().tls(true).start().unwrap();
    let nothing = Fault {
        direction: Direction::Request,
        at: u64::MAX,
        action: Action::Cut,
    };
    let network = FaultyNetwork::start(server.address(), nothing, 0);
    let endpoint = format!("https://{}", network.address());
    let client = trusting(&server, &endpoint).build().unwrap();
    for number in 0..20 {
        client
            .put_object(BUCKET, &format!("{number}"))
            .send_bytes(b"x")
            .unwrap();
    }
    assert_eq!(network.connections(), 1);
}

#[test]
fn a_certificate_that_is_not_trusted_stores_nothing_and_is_not_tried_again() {
    let (server, other) = (
        server().tls(true).start().unwrap(),
        support::server().tls(true).start().unwrap(),
    );
    let not_its_own = client_builder(server.endpoint())
        .root_certificates(RootCertificates::None)
        .ca_bundle(other.certificate_pem().unwrap());
    let bundled = client_builder(server.endpoint()).root_certificates(RootCertificates::Bundled);
    // The right authority, but the certificate is for another name.
    let port = server.address().port();
    let other_name = trusting(&server, &format!("https://other.example.com:{port}"))
        .path_style(true)
        .resolve(
            "other.example.com",
            [SocketAddr::from(([127, 0, 0, 1], port))],
        );
    for builder in [not_its_own, bundled, other_name] {
        let client = builder.build().unwrap();
        let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Tls, Stored::No),
            "{error}"
        );
        assert_eq!(error.attempts(), 1);
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    assert!(server.stored().is_empty());
}

#[test]
fn a_bundle_is_added_to_the_other_authorities() {
    let server = server().tls(true).start().unwrap();
    for roots in [RootCertificates::Automatic, RootCertificates::Bundled] {
        let client = client_builder(server.endpoint())
            .root_certificates(roots)
            .ca_bundle(server.certificate_pem().unwrap())
            .build()
            .unwrap();
        client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    }
}

#[test]
fn a_bundle_of_garbage_is_refused() {
    let builder = || client_builder("https://127.0.0.1");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        .as_bytes()
        .to_vec();
    for (builder, said) in [
        (builder().ca_bundle(""), "`ca_bundle` holds no certificate"),
        (
            builder().ca_bundle("garbage"),
            "`ca_bundle` holds no certificate",
        ),
        (
            builder().ca_bundle(broken),
            "`ca_bundle` holds a bad certificate, number 1",
        ),
        (
            builder().root_certificates(RootCertificates::None),
            "`ca_bundle` is missing",
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn an_early_refusal_is_returned_over_tls() {
    // local-oss answers at once and soon reads no more.
    let server = server().tls(true).start().unwrap();
    let file = TemporaryFile::sparse("large.bin", 512 * 1024 * 1024);
    let client = trusting(&server, server.endpoint())
        .credentials(oss_callback::Credentials::new(support::KEY_ID, "wrong"))
        .build()
        .unwrap();
    let begun = Instant::now();
    let error = client
        .put_object(BUCKET, "a")
        .send_file(file.path())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::AccessDenied, Stored::No),
        "{error}"
    );
    assert_eq!(error.oss_code(), Some("SignatureDoesNotMatch"));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_a_server_says_over_tls_before_it_is_asked_is_no_answer() {
    const STALE: &[u8] =
        b"HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 2\r\n\r\n{}";
    let pair = rcgen::KeyPair::generate().unwrap();
    let names = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = names.self_signed(&pair).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            pair.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut session = rustls::ServerConnection::new(config.into()).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut stream).unwrap();
        }
        session.writer().write_all(STALE).unwrap();
        // Tickets go along.
        session.complete_io(&mut stream).unwrap();
        tell.send(()).unwrap();
        stream
    });
    /// Gives its byte once the server has spoken.
    struct Later(std::sync::mpsc::Receiver<()>);
    impl Read for Later {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.recv().is_err() {
                return Ok(0);
            }
            buffer[0] = b'x';
            Ok(1)
        }
    }
    let client = client_builder(&format!("https://{address}"))
        .root_certificates(RootCertificates::None)
        .ca_bundle(certificate.pem())
        .build()
        .unwrap();
    let put = client.put_object(BUCKET, "a");
    let error = put.send_reader(Later(told), 1).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Protocol, Stored::No),
        "{error}"
    );
    server.join().unwrap();
}

#[test]
fn a_server_that_never_shakes_hands_is_left_in_time() {
    let server = server().tls(true).start().unwrap();
    for (at, direction) in [(0, Direction::Request), (0, Direction::Answer)] {
        let stall = Fault {
            direction,
            at,
            action: Action::Stall,
        };
        let network = FaultyNetwork::start(server.address(), stall, usize::MAX);
        let endpoint = format!("https://{}", network.address());
        let client = trusting(&server, &endpoint)
            .retry_policy(RetryPolicy::none())
            .connect_timeout(Duration::from_millis(300))
            .build()
            .unwrap();
        let begun = Instant::now();
        let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Timeout, Stored::No),
            "{error}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_handshake_can_be_cancelled() {
    const WHILE: Duration = Duration::from_millis(300);
    let server = server().tls(true).start().unwrap();
    let stall = Fault {
        direction: Direction::Answer,
        at: 0,
        action: Action::Stall,
    };
    let network = FaultyNetwork::start(server.address(), stall, usize::MAX);
    let client = trusting(&server, &format!("https://{}", network.address()))
        .build()
        .unwrap();
    let cancellation = Cancellation::new();
    let other = cancellation.clone();
    let begun = Instant::now();
    let thread = std::thread::spawn(move || {
        std::thread::park_timeout(WHILE);
        other.cancel();
    });
    let put = client.put_object(BUCKET, "a").cancellation(&cancellation);
    let error = put.send_bytes(b"x").unwrap_err();
    thread.join().unwrap();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No),
        "{error}"
    );
    assert!(
        begun.elapsed() < WHILE + Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_connection_that_breaks_under_tls_is_told_as_one_in_the_clear() {
    let server = server().tls(true).start().unwrap();
    for action in [Action::Cut, Action::Reset, Action::Corrupt] {
        let fault = Fault {
            direction: Direction::Request,
            at: 1_000_000,
            action,
        };
        let network = FaultyNetwork::start(server.address(), fault, usize::MAX);
        let endpoint = format!("https://{}", network.address());
        let client = trusting(&server, &endpoint)
            .retry_policy(RetryPolicy::none())
            .build()
            .unwrap();
        let error = client
            .put_object(BUCKET, "a")
            .send_bytes(vec![0; 64 * 1024 * 1024])
            .unwrap_err();
        // A changed byte does not get past TLS.
        assert_eq!(error.stored(), Stored::No, "{action:?}: {error}");
        assert!(
            matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Tls),
            "{action:?}: {error}"
        );
    }
    assert!(server.stored().is_empty());
}
