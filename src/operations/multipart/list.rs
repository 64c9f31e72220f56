//! ListParts: which parts OSS has.

use super::{MAX_PARTS, MultipartUpload, Part};
use crate::base::xml::{self, Element};
use crate::engine::attempts::Attempts;
use crate::engine::operation::{Operation, OperationOptions, operation_options};
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;

/// Asks which parts OSS has. Made by [`MultipartUpload::list_parts`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send` is called"]
pub struct ListParts {
    upload: MultipartUpload,
    options: OperationOptions,
}

impl ListParts {
    operation_options!();

    pub(super) fn new(upload: &MultipartUpload) -> ListParts {
        ListParts {
            upload: upload.clone(),
            options: OperationOptions::default(),
        }
    }

    /// Sends as many requests as it takes, one for each 1000 parts, and gives the parts by number.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when OSS does not know the upload (any more),
    /// [`ErrorKind::Protocol`] when an answer is cut short or is not a list of parts, and every error
    /// of arguments and network.
    pub fn send(self) -> Result<Vec<Part>> {
        self.upload.check()?;
        self.upload.request("GET").check()?;
        self.options.check()?;
        list_parts(&self.options.attempts(&self.upload.engine, 0), &self.upload)
    }
}

/// All parts of an upload that has been checked, by number.
pub(crate) fn list_parts(attempts: &Attempts, upload: &MultipartUpload) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    // Each page brings a higher marker, and there are so many numbers.
    loop {
        let marker = parts.last().map(|part| part.number().to_string());
        let mut request = upload
            .request("GET")
            .query("max-parts", Some("1000"))
            .query("encoding-type", Some("url"));
        if let Some(marker) = &marker {
            request = request.query("part-number-marker", Some(marker));
        }
        let answer =
            Operation::new(attempts.engine.clone(), request).send_with(attempts, &[200])?;
        let Some(page) = Page::read(&answer) else {
            return Err(damaged(answer));
        };
        let last = parts.last().map_or(0, Part::number);
        let ascending = page
            .parts
            .windows(2)
            .all(|two| two[0].number() < two[1].number())
            && page.parts.first().is_none_or(|part| part.number() > last);
        if !ascending || (page.truncated && page.parts.is_empty()) {
            return Err(damaged(answer));
        }
        parts.extend(page.parts);
        if !page.truncated || parts.last().is_some_and(|part| part.number() == MAX_PARTS) {
            return Ok(parts);
        }
    }
}

fn damaged(answer: outcome::Answer) -> Error {
    let message = "OSS's answer to ListParts is not a whole list of parts";
    outcome::useless(ErrorKind::Protocol, message, answer)
}

/// Asks whether OSS knows the upload: an error says that it does not, or that it could not be asked.
pub(crate) fn look_for_upload(attempts: &Attempts, request: Request) -> Result<outcome::Answer> {
    let request = request.query("max-parts", Some("1"));
    let answer = Operation::new(attempts.engine.clone(), request).send_with(attempts, &[200])?;
    match Page::read(&answer) {
        Some(_) => Ok(answer),
        None => Err(damaged(answer)),
    }
}

struct Page {
    parts: Vec<Part>,
    truncated: bool,
}

impl Page {
    fn read(answer: &outcome::Answer) -> Option<Page> {
        let document = xml::parse(&answer.body)?;
        let root = document.root;
        if answer.damage.is_some() || !document.whole || root.name != "ListPartsResult" {
            return None;
        }
        let parts = root.named("Part").map(part).collect::<Option<_>>()?;
        let truncated = root.text_of("IsTruncated").map(str::trim) == Some("true");
        Some(Page { parts, truncated })
    }
}

/// The parts of a page, and whether another follows.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_page(body: &[u8]) -> Option<(Vec<Part>, bool)> {
    let page = Page::read(&outcome::Answer {
        status: 200,
        headers: crate::outcome::headers::Headers::default(),
        body: body.to_vec(),
        damage: None,
        relayed: false,
    })?;
    Some((page.parts, page.truncated))
}

fn part(element: &Element) -> Option<Part> {
    let number = element.text_of("PartNumber")?.trim().parse().ok()?;
    let mut part = Part::new(number, element.text_of("ETag")?.trim());
    part.check().ok()?;
    if let Some(size) = element.text_of("Size") {
        part = part.with_size(size.trim().parse().ok()?);
    }
    // Newer than the documentation of ListParts, so it may be missing.
    if let Some(crc64) = element.text_of("HashCrc64ecma") {
        part = part.with_crc64(crc64.trim().parse().ok()?);
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_and_without_a_crc() {
        let (parts, truncated) = read_page(
            b"<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>\"AB\"</ETag><Size>5</Size>\
             <HashCrc64ecma>18446744073709551615</HashCrc64ecma></Part>\
             <Part><PartNumber>4</PartNumber><ETag>&quot;CD&quot;</ETag></Part>\
             <IsTruncated>true</IsTruncated></ListPartsResult>",
        )
        .unwrap();
        let whole = Part::new(2, "AB").with_size(5).with_crc64(u64::MAX);
        assert_eq!(parts, [whole, Part::new(4, "CD")]);
        assert!(truncated);
    }

    #[test]
    fn a_page_that_is_not_one_is_none() {
        for body in [
            "",
            "<Error><Code>X</Code></Error>",
            "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>\"A\"</ETag></Part>",
            "<ListPartsResult><Part><PartNumber>0</PartNumber><ETag>A</ETag></Part></ListPartsResult>",
            "<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>",
            "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>A</ETag><Size>-1</Size></Part>\
             </ListPartsResult>",
        ] {
            assert!(read_page(body.as_bytes()).is_none(), "{body}");
        }
    }
}
