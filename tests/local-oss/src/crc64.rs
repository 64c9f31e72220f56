//! CRC-64 of bytes whose pieces have one each.

/// The polynomial, its coefficients in reverse: the highest bit is that of x^0.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;
const ONE: u64 = 1 << 63;
const X_TO_THE_8: u64 = 1 << 55;

/// The CRC of two pieces, the second `length` bytes long.
///
/// A CRC is the remainder of its bytes as a polynomial. Behind the first piece come `length` bytes, so that its remainder
/// counts x^(8·length) times; what the CRC inverts at both ends cancels out. Written here since the kept crate that has it is
/// the one that the client uses.
pub(crate) fn combine(first: u64, second: u64, length: u64) -> u64 {
    let (mut power, mut square, mut rest) = (ONE, X_TO_THE_8, length);
    while rest > 0 {
        if rest & 1 == 1 {
            power = multiply(power, square);
        }
        square = multiply(square, square);
        rest >>= 1;
    }
    multiply(first, power) ^ second
}

/// Modulo the polynomial.
fn multiply(a: u64, mut b: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        let carry = b & 1;
        b >>= 1;
        if carry == 1 {
            b ^= POLYNOMIAL;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use crc64fast::Digest;
    use serde_json::Value;

    use super::*;

    fn crc64(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new();
        digest.write(bytes);
        digest.sum64()
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
