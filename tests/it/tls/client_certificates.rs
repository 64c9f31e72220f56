//! Certificates with which a client says who it is.

use oss_callback::{ErrorKind, Stored};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use support::{BUCKET, TemporaryFile, client_builder};

use super::server::{
    Authority, Certified, TlsServer, VERSIONS, client_parameters, config, element, parameters, pem,
};

/// A server that wants a certificate of this authority, and its own certificate.
fn wanting(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (TlsServer, String) {
    let own = Certified::self_signed(&parameters());
    let config = config(&own.certificate, &own.key, Some(authority), versions);
    (TlsServer::storing(config), own.pem())
}

fn stores(server: &TlsServer, bundle: &str, chain: &str, key: &str) {
    let builder = server.client(bundle).client_certificate(chain, key);
    let client = builder.build().unwrap();
    for _ in 0..3 {
        client
            .put_object(BUCKET, "a")
            .send_bytes(vec![0; 300_000])
            .unwrap();
    }
    let (chain, key) = (
        TemporaryFile::new("client.pem", chain.as_bytes()),
        TemporaryFile::new("client.key", key.as_bytes()),
    );
    let builder = server
        .client(bundle)
        .client_certificate_files(chain.path(), key.path());
    let client = builder.build().unwrap();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
}

#[test]
fn a_server_that_wants_a_certificate_gets_it() {
    let authority = Authority::new();
    for version in VERSIONS {
        let (server, bundle) = wanting(&authority, &[version]);
        for algorithm in [
            &PKCS_ECDSA_P256_SHA256,
            &PKCS_ECDSA_P384_SHA384,
            &PKCS_ED25519,
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let client = authority.signs_key(&client_parameters(), key);
            let key = client.key.serialize_pem();
            stores(&server, &bundle, &client.pem(), &key);
            // One file for both, in either order, found in the field.
            let both = format!("\u{feff}{key}{}", client.pem()).replace('\n', "\r\n");
            stores(&server, &bundle, &both, &both);
        }
    }
}

/// As openssl writes them: `ecparam -genkey`, and `genrsa -traditional`. They open nothing.
const SEC1: &str = include_str!("keys/sec1.pem");
const PKCS1: &str = include_str!("keys/pkcs1.pem");

/// PKCS #8 of a key in an older form: what kind it is, and then the key.
fn pkcs8(algorithm: &[u8], text: &str) -> String {
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).unwrap();
    let key = element(0x04, key.secret_der());
    let members = [&[0x02, 1, 0], algorithm, &key].concat();
    pem("PRIVATE KEY", &element(0x30, &members))
}

#[test]
fn keys_of_all_three_forms_are_taken() {
    const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const P256: &[u8] =
        b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let authority = Authority::new();
    let (server, bundle) = wanting(&authority, &VERSIONS);
    for (algorithm, key) in [(RSA, PKCS1), (P256, SEC1)] {
        let newer = pkcs8(algorithm, key);
        let pair = KeyPair::from_pem(&newer).unwrap();
        let client = authority.signs_key(&client_parameters(), pair);
        stores(&server, &bundle, &client.pem(), key);
        stores(&server, &bundle, &client.pem(), &newer);
    }
}

#[test]
fn a_chain_is_sent_whole() {
    // The server knows the root alone.
    let root = Authority::new();
    let between = root.signs_authority();
    let client = between.client();
    let (server, bundle) = wanting(&root, &VERSIONS);
    let key = client.key.serialize_pem();
    stores(
        &server,
        &bundle,
        &format!("{}{}", client.pem(), between.pem()),
        &key,
    );
    let alone = server.client(bundle).client_certificate(client.pem(), key);
    let client = alone.build().unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Tls, Stored::No),
        "{error}"
    );
}

#[test]
fn a_certificate_that_the_server_does_not_know_stores_nothing() {
    for version in VERSIONS {
        let (server, bundle) = wanting(&Authority::new(), &[version]);
        let stranger = Authority::new().client();
        let client = server
            .client(bundle)
            .client_certificate(stranger.pem(), stranger.key.serialize_pem())
            .build()
            .unwrap();
        for len in [1, 8_000_000] {
            let put = client.put_object(BUCKET, "a");
            let error = put.send_bytes(vec![0; len]).unwrap_err();
            assert_eq!(
                (error.kind(), error.stored(), error.attempts()),
                (ErrorKind::Tls, Stored::No, 1),
                "{error}"
            );
            assert!(error.to_string().contains("UnknownCA"), "{error}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_certificate_or_its_key_is_named() {
    let authority = Authority::new();
    let (good, other) = (authority.client(), authority.client());
    let (chain, key) = (good.pem(), good.key.serialize_pem());
    let digits: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
    let secret = digits[0];
    let encrypted = format!(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{secret}\n\
         -----END RSA PRIVATE KEY-----\n"
    );
    let labelled = |label: &str| key.replace("PRIVATE KEY", label);
    let short = pem("PRIVATE KEY", &good.key.serialize_der()[..40]);
    let no_certificate = "`client_certificate` holds no certificate";
    let encrypted_words = "`client_key` is encrypted, which is not supported: decrypt it first";
    for (chain, key, said) in [
        ("", &*key, no_certificate),
        ("garbage", &key, no_certificate),
        (&key, &key, no_certificate),
        (
            &chain.replace("M", "*"),
            &key,
            "`client_certificate` holds a bad certificate, number 1: it",
        ),
        (
            &pem("CERTIFICATE", b"x"),
            &key,
            "`client_certificate` holds a bad certificate, number 1: it",
        ),
        (&chain, "", "`client_key` holds no private key: it is empty"),
        (&chain, &chain, "`client_key` holds no private key in PEM"),
        (
            &chain,
            &other.key.serialize_pem(),
            "`client_key` does not fit the certificate",
        ),
        (&chain, SEC1, "`client_key` does not fit the certificate"),
        (
            &format!("{}{chain}", authority.pem()),
            &key,
            "`client_key` fits certificate number 2 of `client_certificate`, which must be the first",
        ),
        (&chain, &encrypted, encrypted_words),
        (&chain, &labelled("ENCRYPTED PRIVATE KEY"), encrypted_words),
        (
            &chain,
            &labelled("OPENSSH PRIVATE KEY"),
            "`client_key` is \"OPENSSH PRIVATE KEY\"",
        ),
        (
            &chain,
            &labelled("EC PRIVATE KEY"),
            "`client_key` is damaged, or of a kind",
        ),
        (&chain, &short, "`client_key` is damaged, or of a kind"),
        (
            &chain,
            &key.replace("-----END", "----END"),
            "`client_key` cannot be read: it has no END",
        ),
        (
            &chain,
            &key.replace(secret, "*"),
            "`client_key` cannot be read: it is not Base64",
        ),
    ] {
        let builder = client_builder("https://127.0.0.1").client_certificate(chain, key);
        let debug = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().starts_with(said), "{said}: {error}");
        // In the Base64 of the text, or as bytes.
        for shown in [debug, error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains(&secret[..20]), "{shown}");
            assert!(!shown.contains("48, 129, "), "{shown}");
        }
    }
    let builder = client_builder("https://127.0.0.1").client_certificate(&*chain, &*key);
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(
        !shown.contains(&secret[..20]) && !shown.contains("48, 129, "),
        "{shown}"
    );
    // Over http nobody is shown anything.
    let plain = client_builder("http://127.0.0.1").client_certificate("", "");
    plain.build().unwrap();
}
