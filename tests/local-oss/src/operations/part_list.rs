//! The body of CompleteMultipartUpload.

use hyper::StatusCode;
use quick_xml::{Reader, escape::resolve_xml_entity, events::Event};

use crate::{error::OssError, uploads::PART_NUMBERS};

/// Far beyond any list, and little memory.
const DEEPEST: usize = 100;

/// A part as the client names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListedPart {
    pub(super) number: u32,
    /// Without quotes, which clients may leave out.
    pub(super) etag: String,
}

/// `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"…"</ETag></Part>…</CompleteMultipartUpload>`
///
/// Elements of other names are ignored; what OSS does with them is not documented.
pub(super) fn parse(document: &[u8]) -> Result<Vec<ListedPart>, OssError> {
    let text = std::str::from_utf8(document).map_err(|_| malformed())?;
    let mut reader = Reader::from_str(text);
    // So that there is one form of an element.
    reader.config_mut().expand_empty_elements = true;
    let mut parts = Vec::new();
    // The names of the elements around the reader, the outermost first.
    let mut around: Vec<String> = Vec::new();
    let (mut number, mut etag, mut value) = (None, None, String::new());
    let mut is_over = false;
    loop {
        match reader.read_event() {
            Err(_) => return Err(malformed()),
            Ok(Event::Start(start)) => {
                let name = start.local_name().as_ref().to_owned();
                if is_over || (around.is_empty() && name != "CompleteMultipartUpload") {
                    return Err(malformed());
                }
                if around.len() == DEEPEST {
                    return Err(malformed());
                }
                around.push(name);
                value.clear();
            }
            Ok(Event::Text(text)) => value.push_str(&text),
            Ok(Event::CData(text)) => value.push_str(&text),
            Ok(Event::GeneralRef(reference)) => {
                // Nobody's own entities are followed.
                let character = reference.resolve_char_ref().ok().flatten();
                match (character, resolve_xml_entity(&reference)) {
                    (Some(character), _) => value.push(character),
                    (None, Some(entity)) => value.push_str(entity),
                    (None, None) => return Err(malformed()),
                }
            }
            Ok(Event::End(_)) => {
                let text = std::mem::take(&mut value);
                let place: Vec<&str> = around.iter().skip(1).map(String::as_str).collect();
                match place[..] {
                    ["Part", "PartNumber"] => {
                        let parsed = text.trim().parse().ok();
                        let parsed = parsed.ok_or_else(malformed)?;
                        set(&mut number, parsed)?;
                    }
                    ["Part", "ETag"] => {
                        let text = text.trim().trim_matches('"').to_owned();
                        set(&mut etag, text)?;
                    }
                    ["Part"] => match (number.take(), etag.take()) {
                        _ if parts.len() == *PART_NUMBERS.end() as usize => {
                            return Err(malformed());
                        }
                        (Some(number), Some(etag)) => parts.push(ListedPart { number, etag }),
                        _ => return Err(malformed()),
                    },
                    _ => {}
                }
                around.pop();
                is_over = around.is_empty();
            }
            Ok(Event::DocType(_)) => return Err(malformed()),
            Ok(Event::Eof) if !is_over => return Err(malformed()),
            Ok(Event::Eof) => return Ok(parts),
            Ok(_) => {}
        }
    }
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), OssError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed()),
    }
}

/// OSS does not say where the fault is.
pub(super) fn malformed() -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema.",
    )
    .ec("0042-00000205")
}
