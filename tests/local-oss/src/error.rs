//! Error answers as OSS words them.

use std::borrow::Cow;

use hyper::StatusCode;
use quick_xml::escape::escape;

/// One error answer: what becomes the status line and the XML document.
#[derive(Debug)]
pub(crate) struct OssError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// OSS's own error number. Absent where OSS's number for the case is not known.
    pub(crate) ec: Option<&'static str>,
    details: Vec<(&'static str, String)>,
}

impl OssError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            ec: None,
            details: Vec::new(),
        }
    }

    /// 400 `InvalidArgument`, which names the argument and repeats its value.
    pub(crate) fn invalid_argument(
        message: impl Into<Cow<'static, str>>,
        name: &str,
        value: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
            .detail("ArgumentName", name)
            .detail("ArgumentValue", value)
    }

    pub(crate) fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("local-oss does not implement {what}."),
        )
    }

    pub(crate) fn ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds an element that only errors of this code have.
    pub(crate) fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The error document.
    pub(crate) fn document(&self, request_id: &str, host_id: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n");
        let mut element = |name: &str, value: &str| {
            let value: String = value.chars().map(legal_in_xml).collect();
            xml.push_str(&format!("  <{name}>{}</{name}>\n", escape(&value)));
        };
        element("Code", self.code);
        element("Message", &self.message);
        element("RequestId", request_id);
        element("HostId", host_id);
        for (name, value) in &self.details {
            element(name, value);
        }
        if let Some(ec) = self.ec {
            element("EC", ec);
            element(
                "RecommendDoc",
                &format!("https://api.aliyun.com/troubleshoot?q={ec}"),
            );
        }
        xml.push_str("</Error>\n");
        xml
    }
}

/// XML 1.0 has no way to write most control characters, not even as references.
fn legal_in_xml(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_the_document() {
        let error =
            OssError::invalid_argument("<&>", "callback", "\0a]]>\u{1b}</Error>").ec("0001");
        let document = error.document("id", "host");
        assert!(document.contains("<Message>&lt;&amp;&gt;</Message>"));
        assert!(document.contains("\u{fffd}a]]&gt;\u{fffd}&lt;/Error&gt;"));
        assert!(document.contains("<EC>0001</EC>"));
        assert_eq!(document.matches("</Error>").count(), 1);
    }
}
