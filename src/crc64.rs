//! The CRC-64 of OSS: CRC-64/XZ, the value of the header `x-oss-hash-crc64ecma`.

use crc_fast::{CrcAlgorithm, Digest};

/// A CRC-64 in the making.
pub(crate) struct Crc64(Digest);

impl Crc64 {
    pub(crate) fn new() -> Crc64 {
        Crc64(Digest::new(CrcAlgorithm::Crc64Xz))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finalize()
    }
}

/// The CRC-64 of something that consists of two pieces, the second of which has `second_len` bytes.
pub(crate) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc64Xz, first, second, second_len)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::vectors;

    fn bytes(data: &Value) -> Vec<u8> {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
                .collect()
        };
        if let Some(text) = data["utf8"].as_str() {
            text.as_bytes().to_vec()
        } else if let Some(text) = data["hex"].as_str() {
            hex(text)
        } else {
            let pattern = hex(data["repeat_hex"].as_str().unwrap());
            let mut bytes = pattern.repeat(data["times"].as_u64().unwrap() as usize);
            bytes.truncate(data["length"].as_u64().unwrap() as usize);
            bytes
        }
    }

    #[test]
    fn values_are_those_of_the_official_sdks_however_the_data_is_cut() {
        vectors::each("crc64.json", |row| {
            let data = bytes(&row["data"]);
            let (head, tail) = data.split_at(data.len() / 3);
            let mut crc = Crc64::new();
            crc.update(head);
            crc.update(tail);
            let expected = row["crc64_decimal"].as_str().unwrap();
            assert_eq!(crc.value().to_string(), expected, "{}", row["id"]);
        });
    }

    #[test]
    fn values_of_parts_combine() {
        let file = vectors::file("crc64.json");
        for row in file["combine"].as_array().unwrap() {
            let number = |name: &str| row[name].as_str().unwrap().parse::<u64>().unwrap();
            let len_b = row["len_b"].as_u64().unwrap();
            let combined = combine(number("crc_a"), number("crc_b"), len_b);
            assert_eq!(combined, number("crc_ab"), "{}", row["id"]);
        }
    }
}
