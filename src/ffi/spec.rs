//! The callback spec and its options.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::body_template::{oss_callback_body_template, oss_callback_body_type, unknown_body_type};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::options::Options;
use super::pointers::{free, make, of, optional_text, required, text};
use super::text::{borrowed, c_string};
use crate::{BodyTemplate, BodyType, CallbackSpec, CallbackSpecBuilder, Error, Result};

/// The contents of a callback. Only a URL and a body are required. The first error is reported by
/// oss_callback_spec_new. Not safe to share between threads while it changes.
pub struct oss_callback_spec_options {
    options: Options<Settings>,
}

/// A builder, and beside it what a setter may take away again.
#[derive(Default)]
struct Settings {
    builder: CallbackSpecBuilder,
    host: Option<String>,
    /// The one of these two that was set last; the other one is none then.
    body: Option<String>,
    body_template: Option<BodyTemplate>,
    body_type: Option<BodyType>,
}

impl oss_callback_spec_options {
    /// All that was set, unless a setter found a fault.
    pub(super) fn builder(&self) -> Result<CallbackSpecBuilder> {
        let settings = self.options.values()?;
        let mut builder = settings.builder.clone();
        if let Some(host) = &settings.host {
            builder = builder.host(host);
        }
        if let Some(body) = &settings.body {
            builder = builder.body(body.as_str());
        }
        if let Some(template) = &settings.body_template {
            builder = builder.body(template.clone());
        }
        if let Some(body_type) = settings.body_type {
            builder = builder.body_type(body_type);
        }
        Ok(builder)
    }
}

/// The callback that OSS is asked to send once it has stored an object. Immutable: many threads may use it
/// at once, for any number of uploads; one thread frees it.
pub struct oss_callback_spec {
    /// None for an upload without a callback.
    spec: Option<CallbackSpec>,
    callback: Option<CString>,
    callback_var: Option<CString>,
    /// None for one that OSS would refuse.
    warnings: Vec<CString>,
}

impl oss_callback_spec {
    pub(super) fn new(spec: CallbackSpec) -> Self {
        let warnings = spec.check().unwrap_or_default();
        oss_callback_spec {
            warnings: warnings.iter().map(|w| c_string(w.to_string())).collect(),
            callback: Some(c_string(spec.callback())),
            callback_var: spec.callback_var().map(c_string),
            spec: Some(spec),
        }
    }

    /// The callback, where there must be one.
    #[cfg(not(feature = "small"))]
    pub(super) fn callback(&self) -> Result<&CallbackSpec> {
        self.spec
            .as_ref()
            .ok_or_else(|| Error::argument("`spec` is oss_callback_spec_none(), not a callback"))
    }
}

/// The spec of uploads without a callback.
static NONE: oss_callback_spec = oss_callback_spec {
    spec: None,
    callback: None,
    callback_var: None,
    warnings: Vec::new(),
};

/// The callback of an upload. NULL is refused, so that a spec that could not be made never becomes a plain
/// upload.
pub(super) fn callback_of(spec: Option<&oss_callback_spec>) -> Result<Option<&CallbackSpec>> {
    let spec = spec.ok_or_else(|| {
        Error::argument("`spec` is NULL; an upload without a callback has oss_callback_spec_none()")
    })?;
    Ok(spec.spec.as_ref())
}

/// Whether an upload was meant to have a callback.
pub(super) fn wants_callback(spec: Option<&oss_callback_spec>) -> bool {
    spec.is_none_or(|spec| spec.spec.is_some())
}

/// Runs a setter.
fn set(
    options: Option<&mut oss_callback_spec_options>,
    setter: impl FnOnce(&mut Settings) -> Result<()>,
) {
    if let Some(options) = options {
        options.options.set(setter);
    }
}

/// Runs a setter of the builder.
fn build(
    options: Option<&mut oss_callback_spec_options>,
    setter: impl FnOnce(CallbackSpecBuilder) -> Result<CallbackSpecBuilder>,
) {
    set(options, |settings| {
        settings.builder = setter(settings.builder.clone())?;
        Ok(())
    });
}

/// Makes empty options. Free them with oss_callback_spec_options_free; specs keep a copy.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_options_new(
    options: Option<&mut MaybeUninit<*mut oss_callback_spec_options>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_spec_options {
                options: Options::new(),
            })
        };
        make(options, "options", new)
    })
}

/// Adds a URL of the application server, percent-encoded; at most five. OSS tries them in this order until
/// one agrees.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_options_add_url(
    options: Option<&mut oss_callback_spec_options>,
    url: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe { build(options, |builder| Ok(builder.url(text(url, "url")?))) }
}

/// Sets the Host header of the callback: a domain name or an IP address. Default: the host of the URL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_options_set_host(
    options: Option<&mut oss_callback_spec_options>,
    host: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL or a NUL-terminated string.
        settings.host = unsafe { optional_text(host, "host") }?.map(str::to_owned);
        Ok(())
    });
}

/// Sets what OSS sends, as text with placeholders, such as "filename=${object}&size=${size}". This or
/// oss_callback_spec_options_set_body_template is required. In a JSON body, OSS itself puts quotes around
/// strings: {"filename":${object}}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_options_set_body(
    options: Option<&mut oss_callback_spec_options>,
    body: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL or a NUL-terminated string.
        settings.body = unsafe { optional_text(body, "body") }?.map(str::to_owned);
        if settings.body.is_some() {
            settings.body_template = None;
        }
        Ok(())
    });
}

/// Sets what OSS sends, and the body type, from a template.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_options_set_body_template(
    options: Option<&mut oss_callback_spec_options>,
    body_template: Option<&oss_callback_body_template>,
) {
    set(options, |settings| {
        let template = body_template.map(|template| template.options.values());
        settings.body_template = template.transpose()?.cloned();
        if settings.body_template.is_some() {
            // It has a type of its own.
            (settings.body, settings.body_type) = (None, None);
        }
        Ok(())
    });
}

/// Sets the type of a body given as text: one of oss_callback_body_type. Default:
/// OSS_CALLBACK_BODY_TYPE_FORM.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_options_set_body_type(
    options: Option<&mut oss_callback_spec_options>,
    body_type: u32,
) {
    set(options, |settings| {
        let types = [
            (oss_callback_body_type::Form, BodyType::Form),
            (oss_callback_body_type::Json, BodyType::Json),
        ];
        let known = types.iter().find(|(number, _)| *number as u32 == body_type);
        let (_, known) = known.ok_or_else(|| unknown_body_type(body_type))?;
        settings.body_type = Some(*known);
        Ok(())
    });
}

/// Sets whether OSS names the host in the TLS handshake (SNI) of an https URL. Default: false. Without SNI,
/// a server with several certificates typically fails the callback with "Error status : 502."
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_options_set_sni(
    options: Option<&mut oss_callback_spec_options>,
    sni: bool,
) {
    build(options, |builder| Ok(builder.sni(sni)))
}

/// Adds a variable of your own; the body refers to it as ${x:name}. If the name lacks "x:", it is added.
/// Upper-case letters in the name are refused, as by OSS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_options_add_variable(
    options: Option<&mut oss_callback_spec_options>,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        build(options, |builder| {
            Ok(builder.variable(text(name, "name")?, text(value, "value")?))
        })
    }
}

/// Adds another member to the callback, such as "callbackPolicy". `json` is JSON text, so a string needs
/// its quotes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_options_add_member(
    options: Option<&mut oss_callback_spec_options>,
    name: *const c_char,
    json: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        build(options, |builder| {
            Ok(builder.member(text(name, "name")?, text(json, "json")?))
        })
    }
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_options_free(options: Option<Box<oss_callback_spec_options>>) {
    free(options);
}

/// Encodes a callback and checks it against OSS's rules. Free `*spec` with oss_callback_spec_free. With
/// OSS_CALLBACK_CODE_INVALID_CALLBACK, `*error` names the member and its problem, and oss_callback_error_ec
/// gives the code with which OSS would have answered. The options may be used again.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_new(
    options: Option<&oss_callback_spec_options>,
    spec: Option<&mut MaybeUninit<*mut oss_callback_spec>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let options = required(options, "options")?;
        let new = || Ok(oss_callback_spec::new(options.builder()?.build()?));
        make(spec, "spec", new)
    })
}

/// Makes a spec from a callback that was issued elsewhere and is already in Base64: the values of
/// x-oss-callback and x-oss-callback-var (NULL if there are no variables). They are sent as they are,
/// unchecked: see oss_callback_spec_check. Free `*spec` with oss_callback_spec_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_new_from_base64(
    callback: *const c_char,
    callback_var: *const c_char,
    spec: Option<&mut MaybeUninit<*mut oss_callback_spec>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let callback = unsafe { text(callback, "callback") }?;
        // SAFETY: NULL or a NUL-terminated string.
        let callback_var = unsafe { optional_text(callback_var, "callback_var") }?;
        let new = || {
            Ok(oss_callback_spec::new(CallbackSpec::from_base64(
                callback,
                callback_var,
            )?))
        };
        make(spec, "spec", new)
    })
}

/// Like oss_callback_spec_new_from_base64, but from JSON texts, which the library encodes in Base64.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_new_from_json(
    callback: *const c_char,
    callback_var: *const c_char,
    spec: Option<&mut MaybeUninit<*mut oss_callback_spec>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let callback = unsafe { text(callback, "callback") }?;
        // SAFETY: NULL or a NUL-terminated string.
        let callback_var = unsafe { optional_text(callback_var, "callback_var") }?;
        let new = || {
            Ok(oss_callback_spec::new(CallbackSpec::from_json(
                callback,
                callback_var,
            )?))
        };
        make(spec, "spec", new)
    })
}

/// The spec of an upload without a callback. It is static: do not free it. Any thread may call this.
///
/// Uploads refuse a NULL spec, so an unnoticed failure of oss_callback_spec_new cannot turn an upload with
/// a callback into one without.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_none() -> *const oss_callback_spec {
    &raw const NONE
}

/// Checks a spec that was issued elsewhere against OSS's rules; one from oss_callback_spec_new has already
/// passed. Fails with OSS_CALLBACK_CODE_INVALID_CALLBACK as oss_callback_spec_new does. A private address
/// is not an error.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_check(
    spec: Option<&oss_callback_spec>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || match &required(spec, "spec")?.spec {
        Some(spec) => spec.check().map(drop),
        None => Ok(()),
    })
}

/// The value of the header x-oss-callback: JSON in Base64.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_callback(spec: Option<&oss_callback_spec>) -> *const c_char {
    of(spec, ptr::null(), |spec| borrowed(spec.callback.as_ref()))
}

/// The value of the header x-oss-callback-var; NULL if there are no variables.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_callback_var(
    spec: Option<&oss_callback_spec>,
) -> *const c_char {
    of(spec, ptr::null(), |spec| {
        borrowed(spec.callback_var.as_ref())
    })
}

/// The number of warnings about what OSS accepts but is probably a mistake, such as a private address or an
/// undefined variable. Uploads ignore them. 0 for a spec that OSS would refuse.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_warnings_len(spec: Option<&oss_callback_spec>) -> size_t {
    of(spec, 0, |spec| spec.warnings.len())
}

/// A warning in one sentence. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_warning(
    spec: Option<&oss_callback_spec>,
    index: size_t,
) -> *const c_char {
    of(spec, ptr::null(), |spec| borrowed(spec.warnings.get(index)))
}

/// Frees a spec. No call may still be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_spec_free(spec: *mut oss_callback_spec) {
    let owned = !ptr::eq(spec, &NONE) && !spec.is_null();
    // SAFETY: a spec that was given out and not freed yet.
    free(owned.then(|| unsafe { Box::from_raw(spec) }));
}
