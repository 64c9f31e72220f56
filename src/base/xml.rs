//! OSS's XML answers, read into a tree of bounded size. Pure.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

/// Elements of a document beyond which the rest is not looked at. A full page of a list has about 8,000.
const MAX_ELEMENTS: usize = 20_000;
/// Elements within one another beyond which what is deeper is not looked at. OSS's are three deep.
const MAX_DEPTH: usize = 8;

/// A document as far as it could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) root: Element,
    /// It ended in good order, and nothing of it was left out.
    pub(crate) whole: bool,
}

/// An element without its attributes and name space: OSS uses neither.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// The text outside of child elements.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Element {
        Element {
            name: start.local_name().as_ref().to_owned(),
            ..Element::default()
        }
    }

    /// The text of the first child with this name.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.named(name).next().map(|child| child.text.as_str())
    }

    /// The children with this name, in their order.
    pub(crate) fn named<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a Element> + use<'a, 'n> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document. `None` if it has no root element.
pub(crate) fn parse(body: &[u8]) -> Option<Document> {
    let body = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(&body);
    // The open elements, the root first, and how many more are open below the deepest of them.
    let mut open: Vec<Element> = Vec::new();
    let mut deeper = 0_usize;
    let mut elements = 0;
    let mut whole = true;
    loop {
        let event = match reader.read_event() {
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => event,
        };
        match event {
            Event::Start(_) | Event::Empty(_) if elements == MAX_ELEMENTS => break,
            Event::Start(_) if open.len() == MAX_DEPTH => {
                deeper += 1;
                whole = false;
            }
            Event::Start(start) => {
                elements += 1;
                open.push(Element::new(&start));
            }
            Event::Empty(start) if open.is_empty() => {
                let root = Element::new(&start);
                return Some(Document { root, whole });
            }
            Event::Empty(start) => {
                elements += 1;
                keep(&mut open, Element::new(&start));
            }
            Event::End(_) if deeper > 0 => deeper -= 1,
            Event::End(_) => {
                let Some(element) = open.pop() else { break };
                if open.is_empty() {
                    return Some(Document {
                        root: element,
                        whole,
                    });
                }
                keep(&mut open, element);
            }
            Event::Text(text) if deeper == 0 => say(&mut open, &text),
            Event::CData(text) if deeper == 0 => say(&mut open, &text),
            Event::GeneralRef(reference) if deeper == 0 => {
                // Entities that a document defines for itself are not followed.
                if let Ok(Some(character)) = reference.resolve_char_ref() {
                    say(&mut open, character.encode_utf8(&mut [0; 4]));
                } else if let Some(entity) = resolve_xml_entity(&reference) {
                    say(&mut open, entity);
                }
            }
            _ => {}
        }
    }
    // Cut short: whatever is complete counts.
    open.truncate(1);
    let root = open.pop()?;
    Some(Document { root, whole: false })
}

fn keep(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn say(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Text as the content of an element.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_without_its_name_space() {
        let document = parse(
            b"<?xml version=\"1.0\"?>\n<o:A xmlns:o=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">\n\
              <B>1 &lt; 2</B><C><D>x</D><E/></C><B>&#50;</B></o:A>",
        )
        .unwrap();
        assert!(document.whole);
        let root = document.root;
        assert_eq!(
            (root.name.as_str(), root.text_of("B")),
            ("A", Some("1 < 2"))
        );
        assert_eq!(root.named("B").nth(1).unwrap().text, "2");
        let c = root.named("C").next().unwrap();
        assert_eq!((c.text_of("D"), c.text_of("E")), (Some("x"), Some("")));
    }

    #[test]
    fn what_is_cut_short_or_left_out_is_not_whole() {
        for body in ["<A><B>1</B><C>2", "<A><B>1</B>", "<A><B>1</B></X>"] {
            let document = parse(body.as_bytes()).unwrap();
            assert_eq!(document.root.text_of("B"), Some("1"), "{body}");
            assert!(!document.whole, "{body}");
        }
        let deep = format!("<A>{}1{}<B>1</B></A>", "<x>".repeat(20), "</x>".repeat(20));
        let document = parse(deep.as_bytes()).unwrap();
        assert_eq!(
            (document.whole, document.root.text_of("B")),
            (false, Some("1"))
        );
    }

    #[test]
    fn hostile_documents_cost_little() {
        let wide = [&b"<A>"[..], &b"<a/>".repeat(1_000_000)].concat();
        let document = parse(&wide).unwrap();
        assert!(!document.whole && document.root.children.len() < MAX_ELEMENTS);
        let deep = b"<a>".repeat(1_000_000);
        assert!(!parse(&deep).unwrap().whole);
        for body in [
            &b""[..],
            b"Bad Gateway",
            b"{\"Code\":\"x\"}",
            b"\xff\xfe\x00",
            b"</A>",
        ] {
            assert_eq!(parse(body), None);
        }
    }
}
