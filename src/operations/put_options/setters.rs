//! The setters of an upload's options, once for the value and for each operation that takes it. `put_option_setters!(self,
//! self.options)` makes those of an operation that keeps the value in its field `options`; one that takes only some of them
//! asks for these by group. What OSS would refuse is refused by `send`, before anything is sent.

use super::PutOptions;

/// The headers that an object is created with, which downloads carry or OSS keeps.
macro_rules! object_header_setters {
    ($self:ident, $options:expr) => {
        /// The object's Content-Type. Default: guessed from the extension of the file, else of the object's
        /// name, else `application/octet-stream`.
        pub fn content_type(mut $self, content_type: &str) -> Self {
            $options.set_other("Content-Type", content_type);
            $self
        }

        /// User metadata, stored with the object as `x-oss-meta-name`. Names are letters, digits and
        /// hyphens, and OSS turns them into lower case; all together at most 8 KiB.
        pub fn metadata(mut $self, name: &str, value: &str) -> Self {
            $options.set(format!("x-oss-meta-{name}"), value.to_owned());
            $self
        }

        /// A name for this upload, of your own choice, that no other upload has: it is stored with the object, as
        /// the user metadata `idempotency-id`, and so [`Client::reconcile`](crate::Client::reconcile) can tell
        /// whether it was this upload that stored the object. The same upload, sent again, has the same id. 1 to
        /// 128 characters of ASCII, no blanks. Default: none, nothing is added to the object.
        pub fn idempotency_id(mut $self, id: &str) -> Self {
            let name = format!("x-oss-meta-{}", crate::request::object_headers::IDEMPOTENCY_ID);
            $options.set_checked(name, crate::request::object_headers::check_idempotency_id(id));
            $self
        }

        /// How the object is kept. Default: as the bucket says.
        pub fn storage_class(mut $self, class: crate::request::object_headers::StorageClass) -> Self {
            $options.set_other("x-oss-storage-class", class.as_str());
            $self
        }

        /// Adds a tag. At most 10, each key once; keys have 1 to 128 bytes, values at most 256.
        pub fn tag(mut $self, key: &str, value: &str) -> Self {
            $options.add_tag(key, value);
            $self
        }

        /// How OSS encrypts the object. Default: as the bucket says.
        pub fn server_side_encryption(mut $self, method: crate::request::object_headers::ServerSideEncryption) -> Self {
            $options.set_other("x-oss-server-side-encryption", method.as_str());
            $self
        }

        /// The key of [`KMS`](crate::ServerSideEncryption::KMS), in place of the service's default key.
        pub fn server_side_encryption_key_id(mut $self, id: &str) -> Self {
            $options.set_other("x-oss-server-side-encryption-key-id", id);
            $self
        }

        /// How the data itself is encrypted with [`KMS`](crate::ServerSideEncryption::KMS). Default: by AES-256.
        pub fn server_side_data_encryption(mut $self, algorithm: crate::request::object_headers::ServerSideDataEncryption) -> Self {
            $options.set_other("x-oss-server-side-data-encryption", algorithm.as_str());
            $self
        }

        /// Asks OSS to take no more than so many **bits** per second of each connection that sends a body, 819200 to
        /// 838860800. For a limit that this library enforces see `bandwidth`.
        pub fn traffic_limit(mut $self, bits_per_second: u64) -> Self {
            let value = crate::request::object_headers::traffic_limit(bits_per_second);
            $options.set_checked("x-oss-traffic-limit", value);
            $self
        }

        /// Whether an object with this name is kept: the upload then fails with
        /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict). Default: false, it is replaced. Without effect
        /// in a bucket with versioning.
        pub fn forbid_overwrite(mut $self, forbid: bool) -> Self {
            $options.set("x-oss-forbid-overwrite", if forbid { "true" } else { "false" });
            $self
        }

        /// The object's Cache-Control, which downloads carry.
        pub fn cache_control(mut $self, cache_control: &str) -> Self {
            $options.set_other("Cache-Control", cache_control);
            $self
        }

        /// The object's Content-Disposition, which downloads carry.
        pub fn content_disposition(mut $self, content_disposition: &str) -> Self {
            $options.set_other("Content-Disposition", content_disposition);
            $self
        }

        /// The object's Content-Encoding, which downloads carry. The body is sent as it is given.
        pub fn content_encoding(mut $self, content_encoding: &str) -> Self {
            $options.set_other("Content-Encoding", content_encoding);
            $self
        }

        /// The object's Content-Language, which downloads carry.
        pub fn content_language(mut $self, content_language: &str) -> Self {
            $options.set_other("Content-Language", content_language);
            $self
        }

        /// When copies of the object become stale, to the second: its Expires, which downloads carry. In the
        /// years 1970 to 9999.
        pub fn expires(mut $self, time: std::time::SystemTime) -> Self {
            $options.set_checked("Expires", crate::request::object_headers::expires(time));
            $self
        }

        /// Whether the requester pays, as another account's bucket may require. Default: false.
        pub fn requester_pays(mut $self, pays: bool) -> Self {
            $options.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-oss-request-payer"));
            if pays {
                $options.set("x-oss-request-payer", "requester");
            }
            $self
        }

        /// Any other header of the object by its name. A later value replaces an earlier one, also that of a
        /// setter; blanks around the value are removed. Headers that the library sets itself are refused.
        pub fn header(mut $self, name: &str, value: &str) -> Self {
            $options.set_other(name, value);
            $self
        }
    };
}

/// The setter of the ACL, which OSS takes when the object comes into being.
macro_rules! object_acl_setter {
    ($self:ident, $options:expr) => {
        /// Who may read and write the object. Default: whoever may do so with the bucket; when an upload in parts is
        /// completed, as given when it was begun.
        pub fn object_acl(mut $self, acl: crate::request::object_headers::ObjectAcl) -> Self {
            $options.set_other("x-oss-object-acl", acl.as_str());
            $self
        }
    };
}

/// What is asked of the application server.
macro_rules! callback_setters {
    ($self:ident, $options:expr) => {
        /// Asks OSS to call the application server once the object is stored, and to pass its answer on. `None` takes an
        /// earlier one away.
        pub fn callback<'s>(
            mut $self,
            spec: impl Into<Option<&'s crate::spec::CallbackSpec>>,
        ) -> Self {
            $options.callback = spec.into().cloned();
            $self
        }

        /// Says that the application server does the right thing when the same callback reaches it twice. Only then is an
        /// upload in one request, with a callback, sent again after its answer was lost. The callback of an upload in parts
        /// is delivered once by its nature. Default: false.
        pub fn callback_is_idempotent(mut $self, idempotent: bool) -> Self {
            $options.callback_is_idempotent = idempotent;
            $self
        }
    };
}

/// The checksum that goes with a body.
macro_rules! content_md5_setter {
    ($self:ident, $options:expr) => {
        /// Whether the body's MD5 goes along (Content-MD5), of parts that of each, so that OSS refuses a body that was
        /// damaged on its way and stores nothing. The body is read once more for it, before anything is sent; a reader that
        /// can be read once is refused. Default: false.
        pub fn content_md5(mut $self, send: bool) -> Self {
            $options.content_md5 = send;
            $self
        }
    };
}

/// How a body is sent.
macro_rules! body_setters {
    ($self:ident, $options:expr) => {
        /// Whether the CRC-64 of OSS is compared with the one of what was sent. Default: true.
        pub fn compare_crc64(mut $self, compare: bool) -> Self {
            $options.compare_crc64 = compare;
            $self
        }

        /// Sends no more than so many bytes per second: of a file over all connections together, of parts sent by hand each.
        /// Default: no limit. For a limit that OSS enforces see `traffic_limit`.
        pub fn bandwidth(mut $self, bytes_per_second: u64) -> Self {
            $options.bandwidth = Some(bytes_per_second);
            $self
        }
    };
}

/// The progress hook; on a field `progress`.
macro_rules! progress_setter {
    () => {
        /// Calls `hook` with the number of bytes that have left this machine, and of those there are, if that is
        /// known; of a form what stands around the file is counted, too. On Linux and Android a byte has left
        /// once the next machine has acknowledged it, the server or a proxy; on other systems, once the system
        /// has taken it. The hook runs on this thread, after each block of up to 128 KiB and on a slow line every
        /// 20 ms while some leave, also while the answer is awaited: each time with a larger number, the last of
        /// which is the length. With another attempt it begins anew.
        pub fn progress(mut self, hook: impl FnMut(u64, Option<u64>) + 'a) -> Self {
            self.progress = Some(Box::new(hook));
            self
        }
    };
}

/// All of them but progress.
macro_rules! put_option_setters {
    ($self:ident, $options:expr) => {
        crate::operations::put_options::object_header_setters!($self, $options);
        crate::operations::put_options::object_acl_setter!($self, $options);
        crate::operations::put_options::callback_setters!($self, $options);
        crate::operations::put_options::body_setters!($self, $options);
        crate::operations::put_options::content_md5_setter!($self, $options);
        crate::engine::operation::operation_setters!($self, $options.limits);
    };
}

impl PutOptions {
    put_option_setters!(self, self);
}

pub(crate) use {
    body_setters, callback_setters, content_md5_setter, object_acl_setter, object_header_setters,
    progress_setter, put_option_setters,
};
