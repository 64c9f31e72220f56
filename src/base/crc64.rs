//! The CRC-64 of OSS: CRC-64/XZ, the value of the header `x-oss-hash-crc64ecma`.

/// The polynomial, its coefficients in reverse: the highest bit is that of x^0.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;
const ONE: u64 = 1 << 63;
const X_TO_THE_8: u64 = 1 << 55;

/// A CRC-64 in the making.
///
/// Each block is checksummed by itself and then combined with what was before. crc-fast has a digest that goes on from
/// block to block, too, but where it chooses the algorithm at run time, the tables of all its algorithms, 0.7 MB, stay in
/// a program: its `checksum` leaves those of this one only.
pub(crate) struct Crc64 {
    value: u64,
    /// The length of the last block and its [`power`]: the next block is mostly as long.
    block: (usize, u64),
}

impl Crc64 {
    pub(crate) fn new() -> Crc64 {
        Crc64 {
            value: 0,
            block: (0, ONE),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let crc64 = checksum(bytes);
        // Of the first block there is nothing to be combined with.
        if self.value != 0 && self.block.0 != bytes.len() {
            self.block = (bytes.len(), power(bytes.len() as u64));
        }
        self.value = multiply(self.value, self.block.1) ^ crc64;
    }

    pub(crate) fn value(&self) -> u64 {
        self.value
    }
}

/// Has crc-fast look at the processor now. It does so once, under a lock, which a child would find locked for ever if it was
/// forked meanwhile.
pub(crate) fn prepare() {
    std::hint::black_box(checksum(&[0; 64]));
}

#[cfg(not(feature = "small"))]
fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes)
}

/// With one table of 2 KiB, in place of larger ones and of code for several processors.
#[cfg(feature = "small")]
fn checksum(bytes: &[u8]) -> u64 {
    static LIGHT: crc::Crc<u64, crc::Table<1>> =
        crc::Crc::<u64, crc::Table<1>>::new(&crc::CRC_64_XZ);
    LIGHT.checksum(bytes)
}

/// The CRC-64 of something that consists of two pieces, the second of which has `second_len` bytes.
///
/// A CRC is the remainder of its bytes as a polynomial. The first piece has `second_len` bytes behind it, so that
/// its remainder counts x^(8 * second_len) times; what the CRC inverts at both ends cancels out.
pub(crate) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    multiply(first, power(second_len)) ^ second
}

/// x^(8 * len) modulo the polynomial.
fn power(len: u64) -> u64 {
    let (mut power, mut square, mut rest) = (ONE, X_TO_THE_8, len);
    while rest > 0 {
        if rest & 1 == 1 {
            power = multiply(power, square);
        }
        square = multiply(square, square);
        rest >>= 1;
    }
    power
}

/// Modulo the polynomial.
fn multiply(a: u64, mut b: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = (b >> 1) ^ if b & 1 == 1 { POLYNOMIAL } else { 0 };
    }
    product
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{any, vectors};

    /// By the definition, bit by bit.
    fn reference(bytes: &[u8]) -> u64 {
        const REFLECTED_POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
        let crc = bytes.iter().fold(u64::MAX, |crc, byte| {
            (0..8).fold(crc ^ u64::from(*byte), |crc, _| {
                (crc >> 1) ^ (REFLECTED_POLYNOMIAL & (crc & 1).wrapping_neg())
            })
        });
        !crc
    }

    fn whole(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.value()
    }

    /// Long enough for every one of the ways in which processors compute it.
    #[test]
    fn any_length_at_any_address() {
        any::for_any(64, |random| {
            let (start, len) = (random.usize(0..64), random.usize(0..40_000));
            let bytes: Vec<u8> = (0..start + len).map(|_| random.u8(..)).collect();
            assert_eq!(whole(&bytes[start..]), reference(&bytes[start..]));
        });
    }

    #[test]
    fn any_pieces_combine_to_the_whole() {
        any::for_any(64, |random| {
            let pieces = random.usize(0..8);
            let pieces: Vec<_> = (0..pieces).map(|_| any::bytes(random, 300)).collect();
            let bytes = pieces.concat();
            let mut crc = Crc64::new();
            pieces.iter().for_each(|piece| crc.update(piece));
            assert_eq!(crc.value(), reference(&bytes));
            let combined = pieces.iter().fold(whole(&[]), |crc, piece| {
                combine(crc, whole(piece), piece.len() as u64)
            });
            assert_eq!(combined, reference(&bytes));
        });
    }

    /// Parts are combined as they come: the first two of three first, or the last two.
    #[test]
    fn it_does_not_matter_which_pieces_combine_first() {
        any::for_any(64, |random| {
            let crcs = [random.u64(..), random.u64(..), random.u64(..)];
            let [second, third] = [random.u32(..), random.u32(..)].map(u64::from);
            let left = combine(combine(crcs[0], crcs[1], second), crcs[2], third);
            let right = combine(crcs[0], combine(crcs[1], crcs[2], third), second + third);
            assert_eq!(left, right);
        });
    }

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

    #[test]
    fn pieces_of_any_length_combine_to_the_whole() {
        let crc64 = |bytes: &[u8]| {
            let mut crc = Crc64::new();
            crc.update(bytes);
            crc.value()
        };
        let bytes: Vec<u8> = (0..=255).cycle().take(3_000).collect();
        for at in [0, 1, 2, 7, 255, 256, 1_024, 2_999, 3_000] {
            let (first, second) = bytes.split_at(at);
            let combined = combine(crc64(first), crc64(second), second.len() as u64);
            assert_eq!(combined, crc64(&bytes), "{at}");
        }
    }
}
