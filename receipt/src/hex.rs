//! Lower-case hexadecimal digits.

/// The digits of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Sized at once: a key's digits leave no copy behind in memory that was outgrown.
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

/// Exactly `N` bytes; `None` for any other text.
pub fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_round_trip_and_nothing_else_is_read() {
        let bytes: [u8; 256] = std::array::from_fn(|i| i as u8);
        assert_eq!(unhex(hex(&bytes).as_bytes()), Some(bytes));
        for bad in ["", "0", "000", "0G", "0A", "+1", "é"] {
            assert_eq!(unhex::<1>(bad.as_bytes()), None, "{bad}");
        }
    }
}
