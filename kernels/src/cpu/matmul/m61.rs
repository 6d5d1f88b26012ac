//! Sums of products modulo 2^61 - 1, reduced late.
//!
//! An element is `low + 2^31 high`, of 31 and 30 bits, and 2^62 is 2. So a product is a part of weight 1, `low low + 2
//! high high`, below 6 * 2^60, and one of weight 2^31, `low high + high low`, below 2^62. A settled part is below
//! 2^61 + 8, and two more products make it less than 2^64.

#[cfg(target_arch = "x86_64")]
use super::Ifma;
use super::sums::{Plain, Sums};
use super::{Entry, MultiplyAdd, Product, blocks};
use crate::cpu::{IntSimd, Prime};
use crate::field::{Field, M61, words, words_mut};

/// Bits of the low part of an element.
const LOW: u32 = 31;

impl Entry for M61 {
    type Raw = u64;
    const NAME: &'static str = "m61";
    #[inline(always)]
    fn raw(elements: &[M61]) -> &[u64] {
        words(elements)
    }
    #[inline(always)]
    fn raw_mut(elements: &mut [M61]) -> &mut [u64] {
        words_mut(elements)
    }
    #[inline(always)]
    fn plus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        <M61 as Prime>::add(simd, a, b)
    }
    #[inline(always)]
    fn minus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        <M61 as Prime>::sub(simd, a, b)
    }
}

/// The same modulo 2^61 - 1, below 2^61 + 8.
#[inline(always)]
fn fold<S: IntSimd>(simd: S, x: S::u64s) -> S::u64s {
    let low = simd.and_u64s(x, simd.splat_u64s(M61::MODULUS));
    simd.add_u64s(low, simd.right_u64s(x, 61))
}

impl Product for M61 {
    #[inline(always)]
    fn multiply<S: IntSimd>(simd: S, products: MultiplyAdd<'_, M61>) {
        // 32 registers there, 16 elsewhere.
        match size_of::<S::u64s>() == 64 {
            true => blocks::<_, _, 4>(Plain(simd), products),
            false => blocks::<_, _, 2>(Plain(simd), products),
        }
    }
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn multiply_fused(ifma: Ifma, products: MultiplyAdd<'_, M61>) {
        Self::multiply(ifma.simd(), products);
    }
}

impl<S: IntSimd> Sums<M61> for Plain<S> {
    type Simd = S;
    /// The parts of weight 1 and 2^31.
    type Sum = [S::u64s; 2];
    /// Low and high.
    type Left = [S::u64s; 2];
    /// Low, high and twice high.
    type Right = [S::u64s; 3];
    #[inline(always)]
    fn simd(self) -> S {
        self.0
    }
    #[inline(always)]
    fn left(self, a: S::u64s) -> [S::u64s; 2] {
        [self.0.and_u64s(a, self.0.splat_u64s((1 << LOW) - 1)), self.0.right_u64s(a, LOW)]
    }
    #[inline(always)]
    fn right(self, b: S::u64s) -> [S::u64s; 3] {
        let [low, high] = Sums::<M61>::left(self, b);
        [low, high, self.0.add_u64s(high, high)]
    }
    #[inline(always)]
    fn none(self) -> [S::u64s; 2] {
        [self.0.splat_u64s(0); 2]
    }
    #[inline(always)]
    fn product(
        self,
        [one, cross]: [S::u64s; 2],
        [low, high]: [u64; 2],
        [b_low, b_high, b_twice]: [S::u64s; 3],
    ) -> [S::u64s; 2] {
        let simd = self.0;
        let (low, high) = (simd.splat_low(low as u32), simd.splat_low(high as u32));
        let one = simd.add_u64s(one, simd.mul_low(low, b_low));
        let cross = simd.add_u64s(cross, simd.mul_low(low, b_high));
        [simd.add_u64s(one, simd.mul_low(high, b_twice)), simd.add_u64s(cross, simd.mul_low(high, b_low))]
    }
    #[inline(always)]
    fn settled(self, [one, cross]: [S::u64s; 2]) -> [S::u64s; 2] {
        [fold(self.0, one), fold(self.0, cross)]
    }
    /// `2^31 (low + 2^30 high)` is `2^31 low + high`; the sum of all is below 2^63.
    #[inline(always)]
    fn total(self, [one, cross]: [S::u64s; 2]) -> S::u64s {
        let simd = self.0;
        let low = simd.and_u64s(cross, simd.splat_u64s((1 << 30) - 1));
        let turned = simd.add_u64s(simd.left_u64s(low, LOW), simd.right_u64s(cross, 30));
        simd.reduce_once(fold(simd, simd.add_u64s(one, turned)), simd.splat_u64s(M61::MODULUS))
    }
}
