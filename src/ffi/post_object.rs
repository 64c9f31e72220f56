//! PostObject: an upload by a form.

use std::mem::MaybeUninit;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard_upload;
use super::pointers::{bytes, file_path, optional_text, required};
use super::post_form::oss_callback_post_form;
use super::put_options::{oss_callback_put_options, with_options};
use super::receipt::{give_receipt, oss_callback_receipt};
use crate::{PostObject, Receipt, Result};

/// Like oss_put_object_with_callback, but uploads with a signed form. A callback in it counts like
/// one in a spec.
///
/// `file_name` replaces ${filename} in the object's name; it may be NULL if the form does not ask for it.
/// `content_type` is the object's Content-Type, if the form leaves it to the uploader; NULL means none. The
/// client's credentials are not used, but if the form's URL is https, the client's endpoint must be https
/// too.
///
/// `options` may be NULL. The options that apply are how the body is sent, the progress hook, whether a
/// callback may be repeated, and the limits. The form determines everything else. Content-MD5 is refused.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_post_object_with_form(
    client: Option<&oss_callback_client>,
    post_form: Option<&oss_callback_post_form>,
    body: *const u8,
    body_len: size_t,
    file_name: *const c_char,
    content_type: *const c_char,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    let send = |post: PostObject<'_>| {
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        post.send_bytes(unsafe { bytes(body, body_len, "body") }?)
    };
    // SAFETY: the texts are NULL or NUL-terminated strings.
    unsafe {
        post(
            client,
            post_form,
            file_name,
            content_type,
            options,
            receipt,
            error,
            send,
        )
    }
}

/// Like oss_post_object_with_form, but uploads a file. A NULL `file_name` means the file's own name.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_post_object_from_file_with_form(
    client: Option<&oss_callback_client>,
    post_form: Option<&oss_callback_post_form>,
    path: *const c_char,
    file_name: *const c_char,
    content_type: *const c_char,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    let send = |post: PostObject<'_>| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        post.send_file(unsafe { file_path(path, "path") }?)
    };
    // SAFETY: the texts are NULL or NUL-terminated strings.
    unsafe {
        post(
            client,
            post_form,
            file_name,
            content_type,
            options,
            receipt,
            error,
            send,
        )
    }
}

/// # Safety
///
/// The texts are NULL or NUL-terminated strings.
#[expect(
    clippy::too_many_arguments,
    reason = "they are those of the C functions"
)]
unsafe fn post(
    client: Option<&oss_callback_client>,
    post_form: Option<&oss_callback_post_form>,
    file_name: *const c_char,
    content_type: *const c_char,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
    send: impl FnOnce(PostObject<'static>) -> Result<Receipt>,
) -> oss_callback_code {
    guard_upload(error, false, || {
        let client = required(client, "client")?;
        let form = required(post_form, "post_form")?;
        let mut post = client.client.post_object(&form.form);
        // SAFETY: NULL means none; otherwise a NUL-terminated string.
        if let Some(file_name) = unsafe { optional_text(file_name, "file_name") }? {
            post = post.file_name(file_name);
        }
        // SAFETY: NULL means none; otherwise a NUL-terminated string.
        if let Some(content_type) = unsafe { optional_text(content_type, "content_type") }? {
            post = post.content_type(content_type);
        }
        let done = send(with_options(post, options)?)?;
        give_receipt(receipt, done);
        Ok(())
    })
}
