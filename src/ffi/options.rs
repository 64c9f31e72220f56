//! Setters of option handles: copied values, and the first fault kept for later.

use super::unwind::catch;
use crate::{Error, ErrorKind, Result};

/// What an options handle holds: the values, and the first fault of a setter.
pub(super) struct Options<T> {
    values: T,
    fault: Option<(ErrorKind, String)>,
}

impl<T: Default> Options<T> {
    pub(super) fn new() -> Self {
        Options::of(T::default())
    }
}

impl<T> Options<T> {
    pub(super) fn of(values: T) -> Self {
        Options {
            values,
            fault: None,
        }
    }

    /// The values, unless a setter found a fault.
    pub(super) fn values(&self) -> Result<&T> {
        match &self.fault {
            None => Ok(&self.values),
            Some((kind, message)) => Err(Error::new(*kind, message.as_str())),
        }
    }

    /// Runs the body of a setter.
    pub(super) fn set(&mut self, body: impl FnOnce(&mut T) -> Result<()>) {
        ended(&mut self.fault, catch(|| body(&mut self.values)));
    }

    /// As [`set`](Options::set), for values that are passed on from call to call.
    pub(super) fn replace(&mut self, body: impl FnOnce(T) -> Result<T>)
    where
        T: Clone,
    {
        self.set(|values| {
            *values = body(values.clone())?;
            Ok(())
        });
    }
}

/// What follows a setter, once for all of them.
fn ended(first: &mut Option<(ErrorKind, String)>, result: std::thread::Result<Result<()>>) {
    let fault = match result {
        Ok(Ok(())) => return,
        Ok(Err(error)) => (error.kind(), error.to_string()),
        Err(_) => (
            ErrorKind::Internal,
            "a bug in the library, in a setter".to_owned(),
        ),
    };
    first.get_or_insert(fault);
}
