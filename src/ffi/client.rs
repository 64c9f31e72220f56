//! The client and its options.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::limits::retry_policy;
use super::options::Options;
use super::pointers::{bytes, free, make, optional_text, required, text};
use crate::{Client, ClientBuilder, Credentials, Error, Result, SignatureVersion};

/// The settings of a client. Only the endpoint and the credentials are required. Setters copy what they get
/// and return nothing: the first error is kept and reported by oss_callback_client_new. Not safe to share
/// between threads while it changes.
pub struct oss_callback_client_options {
    options: Options<ClientBuilder>,
    /// What was added for each host name.
    addresses: HashMap<String, Vec<SocketAddr>>,
}

/// The certificate authorities that a client trusts, in addition to those of
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

/// A client of OSS, or of a server that speaks its protocol. It never changes, and many threads may use it
/// at once; one of them frees it when no call uses it any more. The child of a fork may use it too: it
/// opens its own connections and frees the client as the parent does.
pub struct oss_callback_client {
    pub(super) client: Client,
}

/// Runs a setter over the builder, which the Rust interface passes by value.
///
/// # Safety
///
/// The pointer is NULL or leads to live options that nobody else uses meanwhile.
pub(super) unsafe fn set(
    options: *mut oss_callback_client_options,
    body: impl FnOnce(ClientBuilder) -> Result<ClientBuilder>,
) {
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.options.replace(body);
    }
}

/// Makes options with the defaults. Free them with oss_callback_client_options_free. A client does not need
/// them once it is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_new(
    options: *mut *mut oss_callback_client_options,
) -> oss_callback_code {
    guard(std::ptr::null_mut(), || {
        let new = || {
            Ok(oss_callback_client_options {
                options: Options::new(),
                addresses: HashMap::new(),
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(options, "options", new) }
    })
}

/// Sets the server, such as "https://oss-cn-hangzhou.aliyuncs.com", with a port if needed. Required.
/// Without a scheme, https is used. With an IP address, URLs name the bucket in the path:
/// http://127.0.0.1:9000/bucket/object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_endpoint(
    options: *mut oss_callback_client_options,
    endpoint: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, |builder| {
            Ok(builder.endpoint(text(endpoint, "endpoint")?))
        })
    }
}

/// Sets the region, "cn-hangzhou" or "oss-cn-hangzhou". Default: that of a standard endpoint. Signature
/// version 4 needs one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_region(
    options: *mut oss_callback_client_options,
    region: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, |builder| {
            Ok(builder.region(text(region, "region")?))
        })
    }
}

/// Sets an access key pair. `security_token` is NULL for a RAM user; for a role, it is the token from STS.
/// No secret ever appears in a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials(
    options: *mut oss_callback_client_options,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        set(options, |builder| {
            let credentials = Credentials::new(
                text(access_key_id, "access_key_id")?,
                text(access_key_secret, "access_key_secret")?,
            );
            let token = optional_text(security_token, "security_token")?;
            Ok(builder.credentials(credentials.security_token(token.unwrap_or_default())))
        });
    }
}

/// Sets the key pair from the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
/// OSS_SESSION_TOKEN. They are read now; no other thread may change the environment meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials_from_env(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.credentials(Credentials::from_env()?))
        })
    }
}

/// Makes the client send unsigned requests. Only a bucket that is open to everyone accepts them, and OSS
/// delivers no callback for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials_anonymous(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.credentials(Credentials::anonymous()))
        })
    }
}

/// Sets the signature version: 4 (default) or 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_signature_version(
    options: *mut oss_callback_client_options,
    version: u32,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| match version {
            1 => Ok(builder.signature_version(SignatureVersion::V1)),
            4 => Ok(builder.signature_version(SignatureVersion::V4)),
            other => Err(Error::argument(format!(
                "`version` {other} is neither 1 nor 4"
            ))),
        });
    }
}

/// Sets whether the endpoint is a custom domain bound to one bucket, which URLs then do not name. Default:
/// false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_cname(
    options: *mut oss_callback_client_options,
    cname: bool,
) {
    // SAFETY: NULL or live options.
    unsafe { set(options, |builder| Ok(builder.cname(cname))) }
}

/// Sets whether URLs name the bucket in the path, not in the host. OSS refuses this on its standard
/// endpoints. It is for other servers that are reached by a name, such as localhost. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_path_style(
    options: *mut oss_callback_client_options,
    path_style: bool,
) {
    // SAFETY: NULL or live options.
    unsafe { set(options, |builder| Ok(builder.path_style(path_style))) }
}

/// Sets the User-Agent of requests, in printable ASCII. Default: "oss-callback/" and the version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_user_agent(
    options: *mut oss_callback_client_options,
    user_agent: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, |builder| {
            Ok(builder.user_agent(text(user_agent, "user_agent")?))
        })
    }
}

/// Limits the time to find the server's address, and the time to connect, TLS included. Default: 10000 ms
/// each. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_connect_timeout_ms(
    options: *mut oss_callback_client_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.connect_timeout(Duration::from_millis(timeout_ms)))
        });
    }
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
/// 30000 ms each. 0 is refused. A callback adds 5000 ms for each of its URLs, because OSS is silent while
/// it waits for the application server; a spec made from Base64 or JSON counts as five.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_answer_timeout_ms(
    options: *mut oss_callback_client_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.answer_timeout(Duration::from_millis(timeout_ms)))
        });
    }
}

/// Limits the time without progress while a body is sent or received. Less than 1 KiB in that time counts
/// as no progress. Default: 30000 ms. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_progress_timeout_ms(
    options: *mut oss_callback_client_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.progress_timeout(Duration::from_millis(timeout_ms)))
        });
    }
}

/// Limits the time for an operation with all its attempts. Default: no limit. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_timeout_ms(
    options: *mut oss_callback_client_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.timeout(Duration::from_millis(timeout_ms)))
        })
    }
}

/// Limits the length of an answer's body, in bytes; a longer one is an error. Default: 4 MiB. Downloads are
/// not limited.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_max_answer_len(
    options: *mut oss_callback_client_options,
    max_answer_len: size_t,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(
            options,
            |builder| Ok(builder.max_answer_len(max_answer_len)),
        )
    }
}

/// When operations are tried again: see oss_callback_put_options_set_retry_policy, which has precedence.
/// Default: 3 attempts, delays of at most 200 ms after the first and 20000 ms after any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_retry_policy(
    options: *mut oss_callback_client_options,
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.retry_policy(retry_policy(max_attempts, base_delay_ms, max_delay_ms)))
        });
    }
}

/// Sets an HTTP proxy, such as "http://user:password@proxy.example.com:3128". All requests, including plain
/// http ones, go through it in a tunnel (CONNECT). Default: none; environment variables are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_proxy(
    options: *mut oss_callback_client_options,
    url: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe { set(options, |builder| Ok(builder.proxy(text(url, "url")?))) }
}

/// Adds an address to use for a host name instead of the system's, for tests and split networks. It is an
/// IP address with a port, such as "127.0.0.1:443"; an IPv6 address is in brackets. Several are tried in
/// the order they were added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_add_address(
    options: *mut oss_callback_client_options,
    host: *const c_char,
    address: *const c_char,
) {
    // SAFETY: NULL or live options.
    let Some(handle) = (unsafe { options.as_mut() }) else {
        return;
    };
    let addresses = &mut handle.addresses;
    handle.options.replace(|builder| {
        // SAFETY: NULL or NUL-terminated strings.
        let (host, address) = unsafe { (text(host, "host")?, text(address, "address")?) };
        let parsed = address.parse().map_err(|_| {
            Error::argument(format!(
                "`address` {address:?} is not an IP address with a port, such as 127.0.0.1:443"
            ))
        })?;
        let all = addresses.entry(host.to_ascii_lowercase()).or_default();
        all.push(parsed);
        Ok(builder.resolve(host, all.clone()))
    });
}

/// Sets how many connections are kept open between requests. Default: 64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_max_idle_connections(
    options: *mut oss_callback_client_options,
    max_idle_connections: size_t,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.max_idle_connections(max_idle_connections))
        })
    }
}

/// Sets how long a connection is kept open between requests. Default: 15000 ms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_max_idle_time_ms(
    options: *mut oss_callback_client_options,
    max_idle_time_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |builder| {
            Ok(builder.max_idle_time(Duration::from_millis(max_idle_time_ms)))
        });
    }
}

/// Sets which certificate authorities are trusted: one of oss_callback_root_certificates. A library built
/// without TLS refuses it. Default: OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_root_certificates(
    options: *mut oss_callback_client_options,
    root_certificates: u32,
) {
    // SAFETY: NULL or live options.
    unsafe { set(options, |builder| trust(builder, root_certificates)) }
}

/// Sets certificate authorities, `pem_len` bytes of PEM, that are trusted in addition to the others, or
/// alone with OSS_CALLBACK_ROOT_CERTIFICATES_NONE. Replaces an earlier bundle. A bundle without a
/// certificate is refused if the endpoint is https. A library built without TLS refuses any bundle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_ca_bundle(
    options: *mut oss_callback_client_options,
    pem: *const u8,
    pem_len: size_t,
) {
    // SAFETY: NULL or live options; NULL only with length 0, otherwise readable bytes.
    unsafe {
        set(options, |builder| {
            if pem.is_null() {
                return Err(Error::argument("`pem` is NULL"));
            }
            add_ca_bundle(builder, bytes(pem, pem_len, "pem")?)
        });
    }
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_free(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or options that were given out and not freed yet.
    unsafe { free(options) };
}

/// Checks the options and makes a client. Nothing is sent yet. On success `*client` is a new handle: free
/// it with oss_callback_client_free. With OSS_CALLBACK_CODE_INVALID_ARGUMENT, `*error` names what is
/// missing or wrong. The options may be used again.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_new(
    options: *const oss_callback_client_options,
    client: *mut *mut oss_callback_client,
    error: *mut *mut oss_callback_error,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise the caller promises live options.
        let options = unsafe { required(options, "options") }?;
        let new = || {
            Ok(oss_callback_client {
                client: options.options.values()?.clone().build()?,
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(client, "client", new) }
    })
}

/// Frees a client. NULL does nothing. No call may still be using the client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_free(client: *mut oss_callback_client) {
    // SAFETY: NULL or a client that was given out and not freed yet.
    unsafe { free(client) };
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

#[cfg(feature = "tls")]
fn trust(builder: ClientBuilder, roots: u32) -> Result<ClientBuilder> {
    use crate::RootCertificates;

    Ok(builder.root_certificates(match known_roots(roots)? {
        oss_callback_root_certificates::Automatic => RootCertificates::Automatic,
        oss_callback_root_certificates::System => RootCertificates::System,
        oss_callback_root_certificates::Bundled => RootCertificates::Bundled,
        oss_callback_root_certificates::None => RootCertificates::None,
    }))
}

#[cfg(feature = "tls")]
fn add_ca_bundle(builder: ClientBuilder, pem: &[u8]) -> Result<ClientBuilder> {
    Ok(builder.ca_bundle(pem))
}

#[cfg(not(feature = "tls"))]
fn trust(_: ClientBuilder, roots: u32) -> Result<ClientBuilder> {
    known_roots(roots)?;
    Err(Error::argument(
        "`root_certificates`: this library was built without TLS",
    ))
}

#[cfg(not(feature = "tls"))]
fn add_ca_bundle(_: ClientBuilder, _: &[u8]) -> Result<ClientBuilder> {
    Err(Error::argument("`pem`: this library was built without TLS"))
}
