//! ListMultipartUploads: which uploads of a bucket were begun and neither completed nor aborted.

use std::time::{Duration, SystemTime};

use super::{MAX_ID_LEN, check_len};
use crate::base::dates::iso8601;
use crate::base::percent;
use crate::base::xml;
use crate::engine::Engine;
use crate::engine::operation::{Operation, OperationOptions, operation_options};
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;

/// A multipart upload that OSS knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedUpload {
    /// The object that it is to become.
    pub object: String,
    /// OSS's name for it; [`Client::multipart_upload`](crate::Client::multipart_upload) goes on with it.
    pub upload_id: String,
    /// When it was begun, in OSS's form: `2012-02-23T04:18:23.000Z`.
    pub initiated: String,
}

/// The multipart uploads of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultipartUploadList {
    /// By object, then by upload id.
    pub uploads: Vec<ListedUpload>,
    /// With a delimiter: what the uploads' names have in common up to it, each once.
    pub common_prefixes: Vec<String>,
}

/// Asks for the multipart uploads of a bucket. Made by [`Client::list_multipart_uploads`](crate::Client::list_multipart_uploads).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send` is called"]
pub struct ListMultipartUploads {
    engine: Engine,
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    object: Option<String>,
    since: Option<SystemTime>,
    max_uploads: usize,
    options: OperationOptions,
}

impl ListMultipartUploads {
    operation_options!();

    pub(crate) fn new(engine: Engine, bucket: &str) -> ListMultipartUploads {
        ListMultipartUploads {
            engine,
            bucket: bucket.to_owned(),
            prefix: None,
            delimiter: None,
            object: None,
            since: None,
            max_uploads: 100_000,
            options: OperationOptions::default(),
        }
    }

    /// Only uploads of objects whose names begin so.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Uploads whose names, after the prefix, have this text in them are summed up to
    /// [`common_prefixes`](MultipartUploadList::common_prefixes): `/` for something like folders.
    pub fn delimiter(mut self, delimiter: &str) -> Self {
        self.delimiter = Some(delimiter.to_owned());
        self
    }

    /// Only uploads of the object with this name. In place of a prefix and a delimiter.
    pub fn object(mut self, object: &str) -> Self {
        self.object = Some(object.to_owned());
        self
    }

    /// Only uploads that were begun at this time of the local clock or later, such as those whose answer was lost: see
    /// [`InitiateMultipartUpload::send`](crate::InitiateMultipartUpload::send). OSS's clock may differ: its answer says by
    /// how much, to the second, and in doubt an upload is listed. Another program may have begun one of them, so look
    /// before you abort it.
    ///
    /// ```no_run
    /// # use oss_callback::{Client, Error};
    /// # fn find(client: &Client) -> Result<(), Error> {
    /// let since = std::time::SystemTime::now();
    /// if let Err(error) = client.upload_file("examplebucket", "holiday.mp4").send("holiday.mp4") {
    ///     eprintln!("{error}: {:?}", error.notes());
    ///     let list = client.list_multipart_uploads("examplebucket").object("holiday.mp4").begun_since(since);
    ///     for upload in list.send()?.uploads {
    ///         eprintln!("{} was begun at {}", upload.upload_id, upload.initiated);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn begun_since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// How many uploads and common prefixes are kept in memory; more are an error. Default: 100,000.
    pub fn max_uploads(mut self, uploads: usize) -> Self {
        self.max_uploads = uploads;
        self
    }

    /// Sends as many requests as it takes, one for each 1000 uploads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] when an answer is cut short or is not a list of uploads, or when there
    /// are more than [`max_uploads`](ListMultipartUploads::max_uploads); every error of arguments and
    /// network.
    pub fn send(self) -> Result<MultipartUploadList> {
        Request::on_bucket("GET", &self.bucket).check()?;
        for (name, text) in [("prefix", &self.prefix), ("delimiter", &self.delimiter)] {
            check_len(name, text.as_deref().unwrap_or_default())?;
        }
        self.options.check()?;
        let attempts = self.options.attempts(&self.engine, 0);
        let mut list = MultipartUploadList::default();
        let mut markers = (String::new(), String::new());
        loop {
            let operation = Operation::new(self.engine.clone(), self.request(&markers));
            let answer = operation.send_with(&attempts, &[200])?;
            let Some(page) = Page::read(&answer) else {
                return Err(damaged("is not a whole list of uploads", answer));
            };
            let brings_nothing =
                page.list.uploads.is_empty() && page.list.common_prefixes.is_empty();
            let since = self.since.map(|since| by_clock_of(&answer, since));
            let wanted = |upload: &ListedUpload| {
                let object = self.object.as_ref();
                object.is_none_or(|object| *object == upload.object)
                    && since
                        .as_ref()
                        .is_none_or(|since| begun_since(upload, since))
            };
            let uploads = page.list.uploads.into_iter();
            list.uploads.extend(uploads.filter(wanted));
            list.common_prefixes.extend(page.list.common_prefixes);
            if list.uploads.len() + list.common_prefixes.len() > self.max_uploads {
                let message = format!("has more than {} uploads", self.max_uploads);
                return Err(damaged(&message, answer));
            }
            let Some(next) = page.next else {
                return Ok(list);
            };
            if next <= markers || brings_nothing {
                return Err(damaged("does not move on", answer));
            }
            if next.0.len().max(next.1.len()) > MAX_ID_LEN {
                return Err(damaged("goes on at a name that is too long", answer));
            }
            markers = next;
        }
    }

    fn request(&self, (key, id): &(String, String)) -> Request {
        let mut request = Request::on_bucket("GET", &self.bucket)
            .query("uploads", None)
            .query("max-uploads", Some("1000"))
            .query("encoding-type", Some("url"));
        let (prefix, delimiter) = match &self.object {
            Some(object) => (Some(object.as_str()), None),
            None => (self.prefix.as_deref(), self.delimiter.as_deref()),
        };
        for (name, value) in [
            ("prefix", prefix),
            ("delimiter", delimiter),
            ("key-marker", Some(key.as_str())),
            ("upload-id-marker", Some(id.as_str())),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                request = request.query(name, Some(value));
            }
        }
        request
    }
}

/// The last second that OSS's form of a time has room for: the end of the year 9999.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// A time of the local clock by that of OSS, in the form of its lists: `2012-02-23T04:18:23`.
fn by_clock_of(answer: &outcome::Answer, time: SystemTime) -> String {
    let now = SystemTime::now();
    let theirs = answer.headers.text("date");
    let theirs = theirs.and_then(|date| httpdate::parse_http_date(date).ok());
    // The answer was under way since, so this is rather too early than too late.
    let corrected = match theirs.map(|theirs| theirs.duration_since(now)) {
        None => Some(time),
        Some(Ok(behind)) => time.checked_add(behind),
        Some(Err(ahead)) => time.checked_sub(ahead.duration()),
    };
    let last = SystemTime::UNIX_EPOCH.checked_add(LAST_SECOND);
    let since = corrected.unwrap_or(time);
    let mut text = iso8601(last.map_or(since, |last| last.min(since)));
    text.truncate("2012-02-23T04:18:23".len());
    text
}

/// Whether an upload was begun at this time or later, or does not say when.
fn begun_since(upload: &ListedUpload, since: &str) -> bool {
    // Texts of this form have the order of the times.
    upload
        .initiated
        .get(..since.len())
        .is_none_or(|initiated| initiated >= since)
}

fn damaged(problem: &str, answer: outcome::Answer) -> Error {
    let message = format!("OSS's answer to ListMultipartUploads {problem}");
    outcome::useless(ErrorKind::Protocol, &message, answer)
}

struct Page {
    list: MultipartUploadList,
    /// The markers of the next page, if there is one.
    next: Option<(String, String)>,
}

impl Page {
    fn read(answer: &outcome::Answer) -> Option<Page> {
        let document = xml::parse(&answer.body)?;
        let root = document.root;
        if answer.damage.is_some() || !document.whole || root.name != "ListMultipartUploadsResult" {
            return None;
        }
        // A server that does not know the parameter encoding-type sends names as they are.
        let encoded = root.text_of("EncodingType").map(str::trim) == Some("url");
        let name = |text: &str| {
            if encoded {
                percent::decode(text)
            } else {
                Some(text.to_owned())
            }
        };
        let mut list = MultipartUploadList::default();
        for upload in root.named("Upload") {
            list.uploads.push(ListedUpload {
                object: name(upload.text_of("Key")?)?,
                upload_id: upload.text_of("UploadId")?.to_owned(),
                initiated: upload.text_of("Initiated").unwrap_or_default().to_owned(),
            });
        }
        for prefix in root.named("CommonPrefixes") {
            list.common_prefixes.push(name(prefix.text_of("Prefix")?)?);
        }
        let next = if root.text_of("IsTruncated").map(str::trim) == Some("true") {
            let id = root.text_of("NextUploadIdMarker").unwrap_or_default();
            Some((name(root.text_of("NextKeyMarker")?)?, id.to_owned()))
        } else {
            None
        };
        Some(Page { list, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::headers::Headers;

    #[test]
    fn names_are_decoded_when_they_are_encoded() {
        let read = |encoding: &str| {
            let body = format!(
                "<ListMultipartUploadsResult>{encoding}<IsTruncated>true</IsTruncated>\
                 <NextKeyMarker>a%2Bb</NextKeyMarker><NextUploadIdMarker>I</NextUploadIdMarker>\
                 <Upload><Key>a+%01%E7%9B%AE</Key><UploadId>I</UploadId><Initiated>t</Initiated></Upload>\
                 <CommonPrefixes><Prefix>x%2F</Prefix></CommonPrefixes></ListMultipartUploadsResult>"
            );
            let page = Page::read(&outcome::Answer {
                status: 200,
                headers: Headers::default(),
                body: body.into(),
                damage: None,
                relayed: false,
            });
            page.unwrap()
        };
        let page = read("<EncodingType>url</EncodingType>");
        assert_eq!(page.list.uploads[0].object, "a \u{1}目");
        assert_eq!(page.list.common_prefixes, ["x/"]);
        assert_eq!(page.next, Some(("a+b".to_owned(), "I".to_owned())));
        assert_eq!(read("").list.uploads[0].object, "a+%01%E7%9B%AE");
    }
}
