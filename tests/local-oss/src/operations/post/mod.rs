//! PostObject: an object from a form, as browsers send it.

mod fields;
mod policy;

use std::sync::{Arc, PoisonError};

use fields::Fields;
use hyper::{StatusCode, body::Incoming, header::CONTENT_TYPE};
use percent_encoding::utf8_percent_encode;
use policy::Policy;

use super::{
    callback_policy,
    instructions::{Instructions, LARGEST_OBJECT, check_acl, content_length, too_large},
    put::complete,
    receive::{check_room, next, out_of_memory, trouble},
    store::{self, NewObject},
};
use crate::{
    addressing::is_object_name,
    answer::{self, Answer, insert},
    authorization::{CONDITIONS_OF_VERSION_4, FormSignature, authorize_form},
    callback::{self, Callback, Placed},
    encoding::{UNRESERVED, hex},
    error::OssError,
    form::{Event, FormParser, PartHead, boundary},
    memory::Claim,
    objects::{Object, ObjectType},
    service::{Call, Service, host, invalid_object_name},
    storage::{Collector, Contents},
    xml::Document,
};

/// OSS does not document its limits: so much for one field, and for all that stands before the file.
const LONGEST_FIELD: usize = 64 * 1024;
const LONGEST_FIELDS: u64 = 256 * 1024;

/// A form up to its file.
struct Form<'a> {
    service: &'a Service,
    body: &'a mut Incoming,
    parser: FormParser,
    fields: Fields,
    file: PartHead,
    /// The memory of the fields.
    claim: Claim,
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
    if length.is_some_and(|length| length > LARGEST_OBJECT + LONGEST_FIELDS) {
        return Err(too_large());
    }
    let mut form = Form {
        service,
        body,
        parser: FormParser::new(&boundary),
        fields: Fields::default(),
        file: PartHead::default(),
        claim: service.memory.claim(),
    };
    form.read_fields().await?;
    let policy = form.authorize(&call.bucket)?;
    call.key = form.key()?;

    let headers = form.fields.headers(&form.file)?;
    let instructions = Instructions::read(&headers)?;
    check_acl(&headers)?;
    store::check_overwrite(service, &call, instructions.forbid_overwrite)?;
    // What stands behind the file counts as if it were of it: nobody says how long it is.
    let expected = length.map(|length| length.saturating_sub(form.parser.consumed()));
    check_room(service, expected)?;
    let callback = form.callback(&call.bucket).await?;

    let look_for_image = callback.as_ref().is_some_and(Callback::asks_for_image);
    let mut collector = Collector::new(&service.storage, &service.memory, expected, look_for_image);
    let kept_along = instructions.memory(&call.key);
    collector
        .claim(kept_along)
        .map_err(|error| trouble(service, error))?;
    let contents = form.read_file(collector, &policy).await?;
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
    /// All up to the head of the file.
    async fn read_fields(&mut self) -> Result<(), OssError> {
        let mut field: Option<(String, Vec<u8>)> = None;
        loop {
            match self.parser.next().map_err(|_| malformed())? {
                Event::NeedMore => {
                    let data = next(self.service, self.body).await?.ok_or_else(malformed)?;
                    if !self.claim.grow(data.len() as u64) {
                        return Err(out_of_memory(&self.service.memory));
                    }
                    self.parser.push(&data);
                }
                Event::Part(head) if head.name.eq_ignore_ascii_case("file") => {
                    self.file = head;
                    return Ok(());
                }
                Event::Part(head) => field = Some((head.name, Vec::new())),
                Event::Data => {
                    let (name, value) = field.as_mut().ok_or_else(malformed)?;
                    value.extend_from_slice(self.parser.data());
                    if value.len() > LONGEST_FIELD {
                        return Err(OssError::new(
                            StatusCode::BAD_REQUEST,
                            "FieldItemTooLong",
                            format!("Your form field exceeds the maximum allowed size of {LONGEST_FIELD} bytes."),
                        )
                        .detail("FieldName", name.as_str()));
                    }
                }
                Event::EndOfPart => {
                    let (name, value) = field.take().ok_or_else(malformed)?;
                    let value = String::from_utf8(value).map_err(|_| malformed())?;
                    self.fields.add(&name, value);
                }
                Event::End => return Err(wrong_number("file")),
            }
            if self.parser.consumed() > LONGEST_FIELDS {
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "MaxPOSTPreDataLengthExceededError",
                    format!(
                        "Your POST request fields preceding the upload file were too large: more than {LONGEST_FIELDS} bytes."
                    ),
                ));
            }
        }
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
        let key = self.fields.get("key").ok_or_else(|| wrong_number("key"))?;
        let file_name = self.file.file_name.as_deref().unwrap_or_default();
        let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let key = key.replace("${filename}", file_name);
        match is_object_name(&key) {
            true => Ok(key),
            false => Err(invalid_object_name(key)),
        }
    }

    /// Only the fields say what is to be called; they have no place for `callback-var` (inferred).
    async fn callback(&self, bucket: &str) -> Result<Option<Callback>, OssError> {
        let callback = self.fields.get("callback").map(str::as_bytes);
        let resolve = |callback| callback_policy::resolved(self.service, bucket, callback);
        let named = callback.map(resolve).transpose()?;
        let placed = |header| Placed {
            header,
            query: None,
        };
        let callback = placed(named.as_ref().map(|(callback, _)| &**callback));
        let kept = placed(
            named
                .as_ref()
                .and_then(|(_, variables)| variables.as_deref()),
        );
        let callback = callback::check(callback, kept, &self.service.rules).await?;
        let variables = self.fields.variables();
        Ok(callback.map(|callback| match variables.is_empty() {
            true => callback,
            false => callback.with_variables(variables),
        }))
    }

    /// The file, to its end; what follows it is ignored.
    async fn read_file(
        &mut self,
        mut collector: Collector,
        policy: &Policy,
    ) -> Result<Contents, OssError> {
        let service = self.service;
        loop {
            match self.parser.next().map_err(|_| malformed())? {
                Event::NeedMore => {
                    let data = next(service, self.body).await?.ok_or_else(malformed)?;
                    self.parser.push(&data);
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
    use md5::{Digest as _, Md5};

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

/// OSS has one code for a form without a file and for one without a key.
fn wrong_number(missing: &str) -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "IncorrectNumberOfFilesInPOSTRequest",
        format!(
            "POST requires exactly one file upload per request: the field {missing} is missing."
        ),
    )
}
