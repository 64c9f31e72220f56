//! The list of the parts of a multipart upload.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::pointers::{free, give_number, make, of, required, text};
use super::text::{borrowed, c_string};
use crate::Part;

/// Parts that OSS has, sorted by number: plain values that can be kept and sent elsewhere. Many threads may
/// add parts to a list, or upload parts into it, at once; one thread frees it. What is borrowed from a list
/// is valid only until a part is added or the list is freed.
pub struct oss_callback_parts {
    /// By number, each once.
    parts: Mutex<Vec<Entry>>,
}

struct Entry {
    part: Part,
    etag: CString,
    json: CString,
}

impl oss_callback_parts {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let list = oss_callback_parts {
            parts: Mutex::default(),
        };
        for part in parts {
            list.add(part);
        }
        list
    }

    /// Adds a part; it replaces one with the same number.
    pub(super) fn add(&self, part: Part) {
        let entry = Entry {
            etag: c_string(part.etag()),
            json: c_string(part.to_json()),
            part,
        };
        let mut parts = self.lock();
        match parts.binary_search_by_key(&entry.part.number(), |entry| entry.part.number()) {
            Ok(index) => parts[index] = entry,
            Err(index) => parts.insert(index, entry),
        }
    }

    pub(super) fn all(&self) -> Vec<Part> {
        self.lock().iter().map(|entry| entry.part.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks something up in a part of a list that may be NULL.
fn at<T: Copy>(
    parts: Option<&oss_callback_parts>,
    index: size_t,
    otherwise: T,
    look_up: impl FnOnce(&Entry) -> T,
) -> T {
    of(parts, otherwise, |parts| {
        parts.lock().get(index).map_or(otherwise, look_up)
    })
}

/// Makes an empty list. Free it with oss_callback_parts_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_new(
    parts: Option<&mut MaybeUninit<*mut oss_callback_parts>>,
) -> oss_callback_code {
    guard(None, || {
        make(parts, "parts", || Ok(oss_callback_parts::new(Vec::new())))
    })
}

/// Adds a part from values that were kept; it replaces a part with the same number. `size`, in bytes, and
/// `crc64` are NULL if they are unknown. The upload can be completed without them, but then the object's
/// contents are not compared, and after a lost answer it stays unknown whether the object is stored. The
/// number and the ETag are checked on completion. Any thread may call this.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_parts_add(
    parts: *mut oss_callback_parts,
    part_number: u32,
    etag: *const c_char,
    size: Option<&u64>,
    crc64: Option<&u64>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise the caller promises a live list.
        let parts = required(unsafe { parts.as_ref() }, "parts")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let mut part = Part::new(part_number, unsafe { text(etag, "etag") }?);
        if let Some(size) = size {
            part = part.with_size(*size);
        }
        if let Some(crc64) = crc64 {
            part = part.with_crc64(*crc64);
        }
        parts.add(part);
        Ok(())
    })
}

/// Adds a part from the line of JSON that oss_callback_parts_json gave, on this machine or another; it
/// replaces a part with the same number. Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if `json` is not
/// such a line. Any thread may call this.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_parts_add_json(
    parts: *mut oss_callback_parts,
    json: *const c_char,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise the caller promises a live list.
        let parts = required(unsafe { parts.as_ref() }, "parts")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        parts.add(Part::from_json(unsafe { text(json, "json") }?)?);
        Ok(())
    })
}

/// The number of parts. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_len(parts: Option<&oss_callback_parts>) -> size_t {
    of(parts, 0, |parts| parts.lock().len())
}

/// A part's number. `index` starts at 0; 0 if it is out of range. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_number(
    parts: Option<&oss_callback_parts>,
    index: size_t,
) -> u32 {
    at(parts, index, 0, |entry| entry.part.number())
}

/// A part's ETag without its quotes. It is opaque: compare it, do not interpret it. `index` starts at 0;
/// NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_etag(
    parts: Option<&oss_callback_parts>,
    index: size_t,
) -> *const c_char {
    at(parts, index, ptr::null(), |entry| {
        borrowed(Some(&entry.etag))
    })
}

/// Writes a part's size in bytes to `*size`; returns false if it is unknown or `index` is out of range. Any
/// thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_size(
    parts: Option<&oss_callback_parts>,
    index: size_t,
    size: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(at(parts, index, None, |entry| entry.part.size()), size)
}

/// Writes a part's CRC-64 to `*crc64`; returns false if it is unknown or `index` is out of range. Any
/// thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_crc64(
    parts: Option<&oss_callback_parts>,
    index: size_t,
    crc64: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(at(parts, index, None, |entry| entry.part.crc64()), crc64)
}

/// All that is known of a part as one line of JSON, for oss_callback_parts_add_json. `index` starts at 0;
/// NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_json(
    parts: Option<&oss_callback_parts>,
    index: size_t,
) -> *const c_char {
    at(parts, index, ptr::null(), |entry| {
        borrowed(Some(&entry.json))
    })
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_parts_free(parts: Option<Box<oss_callback_parts>>) {
    free(parts);
}
