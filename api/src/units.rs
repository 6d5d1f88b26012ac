//! Numbers in units of `2^-fraction_bits`.

use crate::limits::UNITS;

/// The nearest whole number of units, ties to even; `None` where it is not finite or beyond ±2^51 units.
pub(crate) fn to_units(value: f64, fraction_bits: u32) -> Option<i64> {
    // Scaling by a power of two is exact, save for numbers too small to matter.
    let scaled = (value * f64::from(fraction_bits).exp2()).round_ties_even();
    (scaled.abs() <= UNITS as f64).then_some(scaled as i64)
}

/// The number that a text writes in plain decimal digits, perhaps with a sign and a point.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let plain = bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let led = bare.starts_with(|c: char| c.is_ascii_digit()) && bare.ends_with(|c: char| c.is_ascii_digit());
    if plain && led { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_round_to_even_and_stay_in_range() {
        assert_eq!(to_units(1.5, 0), Some(2));
        assert_eq!(to_units(2.5, 0), Some(2));
        assert_eq!(to_units(-0.1, 10), Some(-102));
        assert_eq!(to_units(UNITS as f64, 0), Some(UNITS));
        for (value, bits) in [(UNITS as f64, 1), (f64::NAN, 0), (f64::INFINITY, 3), (1e308, 30)] {
            assert_eq!(to_units(value, bits), None);
        }
    }

    #[test]
    fn decimals_are_plain() {
        assert_eq!(decimal("-0.5"), Some(-0.5));
        assert_eq!(decimal("12"), Some(12.0));
        for text in ["", "-", ".5", "5.", "1e3", "nan", "+1", "1.2.3", "0x1"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
