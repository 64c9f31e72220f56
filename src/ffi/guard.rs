//! The end of a function that can fail: errors and panics into codes and handles.

use std::any::Any;

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::pointers::{Out, give};
use super::unwind::{catch, look};
use crate::{Answered, Error, ErrorKind, Result, Stored};

/// Runs the body of a function that can fail and stores nothing. On failure `*error`, if wanted, becomes
/// a new handle.
pub(super) fn guard(
    error: Out<'_, *mut oss_callback_error>,
    body: impl FnOnce() -> Result<()>,
) -> oss_callback_code {
    ended(error, catch(body))
}

/// What follows a body, once for all of them: what is generic here is compiled for every function of the header.
fn ended(
    error: Out<'_, *mut oss_callback_error>,
    result: std::thread::Result<Result<()>>,
) -> oss_callback_code {
    let failure = match result {
        Ok(Ok(())) => return oss_callback_code::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => internal(panic.as_ref()),
    };
    fail(error, failure)
}

/// As [`guard`], for an upload: its failures also say what became of the callback, if there is one.
pub(super) fn guard_upload(
    error: Out<'_, *mut oss_callback_error>,
    callback: bool,
    body: impl FnOnce() -> Result<()>,
) -> oss_callback_code {
    upload_ended(error, callback, catch(body))
}

fn upload_ended(
    error: Out<'_, *mut oss_callback_error>,
    callback: bool,
    result: std::thread::Result<Result<()>>,
) -> oss_callback_code {
    let failure = match result {
        Ok(Ok(())) => return oss_callback_code::Ok,
        // An argument was refused before the upload learned of its callback.
        Ok(Err(failure)) if callback && failure.answered() == Answered::NotRequested => {
            failure.with_verdict(Stored::No, Answered::No)
        }
        Ok(Err(failure)) => failure,
        // It may have come after the last byte was sent, so nothing is claimed.
        Err(panic) => internal(panic.as_ref()).with_verdict(
            Stored::Unknown,
            if callback {
                Answered::Unknown
            } else {
                Answered::NotRequested
            },
        ),
    };
    fail(error, failure)
}

/// Gives a failure out, and says its code.
fn fail(error: Out<'_, *mut oss_callback_error>, failure: Error) -> oss_callback_code {
    let code = failure.kind().into();
    look((), || {
        // The copies for C are not made when they are not wanted.
        if error.is_some() {
            give(error, oss_callback_error::new(failure));
        }
    });
    code
}

/// An error for a panic.
fn internal(panic: &(dyn Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(
        ErrorKind::Internal,
        format!("a bug in the library, please report it: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict of a function whose body panics.
    fn verdict_of(
        function: impl FnOnce(Out<'_, *mut oss_callback_error>) -> oss_callback_code,
    ) -> (Stored, Answered) {
        let mut error = std::mem::MaybeUninit::new(std::ptr::null_mut());
        assert_eq!(function(Some(&mut error)), oss_callback_code::Internal);
        // SAFETY: the guard gave a handle, which is taken back once.
        let error = unsafe { Box::from_raw(error.assume_init()) };
        assert!(error.error().to_string().contains("on purpose"));
        (error.error().stored(), error.error().answered())
    }

    #[test]
    fn a_panic_becomes_a_code_and_claims_nothing() {
        let panics = || panic!("on purpose");
        assert_eq!(
            verdict_of(|error| guard(error, panics)),
            (Stored::No, Answered::NotRequested)
        );
        assert_eq!(
            verdict_of(|error| guard_upload(error, false, panics)),
            (Stored::Unknown, Answered::NotRequested)
        );
        assert_eq!(
            verdict_of(|error| guard_upload(error, true, panics)),
            (Stored::Unknown, Answered::Unknown)
        );
        assert_eq!(look(7, || panic!("on purpose")), 7);
    }
}
