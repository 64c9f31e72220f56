//! `multipart/form-data`, read piece by piece: whatever the length of a form, no more of it is held than a head of a part and
//! what was pushed last.

use std::ops::Range;

use httparse::Status;
use memchr::memmem::{Finder, find};
use percent_encoding::percent_decode_str;

/// Of the headers of one part: OSS allows a name of 8 KB, and there is more in a head.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 16;
/// RFC 2046 has 70; some clients are longer.
const LONGEST_BOUNDARY: usize = 256;
/// Blanks that may stand behind a boundary.
const LONGEST_PADDING: usize = 64;

/// What is next in a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing, until more is pushed. A form that ends here was cut short.
    NeedMore,
    Part(PartHead),
    /// Bytes of the part: [`FormParser::data`], until anything else is asked.
    Data,
    EndOfPart,
    /// What follows does not matter.
    End,
}

/// The headers of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PartHead {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
}

/// This is no form that could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAForm {
    Malformed,
    /// The head of a part does not end, and only a name or a file's name makes one so long.
    HeadTooLong,
}

use NotAForm::{HeadTooLong, Malformed};

enum State {
    /// Before the first boundary, where anything may stand.
    Preamble,
    Head,
    Body,
    End,
}

/// What stands where a boundary was found.
enum Boundary {
    /// Between two parts; so many bytes with what belongs to it.
    Between(usize),
    Last,
    /// Bytes that begin like it.
    None,
    Undecided,
}

pub(crate) struct FormParser {
    /// A line end, two hyphens, the boundary.
    delimiter: Finder<'static>,
    buffer: Vec<u8>,
    /// Of the buffer, what is done with.
    start: usize,
    data: Range<usize>,
    state: State,
    consumed: u64,
}

impl FormParser {
    pub(crate) fn new(boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            delimiter: Finder::new(&delimiter).into_owned(),
            // The first boundary may stand at the very beginning.
            buffer: b"\r\n".to_vec(),
            start: 0,
            data: 0..0,
            state: State::Preamble,
            consumed: 0,
        }
    }

    /// To be called when [`Event::NeedMore`] is all there is.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.data = 0..0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The bytes of the last [`Event::Data`].
    pub(crate) fn data(&self) -> &[u8] {
        &self.buffer[self.data.clone()]
    }

    /// How much of the form has been read.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    pub(crate) fn next(&mut self) -> Result<Event, NotAForm> {
        loop {
            match self.state {
                State::End => return Ok(Event::End),
                State::Head => return self.head(),
                State::Preamble | State::Body => {}
            }
            let is_body = matches!(self.state, State::Body);
            let rest = &self.buffer[self.start..];
            let boundary = self.delimiter.needle().len();
            let found = self.delimiter.find(rest);
            if found == Some(0) {
                match boundary_at(&rest[boundary..]) {
                    Boundary::Between(more) => {
                        self.consume(boundary + more);
                        self.state = State::Head;
                    }
                    Boundary::Last => {
                        self.consume(boundary + 2);
                        self.state = State::End;
                    }
                    Boundary::None => {
                        // Not before its second line end can another begin.
                        self.consume(2);
                        if is_body {
                            self.data = self.start - 2..self.start;
                            return Ok(Event::Data);
                        }
                        continue;
                    }
                    Boundary::Undecided => return Ok(Event::NeedMore),
                }
                if is_body {
                    return Ok(Event::EndOfPart);
                }
                continue;
            }
            // The last bytes may be the beginning of one.
            let clear = found.unwrap_or((rest.len() + 1).saturating_sub(boundary));
            if clear == 0 {
                return Ok(Event::NeedMore);
            }
            self.consume(clear);
            if is_body {
                self.data = self.start - clear..self.start;
                return Ok(Event::Data);
            }
        }
    }

    fn head(&mut self) -> Result<Event, NotAForm> {
        let rest = &self.buffer[self.start..];
        match find(&rest[..rest.len().min(LONGEST_HEAD)], b"\r\n\r\n") {
            Some(end) => {
                let head = PartHead::parse(&rest[..end + 4])?;
                self.consume(end + 4);
                self.state = State::Body;
                Ok(Event::Part(head))
            }
            // Without a header there is no name either.
            None if rest.starts_with(b"\r\n") => Err(Malformed),
            None if rest.len() >= LONGEST_HEAD => Err(HeadTooLong),
            None => Ok(Event::NeedMore),
        }
    }

    fn consume(&mut self, length: usize) {
        self.start += length;
        self.consumed += length as u64;
    }
}

/// `rest` follows the boundary's text. A line that only begins with it is data.
fn boundary_at(rest: &[u8]) -> Boundary {
    if rest.starts_with(b"--") {
        return Boundary::Last;
    }
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let blanks = rest.iter().take_while(is_blank).count();
    match &rest[blanks..] {
        _ if blanks > LONGEST_PADDING => Boundary::None,
        [b'\r', b'\n', ..] => Boundary::Between(blanks + 2),
        [] | [b'\r'] => Boundary::Undecided,
        [b'-'] if blanks == 0 => Boundary::Undecided,
        _ => Boundary::None,
    }
}

impl PartHead {
    /// With its blank line.
    fn parse(bytes: &[u8]) -> Result<Self, NotAForm> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let Ok(Status::Complete((_, headers))) = httparse::parse_headers(bytes, &mut headers)
        else {
            return Err(Malformed);
        };
        let value = |wanted: &str| {
            let mut headers = headers.iter();
            let header = headers.find(|header| header.name.eq_ignore_ascii_case(wanted))?;
            std::str::from_utf8(header.value).ok()
        };
        let disposition = value("content-disposition").ok_or(Malformed)?;
        let (kind, parameters) = parameters(disposition).ok_or(Malformed)?;
        if !kind.eq_ignore_ascii_case("form-data") {
            return Err(Malformed);
        }
        let parameter = |wanted: &str| {
            let mut parameters = parameters.iter();
            let (_, value) = parameters.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(unescaped(value))
        };
        Ok(Self {
            name: parameter("name").ok_or(Malformed)?,
            file_name: parameters
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("filename*"))
                .and_then(|(_, value)| extended(value))
                .or_else(|| parameter("filename")),
            content_type: value("content-type").map(str::to_owned),
        })
    }
}

/// The boundary that a `Content-Type` names, if it is that of a form.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (media_type, parameters) = parameters(content_type)?;
    let boundary = parameters
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    let (_, boundary) =
        boundary.filter(|_| media_type.eq_ignore_ascii_case("multipart/form-data"))?;
    (1..=LONGEST_BOUNDARY)
        .contains(&boundary.len())
        .then_some(boundary)
}

type Parameters<'a> = Vec<(&'a str, String)>;

/// `value; name=value; name="value"`
fn parameters(text: &str) -> Option<(&str, Parameters<'_>)> {
    let (value, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let mut parameters = Vec::new();
    while !rest.trim_start().is_empty() {
        let (name, after) = rest.split_once('=')?;
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = unquoted(quoted)?;
                let behind = behind.trim_start();
                if !behind.is_empty() && !behind.starts_with(';') {
                    return None;
                }
                (value, behind.strip_prefix(';').unwrap_or(behind))
            }
            None => {
                let (value, behind) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), behind)
            }
        };
        parameters.push((name.trim(), value));
    }
    Some((value.trim(), parameters))
}

/// Up to the closing quote, and what is behind it. A backslash escapes quotes and backslashes; before anything else it is one of
/// a path, as old browsers send them.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => {
                let escaped = characters.next_if(|(_, next)| matches!(next, '"' | '\\'));
                value.push(escaped.map_or('\\', |(_, next)| next));
            }
            _ => value.push(character),
        }
    }
    None
}

/// The three characters that browsers encode in names, and no others.
fn unescaped(text: &str) -> String {
    text.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// `UTF-8''%e7%9b%ae.txt`, the value of `filename*`: browsers do not send it, some libraries do, mostly beside a `filename` that
/// is not the name. What OSS makes of it is not known.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let text = percent_decode_str(text).decode_utf8().ok()?;
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"preamble\r\n--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--bc\r\n\r\n--b \t\r\n\
        content-disposition:form-data; filename=\"x;\\\"=\\\\.txt\"; name=file\r\nContent-Type: text/plain\r\n\r\n\
        \r\n--\r\n--b?\r\n--b-\r\n\r--b\r\n--b--epilogue\r\n--b\r\n";

    type Parts = Vec<(PartHead, Vec<u8>)>;

    /// All parts of a form that comes in pieces of one length; and was it whole?
    fn parse(form: &[u8], piece: usize) -> Result<(Parts, bool), NotAForm> {
        let mut parser = FormParser::new("b");
        let mut parts = Vec::new();
        let mut pieces = form.chunks(piece);
        let mut open = false;
        loop {
            match parser.next()? {
                Event::NeedMore => match pieces.next() {
                    Some(piece) => parser.push(piece),
                    None => return Ok((parts, false)),
                },
                Event::Part(head) => {
                    assert!(!std::mem::replace(&mut open, true));
                    parts.push((head, Vec::new()));
                }
                Event::Data => {
                    assert!(open && !parser.data().is_empty());
                    parts.last_mut().unwrap().1.extend(parser.data());
                }
                Event::EndOfPart => assert!(std::mem::replace(&mut open, false)),
                Event::End => return Ok((parts, true)),
            }
        }
    }

    fn part(name: &str, data: &[u8]) -> (PartHead, Vec<u8>) {
        let head = PartHead {
            name: name.to_owned(),
            ..PartHead::default()
        };
        (head, data.to_vec())
    }

    #[test]
    fn a_form_is_the_same_in_pieces_of_every_length() {
        let expected = || {
            let mut file = part("file", b"\r\n--\r\n--b?\r\n--b-\r\n\r--b");
            file.0.file_name = Some("x;\"=\\.txt".to_owned());
            file.0.content_type = Some("text/plain".to_owned());
            vec![part("key", b"a\r\n--bc\r\n"), file]
        };
        for piece in 1..=FORM.len() {
            assert_eq!(parse(FORM, piece), Ok((expected(), true)), "{piece}");
        }
    }

    #[test]
    fn a_form_that_is_cut_is_never_whole() {
        let end = FORM.len() - b"epilogue\r\n--b\r\n".len();
        for length in 0..end {
            for piece in [1, 7, 1000] {
                let (parts, whole) = parse(&FORM[..length], piece).unwrap();
                assert!(!whole && parts.len() <= 2, "{length}");
            }
        }
    }

    #[test]
    fn empty_parts_and_forms_are_forms() {
        let empty = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--b--";
        assert_eq!(parse(empty, 3), Ok((vec![part("a", b"")], true)));
        assert_eq!(parse(b"--b--", 1), Ok((vec![], true)));
        assert_eq!(parse(b"", 1), Ok((vec![], false)));
    }

    #[test]
    fn a_part_without_a_name_is_no_part() {
        let long = format!(
            "Content-Disposition: form-data; name=\"{}\"",
            "a".repeat(17_000)
        );
        let many = "A: b\r\n".repeat(17) + "Content-Disposition: form-data; name=a";
        for head in [
            "",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\"b",
            "Content-Disposition: form-data; name",
            "Content-Type: text/plain",
            "Content-Disposition",
            "\u{0}: form-data; name=\"a\"",
            &many,
        ] {
            let form = format!("--b\r\n{head}\r\n\r\na\r\n--b--");
            for piece in [1, 100_000] {
                assert_eq!(parse(form.as_bytes(), piece), Err(Malformed), "{head}");
            }
        }
        let form = format!("--b\r\n{long}\r\n\r\na\r\n--b--");
        for piece in [1, 100_000] {
            assert_eq!(parse(form.as_bytes(), piece), Err(HeadTooLong));
        }
        let not_text = b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\na\r\n--b--";
        assert_eq!(parse(not_text, 1), Err(Malformed));
    }

    #[test]
    fn no_more_is_held_than_was_pushed_last() {
        let mut parser = FormParser::new("boundary");
        parser.push(b"--boundary\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n");
        let mut all = 0;
        for _ in 0..1000 {
            parser.push(&b"\r\n--boundar".repeat(100));
            while parser.next() != Ok(Event::NeedMore) {
                all += parser.data().len();
            }
            assert!(parser.buffer.len() < 1200);
        }
        assert!(all > 1_000_000);
        // A head that does not end is refused.
        parser.push(b"y\r\nno end: ");
        let refused = (0..1000).any(|_| {
            parser.push(&[b'a'; 100]);
            loop {
                match parser.next() {
                    Ok(Event::NeedMore) => return false,
                    Ok(_) => {}
                    Err(error) => return error == HeadTooLong,
                }
            }
        });
        assert!(refused && parser.buffer.len() <= LONGEST_HEAD + 200);
    }

    #[test]
    fn a_boundary_is_found_in_a_content_type() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;BOUNDARY=\"a b\" ; charset=utf-8",
                Some("a b"),
            ),
            (
                "multipart/form-data; charset=utf-8; boundary= abc ",
                Some("abc"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"abc", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/x-www-form-urlencoded", None),
            ("", None),
        ] {
            assert_eq!(
                boundary(content_type).as_deref(),
                expected,
                "{content_type}"
            );
        }
        let long = format!("multipart/form-data; boundary={}", "a".repeat(257));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn names_come_back_as_browsers_and_curl_meant_them() {
        let name = |file_name: &str| {
            let head =
                format!("Content-Disposition: form-data; name=\"f\"; filename={file_name}\r\n\r\n");
            PartHead::parse(head.as_bytes()).unwrap().file_name.unwrap()
        };
        assert_eq!(name("\"a%22b%0D%0A%20.txt\""), "a\"b\r\n%20.txt");
        assert_eq!(name("\"a\\\"b\\\\c.txt\""), "a\"b\\c.txt");
        assert_eq!(name("\"C:\\new\\cat.jpg\""), "C:\\new\\cat.jpg");
        assert_eq!(name("\"目 ;=.txt\""), "目 ;=.txt");
        assert_eq!(name("\"\""), "");
        assert_eq!(name("plain.txt"), "plain.txt");
        // As .NET sends it.
        let both = "\"=?utf-8?B?55uu?=\"; filename*=utf-8''%E7%9B%AE%20b.txt";
        assert_eq!(name(both), "目 b.txt");
        assert_eq!(name("a.txt; filename*=latin1''%E9.txt"), "a.txt");
        assert_eq!(name("a.txt; filename*=%E9.txt"), "a.txt");
    }
}
