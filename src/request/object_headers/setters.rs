//! The setters of the headers that an object is created with; the same for each operation that creates one.

/// On the fields `request`, `tags` and `fault`. A value that OSS would refuse is refused by `send`, before
/// anything is sent.
macro_rules! object_header_setters {
    () => {
        /// The object's Content-Type. Default: guessed from the extension of the file, else of the object's
        /// name, else `application/octet-stream`.
        pub fn content_type(self, content_type: &str) -> Self {
            self.header("Content-Type", content_type)
        }

        /// User metadata, stored with the object as `x-oss-meta-name`. Names are letters, digits and
        /// hyphens, and OSS turns them into lower case; all together at most 8 KiB.
        pub fn metadata(mut self, name: &str, value: &str) -> Self {
            let name = format!("x-oss-meta-{name}");
            self.request.set_header(name, value.to_owned());
            self
        }

        /// A name for this upload, of your own choice, that no other upload has: it is stored with the object, as
        /// the user metadata `idempotency-id`, and so [`Client::reconcile`](crate::Client::reconcile) can tell
        /// whether it was this upload that stored the object. The same upload, sent again, has the same id. 1 to
        /// 128 characters of ASCII, no blanks. Default: none, nothing is added to the object.
        pub fn idempotency_id(self, id: &str) -> Self {
            self.checked(
                &format!(
                    "x-oss-meta-{}",
                    crate::request::object_headers::IDEMPOTENCY_ID
                ),
                crate::request::object_headers::check_idempotency_id(id),
            )
        }

        /// How the object is kept. Default: as the bucket says.
        pub fn storage_class(self, class: crate::request::object_headers::StorageClass) -> Self {
            self.header("x-oss-storage-class", class.as_str())
        }

        /// Adds a tag. At most 10, each key once; keys have 1 to 128 bytes, values at most 256.
        pub fn tag(mut self, key: &str, value: &str) -> Self {
            let added = self.tags.add(key, value).map(|()| self.tags.encoded());
            self.checked("x-oss-tagging", added)
        }

        /// How OSS encrypts the object. Default: as the bucket says.
        pub fn server_side_encryption(
            self,
            method: crate::request::object_headers::ServerSideEncryption,
        ) -> Self {
            self.header("x-oss-server-side-encryption", method.as_str())
        }

        /// The key of [`KMS`](crate::ServerSideEncryption::KMS), in place of the service's default key.
        pub fn server_side_encryption_key_id(self, id: &str) -> Self {
            self.header("x-oss-server-side-encryption-key-id", id)
        }

        /// How the data itself is encrypted with [`KMS`](crate::ServerSideEncryption::KMS). Default: by AES-256.
        pub fn server_side_data_encryption(
            self,
            algorithm: crate::request::object_headers::ServerSideDataEncryption,
        ) -> Self {
            self.header("x-oss-server-side-data-encryption", algorithm.as_str())
        }

        /// Asks OSS to take no more than so many **bits** per second, 819200 to 838860800. For a limit that
        /// this library holds see `bandwidth`.
        pub fn traffic_limit(self, bits_per_second: u64) -> Self {
            self.checked(
                "x-oss-traffic-limit",
                crate::request::object_headers::traffic_limit(bits_per_second),
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
        pub fn expires(self, time: std::time::SystemTime) -> Self {
            self.checked("Expires", crate::request::object_headers::expires(time))
        }

        /// Whether who sends the request pays for it, as a bucket of somebody else's may ask. Default: false.
        pub fn requester_pays(mut self, pays: bool) -> Self {
            if pays {
                return self.header("x-oss-request-payer", "requester");
            }
            self.request.remove_header("x-oss-request-payer");
            self
        }

        /// Any other header of the object by its name. A later value replaces an earlier one, also that of a
        /// setter; blanks around the value are removed. Headers that the library sets itself are refused.
        pub fn header(mut self, name: &str, value: &str) -> Self {
            match crate::request::object_headers::refuse_own(name) {
                Ok(()) => {
                    let value = value.trim_matches([' ', '\t']);
                    self.request.set_header(name.to_owned(), value.to_owned());
                }
                Err(fault) => drop(self.fault.get_or_insert(fault)),
            }
            self
        }

        /// Sets a header of ours, or keeps the fault of its value.
        fn checked(mut self, name: &str, value: crate::outcome::error::Result<String>) -> Self {
            match value {
                Ok(value) => self.request.set_header(name.to_owned(), value),
                Err(fault) => drop(self.fault.get_or_insert(fault)),
            }
            self
        }
    };
}

/// The setter of the ACL, which OSS takes when the object comes into being.
macro_rules! object_acl_setter {
    () => {
        /// Who may read and write the object. Default: whoever may do so with the bucket.
        pub fn object_acl(self, acl: crate::request::object_headers::ObjectAcl) -> Self {
            self.header("x-oss-object-acl", acl.as_str())
        }
    };
}

pub(crate) use {object_acl_setter, object_header_setters};
