//! PostObject: an object from a form, as browsers send it.

mod fields;
mod policy;

use std::sync::{Arc, PoisonError};

use fields::Fields;
use hyper::{StatusCode, body::Incoming, header::CONTENT_TYPE};
use md5::{Digest as _, Md5};
use percent_encoding::utf8_percent_encode;
use policy::Policy;

use super::{
    callback_policy,
    instructions::{
        ContentMd5, Instructions, LARGEST_OBJECT, check_acl, content_length, too_large,
    },
    put::complete,
    receive::{check_room, next, out_of_memory, trouble},
    store::{self, NewObject},
};
use crate::{
    addressing::is_object_name,
    answer::{self, Answer, insert},
    authorization::{
        CONDITIONS_OF_VERSION_4, FormSignature, SIGNATURE_FIELDS, authorize_form, missing_field,
    },
    callback::{self, Callback, Placed},
    encoding::{UNRESERVED, hex},
    error::OssError,
    form::{Event, FormParser, NotAForm, PartHead, boundary},
    memory::Claim,
    objects::{Object, ObjectType},
    service::{Call, Service, host, invalid_object_name},
    storage::{Collector, Contents},
    xml::Document,
};

/// OSS's limits for the name of a field, its value, and all values before the file.
const LONGEST_NAME: usize = 8 * 1024;
const LONGEST_VALUE: usize = 2 * 1024 * 1024;
const LONGEST_VALUES: usize = 8 * 1024 * 1024;

/// For all that stands before the file, and for all behind it: names without values are bytes, too.
const LONGEST_REST: u64 = 2 * LONGEST_VALUES as u64;

/// So much of a file is read to find out whether the signature stands behind it.
const LONGEST_LOOK: u64 = 64 * 1024 * 1024;

/// Names that OSS's documentation calls case-sensitive on one page, and not on another.
const NAMES: [&str; 8] = [
    "OSSAccessKeyId",
    "Signature",
    "callback",
    "file",
    "key",
    "policy",
    "success_action_redirect",
    "success_action_status",
];

/// A form up to its file.
struct Form<'a> {
    service: &'a Service,
    body: &'a mut Incoming,
    parser: FormParser,
    fields: Fields,
    file: PartHead,
    /// The memory of the fields.
    claim: Claim,
    /// Of the whole form, if anybody wants to know.
    md5: Option<Md5>,
}

/// The operation checks its own signature; one in the header or in the URL does not count. `call` has no key yet.
pub(crate) async fn post_object(
    service: &Service,
    mut call: Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let content_type = call.head.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|content_type| content_type.to_str().ok());
    let boundary = boundary(content_type.unwrap_or_default()).ok_or_else(|| {
        OssError::new(
            StatusCode::BAD_REQUEST,
            "RequestIsNotMultiPartContent",
            "Bucket POST must be of the enclosure-type multipart/form-data.",
        )
    })?;
    let length = content_length(&call.head.headers)?;
    if length.is_some_and(|length| length > LARGEST_OBJECT + LONGEST_REST) {
        return Err(too_large());
    }
    let content_md5 = ContentMd5::read(&call.head.headers)?;
    let mut form = Form {
        service,
        body,
        parser: FormParser::new(&boundary),
        fields: Fields::default(),
        file: PartHead::default(),
        claim: service.memory.claim(),
        md5: call.head.headers.contains_key("content-md5").then(Md5::new),
    };
    form.read_fields(&call.request_id).await?;
    let policy = match form.authorize(&call.bucket) {
        Err(_) if form.is_unsigned() && form.is_signed_behind().await => {
            return Err(malformed().ec("0006-00000103"));
        }
        result => result?,
    };
    call.key = form.key()?;

    let headers = form.fields.headers(&form.file)?;
    let instructions = Instructions::read(&headers)?;
    check_acl(&headers)?;
    store::check_overwrite(service, &call, instructions.forbid_overwrite)?;
    // What stands behind the file counts as if it were of it: nobody says how long it is.
    let expected = length.map(|length| length.saturating_sub(form.parser.consumed()));
    check_room(service, expected)?;
    let callback = form.callback(&call).await?;

    let look_for_image = callback.as_ref().is_some_and(Callback::asks_for_image);
    let mut collector = Collector::new(&service.storage, &service.memory, expected, look_for_image);
    let kept_along = instructions.memory(&call.key);
    collector
        .claim(kept_along)
        .map_err(|error| trouble(service, error))?;
    let contents = form.read_file(collector, &policy).await?;
    form.read_rest(&content_md5).await?;
    let object = Object {
        object_type: ObjectType::Normal,
        etag: etag(&contents),
        contents,
        content_type: instructions.content_type,
        headers: instructions.kept,
        last_modified: service.clock.now(),
    };
    let new = NewObject {
        operation: "PostObject",
        object: Arc::new(complete(service, &call.key, object).await?),
        forbid_overwrite: instructions.forbid_overwrite,
        tail: None,
    };
    store::store(service, &call, &new, || {}).await?;
    let mut answer = match callback {
        None => form.success(&call, &new.object),
        Some(callback) => store::deliver(service, &call, &new, &callback).await,
    };
    store::describe(&mut answer, &new.object);
    Ok(answer)
}

impl Form<'_> {
    /// More of the body. A form that ends before its last boundary was cut off.
    async fn read_on(&mut self) -> Result<usize, OssError> {
        let data = next(self.service, self.body).await?.ok_or_else(cut_off)?;
        if let Some(md5) = &mut self.md5 {
            md5.update(&data);
        }
        self.parser.push(&data);
        Ok(data.len())
    }

    /// All up to the head of the file. The key is looked for before the signature.
    async fn read_fields(&mut self, request_id: &str) -> Result<(), OssError> {
        let mut field: Option<(String, Vec<u8>)> = None;
        let mut values = 0;
        loop {
            match self.parser.next().map_err(not_a_form)? {
                Event::NeedMore => {
                    let length = self.read_on().await?;
                    if !self.claim.grow(length as u64) {
                        return Err(out_of_memory(&self.service.memory));
                    }
                }
                Event::Part(head) => {
                    self.check_name(&head.name, request_id)?;
                    if !head.name.eq_ignore_ascii_case("file") {
                        field = Some((head.name, Vec::new()));
                        continue;
                    }
                    self.file = head;
                    return match self.fields.get("key") {
                        Some(_) => Ok(()),
                        None => Err(missing_field("key")),
                    };
                }
                Event::Data => {
                    let (name, value) = field.as_mut().ok_or_else(malformed)?;
                    let data = self.parser.data();
                    value.extend_from_slice(data);
                    values += data.len();
                    if value.len() > LONGEST_VALUE {
                        // OSS's words are not known.
                        return Err(field_too_long("Your value of form field is too long.")
                            .detail("FieldName", name.as_str()));
                    }
                }
                Event::EndOfPart => {
                    let (name, value) = field.take().ok_or_else(malformed)?;
                    let value = String::from_utf8(value).map_err(|_| malformed())?;
                    self.fields.add(&name, value);
                }
                Event::End if self.fields.get("key").is_none() => {
                    return Err(missing_field("key"));
                }
                Event::End => return Err(cut_off()),
            }
            if values > LONGEST_VALUES || self.parser.consumed() > LONGEST_REST {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "MaxPOSTPreDataLengthExceededError",
                    "Your POST request fields preceding the upload file were too large.",
                )
                .ec("0006-00000112"));
            }
        }
    }

    /// Names count in any case; whoever writes one in another case than OSS's documentation is warned.
    fn check_name(&self, name: &str, request_id: &str) -> Result<(), OssError> {
        if name.len() > LONGEST_NAME {
            return Err(name_too_long());
        }
        let mut names = NAMES.iter();
        let known = names.find(|known| known.eq_ignore_ascii_case(name));
        if let Some(known) = known.filter(|known| **known != name) {
            self.service.log.line(format_args!(
                "warning: the form field {name} is {known} in OSS's documentation, which calls names case-sensitive in \
                 one place [{request_id}]"
            ));
        }
        Ok(())
    }

    /// Has it nothing of a signature before its file?
    fn is_unsigned(&self) -> bool {
        SIGNATURE_FIELDS
            .iter()
            .all(|name| self.fields.get(name).is_none())
    }

    /// Does the signature stand behind the file? A form that goes on for too long, or is none, has no answer.
    async fn is_signed_behind(&mut self) -> bool {
        let end = self.parser.consumed() + LONGEST_LOOK;
        while self.parser.consumed() < end {
            match self.parser.next() {
                Ok(Event::NeedMore) => {
                    if self.read_on().await.is_err() {
                        return false;
                    }
                }
                Ok(Event::Part(head)) => {
                    let name = head.name.to_ascii_lowercase();
                    if SIGNATURE_FIELDS.contains(&name.as_str()) {
                        return true;
                    }
                }
                Ok(Event::Data | Event::EndOfPart) => {}
                Ok(Event::End) | Err(_) => return false,
            }
        }
        false
    }

    /// The policy of the form, which is signed and holds, but for the size of the file.
    fn authorize(&self, bucket: &str) -> Result<Policy, OssError> {
        let now = self.service.clock.now();
        let credentials = &self.service.credentials;
        let signature = authorize_form(
            |name| self.fields.get(name),
            &credentials.read().unwrap_or_else(PoisonError::into_inner),
            &self.service.region,
            now,
        )?;
        let policy = Policy::parse(self.fields.get("policy").unwrap_or_default())?;
        policy.check(now, |name| match name {
            "bucket" => Some(bucket),
            // Of what will be stored (inferred).
            "content-type" => self.fields.content_type(&self.file),
            name => self.fields.get(name),
        })?;
        if signature == FormSignature::V4 {
            CONDITIONS_OF_VERSION_4
                .iter()
                .try_for_each(|name| policy.require_exact(name))?;
        }
        Ok(policy)
    }

    /// The policy is about the key as it was sent; only then `${filename}` in it is replaced. Of a path, which old browsers send,
    /// the name is what is behind the last separator (inferred).
    fn key(&self) -> Result<String, OssError> {
        let key = self.fields.get("key").ok_or_else(|| missing_field("key"))?;
        let file_name = self.file.file_name.as_deref().unwrap_or_default();
        let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let key = key.replace("${filename}", file_name);
        match is_object_name(&key) {
            true => Ok(key),
            false => Err(invalid_object_name(key)),
        }
    }

    /// Only the fields say what is to be called. Their variables are fields of their own; pages on errors of OSS's
    /// documentation speak of a field `callback-var` all the same.
    async fn callback(&self, call: &Call) -> Result<Option<Callback>, OssError> {
        let field = |name| self.fields.get(name).map(str::as_bytes);
        let resolve = |callback| callback_policy::resolved(self.service, &call.bucket, callback);
        let named = field("callback").map(resolve).transpose()?;
        let variables = field("callback-var");
        if variables.is_some() {
            let id = &call.request_id;
            self.service.log.line(format_args!(
                "warning: the form field callback-var is not documented: variables are fields x:… [{id}]"
            ));
        }
        let placed = |header| Placed {
            header,
            query: None,
        };
        let kept = named.as_ref().and_then(|(_, kept)| kept.as_deref());
        let callback = placed(named.as_ref().map(|(callback, _)| &**callback));
        let variables = placed(variables.or(kept));
        let callback = callback::check(callback, variables, &self.service.rules).await?;
        Ok(callback.map(|callback| callback.with_variables(self.fields.variables())))
    }

    /// The file, to its end.
    async fn read_file(
        &mut self,
        mut collector: Collector,
        policy: &Policy,
    ) -> Result<Contents, OssError> {
        let service = self.service;
        loop {
            match self.parser.next().map_err(not_a_form)? {
                Event::NeedMore => {
                    self.read_on().await?;
                }
                Event::Data => {
                    let data = self.parser.data();
                    let size = collector.size() + data.len() as u64;
                    policy.check_most(size)?;
                    if size > LARGEST_OBJECT {
                        return Err(too_large());
                    }
                    let pushed = collector.push(data).await;
                    pushed.map_err(|error| trouble(service, error))?;
                }
                Event::EndOfPart => break,
                Event::Part(_) | Event::End => return Err(malformed()),
            }
        }
        policy.check_least(collector.size())?;
        let contents = collector.finish().await;
        contents.map_err(|error| trouble(service, error))
    }

    /// Fields behind the file are ignored, as a button is that a browser sends last; a second file is not.
    async fn read_rest(&mut self, content_md5: &ContentMd5) -> Result<(), OssError> {
        let end = self.parser.consumed() + LONGEST_REST;
        loop {
            match self.parser.next().map_err(not_a_form)? {
                Event::NeedMore => {
                    self.read_on().await?;
                }
                Event::Part(head) if head.name.eq_ignore_ascii_case("file") => {
                    return Err(OssError::new(
                        StatusCode::BAD_REQUEST,
                        "IncorrectNumberOfFilesInPOSTRequest",
                        "POST requires exactly one file upload per request.",
                    ));
                }
                Event::Part(_) | Event::Data | Event::EndOfPart => {}
                Event::End => break,
            }
            if self.parser.consumed() > end {
                return Err(malformed());
            }
        }
        let Some(mut md5) = self.md5.take() else {
            return Ok(());
        };
        while let Some(data) = next(self.service, self.body).await? {
            md5.update(&data);
        }
        content_md5.compare(md5.finalize().into())
    }

    /// The answer without a callback.
    fn success(&self, call: &Call, object: &Object) -> Answer {
        let redirect = self.fields.get("success_action_redirect");
        // What is no address is as if it were not there (inferred).
        let is_address = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = redirect.filter(is_address) {
            let encode = |text| utf8_percent_encode(text, UNRESERVED);
            let mark = if url.contains('?') { '&' } else { '?' };
            let location = format!(
                "{url}{mark}bucket={}&key={}&etag=%22{}%22",
                encode(&call.bucket),
                encode(&call.key),
                object.etag
            );
            let mut answer = answer::empty(StatusCode::SEE_OTHER);
            insert(answer.headers_mut(), "location", &location);
            return answer;
        }
        match self.fields.get("success_action_status") {
            Some("200") => answer::empty(StatusCode::OK),
            Some("201") => created(self.service, call, object),
            _ => answer::empty(StatusCode::NO_CONTENT),
        }
    }
}

fn created(service: &Service, call: &Call, object: &Object) -> Answer {
    let key = utf8_percent_encode(&call.key, UNRESERVED).to_string();
    let path = call.head.uri.path().trim_end_matches('/');
    let location = format!(
        "{}://{}{path}/{}",
        service.scheme(),
        host(&call.head),
        key.replace("%2F", "/")
    );
    let mut xml = Document::new();
    xml.open("PostResponse");
    xml.element("Bucket", &call.bucket);
    xml.element("ETag", &format!("\"{}\"", object.etag));
    xml.element("Key", &call.key);
    xml.element("Location", &location);
    xml.close("PostResponse");
    answer::with_body(StatusCode::CREATED, "application/xml", xml.finish())
}

/// OSS documents an id that is not the MD5 of the object, so that nobody may take it for that.
fn etag(contents: &Contents) -> String {
    let digest = Md5::new()
        .chain_update(b"PostObject")
        .chain_update(contents.md5);
    hex(&digest.finalize()).to_ascii_uppercase()
}

fn malformed() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "MalformedPOSTRequest",
        "The body of your POST request is not well-formed multipart/form-data.",
    )
}

/// There is no file, or not all of the form.
fn cut_off() -> OssError {
    malformed().ec("0006-00000104")
}

fn not_a_form(why: NotAForm) -> OssError {
    match why {
        NotAForm::Malformed => malformed(),
        NotAForm::HeadTooLong => name_too_long(),
    }
}

fn name_too_long() -> OssError {
    field_too_long("Your name of form field is too long.").ec("0006-00000110")
}

fn field_too_long(message: &'static str) -> OssError {
    OssError::new(StatusCode::BAD_REQUEST, "FieldItemTooLong", message)
}
