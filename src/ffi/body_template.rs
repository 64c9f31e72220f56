//! The body of a callback, put together member by member.

use std::mem::MaybeUninit;

use libc::c_char;

use super::code::oss_callback_code;
use super::guard::guard;
use super::options::Options;
use super::pointers::{free, make, text};
use crate::{BodyTemplate, Error, Result};

/// The body of a callback, built member by member, so that names and values are escaped correctly. To set
/// it as text instead, see oss_callback_spec_options_set_body. The first error is reported by
/// oss_callback_spec_new. Not safe to share between threads while it changes.
pub struct oss_callback_body_template {
    pub(super) options: Options<BodyTemplate>,
}

/// The type of a callback's body, which becomes its Content-Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_body_type {
    /// application/x-www-form-urlencoded, which is also OSS's default.
    Form = 0,
    /// application/json.
    Json = 1,
}

/// Runs a setter over the template, which the Rust interface passes by value.
fn add(
    body_template: Option<&mut oss_callback_body_template>,
    body: impl FnOnce(BodyTemplate) -> Result<BodyTemplate>,
) {
    if let Some(body_template) = body_template {
        body_template.options.replace(body);
    }
}

/// Makes an empty body of type `body_type`, one of oss_callback_body_type. Free it with
/// oss_callback_body_template_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_body_template_new(
    body_type: u32,
    body_template: Option<&mut MaybeUninit<*mut oss_callback_body_template>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            let empty = if body_type == oss_callback_body_type::Form as u32 {
                BodyTemplate::form()
            } else if body_type == oss_callback_body_type::Json as u32 {
                BodyTemplate::json()
            } else {
                return Err(unknown_body_type(body_type));
            };
            Ok(oss_callback_body_template {
                options: Options::of(empty),
            })
        };
        make(body_template, "body_template", new)
    })
}

pub(super) fn unknown_body_type(body_type: u32) -> Error {
    Error::argument(format!(
        "`body_type` {body_type} is not one of oss_callback_body_type"
    ))
}

/// Adds a member whose value OSS fills in. `variable` is one of bucket, object, etag, size, mimeType,
/// imageInfo.height, imageInfo.width, imageInfo.format, crc64, contentMd5, vpcId, clientIp, reqId and
/// operation, or one of your own variables, whose names begin with x:.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_body_template_add_variable(
    body_template: Option<&mut oss_callback_body_template>,
    name: *const c_char,
    variable: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        add(body_template, |body| {
            Ok(body.variable(text(name, "name")?, text(variable, "variable")?))
        });
    }
}

/// Adds a member with a fixed value, which is escaped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_body_template_add_text(
    body_template: Option<&mut oss_callback_body_template>,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        add(body_template, |body| {
            Ok(body.text(text(name, "name")?, text(value, "value")?))
        })
    }
}

/// Frees a template.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_body_template_free(
    body_template: Option<Box<oss_callback_body_template>>,
) {
    free(body_template);
}
