//! The error handle.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::attempt::{milliseconds, oss_callback_attempt};
use super::code::oss_callback_code;
use super::pointers::{free, lend, of};
use super::receipt::oss_callback_receipt;
use super::text::{Texts, borrowed, c_string};
use super::verdict::{oss_callback_answered, oss_callback_stored};
use crate::Error;

/// A failure and all that is known about it. Free it with oss_callback_error_free. Immutable: any thread
/// may read it; one thread frees it.
pub struct oss_callback_error {
    error: Error,
    message: CString,
    oss_code: Option<CString>,
    oss_message: Option<CString>,
    ec: Option<CString>,
    request_id: Option<CString>,
    host_id: Option<CString>,
    diagnosis: Option<CString>,
    details: Texts,
    headers: Texts,
    receipt: Option<oss_callback_receipt>,
    history: Box<[oss_callback_attempt]>,
    notes: Vec<CString>,
    upload_id: Option<CString>,
}

impl oss_callback_error {
    pub(super) fn new(error: Error) -> Self {
        oss_callback_error {
            message: c_string(error.to_string()),
            oss_code: error.oss_code().map(c_string),
            oss_message: error.oss_message().map(c_string),
            ec: error.ec().map(c_string),
            request_id: error.request_id().map(c_string),
            host_id: error.host_id().map(c_string),
            diagnosis: error.diagnosis().map(c_string),
            details: Texts::new(error.details()),
            headers: Texts::of_headers(error.headers()),
            receipt: error.receipt().cloned().map(oss_callback_receipt::new),
            history: oss_callback_attempt::all(error.history()),
            notes: error.notes().iter().map(c_string).collect(),
            upload_id: error.upload_id().map(c_string),
            error,
        }
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }
}

/// The code that the function returned. OSS_CALLBACK_CODE_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_code(error: Option<&oss_callback_error>) -> oss_callback_code {
    of(error, oss_callback_code::Ok, |error| {
        error.error.kind().into()
    })
}

/// What was tried and what happened: one line without secrets. Empty for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_message(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, c"".as_ptr(), |error| error.message.as_ptr())
}

/// Whether the operation stored the object despite the error. OSS_CALLBACK_STORED_NO for an operation that
/// stores nothing, such as oss_callback_client_head_object. OSS_CALLBACK_STORED_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_stored(
    error: Option<&oss_callback_error>,
) -> oss_callback_stored {
    of(error, oss_callback_stored::Unknown, |error| {
        error.error.stored().into()
    })
}

/// Whether OSS accepted the application server's answer to the callback. OSS_CALLBACK_ANSWERED_UNKNOWN for
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_answered(
    error: Option<&oss_callback_error>,
) -> oss_callback_answered {
    of(error, oss_callback_answered::Unknown, |error| {
        error.error.answered().into()
    })
}

/// What is known of the stored object: its ETag, CRC-64, request id and the application server's answer.
/// NULL unless oss_callback_error_stored returns OSS_CALLBACK_STORED_YES. Borrowed from `error`: do not
/// free it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_receipt(
    error: Option<&oss_callback_error>,
) -> *const oss_callback_receipt {
    of(error, ptr::null(), |error| {
        error.receipt.as_ref().map_or(ptr::null(), ptr::from_ref)
    })
}

/// The HTTP status; 0 if no answer came.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_status(error: Option<&oss_callback_error>) -> u32 {
    of(error, 0, |error| error.error.status().unwrap_or(0).into())
}

/// The code in OSS's error document, such as "NoSuchBucket" or "CallbackFailed"; NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_oss_code(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.oss_code.as_ref())
    })
}

/// The message in OSS's error document; NULL if there is none. After a failed callback it says what the
/// application server did, for example "Error status : 502."
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_oss_message(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.oss_message.as_ref())
    })
}

/// The code for OSS's troubleshooting pages, such as "0007-00000203"; NULL if there is none. OSS may change
/// these codes: show them, do not branch on them.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_ec(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.ec.as_ref()))
}

/// The id by which OSS's support finds the request; NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_request_id(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.request_id.as_ref())
    })
}

/// The host that answered the request, according to OSS; NULL if OSS does not say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_host_id(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.host_id.as_ref()))
}

/// For an error of the callback, the clock, the endpoint or the region, and for an answer that is not OSS's:
/// its usual cause and what to do, in a few sentences. NULL for other errors.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_diagnosis(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.diagnosis.as_ref())
    })
}

/// The number of attempts: at least 1, even if nothing was sent.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_attempts(error: Option<&oss_callback_error>) -> u32 {
    of(error, 0, |error| error.error.attempts())
}

/// The number of attempts before the last one: one less than oss_callback_error_attempts.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_earlier_attempts_len(
    error: Option<&oss_callback_error>,
) -> size_t {
    of(error, 0, |error| error.history.len())
}

/// An attempt before the last one. `index` starts at 0; NULL if it is out of range.
/// oss_callback_error_stored and oss_callback_error_answered take it into account.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_earlier_attempt(
    error: Option<&oss_callback_error>,
    index: size_t,
) -> *const oss_callback_attempt {
    of(error, ptr::null(), |error| {
        error.history.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// The number of notes.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_notes_len(error: Option<&oss_callback_error>) -> size_t {
    of(error, 0, |error| error.notes.len())
}

/// A note in one sentence, from oss_upload_file_with_callback or
/// oss_callback_client_initiate_multipart_upload: that an upload could not be aborted, why one did not
/// resume from its checkpoint, or that OSS may have begun one whose id was lost. `index` starts at 0; NULL
/// if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_note(
    error: Option<&oss_callback_error>,
    index: size_t,
) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.notes.get(index)))
}

/// The id of the multipart upload that oss_upload_file_with_callback left open; otherwise NULL. Resume it
/// with its checkpoint, or abort it with oss_callback_multipart_upload_abort. Until then OSS keeps its
/// parts and bills for them.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_upload_id(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.upload_id.as_ref())
    })
}

/// How long the last attempt waited for the head of the answer after sending the last byte.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_waited_ms(error: Option<&oss_callback_error>) -> u64 {
    of(error, 0, |error| milliseconds(error.error.waited()))
}

/// Another element of OSS's error document by its name, in any letter case, such as "ArgumentName"; NULL if
/// there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_error_detail(
    error: Option<&oss_callback_error>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(error, ptr::null(), |error| error.details.find(name)) }
}

/// A header of OSS's answer by its name, in any letter case; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_error_header(
    error: Option<&oss_callback_error>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(error, ptr::null(), |error| error.headers.find(name)) }
}

/// The body of OSS's answer as it came, up to the client's limit: `*body_len` bytes. `body_len` may be
/// NULL. An empty body is not NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_body(
    error: Option<&oss_callback_error>,
    body_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let body = of(error, None, |error| Some(error.error.body()));
    lend(body, body_len)
}

/// Frees an error.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_free(error: Option<Box<oss_callback_error>>) {
    free(error);
}
