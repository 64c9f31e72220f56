//! What is known of a part that OSS has: plain values that can be kept and sent elsewhere.

use serde_json::{Map, Value, json};

use super::MAX_PARTS;
use crate::outcome::error::{Error, Result};

/// A part of a multipart upload, as OSS has it.
///
/// Given by [`UploadPart`](crate::UploadPart) and [`ListParts`](crate::ListParts), or made of values that
/// were kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    number: u32,
    etag: String,
    size: Option<u64>,
    crc64: Option<u64>,
}

impl Part {
    /// A part with this number, 1 to 10000, and the ETag that OSS gave it. That suffices to complete an
    /// upload; with size and CRC-64 of every part the object's contents can be checked as well.
    pub fn new(number: u32, etag: impl Into<String>) -> Part {
        let etag: String = etag.into();
        Part {
            number,
            etag: etag.trim_matches('"').to_owned(),
            size: None,
            crc64: None,
        }
    }

    /// Adds the size in bytes.
    pub fn with_size(mut self, size: u64) -> Part {
        self.size = Some(size);
        self
    }

    /// Adds the CRC-64 (CRC-64/XZ) of the contents.
    pub fn with_crc64(mut self, crc64: u64) -> Part {
        self.crc64 = Some(crc64);
        self
    }

    /// Where in the object it stands: 1 to 10000.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The ETag without its quotes. Opaque: compare it, do not interpret it.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Its size in bytes, if it is known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The CRC-64 (CRC-64/XZ) of its contents, if it is known.
    pub fn crc64(&self) -> Option<u64> {
        self.crc64
    }

    /// One line of JSON that [`from_json`](Part::from_json) reads, on any machine:
    /// `{"number":1,"etag":"…","size":102400,"crc64":"…"}`. The CRC-64 is decimal in a string, since not
    /// every reader of JSON can hold it as a number.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// Reads what [`to_json`](Part::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is not that.
    pub fn from_json(json: &str) -> Result<Part> {
        let value = serde_json::from_str(json).ok();
        let part = value.and_then(|value| Part::from_value(&value));
        part.ok_or_else(|| Error::argument("`part` is not the JSON of a part"))
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut value = json!({ "number": self.number, "etag": self.etag });
        if let Some(size) = self.size {
            value["size"] = size.into();
        }
        if let Some(crc64) = self.crc64 {
            value["crc64"] = crc64.to_string().into();
        }
        value
    }

    pub(crate) fn from_value(value: &Value) -> Option<Part> {
        let fields: &Map<String, Value> = value.as_object()?;
        let number = u32::try_from(fields.get("number")?.as_u64()?).ok()?;
        let mut part = Part::new(number, fields.get("etag")?.as_str()?);
        part.check().ok()?;
        if let Some(size) = fields.get("size") {
            part = part.with_size(size.as_u64()?);
        }
        if let Some(crc64) = fields.get("crc64") {
            part = part.with_crc64(crc64.as_str()?.parse().ok()?);
        }
        Some(part)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_number(self.number)?;
        if self.etag.is_empty() {
            let number = self.number;
            return Err(Error::argument(format!("part {number} has no ETag")));
        }
        Ok(())
    }
}

pub(super) fn check_number(number: u32) -> Result<()> {
    if (1..=MAX_PARTS).contains(&number) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "`part_number` {number} is not in 1 to {MAX_PARTS}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_the_way_to_another_machine() {
        for part in [
            Part::new(1, "\"AB\""),
            Part::new(10_000, "é\"\\").with_size(u64::MAX),
            Part::new(7, "x").with_size(0).with_crc64(u64::MAX),
        ] {
            assert_eq!(Part::from_json(&part.to_json()).unwrap(), part);
        }
        assert_eq!(Part::new(1, "\"AB\"").etag(), "AB");
    }

    #[test]
    fn anything_else_is_not_a_part() {
        for json in [
            "",
            "[]",
            "{}",
            "{\"number\":0,\"etag\":\"a\"}",
            "{\"number\":10001,\"etag\":\"a\"}",
            "{\"number\":4294967297,\"etag\":\"a\"}",
            "{\"number\":1,\"etag\":\"\"}",
            "{\"number\":1}",
            "{\"number\":1,\"etag\":\"a\",\"size\":-1}",
            "{\"number\":1,\"etag\":\"a\",\"crc64\":7}",
            "{\"number\":1,\"etag\":\"a\",\"crc64\":\"18446744073709551616\"}",
        ] {
            let error = Part::from_json(json).unwrap_err().to_string();
            assert_eq!(error, "`part` is not the JSON of a part", "{json}");
        }
    }
}
