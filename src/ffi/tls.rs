//! Whom a client trusts, and the certificate with which it says who it is.

use std::path::PathBuf;

use libc::{c_char, size_t};

use super::client::{oss_callback_client_options, set};
use super::pointers::{bytes, file_path, is_null};
use crate::{ClientBuilder, Error, Result};

/// The certificate authorities that a client trusts besides those of
/// oss_callback_client_options_set_ca_bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_root_certificates {
    /// The system's. If it has none, Mozilla's as bundled with this library.
    Automatic = 0,
    /// The system's. It is an error if the system has none.
    System = 1,
    /// Mozilla's, as bundled with this library.
    Bundled = 2,
    /// Only those of the CA bundle.
    None = 3,
}

/// What options say of TLS.
#[derive(Default)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing is set then"))]
pub(super) struct Tls {
    roots: Option<oss_callback_root_certificates>,
    bundle: Option<Pem>,
    client_certificate: Option<(Pem, Pem)>,
}

#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "nothing is set then"))]
enum Pem {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl Tls {
    #[cfg(feature = "tls")]
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        use crate::RootCertificates;

        if let Some(roots) = self.roots {
            builder = builder.root_certificates(match roots {
                oss_callback_root_certificates::Automatic => RootCertificates::Automatic,
                oss_callback_root_certificates::System => RootCertificates::System,
                oss_callback_root_certificates::Bundled => RootCertificates::Bundled,
                oss_callback_root_certificates::None => RootCertificates::None,
            });
        }
        builder = match &self.bundle {
            None => builder,
            Some(Pem::Bytes(pem)) => builder.ca_bundle(pem.as_slice()),
            Some(Pem::File(path)) => builder.ca_bundle_file(path),
        };
        match &self.client_certificate {
            Some((Pem::Bytes(chain), Pem::Bytes(key))) => {
                builder.client_certificate(chain.as_slice(), key.as_slice())
            }
            Some((Pem::File(chain), Pem::File(key))) => {
                builder.client_certificate_files(chain, key)
            }
            _ => builder,
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        builder
    }
}

/// Sets what needs TLS, if the library has it, or takes it away.
fn set_tls<T>(
    options: Option<&mut oss_callback_client_options>,
    name: &str,
    value: impl FnOnce() -> Result<Option<T>>,
    field: impl FnOnce(&mut Tls) -> &mut Option<T>,
) {
    set(options, |settings| {
        let value = value()?;
        if cfg!(not(feature = "tls")) && value.is_some() {
            let message = format!("`{name}`: this library was built without TLS");
            return Err(Error::argument(message));
        }
        *field(&mut settings.tls) = value;
        Ok(())
    });
}

/// Both, or neither; one alone is a mistake.
fn pair(certificate: Option<Pem>, key: Option<Pem>) -> Result<Option<(Pem, Pem)>> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, Some(_)) => Err(is_null("client_certificate")),
        (Some(_), None) => Err(is_null("client_key")),
    }
}

/// Bytes that may be NULL, which is not the same as empty ones.
///
/// # Safety
///
/// NULL only with length 0, otherwise readable bytes.
unsafe fn optional_bytes(pem: *const u8, len: size_t, name: &str) -> Result<Option<Pem>> {
    if pem.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: as promised by the caller.
    let pem = unsafe { bytes(pem, len, name) }?;
    Ok(Some(Pem::Bytes(pem.to_vec())))
}

/// A path that may be NULL.
///
/// # Safety
///
/// NULL, or a NUL-terminated string.
unsafe fn optional_file(path: *const c_char, name: &str) -> Result<Option<Pem>> {
    if path.is_null() {
        return Ok(None);
    }
    // SAFETY: as promised by the caller.
    unsafe { file_path(path, name) }.map(|path| Some(Pem::File(path)))
}

/// Sets which certificate authorities are trusted: one of oss_callback_root_certificates. A library built
/// without TLS refuses it. Default: OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC. The environment variables
/// SSL_CERT_FILE and SSL_CERT_DIR are ignored.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_root_certificates(
    options: Option<&mut oss_callback_client_options>,
    root_certificates: u32,
) {
    let known = || known_roots(root_certificates).map(Some);
    set_tls(options, "root_certificates", known, |tls| &mut tls.roots)
}

/// Sets certificates, `pem_len` bytes of PEM, that are trusted in addition to the others, or alone with
/// OSS_CALLBACK_ROOT_CERTIFICATES_NONE: those of authorities, or of the server itself. If the endpoint is
/// https, oss_callback_client_new refuses a bundle without a certificate, or with one that cannot be read. Of
/// OpenSSL's TRUSTED CERTIFICATE, one whose settings do not trust it with TLS servers is skipped. A library
/// built without TLS refuses any bundle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_ca_bundle(
    options: Option<&mut oss_callback_client_options>,
    pem: *const u8,
    pem_len: size_t,
) {
    let bundle = || {
        if pem.is_null() {
            return Err(is_null("pem"));
        }
        // SAFETY: not NULL, and readable bytes.
        unsafe { optional_bytes(pem, pem_len, "pem") }
    };
    set_tls(options, "pem", bundle, |tls| &mut tls.bundle)
}

/// As oss_callback_client_options_set_ca_bundle, in its place, from a file of at most 16 MiB, which
/// oss_callback_client_new reads. NULL takes the bundle away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_ca_bundle_file(
    options: Option<&mut oss_callback_client_options>,
    path: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    let bundle = || unsafe { optional_file(path, "path") };
    set_tls(options, "path", bundle, |tls| &mut tls.bundle)
}

/// Sets the certificate that the client shows to a server which asks for one, and its private key, both in
/// PEM. `client_certificate` begins with the client's own certificate; those of the authorities between it
/// and the one that the server knows follow. `client_key` is not encrypted: PKCS #8 (PRIVATE KEY), PKCS #1
/// (RSA PRIVATE KEY) or SEC1 (EC PRIVATE KEY), of RSA with 2048 bits or more, ECDSA P-256 or P-384, or
/// Ed25519. Both may be one text. If both are NULL, there is none, which is the default. If the endpoint is
/// https, oss_callback_client_new refuses a key that does not fit. The key never appears in messages. A
/// library built without TLS refuses any certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_client_certificate(
    options: Option<&mut oss_callback_client_options>,
    client_certificate: *const u8,
    client_certificate_len: size_t,
    client_key: *const u8,
    client_key_len: size_t,
) {
    let name = "client_certificate";
    let both = || {
        // SAFETY: NULL only with length 0, otherwise readable bytes.
        let certificate =
            unsafe { optional_bytes(client_certificate, client_certificate_len, name) }?;
        // SAFETY: the same.
        let key = unsafe { optional_bytes(client_key, client_key_len, "client_key") }?;
        pair(certificate, key)
    };
    set_tls(options, name, both, |tls| &mut tls.client_certificate)
}

/// As oss_callback_client_options_set_client_certificate, in its place, from files of at most 16 MiB, which
/// oss_callback_client_new reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_client_certificate_files(
    options: Option<&mut oss_callback_client_options>,
    client_certificate: *const c_char,
    client_key: *const c_char,
) {
    let name = "client_certificate";
    let both = || {
        // SAFETY: NULL or NUL-terminated strings.
        let certificate = unsafe { optional_file(client_certificate, name) }?;
        // SAFETY: the same.
        let key = unsafe { optional_file(client_key, "client_key") }?;
        pair(certificate, key)
    };
    set_tls(options, name, both, |tls| &mut tls.client_certificate)
}

fn known_roots(number: u32) -> Result<oss_callback_root_certificates> {
    use oss_callback_root_certificates::{Automatic, Bundled, None, System};

    let mut all = [Automatic, System, Bundled, None].into_iter();
    all.find(|roots| *roots as u32 == number).ok_or_else(|| {
        Error::argument(format!(
            "`root_certificates` {number} is not one of oss_callback_root_certificates"
        ))
    })
}
