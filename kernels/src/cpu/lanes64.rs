//! What prime fields need of a vector level: products of 64-bit lanes, and comparisons that are cheap.

use super::prime::Prime;
use pulp::Simd;

/// 64-bit lanes of a vector level.
pub trait Lanes64: Simd {
    /// The product of the low 32 bits of both.
    fn mul_low(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
    /// `x` as the low 32 bits of every lane, for [`mul_low`](Self::mul_low): what is above is any bits.
    fn splat_low(self, x: u32) -> Self::u64s;
    /// The form in which the level compares: a lane plus a constant, so `flip(x) + y` is `flip(x + y)`.
    fn flip(self, x: Self::u64s) -> Self::u64s;
    /// All bits of a lane set where `a < b`, both flipped; none elsewhere.
    fn below_flipped(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
    /// `x` where it is below `p`, else `x - p`; both below 2^63.
    fn reduce_once(self, x: Self::u64s, p: Self::u64s) -> Self::u64s;
    /// The product of elements, by the level's own multiplication.
    fn multiply<P: Prime>(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
}

impl Lanes64 for pulp::Scalar {
    #[inline(always)]
    fn mul_low(self, a: u64, b: u64) -> u64 {
        u64::from(a as u32) * u64::from(b as u32)
    }
    #[inline(always)]
    fn splat_low(self, x: u32) -> u64 {
        u64::from(x)
    }
    #[inline(always)]
    fn flip(self, x: u64) -> u64 {
        x
    }
    #[inline(always)]
    fn below_flipped(self, a: u64, b: u64) -> u64 {
        super::IntSimd::below(self, a, b)
    }
    /// The sign of the difference as a mask: a comparison is sometimes made a branch.
    #[inline(always)]
    fn reduce_once(self, x: u64, p: u64) -> u64 {
        let less = x.wrapping_sub(p);
        less.wrapping_add(p & ((less as i64 >> 63) as u64))
    }
    #[inline(always)]
    fn multiply<P: Prime>(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        P::reduce(self, product as u64, (product >> 64) as u64)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lanes64, Prime};
    use pulp::x86::{V3, V4};
    use pulp::{Simd, cast, u64x4, u64x8};

    impl Lanes64 for V3 {
        #[inline(always)]
        fn mul_low(self, a: u64x4, b: u64x4) -> u64x4 {
            cast(self.avx2._mm256_mul_epu32(cast(a), cast(b)))
        }
        /// From memory no instruction but a load.
        #[inline(always)]
        fn splat_low(self, x: u32) -> u64x4 {
            cast(self.splat_u32s(x))
        }
        /// AVX2 compares signed lanes alone.
        #[inline(always)]
        fn flip(self, x: u64x4) -> u64x4 {
            self.xor_u64s(x, self.splat_u64s(1 << 63))
        }
        #[inline(always)]
        fn below_flipped(self, a: u64x4, b: u64x4) -> u64x4 {
            cast(self.avx2._mm256_cmpgt_epi64(cast(b), cast(a)))
        }
        #[inline(always)]
        fn reduce_once(self, x: u64x4, p: u64x4) -> u64x4 {
            let less = self.sub_u64s(x, p);
            cast(self.avx._mm256_blendv_pd(cast(less), cast(x), cast(less)))
        }
        #[inline(always)]
        fn multiply<P: Prime>(self, a: u64x4, b: u64x4) -> u64x4 {
            P::mul_halves(self, a, b)
        }
    }

    impl Lanes64 for V4 {
        #[inline(always)]
        fn mul_low(self, a: u64x8, b: u64x8) -> u64x8 {
            cast(self.avx512f._mm512_mul_epu32(cast(a), cast(b)))
        }
        /// From memory no instruction but a load.
        #[inline(always)]
        fn splat_low(self, x: u32) -> u64x8 {
            cast(self.splat_u32s(x))
        }
        #[inline(always)]
        fn flip(self, x: u64x8) -> u64x8 {
            x
        }
        #[inline(always)]
        fn below_flipped(self, a: u64x8, b: u64x8) -> u64x8 {
            super::super::IntSimd::below(self, a, b)
        }
        #[inline(always)]
        fn reduce_once(self, x: u64x8, p: u64x8) -> u64x8 {
            self.min_u64s(x, self.sub_u64s(x, p))
        }
        #[inline(always)]
        fn multiply<P: Prime>(self, a: u64x8, b: u64x8) -> u64x8 {
            P::mul_halves(self, a, b)
        }
    }
}
