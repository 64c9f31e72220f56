//! Pointers into references, and handles out.

use std::ffi::CStr;
use std::path::PathBuf;
use std::ptr;

use libc::{c_char, size_t};

use super::unwind::look;
use crate::{Error, Result};

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

/// Lends bytes with their length; nothing is NULL and 0. What is empty stands at a real address all the same: Go's
/// garbage collector ends the program when it finds the number that an empty Rust slice has for one.
///
/// # Safety
///
/// `len` is NULL or valid for a write.
pub(super) unsafe fn lend(bytes: Option<&[u8]>, len: *mut size_t) -> *const u8 {
    if !len.is_null() {
        // SAFETY: not NULL, and valid as promised by the caller.
        unsafe { len.write(bytes.map_or(0, <[u8]>::len)) };
    }
    match bytes {
        Some([]) => c"".as_ptr().cast(),
        Some(bytes) => bytes.as_ptr(),
        None => ptr::null(),
    }
}

fn is_null(name: &str) -> Error {
    Error::argument(format!("`{name}` is NULL"))
}
