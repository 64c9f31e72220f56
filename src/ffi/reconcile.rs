//! What became of an upload whose outcome was unknown.

use std::mem::MaybeUninit;
use std::ptr;
use std::time::UNIX_EPOCH;

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::object::oss_callback_object_metadata;
use super::operation_options::{operation_options, oss_callback_operation_options};
use super::pointers::{free, give_number, make, of, required};
use crate::Reconciled;

/// What is known of an upload after oss_callback_client_reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum oss_callback_outcome {
    /// Another object is there, perhaps one that replaced this upload's, or an object that cannot be
    /// compared.
    StillUnknown = 0,
    /// The upload is stored. Its idempotency id proves it or, for a multipart upload, two facts together:
    /// the upload is no longer open, and the object was made from parts and has their size and CRC-64.
    Stored = 1,
    /// An object with the size and the CRC-64 of the upload is there. Without an idempotency id, it cannot
    /// be told whether this upload stored it or an earlier one with the same contents.
    ContentPresent = 2,
    /// The upload is not there: the object does not exist or is older than the upload, or the multipart
    /// upload is still open. A request that was still on its way may arrive later.
    NotThere = 3,
}

/// What became of an upload whose outcome was unknown. Immutable: any thread may read it; one thread frees
/// it.
pub struct oss_callback_reconciled {
    outcome: oss_callback_outcome,
    object: Option<oss_callback_object_metadata>,
    observed_at: Option<u64>,
}

impl From<Reconciled> for oss_callback_reconciled {
    fn from(reconciled: Reconciled) -> Self {
        let of = |outcome, object| oss_callback_reconciled {
            outcome,
            object,
            observed_at: None,
        };
        let known = |object| Some(oss_callback_object_metadata::new(object));
        match reconciled {
            Reconciled::Stored(object) => of(oss_callback_outcome::Stored, known(object)),
            Reconciled::ContentPresent(object) => {
                of(oss_callback_outcome::ContentPresent, known(object))
            }
            Reconciled::NotThere { observed_at } => oss_callback_reconciled {
                observed_at: observed_at
                    .duration_since(UNIX_EPOCH)
                    .ok()
                    .map(|since| since.as_secs()),
                ..of(oss_callback_outcome::NotThere, None)
            },
            Reconciled::StillUnknown => of(oss_callback_outcome::StillUnknown, None),
        }
    }
}

/// Finds out what became of an upload that failed with the error `unknown`, whose oss_callback_error_stored
/// is OSS_CALLBACK_STORED_UNKNOWN.
///
/// Looks at the object and, for a multipart upload, first at the upload. Changes nothing. `client` need not
/// be the one that uploaded. `options` may be NULL. Free `*reconciled` with oss_callback_reconciled_free.
/// OSS keeps no record of the callback: ask the application server whether it was answered.
///
/// Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the outcome is not unknown, or if the upload used a
/// presigned URL or a form. Any other failure leaves the outcome unknown.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_client_reconcile(
    client: Option<&oss_callback_client>,
    unknown: Option<&oss_callback_error>,
    options: Option<&oss_callback_operation_options>,
    reconciled: Option<&mut MaybeUninit<*mut oss_callback_reconciled>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let client = required(client, "client")?;
        let unknown = required(unknown, "unknown")?;
        let reconcile = client.client.reconcile(unknown.error());
        let reconcile = reconcile.options(&operation_options(options)?);
        make(reconciled, "reconciled", || Ok(reconcile.send()?.into()))
    })
}

/// What is known of the upload. OSS_CALLBACK_OUTCOME_STILL_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reconciled_outcome(
    reconciled: Option<&oss_callback_reconciled>,
) -> oss_callback_outcome {
    of(
        reconciled,
        oss_callback_outcome::StillUnknown,
        |reconciled| reconciled.outcome,
    )
}

/// The object that is there; NULL unless the outcome is OSS_CALLBACK_OUTCOME_STORED or
/// OSS_CALLBACK_OUTCOME_CONTENT_PRESENT. Borrowed from `reconciled`: do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reconciled_object(
    reconciled: Option<&oss_callback_reconciled>,
) -> *const oss_callback_object_metadata {
    of(reconciled, ptr::null(), |reconciled| {
        reconciled
            .object
            .as_ref()
            .map_or(ptr::null(), ptr::from_ref)
    })
}

/// Writes to `*observed_at` the time, by OSS's clock, at which the upload was not there; returns false
/// unless the outcome is OSS_CALLBACK_OUTCOME_NOT_THERE.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reconciled_observed_at_s(
    reconciled: Option<&oss_callback_reconciled>,
    observed_at: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(
        of(reconciled, None, |reconciled| reconciled.observed_at),
        observed_at,
    )
}

/// Frees the handle.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reconciled_free(reconciled: Option<Box<oss_callback_reconciled>>) {
    free(reconciled);
}
