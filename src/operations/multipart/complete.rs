//! CompleteMultipartUpload: makes the object of its parts, and asks for the callback.
//!
//! An upload id is consumed once, so the same request may be sent any number of times and delivers its
//! callback at most once. What a lost answer leaves open is looked up: is the upload still open, and if it is
//! not, is the object there?

use std::fmt::Write as _;

use super::look_up::{Found, is_gone, look_up};
use super::{MultipartUpload, Part, list_parts};
use crate::base::crc64;
use crate::base::xml;
use crate::engine::Engine;
use crate::engine::attempts::Attempts;
use crate::engine::operation::operation_setters;
use crate::operations::object::ObjectMetadata;
use crate::operations::presign::{self, PresignOptions, PresignedUrl};
use crate::operations::put_options::{PutOptions, Step, object_acl_setter};
use crate::outcome::error::{Error, Result};
use crate::outcome::receipt::Receipt;
use crate::outcome::retry::{self, Again, RetryPolicy};
use crate::outcome::unsettled::Contents;
use crate::outcome::verdict::{Answered, ErrorKind, Stored};
use crate::outcome::{self, Asked};
use crate::request::Request;
use crate::spec::CallbackSpec;
use crate::transport::{Body, Limits};

/// Completes a multipart upload. Made by [`MultipartUpload::complete`]; one of the `send` methods carries it
/// out.
///
/// # When the answer is lost
///
/// The upload is looked up, with ListParts and HeadObject:
///
/// | upload | object | stored | answered |
/// |---|---|---|---|
/// | gone | has the size and the CRC-64 of the parts | yes | unknown |
/// | gone | is another one, or there is none | unknown: replaced, deleted or aborted meanwhile | unknown |
/// | open | | not yet: the same request is sent again, as the [`RetryPolicy`](crate::RetryPolicy) says | |
///
/// Sending it again cannot deliver the callback twice, since OSS completes an upload once. Without a callback
/// the first line is a success like any other. It needs size and CRC-64 of every part: parts that
/// [`UploadPart`](crate::UploadPart) and [`ListParts`](crate::ListParts) give have both.
#[derive(Debug)]
#[must_use = "nothing is sent before one of the `send` methods is called"]
pub struct CompleteMultipartUpload {
    upload: MultipartUpload,
    options: PutOptions,
}

impl CompleteMultipartUpload {
    operation_setters!(self, self.options.limits);
    object_acl_setter!(self, self.options);

    pub(super) fn new(upload: &MultipartUpload) -> CompleteMultipartUpload {
        CompleteMultipartUpload {
            options: PutOptions::new().of(Step::Complete, &upload.of_completing),
            upload: upload.clone(),
        }
    }

    /// Those of these options that apply to completing an upload, in place of those that were given before: the callback,
    /// the ACL, whether an object is replaced, whether its CRC-64 is compared, who pays, and the limits. ACL and replacing
    /// default to what was given when the upload was begun.
    pub fn options(mut self, options: &PutOptions) -> Self {
        self.options = options.of(Step::Complete, &self.upload.of_completing);
        self.upload.paid_by(options);
        self
    }

    /// Asks OSS to call the application server once the object is stored, and to pass its answer on. `None` takes an
    /// earlier one away.
    pub fn callback<'s>(mut self, spec: impl Into<Option<&'s CallbackSpec>>) -> Self {
        self.options.callback = spec.into().cloned();
        self
    }

    /// Whether an object with this name is kept: completing then fails with [`ErrorKind::Conflict`], and the
    /// upload stays open. Default: as given when the upload was begun, else false: it is replaced.
    pub fn forbid_overwrite(mut self, forbid: bool) -> Self {
        self.options.set(
            "x-oss-forbid-overwrite",
            if forbid { "true" } else { "false" },
        );
        self
    }

    /// Whether the CRC-64 of the object is compared with the one that its parts add up to. Default: true.
    /// Without it nothing can be said of the object after a lost answer.
    pub fn compare_crc64(mut self, compare: bool) -> Self {
        self.options.compare_crc64 = compare;
        self
    }

    /// Any other header of CompleteMultipartUpload by its name. A later value replaces an earlier one, also
    /// that of a setter. Headers that the library sets itself are refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.options.set_other(name, value);
        self
    }

    /// Makes the object of these parts, in any order here; by number in the object. Waits for the answer:
    /// with a callback for that of the application server.
    ///
    /// # Errors
    ///
    /// Those of [`PutObject::send_bytes`](crate::PutObject::send_bytes), and [`ErrorKind::Refused`] with the
    /// code `InvalidPart` when OSS has no such part, `EntityTooSmall` when one that is not the last has fewer
    /// than 102400 bytes; [`ErrorKind::NotFound`] when OSS does not know the upload. The upload is still open
    /// if [`Error::stored`] is [`Stored::No`] and the kind another than that.
    pub fn send(self, parts: &[Part]) -> Result<Receipt> {
        let body = document(parts).map_err(|e| self.before_sending(e))?;
        let attempts = self.attempts();
        self.complete(&attempts, body, Contents::of(parts))
    }

    /// Makes the object of all parts that OSS has (`x-oss-complete-all`). They are listed first, so that the
    /// object's CRC-64 can be compared and a lost answer looked up; with
    /// [`compare_crc64(false)`](CompleteMultipartUpload::compare_crc64) they are not.
    ///
    /// # Errors
    ///
    /// As [`send`](CompleteMultipartUpload::send).
    pub fn send_all(mut self) -> Result<Receipt> {
        self.options.set("x-oss-complete-all", "yes");
        self.prepare(true).map_err(|e| self.before_sending(e))?;
        let attempts = self.attempts();
        let contents = if self.options.compare_crc64 {
            let parts = list_parts(&attempts, &self.upload).map_err(|e| self.before_sending(e))?;
            Contents::of(&parts)
        } else {
            None
        };
        self.complete(&attempts, Vec::new(), contents)
    }

    /// Permits completing this upload to others, in place of doing it: they send the list of parts as the
    /// body, or nothing if the header `x-oss-complete-all: yes` is
    /// [given](CompleteMultipartUpload::header) here.
    ///
    /// # Errors
    ///
    /// Every error of arguments, and [`ErrorKind::CredentialsFailed`].
    pub fn presign(self, options: &PresignOptions) -> Result<PresignedUrl> {
        let request = self.prepare(false)?;
        let callback = self.options.callback.as_ref();
        presign::presign(&self.upload.engine, request, callback, options)
    }

    fn attempts(&self) -> Attempts {
        let callback_urls = self.options.callback.as_ref().map_or(0, CallbackSpec::urls);
        self.options
            .limits
            .attempts(&self.upload.engine, callback_urls)
    }

    fn complete(
        self,
        attempts: &Attempts,
        body: Vec<u8>,
        contents: Option<Contents>,
    ) -> Result<Receipt> {
        let request = self.prepare(true).map_err(|e| self.before_sending(e))?;
        let complete = Complete {
            callback: self.options.callback.is_some(),
            contents: contents.filter(|_| self.options.compare_crc64),
            sent_before: false,
            request,
            body,
            upload: self.upload,
        };
        complete.send(attempts).result
    }

    /// The request with its headers, and with those of the callback if wanted; refuses what OSS refuses or what makes no
    /// sense.
    fn prepare(&self, with_callback: bool) -> Result<Request> {
        self.upload.check()?;
        self.options.check()?;
        let mut request = self.upload.request("POST");
        for (name, value) in &self.options.headers {
            request.set_header(name.clone(), value.clone());
        }
        if let Some(spec) = self.options.callback.as_ref().filter(|_| with_callback) {
            spec.add_to(&mut request);
        }
        request.check()?;
        Ok(request)
    }

    fn before_sending(&self, error: Error) -> Error {
        outcome::before_sending(error, self.options.callback.is_some())
    }
}

/// The body of the request. OSS wants ascending numbers.
fn document(parts: &[Part]) -> Result<Vec<u8>> {
    if parts.is_empty() {
        return Err(Error::argument("`parts` is empty"));
    }
    let mut xml = String::from("<CompleteMultipartUpload>");
    let mut last = 0;
    for part in ascending(parts) {
        part.check()?;
        let number = part.number();
        if number == last {
            let message = format!("`parts` names part {number} twice");
            return Err(Error::argument(message));
        }
        last = number;
        let etag = xml::escape(part.etag());
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>"
        );
    }
    xml.push_str("</CompleteMultipartUpload>");
    Ok(xml.into_bytes())
}

fn ascending(parts: &[Part]) -> Vec<&Part> {
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by_key(|part| part.number());
    sorted
}

impl Contents {
    /// What parts add up to, if all is known of each.
    pub(crate) fn of(parts: &[Part]) -> Option<Contents> {
        let empty = Contents { size: 0, crc64: 0 };
        ascending(parts).into_iter().try_fold(empty, |whole, part| {
            let size = part.size()?;
            Some(Contents {
                size: whole.size.checked_add(size)?,
                crc64: crc64::combine(whole.crc64, part.crc64()?, size),
            })
        })
    }

    fn are_those_of(self, object: &ObjectMetadata) -> bool {
        object.is_of_parts()
            && object.content_length() == Some(self.size)
            && object.crc64() == Some(self.crc64)
    }
}

/// A request to complete an upload, which has been checked.
pub(crate) struct Complete {
    pub(crate) upload: MultipartUpload,
    /// With the headers of the callback.
    pub(crate) request: Request,
    pub(crate) body: Vec<u8>,
    pub(crate) callback: bool,
    /// What the object must have, if it is known.
    pub(crate) contents: Option<Contents>,
    /// An earlier process may have sent it already.
    pub(crate) sent_before: bool,
}

/// What became of a request to complete an upload.
pub(crate) struct Completed {
    pub(crate) result: Result<Receipt>,
    /// The upload cannot be completed any more, and whether it was is as clear as it will be.
    pub(crate) gone: bool,
    /// The request may have reached OSS.
    pub(crate) sent: bool,
}

impl Complete {
    /// The request of these parts.
    pub(crate) fn new(upload: &MultipartUpload, parts: &[Part]) -> Result<Complete> {
        Ok(Complete {
            request: upload.request("POST"),
            body: document(parts)?,
            callback: false,
            contents: Contents::of(parts),
            sent_before: false,
            upload: upload.clone(),
        })
    }

    pub(crate) fn send(self, attempts: &Attempts) -> Completed {
        let mut lost = self.sent_before;
        let mut gone = false;
        let mut sent = self.sent_before;
        let mut answer_lost = self.sent_before;
        let done = attempts.run(|engine, limits| {
            let (result, left) = self.send_once(engine, limits);
            sent |= left;
            answer_lost |= is_unknown(&result);
            let (result, is_gone) = match result {
                Err(error) if is_open_question(&error, lost) => {
                    self.look(engine, limits, attempts.policy, error, lost)
                }
                result => (result, false),
            };
            gone = is_gone;
            lost |= is_unknown(&result);
            let again = Again {
                callback: self.callback,
                // The upload is completed once, however often that is asked for.
                idempotent: true,
                rewindable: !is_gone,
                signed_anew: true,
            };
            (result, again)
        });
        let result = done.map(|(receipt, history)| receipt.with_history(history));
        let unsettled = self.upload.unsettled(self.contents, answer_lost);
        Completed {
            result: result
                .map_err(|error| retry::add_up(self.sent_before, error).with_unsettled(unsettled)),
            gone,
            sent,
        }
    }

    /// Sends it, and says whether it may have reached OSS.
    fn send_once(&self, engine: &Engine, limits: &Limits) -> (Result<Receipt>, bool) {
        let mut reader = self.body.as_slice();
        let body = Body {
            len: Some(self.body.len() as u64),
            ends: true,
            name: "the list of parts",
            reader: &mut reader,
            progress: &mut |_, _| {},
            bandwidth: None,
        };
        let exchange = engine.exchange(&self.request, Some(body), limits);
        let sent = exchange.last_write_started;
        let result = outcome::of_upload(outcome::SentUpload {
            asked: Asked::Completion,
            last_write_started: sent,
            all_sent: exchange.all_sent,
            callback: self.callback,
            crc64: self.contents.map_or(0, |contents| contents.crc64),
            compare_crc64: self.contents.is_some(),
            success: 200,
            waited: exchange.waited,
            result: exchange.result.map(|answer| engine.read(answer)),
        });
        (result, sent)
    }

    /// Finds out what a lost answer, or an upload that OSS does not know, means. True if there is nothing
    /// more to find out.
    fn look(
        &self,
        engine: &Engine,
        limits: &Limits,
        policy: RetryPolicy,
        error: Error,
        lost: bool,
    ) -> (Result<Receipt>, bool) {
        let answered = match self.callback {
            true => Answered::Unknown,
            false => Answered::NotRequested,
        };
        let unknown = |error: Error, why| error.with_verdict(Stored::Unknown, answered).and(why);
        let lost = lost || error.stored() == Stored::Unknown;
        let Ok(found) = self.find(engine, limits, policy, is_gone(&error)) else {
            let why = "what became of the upload could not be looked up";
            return (Err(unknown(error, why)), false);
        };
        match found {
            Found::Open(_) => (Err(error), false),
            Found::Object(object) if !self.is_made_of(&object) => {
                let why = "the upload is gone, and the object cannot be shown to come of it";
                (Err(unknown(error, why)), true)
            }
            Found::Object(object) if lost => {
                let receipt = Receipt::of_look_up(object.into_headers(), error.waited());
                if !self.callback {
                    return (Ok(receipt), true);
                }
                let error = error
                    .with_verdict(Stored::Yes, answered)
                    .with_receipt(Some(receipt))
                    .and("the upload is completed, and the object is there");
                (Err(error), true)
            }
            // Whoever had it completed or aborted, it was not this request.
            Found::Object(_) => {
                let why = "the object has the size and the CRC-64 of the parts, but may be older";
                (Err(unknown(error, why)), true)
            }
            // Nobody else can have completed it without an object coming of it.
            Found::Nothing(_) if !lost => (Err(error), true),
            Found::Nothing(_) => {
                let why = "the upload is gone, and the object cannot be shown to come of it";
                (Err(unknown(error, why)), true)
            }
        }
    }

    /// `gone` if OSS has said so already.
    fn find(
        &self,
        engine: &Engine,
        limits: &Limits,
        policy: RetryPolicy,
        gone: bool,
    ) -> Result<Found> {
        let attempts = |policy| Attempts {
            engine: engine.clone(),
            policy,
            limits: limits.clone(),
        };
        // The request itself is tried again, and then this, too.
        let once = attempts(RetryPolicy::none());
        let open = (!gone).then(|| (&once, self.upload.request("GET")));
        look_up(
            open,
            (&attempts(policy), self.upload.request_for_object("HEAD")),
        )
    }

    /// The object is the one that the parts add up to, as far as that is known.
    fn is_made_of(&self, object: &ObjectMetadata) -> bool {
        let contents = self.contents;
        contents.is_some_and(|contents| contents.are_those_of(object))
    }
}

fn is_unknown<T>(result: &Result<T>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.stored() == Stored::Unknown)
}

/// Whether more can be found out than the error says: nobody knows what became of the request, or a refusal
/// may be due to an earlier one that was not refused.
fn is_open_question(error: &Error, lost: bool) -> bool {
    match error.stored() {
        _ if error.kind() == ErrorKind::Cancelled => false,
        Stored::Yes => false,
        Stored::Unknown => true,
        // A proxy's refusal says nothing of the upload.
        Stored::No => is_gone(error) || (lost && error.request_id().is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_of_a_proxy_leaves_nothing_to_look_up() {
        use crate::outcome::headers::Headers;

        let refusal = |kind, headers| Error::new(kind, "m").with_answer(407, headers, Vec::new());
        let of_a_proxy = refusal(ErrorKind::Connect, Headers::default());
        assert!(!is_open_question(&of_a_proxy, true));
        let mut headers = Headers::default();
        headers.push("x-oss-request-id", b"1");
        let of_oss = refusal(ErrorKind::Refused, headers);
        assert!(is_open_question(&of_oss, true));
        assert!(!is_open_question(&of_oss, false));
    }

    #[test]
    fn the_document_is_sorted_and_escaped() {
        let parts = [Part::new(10, "b<&>"), Part::new(2, "\"A\"")];
        assert_eq!(
            String::from_utf8(document(&parts).unwrap()).unwrap(),
            "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>\"A\"</ETag></Part>\
             <Part><PartNumber>10</PartNumber><ETag>\"b&lt;&amp;&gt;\"</ETag></Part>\
             </CompleteMultipartUpload>"
        );
        for (parts, said) in [
            (&[][..], "`parts` is empty"),
            (
                &[Part::new(0, "A")][..],
                "`part_number` 0 is not in 1 to 10000",
            ),
            (&[Part::new(1, "")][..], "part 1 has no ETag"),
            (
                &[Part::new(3, "A"), Part::new(1, "A"), Part::new(3, "B")][..],
                "`parts` names part 3 twice",
            ),
        ] {
            assert_eq!(document(parts).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn contents_add_up_only_if_everything_is_known() {
        // CRC-64/XZ of "1234", "56789" and of both together.
        let crc = |bytes: &[u8]| {
            let mut crc = crc64::Crc64::new();
            crc.update(bytes);
            crc.value()
        };
        let first = Part::new(1, "A").with_size(4).with_crc64(crc(b"1234"));
        let second = Part::new(7, "B").with_size(5).with_crc64(crc(b"56789"));
        let whole = Contents {
            size: 9,
            crc64: 0x995D_C9BB_DF19_39FA,
        };
        assert_eq!(Contents::of(&[second.clone(), first.clone()]), Some(whole));
        assert_eq!(Contents::of(&[first, Part::new(2, "C").with_size(1)]), None);
    }
}
