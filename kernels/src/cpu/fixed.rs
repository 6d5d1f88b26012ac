//! Fixed-point encoding and decoding.

use super::{IntSimd, Kernel};
use crate::Fixed;

/// 1.5 * 2^52: a value of at most 2^51 in size added to it is rounded to an integer, ties to even, and the
/// sum's bits differ from this number's by just that integer.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// See [`crate::fixed::encode`].
pub(crate) struct Encode<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) format: Fixed,
    pub(crate) out: &'a mut [i64],
}

impl Kernel for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (min, max) = (self.format.min() as f64, self.format.max() as f64);
        let unit = f64::from(1u32 << self.format.fraction_bits());
        let (scale, low, high) = (simd.splat_f64s(unit), simd.splat_f64s(min), simd.splat_f64s(max));
        let (rounder, rounder_bits) = (simd.splat_f64s(ROUNDER), simd.splat_u64s(ROUNDER.to_bits()));

        let (values, rest) = S::as_simd_f64s(self.values);
        let (out, out_rest) = S::as_mut_simd_u64s(bytemuck::cast_slice_mut(self.out));
        for (value, out) in values.iter().zip(out) {
            let scaled = simd.mul_f64s(*value, scale);
            // A comparison with NaN is false, so NaN becomes the lower bound.
            let scaled = simd.select_f64s(simd.less_than_f64s(low, scaled), scaled, low);
            let scaled = simd.select_f64s(simd.less_than_f64s(scaled, high), scaled, high);
            let rounded = simd.transmute_u64s_f64s(simd.add_f64s(scaled, rounder));
            *out = simd.sub_u64s(rounded, rounder_bits);
        }
        for (value, out) in rest.iter().zip(out_rest) {
            let scaled = value * unit;
            let scaled = if min < scaled { scaled } else { min };
            let scaled = if scaled < max { scaled } else { max };
            *out = (scaled + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits());
        }
    }
}

/// See [`crate::fixed::decode`].
pub(crate) struct Decode<'a> {
    pub(crate) values: &'a [i64],
    pub(crate) fraction_bits: u32,
    pub(crate) out: &'a mut [f64],
}

impl Kernel for Decode<'_> {
    type Output = ();

    /// The levels have no common conversion of 64-bit integers; the compiler finds each one's own.
    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) {
        let unit = 1.0 / (1u64 << self.fraction_bits) as f64;
        for (value, out) in self.values.iter().zip(self.out) {
            *out = *value as f64 * unit;
        }
    }
}

/// See [`crate::fixed::truncate`].
pub(crate) struct Truncate<'a> {
    pub(crate) share: &'a mut [u64],
    pub(crate) bits: u32,
    /// All bits set: take negatives before and after; else 0.
    pub(crate) sign: u64,
}

impl Kernel for Truncate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let sign = simd.splat_u64s(self.sign);
        let (vectors, rest) = S::as_mut_simd_u64s(self.share);
        for vector in vectors {
            let size = simd.sub_u64s(simd.xor_u64s(*vector, sign), sign);
            let shifted = simd.right_u64s(size, self.bits);
            *vector = simd.sub_u64s(simd.xor_u64s(shifted, sign), sign);
        }
        for word in rest {
            let size = (*word ^ self.sign).wrapping_sub(self.sign);
            *word = ((size >> self.bits) ^ self.sign).wrapping_sub(self.sign);
        }
    }
}

/// See [`crate::fixed::out_of_range`].
pub(crate) struct OutOfRange<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) format: Fixed,
}

/// Values between two looks at whether one of them was out of range.
const STRETCH: usize = 1024;

impl Kernel for OutOfRange<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) -> Option<usize> {
        let (min, max) = (self.format.min() as f64, self.format.max() as f64);
        let unit = f64::from(1u32 << self.format.fraction_bits());
        for (i, stretch) in self.values.chunks(STRETCH).enumerate() {
            let mut inside = true;
            for value in stretch {
                inside &= (min <= value * unit) & (value * unit <= max);
            }
            if !inside {
                let outside = |value: &f64| !(min..=max).contains(&(value * unit));
                return stretch.iter().position(outside).map(|at| i * STRETCH + at);
            }
        }
        None
    }
}
