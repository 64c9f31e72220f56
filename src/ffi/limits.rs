//! What every operation of C can be told: its own limits, attempts and cancellation.

use std::time::Duration;

use super::cancellation::oss_callback_cancellation;
use crate::{
    AbortMultipartUpload, Cancellation, CompleteMultipartUpload, DeleteObject, GetObject,
    HeadObject, ListMultipartUploads, ListParts, PostObject, PutObject, Reconcile, RetryPolicy,
    UploadPart,
};

/// The limits of one operation; what is not given is the client's.
#[derive(Default)]
pub(super) struct OperationLimits {
    connect_timeout: Option<Duration>,
    answer_timeout: Option<Duration>,
    progress_timeout: Option<Duration>,
    timeout: Option<Duration>,
    cancellation: Option<Cancellation>,
    retry_policy: Option<RetryPolicy>,
}

impl OperationLimits {
    pub(super) fn set_connect_timeout_ms(&mut self, timeout_ms: u64) {
        self.connect_timeout = Some(Duration::from_millis(timeout_ms));
    }

    pub(super) fn set_answer_timeout_ms(&mut self, timeout_ms: u64) {
        self.answer_timeout = Some(Duration::from_millis(timeout_ms));
    }

    pub(super) fn set_progress_timeout_ms(&mut self, timeout_ms: u64) {
        self.progress_timeout = Some(Duration::from_millis(timeout_ms));
    }

    pub(super) fn set_timeout_ms(&mut self, timeout_ms: u64) {
        self.timeout = Some(Duration::from_millis(timeout_ms));
    }

    /// A reference of its own, so that the handle may be freed.
    pub(super) fn set_cancellation(&mut self, cancellation: Option<&oss_callback_cancellation>) {
        self.cancellation = cancellation.map(|handle| handle.cancellation.clone());
    }

    pub(super) fn set_retry_policy(&mut self, policy: RetryPolicy) {
        self.retry_policy = Some(policy);
    }

    pub(super) fn cancellation(&self) -> Option<&Cancellation> {
        self.cancellation.as_ref()
    }
}

/// A retry policy of C's numbers.
pub(super) fn retry_policy(
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) -> RetryPolicy {
    RetryPolicy::default()
        .max_attempts(max_attempts)
        .base_delay(Duration::from_millis(base_delay_ms))
        .max_delay(Duration::from_millis(max_delay_ms))
}

/// An operation of Rust: each has the same setters.
pub(super) trait Limited: Sized {
    /// The operation with these limits.
    fn limited(self, limits: &OperationLimits) -> Self;
}

macro_rules! limited {
    ($($operation:ty),*) => {$(
        impl Limited for $operation {
            fn limited(mut self, limits: &OperationLimits) -> Self {
                if let Some(limit) = limits.connect_timeout {
                    self = self.connect_timeout(limit);
                }
                if let Some(limit) = limits.answer_timeout {
                    self = self.answer_timeout(limit);
                }
                if let Some(limit) = limits.progress_timeout {
                    self = self.progress_timeout(limit);
                }
                if let Some(limit) = limits.timeout {
                    self = self.timeout(limit);
                }
                if let Some(cancellation) = &limits.cancellation {
                    self = self.cancellation(cancellation);
                }
                if let Some(policy) = limits.retry_policy {
                    self = self.retry_policy(policy);
                }
                self
            }
        }
    )*};
}

limited!(
    PutObject<'static>,
    PostObject<'static>,
    HeadObject,
    GetObject,
    DeleteObject,
    Reconcile,
    UploadPart<'static>,
    ListParts,
    AbortMultipartUpload,
    CompleteMultipartUpload,
    ListMultipartUploads
);
