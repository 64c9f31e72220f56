//! The client and its options.

use std::mem::MaybeUninit;
use std::net::SocketAddr;

use libc::{c_char, size_t};

use super::client_addresses::ip_address;
use super::code::oss_callback_code;
use super::credentials::key_pair;
use super::error::oss_callback_error;
use super::guard::guard;
use super::limits::milliseconds;
use super::options::Options;
use super::pointers::{free, make, optional_text, required, text};
use super::tls::Tls;
use super::unwind::look;
use crate::{Client, ClientBuilder, Credentials, Error, Result, RetryPolicy, SignatureVersion};

/// The settings of a client. Only the endpoint and the credentials are required. The first error is
/// reported by oss_callback_client_new. Not safe to share between threads while it changes.
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
    pub(super) proxy: Option<String>,
    pub(super) local_address: Option<String>,
    pub(super) network_interface: Option<String>,
    pub(super) credentials: Option<Credentials>,
    retry: RetryPolicy,
    /// What was added for each host name.
    pub(super) addresses: Vec<(String, Vec<SocketAddr>)>,
    pub(super) tls: Tls,
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
        if let Some(address) = &self.local_address {
            builder = builder.local_address(ip_address(address)?);
        }
        if let Some(name) = &self.network_interface {
            builder = builder.network_interface(name);
        }
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        for (host, addresses) in &self.addresses {
            builder = builder.resolve(host, addresses.clone());
        }
        self.tls.apply(builder).build()
    }
}

/// A client of OSS, or of a server that speaks its protocol. Immutable: many threads may use it at once;
/// one thread frees it when no call uses it any more.
pub struct oss_callback_client {
    pub(super) client: Client,
}

/// The arguments of an operation on an object.
///
/// # Safety
///
/// The texts are NULL or NUL-terminated strings.
pub(super) unsafe fn of_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
) -> Result<(&Client, &str, &str)> {
    let client = required(client, "client")?;
    // SAFETY: as promised by the caller; NULL is refused.
    let (bucket, object) = unsafe { (text(bucket, "bucket")?, text(object, "object")?) };
    Ok((&client.client, bucket, object))
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

/// Sets the credentials, or takes them away.
///
/// What is replaced may have a destroy hook, which may come back with the same options: so it runs when
/// nothing here refers to them any more.
///
/// # Safety
///
/// The pointer is NULL, or leads to live options that no other thread uses meanwhile.
pub(super) unsafe fn replace_credentials(
    options: *mut oss_callback_client_options,
    new: Box<dyn FnOnce() -> Result<Option<Credentials>> + '_>,
) {
    let replaced = look(None, || {
        let new = new();
        let mut replaced = None;
        // SAFETY: as promised by the caller.
        set(unsafe { options.as_mut() }, |settings| {
            replaced = std::mem::replace(&mut settings.credentials, new?);
            Ok(())
        });
        replaced
    });
    look((), || drop(replaced));
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
pub(super) fn build(
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
pub(super) unsafe fn set_text(
    options: Option<&mut oss_callback_client_options>,
    value: *const c_char,
    name: &str,
    field: fn(&mut Settings) -> &mut Option<String>,
) {
    set(options, |settings| {
        // SAFETY: as promised by the caller.
        *field(settings) = unsafe { optional_text(value, name) }?.map(str::to_owned);
        Ok(())
    });
}

/// Makes options with the defaults. Free them with oss_callback_client_options_free; clients keep a copy.
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

/// Sets the server, such as "https://oss-cn-hangzhou.aliyuncs.com", with a port if needed. Without a
/// scheme, https is used. With an IP address, URLs name the bucket in the path:
/// http://127.0.0.1:9000/bucket/object.
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

/// Sets the region, "cn-hangzhou" or "oss-cn-hangzhou". Default: that of a standard endpoint. Required for
/// signature version 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_region(
    options: Option<&mut oss_callback_client_options>,
    region: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe { set_text(options, region, "region", |settings| &mut settings.region) }
}

/// Sets an access key pair. `security_token` is NULL for a RAM user; for a role, it is the token from STS.
/// If both id and secret are NULL, the client has no credentials. Secrets never appear in messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials(
    options: *mut oss_callback_client_options,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        replace_credentials(
            options,
            Box::new(|| key_pair(access_key_id, access_key_secret, security_token)),
        );
    }
}

/// Sets the key pair from the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
/// OSS_SESSION_TOKEN. They are read during this call; no other thread may change the environment meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials_from_env(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or live options.
    unsafe { replace_credentials(options, Box::new(|| Credentials::from_env().map(Some))) };
}

/// Makes the client send unsigned requests. Only a bucket that is open to everyone accepts them, and OSS
/// delivers no callback for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials_anonymous(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or live options.
    unsafe { replace_credentials(options, Box::new(|| Ok(Some(Credentials::anonymous())))) };
}

/// Sets the signature version: 4 (default) or 1.
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

/// Sets whether the endpoint is a custom domain bound to one bucket. URLs then do not name the bucket.
/// Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_cname(
    options: Option<&mut oss_callback_client_options>,
    cname: bool,
) {
    build(options, |builder| builder.cname(cname))
}

/// Sets whether URLs name the bucket in the path, not in the host. OSS refuses this on its standard
/// endpoints: use it for other servers that are reached by a name, such as localhost. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_path_style(
    options: Option<&mut oss_callback_client_options>,
    path_style: bool,
) {
    build(options, |builder| builder.path_style(path_style))
}

/// Sets the User-Agent of requests, in printable ASCII. Default: "oss-callback/" and the version.
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

/// Limits the time to resolve the server's name, and the time to connect, TLS included. Default: 10000 ms
/// each. 0 is refused. If the name has several addresses, the next one is tried after 250 ms, or at once
/// when one refuses.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.connect_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
/// 30000 ms each. 0 is refused. It does not begin while sent bytes are still leaving this machine. A
/// callback adds 5000 ms for each of its URLs, because OSS is silent while it waits for the application
/// server; a spec made from Base64 or JSON counts as five URLs.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.answer_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time without progress while a body leaves this machine or is received. Less than 1 KiB in that
/// time counts as no progress. Default: 30000 ms. 0 is refused.
///
/// On Linux and Android a byte has left, and counts as sent, once the next machine has acknowledged it: the
/// server, or a proxy, behind which the library does not see. Other systems do not tell: there a byte counts
/// once the system has taken it, and the limit of oss_callback_client_options_set_answer_timeout_ms must
/// leave time for what a slow line has not carried by then.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| {
        builder.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time for an operation with all its attempts. Default: no limit. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_timeout_ms(
    options: Option<&mut oss_callback_client_options>,
    timeout_ms: u64,
) {
    build(options, |builder| builder.timeout(milliseconds(timeout_ms)))
}

/// Limits the length of an answer's body, in bytes; a longer one is an error. Default: 4 MiB. Downloads are
/// not limited.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_answer_len(
    options: Option<&mut oss_callback_client_options>,
    max_answer_len: size_t,
) {
    build(options, |builder| builder.max_answer_len(max_answer_len))
}

/// Sets how many times an operation is tried, the first attempt included. Default: 3. See
/// oss_callback_put_options_set_max_attempts.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_attempts(
    options: Option<&mut oss_callback_client_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Sets the longest delay before the second attempt; it doubles with each further one. Default: 200 ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_client_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Sets the longest delay between two attempts. Default: 20000 ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_client_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// Sets how many connections are kept open between requests. Default: 64.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_idle_connections(
    options: Option<&mut oss_callback_client_options>,
    max_idle_connections: size_t,
) {
    build(options, |builder| {
        builder.max_idle_connections(max_idle_connections)
    })
}

/// Sets how long a connection is kept open between requests. Default: 15000 ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_set_max_idle_time_ms(
    options: Option<&mut oss_callback_client_options>,
    max_idle_time_ms: u64,
) {
    build(options, |builder| {
        builder.max_idle_time(milliseconds(max_idle_time_ms))
    });
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_options_free(
    options: Option<Box<oss_callback_client_options>>,
) {
    free(options);
}

/// Checks the options and makes a client. Sends nothing. Free `*client` with oss_callback_client_free. With
/// OSS_CALLBACK_CODE_INVALID_ARGUMENT, `*error` names what is missing or wrong. The options may be used
/// again.
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

/// Frees a client. No call may still be using it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_free(client: Option<Box<oss_callback_client>>) {
    free(client);
}
