//! Real numbers as integers in units of 2^-f.

use crate::Fixed;
use crate::fixed::Role;

/// `out[i]` = `values[i] * 2^f`, clamped to `min..=max`, rounded to nearest with ties to even. NaN gives `min`.
pub fn encode(values: &[f64], format: Fixed, out: &mut [i64]) {
    // Both bounds are at most 2^51 in size, so these conversions are exact.
    let (min, max) = (format.min() as f64, format.max() as f64);
    let scale = f64::from(1u32 << format.fraction_bits());
    for (value, out) in values.iter().zip(out) {
        let scaled = value * scale;
        let at_least = if scaled > min { scaled } else { min };
        let clamped = if at_least < max { at_least } else { max };
        *out = clamped.round_ties_even() as i64;
    }
}

/// `out[i]` = the f64 nearest to `values[i] / 2^fraction_bits`, ties to even.
pub fn decode(values: &[i64], fraction_bits: u32, out: &mut [f64]) {
    // The conversion rounds once, the division by a power of two is exact.
    let unit = (1u64 << fraction_bits) as f64;
    for (value, out) in values.iter().zip(out) {
        *out = *value as f64 / unit;
    }
}

/// The first of two parties divides its share by `2^bits`, rounded down; the second does so with the negative of its
/// share, and takes the negative of that.
pub fn truncate(share: &mut [u64], bits: u32, role: Role) {
    for word in share {
        *word = match role {
            Role::First => *word >> bits,
            Role::Other => (word.wrapping_neg() >> bits).wrapping_neg(),
        };
    }
}

/// The first party's share is `(opened >> bits) - mask_high`, that of any other `-mask_high`.
pub fn truncate_opened(opened: &mut [u64], mask_high: &[u64], bits: u32, role: Role) {
    for (word, high) in opened.iter_mut().zip(mask_high) {
        let public = if role == Role::First { *word >> bits } else { 0 };
        *word = public.wrapping_sub(*high);
    }
}

/// The first value that is NaN or, in units of `2^-f`, below `min` or above `max`: what encoding clamps.
pub fn out_of_range(values: &[f64], format: Fixed) -> Option<usize> {
    let scale = f64::from(1u32 << format.fraction_bits());
    let range = format.min() as f64..=format.max() as f64;
    values.iter().position(|value| !range.contains(&(value * scale)))
}
