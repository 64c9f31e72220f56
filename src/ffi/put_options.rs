//! Options of an upload.

use std::ptr;
use std::time::{Duration, UNIX_EPOCH};

use libc::{c_char, c_void};

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::file_options::FileOptions;
use super::guard::guard;
use super::hooks::{ProgressHook, oss_callback_progress_hook};
use super::limits::{Limited, OperationLimits, retry_policy};
use super::options::Options;
use super::pointers::{free, make, text};
use crate::{
    Cancellation, Error, ObjectAcl, PutObject, Result, ServerSideDataEncryption,
    ServerSideEncryption, StorageClass, UploadFile,
};

/// Options of an upload, all optional. Setters copy what they get and return nothing: the first fault is
/// kept and reported by the upload. May be used for any number of uploads, from many threads at once while
/// nobody changes them. A progress hook is then called by each of these threads, perhaps at the same time,
/// with the numbers of its own upload: uploads that are to be told apart need options of their own.
pub struct oss_callback_put_options {
    options: Options<PutOptions>,
}

#[derive(Default)]
struct PutOptions {
    setters: Vec<Setter>,
    limits: OperationLimits,
    progress: Option<ProgressHook>,
    of_file: FileOptions,
}

/// What a setter of C does to the operation of Rust.
struct Setter {
    /// A later one with the same name replaces it; what is added has none.
    name: Option<&'static str>,
    apply: Box<Apply>,
}

type Apply = dyn Fn(PutObject<'static>) -> PutObject<'static> + Send + Sync;

impl oss_callback_put_options {
    /// An upload with these options.
    pub(super) fn apply(&self, put: PutObject<'static>) -> Result<PutObject<'static>> {
        let options = self.options.values()?;
        options.of_file.refuse()?;
        Ok(options.apply(put))
    }

    /// The upload of a file with these options.
    pub(super) fn apply_to_file(&self, put: PutObject<'static>) -> Result<UploadFile<'static>> {
        let options = self.options.values()?;
        let upload = UploadFile::from(options.apply(put));
        Ok(options.of_file.apply(upload))
    }

    /// Runs a setter of the options of a file.
    pub(super) fn set_of_file(&mut self, setter: impl FnOnce(&mut FileOptions) -> Result<()>) {
        self.options.set(|options| setter(&mut options.of_file));
    }

    fn keep(&mut self, name: Option<&'static str>, apply: impl FnOnce() -> Result<Box<Apply>>) {
        self.options.set(|options| {
            options.keep(name, apply()?);
            Ok(())
        });
    }
}

impl PutOptions {
    fn keep(&mut self, name: Option<&'static str>, apply: Box<Apply>) {
        // Options that are set anew for each of many uploads must not grow.
        self.setters
            .retain(|setter| name.is_none() || setter.name != name);
        self.setters.push(Setter { name, apply });
    }

    fn apply(&self, mut put: PutObject<'static>) -> PutObject<'static> {
        for setter in &self.setters {
            put = (setter.apply)(put);
        }
        put = put.limited(&self.limits);
        if let Some(hook) = self.progress {
            // A child, so that a hook ends its own upload only.
            let cancellation = match self.limits.cancellation() {
                Some(cancellation) => cancellation.child(),
                None => Cancellation::new(),
            };
            put = put
                .cancellation(&cancellation)
                .progress(move |sent, total| {
                    if !hook.report(sent, total) {
                        cancellation.cancel();
                    }
                });
        }
        put
    }
}

/// Makes empty options. Free them with oss_callback_put_options_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_new(
    options: *mut *mut oss_callback_put_options,
) -> oss_callback_code {
    guard(ptr::null_mut(), || {
        let new = || {
            Ok(oss_callback_put_options {
                options: Options::new(),
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(options, "options", new) }
    })
}

/// Runs a setter whose value replaces an earlier one.
///
/// # Safety
///
/// The pointer is NULL or leads to live options that nobody else uses meanwhile.
unsafe fn set<F>(
    options: *mut oss_callback_put_options,
    name: &'static str,
    setter: impl FnOnce() -> Result<F>,
) where
    F: Fn(PutObject<'static>) -> PutObject<'static> + Send + Sync + 'static,
{
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.keep(Some(name), || Ok(Box::new(setter()?)));
    }
}

/// Runs a setter whose value joins the earlier ones.
///
/// # Safety
///
/// As [`set`].
unsafe fn add<F>(options: *mut oss_callback_put_options, setter: impl FnOnce() -> Result<F>)
where
    F: Fn(PutObject<'static>) -> PutObject<'static> + Send + Sync + 'static,
{
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.keep(None, || Ok(Box::new(setter()?)));
    }
}

/// Runs a setter of a limit.
///
/// # Safety
///
/// As [`set`].
unsafe fn limit(options: *mut oss_callback_put_options, setter: impl FnOnce(&mut OperationLimits)) {
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.options.set(|options| {
            setter(&mut options.limits);
            Ok(())
        });
    }
}

/// The object's Content-Type. Default: guessed from the extension of the file, else of the object's name,
/// else application/octet-stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_type(
    options: *mut oss_callback_put_options,
    content_type: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "content_type", || {
            let value = text(content_type, "content_type")?.to_owned();
            Ok(move |put: PutObject<'static>| put.content_type(&value))
        });
    }
}

/// Adds user metadata, stored with the object as x-oss-meta-name. Names are letters, digits and hyphens;
/// all together at most 8 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_metadata(
    options: *mut oss_callback_put_options,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        add(options, || {
            let (name, value) = (text(name, "name")?, text(value, "value")?);
            let (name, value) = (name.to_owned(), value.to_owned());
            Ok(move |put: PutObject<'static>| put.metadata(&name, &value))
        });
    }
}

/// Who may read and write the object, in OSS's words: "default" (whoever may do so with the bucket), "private",
/// "public-read" or "public-read-write".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_object_acl(
    options: *mut oss_callback_put_options,
    object_acl: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "object_acl", || {
            let value: ObjectAcl = text(object_acl, "object_acl")?.parse()?;
            Ok(move |put: PutObject<'static>| put.object_acl(value))
        });
    }
}

/// A name for this upload, of your own choice, that no other upload has: it is stored with the object, as the user
/// metadata "idempotency-id", and so oss_callback_client_reconcile can tell whether it was this upload that stored
/// the object. The same upload, sent again, has the same id. 1 to 128 characters of ASCII, no blanks. Default: none,
/// nothing is added to the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_idempotency_id(
    options: *mut oss_callback_put_options,
    idempotency_id: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "idempotency_id", || {
            let value = text(idempotency_id, "idempotency_id")?.to_owned();
            Ok(move |put: PutObject<'static>| put.idempotency_id(&value))
        });
    }
}

/// How the object is kept, in OSS's words: "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
/// Default: as the bucket says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_storage_class(
    options: *mut oss_callback_put_options,
    storage_class: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "storage_class", || {
            let value: StorageClass = text(storage_class, "storage_class")?.parse()?;
            Ok(move |put: PutObject<'static>| put.storage_class(value))
        });
    }
}

/// Adds a tag. At most 10, each key once; keys have 1 to 128 bytes, values at most 256, any UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_tag(
    options: *mut oss_callback_put_options,
    key: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        add(options, || {
            let (key, value) = (text(key, "key")?, text(value, "value")?);
            let (key, value) = (key.to_owned(), value.to_owned());
            Ok(move |put: PutObject<'static>| put.tag(&key, &value))
        });
    }
}

/// How OSS encrypts the object, in its words: "AES256" or "SM4" with keys of OSS, "KMS" with a key of the Key
/// Management Service. Default: as the bucket says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption(
    options: *mut oss_callback_put_options,
    server_side_encryption: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "server_side_encryption", || {
            let value: ServerSideEncryption =
                text(server_side_encryption, "server_side_encryption")?.parse()?;
            Ok(move |put: PutObject<'static>| put.server_side_encryption(value))
        });
    }
}

/// The key of "KMS" by its id, in place of the service's default key. Refused without "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption_key_id(
    options: *mut oss_callback_put_options,
    server_side_encryption_key_id: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "server_side_encryption_key_id", || {
            let value = text(
                server_side_encryption_key_id,
                "server_side_encryption_key_id",
            )?
            .to_owned();
            Ok(move |put: PutObject<'static>| put.server_side_encryption_key_id(&value))
        });
    }
}

/// How the data itself is encrypted with "KMS": "SM4". Default: by AES-256. Refused without "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_data_encryption(
    options: *mut oss_callback_put_options,
    server_side_data_encryption: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "server_side_data_encryption", || {
            let value: ServerSideDataEncryption =
                text(server_side_data_encryption, "server_side_data_encryption")?.parse()?;
            Ok(move |put: PutObject<'static>| put.server_side_data_encryption(value))
        });
    }
}

/// Asks OSS to take no more than so many BITS per second, 819200 to 838860800. For a limit that this library
/// holds see oss_callback_put_options_set_bandwidth.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_traffic_limit(
    options: *mut oss_callback_put_options,
    bits_per_second: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "traffic_limit", || {
            Ok(move |put: PutObject<'static>| put.traffic_limit(bits_per_second))
        });
    }
}

/// Whether an object of this name is kept: the upload then fails with OSS_CALLBACK_CODE_CONFLICT. Default:
/// false, it is replaced. Without effect in a bucket with versioning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_forbid_overwrite(
    options: *mut oss_callback_put_options,
    forbid_overwrite: bool,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "forbid_overwrite", || {
            Ok(move |put: PutObject<'static>| put.forbid_overwrite(forbid_overwrite))
        });
    }
}

/// The object's Cache-Control, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_cache_control(
    options: *mut oss_callback_put_options,
    cache_control: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "cache_control", || {
            let value = text(cache_control, "cache_control")?.to_owned();
            Ok(move |put: PutObject<'static>| put.cache_control(&value))
        });
    }
}

/// The object's Content-Disposition, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_disposition(
    options: *mut oss_callback_put_options,
    content_disposition: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "content_disposition", || {
            let value = text(content_disposition, "content_disposition")?.to_owned();
            Ok(move |put: PutObject<'static>| put.content_disposition(&value))
        });
    }
}

/// The object's Content-Encoding, which downloads carry. The body is sent as it is given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_encoding(
    options: *mut oss_callback_put_options,
    content_encoding: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "content_encoding", || {
            let value = text(content_encoding, "content_encoding")?.to_owned();
            Ok(move |put: PutObject<'static>| put.content_encoding(&value))
        });
    }
}

/// The object's Content-Language, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_language(
    options: *mut oss_callback_put_options,
    content_language: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        set(options, "content_language", || {
            let value = text(content_language, "content_language")?.to_owned();
            Ok(move |put: PutObject<'static>| put.content_language(&value))
        });
    }
}

/// When copies of the object become stale: its Expires, which downloads carry, in seconds since 1970-01-01
/// 00:00 UTC, up to the end of the year 9999.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_expires(
    options: *mut oss_callback_put_options,
    expires: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "expires", || {
            let time = UNIX_EPOCH.checked_add(Duration::from_secs(expires));
            let time = time.ok_or_else(|| Error::argument("`expires` is too far away"))?;
            Ok(move |put: PutObject<'static>| put.expires(time))
        });
    }
}

/// Whether who sends the request pays for it, as a bucket of somebody else's may ask. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_requester_pays(
    options: *mut oss_callback_put_options,
    requester_pays: bool,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "requester_pays", || {
            Ok(move |put: PutObject<'static>| put.requester_pays(requester_pays))
        });
    }
}

/// Whether the body's MD5 goes along (Content-MD5), so that OSS refuses a body that was damaged on its way and
/// stores nothing. The body is read once more for it, before anything is sent; one that can be read only once,
/// from a read hook or a pipe, is refused. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_md5(
    options: *mut oss_callback_put_options,
    content_md5: bool,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "content_md5", || {
            Ok(move |put: PutObject<'static>| put.content_md5(content_md5))
        });
    }
}

/// Adds any other header of PutObject, by its name. A later value
/// replaces an earlier one. Headers that the library sets itself are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_header(
    options: *mut oss_callback_put_options,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        add(options, || {
            let (name, value) = (text(name, "name")?, text(value, "value")?);
            let (name, value) = (name.to_owned(), value.to_owned());
            Ok(move |put: PutObject<'static>| put.header(&name, &value))
        });
    }
}

/// Time for finding the server's address, and time for connecting, TLS included, in place of the client's. 0 is
/// refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_connect_timeout_ms(
    options: *mut oss_callback_put_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe { limit(options, |limits| limits.set_connect_timeout_ms(timeout_ms)) }
}

/// Time from the last byte sent until OSS answers, and then again for the answer's body, in place of the
/// client's; the time for callbacks is added to it, as there. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_answer_timeout_ms(
    options: *mut oss_callback_put_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe { limit(options, |limits| limits.set_answer_timeout_ms(timeout_ms)) }
}

/// The longest time without progress while the body is sent, in place of the client's; less than 1 KiB in that
/// time is none. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_progress_timeout_ms(
    options: *mut oss_callback_put_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe { limit(options, |limits| limits.set_progress_timeout_ms(timeout_ms)) }
}

/// Time for the upload with all its attempts, in place of the client's. Time in hooks of the caller's counts,
/// but the limit takes effect only when they return. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_timeout_ms(
    options: *mut oss_callback_put_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe { limit(options, |limits| limits.set_timeout_ms(timeout_ms)) }
}

/// When the upload is sent again, in place of the client's policy. `max_attempts` counts the first one: 1
/// means never again. Before the second attempt up to `base_delay_ms` are waited, before each further one up
/// to twice as long, never more than `max_delay_ms`; the actual delays are random, so that many clients do
/// not come back at once. Default: 3, 200 and 20000. Only failures that may end differently are retried, only
/// with a body that can be read again, and with a spec only while it is certain that nothing was stored.
///
/// No request is sent more often than that. When OSS refuses one because the clocks differ too much, or because
/// credentials of a hook have expired, the next attempt goes by OSS's time, or with new credentials; if the policy
/// allows none, the next request does. Each part of a file is a request of its own, and so is each look that
/// follows a lost answer to completing an upload. A kept connection that turns out to be closed before the first
/// byte of a request is replaced, which is not an attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_retry_policy(
    options: *mut oss_callback_put_options,
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) {
    let policy = retry_policy(max_attempts, base_delay_ms, max_delay_ms);
    // SAFETY: NULL or live options.
    unsafe { limit(options, |limits| limits.set_retry_policy(policy)) }
}

/// Says that the application server does the right thing when the same callback reaches it twice. Only then
/// is an upload with a spec sent again after its answer was lost. Default: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_callback_is_idempotent(
    options: *mut oss_callback_put_options,
    callback_is_idempotent: bool,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "callback_is_idempotent", || {
            Ok(move |put: PutObject<'static>| put.callback_is_idempotent(callback_is_idempotent))
        });
    }
}

/// Whether the CRC-64 that OSS computed is compared with the one of what was sent. Default: true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_compare_crc64(
    options: *mut oss_callback_put_options,
    compare_crc64: bool,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "compare_crc64", || {
            Ok(move |put: PutObject<'static>| put.compare_crc64(compare_crc64))
        });
    }
}

/// Sends no more than so many BYTES per second. Default: no limit; 0 is refused. For a limit that OSS holds see
/// oss_callback_put_options_set_traffic_limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_bandwidth(
    options: *mut oss_callback_put_options,
    bytes_per_second: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, "bandwidth", || {
            Ok(move |put: PutObject<'static>| put.bandwidth(bytes_per_second))
        });
    }
}

/// Lets another thread end the uploads with these options; NULL takes an earlier one away. The options keep
/// a reference of their own, so the handle may be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_cancellation(
    options: *mut oss_callback_put_options,
    cancellation: *const oss_callback_cancellation,
) {
    // SAFETY: NULL or live options; NULL or a live cancellation.
    unsafe {
        let cancellation = cancellation.as_ref();
        limit(options, |limits| limits.set_cancellation(cancellation));
    }
}

/// Calls `hook` with `userdata` after each block of up to 128 KiB; NULL takes an earlier hook away. It runs
/// only on the thread that uploads, and only during the call; `userdata` is handed back to it and not looked
/// at. Another attempt begins anew. For an empty body the hook may not be called at all, and at the end of one
/// of unknown length it is told the last number once more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_progress_hook(
    options: *mut oss_callback_put_options,
    hook: oss_callback_progress_hook,
    userdata: *mut c_void,
) {
    // SAFETY: NULL or live options; a hook that is not NULL is fit for this userdata while uploads use it.
    let (options, hook) = unsafe { (options.as_mut(), ProgressHook::new(hook, userdata)) };
    if let Some(options) = options {
        options.options.set(|options| {
            options.progress = hook;
            Ok(())
        });
    }
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_free(options: *mut oss_callback_put_options) {
    // SAFETY: NULL or options that were given out and not freed yet.
    unsafe { free(options) };
}
