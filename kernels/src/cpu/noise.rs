//! Discrete Laplace samples: a stretch of keystream, then a few comparisons per digit.
//!
//! The work depends on the law and the length alone: no branch and no address depends on the keystream.

use super::chacha::keystream;
use super::ring;
use super::{IntSimd, Kernel, Operation};
use crate::Word;
use crate::noise::{GROUP, Laplace};
use crate::stream::Span;
use zeroize::Zeroize;

/// Blocks of keystream at a time: 24 KiB, within any first-level cache, and 8 groups of the widest law.
const BUFFER: usize = 384;

/// Writes one sample to each element.
pub(crate) struct Fill<'a> {
    pub(crate) law: &'a Laplace,
    pub(crate) span: Span<'a>,
    pub(crate) out: &'a mut [u64],
}

/// Adds one sample to each element.
pub(crate) struct Add<'a> {
    pub(crate) law: &'a Laplace,
    pub(crate) span: Span<'a>,
    pub(crate) values: &'a mut [u64],
}

impl Kernel for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        samples(simd, self.law, self.span, Replace, self.out);
    }
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        samples(simd, self.law, self.span, ring::Add, self.values);
    }
}

/// The second of two elements.
#[derive(Clone, Copy)]
struct Replace;

impl Operation for Replace {
    #[inline(always)]
    fn vectors<T: Word, S: IntSimd>(self, _: S, _: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
        b
    }
    #[inline(always)]
    fn words<T: Word>(self, _: T, b: T) -> T {
        b
    }
}

#[repr(C, align(64))]
struct Buffer([u64; BUFFER * GROUP]);

#[inline(always)]
fn samples<S: IntSimd, O: Operation>(
    simd: S,
    law: &Laplace,
    span: Span<'_>,
    operation: O,
    values: &mut [u64],
) {
    let blocks = law.digits().len() + 1;
    // Whole passes of any level, as far as the buffer allows.
    let groups = match BUFFER / blocks {
        fit @ 16.. => fit - fit % 16,
        fit => fit - fit % 8,
    };
    let mut buffer = Buffer([0; BUFFER * GROUP]);
    let mut block = span.block;
    for part in values.chunks_mut(groups * GROUP) {
        let used = part.len().div_ceil(GROUP) * blocks;
        let words = &mut buffer.0[..used * GROUP];
        keystream(simd, &Span { block, ..span }, bytemuck::cast_slice_mut(words));
        for (words, values) in words.chunks_exact(blocks * GROUP).zip(part.chunks_mut(GROUP)) {
            let sampled = group(simd, law, words);
            ring::zip(simd, operation, values, &sampled[..values.len()]);
        }
        block = block.wrapping_add(used as u64);
    }
    let most = groups.min(values.len().div_ceil(GROUP)) * blocks * GROUP;
    buffer.0[..most].zeroize();
}

/// Eight samples from the words of their blocks.
#[inline(always)]
fn group<S: IntSimd>(simd: S, law: &Laplace, words: &[u64]) -> [u64; GROUP] {
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
