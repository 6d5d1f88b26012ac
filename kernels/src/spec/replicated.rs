//! Replicated shares of three parties.

use super::{mask, ring, share::Mask};

/// What a party holds of a vector: part `i` and part `i + 1`.
pub type Pair<'a> = (&'a [u64], &'a [u64]);

/// A party's part of the product: `x_i y_i + x_i y_(i+1) + x_(i+1) y_i`, plus the words of the first mask, less those
/// of the second.
pub fn multiply(x: Pair<'_>, y: Pair<'_>, masks: [Mask<'_>; 2], out: &mut [u64]) {
    for (i, out) in out.iter_mut().enumerate() {
        let own = x.0[i].wrapping_mul(y.0[i]);
        let cross = x.0[i].wrapping_mul(y.1[i]).wrapping_add(x.1[i].wrapping_mul(y.0[i]));
        *out = own.wrapping_add(cross);
    }
    let [(plus, plus_id, plus_first), (minus, minus_id, minus_first)] = masks;
    ring::add(out, &mask::words(plus, plus_id, plus_first, out.len()));
    ring::sub(out, &mask::words(minus, minus_id, minus_first, out.len()));
}
