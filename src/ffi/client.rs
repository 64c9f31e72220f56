//! The client and its options.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::credentials::key_pair;
use super::error::oss_callback_error;
use super::guard::guard;
use super::limits::milliseconds;
use super::options::Options;
use super::pointers::{bytes, free, make, optional_text, required, text};
use crate::{Client, ClientBuilder, Credentials, Error, Result, RetryPolicy, SignatureVersion};

/// Everything a client can be told; only the endpoint and the credentials must be. Setters copy what they
/// get and return nothing: the first fault is kept and reported by oss_callback_client_new. Not safe to
/// share between threads while it changes.
pub struct oss_callback_client_options {
    options: Options<Settings>,
}

/// A builder, and beside it what a setter may take away again.
#[derive(Default)]
pub(super) struct Settings {
    builder: ClientBuilder,
    endpoint: Option<String>,
    region: Option<String>,
    user_agent: Option<String>,
    proxy: Option<String>,
    pub(super) credentials: Option<Credentials>,
    retry: RetryPolicy,
    /// What was added for each host name.
    addresses: HashMap<String, Vec<SocketAddr>>,
}

impl Settings {
    fn build(&self) -> Result<Client> {
        let mut builder = self.builder.clone().retry_policy(self.retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(user_agent) = &self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        for (host, addresses) in &self.addresses {
            builder = builder.resolve(host, addresses.clone());
        }
        builder.build()
    }
}

/// Which certificate authorities a client trusts, besides those of
/// oss_callback_client_options_set_ca_bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_root_certificates {
    /// The system's, if it has any, otherwise Mozilla's as bundled with this library.
    Automatic = 0,
    /// The system's; it is an error if there are none.
    System = 1,
    /// Mozilla's, as bundled with this library.
    Bundled = 2,
    /// None but those of the CA bundle.
    None = 3,
}

/// A connection to OSS, or to a server that speaks its protocol. It does not change and may be used from
/// many threads at once; one of them frees it, when no call uses it any more. It may also be used in the
/// child of a fork, which opens connections of its own and frees the client as the parent does.
pub struct oss_callback_client {
    pub(super) client: Client,
}

/// Runs a setter.
pub(super) fn set(
    options: Option<&mut oss_callback_client_options>,
    setter: impl FnOnce(&mut Settings) -> Result<()>,
) {
    if let Some(options) = options {
        options.options.set(setter);
    }
}

/// Runs a setter of the builder that can fail.
fn try_build(
    options: Option<&mut oss_callback_client_options>,
    setter: impl FnOnce(ClientBuilder) -> Result<ClientBuilder>,
) {
    set(options, |settings| {
        settings.builder = setter(settings.builder.clone())?;
        Ok(())
    });
}

/// Runs a setter of the builder.
fn build(
    options: Option<&mut oss_callback_client_options>,
    setter: impl FnOnce(ClientBuilder) -> ClientBuilder,
) {
    try_build(options, |builder| Ok(setter(builder)));
}

/// Changes one thing of the retry policy.
fn retry(
    options: Option<&mut oss_callback_client_options>,
    change: impl FnOnce(RetryPolicy) -> RetryPolicy,
) {
    set(options, |settings| {
        settings.retry = change(settings.retry);
        Ok(())
    });
}

/// Sets a text, or takes it away for NULL.
///
/// # Safety
///
/// NULL, or a NUL-terminated string.
unsafe fn set_text(
    options: Option<&mut oss_callback_client_options>,
    value: *const c_char,
    name: &str,
    field: impl FnOnce(&mut Settings) -> &mut Option<String>,
) {
    set(options, |settings| {
        // SAFETY: as promised by the caller.
        *field(settings) = unsafe { optional_text(value, name) }?.map(str::to_owned);
        Ok(())
    });
}

/// Makes options with the defaults. Free them with oss_callback_client_options_free; a client does not
/// need them any more once it is made.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_new(
    options: Option<&mut MaybeUninit<*mut oss_callback_client_options>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_client_options {
                options: Options::new(),
            })
        };
        make(options, "options", new)
    })
}

/// The server: "https://oss-cn-hangzhou.aliyuncs.com", with a port if need be; https without a scheme.
/// Required. An IP address means path style, http://127.0.0.1:9000/bucket/object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_endpoint(
    options: Option<&mut oss_callback_client_options>,
    endpoint: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(options, endpoint, "endpoint", |settings| {
            &mut settings.endpoint
        })
    }
}

/// The region, "cn-hangzhou" or "oss-cn-hangzhou". Read from a standard endpoint when not given; signature
/// version 4 needs one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_region(
    options: Option<&mut oss_callback_client_options>,
    region: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe { set_text(options, region, "region", |settings| &mut settings.region) }
}

/// An access key pair: of a RAM user, then `security_token` is NULL, or of a role with the token that STS
/// gave. No secret ever appears in a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials(
    options: Option<&mut oss_callback_client_options>,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL or NUL-terminated strings.
        settings.credentials =
            unsafe { key_pair(access_key_id, access_key_secret, security_token) }?;
        Ok(())
    });
}

/// The key pair of the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
/// OSS_SESSION_TOKEN. Read now; not while another thread changes the environment.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_credentials_from_env(
    options: Option<&mut oss_callback_client_options>,
) {
    set(options, |settings| {
        settings.credentials = Some(Credentials::from_env()?);
        Ok(())
    });
}

/// Nobody: requests are not signed. Only a bucket that is open to everyone accepts them, and OSS delivers
/// no callback for them.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_credentials_anonymous(
    options: Option<&mut oss_callback_client_options>,
) {
    set(options, |settings| {
        settings.credentials = Some(Credentials::anonymous());
        Ok(())
    });
}

/// The version of the signature: 4 (default) or 1.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_signature_version(
    options: Option<&mut oss_callback_client_options>,
    version: u32,
) {
    try_build(options, |builder| match version {
        1 => Ok(builder.signature_version(SignatureVersion::V1)),
        4 => Ok(builder.signature_version(SignatureVersion::V4)),
        other => Err(Error::argument(format!(
            "`version` {other} is neither 1 nor 4"
        ))),
    });
}

/// The endpoint is a custom domain that is bound to one bucket, which URLs then do not name. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_cname(
    options: Option<&mut oss_callback_client_options>,
    cname: bool,
) {
    build(options, |builder| builder.cname(cname))
}

/// URLs name the bucket in the path, not in the host. OSS itself refuses that on its standard endpoints; it
/// serves other servers that are reached by a name, such as localhost. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_path_style(
    options: Option<&mut oss_callback_client_options>,
    path_style: bool,
) {
    build(options, |builder| builder.path_style(path_style))
}

/// The User-Agent of requests, printable ASCII. Default: "oss-callback/" and the version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_user_agent(
    options: Option<&mut oss_callback_client_options>,
    user_agent: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(options, user_agent, "user_agent", |settings| {
            &mut settings.user_agent
        })
    }
}

/// Time for finding the server's address, and time for connecting, TLS included. Default: 10000 ms each.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.connect_timeout(milliseconds(timeout_ms))
    });
}

/// Time from the last byte sent until OSS answers, and then again for the answer's body. Default: 30000 ms.
/// With a callback 5000 ms are added for each of its URLs, since OSS is silent while it waits for the
/// application server; a spec that was made elsewhere counts as five URLs.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.answer_timeout(milliseconds(timeout_ms))
    });
}

/// The longest time without progress while a body is sent or received; less than 1 KiB in that time is none.
/// Default: 30000 ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Time for an operation as a whole, all its attempts included. Default: no limit.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| builder.timeout(milliseconds(timeout_ms)))
}

/// Bytes of an answer's body that are read; more is an error. Default: 4 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_answer_len(
    options: Option<&mut oss_callback_client_options>,
    max_answer_len: size_t,
) {
    build(options, |builder| builder.max_answer_len(max_answer_len))
}

/// Sets how often an operation is tried, the first attempt included: 1 means once. Default:
/// OSS_CALLBACK_DEFAULT_MAX_ATTEMPTS. See oss_callback_put_options_set_max_attempts.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_attempts(
    options: Option<&mut oss_callback_client_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Sets the longest delay before the second attempt; it doubles with each further one. Default:
/// OSS_CALLBACK_DEFAULT_RETRY_BASE_DELAY_MS.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_client_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Sets the longest delay between two attempts. Default: OSS_CALLBACK_DEFAULT_RETRY_MAX_DELAY_MS.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_client_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// An HTTP proxy, "http://user:password@proxy.example.com:3128", through which all requests go, plain ones
/// too, in a tunnel (CONNECT). Default: none; the environment is not asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_proxy(
    options: Option<&mut oss_callback_client_options>,
    url: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe { set_text(options, url, "url", |settings| &mut settings.proxy) }
}

/// Adds an address to use for a host name in place of the system's, for tests and split networks: an IP
/// address with a port, "127.0.0.1:443"; one of version 6 stands in brackets. Several are tried in their order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_add_address(
    options: Option<&mut oss_callback_client_options>,
    host: *const c_char,
    address: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL or NUL-terminated strings.
        let (host, address) = unsafe { (text(host, "host")?, text(address, "address")?) };
        let parsed = address.parse().map_err(|_| {
            Error::argument(format!(
                "`address` {address:?} is not an IP address with a port, such as 127.0.0.1:443"
            ))
        })?;
        let of_host = settings.addresses.entry(host.to_ascii_lowercase());
        of_host.or_default().push(parsed);
        Ok(())
    });
}

/// Connections that are kept open between requests. Default: 64.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_idle_connections(
    options: Option<&mut oss_callback_client_options>,
    max_idle_connections: size_t,
) {
    build(options, |builder| {
        builder.max_idle_connections(max_idle_connections)
    })
}

/// How long a connection is kept open between requests. Default: 15000 ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_idle_time_ms(
    options: Option<&mut oss_callback_client_options>,
    max_idle_time_ms: u64,
) {
    build(options, |builder| {
        builder.max_idle_time(milliseconds(max_idle_time_ms))
    });
}

/// Which certificate authorities are trusted: one of oss_callback_root_certificates. A library that was built
/// without TLS refuses it. Default: OSS_CALLBACK_ROOT_CERTIFICATES_AUTOMATIC.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_root_certificates(
    options: Option<&mut oss_callback_client_options>,
    root_certificates: u32,
) {
    try_build(options, |builder| trust(builder, root_certificates))
}

/// Certificate authorities in PEM, `pem_len` bytes, that are trusted besides, or alone with
/// OSS_CALLBACK_ROOT_CERTIFICATES_NONE; an earlier bundle is replaced. A bundle without a certificate is
/// refused when the endpoint is https, and any bundle by a library that was built without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_ca_bundle(
    options: Option<&mut oss_callback_client_options>,
    pem: *const u8,
    pem_len: size_t,
) {
    try_build(options, |builder| {
        if pem.is_null() {
            return Err(Error::argument("`pem` is NULL"));
        }
        // SAFETY: NULL only with length 0, otherwise readable bytes.
        add_ca_bundle(builder, unsafe { bytes(pem, pem_len, "pem") }?)
    });
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_free(
    options: Option<Box<oss_callback_client_options>>,
) {
    free(options);
}

/// Checks the options and makes a client; nothing is sent yet. On success `*client` is a new handle: free it
/// with oss_callback_client_free. OSS_CALLBACK_CODE_INVALID_ARGUMENT names in `*error` what is missing or
/// wrong. The options may be used again.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_new(
    options: Option<&oss_callback_client_options>,
    client: Option<&mut MaybeUninit<*mut oss_callback_client>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let options = required(options, "options")?;
        let new = || {
            Ok(oss_callback_client {
                client: options.options.values()?.build()?,
            })
        };
        make(client, "client", new)
    })
}

/// Frees a client. NULL does nothing. No call may use the client any more.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_free(client: Option<Box<oss_callback_client>>) {
    free(client);
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
