//! A callback as the two header values that go out: `x-oss-callback` and `x-oss-callback-var`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::check::MAX_URLS;
use super::decoded::Decoded;
use super::template::{BodyTemplate, BodyType};
use super::warnings::{self, CallbackWarning};
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;

/// What OSS is asked to call once it has stored an object: URLs, a body and variables.
///
/// A spec is encoded once and can be used for any number of uploads, from many threads; a clone is
/// cheap. `Debug` does not show its contents, since variables often hold tokens.
///
/// ```
/// use oss_callback::CallbackSpec;
///
/// let spec = CallbackSpec::builder()
///     .url("https://app.example.com/oss-callback")
///     .body("filename=${object}&size=${size}&user=${x:user}")
///     .variable("user", "4711")
///     .build()?;
/// # Ok::<(), oss_callback::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackSpec {
    callback: Arc<str>,
    callback_var: Option<Arc<str>>,
    urls: usize,
}

impl CallbackSpec {
    /// A spec put together member by member, and checked against OSS's rules.
    pub fn builder() -> CallbackSpecBuilder {
        CallbackSpecBuilder::default()
    }

    /// A spec that somebody else issued, already Base64: the values of `x-oss-callback` and, if there
    /// are variables, `x-oss-callback-var`. They go out byte for byte, unchecked: see
    /// [`check`](CallbackSpec::check).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`] when a value is empty or holds anything but visible ASCII, which no
    /// header could carry unchanged.
    pub fn from_base64(callback: &str, callback_var: Option<&str>) -> Result<CallbackSpec> {
        for (name, value) in [("callback", Some(callback)), ("callback_var", callback_var)] {
            let problem = match value {
                Some("") => "is empty",
                Some(value) if !value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    "holds a blank, a line break or a character outside ASCII"
                }
                _ => continue,
            };
            return Err(Error::new(
                ErrorKind::InvalidCallback,
                format!("`{name}` {problem}"),
            ));
        }
        Ok(CallbackSpec {
            callback: callback.into(),
            callback_var: callback_var.map(Into::into),
            // Nothing is assumed about a spec that was made elsewhere.
            urls: MAX_URLS,
        })
    }

    /// A spec that somebody else issued, as JSON. It is encoded as it stands, unchecked: see
    /// [`check`](CallbackSpec::check).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`] when a text is empty.
    pub fn from_json(callback: &str, callback_var: Option<&str>) -> Result<CallbackSpec> {
        CallbackSpec::from_base64(
            &STANDARD.encode(callback),
            callback_var.map(|json| STANDARD.encode(json)).as_deref(),
        )
    }

    /// Applies OSS's rules: what OSS would refuse with HTTP 400 is an error here. A built spec has passed
    /// already. Not checked is what only OSS can know, for example whether a host can be reached from it.
    /// What is likely a mistake comes back as a warning: a private address among it, since a server on the
    /// laptop has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`]: the message names the member and its problem,
    /// [`Error::ec`] the code that OSS would have answered.
    pub fn check(&self) -> Result<Vec<CallbackWarning>> {
        Ok(warnings::of(&self.decoded()?))
    }

    pub(crate) fn decoded(&self) -> Result<Decoded> {
        Decoded::of(self.callback(), self.callback_var())
    }

    /// The value of the header `x-oss-callback`: Base64 of JSON.
    pub fn callback(&self) -> &str {
        &self.callback
    }

    /// The value of the header `x-oss-callback-var`, if there are variables.
    pub fn callback_var(&self) -> Option<&str> {
        self.callback_var.as_deref()
    }

    /// Adds the callback's headers to a request.
    pub(crate) fn add_to(&self, request: &mut Request) {
        request.set_header("x-oss-callback", self.callback().to_owned());
        if let Some(variables) = self.callback_var() {
            request.set_header("x-oss-callback-var", variables.to_owned());
        }
    }

    /// The variables, as a form has them: names with `x:`, and values.
    pub(crate) fn variables(&self) -> Result<Vec<(String, String)>> {
        let bad = || {
            let message = "`callback_var` is not Base64 of a JSON object of strings";
            Error::new(ErrorKind::InvalidCallback, message)
        };
        let Some(variables) = self.callback_var() else {
            return Ok(Vec::new());
        };
        let json = STANDARD.decode(variables).map_err(|_| bad())?;
        let members: Map<String, Value> = serde_json::from_slice(&json).map_err(|_| bad())?;
        let text = |value: Value| value.as_str().map(str::to_owned);
        let pairs = members
            .into_iter()
            .map(|(name, value)| Some((name, text(value)?)));
        pairs.collect::<Option<_>>().ok_or_else(bad)
    }

    /// How many URLs OSS may try, one after the other.
    pub(crate) fn urls(&self) -> usize {
        self.urls
    }
}

impl fmt::Debug for CallbackSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackSpec")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// Puts a [`CallbackSpec`] together; nothing is checked before [`build`](CallbackSpecBuilder::build).
#[derive(Clone, Default)]
#[must_use]
pub struct CallbackSpecBuilder {
    urls: Vec<String>,
    host: Option<String>,
    body: Option<BodyTemplate>,
    body_type: Option<BodyType>,
    sni: bool,
    variables: Vec<(String, String)>,
    members: Vec<(String, String)>,
}

/// The members that have setters of their own.
const OWN_MEMBERS: [&str; 5] = [
    "callbackUrl",
    "callbackHost",
    "callbackBody",
    "callbackBodyType",
    "callbackSNI",
];

impl CallbackSpecBuilder {
    /// Adds a URL of the application server, percent-encoded. Required; up to five, which OSS tries in
    /// this order until one agrees.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// The Host header of the callback: a domain name or an IP address. Default: the host of the URL.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// What OSS sends, with placeholders such as `${object}`. Required.
    pub fn body(mut self, body: impl Into<BodyTemplate>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The type of the body. Default: that of the [`BodyTemplate`]'s builder, otherwise a form.
    pub fn body_type(mut self, body_type: BodyType) -> Self {
        self.body_type = Some(body_type);
        self
    }

    /// Whether OSS names the host in the TLS handshake (SNI) of an https URL. Default: no, and then a
    /// server with several certificates typically fails the callback with `Error status : 502.`
    pub fn sni(mut self, sni: bool) -> Self {
        self.sni = sni;
        self
    }

    /// A variable of the caller's, which the body names as `${x:name}`. `x:` is added to the name when it
    /// is missing; upper-case letters are refused, as OSS refuses them.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        let name = if name.starts_with("x:") {
            name
        } else {
            format!("x:{name}")
        };
        self.variables.push((name, value.into()));
        self
    }

    /// A further member of the callback by its name, for example `callbackPolicy`; the value is JSON
    /// text, so a string needs its quotes.
    pub fn member(mut self, name: impl Into<String>, json: impl Into<String>) -> Self {
        self.members.push((name.into(), json.into()));
        self
    }

    /// The variables so far; their names begin with `x:`.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Encodes the spec and checks it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCallback`] for everything that OSS would refuse: see
    /// [`CallbackSpec::check`].
    pub fn build(&self) -> Result<CallbackSpec> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidCallback, message));
        // Sorted by name, whatever order another crate in the program asks serde_json to keep.
        let mut callback = BTreeMap::new();

        if let Some(index) = self.urls.iter().position(|url| url.contains(';')) {
            return invalid(format!(
                "`url` number {} holds a `;`, which separates URLs: write it as %3B, or add each \
                 URL by itself",
                index + 1
            ));
        }
        if let Some(index) = self.urls.iter().position(String::is_empty) {
            return invalid(format!("`url` number {} is empty", index + 1));
        }
        callback.insert("callbackUrl".to_owned(), self.urls.join(";").into());

        if let Some(host) = &self.host {
            callback.insert("callbackHost".to_owned(), host.as_str().into());
        }
        if let Some(body) = &self.body {
            if let Some(variable) = body.bad_variable() {
                return invalid(format!(
                    "`body` has a variable {variable:?}, which no placeholder can name"
                ));
            }
            callback.insert("callbackBody".to_owned(), body.to_string().into());
        }
        let of_template = self.body.as_ref().and_then(BodyTemplate::body_type);
        match (self.body_type, of_template) {
            (Some(wanted), Some(built)) if wanted != built => {
                return invalid(format!(
                    "`body_type` is {}, but `body` was built as {}",
                    wanted.as_str(),
                    built.as_str()
                ));
            }
            (None, None) => {}
            (wanted, built) => {
                let body_type = wanted.or(built).unwrap_or_default();
                callback.insert("callbackBodyType".to_owned(), body_type.as_str().into());
            }
        }
        if self.sni {
            // Left out when false, as the JS SDK does; false is OSS's default.
            callback.insert("callbackSNI".to_owned(), true.into());
        }
        for (name, json) in &self.members {
            if OWN_MEMBERS.contains(&name.as_str()) {
                return invalid(format!("`member` {name:?} has a setter of its own"));
            }
            match serde_json::from_str::<Value>(json) {
                Ok(value) => callback.insert(name.clone(), value),
                Err(e) => return invalid(format!("`member` {name:?} is not JSON: {e}")),
            };
        }

        let mut variables = BTreeMap::new();
        for (name, value) in &self.variables {
            if variables
                .insert(name.clone(), value.as_str().into())
                .is_some()
            {
                return invalid(format!("`variable` {name:?} is given twice"));
            }
        }

        let encode = |members: BTreeMap<String, Value>| -> Arc<str> {
            // Texts and values are always JSON.
            let json = serde_json::to_vec(&members).unwrap_or_default();
            STANDARD.encode(json).into()
        };
        let spec = CallbackSpec {
            callback: encode(callback),
            callback_var: Some(variables).filter(|v| !v.is_empty()).map(encode),
            urls: self.urls.len(),
        };
        spec.check()?;
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn decoded(base64: &str) -> Value {
        serde_json::from_slice(&STANDARD.decode(base64).unwrap()).unwrap()
    }

    fn minimal() -> CallbackSpecBuilder {
        CallbackSpec::builder()
            .url("http://example.com/")
            .body("object=${object}")
    }

    #[test]
    fn built_specs_say_what_the_sdks_say() {
        vectors::each("callback_encoding.json", |row| {
            let mut builder = CallbackSpec::builder();
            for (name, value) in row["callback"].as_object().unwrap() {
                let text = || value.as_str().unwrap();
                builder = match name.as_str() {
                    "callbackUrl" => text()
                        .split(';')
                        .filter(|u| !u.is_empty())
                        .fold(builder, |b, u| b.url(u)),
                    "callbackHost" => builder.host(text()),
                    "callbackBody" => builder.body(text()),
                    "callbackBodyType" if text() == "application/json" => {
                        builder.body_type(BodyType::Json)
                    }
                    "callbackBodyType" => builder.body_type(BodyType::Form),
                    "callbackSNI" => builder.sni(value.as_bool().unwrap()),
                    _ => builder.member(name, value.to_string()),
                };
            }
            for (name, value) in row["callback_var"].as_object().into_iter().flatten() {
                builder = builder.variable(name, value.as_str().unwrap());
            }
            let spec = builder
                .build()
                .unwrap_or_else(|e| panic!("{}: {e}", row["id"]));

            let mut expected = decoded(row["reference_base64"].as_str().unwrap());
            if expected["callbackSNI"] == false {
                // False is the default, and not sent.
                expected.as_object_mut().unwrap().remove("callbackSNI");
            }
            assert_eq!(decoded(spec.callback()), expected, "{}", row["id"]);
            assert_eq!(
                spec.callback_var().map(decoded),
                row["var_reference_base64"]
                    .as_str()
                    .map(decoded)
                    .filter(|var| var != &Value::Object(Map::new())),
                "{}",
                row["id"]
            );
        });
    }

    #[test]
    fn a_ready_spec_goes_out_byte_for_byte() {
        let json = r#"{ "callbackUrl" : "a.example.com", "callbackBody":"x=${x:a}" }"#;
        let spec = CallbackSpec::from_json(json, Some(r#"{"x:a":"é"}"#)).unwrap();
        assert_eq!(STANDARD.decode(spec.callback()).unwrap(), json.as_bytes());
        assert_eq!(spec.urls(), 5);
        spec.check().unwrap();

        let again = CallbackSpec::from_base64(spec.callback(), spec.callback_var()).unwrap();
        assert_eq!(again, spec);
        // Not even Base64, but somebody else's business until a check is asked for.
        let odd = CallbackSpec::from_base64("not-base64!", None).unwrap();
        assert_eq!(odd.callback(), "not-base64!");
        assert!(odd.check().is_err());
    }

    #[test]
    fn a_ready_spec_that_no_header_can_carry_is_refused() {
        for (callback, var) in [("", None), ("YWJj\nZGVm", None), ("YQ==", Some("YQ== "))] {
            let error = CallbackSpec::from_base64(callback, var).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCallback);
        }
    }

    #[test]
    fn faults_of_a_built_spec_are_named() {
        let cases: [(CallbackSpecBuilder, &str); 12] = [
            (CallbackSpec::builder().body("a=1"), "callbackUrl"),
            (
                CallbackSpec::builder().url("http://example.com"),
                "callbackBody",
            ),
            (minimal().url("http://a;http://b"), "`;`"),
            (minimal().url(""), "number 2 is empty"),
            (
                (0..5).fold(minimal(), |b, i| b.url(format!("http://h{i}"))),
                "0007-00000005",
            ),
            (minimal().host("a b"), "callbackHost"),
            (minimal().body("$"), "0007-00000105"),
            (minimal().body("x".repeat(5000)), "0007-00000001"),
            (minimal().variable("Uid", "1"), "upper-case"),
            (minimal().variable("a", "1").variable("x:a", "2"), "twice"),
            (
                minimal().member("callbackUrl", "\"x\""),
                "setter of its own",
            ),
            (
                minimal()
                    .body(BodyTemplate::json())
                    .body_type(BodyType::Form),
                "`body_type`",
            ),
        ];
        for (builder, named) in cases {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCallback);
            assert!(error.to_string().contains(named), "{error}");
        }
        let error = minimal()
            .body(BodyTemplate::form().variable("a", "b}c"))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("b}c"), "{error}");
        let error = minimal()
            .member("callbackPolicy", "name")
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("not JSON"), "{error}");
    }

    #[test]
    fn debug_does_not_show_the_variables() {
        let spec = minimal().variable("token", "geheim").build().unwrap();
        let text = format!("{spec:?}");
        assert!(
            !text.contains("geheim") && !text.contains(spec.callback_var().unwrap()),
            "{text}"
        );
    }
}
