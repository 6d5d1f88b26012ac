//! Draws from a table: each word is compared with every threshold.

use super::super::IntSimd;
use crate::noise::{GROUP, Table};

/// Eight samples from the words of their blocks, one block for each draw.
#[inline(always)]
pub(super) fn group<S: IntSimd>(simd: S, table: &Table, words: &[u64]) -> [u64; GROUP] {
    let zero = simd.splat_u64s(0);
    let signs = simd.splat_u64s(u64::from(table.signed()));
    let mut sampled = [0; GROUP];
    let (out, _) = S::as_mut_simd_u64s(&mut sampled);
    for (block, weight) in words.chunks_exact(GROUP).zip(table.weights()) {
        let words = S::as_simd_u64s(block).0;
        let mut counts = [zero; GROUP];
        let mut flipped = [zero; GROUP];
        for (flipped, word) in flipped.iter_mut().zip(words) {
            *flipped = simd.flip(*word);
        }
        for threshold in table.thresholds() {
            let threshold = simd.flip(simd.splat_u64s(*threshold));
            // All ones, which is less one, where the word is below.
            for (count, word) in counts.iter_mut().zip(flipped).take(out.len()) {
                *count = simd.sub_u64s(*count, simd.below_flipped(word, threshold));
            }
        }
        // A count fits 32 bits, a weight need not.
        let (low, high) = (simd.splat_u64s(*weight), simd.splat_u64s(*weight >> 32));
        for ((out, count), word) in out.iter_mut().zip(counts).zip(words) {
            let upper = simd.left_u64s(simd.mul_low(count, high), 32);
            let size = simd.add_u64s(simd.mul_low(count, low), upper);
            let negative = simd.sub_u64s(zero, simd.and_u64s(*word, signs));
            *out = simd.add_u64s(*out, simd.sub_u64s(simd.xor_u64s(size, negative), negative));
        }
    }
    sampled
}
