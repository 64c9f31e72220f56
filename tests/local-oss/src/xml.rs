//! The documents that OSS answers with.

use quick_xml::escape::escape;

/// A document in the making. Names are the program's own; values may be anything.
pub(crate) struct Document {
    xml: String,
    depth: usize,
}

impl Document {
    pub(crate) fn new() -> Self {
        Self {
            xml: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            depth: 0,
        }
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.line(&["<", name, ">"]);
        self.depth += 1;
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.depth -= 1;
        self.line(&["</", name, ">"]);
    }

    pub(crate) fn element(&mut self, name: &str, value: &str) {
        let value: String = value.chars().map(legal).collect();
        self.line(&["<", name, ">", &escape(&value), "</", name, ">"]);
    }

    /// For keys: what XML cannot hold is a reference to the character, which strict readers refuse and others understand.
    pub(crate) fn exact_element(&mut self, name: &str, value: &str) {
        let mut exact = String::new();
        for c in escape(value).chars() {
            match c {
                '\u{1}'..='\u{8}' | '\u{b}'..='\u{c}' | '\u{e}'..='\u{1f}' | '\n' | '\r' | '\t' => {
                    exact.push_str(&format!("&#{};", u32::from(c)));
                }
                c => exact.push(legal(c)),
            }
        }
        self.line(&["<", name, ">", &exact, "</", name, ">"]);
    }

    pub(crate) fn finish(self) -> String {
        self.xml
    }

    fn line(&mut self, parts: &[&str]) {
        self.xml.extend(std::iter::repeat_n("  ", self.depth));
        self.xml.extend(parts.iter().copied());
        self.xml.push('\n');
    }
}

/// XML 1.0 has no way to write most control characters, not even as references.
fn legal(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => c,
    }
}
