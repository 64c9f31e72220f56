//! What a Base64 callback will do, in sentences. Pure.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::callback_spec::CallbackSpec;
use super::decoded::{CallbackUrl, Decoded};
use super::template::{BodyType, Piece, VARIABLES, pieces};
use super::warnings;
use crate::outcome::error::Result;

/// A callback in sentences: what OSS will do with it, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    sentences: Vec<String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Explanation {
    /// What OSS will do; empty if the callback cannot be read at all.
    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    /// Why OSS would refuse it; empty if it would not.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What is likely a mistake.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.sentences {
            writeln!(f, "{sentence}")?;
        }
        for problem in &self.problems {
            writeln!(f, "Wrong: {problem}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "Warning: {warning}")?;
        }
        Ok(())
    }
}

/// Says what a callback will do: the value of `x-oss-callback` or of the parameter `callback`, and that of
/// its variables if there are any. It may be percent-encoded, of the URL-safe alphabet, without padding, or
/// with line breaks; that OSS would refuse such a thing is then said. Variables are shown with their values.
///
/// ```
/// let callback = "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9hLmV4YW1wbGUuY29tLyIsImNhbGxiYWNrQm9keSI6Im89JHtvYmplY3R9In0=";
/// let explanation = oss_callback::callback::explain(callback, None);
/// assert!(explanation.problems().is_empty());
/// assert!(explanation.to_string().contains("POST to http://a.example.com/"));
/// ```
pub fn explain(callback: &str, callback_var: Option<&str>) -> Explanation {
    let mut explanation = Explanation {
        sentences: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let problems = &mut explanation.problems;
    let repaired = repair("callback", callback, problems);
    let repaired_var = callback_var.map(|text| repair("callback-var", text, problems));
    let spec = CallbackSpec::from_base64(&repaired, repaired_var.as_deref());
    match spec.and_then(|spec| spec.decoded()) {
        Ok(spec) => {
            explanation.sentences = sentences(&spec);
            let warnings = warnings::of(&spec);
            explanation.warnings = warnings.iter().map(ToString::to_string).collect();
        }
        Err(error) => {
            problems.push(error.to_string());
            let json = STANDARD.decode(&repaired).ok();
            if let Some(text) = json.and_then(|json| String::from_utf8(json).ok()) {
                explanation.sentences.push(format!("It reads {text}"));
            }
        }
    }
    explanation
}

/// The value as OSS wants it, with a problem for each liberty that was taken.
fn repair(name: &str, value: &str, problems: &mut Vec<String>) -> String {
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    let bare: String = decoded.split_ascii_whitespace().collect();
    if bare.len() != decoded.len() {
        problems.push(format!("`{name}` has blanks or line breaks in its Base64"));
    }
    let standard: String = bare.replace('-', "+").replace('_', "/");
    if standard != bare {
        problems.push(format!(
            "`{name}` is of the URL-safe alphabet: OSS wants `+` and `/`"
        ));
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    match engine.decode(&standard) {
        Ok(bytes) if STANDARD.decode(&standard).is_err() => {
            problems.push(format!("`{name}` lacks the `=` at the end of its Base64"));
            STANDARD.encode(bytes)
        }
        _ => standard,
    }
}

fn sentences(spec: &Decoded) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut urls = spec.urls.iter();
    let first = urls.next().map_or("", String::as_str);
    sentences.push(format!(
        "After the object is stored OSS sends a POST to {first} and waits up to 5 seconds for status 200 \
         with JSON."
    ));
    let others: Vec<&str> = urls.map(String::as_str).collect();
    if !others.is_empty() {
        sentences.push(format!(
            "If that fails it tries {}, in this order, until one succeeds.",
            others.join(", then ")
        ));
    }
    match &spec.host {
        Some(host) => sentences.push(format!("The Host header is {host}.")),
        None => {
            sentences.push("The Host header is the host of the URL, without a port.".to_owned());
        }
    }
    if spec.urls.iter().any(|url| CallbackUrl::of(url).https) {
        sentences.push(match spec.sni {
            true => "For https it names the host in the TLS handshake (SNI).".to_owned(),
            false => "For https it does not name the host in the TLS handshake (SNI), so that a server with \
                      several certificates may show the wrong one."
                .to_owned(),
        });
    }
    let kind = match spec.body_type {
        BodyType::Form => "a form",
        BodyType::Json => "JSON",
    };
    sentences.push(format!("The body is {kind}: {}", spec.body));
    let body = spec.body.to_string();
    let mut names: Vec<&str> = Vec::new();
    for piece in pieces(&body).flatten() {
        if let Piece::Placeholder(name) = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    for name in &names {
        let meaning = match spec.variable(name) {
            Some(value) => format!("the variable {value:?}"),
            None if VARIABLES.contains(name) => meaning(name).to_owned(),
            None => match spec.body_type {
                BodyType::Form => "nothing".to_owned(),
                BodyType::Json => "null".to_owned(),
            },
        };
        sentences.push(format!("  ${{{name}}} becomes {meaning}"));
    }
    for (name, _) in &spec.variables {
        if !names.contains(&name.as_str()) {
            sentences.push(format!(
                "The variable {name} is not in the body, so the application server does not get it."
            ));
        }
    }
    for (name, json) in &spec.others {
        sentences.push(format!("The further member {name} is {json}."));
    }
    sentences
}

fn meaning(name: &str) -> &'static str {
    match name {
        "bucket" => "the bucket",
        "object" => "the object's key",
        "etag" => "the ETag, without quotes",
        "size" => "the size in bytes",
        "mimeType" => "the object's Content-Type",
        "imageInfo.height" => "the image's height in pixels, empty if it is no image",
        "imageInfo.width" => "the image's width in pixels, empty if it is no image",
        "imageInfo.format" => "the image's format, empty if it is no image",
        "crc64" => "the CRC-64 that OSS has computed",
        "contentMd5" => "the MD5 in Base64, empty after a multipart upload",
        "vpcId" => "the uploader's VPC, empty outside of one",
        "clientIp" => "the uploader's address",
        "reqId" => "the id of the upload request",
        _ => "the operation: PutObject, PostObject or CompleteMultipartUpload",
    }
}

impl CallbackSpec {
    /// What this spec will do, in sentences: see [`explain`].
    ///
    /// # Errors
    ///
    /// As [`check`](CallbackSpec::check).
    pub fn explain(&self) -> Result<Explanation> {
        self.check()?;
        Ok(explain(self.callback(), self.callback_var()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn a_callback_is_told_in_sentences() {
        let spec = CallbackSpec::builder()
            .url("https://a.example.com:8443/cb")
            .url("http://b.example.com/")
            .host("app.example.com")
            .body("o=${object}&s=${size}&u=${x:user}&n=${x:none}&n=${name}")
            .variable("user", "4711")
            .variable("unused", "1")
            .member("callbackPolicy", "\"p\"")
            .build()
            .unwrap();
        let explanation = spec.explain().unwrap();
        let text = explanation.to_string();
        for part in [
            "POST to https://a.example.com:8443/cb",
            "it tries http://b.example.com/,",
            "Host header is app.example.com.",
            "does not name the host",
            "The body is a form: o=${object}",
            "${object} becomes the object's key",
            "${x:user} becomes the variable \"4711\"",
            "${x:none} becomes nothing",
            "x:unused is not in the body",
            "callbackPolicy is \"p\"",
            "Warning: callbackBody names ${x:none}",
            "Warning: callbackBody names ${name}",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(explanation.problems().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_and_what_can_be_read_is_read() {
        let json = r#"{"callbackUrl":"http://a.example.com/???","callbackBody":"o=${object}"}"#;
        let base64 = STANDARD.encode(json);
        assert!(base64.contains('/') && base64.ends_with('='));
        for (value, named) in [
            (base64.replace('/', "%2F"), None),
            (base64.replace('/', "_"), Some("URL-safe")),
            (
                base64.trim_end_matches('=').to_owned(),
                Some("lacks the `=`"),
            ),
            (
                format!("{}\n{}", &base64[..20], &base64[20..]),
                Some("line breaks"),
            ),
        ] {
            let explanation = explain(&value, None);
            assert!(
                explanation.sentences()[0].contains("a.example.com"),
                "{value}"
            );
            let problems = explanation.problems();
            match named {
                None => assert!(problems.is_empty(), "{problems:?}"),
                Some(named) => assert!(problems[0].contains(named), "{problems:?}"),
            }
        }
        let explanation = explain("!!!", None);
        assert!(explanation.sentences().is_empty() && explanation.problems().len() == 1);
        let explanation = explain(&STANDARD.encode(r#"{"callbackUrl":1}"#), None);
        assert_eq!(explanation.sentences(), [r#"It reads {"callbackUrl":1}"#]);
        assert!(
            explanation
                .to_string()
                .contains("Wrong: `callbackUrl` is not a string")
        );
    }

    #[test]
    fn everything_that_the_sdks_send_is_explained() {
        vectors::each("callback_encoding.json", |row| {
            let callback = row["sdk_sample_base64"].as_str();
            let callback = callback.unwrap_or_else(|| row["reference_base64"].as_str().unwrap());
            let explanation = explain(callback, row["var_reference_base64"].as_str());
            assert!(
                explanation.problems().is_empty(),
                "{}: {explanation}",
                row["id"]
            );
            assert!(explanation.sentences().len() > 2);
        });
    }
}
