//! CRC-64 of bytes whose pieces have one each.

use crc_fast::{CrcAlgorithm, checksum_combine};
use crc64fast::Digest;

/// A CRC-64 in the making.
pub(crate) struct Crc64(Digest);

impl Default for Crc64 {
    fn default() -> Crc64 {
        Crc64(Digest::new())
    }
}

impl Crc64 {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.sum64()
    }
}

/// The CRC of two pieces, the second `length` bytes long.
pub(crate) fn combine(first: u64, second: u64, length: u64) -> u64 {
    checksum_combine(CrcAlgorithm::Crc64Xz, first, second, length)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn crc64(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::default();
        crc.write(bytes);
        crc.value()
    }

    #[test]
    fn combinations_are_those_of_the_vectors() {
        let file: Value =
            serde_json::from_str(include_str!("../tests/vectors/crc64.json")).unwrap();
        let rows = file["combine"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let number = |name: &str| row[name].as_str().unwrap().parse().unwrap();
            let length = row["len_b"].as_u64().unwrap();
            let combined = combine(number("crc_a"), number("crc_b"), length);
            assert_eq!(combined, number("crc_ab"), "{}", row["id"]);
        }
    }

    #[test]
    fn pieces_of_any_length_combine_to_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3_000).collect();
        for at in [0, 1, 2, 7, 255, 256, 1_024, 2_999, 3_000] {
            let (first, second) = bytes.split_at(at);
            let combined = combine(crc64(first), crc64(second), second.len() as u64);
            assert_eq!(combined, crc64(&bytes), "{at}");
        }
    }
}
