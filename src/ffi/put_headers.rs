//! Options of an upload that are stored with the object, or go with it as headers.

use libc::c_char;

use super::limits::time;
use super::pointers::{optional_text, text};
use super::put_options::{change, oss_callback_put_options, set};
use crate::{Error, PutOptions, Result};

/// Headers that make OSS refuse an upload. One that is forgotten must not pass for one that was not wanted.
const CHECKS: [&str; 2] = ["Content-MD5", "x-oss-forbid-overwrite"];

/// Sets a header of the object, or takes it away for NULL.
///
/// # Safety
///
/// The value is NULL or a NUL-terminated string.
unsafe fn set_text(
    options: Option<&mut oss_callback_put_options>,
    value: *const c_char,
    name: &str,
    header: &str,
    setter: fn(PutOptions, &str) -> Result<PutOptions>,
) {
    set(options, |put| {
        // SAFETY: as promised by the caller.
        match unsafe { optional_text(value, name) }? {
            Some(text) => setter(put, text),
            None => Ok(put.without_header(header)),
        }
    });
}

/// Sets the object's Content-Type. Default: guessed from the extension of the file or of the object's name,
/// otherwise application/octet-stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_type(
    options: Option<&mut oss_callback_put_options>,
    content_type: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_type,
            "content_type",
            "Content-Type",
            |put, text| Ok(put.content_type(text)),
        )
    }
}

/// Sets user metadata, stored with the object as x-oss-meta-name. Names consist of letters, digits and
/// hyphens. At most 8 KiB in all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_metadata(
    options: Option<&mut oss_callback_put_options>,
    name: *const c_char,
    value: *const c_char,
) {
    set(options, |put| {
        // SAFETY: NULL or NUL-terminated strings.
        let (name, value) = unsafe { (text(name, "name")?, optional_text(value, "value")?) };
        Ok(match value {
            Some(value) => put.metadata(name, value),
            None => put.without_header(&format!("x-oss-meta-{name}")),
        })
    });
}

/// Sets who may read and write the object, in OSS's words: "default" (as for the bucket), "private",
/// "public-read" or "public-read-write".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_object_acl(
    options: Option<&mut oss_callback_put_options>,
    object_acl: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            object_acl,
            "object_acl",
            "x-oss-object-acl",
            |put, text| Ok(put.object_acl(text.parse()?)),
        )
    }
}

/// Sets an id of your choice that no other upload has. It is stored with the object as the user metadata
/// "idempotency-id" and lets oss_callback_client_reconcile tell whether this upload stored the object. If
/// you repeat the upload, use the same id. 1 to 128 ASCII characters without spaces. Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_idempotency_id(
    options: Option<&mut oss_callback_put_options>,
    idempotency_id: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            idempotency_id,
            "idempotency_id",
            "x-oss-meta-idempotency-id",
            |put, text| Ok(put.idempotency_id(text)),
        )
    }
}

/// Sets the storage class, in OSS's words: "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
/// Default: the bucket's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_storage_class(
    options: Option<&mut oss_callback_put_options>,
    storage_class: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            storage_class,
            "storage_class",
            "x-oss-storage-class",
            |put, text| Ok(put.storage_class(text.parse()?)),
        )
    }
}

/// Adds a tag: at most 10, with different keys. Keys have 1 to 128 bytes, values at most 256.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_tag(
    options: Option<&mut oss_callback_put_options>,
    key: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        set(options, |put| {
            Ok(put.tag(text(key, "key")?, text(value, "value")?))
        });
    }
}

/// Sets how OSS encrypts the object, in OSS's words: "AES256" or "SM4" with OSS's own keys, or "KMS" with a
/// key of the Key Management Service. Default: the bucket's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption(
    options: Option<&mut oss_callback_put_options>,
    server_side_encryption: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_encryption,
            "server_side_encryption",
            "x-oss-server-side-encryption",
            |put, text| Ok(put.server_side_encryption(text.parse()?)),
        )
    }
}

/// Sets the id of the key for "KMS". Default: the service's default key. Refused without "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption_key_id(
    options: Option<&mut oss_callback_put_options>,
    server_side_encryption_key_id: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_encryption_key_id,
            "server_side_encryption_key_id",
            "x-oss-server-side-encryption-key-id",
            |put, text| Ok(put.server_side_encryption_key_id(text)),
        )
    }
}

/// Sets the algorithm that encrypts the data with "KMS": "SM4". Default: AES-256. Refused without "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_data_encryption(
    options: Option<&mut oss_callback_put_options>,
    server_side_data_encryption: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_data_encryption,
            "server_side_data_encryption",
            "x-oss-server-side-data-encryption",
            |put, text| Ok(put.server_side_data_encryption(text.parse()?)),
        )
    }
}

/// Asks OSS to limit each connection that sends a body. The limit is in BITS per second, 819200 to
/// 838860800. For a limit that this library enforces, see
/// oss_callback_put_options_set_bandwidth_bytes_per_s.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_traffic_limit_bits_per_s(
    options: Option<&mut oss_callback_put_options>,
    bits_per_second: u64,
) {
    change(options, |put| put.traffic_limit(bits_per_second));
}

/// Sets whether the upload fails with OSS_CALLBACK_CODE_CONFLICT if an object of this name exists. Default:
/// false, which replaces that object. Has no effect in a bucket with versioning.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_forbid_overwrite(
    options: Option<&mut oss_callback_put_options>,
    forbid_overwrite: bool,
) {
    change(options, |put| put.forbid_overwrite(forbid_overwrite));
}

/// Sets the object's Cache-Control, which OSS sends with downloads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_cache_control(
    options: Option<&mut oss_callback_put_options>,
    cache_control: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            cache_control,
            "cache_control",
            "Cache-Control",
            |put, text| Ok(put.cache_control(text)),
        )
    }
}

/// Sets the object's Content-Disposition, which OSS sends with downloads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_disposition(
    options: Option<&mut oss_callback_put_options>,
    content_disposition: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_disposition,
            "content_disposition",
            "Content-Disposition",
            |put, text| Ok(put.content_disposition(text)),
        )
    }
}

/// Sets the object's Content-Encoding, which OSS sends with downloads. The body is sent unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_encoding(
    options: Option<&mut oss_callback_put_options>,
    content_encoding: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_encoding,
            "content_encoding",
            "Content-Encoding",
            |put, text| Ok(put.content_encoding(text)),
        )
    }
}

/// Sets the object's Content-Language, which OSS sends with downloads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_language(
    options: Option<&mut oss_callback_put_options>,
    content_language: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_language,
            "content_language",
            "Content-Language",
            |put, text| Ok(put.content_language(text)),
        )
    }
}

/// Sets when copies of the object become stale: its Expires, which OSS sends with downloads. At most the
/// end of the year 9999.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_expires_at_s(
    options: Option<&mut oss_callback_put_options>,
    expires: u64,
) {
    set(options, |put| Ok(put.expires(time(expires, "expires")?)));
}

/// Sets whether the requester pays, as another account's bucket may require. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_requester_pays(
    options: Option<&mut oss_callback_put_options>,
    requester_pays: bool,
) {
    change(options, |put| put.requester_pays(requester_pays));
}

/// Sets whether the body's MD5 is sent (Content-MD5), so that OSS refuses a body damaged in transit and
/// stores nothing. The body is read an extra time first, so one that can be read only once, from a read
/// hook or a pipe, is refused. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_content_md5(
    options: Option<&mut oss_callback_put_options>,
    content_md5: bool,
) {
    change(options, |put| put.content_md5(content_md5));
}

/// Sets any other header of the object by its name. Headers that the library sets itself are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_header(
    options: Option<&mut oss_callback_put_options>,
    name: *const c_char,
    value: *const c_char,
) {
    set(options, |put| {
        // SAFETY: NULL or NUL-terminated strings.
        let (name, value) = unsafe { (text(name, "name")?, optional_text(value, "value")?) };
        Ok(match value {
            Some(value) => put.header(name, value),
            None if CHECKS.iter().any(|check| name.eq_ignore_ascii_case(check)) => {
                let message = format!(
                    "`value` is NULL, but {name} makes OSS refuse an upload: leave it out on purpose"
                );
                return Err(Error::argument(message));
            }
            None => put.without_header(name),
        })
    });
}
