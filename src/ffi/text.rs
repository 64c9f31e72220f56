//! Text that C borrows from a handle.

use std::ffi::{CStr, CString};
use std::ptr;

use libc::c_char;

use crate::Headers;

/// A copy that ends with NUL. A NUL inside, which neither HTTP nor XML allows, would end it too early
/// and is replaced.
pub(super) fn c_string(text: impl AsRef<[u8]>) -> CString {
    let bytes: Vec<u8> = text
        .as_ref()
        .iter()
        .map(|&byte| if byte == 0 { b'?' } else { byte })
        .collect();
    CString::new(bytes).unwrap_or_default()
}

/// The pointer that C borrows; NULL for nothing.
pub(super) fn borrowed(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// Named texts: headers, or the elements of an error document.
pub(super) struct Texts(Vec<(String, CString)>);

impl Texts {
    pub(super) fn of_headers(headers: &Headers) -> Texts {
        Texts(
            headers
                .iter()
                .map(|(name, value)| (name.to_owned(), c_string(value)))
                .collect(),
        )
    }

    pub(super) fn new<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Texts {
        Texts(
            texts
                .map(|(name, value)| (name.to_owned(), c_string(value)))
                .collect(),
        )
    }

    /// The first with this name, in any case; NULL if there is none, and for NULL.
    ///
    /// # Safety
    ///
    /// The name is NULL or a NUL-terminated string.
    pub(super) unsafe fn find(&self, name: *const c_char) -> *const c_char {
        if name.is_null() {
            return ptr::null();
        }
        // SAFETY: not NULL, and NUL-terminated as promised by the caller.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let found = self
            .0
            .iter()
            .find(|(n, _)| n.as_bytes().eq_ignore_ascii_case(name));
        borrowed(found.map(|(_, text)| text))
    }
}
