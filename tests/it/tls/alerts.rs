//! What a server says in an alert, and when it proves that nothing is stored.

use oss_callback::{Answered, Client, ErrorKind, Stored};
use support::{BUCKET, spec};

use super::server::{Authority, Certified, STORED, TlsServer, VERSIONS, config, parameters};

/// A server by TLS 1.3 that wants no certificate, and a client of it.
fn alerting(serve: impl Fn(super::server::Secured) + Send + Sync + 'static) -> (TlsServer, Client) {
    let own = Certified::self_signed(&parameters());
    let server = TlsServer::start(config(&own.certificate, &own.key, None, &VERSIONS), serve);
    let client = server.client(own.pem()).build().unwrap();
    (server, client)
}

#[test]
fn a_server_that_wants_a_client_certificate_stores_nothing_and_is_asked_once() {
    let authority = Authority::new();
    let own = Certified::self_signed(&parameters());
    for version in VERSIONS {
        let server = TlsServer::storing(config(
            &own.certificate,
            &own.key,
            Some(&authority),
            &[version],
        ));
        let client = server.client(own.pem()).build().unwrap();
        let mut uploads = 0;
        // The alert overtakes nothing, the end of the head, the end of the body, or a large body halfway.
        for len in [0, 1, 100_000, 8_000_000] {
            for _ in 0..10 {
                uploads += 1;
                let callback = spec("http://app.example.com/");
                let put = client.put_object(BUCKET, "a").callback(&callback);
                let error = put.send_bytes(vec![b'x'; len]).unwrap_err();
                assert_eq!(
                    (
                        error.kind(),
                        error.stored(),
                        error.answered(),
                        error.attempts()
                    ),
                    (ErrorKind::Tls, Stored::No, Answered::No, 1),
                    "{version:?} {len}: {error}"
                );
                assert!(
                    error.to_string().contains("`client_certificate`"),
                    "{error}"
                );
                assert_eq!(server.connections(), uploads);
            }
        }
        // A reader cannot be read again, and a delete has no body.
        let put = client.put_object(BUCKET, "a");
        let error = put.send_reader(&[0; 1000][..], 1000).unwrap_err();
        assert_eq!((error.kind(), error.stored()), (ErrorKind::Tls, Stored::No));
        let error = client.delete_object(BUCKET, "a").send().unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Tls, 1),
            "{error}"
        );
    }
}

#[test]
fn an_alert_about_the_handshake_in_place_of_an_answer_says_that_nothing_was_read() {
    const ABOUT_THE_HANDSHAKE: [(u8, &str); 14] = [
        (40, "HandshakeFailure"),
        (42, "BadCertificate"),
        (43, "UnsupportedCertificate"),
        (44, "CertificateRevoked"),
        (45, "CertificateExpired"),
        (46, "CertificateUnknown"),
        (48, "UnknownCA"),
        (49, "AccessDenied"),
        (51, "DecryptError"),
        (70, "ProtocolVersion"),
        (71, "InsufficientSecurity"),
        (112, "UnrecognisedName"),
        (116, "CertificateRequired"),
        (120, "NoApplicationProtocol"),
    ];
    for (alert, name) in ABOUT_THE_HANDSHAKE {
        let (server, client) = alerting(move |mut secured| {
            if secured.request().is_some() {
                secured.says_and_alerts(b"", 2, alert);
            }
        });
        let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored(), server.connections()),
            (ErrorKind::Tls, Stored::No, 1),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn any_other_alert_after_the_last_byte_leaves_it_open() {
    // close_notify, unexpected_message, bad_record_mac, record_overflow, illegal_parameter, decode_error, internal_error,
    // and one that nobody has defined.
    for alert in [0, 10, 20, 22, 47, 50, 80, 200] {
        let (server, client) = alerting(move |mut secured| {
            if secured.request().is_some() {
                secured.says_and_alerts(b"", 2, alert);
            }
        });
        let callback = spec("http://app.example.com/");
        let put = client.put_object(BUCKET, "a").callback(&callback);
        let error = put.send_bytes(b"x").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored(), error.answered()),
            (
                ErrorKind::ConnectionLost,
                Stored::Unknown,
                Answered::Unknown
            ),
            "{alert}: {error}"
        );
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn an_alert_after_anything_else_proves_nothing() {
    const CERTIFICATE_REQUIRED: u8 = 116;
    for before in ["HTTP/1.1 100 Continue\r\n\r\n", "H", "HTTP/1.1 200 OK\r\n"] {
        let (_server, client) = alerting(move |mut secured| {
            if secured.request().is_some() {
                secured.says_and_alerts(before.as_bytes(), 2, CERTIFICATE_REQUIRED);
            }
        });
        let callback = spec("http://app.example.com/");
        let put = client.put_object(BUCKET, "a").callback(&callback);
        let error = put.send_bytes(b"x").unwrap_err();
        assert_eq!(error.stored(), Stored::Unknown, "{before:?}: {error}");
        assert_ne!(error.kind(), ErrorKind::Tls, "{before:?}: {error}");
    }
    // Nor on a connection that has served an answer: there the server has long accepted the handshake.
    let (server, client) = alerting(|mut secured| {
        if secured.request().is_some() {
            secured.says(STORED);
            if secured.request().is_some() {
                secured.says_and_alerts(b"", 2, CERTIFICATE_REQUIRED);
            }
        }
    });
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    let callback = spec("http://app.example.com/");
    let put = client.put_object(BUCKET, "a").callback(&callback);
    let error = put.send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::ConnectionLost, Stored::Unknown),
        "{error}"
    );
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_whole_answer_counts_whatever_alert_follows_it() {
    for alert in [0, 80, 116] {
        let (_server, client) = alerting(move |mut secured| {
            if secured.request().is_some() {
                secured.says_and_alerts(STORED, 2, alert);
            }
        });
        for _ in 0..3 {
            client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
        }
    }
}
