//! What has become of an upload whose answer was lost: is it still open, and if it is not, what stands in its place?

use super::list::look_for_upload;
use crate::engine::attempts::Attempts;
use crate::engine::operation::Operation;
use crate::operations::object::ObjectMetadata;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;

/// What OSS says of an upload and its object.
pub(crate) enum Found {
    /// It can still be completed.
    Open(outcome::Answer),
    /// It is gone, or was none in parts, and an object is there.
    Object(ObjectMetadata),
    /// It is gone, and there is no object.
    Nothing(Error),
}

/// Asks ListParts about an upload, if there is one to ask about, and HeadObject about its object. An error says that OSS
/// could not be asked.
pub(crate) fn look_up(
    upload: Option<(&Attempts, Request)>,
    (attempts, object): (&Attempts, Request),
) -> Result<Found> {
    if let Some((attempts, upload)) = upload {
        match look_for_upload(attempts, upload) {
            Ok(answer) => return Ok(Found::Open(answer)),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let operation = Operation::new(attempts.engine.clone(), object);
    match operation.send_with(attempts, &[200]) {
        Ok(answer) => Ok(Found::Object(ObjectMetadata::new(answer.headers))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing(error)),
        Err(error) => Err(error),
    }
}

/// OSS does not know the upload (any more).
pub(crate) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.oss_code() == Some("NoSuchUpload")
}
