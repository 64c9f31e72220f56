//! The request that OSS would send, without sending anything. Pure.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::callback_spec::CallbackSpec;
use super::decoded::CallbackUrl;
use super::template::TemplateValue;
use crate::outcome::error::Result;

/// What OSS knows of an upload when it renders a callback. What is not given stays empty, as OSS leaves
/// what it does not know.
///
/// ```
/// use oss_callback::{CallbackSpec, ObjectFacts};
///
/// let spec = CallbackSpec::builder()
///     .url("http://app.example.com:8080/callback?id=1")
///     .body("object=${object}&size=${size}&height=${imageInfo.height}")
///     .build()?;
/// let requests = spec.preview(&ObjectFacts::new("examplebucket", "a/b.txt").size(5))?;
/// assert_eq!(requests[0].target(), "/callback?id=1");
/// assert_eq!(requests[0].body(), "object=a%2Fb.txt&size=5&height=");
/// println!("{}", requests[0]);
/// # Ok::<(), oss_callback::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ObjectFacts {
    texts: Vec<(&'static str, String)>,
    numbers: Vec<(&'static str, u64)>,
}

impl ObjectFacts {
    /// An object that PutObject has stored.
    pub fn new(bucket: impl Into<String>, object: impl Into<String>) -> ObjectFacts {
        ObjectFacts::default()
            .text("bucket", bucket)
            .text("object", object)
            .text("operation", "PutObject")
    }

    /// Its size in bytes.
    pub fn size(self, bytes: u64) -> Self {
        self.number("size", bytes)
    }

    /// Its ETag, without quotes.
    pub fn etag(self, etag: impl Into<String>) -> Self {
        self.text("etag", etag)
    }

    /// Its Content-Type.
    pub fn mime_type(self, mime_type: impl Into<String>) -> Self {
        self.text("mimeType", mime_type)
    }

    /// Its CRC-64/XZ.
    pub fn crc64(self, crc64: u64) -> Self {
        self.text("crc64", crc64.to_string())
    }

    /// Its MD5 in Base64.
    pub fn content_md5(self, content_md5: impl Into<String>) -> Self {
        self.text("contentMd5", content_md5)
    }

    /// It is an image of this height and width in pixels and of this format, such as `jpg`.
    pub fn image(self, height: u64, width: u64, format: impl Into<String>) -> Self {
        self.number("imageInfo.height", height)
            .number("imageInfo.width", width)
            .text("imageInfo.format", format)
    }

    /// The uploader's address.
    pub fn client_ip(self, client_ip: impl Into<String>) -> Self {
        self.text("clientIp", client_ip)
    }

    /// The uploader's VPC.
    pub fn vpc_id(self, vpc_id: impl Into<String>) -> Self {
        self.text("vpcId", vpc_id)
    }

    /// The id of the upload request.
    pub fn request_id(self, request_id: impl Into<String>) -> Self {
        self.text("reqId", request_id)
    }

    /// `PutObject`, `PostObject` or `CompleteMultipartUpload`.
    pub fn operation(self, operation: impl Into<String>) -> Self {
        self.text("operation", operation)
    }

    fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.texts.retain(|(known, _)| *known != name);
        self.texts.push((name, value.into()));
        self
    }

    fn number(mut self, name: &'static str, value: u64) -> Self {
        self.numbers.retain(|(known, _)| *known != name);
        self.numbers.push((name, value));
        self
    }

    fn find(&self, name: &str) -> Option<TemplateValue<'_>> {
        let number = self.numbers.iter().find(|(known, _)| *known == name);
        if let Some((_, number)) = number {
            return Some(TemplateValue::Number(*number));
        }
        let text = self.texts.iter().find(|(known, _)| *known == name);
        text.map(|(_, text)| TemplateValue::Text(text))
    }

    fn get(&self, name: &str) -> &str {
        match self.find(name) {
            Some(TemplateValue::Text(text)) => text,
            _ => "",
        }
    }
}

/// A request that OSS would send to one of the callback URLs. `Display` shows it as it would go over the
/// wire, with words in parentheses for what only OSS can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackPreview {
    url: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl CallbackPreview {
    /// The callback URL as it stands in the spec.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Path and query of the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The headers in OSS's order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The body.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Display for CallbackPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "POST {} HTTP/1.1", self.target)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.body)
    }
}

impl CallbackSpec {
    /// Renders the requests that OSS would send after an upload, one for each URL: the first, and the next
    /// ones only if those before them fail. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`check`](CallbackSpec::check).
    pub fn preview(&self, object: &ObjectFacts) -> Result<Vec<CallbackPreview>> {
        let spec = self.decoded()?;
        let body = spec.body.render(spec.body_type, |name| {
            spec.variable(name)
                .map(TemplateValue::Text)
                .or_else(|| object.find(name))
        })?;
        let request = |text: &String| {
            let url = CallbackUrl::of(text);
            let host = spec.host.as_deref().unwrap_or(url.host);
            let only_oss = |what: &str| format!("({what})");
            // The headers of real callbacks, in their order.
            let headers = vec![
                ("Host", host.to_owned()),
                ("Connection", "close".to_owned()),
                ("Content-Length", body.len().to_string()),
                ("Authorization", only_oss("the signature")),
                ("Content-MD5", STANDARD.encode(Md5::digest(&body))),
                ("Content-Type", spec.body_type.as_str().to_owned()),
                ("Date", only_oss("the time")),
                ("User-Agent", "aliyun-oss-callback".to_owned()),
                ("x-oss-additional-headers", String::new()),
                ("x-oss-bucket", object.get("bucket").to_owned()),
                ("x-oss-owner", only_oss("the bucket owner's account")),
                (
                    "x-oss-pub-key-url",
                    STANDARD.encode("https://gosspublic.alicdn.com/callback_pub_key_v1.pem"),
                ),
                (
                    "x-oss-request-id",
                    match object.get("reqId") {
                        "" => only_oss("the id of the upload"),
                        id => id.to_owned(),
                    },
                ),
                ("x-oss-requester", only_oss("the uploader's account")),
                ("x-oss-signature-version", "1.0".to_owned()),
                ("x-oss-tag", "CALLBACK".to_owned()),
                ("eagleeye-rpcid", "0.1".to_owned()),
            ];
            CallbackPreview {
                url: text.clone(),
                target: url.target,
                headers,
                body: body.clone(),
            }
        };
        Ok(spec.urls.iter().map(request).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::template::BodyType;

    #[test]
    fn each_url_has_its_request() {
        let spec = CallbackSpec::builder()
            .url("https://a.example.com:8443/x%20y?b=%41#part")
            .url("b.example.com?c")
            .body(r#"{"o":${object},"s":${size},"u":${x:u},"e":${etag},"i":${imageInfo.width}}"#)
            .body_type(BodyType::Json)
            .variable("u", "\"")
            .build()
            .unwrap();
        let facts = ObjectFacts::new("b", "ä/1")
            .size(1)
            .size(5)
            .image(3, 4, "jpg");
        let requests = spec.preview(&facts).unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].target(), "/x%20y?b=%41");
        assert_eq!(requests[1].target(), "/?c");
        let hosts: Vec<&str> = requests
            .iter()
            .filter_map(|request| request.headers().find(|(name, _)| *name == "Host"))
            .map(|(_, host)| host)
            .collect();
        assert_eq!(hosts, ["a.example.com", "b.example.com"]);
        let body = r#"{"o":"ä/1","s":5,"u":"\"","e":null,"i":4}"#;
        assert_eq!(requests[0].body(), body);
        let shown = requests[1].to_string();
        assert!(
            shown.starts_with("POST /?c HTTP/1.1\nHost: b.example.com\n"),
            "{shown}"
        );
        assert!(shown.ends_with(&format!("\n\n{body}")), "{shown}");
        assert!(
            shown.contains(&format!("Content-Length: {}\n", body.len())),
            "{shown}"
        );
    }

    #[test]
    fn what_oss_would_refuse_has_no_preview() {
        let spec = CallbackSpec::from_json("{}", None).unwrap();
        assert!(spec.preview(&ObjectFacts::new("b", "o")).is_err());
    }
}
