//! Discrete Laplace samples: a few comparisons per octal digit.

use super::super::IntSimd;
use crate::noise::{GROUP, Laplace};

/// Eight samples from the words of their blocks.
#[inline(always)]
pub(super) fn group<S: IntSimd>(simd: S, law: &Laplace, words: &[u64]) -> [u64; GROUP] {
    let (head, digits) = words.split_at(GROUP);
    let one = simd.splat_u64s(1);
    let zero = simd.splat_u64s(0);
    // The word without its lowest bit is below twice the threshold just if its upper bits are below it.
    let zero_below = simd.splat_u64s(2 * law.zero_threshold());

    let mut sampled = [0; GROUP];
    let (out, _) = S::as_mut_simd_u64s(&mut sampled);
    for (i, out) in out.iter_mut().enumerate() {
        let vector = |block: &[u64]| S::as_simd_u64s(block).0[i];
        let mut size = zero;
        for (block, thresholds) in digits.chunks_exact(GROUP).zip(law.digits()).rev() {
            let word = vector(block);
            for _ in 0..3 {
                size = simd.add_u64s(size, size);
            }
            for threshold in thresholds {
                // All ones, which is less one, where the word is below.
                size = simd.sub_u64s(size, simd.below(word, simd.splat_u64s(*threshold)));
            }
        }
        let size = simd.add_u64s(size, one);
        let word = vector(head);
        let negative = simd.sub_u64s(zero, simd.and_u64s(word, one));
        let signed = simd.sub_u64s(simd.xor_u64s(size, negative), negative);
        *out = simd.and_u64s(signed, simd.not_u64s(simd.below(word, zero_below)));
    }
    sampled
}
