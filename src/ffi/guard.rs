//! Across the boundary: panics into codes, pointers into references, handles out.

use std::any::Any;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

#[cfg(all(unix, not(target_os = "android")))]
use libc::c_int;
use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use crate::{Answered, Error, ErrorKind, Result, Stored};

/// Runs the body of a function that can fail and stores nothing. On failure `*error`, if wanted, becomes
/// a new handle.
pub(super) fn guard(
    error: *mut *mut oss_callback_error,
    body: impl FnOnce() -> Result<()>,
) -> oss_callback_code {
    ended(error, catch(body))
}

/// What follows a body, once for all of them: what is generic here is compiled for every function of the header.
fn ended(
    error: *mut *mut oss_callback_error,
    result: std::thread::Result<Result<()>>,
) -> oss_callback_code {
    let failure = match result {
        Ok(Ok(())) => return oss_callback_code::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => internal(panic.as_ref()),
    };
    fail(error, failure)
}

/// As [`guard`], for an upload: its failures also say what became of the callback, if there is one.
pub(super) fn guard_upload(
    error: *mut *mut oss_callback_error,
    callback: bool,
    body: impl FnOnce() -> Result<()>,
) -> oss_callback_code {
    upload_ended(error, callback, catch(body))
}

fn upload_ended(
    error: *mut *mut oss_callback_error,
    callback: bool,
    result: std::thread::Result<Result<()>>,
) -> oss_callback_code {
    let failure = match result {
        Ok(Ok(())) => return oss_callback_code::Ok,
        // An argument was refused before the upload learned of its callback.
        Ok(Err(failure)) if callback && failure.answered() == Answered::NotRequested => {
            failure.with_verdict(Stored::No, Answered::No)
        }
        Ok(Err(failure)) => failure,
        // It may have come after the last byte was sent, so nothing is claimed.
        Err(panic) => internal(panic.as_ref()).with_verdict(
            Stored::Unknown,
            if callback {
                Answered::Unknown
            } else {
                Answered::NotRequested
            },
        ),
    };
    fail(error, failure)
}

/// Gives a failure out, and says its code.
fn fail(error: *mut *mut oss_callback_error, failure: Error) -> oss_callback_code {
    let code = failure.kind().into();
    look((), || {
        if !error.is_null() {
            // SAFETY: not NULL, and valid for a write, as the caller promises.
            unsafe { give(error, oss_callback_error::new(failure)) };
        }
    });
    code
}

/// Runs the body of a function that only looks something up; a panic gives `otherwise`.
fn look<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch(body).unwrap_or(otherwise)
}

/// The one place where a panic ends, and where every call begins: a thread that is cancelled meanwhile finishes its call
/// first. A build with `--cfg panic_injection` has one in every body that comes here, so
/// that `tests/panics.rs` sees which functions do not.
pub(super) fn catch<T>(body: impl FnOnce() -> T) -> std::thread::Result<T> {
    let _uncancelled = Uncancelled::begin();
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(panic_injection)]
        injection::strike();
        body()
    }))
}

/// As long as it lives, `pthread_cancel` does not end this thread: that would unwind frames of Rust, which aborts the
/// process.
pub(super) struct Uncancelled {
    /// What was there before; `None` if the system could not say.
    #[cfg(all(unix, not(target_os = "android")))]
    before: Option<c_int>,
}

#[cfg(all(unix, not(target_os = "android")))]
mod cancel_state {
    use libc::c_int;

    /// `PTHREAD_CANCEL_DISABLE`, which the crate libc lacks.
    pub(super) const DISABLE: c_int = if cfg!(any(
        target_vendor = "apple",
        target_os = "aix",
        target_os = "hurd"
    )) {
        0
    } else {
        1
    };

    unsafe extern "C" {
        pub(super) fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
}

impl Uncancelled {
    pub(super) fn begin() -> Uncancelled {
        Uncancelled {
            #[cfg(all(unix, not(target_os = "android")))]
            before: {
                let mut before = 0;
                // SAFETY: a state that exists, and a place for the one before.
                let failed = unsafe {
                    cancel_state::pthread_setcancelstate(cancel_state::DISABLE, &mut before)
                };
                (failed == 0).then_some(before)
            },
        }
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl Drop for Uncancelled {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let mut ours = 0;
            // SAFETY: the state that was there before, and a place for ours. It ends no thread by itself: that happens
            // at the next cancellation point of the caller's.
            unsafe { cancel_state::pthread_setcancelstate(before, &mut ours) };
        }
    }
}

#[cfg(panic_injection)]
mod injection {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    static ON: AtomicBool = AtomicBool::new(false);
    static PANICS: AtomicU32 = AtomicU32::new(0);

    pub(super) fn strike() {
        if ON.load(Ordering::SeqCst) {
            PANICS.fetch_add(1, Ordering::SeqCst);
            panic!("injected");
        }
    }

    /// From now on there are panics, or none; says how many there were.
    #[unsafe(no_mangle)]
    extern "C" fn oss_callback_inject_panics(on: bool) -> u32 {
        ON.store(on, Ordering::SeqCst);
        PANICS.load(Ordering::SeqCst)
    }
}

/// Looks something up in a handle that may be NULL.
///
/// # Safety
///
/// The pointer is NULL or leads to a live handle that nobody changes meanwhile.
pub(super) unsafe fn of<'a, H, T: Copy>(
    handle: *const H,
    otherwise: T,
    look_up: impl FnOnce(&'a H) -> T,
) -> T
where
    H: 'a,
{
    look(otherwise, || {
        // SAFETY: as promised by the caller.
        unsafe { handle.as_ref() }.map_or(otherwise, look_up)
    })
}

/// An error for a panic.
fn internal(panic: &(dyn Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(
        ErrorKind::Internal,
        format!("a fault of the library, please report it: {what}"),
    )
}

/// A handle that must be given.
///
/// # Safety
///
/// The pointer is NULL or leads to a live handle that nobody changes meanwhile.
pub(super) unsafe fn required<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: as promised by the caller.
    unsafe { handle.as_ref() }.ok_or_else(|| is_null(name))
}

/// Text that must be given.
///
/// # Safety
///
/// The pointer is NULL or leads to a NUL-terminated string that stays as it is during the call.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: as promised by the caller.
    unsafe { optional_text(text, name) }?.ok_or_else(|| is_null(name))
}

/// Text that may be NULL.
///
/// # Safety
///
/// As [`text`].
pub(super) unsafe fn optional_text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and NUL-terminated as promised by the caller.
    match unsafe { CStr::from_ptr(text) }.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::argument(format!("`{name}` is not UTF-8"))),
    }
}

/// A path as the system has it: any bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
///
/// NULL, or a NUL-terminated string.
pub(super) unsafe fn file_path(path: *const c_char, name: &str) -> Result<PathBuf> {
    if path.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: not NULL, and NUL-terminated as promised by the caller.
    let path = unsafe { CStr::from_ptr(path) };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(std::ffi::OsStr::from_bytes(path.to_bytes()).into())
    }
    #[cfg(not(unix))]
    {
        path.to_str()
            .map(Into::into)
            .map_err(|_| Error::argument(format!("`{name}` is not UTF-8")))
    }
}

/// Bytes; NULL only with length 0.
///
/// # Safety
///
/// The pointer is NULL or leads to `len` bytes that stay as they are during the call.
pub(super) unsafe fn bytes<'a>(bytes: *const u8, len: size_t, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() {
        return Err(Error::argument(format!(
            "`{name}` is NULL, but its length is {len}"
        )));
    }
    if isize::try_from(len).is_err() {
        return Err(Error::argument(format!(
            "`{name}` cannot be {len} bytes long"
        )));
    }
    // SAFETY: not NULL, not longer than an object can be, and readable as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts(bytes, len) })
}

/// Gives a handle to C, which then owns it. NULL means "not wanted".
///
/// # Safety
///
/// The pointer is NULL or valid for a write.
pub(super) unsafe fn give<T>(out: *mut *mut T, handle: T) {
    if !out.is_null() {
        // SAFETY: not NULL, and valid as promised by the caller.
        unsafe { out.write(Box::into_raw(Box::new(handle))) };
    }
}

/// Writes a number if there is one and it is wanted, and says whether it did.
///
/// # Safety
///
/// The pointer is NULL or valid for a write.
pub(super) unsafe fn give_number(number: Option<u64>, out: *mut u64) -> bool {
    // SAFETY: as promised by the caller.
    match (number, unsafe { out.as_mut() }) {
        (Some(number), Some(out)) => {
            *out = number;
            true
        }
        _ => false,
    }
}

/// Makes a handle and gives it out; unlike an optional output, here it must be wanted.
///
/// # Safety
///
/// As [`give`].
pub(super) unsafe fn make<T>(
    out: *mut *mut T,
    name: &str,
    new: impl FnOnce() -> Result<T>,
) -> Result<()> {
    if out.is_null() {
        return Err(is_null(name));
    }
    let handle = new()?;
    // SAFETY: as promised by the caller.
    unsafe { give(out, handle) };
    Ok(())
}

/// Takes a handle back and drops it. NULL is fine.
///
/// # Safety
///
/// The pointer is NULL or came from [`give`] and was not taken back yet.
pub(super) unsafe fn free<T>(handle: *mut T) {
    look((), || {
        if !handle.is_null() {
            // SAFETY: made by `Box::into_raw` in `give`, and owned by the caller until now.
            drop(unsafe { Box::from_raw(handle) });
        }
    });
}

fn is_null(name: &str) -> Error {
    Error::argument(format!("`{name}` is NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict of a function whose body panics.
    fn verdict_of(
        function: impl FnOnce(*mut *mut oss_callback_error) -> oss_callback_code,
    ) -> (Stored, Answered) {
        let mut error = std::ptr::null_mut();
        assert_eq!(function(&mut error), oss_callback_code::Internal);
        // SAFETY: the guard gave a handle, which is taken back once.
        let error = unsafe { Box::from_raw(error) };
        assert!(error.error().to_string().contains("on purpose"));
        (error.error().stored(), error.error().answered())
    }

    #[test]
    fn a_panic_becomes_a_code_and_claims_nothing() {
        let panics = || panic!("on purpose");
        assert_eq!(
            verdict_of(|error| guard(error, panics)),
            (Stored::No, Answered::NotRequested)
        );
        assert_eq!(
            verdict_of(|error| guard_upload(error, false, panics)),
            (Stored::Unknown, Answered::NotRequested)
        );
        assert_eq!(
            verdict_of(|error| guard_upload(error, true, panics)),
            (Stored::Unknown, Answered::Unknown)
        );
        assert_eq!(look(7, || panic!("on purpose")), 7);
    }
}
