//! An upload ended with nobody knowing whether its object is stored: looks at OSS and says what can be said.

use std::time::{Duration, SystemTime};

use crate::engine::Engine;
use crate::engine::operation::{OperationOptions, operation_options};
use crate::operations::multipart::{Found, look_up};
use crate::operations::object::ObjectMetadata;
use crate::outcome::error::{Error, Result};
use crate::outcome::unsettled::{LostRequest, Unsettled};
#[cfg(doc)]
use crate::outcome::verdict::ErrorKind;
use crate::outcome::verdict::Stored;
use crate::request::Request;
use crate::request::object_headers::IDEMPOTENCY_ID;

/// What became of an upload whose outcome was [unknown](Stored::Unknown).
///
/// Nothing here says whether the callback was answered: OSS does not keep that. Ask the application server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reconciled {
    /// The upload is stored. Proven by its idempotency id; or, for an upload in parts, by its upload id, which is
    /// used up, with an object there that was made of parts and has their size and CRC-64.
    Stored(ObjectMetadata),
    /// An object with the size and the CRC-64 of the upload is there. Whether this upload has stored it, or an
    /// earlier one with the same contents, cannot be told without an idempotency id.
    ContentPresent(ObjectMetadata),
    /// The upload is not there: there is no such object, or only one from before the upload, or the upload in parts
    /// is still open.
    NotThere {
        /// OSS's time when it said so. A request that was still on its way may arrive later.
        observed_at: SystemTime,
    },
    /// There is another object, perhaps put in the place of this one; or one that cannot be compared.
    StillUnknown,
}

/// Finds out what became of an upload whose outcome is unknown. Made by [`Client::reconcile`](crate::Client::reconcile).
///
/// ```no_run
/// # use oss_callback::{Client, Reconciled, Stored};
/// # fn upload(client: &Client, upload_again: impl Fn()) -> Result<(), oss_callback::Error> {
/// let put = client.put_object("examplebucket", "cat.jpg").idempotency_id("order-4711");
/// match put.send_file("cat.jpg") {
///     Ok(receipt) => println!("stored: {:?}", receipt.etag()),
///     Err(error) if error.stored() == Stored::Unknown => match client.reconcile(&error).send()? {
///         Reconciled::Stored(object) => println!("stored all the same: {:?}", object.etag()),
///         Reconciled::NotThere { .. } => upload_again(),
///         other => println!("somebody has to look: {other:?}"),
///     },
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent before `send` is called"]
pub struct Reconcile {
    engine: Engine,
    unsettled: Result<Unsettled>,
    options: OperationOptions,
}

impl Reconcile {
    operation_options!();

    pub(crate) fn new(engine: Engine, error: &Error) -> Reconcile {
        let unsettled = match (error.stored(), error.unsettled()) {
            (Stored::Unknown, Some(unsettled)) => Ok(unsettled.clone()),
            (Stored::Unknown, None) => Err(
                "`error` does not say which object it is about: it is of an upload by a URL or form",
            ),
            (Stored::Yes, _) => Err("`error` leaves nothing open: the object is stored"),
            (Stored::No, _) => Err("`error` leaves nothing open: the object is not stored"),
        };
        Reconcile {
            engine,
            unsettled: unsettled.map_err(Error::argument),
            options: OperationOptions::default(),
        }
    }

    /// Looks at the object (HeadObject), and for an upload in parts first at the upload (ListParts). Nothing is
    /// changed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when the error's outcome is not unknown, or it is of an upload by a presigned
    /// URL or a form, which does not say what it stores. Every error of network and credentials: then as much is
    /// known as before.
    pub fn send(self) -> Result<Reconciled> {
        let unsettled = self.unsettled?;
        self.options.check()?;
        let attempts = self.options.attempts(&self.engine, 0);
        let open = match &unsettled.request {
            LostRequest::Complete { upload_id, .. } => {
                let open = request("GET", &unsettled).query("uploadId", Some(upload_id));
                Some((&attempts, open))
            }
            LostRequest::Put { .. } => None,
        };
        Ok(
            match look_up(open, (&attempts, request("HEAD", &unsettled)))? {
                Found::Open(answer) => not_there(answer.headers.text("date")),
                Found::Object(object) => judge(&unsettled, object),
                Found::Nothing(error) => not_there(error.header("date")),
            },
        )
    }
}

fn request(method: &'static str, unsettled: &Unsettled) -> Request {
    let mut request = Request::new(method, &unsettled.bucket, &unsettled.object);
    if unsettled.requester_pays {
        request.set_header("x-oss-request-payer", "requester");
    }
    request
}

fn not_there(date: Option<&str>) -> Reconciled {
    let said = date.and_then(|date| httpdate::parse_http_date(date).ok());
    Reconciled::NotThere {
        observed_at: said.unwrap_or_else(SystemTime::now),
    }
}

/// What an object that is there says of the upload.
fn judge(unsettled: &Unsettled, object: ObjectMetadata) -> Reconciled {
    let size_and_crc64 = unsettled
        .contents
        .zip(object.content_length().zip(object.crc64()))
        .map(|(sent, (size, crc64))| (sent.size, sent.crc64) == (size, crc64));
    let same_id = unsettled
        .idempotency_id
        .as_deref()
        .map(|id| object.metadata(IDEMPOTENCY_ID) == Some(id));
    // An id that comes with other contents was given to another upload, too, and proves nothing.
    if same_id == Some(true) && size_and_crc64 != Some(false) {
        return Reconciled::Stored(object);
    }
    let same_contents = size_and_crc64 == Some(true);
    match &unsettled.request {
        LostRequest::Complete { answer_lost, .. } => {
            if same_contents && *answer_lost && object.is_of_parts() {
                return Reconciled::Stored(object);
            }
        }
        // With an id it is plain that this is not the upload; without one the contents are worth more than that.
        LostRequest::Put { begun } => {
            let older = is_older(&object, begun.elapsed());
            if older && (same_id == Some(false) || !same_contents) {
                return not_there(object.header("date"));
            }
        }
    }
    match same_contents {
        true => Reconciled::ContentPresent(object),
        false => Reconciled::StillUnknown,
    }
}

/// Whether an object was stored before an upload began that lasted until now, by OSS's own clock, which tells
/// seconds. Only of one that was put: the time of one made of parts may be that of their beginning.
fn is_older(object: &ObjectMetadata, lasted: Duration) -> bool {
    let date = object.header("date");
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let begun = date.and_then(|date| date.checked_sub(lasted));
    let stored = object
        .last_modified()
        .and_then(|time| time.checked_add(Duration::from_secs(1)));
    let was_put = object.header("x-oss-object-type") == Some("Normal");
    was_put
        && stored
            .zip(begun)
            .is_some_and(|(stored, begun)| stored <= begun)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::outcome::headers::Headers;
    use crate::outcome::unsettled::Contents;

    const NOW: &str = "Thu, 01 Jan 1970 01:00:00 GMT";
    const A_SECOND_AGO: &str = "Thu, 01 Jan 1970 00:59:59 GMT";
    const LONG_AGO: &str = "Thu, 01 Jan 1970 00:00:00 GMT";

    fn put(id: Option<&str>) -> Unsettled {
        Unsettled {
            bucket: "b".to_owned(),
            object: "o".to_owned(),
            contents: Some(Contents { size: 3, crc64: 7 }),
            idempotency_id: id.map(str::to_owned),
            requester_pays: false,
            request: LostRequest::Put {
                begun: Instant::now(),
            },
        }
    }

    fn complete(answer_lost: bool) -> Unsettled {
        Unsettled {
            request: LostRequest::Complete {
                upload_id: "u".to_owned(),
                answer_lost,
            },
            ..put(None)
        }
    }

    fn object(kind: &str, crc64: &str, last_modified: &str, id: Option<&str>) -> ObjectMetadata {
        let mut headers = Headers::default();
        for (name, value) in [
            ("content-length", "3"),
            ("date", NOW),
            ("x-oss-object-type", kind),
            ("x-oss-hash-crc64ecma", crc64),
            ("last-modified", last_modified),
        ] {
            headers.push(name, value.as_bytes());
        }
        if let Some(id) = id {
            headers.push("x-oss-meta-idempotency-id", id.as_bytes());
        }
        ObjectMetadata::new(headers)
    }

    fn said(reconciled: &Reconciled) -> &'static str {
        match reconciled {
            Reconciled::Stored(_) => "stored",
            Reconciled::ContentPresent(_) => "content",
            Reconciled::NotThere { .. } => "not there",
            Reconciled::StillUnknown => "unknown",
        }
    }

    #[test]
    fn an_object_says_what_it_can_of_the_upload() {
        let normal = |crc64, time, id| object("Normal", crc64, time, id);
        let parts = |crc64| object("Multipart", crc64, LONG_AGO, None);
        for (unsettled, object, expected) in [
            // Without an id the same contents may be another upload's, however old.
            (put(None), normal("7", NOW, None), "content"),
            (put(None), normal("7", LONG_AGO, None), "content"),
            (put(None), normal("7", NOW, Some("i")), "content"),
            // Other contents may have replaced it, unless they were there before.
            (put(None), normal("8", NOW, None), "unknown"),
            (put(None), normal("8", A_SECOND_AGO, None), "unknown"),
            (put(None), normal("8", LONG_AGO, None), "not there"),
            (put(None), normal("none", NOW, None), "unknown"),
            // The time of an object that was made of parts says nothing.
            (put(None), parts("8"), "unknown"),
            // The id decides, unless it was given twice.
            (put(Some("i")), normal("7", NOW, Some("i")), "stored"),
            (put(Some("i")), normal("none", NOW, Some("i")), "stored"),
            (put(Some("i")), normal("8", NOW, Some("i")), "unknown"),
            (
                put(Some("i")),
                normal("8", LONG_AGO, Some("i")),
                "not there",
            ),
            (put(Some("i")), normal("7", NOW, Some("j")), "content"),
            (put(Some("i")), normal("7", LONG_AGO, None), "not there"),
            // The upload is used up: the object is the one that was made of it, or has taken its place.
            (complete(true), parts("7"), "stored"),
            (complete(true), parts("8"), "unknown"),
            (complete(true), normal("7", NOW, None), "content"),
            (complete(true), normal("8", LONG_AGO, None), "unknown"),
            // OSS did not know it in the first place: it may have been aborted, and the object be older.
            (complete(false), parts("7"), "content"),
        ] {
            let reconciled = judge(&unsettled, object.clone());
            assert_eq!(said(&reconciled), expected, "{unsettled:?} {object:?}");
        }
    }

    #[test]
    fn an_object_that_came_during_the_upload_is_not_older() {
        let object = object("Normal", "8", LONG_AGO, None);
        assert!(is_older(&object, Duration::from_secs(3599)));
        assert!(!is_older(&object, Duration::from_millis(3_599_001)));
        assert!(!is_older(&object, Duration::MAX));
    }
}
