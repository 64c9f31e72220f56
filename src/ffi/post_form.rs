//! PostObject forms, signed here or elsewhere.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::UNIX_EPOCH;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::pointers::{free, give_number, make, of, text};
use super::text::{borrowed, c_string};
use crate::PostForm;

/// A signed form: where to post it, and its fields. Treat it like a password. Immutable: any thread may
/// read it; one thread frees it.
pub struct oss_callback_post_form {
    pub(super) form: PostForm,
    url: CString,
    json: CString,
    fields: Vec<(CString, CString)>,
}

impl oss_callback_post_form {
    pub(super) fn new(form: PostForm) -> Self {
        let fields = form.fields().iter();
        oss_callback_post_form {
            url: c_string(form.url()),
            json: c_string(form.to_json()),
            fields: fields
                .map(|(name, value)| (c_string(name), c_string(value)))
                .collect(),
            form,
        }
    }
}

/// Makes a form from the JSON that oss_callback_post_form_json gave, on any machine, or that another
/// program wrote: {"url":"…","fields":[["key","…"],…]}. Free `*post_form` with oss_callback_post_form_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_post_form_new_from_json(
    json: *const c_char,
    post_form: Option<&mut MaybeUninit<*mut oss_callback_post_form>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let json = unsafe { text(json, "json") }?;
        let new = || Ok(oss_callback_post_form::new(PostForm::from_json(json)?));
        make(post_form, "post_form", new)
    })
}

/// The URL to post the form to.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_url(
    post_form: Option<&oss_callback_post_form>,
) -> *const c_char {
    of(post_form, ptr::null(), |form| form.url.as_ptr())
}

/// The form as JSON, for a web page or another machine.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_json(
    post_form: Option<&oss_callback_post_form>,
) -> *const c_char {
    of(post_form, ptr::null(), |form| form.json.as_ptr())
}

/// Writes to `*expires` when the form expires; returns false if the form does not say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_expires_at_s(
    post_form: Option<&oss_callback_post_form>,
    expires: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let seconds = of(post_form, None, |form| {
        let since = form.form.expires()?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    });
    give_number(seconds, expires)
}

/// The number of fields. Send them before the file.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_fields_len(
    post_form: Option<&oss_callback_post_form>,
) -> size_t {
    of(post_form, 0, |form| form.fields.len())
}

/// The name of a field. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_field_name(
    post_form: Option<&oss_callback_post_form>,
    index: size_t,
) -> *const c_char {
    of(post_form, ptr::null(), |form| {
        borrowed(form.fields.get(index).map(|(name, _)| name))
    })
}

/// The value of a field. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_field_value(
    post_form: Option<&oss_callback_post_form>,
    index: size_t,
) -> *const c_char {
    of(post_form, ptr::null(), |form| {
        borrowed(form.fields.get(index).map(|(_, value)| value))
    })
}

/// Frees a form.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_form_free(post_form: Option<Box<oss_callback_post_form>>) {
    free(post_form);
}
