//! Whom a client trusts, and what it says when it does not.

use std::fs;
use std::process::Command;

use oss_callback::{ErrorKind, RootCertificates, Stored};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use support::{BUCKET, TemporaryFile, c, client_builder};

use super::server::{Authority, Certified, TlsServer, VERSIONS, config, element, parameters, pem};

/// A server whose certificate an authority has signed, and the authority.
fn signed() -> (TlsServer, Authority) {
    let authority = Authority::new();
    let own = authority.signs(&parameters());
    let server = TlsServer::storing(config(&own.certificate, &own.key, None, &VERSIONS));
    (server, authority)
}

/// OpenSSL's list of purposes, with or without servers among them.
fn trust_settings(tag: u8, of_servers: bool) -> Vec<u8> {
    let last = if of_servers { 1 } else { 2 };
    let purpose = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, last];
    [&[0x30, 12, tag, 10][..], &purpose].concat()
}

#[test]
fn bundles_are_read_as_they_are_found_in_the_field() {
    let (server, authority) = signed();
    let der = &authority.certified.certificate[..];
    let text = authority.pem();
    let other = Authority::new().pem();
    let with = |aux: &[u8]| pem("TRUSTED CERTIFICATE", &[der, aux].concat());
    let indented: String = text.lines().map(|line| format!("  \t{line}  \n")).collect();
    for (what, bundle) in [
        ("as it is", text.clone()),
        ("a byte order mark", format!("\u{feff}{text}")),
        (
            "a byte order mark in the middle",
            format!("{other}\u{feff}{text}"),
        ),
        ("blanks", indented),
        ("CRLF", text.replace('\n', "\r\n")),
        ("CR", text.replace('\n', "\r")),
        (
            "no line end between two",
            format!("{}{text}", other.trim_end()),
        ),
        ("no line end at the end", text.trim_end().to_owned()),
        (
            "comments",
            format!("# An authority: BEGIN here\n\n{other}# another\n{text}trailer"),
        ),
        ("X509 CERTIFICATE", pem("X509 CERTIFICATE", der)),
        ("TRUSTED CERTIFICATE without settings", with(&[])),
        ("trusted with servers", with(&trust_settings(0x30, true))),
        ("rejected for clients", with(&trust_settings(0xa0, false))),
        (
            "beside one for clients",
            format!(
                "{}{text}",
                pem(
                    "TRUSTED CERTIFICATE",
                    &[
                        &Authority::new().certified.certificate[..],
                        &trust_settings(0x30, false)[..],
                    ]
                    .concat()
                )
            ),
        ),
        (
            "beside a key",
            format!("{}{text}", KeyPair::generate().unwrap().serialize_pem()),
        ),
    ] {
        let client = server.client(bundle.clone()).build();
        let client = client.unwrap_or_else(|e| panic!("{what}: {e}"));
        let stored = client.put_object(BUCKET, "a").send_bytes(b"x");
        stored.unwrap_or_else(|e| panic!("{what}: {e}"));
        let file = TemporaryFile::new("bundle.pem", bundle.as_bytes());
        let client = server
            .client("")
            .ca_bundle_file(file.path())
            .build()
            .unwrap();
        client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
    }
}

#[test]
fn a_certificate_that_was_not_understood_is_named_by_its_number() {
    let (good, other) = (Authority::new().pem(), Authority::new().pem());
    let bad = |replaced: &str, by: &str| format!("{good}{}", other.replace(replaced, by));
    let der = Authority::new().certified.certificate;
    let cut = pem("CERTIFICATE", &der[..der.len() - 1]);
    let longer = pem("CERTIFICATE", &[&der[..], &[0]].concat());
    let cut_trusted = pem("TRUSTED CERTIFICATE", &der[..der.len() - 1]);
    let distrusted = pem(
        "TRUSTED CERTIFICATE",
        &[&der[..], &trust_settings(0xa0, true)].concat(),
    );
    for (bundle, said) in [
        (bad("M", "*"), "bad certificate, number 2: it is not Base64"),
        (
            bad("-----END CERTIFICATE-----\n", ""),
            "number 2: it has no END line",
        ),
        (
            format!("{}{good}", other.replace("-----END CERTIFICATE-----\n", "")),
            "number 1: it has no END line",
        ),
        (bad("-----END", "----END"), "number 2: it has no END line"),
        (
            bad("-----BEGIN", "----BEGIN"),
            "number 2: it has a damaged BEGIN line",
        ),
        (
            bad("CERTIFICATE-----\nM", "CERTIFICATE---\nM"),
            "number 2: it has a damaged BEGIN line",
        ),
        (
            bad("-----BEGIN CERTIFICATE-----\n", ""),
            "number 2: it has no BEGIN line",
        ),
        (
            bad("END CERTIFICATE", "END X509 CRL"),
            "number 2: it has the END line of something else",
        ),
        (format!("{good}{cut}"), "number 2: it cannot be read"),
        (format!("{good}{longer}"), "number 2: it cannot be read"),
        (
            format!("{good}{good}{cut_trusted}"),
            "number 3: it is cut short",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----".to_owned(),
            "number 1: it is empty",
        ),
        (
            KeyPair::generate().unwrap().serialize_pem(),
            "holds no certificate in PEM",
        ),
        (
            distrusted,
            "holds no certificate that its own settings trust with TLS servers",
        ),
        (String::new(), "holds no certificate: it is empty"),
    ] {
        let builder = client_builder("https://127.0.0.1").ca_bundle(bundle.clone());
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let message = error.to_string();
        assert!(
            message.starts_with("`ca_bundle`") && message.contains(said),
            "{said}: {message}"
        );
    }
    for (bytes, said) in [
        (der.to_vec(), "it is DER"),
        (b"\xff\xfe-\0-\0".to_vec(), "it is UTF-16"),
    ] {
        let builder = client_builder("https://127.0.0.1").ca_bundle(bytes);
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_a_bundle_is_refused_and_waited_for_by_nobody() {
    let folder = std::env::temp_dir();
    let too_long = TemporaryFile::sparse("too-long.pem", 16 * 1024 * 1024 + 1);
    let missing = folder.join("not there.pem");
    let mut paths = vec![
        (folder.clone(), "it is not a regular file"),
        (
            too_long.path().to_owned(),
            "it is longer than 16777216 bytes",
        ),
        (missing, "no such file"),
    ];
    let pipe = folder.join(format!("oss-callback-{}.pipe", std::process::id()));
    if cfg!(unix) {
        paths.push(("/dev/zero".into(), "it is not a regular file"));
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        paths.push((pipe.clone(), "it is not a regular file"));
    }
    let authority = Authority::new();
    let client = authority.client();
    let good = TemporaryFile::new("good.pem", client.pem().as_bytes());
    for (path, said) in paths {
        let builder = || client_builder("https://127.0.0.1");
        for (builder, name) in [
            (builder().ca_bundle_file(&path), "`ca_bundle`"),
            (
                builder().client_certificate_files(&path, good.path()),
                "`client_certificate`",
            ),
            (
                builder().client_certificate_files(good.path(), &path),
                "`client_key`",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            let message = error.to_string();
            let begin = format!("{name}: read {}: ", path.display());
            assert!(
                message.starts_with(&begin) && message.contains(said),
                "{message}"
            );
        }
    }
    let _ = fs::remove_file(pipe);
}

/// What openssl makes with `req -x509`: the certificate of an authority.
fn as_openssl_makes_it() -> CertificateParams {
    let mut parameters = parameters();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

#[test]
fn a_server_whose_own_certificate_is_in_the_bundle_is_trusted() {
    let authority = Authority::new();
    for version in VERSIONS {
        for own in [
            Certified::self_signed(&as_openssl_makes_it()),
            Certified::self_signed(&parameters()),
            // Signed by an authority that the client knows nothing of.
            authority.signs(&parameters()),
        ] {
            let server = TlsServer::storing(config(&own.certificate, &own.key, None, &[version]));
            let client = server.client(own.pem()).build().unwrap();
            for _ in 0..3 {
                client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
            }
            let among_others = format!("{}{}", Authority::new().pem(), own.pem());
            let client = server.client(among_others).build().unwrap();
            client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
        }
    }
}

/// What an upload to a server with this certificate and this key ends with, if that certificate is in the bundle.
fn refused(own: &Certified, key: &KeyPair, bundle: String) -> String {
    let server = TlsServer::storing(config(&own.certificate, key, None, &VERSIONS));
    let client = server.client(bundle).build().unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored(), error.attempts()),
        (ErrorKind::Tls, Stored::No, 1),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("TLS with {}: ", server.address)),
        "{message}"
    );
    for debug in [
        "Other(",
        "Error(",
        "Context",
        "InvalidCertificate",
        "\"NotValid",
    ] {
        assert!(!message.contains(debug), "{message}");
    }
    message
}

/// Makes a change to the parameters, and gives the words with which the certificate is refused: signed by an authority in the
/// bundle, and by itself and in the bundle.
fn words_for(change: impl Fn(&mut CertificateParams)) -> [String; 2] {
    let mut changed = parameters();
    change(&mut changed);
    let authority = Authority::new();
    let signed = authority.signs(&changed);
    changed.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pinned = Certified::self_signed(&changed);
    [
        refused(&signed, &signed.key, authority.pem()),
        refused(&pinned, &pinned.key, pinned.pem()),
    ]
}

#[test]
fn name_times_and_purpose_are_checked_whoever_signed_and_told_in_words() {
    let all_say = |words: [String; 2], parts: &[&str]| {
        for message in words {
            for part in parts {
                assert!(message.contains(part), "{part:?}: {message}");
            }
        }
    };
    all_say(
        words_for(|p| {
            let names = (0..9)
                .map(|n| format!("{n}.example.com"))
                .collect::<Vec<_>>();
            p.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        }),
        &[
            "not for this host, but for 0.example.com, 1.example.com, ",
            "4.example.com, …",
        ],
    );
    all_say(
        words_for(|p| p.subject_alt_names.clear()),
        &["names no host (it has no subjectAltName; a common name does not count)"],
    );
    all_say(
        words_for(|p| {
            p.not_before = rcgen::date_time_ymd(1999, 1, 1);
            p.not_after = rcgen::date_time_ymd(2001, 2, 3);
        }),
        &["has expired: it ended at 20010203T000000Z, and this machine's clock says 20"],
    );
    all_say(
        words_for(|p| p.not_before = rcgen::date_time_ymd(4000, 2, 3)),
        &[
            "not yet valid: it begins at 40000203T000000Z",
            "clock is wrong",
        ],
    );
    all_say(
        words_for(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        &["is not for servers: its extended key usage lacks serverAuth"],
    );
}

#[test]
fn who_only_looks_like_the_server_in_the_bundle_is_not_trusted() {
    let own = Certified::self_signed(&as_openssl_makes_it());
    // Another certificate with the same names and even the same key.
    let mut again = as_openssl_makes_it();
    again.serial_number = Some(7.into());
    let again = again.self_signed(&own.key).unwrap().der().clone();
    let again = Certified {
        certificate: again,
        key: KeyPair::from_pem(&own.key.serialize_pem()).unwrap(),
    };
    let message = refused(&again, &own.key, own.pem());
    assert!(message.contains("of an authority (CA:TRUE)"), "{message}");
    assert!(message.contains("`ca_bundle`"), "{message}");
    // The very certificate, without its key.
    for own in [own, Certified::self_signed(&parameters())] {
        let message = refused(&own, &KeyPair::generate().unwrap(), own.pem());
        assert!(message.contains("a signature"), "{message}");
    }
    // Nobody in the bundle has signed it.
    let message = refused(&again, &again.key, Authority::new().pem());
    assert!(message.contains("`ca_bundle`"), "{message}");
    let stranger = Authority::new().signs(&parameters());
    let message = refused(&stranger, &stranger.key, Authority::new().pem());
    assert!(
        message.contains("signed by nobody who is trusted here"),
        "{message}"
    );
    assert!(message.contains("`ca_bundle`"), "{message}");
}

/// The same certificate as openssl makes it without extensions: no version, nothing after the key. Nobody looks at its
/// signature before its version.
fn version_1(certified: &Certified) -> CertificateDer<'static> {
    fn outline(der: &[u8]) -> (usize, usize) {
        match der[1] {
            len @ 0..=0x7f => (2, usize::from(len)),
            0x81 => (3, usize::from(der[2])),
            0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
            _ => panic!("a long certificate"),
        }
    }
    let der = &certified.certificate[..];
    let (begin, len) = outline(der);
    let whole = &der[begin..begin + len];
    let (begin, len) = outline(whole);
    let (signed, rest) = (&whole[begin..begin + len], &whole[begin + len..]);
    let mut kept = Vec::new();
    let mut members = signed;
    while !members.is_empty() {
        let (begin, len) = outline(members);
        let (member, after) = members.split_at(begin + len);
        if !matches!(member[0], 0xa0 | 0xa3) {
            kept.extend_from_slice(member);
        }
        members = after;
    }
    element(0x30, &[&element(0x30, &kept), rest].concat()).into()
}

#[test]
fn a_certificate_of_version_1_is_refused_in_words() {
    let own = Certified::self_signed(&parameters());
    let old = Certified {
        certificate: version_1(&own),
        key: KeyPair::from_pem(&own.key.serialize_pem()).unwrap(),
    };
    for bundle in [old.pem(), Authority::new().pem()] {
        let message = refused(&old, &old.key, bundle);
        assert!(message.contains("is of X.509 version 1"), "{message}");
        assert!(message.contains("subjectAltName"), "{message}");
    }
    // As a client's it may be: which ones a server takes is up to the server.
    client_builder("https://127.0.0.1")
        .client_certificate(old.pem(), own.key.serialize_pem())
        .build()
        .unwrap();
}

#[test]
fn a_server_that_speaks_http_is_said_to() {
    let server = support::server().start().unwrap();
    let endpoint = server.endpoint().replace("http:", "https:");
    let client = client_builder(&endpoint).root_certificates(RootCertificates::Bundled);
    let put = client.build().unwrap();
    let error = put.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!((error.kind(), error.stored()), (ErrorKind::Tls, Stored::No));
    assert!(
        error
            .to_string()
            .contains("does not speak TLS on this port"),
        "{error}"
    );
}

const ENDPOINT: &str = "OSS_CALLBACK_TEST_ENDPOINT";

/// Runs one of these tests in a process of its own.
fn in_another_process(test: &str, change: impl Fn(&mut Command)) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    change(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn runs_for_the_test_of_the_environment() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        return;
    };
    for roots in [RootCertificates::Automatic, RootCertificates::System] {
        // A system may have no authorities at all.
        let Ok(client) = client_builder(&endpoint).root_certificates(roots).build() else {
            assert_eq!(roots, RootCertificates::System);
            support::skip("the system has no certificate authorities");
            continue;
        };
        let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Tls, Stored::No),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("signed by nobody who is trusted here"),
            "{error}"
        );
    }
}

#[test]
fn the_environment_has_no_say_in_whom_a_client_trusts() {
    const TEST: &str = "tls::trust::runs_for_the_test_of_the_environment";
    let (server, authority) = signed();
    let file = TemporaryFile::new("authority.pem", authority.pem().as_bytes());
    let folder =
        std::env::temp_dir().join(format!("oss-callback-{}-authorities", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    let endpoint = format!("https://{}", server.address);
    in_another_process(TEST, |command| {
        command
            .env(ENDPOINT, &endpoint)
            .env("SSL_CERT_FILE", file.path());
    });
    in_another_process(TEST, |command| {
        command
            .env(ENDPOINT, &endpoint)
            .env("SSL_CERT_DIR", &folder);
    });
    fs::remove_dir_all(folder).unwrap();
    // The authority is the right one.
    let client = client_builder(&endpoint)
        .ca_bundle_file(file.path())
        .build()
        .unwrap();
    client.put_object(BUCKET, "a").send_bytes(b"x").unwrap();
}

#[test]
fn runs_for_the_test_of_the_clock() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        return;
    };
    let now = std::time::SystemTime::now();
    assert!(
        now < std::time::UNIX_EPOCH,
        "the clock is not the one of the test"
    );
    let authority = std::env::var("AUTHORITY").unwrap();
    let client = client_builder(&endpoint)
        .root_certificates(RootCertificates::None)
        .ca_bundle(authority)
        .build()
        .unwrap();
    let error = client.put_object(BUCKET, "a").send_bytes(b"x").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Tls, Stored::No),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("this machine's clock is before 1970"),
        "{error}"
    );
}

/// A device without a battery may begin in any year.
#[cfg(target_os = "linux")]
#[test]
fn a_clock_before_1970_is_an_error_in_words() {
    const TEST: &str = "tls::trust::runs_for_the_test_of_the_clock";
    const CLOCK: &str = r#"
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t id, struct timespec *time) {
            int failed = (int)syscall(SYS_clock_gettime, id, time);
            if (!failed && id == CLOCK_REALTIME) time->tv_sec = -86400;
            return failed;
        }
    "#;
    let (server, authority) = signed();
    let (source, clock) = (
        c::product("clock_before_1970.c"),
        c::product("clock_before_1970.so"),
    );
    fs::write(&source, CLOCK).unwrap();
    c::succeed(
        c::c_compiler("c11")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&clock)
            .arg(&source),
    );
    in_another_process(TEST, |command| {
        command
            .env(ENDPOINT, format!("https://{}", server.address))
            .env("AUTHORITY", authority.pem())
            .env("LD_PRELOAD", &clock);
    });
}
