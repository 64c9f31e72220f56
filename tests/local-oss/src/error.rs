//! Error answers as OSS words them.

use std::{borrow::Cow, io};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::StatusCode;

use crate::xml::Document;

/// Half of what Node.js takes as a whole head by default.
const LONGEST_HEADER: usize = 8 * 1024;

/// What is repeated of an argument.
const LONGEST_ARGUMENT: usize = 1024;

/// One error answer: what becomes the status line and the XML document.
#[derive(Debug)]
pub(crate) struct OssError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// OSS's own error number. Absent where OSS's number for the case is not known.
    pub(crate) ec: Option<&'static str>,
    details: Vec<(&'static str, String)>,
    /// Headers that the answer has besides.
    pub(crate) headers: Vec<(&'static str, String)>,
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
            headers: Vec::new(),
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

    /// What the machine does not do, such as to write a file.
    pub(crate) fn internal(error: &io::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("local-oss has a problem with its files: {error}."),
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

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With an argument that ends after 1 KiB: oss2 reads 4,096 bytes of an error document, and fails on the XML of a longer
    /// one. What OSS does is not known.
    pub(crate) fn cut(mut self) -> Self {
        let values = self.details.iter_mut();
        for (_, value) in values.filter(|(name, _)| *name == "ArgumentValue") {
            if value.len() > LONGEST_ARGUMENT {
                let mut ends = (0..=LONGEST_ARGUMENT).rev();
                let end = ends.find(|end| value.is_char_boundary(*end));
                value.truncate(end.unwrap_or_default());
            }
        }
        self
    }

    /// The error document.
    pub(crate) fn document(&self, request_id: &str, host_id: &str) -> String {
        self.document_with(&self.details, request_id, host_id)
    }

    /// The error document in Base64, for the header `x-oss-err`.
    ///
    /// A client may refuse a head that is too large: a long document leaves out what only errors of its code have, and one
    /// that is still too long is not sent.
    pub(crate) fn header(&self, request_id: &str, host_id: &str) -> Option<String> {
        [&self.details[..], &[]]
            .into_iter()
            .map(|details| STANDARD.encode(self.document_with(details, request_id, host_id)))
            .find(|header| header.len() <= LONGEST_HEADER)
    }

    fn document_with(
        &self,
        details: &[(&'static str, String)],
        request_id: &str,
        host_id: &str,
    ) -> String {
        let mut xml = Document::new();
        xml.open("Error");
        xml.element("Code", self.code);
        xml.element("Message", &self.message);
        xml.element("RequestId", request_id);
        xml.element("HostId", host_id);
        for (name, value) in details {
            xml.element(name, value);
        }
        if let Some(ec) = self.ec {
            xml.element("EC", ec);
            xml.element(
                "RecommendDoc",
                &format!("https://api.aliyun.com/troubleshoot?q={ec}"),
            );
        }
        xml.close("Error");
        xml.finish()
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

    #[test]
    fn a_header_keeps_its_details_as_long_as_it_is_short() {
        let decoded = |length: usize| {
            let error = OssError::access_denied("no").detail("StringToSign", "a".repeat(length));
            let header = error.header("id", "host").unwrap();
            assert!(header.len() <= LONGEST_HEADER);
            String::from_utf8(STANDARD.decode(header).unwrap()).unwrap()
        };
        assert!(decoded(5_000).contains(&"a".repeat(5_000)));
        let cut = decoded(50_000);
        assert!(cut.contains("<Message>no</Message>") && !cut.contains("StringToSign"));
        let endless = OssError::access_denied("a".repeat(50_000));
        assert_eq!(endless.header("id", "host"), None);
    }
}
