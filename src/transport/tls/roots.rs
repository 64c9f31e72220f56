//! Whom a client trusts: the system's authorities, Mozilla's, and the caller's own.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::certificate::trusted;
use super::pem::{Pem, blocks};
use crate::outcome::error::{Error, Result};

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

/// The authorities, and the certificates of the bundle themselves.
pub(super) fn load(
    roots: RootCertificates,
    bundle: Option<&Pem>,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>)> {
    let mut store = RootCertStore::empty();
    if matches!(
        roots,
        RootCertificates::Automatic | RootCertificates::System
    ) {
        store.add_parsable_certificates(system());
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
    let mut own = Vec::new();
    if let Some(pem) = bundle {
        let name = "ca_bundle";
        for (index, (certificate, trusted)) in certificates_of(name, &pem.read(name)?)?
            .into_iter()
            .enumerate()
        {
            if trusted {
                let added = store.add(certificate.clone());
                added.map_err(|e| bad(name, index, &format!("cannot be read ({e:?})")))?;
                own.push(certificate);
            }
        }
        if own.is_empty() {
            let message =
                "`ca_bundle` holds no certificate that its own settings trust with TLS servers";
            return Err(Error::argument(message));
        }
    }
    Ok((store, own))
}

/// Where systems keep their authorities. As rustls-native-certs does, the first of these files that is there is read, and
/// all of the folders. It would look at `SSL_CERT_FILE` and `SSL_CERT_DIR` first: whom a library trusts is up to the
/// program, and not to whoever starts it.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn system() -> Vec<CertificateDer<'static>> {
    use std::path::Path;

    use rustls_native_certs::load_certs_from_paths;

    const FILES: [&str; 13] = [
        "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Gentoo, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
        "/etc/pki/tls/certs/ca-bundle.crt",   // RHEL 6
        "/etc/ssl/ca-bundle.pem",             // SUSE
        "/etc/pki/tls/cacert.pem",            // OpenELEC
        "/etc/ssl/cert.pem",                  // Alpine, OpenBSD
        "/opt/etc/ssl/certs/ca-certificates.crt", // Entware
        "/etc/ssl/certs/cacert.pem",          // OpenHarmony
        "/usr/local/etc/ssl/cert.pem",        // FreeBSD
        "/usr/local/share/certs/ca-root-nss.crt", // DragonFly
        "/etc/openssl/certs/ca-certificates.crt", // NetBSD
        "/etc/certs/ca-certificates.crt",     // Solaris, illumos
        "/data/data/com.termux/files/usr/etc/tls/cert.pem", // Android's Termux
    ];
    const FOLDERS: [&str; 6] = [
        "/etc/ssl/certs",
        "/etc/pki/tls/certs",
        "/etc/security/certificates", // OpenHarmony
        "/usr/local/share/certs",     // FreeBSD
        "/etc/openssl/certs",         // NetBSD
        "/etc/certs/CA",              // Solaris, illumos
    ];
    let there = |path: &&&str| Path::new(path).exists();
    let file = FILES.iter().find(there).map(Path::new);
    let mut folders = FOLDERS.iter().filter(there).map(Path::new);
    // Together, so that a file that is in the folder, too, is read once.
    let mut all = load_certs_from_paths(file, folders.next()).certs;
    for folder in folders {
        all.extend(load_certs_from_paths(None, Some(folder)).certs);
    }
    all
}

/// Where the authorities are no files, rustls-native-certs asks the system only while neither variable is set. Otherwise
/// nothing is believed of what it gives.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn system() -> Vec<CertificateDer<'static>> {
    let replaced = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if replaced {
        return Vec::new();
    }
    rustls_native_certs::load_native_certs().certs
}

/// Every certificate of an argument's PEM text, and whether it may be trusted with servers; one that cannot be read is an
/// error, and so is none.
pub(super) fn certificates_of(
    name: &str,
    pem: &[u8],
) -> Result<Vec<(CertificateDer<'static>, bool)>> {
    let mut certificates = Vec::new();
    for block in blocks(pem) {
        let index = certificates.len();
        let is_trusted = match &*block.label {
            "TRUSTED CERTIFICATE" => true,
            // It may have been a certificate's when its label cannot be read.
            "CERTIFICATE" | "X509 CERTIFICATE" | "" => false,
            _ => continue,
        };
        let der = (block.contents).map_err(|problem| bad(name, index, problem))?;
        certificates.push(if is_trusted {
            let (certificate, trusts) =
                trusted(&der).ok_or_else(|| bad(name, index, "is cut short"))?;
            (certificate.to_vec().into(), trusts)
        } else {
            (der.into(), true)
        });
    }
    if certificates.is_empty() {
        return Err(none(name, pem));
    }
    Ok(certificates)
}

/// Numbers are as people count.
pub(super) fn bad(name: &str, index: usize, problem: &str) -> Error {
    let number = index + 1;
    Error::argument(format!(
        "`{name}` holds a bad certificate, number {number}: it {problem}"
    ))
}

/// What was meant to be PEM may be something else that files of certificates are.
fn none(name: &str, pem: &[u8]) -> Error {
    let hint = match pem {
        [] => ": it is empty",
        [0x30, 0x81 | 0x82, ..] => ": it is DER, and PEM is wanted (openssl x509 -inform DER)",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ": it is UTF-16, and ASCII is wanted",
        _ => " in PEM",
    };
    Error::argument(format!("`{name}` holds no certificate{hint}"))
}
