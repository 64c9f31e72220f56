//! OSS's XML error documents. Pure, and as forgiving as the documentation of the format is short.

use crate::base::xml;
use crate::outcome::error::OssError;

/// Elements of a document beyond which the rest is not kept. OSS sends about ten.
const MAX_ELEMENTS: usize = 100;

/// Reads `<Error><Code>…</Code>…</Error>`. `None` for anything else: not XML, another root element, no
/// code. A document that is cut short gives what it has.
pub(crate) fn parse(body: &[u8]) -> Option<OssError> {
    let root = xml::parse(body)?.root;
    if root.name != "Error" {
        return None;
    }
    let mut error = OssError::default();
    for child in root.children.into_iter().take(MAX_ELEMENTS) {
        // Some answers have what explains them one level deeper.
        if child.name == "Detail" && !child.children.is_empty() {
            let details = child.children.into_iter().take(MAX_ELEMENTS);
            error
                .details
                .extend(details.map(|detail| (detail.name, detail.text)));
        } else {
            keep(&mut error, child.name, child.text);
        }
    }
    error.code.is_some().then_some(error)
}

fn keep(error: &mut OssError, name: String, text: String) {
    match name.as_str() {
        "Code" => error.code = Some(text),
        "Message" => error.message = Some(text),
        "RequestId" => error.request_id = Some(text),
        "HostId" => error.host_id = Some(text),
        "EC" => error.ec = Some(text),
        _ => error.details.push((name, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_is_read() {
        let error = parse(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">\n\
              <Code>InvalidArgument</Code><Message>a &lt;b&gt; &#38; c</Message>\
              <RequestId>5E1B</RequestId><HostId>h</HostId><EC>0007-00000004</EC>\
              <ArgumentName>callback</ArgumentName><Empty/><ArgumentValue><![CDATA[{\"a\":1}]]></ArgumentValue></Error>",
        )
        .unwrap();
        assert_eq!(error.code.as_deref(), Some("InvalidArgument"));
        assert_eq!(error.message.as_deref(), Some("a <b> & c"));
        assert_eq!(error.request_id.as_deref(), Some("5E1B"));
        assert_eq!(error.host_id.as_deref(), Some("h"));
        assert_eq!(error.ec.as_deref(), Some("0007-00000004"));
        assert_eq!(
            error.details,
            [
                ("ArgumentName".to_owned(), "callback".to_owned()),
                ("Empty".to_owned(), String::new()),
                ("ArgumentValue".to_owned(), "{\"a\":1}".to_owned())
            ]
        );
    }

    #[test]
    fn a_document_cut_short_gives_what_it_has() {
        let error = parse(b"<Error><Code>NoSuchKey</Code><Message>The spec").unwrap();
        assert_eq!(error.code.as_deref(), Some("NoSuchKey"));
        assert_eq!(error.message, None);
    }

    #[test]
    fn anything_else_is_not_an_error_of_oss() {
        for body in [
            &b""[..],
            b"Bad Gateway",
            b"<html><body><Code>x</Code></body></html>",
            b"<Error></Error>",
            b"<Error/>",
            b"{\"Code\":\"x\"}",
            b"\xff\xfe\x00",
        ] {
            assert_eq!(parse(body), None, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn hostile_documents_cost_little() {
        let deep = [b"<Error><Code>C</Code>".to_vec(), b"<a>".repeat(1_000_000)].concat();
        assert_eq!(parse(&deep).unwrap().code.as_deref(), Some("C"));
        let many = [
            b"<Error><Code>C</Code>".to_vec(),
            b"<a>1</a>".repeat(1_000_000),
        ]
        .concat();
        assert!(parse(&many).unwrap().details.len() <= MAX_ELEMENTS);
        let entities = b"<!DOCTYPE Error [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
            <Error><Code>C</Code><Message>&b;x</Message></Error>";
        assert_eq!(parse(entities).unwrap().message.as_deref(), Some("x"));
    }
}
