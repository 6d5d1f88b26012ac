//! Truncation of shares, and the search for what encoding clamps.

use super::{compare, doubles, elements, lengths};
use crate::fixed::{self, Role};
use crate::{Device, Fixed, KernelError, spec};

/// Truncation by both roles, local and of opened vectors; the first value out of range.
pub fn truncation(device: &Device) {
    for (len, bits) in lengths().into_iter().zip((0..=fixed::MAX_DECODED_BITS).cycle()) {
        let start = |len| elements::<u64>(1, len);
        let high = &elements::<u64>(2, len + 1)[1..];
        for role in [Role::First, Role::Other] {
            compare(
                "fixed::truncate",
                len,
                start,
                |share| fixed::truncate(device, share, bits, role),
                |share| spec::fixed::truncate(share, bits, role),
            );
            compare(
                "fixed::truncate_opened",
                len,
                start,
                |opened| fixed::truncate_opened(device, opened, high, bits, role),
                |opened| spec::fixed::truncate_opened(opened, high, bits, role),
            );
        }
        let format = Fixed::new(bits % 31, -1000, 1 << 40).expect("a format of the suite");
        let mut values = doubles(len);
        let first = spec::fixed::out_of_range(&values, format);
        assert_eq!(fixed::out_of_range(device, &values, format), first, "fixed::out_of_range, length {len}");
        // None, though all are at a bound; then only the last one.
        let unit = 2f64.powi(-(format.fraction_bits() as i32));
        for pair in values.chunks_mut(2) {
            pair.copy_from_slice(&[-1000.0 * unit, 2f64.powi(40) * unit][..pair.len()]);
        }
        assert_eq!(fixed::out_of_range(device, &values, format), None);
        for worst in [f64::NAN, f64::NEG_INFINITY, -1000.5 * unit] {
            if let Some(last) = values.last_mut() {
                *last = worst;
                assert_eq!(fixed::out_of_range(device, &values, format), Some(len - 1));
            }
        }
    }
    let mut words = [1u64; 3];
    let length = fixed::truncate_opened(device, &mut words, &[1; 2], 1, Role::First);
    assert!(matches!(length, Err(KernelError::Length { left: 3, right: 2, .. })));
    let refused = Err(KernelError::FractionBits { given: 63, most: 62 });
    assert_eq!(fixed::truncate(device, &mut words, 63, Role::First), refused);
    assert_eq!(fixed::truncate_opened(device, &mut words, &[1; 3], 63, Role::Other), refused);
    assert!(words == [1; 3]);
}
