//! Samples of noise: a stretch of keystream, then what the law makes of the words of each group.
//!
//! The work depends on the law and the length alone: no branch and no address depends on the keystream.

mod digits;
mod table;
mod trials;

use super::chacha::keystream;
use super::ring;
use super::{IntSimd, Kernel, Operation};
use crate::Word;
use crate::noise::{Binomial, GROUP, Sampler};
use crate::stream::Span;
use zeroize::Zeroize;

/// Blocks of keystream at a time: 24 KiB, within any first-level cache, and a group of any law.
const BUFFER: usize = 384;
const _: () = assert!(BUFFER >= Binomial::MOST as usize / 64);

/// Writes one sample to each element.
pub(crate) struct Fill<'a> {
    pub(crate) sampler: Sampler<'a>,
    pub(crate) span: Span<'a>,
    pub(crate) out: &'a mut [u64],
}

/// Adds one sample to each element.
pub(crate) struct Add<'a> {
    pub(crate) sampler: Sampler<'a>,
    pub(crate) span: Span<'a>,
    pub(crate) values: &'a mut [u64],
}

impl Kernel for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        samples(simd, self.sampler, self.span, Replace, self.out);
    }
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        samples(simd, self.sampler, self.span, ring::Add, self.values);
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
    sampler: Sampler<'_>,
    span: Span<'_>,
    operation: O,
    values: &mut [u64],
) {
    let blocks = sampler.blocks();
    // Whole passes of any level, as far as the buffer allows.
    let groups = match BUFFER / blocks {
        fit @ 16.. => fit - fit % 16,
        fit @ 8.. => fit - fit % 8,
        fit => fit,
    };
    let mut buffer = Buffer([0; BUFFER * GROUP]);
    let mut block = span.block;
    for part in values.chunks_mut(groups * GROUP) {
        let used = part.len().div_ceil(GROUP) * blocks;
        let words = &mut buffer.0[..used * GROUP];
        keystream(simd, &Span { block, ..span }, bytemuck::cast_slice_mut(words));
        for (words, values) in words.chunks_exact(blocks * GROUP).zip(part.chunks_mut(GROUP)) {
            let sampled = match sampler {
                Sampler::Digits(law) => digits::group(simd, law, words),
                Sampler::Table(table) => table::group(simd, table, words),
                Sampler::Trials(trials) => trials::group(simd, trials, words),
            };
            ring::zip(simd, operation, values, &sampled[..values.len()]);
        }
        block = block.wrapping_add(used as u64);
    }
    let most = groups.min(values.len().div_ceil(GROUP)) * blocks * GROUP;
    buffer.0[..most].zeroize();
}
