//! The documents that clients send.

use hyper::StatusCode;
use quick_xml::{Reader, escape::resolve_xml_entity, events::Event};

use crate::error::OssError;

/// Far beyond any document, and little memory.
const DEEPEST: usize = 100;

/// An element with all that is in it. Attributes and namespaces are ignored.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root of the document, which must have this name.
    pub(crate) fn parse(document: &[u8], root: &str) -> Result<Self, OssError> {
        let text = std::str::from_utf8(document).map_err(|_| malformed_xml())?;
        let mut reader = Reader::from_str(text);
        // So that there is one form of an element.
        reader.config_mut().expand_empty_elements = true;
        // Those around the reader, the outermost first.
        let mut open: Vec<Self> = Vec::new();
        let mut whole = None;
        loop {
            match reader.read_event().map_err(|_| malformed_xml())? {
                Event::Start(start) => {
                    if whole.is_some() || open.len() == DEEPEST {
                        return Err(malformed_xml());
                    }
                    open.push(Self {
                        name: start.local_name().as_ref().to_owned(),
                        ..Self::default()
                    });
                }
                Event::Text(text) => append(&mut open, &text),
                Event::CData(text) => append(&mut open, &text),
                Event::GeneralRef(reference) => {
                    // Nobody's own entities are followed.
                    let character = reference.resolve_char_ref().ok().flatten();
                    match (character, resolve_xml_entity(&reference)) {
                        (Some(character), _) => {
                            append(&mut open, character.encode_utf8(&mut [0; 4]))
                        }
                        (None, Some(entity)) => append(&mut open, entity),
                        (None, None) => return Err(malformed_xml()),
                    }
                }
                Event::End(_) => {
                    let element = open.pop().ok_or_else(malformed_xml)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => whole = Some(element),
                    }
                }
                Event::DocType(_) => return Err(malformed_xml()),
                Event::Eof => break,
                _ => {}
            }
        }
        whole
            .filter(|element| element.name == root && open.is_empty())
            .ok_or_else(malformed_xml)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All of it: blanks may be part of a name.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text of a child, without blanks around it.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        Some(self.child(name)?.text.trim())
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

pub(crate) fn malformed_xml() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema.",
    )
    .ec("0031-00000001")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_meant() {
        let document = b"<?xml version=\"1.0\"?><!-- --><A xmlns=\"x\"><B> a&amp;&#x4e2d;<![CDATA[<>]]></B><B/>\
            <C><B>c</B></C></A>";
        let root = Element::parse(document, "A").unwrap();
        let texts: Vec<&str> = root.all("B").map(Element::text).collect();
        assert_eq!(texts, [" a&\u{4e2d}<>", ""]);
        assert_eq!(root.child("C").unwrap().text_of("B"), Some("c"));
        assert!(root.text_of("D").is_none());
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let deep = "<A>".repeat(200) + &"</A>".repeat(200);
        for document in [
            "",
            "A",
            "<A>",
            "<A></B>",
            "<B></B>",
            "<A/><A/>",
            "<!DOCTYPE A [<!ENTITY b \"c\">]><A>&b;</A>",
            "<A>&b;</A>",
            &deep,
        ] {
            let error = Element::parse(document.as_bytes(), "A").unwrap_err();
            assert_eq!(error.code, "MalformedXML", "{document}");
        }
        assert!(Element::parse(b"<A>\xff</A>", "A").is_err());
    }
}
