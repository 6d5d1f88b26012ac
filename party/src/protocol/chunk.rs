//! A vector on the wire: messages of attempt, place and elements, all little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | the attempt that the vector belongs to |
//! | 8..16 | the index of the first element |
//! | 16.. | the elements, 8 bytes each: as many as a message holds, fewer in the last |

use std::borrow::Cow;

/// Bytes before the elements.
pub const HEADER: usize = 16;
/// Elements of a full message: few enough to stay in a core's cache while they are worked on, and a multiple of 8, so
/// that a chunk of mask is a whole number of keystream blocks.
pub const LENGTH: usize = 64 << 10;

/// How many messages a vector of `cells` elements takes.
pub fn count(cells: u64) -> u64 {
    cells.div_ceil(LENGTH as u64)
}

/// The bytes of the body for `elements`.
pub fn size(elements: &[u64]) -> usize {
    HEADER + size_of_val(elements)
}

/// Fills an empty body with `elements`, the first of which has this index.
pub fn encode(mut body: Vec<u8>, attempt: u64, first: u64, elements: &[u64]) -> Vec<u8> {
    body.extend_from_slice(&attempt.to_le_bytes());
    body.extend_from_slice(&first.to_le_bytes());
    // The kernels are little-endian only, so memory already has the wire's order.
    body.extend_from_slice(bytemuck::cast_slice(elements));
    body
}

/// The elements of a body, `length` of which are due from index `first` on. They are where they came in unless that is not aligned.
///
/// # Errors
/// What is wrong with the body.
pub fn decode(body: &[u8], attempt: u64, first: u64, length: usize) -> Result<Cow<'_, [u64]>, String> {
    let due = HEADER + 8 * length;
    if body.len() != due {
        return Err(format!("{} bytes where {due} were due", body.len()));
    }
    let (header, data) = body.split_at(HEADER);
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| header[at + i]));
    if word(0) != attempt {
        return Err(format!("a vector of attempt {} where attempt {attempt} was due", word(0)));
    }
    if word(8) != first {
        return Err(format!("elements from {} on where those from {first} on were due", word(8)));
    }
    Ok(bytemuck::try_cast_slice(data).map(Cow::Borrowed).unwrap_or_else(|_| {
        let mut elements = vec![0; length];
        bytemuck::cast_slice_mut(&mut elements).copy_from_slice(data);
        Cow::Owned(elements)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::links::MAX_BODY;

    #[test]
    fn a_full_message_fits_and_is_whole_blocks() {
        assert!(size(&vec![0; LENGTH]) <= MAX_BODY);
        assert_eq!(LENGTH % 8, 0);
        assert_eq!([0, 1, LENGTH as u64, LENGTH as u64 + 1].map(count), [0, 1, 1, 2]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_is_decoded_and_nothing_else(
            attempt: u64, first: u64, elements in proptest::collection::vec(proptest::num::u64::ANY, 0..20),
            flipped in 0usize..16, other: u8,
        ) {
            let mut body = encode(Vec::new(), attempt, first, &elements);
            let length = elements.len();
            proptest::prop_assert_eq!(&*decode(&body, attempt, first, length).unwrap(), &elements);
            let shifted = [&[0], &body[..]].concat();
            proptest::prop_assert_eq!(&*decode(&shifted[1..], attempt, first, length).unwrap(), &elements);
            proptest::prop_assert!(decode(&body, attempt, first, length + 1).is_err());
            body[flipped] ^= other.max(1);
            proptest::prop_assert!(decode(&body, attempt, first, length).is_err());
        }
    }
}
