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

/// A failure, with everything that is known about it. It comes through the last parameter of a function,
/// and is freed with oss_callback_error_free. It does not change: any thread may read it, one frees it.
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

/// What was tried and what happened, in one line of UTF-8 without secrets. Borrowed from `error`; an
/// empty text for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_message(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, c"".as_ptr(), |error| error.message.as_ptr())
}

/// Did the operation store the object all the same? OSS_CALLBACK_STORED_UNKNOWN for NULL. An operation that
/// stores nothing, such as oss_callback_client_head_object, says OSS_CALLBACK_STORED_NO.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_stored(
    error: Option<&oss_callback_error>,
) -> oss_callback_stored {
    of(error, oss_callback_stored::Unknown, |error| {
        error.error.stored().into()
    })
}

/// Did OSS accept the application server's answer? OSS_CALLBACK_ANSWERED_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_answered(
    error: Option<&oss_callback_error>,
) -> oss_callback_answered {
    of(error, oss_callback_answered::Unknown, |error| {
        error.error.answered().into()
    })
}

/// What is known of the stored object: ETag, CRC-64, request id and the application server's answer.
/// Borrowed from `error`, do not free it. NULL unless oss_callback_error_stored says
/// OSS_CALLBACK_STORED_YES.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_receipt(
    error: Option<&oss_callback_error>,
) -> *const oss_callback_receipt {
    of(error, ptr::null(), |error| {
        error.receipt.as_ref().map_or(ptr::null(), ptr::from_ref)
    })
}

/// The HTTP status, or 0 if no answer came.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_status(error: Option<&oss_callback_error>) -> u32 {
    of(error, 0, |error| error.error.status().unwrap_or(0).into())
}

/// The code of OSS's error document, such as "NoSuchBucket" or "CallbackFailed"; NULL if there is none.
/// Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_oss_code(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.oss_code.as_ref())
    })
}

/// The message of OSS's error document; NULL if there is none. For a failed callback it says what the
/// application server did, for example "Error status : 502." Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_oss_message(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.oss_message.as_ref())
    })
}

/// The code of OSS's troubleshooting pages, such as "0007-00000203"; NULL if there is none. OSS may change
/// these codes: show them, do not branch on them. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_ec(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.ec.as_ref()))
}

/// The id under which OSS's support finds the request; NULL if no answer came. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_request_id(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.request_id.as_ref())
    })
}

/// The host that OSS believes to have answered; NULL if it does not say. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_host_id(error: Option<&oss_callback_error>) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.host_id.as_ref()))
}

/// For an error of the callback, and for an answer that is not OSS's: what usually causes it and what to do, in a
/// few sentences; NULL for other errors. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_diagnosis(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.diagnosis.as_ref())
    })
}

/// How often the request was sent: 1 or more, and 1 also when nothing was sent; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_attempts(error: Option<&oss_callback_error>) -> u32 {
    of(error, 0, |error| error.error.attempts())
}

/// How many attempts came before the last one: one fewer than oss_callback_error_attempts says.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_earlier_attempts_len(
    error: Option<&oss_callback_error>,
) -> size_t {
    of(error, 0, |error| error.history.len())
}

/// An attempt that came before the last one: `index` is 0 for the first. NULL when there are not so many.
/// Its verdict is part of the error's already. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_earlier_attempt(
    error: Option<&oss_callback_error>,
    index: size_t,
) -> *const oss_callback_attempt {
    of(error, ptr::null(), |error| {
        error.history.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// How many notes there are; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_notes_len(error: Option<&oss_callback_error>) -> size_t {
    of(error, 0, |error| error.notes.len())
}

/// What else is worth knowing of oss_upload_file_with_callback, in a sentence: that an upload could not be
/// aborted, or why it did not go on where its checkpoint said. `index` is 0 for the first; NULL when there are
/// not so many. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_note(
    error: Option<&oss_callback_error>,
    index: size_t,
) -> *const c_char {
    of(error, ptr::null(), |error| borrowed(error.notes.get(index)))
}

/// The upload in parts that oss_upload_file_with_callback left open, else NULL. Go on with it by its
/// checkpoint, or abort it with oss_callback_multipart_upload_abort; until then OSS keeps, and bills, its
/// parts. Borrowed from `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_upload_id(
    error: Option<&oss_callback_error>,
) -> *const c_char {
    of(error, ptr::null(), |error| {
        borrowed(error.upload_id.as_ref())
    })
}

/// How long the head of the answer was waited for, in milliseconds after the last byte was sent in the last
/// attempt. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_waited_ms(error: Option<&oss_callback_error>) -> u64 {
    of(error, 0, |error| milliseconds(error.error.waited()))
}

/// A further element of OSS's error document by its name, in any case, for example "ArgumentName" or
/// "StringToSign"; NULL if there is none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_error_detail(
    error: Option<&oss_callback_error>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(error, ptr::null(), |error| error.details.find(name)) }
}

/// A header of OSS's answer by its name, in any case; NULL if there is none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_error_header(
    error: Option<&oss_callback_error>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(error, ptr::null(), |error| error.headers.find(name)) }
}

/// The body of OSS's answer as it came, up to the client's limit: `*body_len` bytes, not NUL-terminated.
/// `body_len` may be NULL. Never NULL except for a NULL `error`, whose body has 0 bytes. Borrowed from
/// `error`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_body(
    error: Option<&oss_callback_error>,
    body_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let body = of(error, None, |error| Some(error.error.body()));
    lend(body, body_len)
}

/// Frees an error and everything borrowed from it. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_error_free(error: Option<Box<oss_callback_error>>) {
    free(error);
}
