//! Binomial samples: bits counted in each word.

use super::super::IntSimd;
use super::super::bits::{HALVES, fold};
use crate::noise::GROUP;

/// Counts of at most 8 a byte, so many of which fit one.
const BYTEFUL: usize = 31;

/// Eight samples from the words of their blocks, the last of which may have more bits than there are trials.
#[inline(always)]
pub(super) fn group<S: IntSimd>(simd: S, trials: u32, words: &[u64]) -> [u64; GROUP] {
    let mut masks = [simd.splat_u64s(0); 6];
    for (mask, bits) in masks.iter_mut().zip(HALVES) {
        *mask = simd.splat_u64s(bits);
    }
    let [ones, twos, fours, bytes, halves, halfwords] = masks;
    let last = simd.splat_u64s(u64::MAX >> (trials.wrapping_neg() % 64));
    let all = simd.splat_u64s(u64::MAX);
    let half = simd.splat_u64s(u64::from(trials / 2));
    let blocks = words.len() / GROUP;

    let mut sampled = [0; GROUP];
    let (out, _) = S::as_mut_simd_u64s(&mut sampled);
    for (i, out) in out.iter_mut().enumerate() {
        let mut total = simd.sub_u64s(simd.splat_u64s(0), half);
        for (k, chunk) in words.chunks(BYTEFUL * GROUP).enumerate() {
            let mut sums = simd.splat_u64s(0);
            for (l, block) in chunk.chunks_exact(GROUP).enumerate() {
                let used = if k * BYTEFUL + l + 1 == blocks { last } else { all };
                let word = simd.and_u64s(S::as_simd_u64s(block).0[i], used);
                let pairs = simd.sub_u64s(word, simd.and_u64s(simd.right_u64s(word, 1), ones));
                let nibbles = fold(simd, pairs, 2, twos);
                let counts = simd.and_u64s(simd.add_u64s(nibbles, simd.right_u64s(nibbles, 4)), fours);
                sums = simd.add_u64s(sums, counts);
            }
            let sums = fold(simd, fold(simd, sums, 8, bytes), 16, halves);
            total = simd.add_u64s(total, fold(simd, sums, 32, halfwords));
        }
        *out = total;
    }
    sampled
}
