//! The receipt handle.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::attempt::{milliseconds, oss_callback_attempt};
use super::pointers::{free, give, give_number, lend, of};
use super::text::{Texts, borrowed, c_string};
use crate::Receipt;

/// What OSS said about a stored object, and the application server's answer. Free a receipt from an upload
/// with oss_callback_receipt_free; do not free one that is borrowed from an error. Immutable: any thread
/// may read it; one thread frees it.
pub struct oss_callback_receipt {
    receipt: Receipt,
    etag: Option<CString>,
    answer_content_type: Option<CString>,
    headers: Texts,
    history: Box<[oss_callback_attempt]>,
    notes: Vec<CString>,
}

impl oss_callback_receipt {
    pub(super) fn new(receipt: Receipt) -> Self {
        oss_callback_receipt {
            etag: receipt.etag().map(c_string),
            answer_content_type: receipt.answer_content_type().map(c_string),
            headers: Texts::of_headers(receipt.headers()),
            history: oss_callback_attempt::all(receipt.history()),
            notes: receipt.notes().iter().map(c_string).collect(),
            receipt,
        }
    }
}

/// Gives a receipt out unless it is not wanted; then the copies for C are not made either.
pub(super) fn give_receipt(
    out: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    receipt: Receipt,
) {
    if out.is_some() {
        give(out, oss_callback_receipt::new(receipt));
    }
}

/// The HTTP status: 200, or 203 in a receipt of OSS_CALLBACK_CODE_CALLBACK_FAILED. After an upload with a
/// form that has no callback: the status that the form asks for, 204 by default.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_status(receipt: Option<&oss_callback_receipt>) -> u32 {
    of(receipt, 0, |receipt| receipt.receipt.status().into())
}

/// The object's ETag without its quotes, as ${etag} has it in a callback body; NULL if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_etag(
    receipt: Option<&oss_callback_receipt>,
) -> *const c_char {
    of(receipt, ptr::null(), |receipt| {
        borrowed(receipt.etag.as_ref())
    })
}

/// Writes the CRC-64 that OSS computed over the object to `*crc64`; returns false if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_crc64(
    receipt: Option<&oss_callback_receipt>,
    crc64: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(of(receipt, None, |receipt| receipt.receipt.crc64()), crc64)
}

/// The object's version in a bucket with versioning; otherwise NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_version_id(
    receipt: Option<&oss_callback_receipt>,
) -> *const c_char {
    // SAFETY: the name ends with a NUL.
    unsafe {
        of(receipt, ptr::null(), |receipt| {
            receipt.headers.find(c"x-oss-version-id".as_ptr())
        })
    }
}

/// The id by which OSS's support finds the request; the callback carries the same id. NULL if OSS did not
/// give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_request_id(
    receipt: Option<&oss_callback_receipt>,
) -> *const c_char {
    // SAFETY: the name ends with a NUL.
    unsafe {
        of(receipt, ptr::null(), |receipt| {
            receipt.headers.find(c"x-oss-request-id".as_ptr())
        })
    }
}

/// How many times the request was sent until this answer came: at least 1.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_attempts(receipt: Option<&oss_callback_receipt>) -> u32 {
    of(receipt, 0, |receipt| receipt.receipt.attempts())
}

/// The number of attempts before the last one: one less than oss_callback_receipt_attempts.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_earlier_attempts_len(
    receipt: Option<&oss_callback_receipt>,
) -> size_t {
    of(receipt, 0, |receipt| receipt.history.len())
}

/// An attempt before the last one. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_earlier_attempt(
    receipt: Option<&oss_callback_receipt>,
    index: size_t,
) -> *const oss_callback_attempt {
    of(receipt, ptr::null(), |receipt| {
        receipt
            .history
            .get(index)
            .map_or(ptr::null(), ptr::from_ref)
    })
}

/// The number of notes.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_notes_len(receipt: Option<&oss_callback_receipt>) -> size_t {
    of(receipt, 0, |receipt| receipt.notes.len())
}

/// A note in one sentence, from oss_upload_file_with_callback: why an upload did not resume from its
/// checkpoint, that an older one could not be aborted, or that OSS may have begun one whose id was lost.
/// `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_note(
    receipt: Option<&oss_callback_receipt>,
    index: size_t,
) -> *const c_char {
    of(receipt, ptr::null(), |receipt| {
        borrowed(receipt.notes.get(index))
    })
}

/// How long the library waited for the head of the answer after sending the last byte. With a callback this
/// is mostly the application server's time.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_waited_ms(receipt: Option<&oss_callback_receipt>) -> u64 {
    of(receipt, 0, |receipt| milliseconds(receipt.receipt.waited()))
}

/// The application server's answer, byte for byte: `*answer_len` bytes. It is usually JSON, but the library
/// does not check. It is empty (but not NULL) without a callback and after a failed callback, and cut short
/// in a receipt of OSS_CALLBACK_CODE_ANSWER_DAMAGED. `answer_len` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_answer(
    receipt: Option<&oss_callback_receipt>,
    answer_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let answer = of(receipt, None, |receipt| Some(receipt.receipt.answer()));
    lend(answer, answer_len)
}

/// The answer's Content-Type, as the application server gave it; NULL without an answer.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_answer_content_type(
    receipt: Option<&oss_callback_receipt>,
) -> *const c_char {
    of(receipt, ptr::null(), |receipt| {
        borrowed(receipt.answer_content_type.as_ref())
    })
}

/// A header of OSS's answer by its name, in any letter case; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_receipt_header(
    receipt: Option<&oss_callback_receipt>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(receipt, ptr::null(), |receipt| receipt.headers.find(name)) }
}

/// Frees a receipt from an upload. Do not free one that is borrowed from an error.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_receipt_free(receipt: Option<Box<oss_callback_receipt>>) {
    free(receipt);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_bytes_stand_at_a_real_address() {
        let mut len = MaybeUninit::new(7);
        let empty = lend(Some(&[]), Some(&mut len));
        // SAFETY: it had a value from the beginning.
        assert_eq!(unsafe { len.assume_init() }, 0);
        assert!(
            empty as usize >= 4096,
            "{empty:?} is no address of anything"
        );
        assert!(lend(None, Some(&mut len)).is_null());
    }
}
