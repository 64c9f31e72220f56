//! Pointers into references, and handles out.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::ptr;

use libc::{c_char, size_t};

use super::unwind::look;
use crate::{Error, Result};

/// A place of C's for a result. Its variable may be uninitialised; NULL is `None`.
pub(super) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Looks something up in a handle that may be NULL.
pub(super) fn of<'a, H, T: Copy>(
    handle: Option<&'a H>,
    otherwise: T,
    look_up: impl FnOnce(&'a H) -> T,
) -> T {
    look(otherwise, || handle.map_or(otherwise, look_up))
}

/// A handle that must be given.
pub(super) fn required<'a, T>(handle: Option<&'a T>, name: &str) -> Result<&'a T> {
    handle.ok_or_else(|| is_null(name))
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
pub(super) fn give<T>(out: Out<'_, *mut T>, handle: T) {
    if let Some(out) = out {
        out.write(Box::into_raw(Box::new(handle)));
    }
}

/// Writes a number if there is one and it is wanted, and says whether it did.
pub(super) fn give_number(number: Option<u64>, out: Out<'_, u64>) -> bool {
    match (number, out) {
        (Some(number), Some(out)) => {
            out.write(number);
            true
        }
        _ => false,
    }
}

/// Makes a handle and gives it out; unlike an optional output, here it must be wanted.
pub(super) fn make<T>(
    out: Out<'_, *mut T>,
    name: &str,
    new: impl FnOnce() -> Result<T>,
) -> Result<()> {
    if out.is_none() {
        return Err(is_null(name));
    }
    give(out, new()?);
    Ok(())
}

/// Drops a handle that C has given back. NULL is fine.
pub(super) fn free<T>(handle: Option<Box<T>>) {
    look((), || drop(handle));
}

/// Lends bytes with their length; nothing is NULL and 0. What is empty stands at a real address all the same: Go's
/// garbage collector ends the program when it finds the number that an empty Rust slice has for one.
pub(super) fn lend(bytes: Option<&[u8]>, len: Out<'_, size_t>) -> *const u8 {
    if let Some(len) = len {
        len.write(bytes.map_or(0, <[u8]>::len));
    }
    match bytes {
        Some([]) => c"".as_ptr().cast(),
        Some(bytes) => bytes.as_ptr(),
        None => ptr::null(),
    }
}

pub(super) fn is_null(name: &str) -> Error {
    Error::argument(format!("`{name}` is NULL"))
}
