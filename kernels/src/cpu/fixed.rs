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
