//! The Content-MD5 of a body that can be read twice.

use std::io::{ErrorKind as IoErrorKind, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::engine::source::Source;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::transport::Limits;

/// Reads the body once and gives the header's value. A body that changes until it is sent is noticed by
/// OSS; a file that changes, while it is sent.
pub(crate) fn of(source: &mut Source<'_>, len: u64, name: &str, limits: &Limits) -> Result<String> {
    let Source::Rewindable(reader, start) = source else {
        return Err(Error::argument(format!(
            "`content_md5` needs a body that can be read twice, and {name} can be read once"
        )));
    };
    let unreadable = |what: &str, e: std::io::Error| {
        let message = format!("{what} {name}: {}", e.to_string().to_lowercase());
        Error::new(ErrorKind::BodyUnreadable, message).with_source(e)
    };
    reader
        .seek_to(SeekFrom::Start(*start))
        .map_err(|e| unreadable("rewind", e))?;
    let mut left = len;
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 128 * 1024];
    while left > 0 {
        limits.check("its MD5 was computed")?;
        let room = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        match reader.read_some(&mut buffer[..room]) {
            Ok(0) => break,
            Ok(count) => match buffer[..room].get(..count) {
                Some(bytes) => {
                    md5.update(bytes);
                    left -= count as u64;
                }
                None => {
                    let what = "says that it gave more bytes than it was asked for";
                    let message = format!("{name} {what}");
                    return Err(Error::new(ErrorKind::BodyUnreadable, message));
                }
            },
            Err(e) if e.kind() == IoErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable("read", e)),
        }
    }
    Ok(STANDARD.encode(md5.finalize()))
}
