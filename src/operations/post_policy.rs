//! PostObject forms: what an application server hands to a browser, so that it may upload one object.
//!
//! OSS documentation: "PostObject", "Signature version 4 in POST requests".

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::base::dates::iso8601;
use crate::engine::Engine;
use crate::outcome::error::{Error, Result};
#[cfg(doc)]
use crate::outcome::verdict::ErrorKind;
use crate::request::object_headers::ObjectAcl;
use crate::request::{MAX_BODY_LEN, Request};
use crate::sign::{self, SignatureVersion, v4};
use crate::spec::CallbackSpec;

/// OSS replaces it in `key` by the name of the uploaded file.
const FILENAME: &str = "${filename}";

/// OSS documentation, "PostObject" and the page of EC 0006-00000112: the name of a field, its value, all values.
const MAX_NAME_LEN: usize = 8 * 1024;
const MAX_VALUE_LEN: usize = 2 * 1024 * 1024;
const MAX_VALUES_LEN: usize = 8 * 1024 * 1024;

/// Refuses fields that OSS would refuse, whatever they say.
pub(super) fn check_fields<'f>(fields: impl Iterator<Item = &'f (String, String)>) -> Result<()> {
    let too_long =
        |what: String, most| Err(Error::argument(format!("{what}: OSS takes at most {most}")));
    let mut values = 0;
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("file") {
            let message = format!("field {name} cannot be given: the file is sent in it");
            return Err(Error::argument(message));
        }
        if name.len() > MAX_NAME_LEN {
            let what = format!("a field has a name of {} bytes", name.len());
            return too_long(what, MAX_NAME_LEN);
        }
        if value.len() > MAX_VALUE_LEN {
            let what = format!("field {name} has a value of {} bytes", value.len());
            return too_long(what, MAX_VALUE_LEN);
        }
        values += value.len();
    }
    if values > MAX_VALUES_LEN {
        let what = format!("all fields have values of {values} bytes together");
        return too_long(what, MAX_VALUES_LEN);
    }
    Ok(())
}

/// What a form permits. Made by [`Client::post_policy`](crate::Client::post_policy).
///
/// Everything that is given here becomes a field of the form **and** a condition of its policy, so that the
/// uploader can change none of it. What is not given is open: without
/// [`content_length_range`](PostPolicy::content_length_range) any size, without
/// [`callback`](PostPolicy::callback) a callback of the uploader's own.
///
/// ```
/// # use oss_callback::{CallbackSpec, Client, Credentials};
/// # fn permit(client: &Client, spec: &CallbackSpec) -> Result<(), oss_callback::Error> {
/// let form = client
///     .post_policy("examplebucket")
///     .key_prefix("uploads/4711/")
///     .content_length_range(1..=10_000_000)
///     .content_types(&["image/jpeg", "image/png"])
///     .callback(spec)
///     .sign()?;
/// println!("{}", form.to_json()); // for the page
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is signed before `sign` is called"]
pub struct PostPolicy {
    engine: Engine,
    bucket: String,
    expires_in: Duration,
    key: Option<String>,
    fields: Vec<(String, String)>,
    conditions: Vec<Value>,
    callback: Option<CallbackSpec>,
    /// The first one of a setter; reported by `sign`.
    fault: Option<Error>,
}

impl PostPolicy {
    pub(crate) fn new(engine: Engine, bucket: &str) -> PostPolicy {
        PostPolicy {
            engine,
            bucket: bucket.to_owned(),
            expires_in: Duration::from_secs(900),
            key: None,
            fields: Vec::new(),
            conditions: Vec::new(),
            callback: None,
            fault: None,
        }
    }

    /// How long the form is good for, in whole seconds: a second to 7 days. It ends earlier if the
    /// credentials do. It begins now, by OSS's clock if an answer to the client has told of it, and else by
    /// this machine's. Default: 15 minutes.
    pub fn expires_in(mut self, duration: Duration) -> Self {
        self.expires_in = duration;
        self
    }

    /// The object's name.
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// What the object's name begins with; the name of the uploaded file follows. The uploader chooses that
    /// name, so two files may have the same one.
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.key = Some(format!("{prefix}{FILENAME}"));
        self
    }

    /// The sizes in bytes that the file may have. A later range replaces an earlier one.
    pub fn content_length_range(mut self, bytes: RangeInclusive<u64>) -> Self {
        let (least, most) = bytes.into_inner();
        if least > most || most > MAX_BODY_LEN {
            let message = format!(
                "`content_length_range` {least} to {most} is not within 0 to {MAX_BODY_LEN}"
            );
            self.fault.get_or_insert(Error::argument(message));
        }
        self.conditions
            .retain(|condition| condition[0] != "content-length-range");
        self.conditions
            .push(json!(["content-length-range", least, most]));
        self
    }

    /// The Content-Type that the object gets.
    pub fn content_type(self, content_type: &str) -> Self {
        self.field("x-oss-content-type", content_type)
    }

    /// The Content-Types that the uploader may choose from, by the field `x-oss-content-type`.
    pub fn content_types(mut self, content_types: &[&str]) -> Self {
        self.condition("in", "x-oss-content-type", json!(content_types));
        self
    }

    /// Asks OSS to call the application server once the object is stored. Its variables become fields of
    /// their own. `None` takes an earlier one away.
    pub fn callback<'s>(mut self, spec: impl Into<Option<&'s CallbackSpec>>) -> Self {
        self.callback = spec.into().cloned();
        self
    }

    /// User metadata, stored with the object as `x-oss-meta-name`.
    pub fn metadata(self, name: &str, value: &str) -> Self {
        self.field(&format!("x-oss-meta-{name}"), value)
    }

    /// Who may read and write the object. Default: whoever may do so with the bucket.
    pub fn object_acl(self, acl: ObjectAcl) -> Self {
        self.field("x-oss-object-acl", acl.as_str())
    }

    /// Whether an object with this name is kept. Default: false, it is replaced.
    pub fn forbid_overwrite(self, forbid: bool) -> Self {
        self.field(
            "x-oss-forbid-overwrite",
            if forbid { "true" } else { "false" },
        )
    }

    /// The status of a success: 200, 201 with an XML document, or 204. Default: 204. With a callback it is
    /// 200 whatever is said here.
    pub fn success_action_status(mut self, status: u16) -> Self {
        if ![200, 201, 204].contains(&status) {
            let message = format!("`success_action_status` {status} is not 200, 201 or 204");
            self.fault.get_or_insert(Error::argument(message));
        }
        self.field("success_action_status", &status.to_string())
    }

    /// Where the browser is sent after a success, with bucket, key and ETag in the query.
    pub fn success_action_redirect(self, url: &str) -> Self {
        self.field("success_action_redirect", url)
    }

    /// Any other field of the form, with the value that it must have. A later value replaces an earlier one.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        const OWN: [&str; 12] = [
            "bucket",
            "callback",
            "file",
            "key",
            "ossaccesskeyid",
            "policy",
            "signature",
            "x-oss-credential",
            "x-oss-date",
            "x-oss-security-token",
            "x-oss-signature",
            "x-oss-signature-version",
        ];
        if OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            let message = format!("field {name} cannot be given: the form has it by itself");
            self.fault.get_or_insert(Error::argument(message));
        }
        if name.is_empty() || name.contains(['"', '\r', '\n', '$']) {
            let message = format!("field {name:?} is not a name that a form can have");
            self.fault.get_or_insert(Error::argument(message));
        }
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A field that the uploader fills in, with something that begins so.
    pub fn field_starts_with(mut self, name: &str, prefix: &str) -> Self {
        self.condition("starts-with", name, prefix.into());
        self
    }

    /// A condition on a field, in place of an earlier one of its kind.
    fn condition(&mut self, operator: &str, name: &str, value: Value) {
        let name = format!("${name}");
        let is_same = |known: &Value| {
            let of = known[1].as_str().unwrap_or_default();
            known[0] == operator && of.eq_ignore_ascii_case(&name)
        };
        self.conditions.retain(|known| !is_same(known));
        self.conditions.push(json!([operator, name, value]));
    }

    /// Checks everything and signs the policy. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Every error of arguments, and [`ErrorKind::CredentialsFailed`].
    pub fn sign(mut self) -> Result<PostForm> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let key = self
            .key
            .take()
            .ok_or_else(|| Error::argument("`key` is missing: give one, or a prefix"))?;
        let request = Request::new("POST", &self.bucket, &key);
        request.check()?;
        let expires_in = sign::whole_seconds(self.expires_in)?;
        let pair = self.engine.key_pair()?.ok_or_else(|| {
            Error::argument("`credentials` are anonymous: there is nobody to sign a form")
        })?;
        let authorization = self.engine.authorization(&pair);
        let expires = authorization.now + expires_in;
        let expires = pair.expires.map_or(expires, |end| end.min(expires));

        let mut fields = vec![("key".to_owned(), key.clone())];
        let mut conditions = vec![json!({ "bucket": self.bucket })];
        conditions.push(match key.strip_suffix(FILENAME) {
            Some(prefix) => json!(["starts-with", "$key", prefix]),
            None => json!(["eq", "$key", key]),
        });
        let mut pinned = std::mem::take(&mut self.fields);
        if let Some(spec) = &self.callback {
            pinned.push(("callback".to_owned(), spec.callback().to_owned()));
            pinned.extend(spec.variables()?);
        }
        if let Some(token) = &pair.security_token {
            pinned.push(("x-oss-security-token".to_owned(), token.clone()));
        }
        let (time, credential) = authorization.form_scope();
        if authorization.version == SignatureVersion::V4 {
            for (name, value) in [
                ("x-oss-signature-version", v4::ALGORITHM),
                ("x-oss-credential", &credential),
                ("x-oss-date", &time),
            ] {
                pinned.push((name.to_owned(), value.to_owned()));
            }
        }
        for (name, value) in pinned {
            conditions.push(json!({ &name: value }));
            fields.push((name, value));
        }
        conditions.append(&mut self.conditions);
        let policy = json!({ "expiration": iso8601(expires), "conditions": conditions });
        let policy = STANDARD.encode(policy.to_string());
        let signature = authorization.sign_policy(&policy, &time)?;
        fields.push(("policy".to_owned(), policy));
        match authorization.version {
            SignatureVersion::V1 => {
                fields.push(("OSSAccessKeyId".to_owned(), pair.id.clone()));
                fields.push(("Signature".to_owned(), signature));
            }
            SignatureVersion::V4 => fields.push(("x-oss-signature".to_owned(), signature)),
        }
        check_fields(fields.iter())?;
        let bucket = Request::on_bucket("POST", &self.bucket);
        Ok(PostForm {
            url: self.engine.endpoint().url(&bucket),
            fields,
            expires: Some(expires),
        })
    }
}

impl fmt::Debug for PostPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostPolicy")
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// A signed form: where to post it, and its fields in their order. The file comes last.
///
/// A web page copies the fields into a `FormData` and appends the file as `file`;
/// [`Client::post_object`](crate::Client::post_object) does the same from here. It is as good as a password: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostForm {
    url: String,
    fields: Vec<(String, String)>,
    expires: Option<SystemTime>,
}

impl PostForm {
    /// A form as somebody else made it.
    pub fn new(
        url: impl Into<String>,
        fields: impl IntoIterator<Item = (String, String)>,
    ) -> PostForm {
        PostForm {
            url: url.into(),
            fields: fields.into_iter().collect(),
            expires: None,
        }
    }

    /// Where to post it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The fields in their order, without the file.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The value of a field, its name in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self
            .fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Until when it is good; `None` for one that somebody else made.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// For a web page: `{"url":"…","fields":[["key","…"],…],"expires":"Tue, 24 Nov 2026 …"}`.
    pub fn to_json(&self) -> String {
        let fields: Vec<[&str; 2]> = self
            .fields
            .iter()
            .map(|(name, value)| [name.as_str(), value.as_str()])
            .collect();
        let mut json = json!({ "url": self.url, "fields": fields });
        if let Some(expires) = self.expires {
            json["expires"] = httpdate::fmt_http_date(expires).into();
        }
        json.to_string()
    }

    /// Reads what [`to_json`](PostForm::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when it is not that.
    pub fn from_json(json: &str) -> Result<PostForm> {
        let bad = || Error::argument("`form` is not the JSON of a form");
        let value: Map<String, Value> = serde_json::from_str(json).map_err(|_| bad())?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let fields = value
            .get("fields")
            .and_then(Value::as_array)
            .ok_or_else(bad)?
            .iter();
        let fields = fields.map(|pair| Some((text(pair.get(0))?, text(pair.get(1))?)));
        Ok(PostForm {
            url: text(value.get("url")).ok_or_else(bad)?,
            fields: fields.collect::<Option<_>>().ok_or_else(bad)?,
            expires: match text(value.get("expires")) {
                Some(date) => Some(httpdate::parse_http_date(&date).map_err(|_| bad())?),
                None => None,
            },
        })
    }
}

impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostForm")
            .field("url", &self.url)
            .field("key", &self.field("key"))
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;
    use crate::credentials::Credentials;

    fn policy(version: SignatureVersion) -> PostPolicy {
        let client = Client::builder()
            .endpoint("http://oss-cn-hangzhou.aliyuncs.com")
            .credentials(Credentials::new("id", "geheim").security_token("token"))
            .signature_version(version)
            .build();
        client.unwrap().post_policy("examplebucket")
    }

    fn conditions(form: &PostForm) -> Vec<Value> {
        let policy = STANDARD.decode(form.field("policy").unwrap()).unwrap();
        let policy: Value = serde_json::from_slice(&policy).unwrap();
        policy["conditions"].as_array().unwrap().clone()
    }

    #[test]
    fn every_field_is_a_condition_and_the_signature_is_none() {
        let spec = CallbackSpec::builder()
            .url("http://a.example.com")
            .body("u=${x:uid}")
            .variable("uid", "4711")
            .build()
            .unwrap();
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            let form = policy(version)
                .key_prefix("u/")
                .metadata("author", "Ming")
                .content_length_range(1..=9)
                .content_types(&["image/png"])
                .callback(&spec)
                .sign()
                .unwrap();
            assert_eq!(
                form.url(),
                "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/"
            );
            let conditions = conditions(&form);
            for (name, value) in form.fields() {
                let unsigned = [
                    "policy",
                    "OSSAccessKeyId",
                    "Signature",
                    "x-oss-signature",
                    "key",
                ];
                let pinned = conditions.contains(&json!({ name: value }));
                assert_eq!(pinned, !unsigned.contains(&name.as_str()), "{name}");
            }
            assert!(conditions.contains(&json!(["starts-with", "$key", "u/"])));
            assert!(conditions.contains(&json!(["content-length-range", 1, 9])));
            assert!(conditions.contains(&json!(["in", "$x-oss-content-type", ["image/png"]])));
            assert_eq!(form.field("key"), Some("u/${filename}"));
            assert_eq!(form.field("x:uid"), Some("4711"));
            assert_eq!(form.field("callback"), Some(spec.callback()));
            assert_eq!(
                PostForm::from_json(&form.to_json()).unwrap().fields(),
                form.fields()
            );
            assert!(!format!("{form:?}{}", form.to_json()).contains("geheim"));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let policy = || policy(SignatureVersion::V4).key("a");
        #[expect(clippy::reversed_empty_ranges, reason = "the mistake of this test")]
        let empty = 5..=4;
        for (policy, said) in [
            (policy().key(""), "`object` \"\" is empty"),
            (
                policy().content_length_range(empty),
                "`content_length_range` 5 to 4",
            ),
            (
                policy().success_action_status(302),
                "`success_action_status` 302",
            ),
            (
                policy().field("Policy", "x"),
                "field Policy cannot be given",
            ),
            (
                policy().field("a\"b", "x"),
                "field \"a\\\"b\" is not a name",
            ),
            (
                policy().expires_in(Duration::from_millis(999)),
                "`expires_in` 999ms",
            ),
        ] {
            let error = policy.sign().unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
        let error = super::tests::policy(SignatureVersion::V4)
            .sign()
            .unwrap_err()
            .to_string();
        assert_eq!(error, "`key` is missing: give one, or a prefix");
    }
}
