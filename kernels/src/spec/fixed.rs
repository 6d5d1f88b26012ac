//! Real numbers as integers in units of 2^-f.

use crate::Fixed;

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
    let unit = 2f64.powi(fraction_bits as i32);
    for (value, out) in values.iter().zip(out) {
        *out = *value as f64 / unit;
    }
}
