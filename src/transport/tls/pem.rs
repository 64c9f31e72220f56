//! PEM as it is found in the field: from memory or a file, with a byte order mark, blanks before its lines, either line end.
//! A block that is not understood is told from one that is not there.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::outcome::error::{Error, Result};

/// A file of all authorities there are has a fortieth of that.
const MAX_FILE_LEN: u64 = 16 * 1024 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Where a PEM text comes from. `Debug` does not show it: it may be a private key.
#[derive(Clone)]
pub(crate) enum Pem {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl Pem {
    /// The text of an argument of this name.
    pub(super) fn read(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        match self {
            Pem::Bytes(bytes) => Ok(bytes.into()),
            Pem::File(path) => read_file(path).map(Cow::from).map_err(|e| {
                let what = e.to_string().to_lowercase();
                Error::argument(format!("`{name}`: read {}: {what}", path.display())).with_source(e)
            }),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pem::Bytes(bytes) => write!(f, "({} bytes)", bytes.len()),
            Pem::File(path) => path.fmt(f),
        }
    }
}

/// Opening a pipe could wait for ever, and a device has no end.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_LEN + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        let message = format!("it is longer than {MAX_FILE_LEN} bytes");
        return Err(io::Error::other(message));
    }
    Ok(bytes)
}

/// One block of a text.
pub(super) struct Block {
    /// `CERTIFICATE`; empty if that is what cannot be read.
    pub(super) label: String,
    /// What its Base64 says, or why it says nothing.
    pub(super) contents: std::result::Result<Vec<u8>, &'static str>,
    /// Its headers say that it is encrypted, as those of older private keys do.
    pub(super) encrypted: bool,
}

/// All blocks of a text, in order. What is outside of blocks is skipped.
pub(super) fn blocks(text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    for mut line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        // Files that were joined without a line end between them have two marks in a line.
        loop {
            line = line.trim_ascii();
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
            line = line.trim_ascii();
            if let Some(label) = line.strip_prefix(BEGIN) {
                blocks.extend(open.take().map(|block| block.close(Err("has no END line"))));
                let (label, rest) = split(label);
                match label {
                    Some(label) => open = Some(Open::new(label)),
                    None => blocks.push(Block::damaged("has a damaged BEGIN line")),
                }
                line = rest;
            } else if let Some(label) = line.strip_prefix(END) {
                let (label, rest) = split(label);
                blocks.push(match open.take() {
                    None => Block::damaged("has no BEGIN line"),
                    Some(block) if label == Some(block.label.as_bytes()) => block.end(),
                    Some(block) => block.close(Err("has the END line of something else")),
                });
                line = rest;
            } else {
                match &mut open {
                    Some(block) => block.add(line),
                    // A dash that was lost is no reason to overlook a block.
                    None if line.starts_with(b"--") && has(line, b"BEGIN ") => {
                        blocks.push(Block::damaged("has a damaged BEGIN line"));
                    }
                    None => {}
                }
                break;
            }
        }
    }
    blocks.extend(open.map(|block| block.close(Err("has no END line"))));
    blocks
}

/// The label of a mark, and what follows the mark.
fn split(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = line.windows(DASHES.len()).position(|five| five == DASHES);
    match end {
        Some(end) => (Some(&line[..end]), &line[end + DASHES.len()..]),
        None => (None, &[]),
    }
}

fn has(line: &[u8], wanted: &[u8]) -> bool {
    line.windows(wanted.len()).any(|window| window == wanted)
}

impl Block {
    fn damaged(problem: &'static str) -> Block {
        Block {
            label: String::new(),
            contents: Err(problem),
            encrypted: false,
        }
    }
}

/// A block whose end was not seen yet.
struct Open {
    label: String,
    base64: Vec<u8>,
    encrypted: bool,
}

impl Open {
    fn new(label: &[u8]) -> Open {
        Open {
            label: String::from_utf8_lossy(label).into_owned(),
            base64: Vec::new(),
            encrypted: false,
        }
    }

    fn add(&mut self, line: &[u8]) {
        if line.contains(&b':') {
            self.encrypted |= line.starts_with(b"Proc-Type:") && has(line, b"ENCRYPTED");
        } else {
            let digits = line.iter().filter(|byte| !byte.is_ascii_whitespace());
            self.base64.extend(digits);
        }
    }

    fn end(mut self) -> Block {
        let contents = match STANDARD.decode(std::mem::take(&mut self.base64)) {
            // The digits of an encrypted one mean nothing here.
            _ if self.encrypted => Ok(Vec::new()),
            Ok(bytes) if bytes.is_empty() => Err("is empty"),
            Ok(bytes) => Ok(bytes),
            Err(_) => Err("is not Base64"),
        };
        self.close(contents)
    }

    fn close(self, contents: std::result::Result<Vec<u8>, &'static str>) -> Block {
        Block {
            label: self.label,
            contents,
            encrypted: self.encrypted,
        }
    }
}
