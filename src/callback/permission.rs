//! What an application server permits an uploader. Pure, but for the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What an uploader may do: one object or those below a prefix, up to a size, until a time.
///
/// ```
/// use std::time::Duration;
/// use oss_callback::callback::Permission;
///
/// let permission = Permission::object("examplebucket", "photos/4711.jpg")
///     .max_size(10 * 1024 * 1024)
///     .valid_for(Duration::from_secs(600));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Permission {
    pub(super) bucket: String,
    pub(super) object: ObjectRule,
    pub(super) size: Option<SizeRule>,
    /// In seconds since 1970.
    pub(super) expires: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ObjectRule {
    Exact(String),
    Prefix(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeRule {
    Exact(u64),
    AtMost(u64),
}

impl Permission {
    /// For this object and no other.
    pub fn object(bucket: impl Into<String>, object: impl Into<String>) -> Permission {
        Permission::new(bucket.into(), ObjectRule::Exact(object.into()))
    }

    /// For one object whose name begins with `prefix` and is otherwise the uploader's choice. It may be one
    /// that exists: give each uploader a prefix of his own, or forbid overwriting.
    pub fn prefix(bucket: impl Into<String>, prefix: impl Into<String>) -> Permission {
        Permission::new(bucket.into(), ObjectRule::Prefix(prefix.into()))
    }

    fn new(bucket: String, object: ObjectRule) -> Permission {
        Permission {
            bucket,
            object,
            size: None,
            expires: None,
        }
    }

    /// The largest size in bytes. This or [`exact_size`](Permission::exact_size) is required.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.size = Some(SizeRule::AtMost(bytes));
        self
    }

    /// The size in bytes.
    pub fn exact_size(mut self, bytes: u64) -> Self {
        self.size = Some(SizeRule::Exact(bytes));
        self
    }

    /// The end, by the clock of the application server; a second begun counts as over. This or
    /// [`valid_for`](Permission::valid_for) is required. The callback must arrive before it, so leave time
    /// for the upload.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires = Some(seconds(time));
        self
    }

    /// The end, counted from now.
    pub fn valid_for(self, duration: Duration) -> Self {
        let end = SystemTime::now().checked_add(duration);
        self.expires_at(end.unwrap_or(UNIX_EPOCH))
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
