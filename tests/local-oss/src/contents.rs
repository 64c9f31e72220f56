//! The bytes of an object: collected with their checksums, handed out by range.

use std::ops::Range;

use crc64fast::Digest as Crc64;
use hyper::body::Bytes;
use md5::{Digest as _, Md5};

use crate::memory::{Claim, Memory};

/// Objects are kept in pieces of at most this size, so that a growing one is never copied whole.
const SEGMENT: usize = 1024 * 1024;

/// A finished object's bytes.
#[derive(Debug)]
pub(crate) struct Contents {
    segments: Vec<Bytes>,
    size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) crc64: u64,
    /// Given back when nobody reads the object any more.
    _claim: Claim,
}

impl Contents {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The pieces that hold `range`, which must lie within the object.
    pub(crate) fn slice(&self, range: Range<u64>) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for segment in &self.segments {
            let end = start + segment.len() as u64;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                pieces.push(segment.slice((from - start) as usize..(to - start) as usize));
            }
            start = end;
        }
        pieces
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.segments.concat()
    }
}

/// No memory is left for what was pushed.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// Contents in the making.
pub(crate) struct Collector {
    full: Vec<Bytes>,
    current: Vec<u8>,
    size: u64,
    expected: Option<u64>,
    md5: Md5,
    crc64: Crc64,
    claim: Claim,
}

impl Collector {
    /// `expected` is the announced length. Nothing is claimed for it: an announcement costs its sender nothing.
    pub(crate) fn new(memory: &Memory, expected: Option<u64>) -> Self {
        Self {
            full: Vec::new(),
            current: Vec::new(),
            size: 0,
            expected,
            md5: Md5::new(),
            crc64: Crc64::new(),
            claim: memory.claim(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Claims memory that is not for bytes of the object, but for what is kept along with it.
    pub(crate) fn claim(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        self.claim.grow(bytes).then_some(()).ok_or(OutOfMemory)
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), OutOfMemory> {
        self.claim(bytes.len() as u64)?;
        self.md5.update(bytes);
        self.crc64.write(bytes);
        while !bytes.is_empty() {
            if self.current.capacity() == 0 {
                let rest = self.expected.map_or(0, |all| all.saturating_sub(self.size));
                self.current = Vec::with_capacity(rest.min(SEGMENT as u64) as usize);
            }
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - self.current.len()));
            self.current.extend_from_slice(now);
            self.size += now.len() as u64;
            if self.current.len() == SEGMENT {
                self.full.push(std::mem::take(&mut self.current).into());
            }
            bytes = later;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Contents {
        if !self.current.is_empty() {
            self.current.shrink_to_fit();
            self.full.push(self.current.into());
        }
        Contents {
            segments: self.full,
            size: self.size,
            md5: self.md5.finalize().into(),
            crc64: self.crc64.sum64(),
            _claim: self.claim,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn collect(data: &[u8], piece: usize, expected: Option<u64>) -> Contents {
        let mut collector = Collector::new(&Memory::new(u64::MAX), expected);
        for piece in data.chunks(piece) {
            collector.push(piece).unwrap();
        }
        collector.finish()
    }

    #[test]
    fn checksums_are_those_of_the_vectors() {
        let file: Value =
            serde_json::from_str(include_str!("../tests/vectors/crc64.json")).unwrap();
        let rows = file["vectors"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let data = vector_data(&row["data"]);
            assert_eq!(data.len() as u64, row["length"].as_u64().unwrap());
            let contents = collect(&data, 10_007, None);
            assert_eq!(
                contents.crc64.to_string(),
                row["crc64_decimal"].as_str().unwrap()
            );
            assert_eq!(contents.md5[..], Md5::digest(&data)[..]);
        }
    }

    fn vector_data(data: &Value) -> Vec<u8> {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len() / 2)
                .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap())
                .collect()
        };
        if let Some(text) = data["utf8"].as_str() {
            return text.as_bytes().to_vec();
        }
        if let Some(text) = data["hex"].as_str() {
            return hex(text);
        }
        let pattern = hex(data["repeat_hex"].as_str().unwrap());
        let mut bytes = pattern.repeat(data["times"].as_u64().unwrap() as usize);
        bytes.truncate(data["length"].as_u64().unwrap() as usize);
        bytes
    }

    #[test]
    fn every_range_comes_out_as_it_went_in() {
        let data: Vec<u8> = (0..3 * SEGMENT + 17)
            .map(|index| (index % 251) as u8)
            .collect();
        let size = data.len() as u64;
        for expected in [None, Some(size), Some(1), Some(u64::MAX)] {
            let contents = collect(&data, 70_001, expected);
            assert_eq!(contents.size(), size);
            assert!(contents.to_vec() == data);
            let segment = SEGMENT as u64;
            for range in [
                0..0,
                0..1,
                0..size,
                segment - 1..segment + 1,
                segment..2 * segment,
                size - 1..size,
                size..size,
            ] {
                let expected = &data[range.start as usize..range.end as usize];
                assert!(
                    contents.slice(range.clone()).concat() == expected,
                    "{range:?}"
                );
            }
        }
    }

    #[test]
    fn bytes_beyond_the_limit_are_refused() {
        let memory = Memory::new(10);
        let mut collector = Collector::new(&memory, None);
        collector.push(&[0; 8]).unwrap();
        collector.push(&[0; 3]).unwrap_err();
        drop(collector);
        assert!(memory.has_room_for(10));
    }
}
