//! Bit vectors: word by word, counting, and shifts by less than a word.

use super::{IntSimd, Kernel, Operation};
use crate::Word;

/// Sum modulo 2 of each bit.
#[derive(Clone, Copy)]
pub(crate) struct Xor;
/// Product of each bit.
#[derive(Clone, Copy)]
pub(crate) struct And;

impl Operation for Xor {
    #[inline(always)]
    fn vectors<T: Word, S: IntSimd>(self, simd: S, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::vector_xor(simd, a, b)
    }
    #[inline(always)]
    fn words<T: Word>(self, a: T, b: T) -> T {
        a ^ b
    }
}

impl Operation for And {
    #[inline(always)]
    fn vectors<T: Word, S: IntSimd>(self, simd: S, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        T::vector_and(simd, a, b)
    }
    #[inline(always)]
    fn words<T: Word>(self, a: T, b: T) -> T {
        a & b
    }
}

/// Inverts every bit.
pub(crate) struct Not<'a> {
    pub(crate) words: &'a mut [u64],
}

impl Kernel for Not<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_u64s(self.words);
        for vector in vectors {
            *vector = simd.not_u64s(*vector);
        }
        for word in rest {
            *word = !*word;
        }
    }
}

/// How many bits are set.
pub(crate) struct Ones<'a> {
    pub(crate) words: &'a [u64],
}

/// Every other bit, pair of bits, half byte, byte, half word and word.
pub(crate) const HALVES: [u64; 6] = [
    0x5555_5555_5555_5555,
    0x3333_3333_3333_3333,
    0x0f0f_0f0f_0f0f_0f0f,
    0x00ff_00ff_00ff_00ff,
    0x0000_ffff_0000_ffff,
    0x0000_0000_ffff_ffff,
];
/// So many counts of at most 8 fit a byte.
const BYTEFUL: usize = 31;

impl Kernel for Ones<'_> {
    type Output = u64;

    /// The sums of neighbours, then of neighbours' sums, as in "Hacker's Delight", section 5-1. What does not depend
    /// on the vector, from bytes on, is done once for 31 of them.
    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) -> u64 {
        let mut masks = [simd.splat_u64s(0); 6];
        for (mask, bits) in masks.iter_mut().zip(HALVES) {
            *mask = simd.splat_u64s(bits);
        }
        let [ones, twos, fours, bytes, halves, words] = masks;
        let (vectors, rest) = S::as_simd_u64s(self.words);
        let mut total = simd.splat_u64s(0);
        for chunk in vectors.chunks(BYTEFUL) {
            let mut sums = simd.splat_u64s(0);
            for vector in chunk {
                let pairs = simd.sub_u64s(*vector, simd.and_u64s(simd.right_u64s(*vector, 1), ones));
                let nibbles = fold(simd, pairs, 2, twos);
                let counts = simd.and_u64s(simd.add_u64s(nibbles, simd.right_u64s(nibbles, 4)), fours);
                sums = simd.add_u64s(sums, counts);
            }
            let sums = fold(simd, fold(simd, sums, 8, bytes), 16, halves);
            total = simd.add_u64s(total, fold(simd, sums, 32, words));
        }
        let lanes = [total];
        let lanes: &[u64] = bytemuck::cast_slice(&lanes);
        lanes.iter().copied().chain(rest.iter().map(|word| u64::from(word.count_ones()))).sum()
    }
}

/// The sum of neighbours that are as wide as `by`.
#[inline(always)]
pub(crate) fn fold<S: IntSimd>(simd: S, x: S::u64s, by: u32, mask: S::u64s) -> S::u64s {
    simd.add_u64s(simd.and_u64s(x, mask), simd.and_u64s(simd.right_u64s(x, by), mask))
}

/// `out[i]` = the upper word of `high[i]` and `low[i]` in a row, moved to the left by `by`, 1 to 63.
pub(crate) struct Funnel<'a> {
    pub(crate) high: &'a [u64],
    pub(crate) low: &'a [u64],
    pub(crate) by: u32,
    pub(crate) out: &'a mut [u64],
}

impl Kernel for Funnel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (left, right) = (self.by, 64 - self.by);
        let (high, high_rest) = S::as_simd_u64s(self.high);
        let (low, low_rest) = S::as_simd_u64s(self.low);
        let (out, out_rest) = S::as_mut_simd_u64s(self.out);
        for ((out, high), low) in out.iter_mut().zip(high).zip(low) {
            *out = simd.or_u64s(simd.left_u64s(*high, left), simd.right_u64s(*low, right));
        }
        for ((out, high), low) in out_rest.iter_mut().zip(high_rest).zip(low_rest) {
            *out = high << left | low >> right;
        }
    }
}
