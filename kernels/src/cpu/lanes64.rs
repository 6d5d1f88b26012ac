//! What prime fields and bit planes need of a vector level: products of 64-bit lanes, comparisons that are cheap, bits
//! that change places.

use super::IntSimd;
use super::prime::{LOW, Prime, difference};
use crate::field::{Field, Field64};
use pulp::Simd;

/// 64-bit lanes of a vector level.
pub trait Lanes64: Simd {
    /// The product of the low 32 bits of both.
    fn mul_low(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
    /// `x` as the low 32 bits of every lane, for [`mul_low`](Self::mul_low): what is above is any bits.
    fn splat_low(self, x: u32) -> Self::u64s;
    /// The upper 32 bits in the place of the lower ones, and anything above.
    fn upper(self, x: Self::u64s) -> Self::u64s;
    /// The form in which the level compares: a lane plus a constant, so `flip(x) + y` is `flip(x + y)`.
    fn flip(self, x: Self::u64s) -> Self::u64s;
    /// All bits of a lane set where `a < b`, both flipped; none elsewhere.
    fn below_flipped(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
    /// The sum of `x`, which is flipped, and the low half of `high` times 2^32 - 1, modulo 2^64 - 2^32 + 1 and below that;
    /// not flipped.
    fn add_high(self, x: Self::u64s, high: Self::u64s) -> Self::u64s;
    /// `x` where it is below `p`, else `x - p`; both below 2^63.
    fn reduce_once(self, x: Self::u64s, p: Self::u64s) -> Self::u64s;
    /// Swaps the upper halves of fields of `2 BY` bits of `a` with the lower halves of those of `b`, for `BY` a power of
    /// two up to 32.
    fn swap_bits<const BY: u32>(self, a: Self::u64s, b: Self::u64s) -> (Self::u64s, Self::u64s);
    /// The product of elements, by the level's own multiplication.
    fn multiply<P: Prime>(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
}

/// `x + t = x - (p - t)` for any `x` and `t <= (2^32 - 1)^2`: without a borrow that is below `p`, since `p - t` is at
/// least 2^32; with one, `x + t` was below `p`.
#[inline(always)]
fn add_product<S: IntSimd>(simd: S, x: S::u64s, high: S::u64s) -> S::u64s {
    let t = simd.mul_low(high, simd.splat_u64s(LOW));
    difference(simd, x, simd.sub_u64s(simd.flip(simd.splat_u64s(Field64::MODULUS)), t))
}

/// The lower halves of fields of `2 by` bits.
const fn lower(by: u32) -> u64 {
    u64::MAX / ((1 << by) + 1)
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
    fn upper(self, x: u64) -> u64 {
        x >> 32
    }
    #[inline(always)]
    fn flip(self, x: u64) -> u64 {
        x
    }
    #[inline(always)]
    fn below_flipped(self, a: u64, b: u64) -> u64 {
        super::IntSimd::below(self, a, b)
    }
    #[inline(always)]
    fn add_high(self, x: u64, high: u64) -> u64 {
        add_product(self, x, high)
    }
    /// The sign of the difference as a mask: a comparison is sometimes made a branch.
    #[inline(always)]
    fn reduce_once(self, x: u64, p: u64) -> u64 {
        let less = x.wrapping_sub(p);
        less.wrapping_add(p & ((less as i64 >> 63) as u64))
    }
    #[inline(always)]
    fn swap_bits<const BY: u32>(self, a: u64, b: u64) -> (u64, u64) {
        let moved = (a >> BY ^ b) & const { lower(BY) };
        (a ^ moved << BY, b ^ moved)
    }
    #[inline(always)]
    fn multiply<P: Prime>(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        P::reduce(self, product as u64, (product >> 64) as u64)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Field, Field64, IntSimd, LOW, Lanes64, Prime, add_product, lower};
    use pulp::x86::{V3, V4};
    use pulp::{Simd, cast, u64x4, u64x8};
    use std::arch::x86_64::__m512i;

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
        /// A shuffle: shifts and multiplications share a port.
        #[inline(always)]
        fn upper(self, x: u64x4) -> u64x4 {
            cast(self.avx._mm256_movehdup_ps(cast(x)))
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
        fn add_high(self, x: u64x4, high: u64x4) -> u64x4 {
            add_product(self, x, high)
        }
        #[inline(always)]
        fn reduce_once(self, x: u64x4, p: u64x4) -> u64x4 {
            let less = self.sub_u64s(x, p);
            cast(self.avx._mm256_blendv_pd(cast(less), cast(x), cast(less)))
        }
        /// A shift and a blend for each, where there is a blend.
        #[inline(always)]
        fn swap_bits<const BY: u32>(self, a: u64x4, b: u64x4) -> (u64x4, u64x4) {
            let avx2 = self.avx2;
            let (low, high) = (cast(self.left_u64s(b, BY)), cast(self.right_u64s(a, BY)));
            let (a, b) = (cast(a), cast(b));
            match BY {
                32 => (
                    cast(avx2._mm256_blend_epi32::<0xaa>(a, low)),
                    cast(avx2._mm256_blend_epi32::<0x55>(b, high)),
                ),
                16 => (
                    cast(avx2._mm256_blend_epi16::<0xaa>(a, low)),
                    cast(avx2._mm256_blend_epi16::<0x55>(b, high)),
                ),
                _ => {
                    let mask = cast(self.splat_u64s(const { lower(BY) }));
                    let moved = avx2._mm256_and_si256(avx2._mm256_xor_si256(high, b), mask);
                    let back = cast(self.left_u64s(cast(moved), BY));
                    (cast(avx2._mm256_xor_si256(a, back)), cast(avx2._mm256_xor_si256(b, moved)))
                }
            }
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
        /// A shuffle: shifts and multiplications share a port.
        #[inline(always)]
        fn upper(self, x: u64x8) -> u64x8 {
            cast(self.avx512f._mm512_movehdup_ps(cast(x)))
        }
        #[inline(always)]
        fn flip(self, x: u64x8) -> u64x8 {
            x
        }
        #[inline(always)]
        fn below_flipped(self, a: u64x8, b: u64x8) -> u64x8 {
            self.below(a, b)
        }
        /// The product less the modulus, modulo 2^64, is the low half of `high` above and its complement below. What it
        /// is added to carries just where the sum is not below the modulus.
        #[inline(always)]
        fn add_high(self, x: u64x8, high: u64x8) -> u64x8 {
            let low = self.and_u64s(self.not_u64s(high), self.splat_u64s(LOW));
            let less = self.or_u64s(cast(self.avx512f._mm512_slli_epi64::<32>(cast(high))), low);
            let sum = self.add_u64s(x, less);
            let carries = self.less_than_u64s(sum, x);
            self.select_u64s(carries, sum, self.add_u64s(sum, self.splat_u64s(Field64::MODULUS)))
        }
        #[inline(always)]
        fn reduce_once(self, x: u64x8, p: u64x8) -> u64x8 {
            self.min_u64s(x, self.sub_u64s(x, p))
        }
        /// Whole bytes by a masked shuffle each; bits by a shift and a blend, which is one instruction of three operands:
        /// so the two ports for such work have equal shares.
        #[inline(always)]
        fn swap_bits<const BY: u32>(self, a: u64x8, b: u64x8) -> (u64x8, u64x8) {
            if BY >= 8 {
                let bytes = const { neighbours(BY as usize / 8) };
                let upper = const { uppers(BY as usize / 8) };
                let [a, b, bytes]: [__m512i; 3] = [cast(a), cast(b), cast(bytes)];
                return (
                    cast(self.avx512bw._mm512_mask_shuffle_epi8(a, upper, b, bytes)),
                    cast(self.avx512bw._mm512_mask_shuffle_epi8(b, !upper, a, bytes)),
                );
            }
            let mask = self.splat_u64s(const { lower(BY) });
            let (above, below) = (self.left_u64s(b, BY), self.right_u64s(a, BY));
            let a = self.or_u64s(self.and_u64s(a, mask), self.and_u64s(above, self.not_u64s(mask)));
            (a, self.or_u64s(self.and_u64s(below, mask), self.and_u64s(b, self.not_u64s(mask))))
        }
        #[inline(always)]
        fn multiply<P: Prime>(self, a: u64x8, b: u64x8) -> u64x8 {
            P::mul_halves(self, a, b)
        }
    }
    /// Swaps neighbours of so many bytes within a 128-bit lane.
    const fn neighbours(by: usize) -> [u8; 64] {
        let mut indices = [0; 64];
        let mut i = 0;
        while i < 64 {
            indices[i] = ((i % 16) ^ by) as u8;
            i += 1;
        }
        indices
    }

    /// The bytes in the upper halves of fields of twice so many bytes.
    const fn uppers(by: usize) -> u64 {
        let mut mask = 0;
        let mut i = 0;
        while i < 64 {
            mask |= ((i & by != 0) as u64) << i;
            i += 1;
        }
        mask
    }
}
