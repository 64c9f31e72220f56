//! Sealed variables, and the guard against replays.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::{Duration, UNIX_EPOCH};

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::options::Options;
use super::pointers::{bytes, free, make, of, required, text};
use super::spec::{oss_callback_spec, oss_callback_spec_options};
use super::text::{borrowed, c_string};
use super::verified::{name_of, oss_callback_verified};
use crate::Error;
use crate::callback::{Permission, ReplayGuard, SealedCallback, Sealer, Seen};

/// What an uploader may do: upload one object, given by its name or by a prefix, up to a size, until a
/// time. The first error is reported by oss_callback_sealer_seal. Not safe to share between threads while
/// it changes.
pub struct oss_callback_permission {
    options: Options<Permission>,
}

/// Seals callbacks on the application server, and checks the seals of those that come back.
///
/// A seal proves that the holder of the secret permitted an upload to this bucket and object or prefix, of
/// this size, until this time, with these variables. It does not prove that the upload took place, nor the
/// object's ETag or contents: see oss_callback_verified_confirm. The secret stays on the application
/// server. The uploader gets the finished callback and cannot change anything that is sealed.
///
/// After the last oss_callback_sealer_accept, many threads may use it at once; one thread frees it.
pub struct oss_callback_sealer {
    sealer: Sealer,
}

/// A callback whose upload was permitted: what the seal covers, and nothing else. Immutable: any thread may
/// read it; one thread frees it.
pub struct oss_callback_sealed {
    sealed: SealedCallback,
    bucket: CString,
    object: CString,
    key_id: CString,
    variables: Vec<(String, CString)>,
}

/// Tells new callbacks from repeated ones. It keeps a used permission until its end, whatever the clock was
/// set to meanwhile, so changing the clock cannot make the permission look new. A child of a fork starts
/// with what its parent had seen; after that, neither knows what the other sees. Many threads may use it at
/// once; one thread frees it.
pub struct oss_callback_replay_guard {
    guard: ReplayGuard,
}

/// What a replay guard knows of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_seen {
    /// The callback is new: handle it.
    First = 1,
    /// It is the same callback again, byte for byte: answer as before and do nothing else. OSS itself
    /// delivers a callback twice if an answer comes too late and it tries the next URL.
    Repeated = 2,
    /// It has the same seal as an earlier callback, but another body: refuse it.
    Replayed = 3,
}

/// Makes a permission to upload one object. Set a size and an end, which sealing requires. Free it with
/// oss_callback_permission_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_permission_new_object(
    bucket: *const c_char,
    object: *const c_char,
    permission: Option<&mut MaybeUninit<*mut oss_callback_permission>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise NUL-terminated strings.
        let (bucket, object) = unsafe { (text(bucket, "bucket")?, text(object, "object")?) };
        let new = || {
            Ok(oss_callback_permission {
                options: Options::of(Permission::object(bucket, object)),
            })
        };
        make(permission, "permission", new)
    })
}

/// Like oss_callback_permission_new_object, but for one object whose name begins with `prefix` and is
/// otherwise the uploader's choice. The object may already exist: give each uploader its own prefix.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_permission_new_prefix(
    bucket: *const c_char,
    prefix: *const c_char,
    permission: Option<&mut MaybeUninit<*mut oss_callback_permission>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise NUL-terminated strings.
        let (bucket, prefix) = unsafe { (text(bucket, "bucket")?, text(prefix, "prefix")?) };
        let new = || {
            Ok(oss_callback_permission {
                options: Options::of(Permission::prefix(bucket, prefix)),
            })
        };
        make(permission, "permission", new)
    })
}

/// Runs a setter, which the Rust interface passes by value.
fn set(
    permission: Option<&mut oss_callback_permission>,
    body: impl FnOnce(Permission) -> Permission,
) {
    if let Some(permission) = permission {
        permission.options.replace(|value| Ok(body(value)));
    }
}

/// Sets the largest size in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_permission_set_max_size(
    permission: Option<&mut oss_callback_permission>,
    bytes: u64,
) {
    set(permission, |permission| permission.max_size(bytes));
}

/// Sets the exact size in bytes, instead of a largest size.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_permission_set_exact_size(
    permission: Option<&mut oss_callback_permission>,
    bytes: u64,
) {
    set(permission, |permission| permission.exact_size(bytes));
}

/// Sets when the permission ends, by the application server's clock. The callback must arrive before that,
/// so leave time for the upload.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_permission_set_expires_at_s(
    permission: Option<&mut oss_callback_permission>,
    seconds: u64,
) {
    // One that the system cannot tell has not been thought of, and permits nothing.
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    set(permission, |p| p.expires_at(time.unwrap_or(UNIX_EPOCH)));
}

/// Sets when the permission ends, in seconds from now.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_permission_set_valid_for_s(
    permission: Option<&mut oss_callback_permission>,
    seconds: u64,
) {
    set(permission, |p| p.valid_for(Duration::from_secs(seconds)));
}

/// Frees a permission.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_permission_free(permission: Option<Box<oss_callback_permission>>) {
    free(permission);
}

/// Makes a sealer with a key. `key_id` has 1 to 32 letters, digits, - and _; it is part of every seal and
/// is not secret. `secret` has at least 32 random bytes. Free `*sealer` with oss_callback_sealer_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_sealer_new(
    key_id: *const c_char,
    secret: *const u8,
    secret_len: size_t,
    sealer: Option<&mut MaybeUninit<*mut oss_callback_sealer>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let key_id = unsafe { text(key_id, "key_id") }?;
        // SAFETY: NULL only with length 0; otherwise `secret_len` readable bytes.
        let secret = unsafe { bytes(secret, secret_len, "secret") }?;
        let new = || {
            Ok(oss_callback_sealer {
                sealer: Sealer::new(key_id, secret)?,
            })
        };
        make(sealer, "sealer", new)
    })
}

/// Also accepts the seals of another key, for rotation: the previous key until its seals have expired, or
/// the next key before any server seals with it. No other thread may use the sealer meanwhile.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_sealer_accept(
    sealer: Option<&mut oss_callback_sealer>,
    key_id: *const c_char,
    secret: *const u8,
    secret_len: size_t,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let sealer = sealer.ok_or_else(|| Error::argument("`sealer` is NULL"))?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let key_id = unsafe { text(key_id, "key_id") }?;
        // SAFETY: NULL only with length 0; otherwise `secret_len` readable bytes.
        let secret = unsafe { bytes(secret, secret_len, "secret") }?;
        sealer.sealer = sealer.sealer.clone().accept(key_id, secret)?;
        Ok(())
    })
}

/// Makes a spec from `options` with a seal in the variable x:seal. The spec is for one upload. All
/// variables of the options are sealed.
///
/// The body must carry ${bucket}, ${object}, ${size}, ${x:seal} and every variable, each as a member of
/// that name; a variable's member may omit the x:. Otherwise the function fails with
/// OSS_CALLBACK_CODE_INVALID_CALLBACK and names what is missing. The permission must not have ended. Free
/// `*spec` with oss_callback_spec_free. Give the uploader its oss_callback_spec_callback and
/// oss_callback_spec_callback_var.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealer_seal(
    sealer: Option<&oss_callback_sealer>,
    options: Option<&oss_callback_spec_options>,
    permission: Option<&oss_callback_permission>,
    spec: Option<&mut MaybeUninit<*mut oss_callback_spec>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let sealer = required(sealer, "sealer")?;
        let builder = required(options, "options")?.builder()?.clone();
        let permission = required(permission, "permission")?;
        let permission = permission.options.values()?;
        let new = || {
            Ok(oss_callback_spec::new(
                sealer.sealer.seal(builder, permission)?,
            ))
        };
        make(spec, "spec", new)
    })
}

/// Checks the seal of a verified callback against what its body says, by this machine's clock. Free
/// `*sealed` with oss_callback_sealed_free. The codes 88 to 94 say what is wrong, such as
/// OSS_CALLBACK_CODE_BAD_SEAL.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealer_check(
    sealer: Option<&oss_callback_sealer>,
    verified: Option<&oss_callback_verified>,
    sealed: Option<&mut MaybeUninit<*mut oss_callback_sealed>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let sealer = required(sealer, "sealer")?;
        let verified = required(verified, "verified")?;
        let new = || {
            let sealed = sealer.sealer.check(&verified.verified)?;
            Ok(oss_callback_sealed {
                bucket: c_string(sealed.bucket()),
                object: c_string(sealed.object()),
                key_id: c_string(sealed.key_id()),
                variables: sealed
                    .variables()
                    .map(|(name, value)| (name.to_owned(), c_string(value)))
                    .collect(),
                sealed,
            })
        };
        make(sealed, "sealed", new)
    })
}

/// Frees a sealer. No call may still be using it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealer_free(sealer: Option<Box<oss_callback_sealer>>) {
    free(sealer);
}

/// The bucket.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_bucket(
    sealed: Option<&oss_callback_sealed>,
) -> *const c_char {
    of(sealed, ptr::null(), |sealed| sealed.bucket.as_ptr())
}

/// The object's name: the permitted one, or one that begins with the permitted prefix.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_object(
    sealed: Option<&oss_callback_sealed>,
) -> *const c_char {
    of(sealed, ptr::null(), |sealed| sealed.object.as_ptr())
}

/// The size in bytes that the callback gives, within what was permitted.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_size(sealed: Option<&oss_callback_sealed>) -> u64 {
    of(sealed, 0, |sealed| sealed.sealed.size())
}

/// A sealed variable by its name, with or without "x:"; NULL if it was not sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_sealed_variable(
    sealed: Option<&oss_callback_sealed>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe {
        of(sealed, ptr::null(), |sealed| {
            let name = name_of(name).map(|name| name.strip_prefix("x:").unwrap_or(name));
            let mut variables = sealed.variables.iter();
            let found = name.and_then(|name| variables.find(|(known, _)| known == name));
            borrowed(found.map(|(_, value)| value))
        })
    }
}

/// The id of the key that made the seal.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_key_id(
    sealed: Option<&oss_callback_sealed>,
) -> *const c_char {
    of(sealed, ptr::null(), |sealed| sealed.key_id.as_ptr())
}

/// When the permission ends.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_expires_at_s(sealed: Option<&oss_callback_sealed>) -> u64 {
    of(sealed, 0, |sealed| {
        let since = sealed.sealed.expires().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    })
}

/// 16 random bytes that no other seal has. Several servers can share a database instead of using an
/// oss_callback_replay_guard: keep oss_callback_sealed_body_digest under the nonce until after the
/// permission's end. A callback whose nonce is there with another digest is a replay.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_nonce(sealed: Option<&oss_callback_sealed>) -> *const u8 {
    of(sealed, ptr::null(), |sealed| sealed.sealed.nonce().as_ptr())
}

/// The SHA-256 of the body, 32 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_body_digest(
    sealed: Option<&oss_callback_sealed>,
) -> *const u8 {
    of(sealed, ptr::null(), |sealed| {
        sealed.sealed.body_digest().as_ptr()
    })
}

/// Frees a sealed callback.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_sealed_free(sealed: Option<Box<oss_callback_sealed>>) {
    free(sealed);
}

/// Makes a guard that remembers up to `capacity` permissions that have not ended yet, about 200 bytes each,
/// in this process only. Free it with oss_callback_replay_guard_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_replay_guard_new(
    capacity: size_t,
    replay_guard: Option<&mut MaybeUninit<*mut oss_callback_replay_guard>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_replay_guard {
                guard: ReplayGuard::in_memory(capacity),
            })
        };
        make(replay_guard, "replay_guard", new)
    })
}

/// Looks up a callback, remembers it, and writes what was known of it to `*seen`. If several threads ask
/// about the same callback at once, only one gets OSS_CALLBACK_SEEN_FIRST. Fails with
/// OSS_CALLBACK_CODE_REPLAY_UNKNOWN if the guard is full (it forgets nothing early), or if the
/// permission ended so long ago (more than 5 minutes) that the guard may have forgotten it. If it fails,
/// answer with a 5xx status.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_replay_guard_check(
    replay_guard: Option<&oss_callback_replay_guard>,
    sealed: Option<&oss_callback_sealed>,
    seen: Option<&mut MaybeUninit<oss_callback_seen>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let replay_guard = required(replay_guard, "replay_guard")?;
        let sealed = required(sealed, "sealed")?;
        let seen = seen.ok_or_else(|| Error::argument("`seen` is NULL"))?;
        let known = match replay_guard.guard.check(&sealed.sealed)? {
            Seen::First => oss_callback_seen::First,
            Seen::Repeated => oss_callback_seen::Repeated,
            Seen::Replayed => oss_callback_seen::Replayed,
        };
        seen.write(known);
        Ok(())
    })
}

/// Forgets a callback, so that it counts as OSS_CALLBACK_SEEN_FIRST when it comes again. Call this if
/// handling the callback failed.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_replay_guard_forget(
    replay_guard: Option<&oss_callback_replay_guard>,
    sealed: Option<&oss_callback_sealed>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let replay_guard = required(replay_guard, "replay_guard")?;
        let sealed = required(sealed, "sealed")?;
        replay_guard.guard.forget(&sealed.sealed)
    })
}

/// Frees a guard. No call may still be using it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_replay_guard_free(
    replay_guard: Option<Box<oss_callback_replay_guard>>,
) {
    free(replay_guard);
}
