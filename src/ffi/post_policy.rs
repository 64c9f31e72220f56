//! Permissions for an upload by a browser, from which a form is signed.

use std::mem::MaybeUninit;
use std::time::Duration;

use libc::c_char;

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::options::Options;
use super::pointers::{free, make, required, text};
use super::post_form::oss_callback_post_form;
use super::spec::oss_callback_spec;
use crate::{PostPolicy, Result};

/// What a form permits. Everything that you set becomes a field of the form and a condition of its policy,
/// so the uploader cannot change it. What you do not set is the uploader's choice: any size, any type, any
/// callback. The first error is reported by oss_callback_client_sign_post_form. Not safe to share between
/// threads while it changes.
pub struct oss_callback_post_policy {
    options: Options<Policy>,
}

#[derive(Default)]
struct Policy {
    setters: Vec<Box<Setter>>,
    content_types: Vec<String>,
}

type Setter = dyn Fn(PostPolicy) -> PostPolicy + Send + Sync;

/// Makes a policy that permits nothing yet: set a key or a prefix. Free `*post_policy` with
/// oss_callback_post_policy_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_policy_new(
    post_policy: Option<&mut MaybeUninit<*mut oss_callback_post_policy>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_post_policy {
                options: Options::new(),
            })
        };
        make(post_policy, "post_policy", new)
    })
}

/// Runs a setter.
fn set(
    post_policy: Option<&mut oss_callback_post_policy>,
    setter: impl FnOnce() -> Result<Box<Setter>>,
) {
    if let Some(policy) = post_policy {
        policy.options.set(|policy| {
            policy.setters.push(setter()?);
            Ok(())
        });
    }
}

/// Sets a text, which must be given.
///
/// # Safety
///
/// The value is NULL or a NUL-terminated string.
unsafe fn set_text(
    post_policy: Option<&mut oss_callback_post_policy>,
    value: *const c_char,
    name: &str,
    setter: impl Fn(PostPolicy, &str) -> PostPolicy + Send + Sync + 'static,
) {
    set(post_policy, || {
        // SAFETY: as promised by the caller; NULL is refused.
        let value = unsafe { text(value, name) }?.to_owned();
        Ok(Box::new(move |policy| setter(policy, &value)))
    });
}

/// Sets the object's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_post_policy_set_key(
    post_policy: Option<&mut oss_callback_post_policy>,
    key: *const c_char,
) {
    // SAFETY: NULL is refused; otherwise a NUL-terminated string.
    unsafe { set_text(post_policy, key, "key", |policy, key| policy.key(key)) };
}

/// Sets the beginning of the object's name; the uploaded file's name, which the uploader chooses, follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_post_policy_set_key_prefix(
    post_policy: Option<&mut oss_callback_post_policy>,
    key_prefix: *const c_char,
) {
    // SAFETY: NULL is refused; otherwise a NUL-terminated string.
    unsafe {
        set_text(post_policy, key_prefix, "key_prefix", |policy, prefix| {
            policy.key_prefix(prefix)
        });
    }
}

/// Sets how many seconds the form is valid: 1 to 604800 (7 days), or until the credentials expire, if that
/// is sooner. Default: 900.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_policy_set_expires_in_s(
    post_policy: Option<&mut oss_callback_post_policy>,
    expires_in_s: u64,
) {
    let expires = Duration::from_secs(expires_in_s);
    set(post_policy, || {
        Ok(Box::new(move |policy: PostPolicy| {
            policy.expires_in(expires)
        }))
    });
}

/// Sets the smallest and the largest size of the file in bytes, both included. Default: any size.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_policy_set_content_length_range(
    post_policy: Option<&mut oss_callback_post_policy>,
    least: u64,
    most: u64,
) {
    set(post_policy, || {
        Ok(Box::new(move |policy: PostPolicy| {
            policy.content_length_range(least..=most)
        }))
    });
}

/// Adds a Content-Type that the uploader may choose in the field "x-oss-content-type".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_post_policy_add_content_type(
    post_policy: Option<&mut oss_callback_post_policy>,
    content_type: *const c_char,
) {
    if let Some(policy) = post_policy {
        policy.options.set(|policy| {
            // SAFETY: NULL is refused; otherwise a NUL-terminated string.
            let content_type = unsafe { text(content_type, "content_type") }?;
            policy.content_types.push(content_type.to_owned());
            Ok(())
        });
    }
}

/// Sets the callback: OSS calls the application server once the object is stored.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_policy_set_callback(
    post_policy: Option<&mut oss_callback_post_policy>,
    spec: Option<&oss_callback_spec>,
) {
    set(post_policy, || {
        let spec = required(spec, "spec")?.callback()?.clone();
        Ok(Box::new(move |policy: PostPolicy| policy.callback(&spec)))
    });
}

/// Sets a field of the form to the value that it must have, such as "x-oss-meta-author",
/// "x-oss-object-acl", "x-oss-forbid-overwrite" or "success_action_status".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_post_policy_set_field(
    post_policy: Option<&mut oss_callback_post_policy>,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL is refused; otherwise NUL-terminated strings.
    unsafe {
        set(post_policy, || {
            let (name, value) = (
                text(name, "name")?.to_owned(),
                text(value, "value")?.to_owned(),
            );
            Ok(Box::new(move |policy: PostPolicy| {
                policy.field(&name, &value)
            }))
        });
    }
}

/// Signs a form for an upload into `bucket`. Sends nothing. Free `*post_form` with
/// oss_callback_post_form_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_sign_post_form(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    post_policy: Option<&oss_callback_post_policy>,
    post_form: Option<&mut MaybeUninit<*mut oss_callback_post_form>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let client = required(client, "client")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let bucket = unsafe { text(bucket, "bucket") }?;
        let given = required(post_policy, "post_policy")?.options.values()?;
        let mut policy = client.client.post_policy(bucket);
        for setter in &given.setters {
            policy = setter(policy);
        }
        if !given.content_types.is_empty() {
            let content_types: Vec<&str> = given.content_types.iter().map(String::as_str).collect();
            policy = policy.content_types(&content_types);
        }
        let new = || Ok(oss_callback_post_form::new(policy.sign()?));
        make(post_form, "post_form", new)
    })
}

/// Frees a policy.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_post_policy_free(
    post_policy: Option<Box<oss_callback_post_policy>>,
) {
    free(post_policy);
}
