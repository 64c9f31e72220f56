//! The CORS rules of a bucket, as PutBucketCors sets them.

use hyper::StatusCode;

use crate::{
    cors::{METHODS, matches},
    element::{Element, malformed_xml},
    error::OssError,
    xml::Document,
};

const MOST_RULES: usize = 20;

/// What pages may do with a bucket.
#[derive(Clone, Debug)]
pub(crate) struct CorsRules {
    rules: Vec<CorsRule>,
    /// Every answer says that it depends on the origin, whether the request has one or not.
    pub(crate) vary: bool,
}

/// One of the rules: the first that fits decides.
#[derive(Clone, Debug)]
pub(crate) struct CorsRule {
    origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    headers: Vec<String>,
    pub(crate) exposed: Vec<String>,
    pub(crate) max_age: Option<u64>,
}

impl CorsRules {
    pub(crate) fn parse(document: &[u8]) -> Result<Self, OssError> {
        let root = Element::parse(document, "CORSConfiguration")?;
        let rules: Vec<CorsRule> = root.all("CORSRule").map(rule).collect::<Result<_, _>>()?;
        if rules.is_empty() {
            return Err(malformed_xml());
        }
        if rules.len() > MOST_RULES {
            return Err(invalid(format!(
                "There are more than {MOST_RULES} CORS rules."
            )));
        }
        let vary = match root.text_of("ResponseVary") {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(_) => return Err(malformed_xml()),
        };
        Ok(Self { rules, vary })
    }

    pub(crate) fn document(&self) -> Document {
        let mut xml = Document::new();
        xml.open("CORSConfiguration");
        for rule in &self.rules {
            xml.open("CORSRule");
            for (name, values) in [
                ("AllowedOrigin", &rule.origins),
                ("AllowedMethod", &rule.methods),
                ("AllowedHeader", &rule.headers),
                ("ExposeHeader", &rule.exposed),
            ] {
                values.iter().for_each(|value| xml.element(name, value));
            }
            if let Some(seconds) = rule.max_age {
                xml.element("MaxAgeSeconds", &seconds.to_string());
            }
            xml.close("CORSRule");
        }
        xml.element("ResponseVary", if self.vary { "true" } else { "false" });
        xml.close("CORSConfiguration");
        xml
    }

    /// The rule that allows this, and what the page is told that it is allowed as.
    pub(crate) fn find(
        &self,
        origin: &str,
        method: &str,
        headers: &[&str],
    ) -> Option<(&CorsRule, String)> {
        self.rules.iter().find_map(|rule| {
            let pattern = rule
                .origins
                .iter()
                .find(|pattern| matches(pattern, origin))?;
            let is_allowed = rule.methods.iter().any(|allowed| allowed == method)
                && headers.iter().all(|header| rule.allows_header(header));
            let allowed = match pattern.as_str() {
                "*" => "*",
                _ => origin,
            };
            is_allowed.then(|| (rule, allowed.to_owned()))
        })
    }
}

impl CorsRule {
    fn allows_header(&self, header: &str) -> bool {
        let header = header.to_ascii_lowercase();
        let mut allowed = self.headers.iter();
        allowed.any(|pattern| matches(&pattern.to_ascii_lowercase(), &header))
    }
}

fn rule(element: &Element) -> Result<CorsRule, OssError> {
    let all = |name| -> Vec<String> {
        let values = element.all(name);
        values.map(|value| value.text().trim().to_owned()).collect()
    };
    let max_age = match element.text_of("MaxAgeSeconds") {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| {
            OssError::invalid_argument("The MaxAgeSeconds is invalid.", "MaxAgeSeconds", text)
        })?),
    };
    let rule = CorsRule {
        origins: all("AllowedOrigin"),
        methods: all("AllowedMethod"),
        headers: all("AllowedHeader"),
        exposed: all("ExposeHeader"),
        max_age,
    };
    if rule.origins.is_empty() || rule.methods.is_empty() {
        return Err(malformed_xml());
    }
    let unknown = |method: &&String| METHODS.iter().all(|known| known.as_str() != *method);
    if let Some(method) = rule.methods.iter().find(unknown) {
        return Err(invalid(format!(
            "{method} cannot be allowed by a CORS rule."
        )));
    }
    let patterns = rule.origins.iter().chain(&rule.headers);
    if let Some(pattern) = patterns
        .into_iter()
        .find(|text| text.matches('*').count() > 1)
    {
        return Err(invalid(format!("{pattern} has more than one wildcard.")));
    }
    if let Some(header) = rule.exposed.iter().find(|text| text.contains('*')) {
        return Err(invalid(format!(
            "{header} has a wildcard, which ExposeHeader must not."
        )));
    }
    Ok(rule)
}

/// The wording is inferred.
fn invalid(message: String) -> OssError {
    OssError::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
}
