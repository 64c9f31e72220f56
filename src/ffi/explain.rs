//! A callback looked at without sending anything: previews and explanations.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::options::Options;
use super::pointers::{free, make, of, optional_text, required, text};
use super::spec::oss_callback_spec;
use super::text::{borrowed, c_string};
use crate::callback::{Explanation, explain};
use crate::{CallbackPreview, Error, ObjectFacts, Result};

/// What OSS knows about an upload when it renders a callback. What you do not set stays empty. The first
/// error is reported by oss_callback_spec_preview. Not safe to share between threads while it changes.
pub struct oss_callback_object_facts {
    options: Options<Facts>,
}

struct Facts {
    bucket: String,
    object: String,
    /// By their variables.
    values: Vec<(String, String)>,
    image: Option<(u64, u64, String)>,
}

impl Facts {
    fn facts(&self) -> Result<ObjectFacts> {
        let facts = ObjectFacts::new(&self.bucket, &self.object);
        let facts = match &self.image {
            Some((height, width, format)) => facts.image(*height, *width, format),
            None => facts,
        };
        let mut values = self.values.iter();
        values.try_fold(facts, |facts, (variable, value)| {
            with_fact(facts, variable, value)
        })
    }
}

/// Runs a setter.
fn set(
    object_facts: Option<&mut oss_callback_object_facts>,
    setter: impl FnOnce(&mut Facts) -> Result<()>,
) {
    if let Some(facts) = object_facts {
        facts.options.set(setter);
    }
}

/// The requests that OSS would send. Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_preview {
    requests: Vec<Request>,
}

struct Request {
    url: CString,
    target: CString,
    body: CString,
    http: CString,
}

impl Request {
    fn new(preview: &CallbackPreview) -> Request {
        Request {
            url: c_string(preview.url()),
            target: c_string(preview.target()),
            body: c_string(preview.body()),
            http: c_string(preview.to_string()),
        }
    }
}

/// A callback explained in sentences. Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_explanation {
    explanation: Explanation,
    text: CString,
}

/// Makes the facts of an object stored by PutObject. Free them with oss_callback_object_facts_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_object_facts_new(
    bucket: *const c_char,
    object: *const c_char,
    object_facts: Option<&mut MaybeUninit<*mut oss_callback_object_facts>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise NUL-terminated strings.
        let (bucket, object) = unsafe { (text(bucket, "bucket")?, text(object, "object")?) };
        let new = || {
            Ok(oss_callback_object_facts {
                options: Options::of(Facts {
                    bucket: bucket.to_owned(),
                    object: object.to_owned(),
                    values: Vec::new(),
                    image: None,
                }),
            })
        };
        make(object_facts, "object_facts", new)
    })
}

/// Sets a fact by the name of its variable: size or crc64 (decimal digits), etag, mimeType, contentMd5,
/// clientIp, vpcId, reqId or operation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_object_facts_set(
    object_facts: Option<&mut oss_callback_object_facts>,
    variable: *const c_char,
    value: *const c_char,
) {
    set(object_facts, |facts| {
        // SAFETY: NULL or NUL-terminated strings.
        let (variable, value) =
            unsafe { (text(variable, "variable")?, optional_text(value, "value")?) };
        // Names and numbers are checked here, where the caller's mistake is.
        let _valid = with_fact(ObjectFacts::new("", ""), variable, value.unwrap_or("0"))?;
        facts.values.retain(|(known, _)| known != variable);
        let given = value.map(|value| (variable.to_owned(), value.to_owned()));
        facts.values.extend(given);
        Ok(())
    });
}

fn with_fact(facts: ObjectFacts, variable: &str, value: &str) -> Result<ObjectFacts> {
    let number = || {
        let problem = |_| Error::argument(format!("`value` of {variable} is not a number"));
        value.parse::<u64>().map_err(problem)
    };
    Ok(match variable {
        "size" => facts.size(number()?),
        "etag" => facts.etag(value),
        "mimeType" => facts.mime_type(value),
        "crc64" => facts.crc64(number()?),
        "contentMd5" => facts.content_md5(value),
        "clientIp" => facts.client_ip(value),
        "vpcId" => facts.vpc_id(value),
        "reqId" => facts.request_id(value),
        "operation" => facts.operation(value),
        _ => {
            return Err(Error::argument(format!(
                "`variable` {variable:?} cannot be set"
            )));
        }
    })
}

/// Says that the object is an image: sets its height and width in pixels and its format, such as "jpg",
/// which must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_object_facts_set_image(
    object_facts: Option<&mut oss_callback_object_facts>,
    height: u64,
    width: u64,
    format: *const c_char,
) {
    set(object_facts, |facts| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let format = unsafe { text(format, "format") }?;
        facts.image = Some((height, width, format.to_owned()));
        Ok(())
    });
}

/// Frees facts.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_facts_free(
    object_facts: Option<Box<oss_callback_object_facts>>,
) {
    free(object_facts);
}

/// Renders the requests that OSS would send after an upload, one for each URL; OSS sends each only if those
/// before it fail. Sends nothing. Free `*preview` with oss_callback_preview_free. Fails with
/// OSS_CALLBACK_CODE_INVALID_CALLBACK as oss_callback_spec_check does.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_spec_preview(
    spec: Option<&oss_callback_spec>,
    object_facts: Option<&oss_callback_object_facts>,
    preview: Option<&mut MaybeUninit<*mut oss_callback_preview>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let spec = required(spec, "spec")?;
        let facts = required(object_facts, "object_facts")?;
        let new = || {
            let previews = spec
                .callback()?
                .preview(&facts.options.values()?.facts()?)?;
            Ok(oss_callback_preview {
                requests: previews.iter().map(Request::new).collect(),
            })
        };
        make(preview, "preview", new)
    })
}

/// The number of requests, one for each URL of the callback.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_len(preview: Option<&oss_callback_preview>) -> size_t {
    of(preview, 0, |preview| preview.requests.len())
}

/// Looks something up in one of the requests.
fn request(
    preview: Option<&oss_callback_preview>,
    index: size_t,
    look_up: impl FnOnce(&Request) -> &CString,
) -> *const c_char {
    of(preview, ptr::null(), |preview| {
        borrowed(preview.requests.get(index).map(look_up))
    })
}

/// The callback URL of a request. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_url(
    preview: Option<&oss_callback_preview>,
    index: size_t,
) -> *const c_char {
    request(preview, index, |request| &request.url)
}

/// The path and query of a request. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_target(
    preview: Option<&oss_callback_preview>,
    index: size_t,
) -> *const c_char {
    request(preview, index, |request| &request.target)
}

/// The body of a request. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_body(
    preview: Option<&oss_callback_preview>,
    index: size_t,
) -> *const c_char {
    request(preview, index, |request| &request.body)
}

/// A whole request as OSS would send it, but with lines ended by line feeds, and with words in parentheses
/// for what only OSS knows. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_http(
    preview: Option<&oss_callback_preview>,
    index: size_t,
) -> *const c_char {
    request(preview, index, |request| &request.http)
}

/// Frees a preview.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_preview_free(preview: Option<Box<oss_callback_preview>>) {
    free(preview);
}

/// Explains what a callback will do. `callback` is the value of the header x-oss-callback or of the
/// parameter callback; `callback_var` is that of x-oss-callback-var or callback-var, or NULL.
///
/// Both may be percent-encoded, use the URL-safe alphabet, lack padding or contain line breaks; the
/// explanation then says that OSS would refuse that. It shows variables with their values. Succeeds even
/// for a callback that OSS would refuse. Free `*explanation` with oss_callback_explanation_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_explanation_new(
    callback: *const c_char,
    callback_var: *const c_char,
    explanation: Option<&mut MaybeUninit<*mut oss_callback_explanation>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let callback = unsafe { text(callback, "callback") }?;
        // SAFETY: NULL or a NUL-terminated string.
        let callback_var = unsafe { optional_text(callback_var, "callback_var") }?;
        let new = || {
            let explanation = explain(callback, callback_var);
            Ok(oss_callback_explanation {
                text: c_string(explanation.to_string()),
                explanation,
            })
        };
        make(explanation, "explanation", new)
    })
}

/// The whole explanation, one sentence per line: what OSS will do, then what is wrong, then what is
/// probably a mistake.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_explanation_text(
    explanation: Option<&oss_callback_explanation>,
) -> *const c_char {
    of(explanation, ptr::null(), |e| e.text.as_ptr())
}

/// The number of reasons why OSS would refuse the callback; 0 if it would not.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_explanation_problems_len(
    explanation: Option<&oss_callback_explanation>,
) -> size_t {
    of(explanation, 0, |e| e.explanation.problems().len())
}

/// Frees an explanation.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_explanation_free(
    explanation: Option<Box<oss_callback_explanation>>,
) {
    free(explanation);
}
