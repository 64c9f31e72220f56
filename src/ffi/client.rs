//! The client and its options.

use std::time::Duration;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::{free, guard, make, optional_text, required, text};
use super::options::Options;
use crate::{Client, ClientBuilder, Credentials, Error, Result, SignatureVersion};

/// Everything a client can be told; only the endpoint and the credentials must be. Setters copy what they
/// get and return nothing: the first fault is kept and reported by oss_callback_client_new. Not safe to
/// share between threads while it changes.
pub struct oss_callback_client_options {
    options: Options<ClientBuilder>,
}

/// A connection to OSS, or to a server that speaks its protocol. It does not change and may be used from
/// many threads at once; one of them frees it, when no call uses it any more. Create it after fork, not
/// before.
pub struct oss_callback_client {
    pub(super) client: Client,
}

/// Runs a setter over the builder, which the Rust interface passes by value.
///
/// # Safety
///
/// The pointer is NULL or leads to live options that nobody else uses meanwhile.
unsafe fn set(
    options: *mut oss_callback_client_options,
    body: impl FnOnce(ClientBuilder) -> Result<ClientBuilder>,
) {
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.options.replace(body);
    }
}

/// Makes options with the defaults. Free them with oss_callback_client_options_free; a client does not
/// need them any more once it is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_new(
    options: *mut *mut oss_callback_client_options,
) -> oss_callback_code {
    guard(std::ptr::null_mut(), || {
        let new = || {
            Ok(oss_callback_client_options {
                options: Options::new(),
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(options, "options", new) }
    })
}

/// The server: "https://oss-cn-hangzhou.aliyuncs.com", with a port if need be; https without a scheme.
/// Required. An IP address means path style, http://127.0.0.1:9000/bucket/object.
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

/// The region, "cn-hangzhou" or "oss-cn-hangzhou". Read from a standard endpoint when not given; signature
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

/// An access key pair: of a RAM user, then `security_token` is NULL, or of a role with the token that STS
/// gave. No secret ever appears in a message.
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

/// The key pair of the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for a role,
/// OSS_SESSION_TOKEN. Read now; not while another thread changes the environment.
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

/// Nobody: requests are not signed. Only a bucket that is open to everyone accepts them, and OSS delivers
/// no callback for them.
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

/// The version of the signature: 4 (default) or 1.
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

/// The endpoint is a custom domain that is bound to one bucket, which URLs then do not name. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_cname(
    options: *mut oss_callback_client_options,
    cname: bool,
) {
    // SAFETY: NULL or live options.
    unsafe { set(options, |builder| Ok(builder.cname(cname))) }
}

/// URLs name the bucket in the path, not in the host. OSS itself refuses that on its standard endpoints; it
/// serves other servers that are reached by a name, such as localhost. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_path_style(
    options: *mut oss_callback_client_options,
    path_style: bool,
) {
    // SAFETY: NULL or live options.
    unsafe { set(options, |builder| Ok(builder.path_style(path_style))) }
}

/// The User-Agent of requests, printable ASCII. Default: "oss-callback/" and the version.
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

/// Time for finding the server's address, and time for connecting, TLS included. Default: 10000 ms each.
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

/// Time from the last byte sent until OSS answers, and then again for the answer's body. Default: 30000 ms.
/// With a callback 5000 ms are added for each of its URLs, since OSS is silent while it waits for the
/// application server; a spec that was made elsewhere counts as five URLs.
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

/// Time for an operation as a whole. Default: no limit.
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

/// Bytes of an answer's body that are read; more is an error. Default: 4 MiB.
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

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_free(
    options: *mut oss_callback_client_options,
) {
    // SAFETY: NULL or options that were given out and not freed yet.
    unsafe { free(options) };
}

/// Checks the options and makes a client; nothing is sent yet. On success `*client` is a new handle: free it
/// with oss_callback_client_free. OSS_CALLBACK_CODE_INVALID_ARGUMENT names in `*error` what is missing or
/// wrong. The options may be used again.
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

/// Frees a client. NULL does nothing. No call may use the client any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_free(client: *mut oss_callback_client) {
    // SAFETY: NULL or a client that was given out and not freed yet.
    unsafe { free(client) };
}
