//! Hooks that give credentials, or sign, for a client.

use std::ffi::{CString, c_int};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use libc::{c_char, c_void, size_t};

use super::client::{oss_callback_client_options, replace_credentials};
use super::limits::time;
use super::options::Options;
use super::pointers::{is_null, optional_text};
use super::unwind::Uncancelled;
use crate::base::process::PerProcess;
use crate::{Credentials, CredentialsProvider, Result, SignatureVersion, Signer, StringToSign};

/// Room for a signature: those of OSS have 28 or 64 bytes.
const SIGNATURE_LEN: usize = 256;

/// What a credentials hook fills in. Valid only while the hook runs. If a setter fails, the hook counts as
/// failed.
pub struct oss_callback_credentials {
    options: Options<Given>,
}

#[derive(Default)]
struct Given {
    key_pair: Option<Credentials>,
    expires: Option<SystemTime>,
}

/// Gives credentials that are valid now: sets a key pair in `credentials`, and when it expires. Returns
/// zero on success. Any other number is a failure, appears in the error's message and ends the operation
/// with OSS_CALLBACK_CODE_CREDENTIALS_FAILED, unless earlier credentials are still valid.
pub type oss_callback_credentials_hook = Option<
    unsafe extern "C" fn(
        credentials: *mut oss_callback_credentials,
        userdata: *mut c_void,
    ) -> c_int,
>;

/// Signs a text. `signature_version` is 4 or 1. `scope` is what a version 4 signature is bound to, such as
/// "20261124/cn-hangzhou/oss/aliyun_v4_request"; it is NULL for version 1. Writes the signature to
/// `signature`, which has room for `signature_len` bytes (at least 256), and returns its length. A NUL at
/// its end is not needed and not counted. A negative number is a failure, appears in the error's message
/// and ends the operation with OSS_CALLBACK_CODE_CREDENTIALS_FAILED.
///
/// A version 4 signature is the HMAC-SHA256 of the text under the key of the scope, in lower-case
/// hexadecimal. That key is HMAC(HMAC(HMAC(HMAC("aliyun_v4" + secret, date), region), "oss"),
/// "aliyun_v4_request"), so a server may hand out a key for the day instead of signing each text. A version
/// 1 signature is the HMAC-SHA1 of the text under the secret, in Base64.
pub type oss_callback_signer_hook = Option<
    unsafe extern "C" fn(
        string_to_sign: *const c_char,
        signature_version: u32,
        scope: *const c_char,
        signature: *mut c_char,
        signature_len: size_t,
        userdata: *mut c_void,
    ) -> i64,
>;

/// Called once, when nothing uses `userdata` any more.
pub type oss_callback_destroy_hook = Option<unsafe extern "C" fn(userdata: *mut c_void)>;

/// Userdata that is ours until it is dropped.
struct Userdata {
    pointer: *mut c_void,
    destroy: oss_callback_destroy_hook,
}

// SAFETY: the pointer is only handed back to hooks, which the header says to be fit for any thread.
unsafe impl Send for Userdata {}
// SAFETY: as above; where two threads must not be in a hook at once, the user of this sees to it.
unsafe impl Sync for Userdata {}

impl Drop for Userdata {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // Options that are NULL drop it outside of every guard.
            let _uncancelled = Uncancelled::begin();
            // SAFETY: the caller of the setter promised a hook for this userdata; it is called once.
            unsafe { destroy(self.pointer) };
        }
    }
}

/// A credentials hook that was given.
struct CredentialsHook {
    hook: unsafe extern "C" fn(*mut oss_callback_credentials, *mut c_void) -> c_int,
    userdata: Userdata,
}

impl CredentialsProvider for CredentialsHook {
    /// Never called by two threads at once, as the trait says.
    fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let mut given = oss_callback_credentials {
            options: Options::new(),
        };
        // SAFETY: the caller of the setter promised a hook for this userdata; the handle lives long enough.
        match unsafe { (self.hook)(&mut given, self.userdata.pointer) } {
            0 => {}
            code => return Err(format!("the hook returned {code}").into()),
        }
        let given = given.options.values()?;
        let Some(credentials) = given.key_pair.clone() else {
            return Err("the hook set no key pair".into());
        };
        Ok(match given.expires {
            Some(time) => credentials.expires_at(time),
            None => credentials,
        })
    }
}

/// A signer hook that was given.
struct SignerHook {
    hook: unsafe extern "C" fn(
        *const c_char,
        u32,
        *const c_char,
        *mut c_char,
        size_t,
        *mut c_void,
    ) -> i64,
    userdata: Userdata,
    /// Held while the hook runs.
    running: PerProcess<Mutex<()>>,
}

impl Signer for SignerHook {
    fn sign(
        &self,
        to_sign: &StringToSign<'_>,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let text = CString::new(to_sign.text)?;
        let scope = to_sign.scope.map(CString::new).transpose()?;
        let version = match to_sign.version {
            SignatureVersion::V1 => 1,
            SignatureVersion::V4 => 4,
        };
        let mut signature = vec![0_u8; SIGNATURE_LEN];
        let running = self.running.get(|_| Mutex::default());
        let running = running.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the caller of the setter promised a hook for this userdata; the texts end with NUL, and the
        // buffer is writable as far as it is long.
        let len = unsafe {
            (self.hook)(
                text.as_ptr(),
                version,
                super::text::borrowed(scope.as_ref()),
                signature.as_mut_ptr().cast(),
                signature.len(),
                self.userdata.pointer,
            )
        };
        drop(running);
        match usize::try_from(len) {
            Ok(len) if len <= signature.len() => signature.truncate(len),
            Ok(len) => {
                let room = signature.len();
                let what = format!("the hook says that it wrote {len} bytes where {room} had room");
                return Err(what.into());
            }
            Err(_) => return Err(format!("the hook returned {len}").into()),
        }
        Ok(String::from_utf8(signature).map_err(|_| "the signature is not UTF-8")?)
    }
}

/// A key pair; none if both halves of it are NULL.
///
/// # Safety
///
/// Each is NULL or a NUL-terminated string.
pub(super) unsafe fn key_pair(
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) -> Result<Option<Credentials>> {
    // SAFETY: as promised by the caller.
    let (id, secret, token) = unsafe {
        (
            optional_text(access_key_id, "access_key_id")?,
            optional_text(access_key_secret, "access_key_secret")?,
            optional_text(security_token, "security_token")?,
        )
    };
    let pair = both_or_none(id, "access_key_id", secret, "access_key_secret")?;
    Ok(pair
        .map(|(id, secret)| Credentials::new(id, secret).security_token(token.unwrap_or_default())))
}

/// One NULL of a pair is a mistake.
fn both_or_none<A, B>(
    first: Option<A>,
    first_name: &str,
    second: Option<B>,
    second_name: &str,
) -> Result<Option<(A, B)>> {
    match (first, second) {
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(is_null(first_name)),
        (Some(_), None) => Err(is_null(second_name)),
    }
}

/// Sets a hook that gives credentials, in place of other credentials. It is called when a request needs
/// credentials and there are none yet, or they expire within 5 minutes (a fifth of their life if that is
/// shorter), or OSS has refused them as expired. If the hook sets no expiry, it is called for each request.
/// A NULL hook leaves the client without credentials.
///
/// The hook runs on any thread that uses the client and on the library's own threads, but never on two at
/// once. Meanwhile other threads use the current credentials if these are still valid; otherwise they wait.
/// The hook may block; time limits and cancellations take effect when it returns. It must not use a client
/// that calls it.
///
/// `userdata` must live as long as the options, the clients made from them, and those clients' multipart
/// uploads. When nothing uses it any more, because these were freed or the options got other credentials,
/// `destroy_hook` is called with it, once, on the thread that freed or changed the last of them. If
/// `options` or `hook` is NULL, it is called at once. `destroy_hook` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_credentials_hook(
    options: *mut oss_callback_client_options,
    hook: oss_callback_credentials_hook,
    userdata: *mut c_void,
    destroy_hook: oss_callback_destroy_hook,
) {
    // Dropped, and so destroyed, if it is not kept.
    let userdata = Userdata {
        pointer: userdata,
        destroy: destroy_hook,
    };
    let provider = |hook| Credentials::provider(CredentialsHook { hook, userdata });
    // SAFETY: NULL or live options.
    unsafe { replace_credentials(options, Box::new(|| Ok(hook.map(provider)))) };
}

/// Sets a hook that signs, in place of other credentials, so that the secret stays elsewhere: on an
/// application server, in a key store. Each request carries `access_key_id` and, for a role,
/// `security_token` (otherwise NULL). What is sent is the same, byte for byte, as with a local secret. If
/// both `access_key_id` and `hook` are NULL, the client has no credentials.
///
/// The hook runs once for each request that is sent. Otherwise the hook, `userdata` and `destroy_hook` are
/// as in oss_callback_client_options_set_credentials_hook.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_options_set_signer_hook(
    options: *mut oss_callback_client_options,
    access_key_id: *const c_char,
    security_token: *const c_char,
    hook: oss_callback_signer_hook,
    userdata: *mut c_void,
    destroy_hook: oss_callback_destroy_hook,
) {
    // Dropped, and so destroyed, if it is not kept.
    let userdata = Userdata {
        pointer: userdata,
        destroy: destroy_hook,
    };
    let signer = || {
        // SAFETY: NULL or NUL-terminated strings.
        let (id, token) = unsafe {
            (
                optional_text(access_key_id, "access_key_id")?,
                optional_text(security_token, "security_token")?,
            )
        };
        let pair = both_or_none(id, "access_key_id", hook, "hook")?;
        Ok(pair.map(|(id, hook)| {
            let signer = SignerHook {
                hook,
                userdata,
                running: PerProcess::default(),
            };
            Credentials::remote(id, signer).security_token(token.unwrap_or_default())
        }))
    };
    // SAFETY: NULL or live options.
    unsafe { replace_credentials(options, Box::new(signer)) };
}

/// Sets the access key pair. `security_token` is NULL for a RAM user; for a role, it is the token from STS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_credentials_set_key_pair(
    credentials: Option<&mut oss_callback_credentials>,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
) {
    if let Some(credentials) = credentials {
        credentials.options.set(|given| {
            // SAFETY: NULL or NUL-terminated strings.
            given.key_pair = unsafe { key_pair(access_key_id, access_key_secret, security_token) }?;
            Ok(())
        });
    }
}

/// Sets when the credentials expire: the time that STS returns, or one counted from this machine's clock,
/// however wrong that is.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_credentials_set_expires_at_s(
    credentials: Option<&mut oss_callback_credentials>,
    expires: u64,
) {
    if let Some(credentials) = credentials {
        credentials.options.set(|given| {
            given.expires = Some(time(expires, "expires")?);
            Ok(())
        });
    }
}
