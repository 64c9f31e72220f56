//! The options of PutObject. A value that OSS would refuse is refused by `send`, before anything is sent.

use std::time::SystemTime;

use super::PutObject;
use crate::callback::CallbackSpec;
use crate::error::{Error, Result};
use crate::object_headers::{
    self, ObjectAcl, ServerSideDataEncryption, ServerSideEncryption, StorageClass,
};
use crate::operation::operation_setters;

/// Headers that belong to the library, and what to use instead.
const OWN_HEADERS: [(&str, &str); 13] = [
    ("authorization", "the client signs its requests"),
    ("connection", "connections belong to the client"),
    ("content-length", "the length is that of the body"),
    ("date", "the client dates its requests"),
    ("expect", "it is never sent"),
    ("host", "the host is that of the endpoint"),
    ("transfer-encoding", "the body decides how it is sent"),
    ("user-agent", "use `user_agent` of the client"),
    ("x-oss-callback", "use `callback`"),
    ("x-oss-callback-var", "use `callback`"),
    ("x-oss-content-sha256", "the client signs its requests"),
    ("x-oss-date", "the client dates its requests"),
    (
        "x-oss-security-token",
        "use `security_token` of the credentials",
    ),
];

impl<'a> PutObject<'a> {
    /// The object's Content-Type. Default: guessed from the extension of the file, else of the object's
    /// name, else `application/octet-stream`.
    pub fn content_type(self, content_type: &str) -> Self {
        self.header("Content-Type", content_type)
    }

    /// User metadata, stored with the object as `x-oss-meta-name`. Names are letters, digits and
    /// hyphens, and OSS turns them into lower case; all together at most 8 KiB.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.request.set_header(format!("x-oss-meta-{name}"), value);
        self
    }

    /// Who may read and write the object. Default: whoever may do so with the bucket.
    pub fn object_acl(self, acl: ObjectAcl) -> Self {
        self.header("x-oss-object-acl", acl.as_str())
    }

    /// How the object is kept. Default: as the bucket says.
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.header("x-oss-storage-class", class.as_str())
    }

    /// Adds a tag. At most 10, each key once; keys have 1 to 128 bytes, values at most 256.
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        let added = self.tags.add(key, value).map(|()| self.tags.encoded());
        self.checked("x-oss-tagging", added)
    }

    /// How OSS encrypts the object. Default: as the bucket says.
    pub fn server_side_encryption(self, method: ServerSideEncryption) -> Self {
        self.header("x-oss-server-side-encryption", method.as_str())
    }

    /// The key of [`ServerSideEncryption::KMS`], in place of the service's default key.
    pub fn server_side_encryption_key_id(self, id: &str) -> Self {
        self.header("x-oss-server-side-encryption-key-id", id)
    }

    /// How the data itself is encrypted with [`ServerSideEncryption::KMS`]. Default: by AES-256.
    pub fn server_side_data_encryption(self, algorithm: ServerSideDataEncryption) -> Self {
        self.header("x-oss-server-side-data-encryption", algorithm.as_str())
    }

    /// Asks OSS to take no more than so many **bits** per second, 819200 to 838860800. For a limit that
    /// this library holds see [`bandwidth`](PutObject::bandwidth).
    pub fn traffic_limit(self, bits_per_second: u64) -> Self {
        self.checked(
            "x-oss-traffic-limit",
            object_headers::traffic_limit(bits_per_second),
        )
    }

    /// Whether an object with this name is kept: the upload then fails with
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict). Default: false, it is replaced. Without effect
    /// in a bucket with versioning.
    pub fn forbid_overwrite(self, forbid: bool) -> Self {
        let forbid = if forbid { "true" } else { "false" };
        self.header("x-oss-forbid-overwrite", forbid)
    }

    /// The object's Cache-Control, which downloads carry.
    pub fn cache_control(self, cache_control: &str) -> Self {
        self.header("Cache-Control", cache_control)
    }

    /// The object's Content-Disposition, which downloads carry.
    pub fn content_disposition(self, content_disposition: &str) -> Self {
        self.header("Content-Disposition", content_disposition)
    }

    /// The object's Content-Encoding, which downloads carry. The body is sent as it is given.
    pub fn content_encoding(self, content_encoding: &str) -> Self {
        self.header("Content-Encoding", content_encoding)
    }

    /// The object's Content-Language, which downloads carry.
    pub fn content_language(self, content_language: &str) -> Self {
        self.header("Content-Language", content_language)
    }

    /// When copies of the object become stale, to the second: its Expires, which downloads carry. In the
    /// years 1970 to 9999.
    pub fn expires(self, time: SystemTime) -> Self {
        self.checked("Expires", object_headers::expires(time))
    }

    /// Whether who sends the request pays for it, as a bucket of somebody else's may ask. Default: false.
    pub fn requester_pays(mut self, pays: bool) -> Self {
        if pays {
            return self.header("x-oss-request-payer", "requester");
        }
        self.request.remove_header("x-oss-request-payer");
        self
    }

    /// Whether the body's MD5 goes along (Content-MD5), so that OSS refuses a body that was damaged on its
    /// way and stores nothing. The body is read once more for it, before anything is sent; a reader that
    /// can be read once is refused. Default: false.
    pub fn content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// Any other header of PutObject by its name. A later value replaces an earlier one, also that of a
    /// setter; blanks around the value are removed. Headers that the library sets itself are refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let own = OWN_HEADERS
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((own, advice)) = own {
            let message = format!("header {own} cannot be given: {advice}");
            self.fault.get_or_insert_with(|| Error::argument(message));
        } else {
            self.request
                .set_header(name, value.trim_matches([' ', '\t']));
        }
        self
    }

    /// Sets a header of ours, or keeps the fault of its value.
    fn checked(mut self, name: &str, value: Result<String>) -> Self {
        match value {
            Ok(value) => self.request.set_header(name, value),
            Err(fault) => drop(self.fault.get_or_insert(fault)),
        }
        self
    }

    /// Asks OSS to call the application server once the object is stored, and to pass its answer on.
    pub fn callback(mut self, spec: &CallbackSpec) -> Self {
        self.callback = Some(spec.clone());
        self
    }

    /// Says that the application server does the right thing when the same callback reaches it twice.
    /// Only then is an upload with a callback sent again after its answer was lost. Default: false.
    pub fn callback_is_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    operation_setters!();

    /// Whether the CRC-64 of OSS is compared with the one of what was sent. Default: true.
    pub fn compare_crc64(mut self, compare: bool) -> Self {
        self.compare_crc64 = compare;
        self
    }

    /// Calls `hook` with the number of bytes handed over for sending, and of those there are, if that is
    /// known. It runs on this thread, after each block of up to 128 KiB; with another attempt it begins
    /// anew.
    pub fn progress(mut self, hook: impl FnMut(u64, Option<u64>) + 'a) -> Self {
        self.progress = Some(Box::new(hook));
        self
    }

    /// Sends no more than so many bytes per second. Default: no limit.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bandwidth = Some(bytes_per_second);
        self
    }
}
