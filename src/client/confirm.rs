//! Does the object of a callback exist, as the callback says? The one question of the receiving side that
//! goes to OSS.

use crate::callback::VerifiedCallback;
use crate::client::Client;
use crate::operations::object::ObjectMetadata;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

impl VerifiedCallback {
    /// Looks the object up in the bucket that the body names (HeadObject), and compares what the body says
    /// of it: ETag, size and CRC-64, whichever are there. Do this before anything valuable: neither OSS's
    /// signature nor a seal proves that the upload took place.
    ///
    /// An object that was there before passes as well: give each upload a name of its own. And the bucket may
    /// be anybody's, unless a seal says that it is yours.
    ///
    /// ```no_run
    /// # fn handle(client: &oss_callback::Client, verified: &oss_callback::callback::VerifiedCallback)
    /// # -> Result<(), oss_callback::Error> {
    /// let metadata = verified.confirm(client)?;
    /// println!("{:?}", metadata.content_type());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotConfirmed`] when there is no such object, it is not as the body says (it may have
    /// been overwritten since), or the body names none; [`ErrorKind::BadBody`]; and every error of the
    /// network and of credentials, after which nothing is known.
    pub fn confirm(&self, client: &Client) -> Result<ObjectMetadata> {
        let not = |problem: String| Error::new(ErrorKind::NotConfirmed, problem);
        let body = self.parse()?;
        let (Some(bucket), Some(object)) = (body.bucket(), body.object()) else {
            return Err(not(
                "the body has no `bucket` or no `object` to look up".to_owned()
            ));
        };
        let metadata = match client.head_object(bucket, object).send() {
            Ok(metadata) => metadata,
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::InvalidArgument].contains(&error.kind()) =>
            {
                return Err(not(format!("there is no such object: {error}")).with_source(error));
            }
            Err(error) => return Err(error),
        };
        let same_etag = |said: &str, has: &str| said.eq_ignore_ascii_case(has);
        let differs = if body
            .etag()
            .is_some_and(|said| !metadata.etag().is_some_and(|has| same_etag(said, has)))
        {
            "ETag"
        } else if body.size().is_some() && body.size() != metadata.content_length() {
            "size"
        } else if body.crc64().is_some() && body.crc64() != metadata.crc64() {
            "CRC-64"
        } else {
            return Ok(metadata);
        };
        Err(not(format!(
            "the object has another {differs} than the callback says"
        )))
    }
}
