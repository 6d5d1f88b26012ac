//! Shares of every party from a table of differences, and linear combinations of shares.

use super::chacha::Passes;
use super::{Grid, IntSimd, Kernel, Prime};
use crate::field::uniform::{BLOCKS, GROUP};
use crate::stream::Span;
use std::marker::PhantomData;
use zeroize::Zeroizing;

/// The low 32 bits of a lane.
const LOW: u64 = u32::MAX as u64;
/// Points between two reductions of a table: its halves, below 2^32, at most double with each.
const POINTS: usize = 32;

/// Elements that are shared at a time: so many are whole passes of keystream at any level, and leave their table of
/// differences in the first-level cache.
pub(super) const TILE: usize = 64;
/// Words of their keystream.
const WORDS: usize = TILE * BLOCKS as usize;

/// See [`crate::shamir::Scheme::split`].
pub(crate) struct Split<'a, P> {
    pub(crate) span: Span<'a>,
    /// Blocks of keystream from one coefficient of all elements to the next.
    pub(crate) blocks: u64,
    pub(crate) secret: &'a [u64],
    pub(crate) threshold: usize,
    /// A row for each share.
    pub(crate) shares: Grid<'a>,
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Split<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let Split { span, blocks, secret, threshold, mut shares, .. } = self;
        let len = secret.len();
        let mut passes = Passes::new(simd, &span);
        let mut drawn = lines(WORDS);
        let mut rows = lines(TILE * (threshold + 1));
        let mut table = lines(2 * S::U64_LANES * (threshold + 1));
        let (drawn, rows, table) = (aligned(&mut drawn), aligned(&mut rows), aligned(&mut table));
        for start in (0..len).step_by(TILE) {
            let kept = TILE.min(len - start);
            rows[..kept].copy_from_slice(&secret[start..start + kept]);
            rows[kept..TILE].fill(0);
            let mut block = span.block.wrapping_add(BLOCKS * (start / GROUP) as u64);
            for row in rows[TILE..].chunks_exact_mut(TILE) {
                passes.seek(block);
                draw::<P, S>(simd, &mut passes, drawn, row);
                block = block.wrapping_add(blocks);
            }
            for lane in (0..kept).step_by(S::U64_LANES) {
                let (table, _) = S::as_mut_simd_u64s(table);
                let (table, _) = table.as_chunks_mut::<2>();
                for (entry, row) in table.iter_mut().zip(rows.chunks_exact(TILE)) {
                    *entry = split::<S>(simd, S::as_simd_u64s(&row[lane..]).0[0]);
                }
                let kept = S::U64_LANES.min(kept - lane);
                let mut out = shares.some(start + lane, kept);
                // What is carried from entry to entry fits in the registers.
                match size_of::<S::u64s>() {
                    64 => values::<P, S, 8>(simd, table, &mut out),
                    _ => values::<P, S, 4>(simd, table, &mut out),
                }
            }
        }
    }
}

/// A tile of elements from the next blocks, as [`crate::field::uniform()`] defines them.
#[inline(always)]
fn draw<P: Prime, S: IntSimd>(simd: S, passes: &mut Passes<S>, words: &mut [u64], row: &mut [u64]) {
    for words in words.chunks_exact_mut(Passes::<S>::BYTES / size_of::<u64>()) {
        passes.write_blocks(bytemuck::cast_slice_mut(words));
    }
    for (words, group) in words.chunks_exact(2 * GROUP).zip(row.chunks_exact_mut(GROUP)) {
        let (words, _) = S::as_simd_u64s(words);
        let (low, high) = words.split_at(GROUP / S::U64_LANES);
        let (group, _) = S::as_mut_simd_u64s(group);
        for ((element, low), high) in group.iter_mut().zip(low).zip(high) {
            *element = P::reduce_any(simd, *low, *high);
        }
    }
}

/// Words of a cache line, which is a vector of the widest level.
const LINE: usize = 8;

/// Zeros for so many words from the start of a cache line on: vectors that straddle two cost half of the speed.
fn lines(words: usize) -> Zeroizing<Vec<u64>> {
    Zeroizing::new(vec![0; words + LINE - 1])
}

/// What [`lines`] was asked for.
#[inline(always)]
fn aligned(words: &mut [u64]) -> &mut [u64] {
    let (skip, len) = (words.as_ptr().align_offset(64), words.len() - (LINE - 1));
    &mut words[skip..][..len]
}

/// Puts the values of some polynomials where they go: the same place in every share.
#[inline(always)]
fn write<S: IntSimd>(out: &mut Grid<'_>, point: usize, value: S::u64s) {
    let (whole, part) = S::as_mut_simd_u64s(out.row(point - 1));
    match whole {
        [whole] => *whole = value,
        _ => part.copy_from_slice(&bytemuck::cast_slice(&[value])[..part.len()]),
    }
}

/// The low and the high half of each lane.
#[inline(always)]
fn split<S: IntSimd>(simd: S, x: S::u64s) -> [S::u64s; 2] {
    [simd.and_u64s(x, simd.splat_u64s(LOW)), simd.right_u64s(x, 32)]
}

/// The element that `low + 2^32 high` is, whatever the two are.
#[inline(always)]
fn join<P: Prime, S: IntSimd>(simd: S, [low, high]: [S::u64s; 2]) -> S::u64s {
    let sum = simd.add_u64s(low, simd.left_u64s(high, 32));
    // All ones, which is -1, where the sum has wrapped.
    let carry = simd.below(sum, low);
    P::reduce_any(simd, sum, simd.sub_u64s(simd.right_u64s(high, 32), carry))
}

/// The values at 1, 2, ... of the polynomials whose differences at 0 are in the table, entry by entry.
///
/// Difference `k` at `x + 1` is that at `x` plus difference `k + 1` at `x`: a sum without a product. At the end,
/// differences beyond the number of values that are still missing are no longer needed.
#[inline(always)]
fn values<P: Prime, S: IntSimd, const M: usize>(simd: S, table: &mut [[S::u64s; 2]], out: &mut Grid<'_>) {
    const { assert!(POINTS.is_multiple_of(M)) };
    let parties = out.rows();
    let mut at = 0;
    while at < parties {
        let needed = table.len().min(parties - at + 1);
        let table = &mut table[..needed];
        if at > 0 && at.is_multiple_of(POINTS) {
            for entry in &mut *table {
                *entry = split(simd, join::<P, S>(simd, *entry));
            }
        }
        if parties - at >= M {
            at = advance::<P, S, M>(simd, table, at, out);
        } else {
            at = advance::<P, S, 1>(simd, table, at, out);
        }
    }
}

/// Moves the table `M` points on and writes the values there. Column `j` of `before` is the entry above at `at + j`.
#[inline(always)]
fn advance<P: Prime, S: IntSimd, const M: usize>(
    simd: S,
    table: &mut [[S::u64s; 2]],
    at: usize,
    out: &mut Grid<'_>,
) -> usize {
    let zero = simd.splat_u64s(0);
    let mut before = [[zero; 2]; M];
    let mut last = [zero; 2];
    for entry in table.iter_mut().rev() {
        let [mut low, mut high] = *entry;
        for before in &mut before {
            let moved = [simd.add_u64s(low, before[0]), simd.add_u64s(high, before[1])];
            *before = [low, high];
            [low, high] = moved;
        }
        last = [low, high];
        *entry = last;
    }
    for (j, value) in before.iter().enumerate().skip(1) {
        write::<S>(out, at + j, join::<P, S>(simd, *value));
    }
    write::<S>(out, at + M, join::<P, S>(simd, last));
    at + M
}

/// Bits of a part of a weight.
const PART: u32 = 22;
/// Inputs between two reductions: a sum of so many products of 32 and 22 bits is below 2^64.
const INPUTS: usize = 1024;
/// Elements at a time: of tens of inputs they stay in the second-level cache.
pub(super) const BATCH: usize = 512;

/// A weight in parts, the lowest first.
pub(crate) type Weight = [u64; 3];

/// The parts of an element.
pub(crate) fn parts(weight: u64) -> Weight {
    let mask = (1 << PART) - 1;
    [weight & mask, weight >> PART & mask, weight >> (2 * PART)]
}

/// `out[r][i]` = the sum over `j` of `weights[r][j] inputs[j][i]`.
pub(crate) struct Combine<'a, P> {
    /// One row after the other, each as long as there are inputs.
    pub(crate) weights: &'a [Weight],
    /// At least one.
    pub(crate) inputs: Vec<&'a [u64]>,
    /// A row for each of the weights.
    pub(crate) out: Grid<'a>,
    pub(crate) field: PhantomData<P>,
}

impl<P: Prime> Kernel for Combine<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let Combine { weights, inputs, mut out, .. } = self;
        let len = out.columns();
        let mut batch = lines(BATCH.min(len) * inputs.len());
        let batch = aligned(&mut batch);
        for start in (0..len).step_by(BATCH) {
            let kept = BATCH.min(len - start);
            for (row, input) in batch.chunks_exact_mut(kept).zip(&inputs) {
                row.copy_from_slice(&input[start..start + kept]);
            }
            let batch = &batch[..kept * inputs.len()];
            for (row, weights) in weights.chunks_exact(inputs.len()).enumerate() {
                combine::<P, S>(simd, weights, batch, &mut out.row(row)[start..start + kept]);
            }
        }
    }
}

/// One row of a batch, whose inputs follow each other.
#[inline(always)]
fn combine<P: Prime, S: IntSimd>(simd: S, weights: &[Weight], batch: &[u64], out: &mut [u64]) {
    let len = out.len();
    let (vectors, rest) = S::as_mut_simd_u64s(out);
    let whole = vectors.len() * S::U64_LANES;
    let (fours, single) = vectors.as_chunks_mut::<4>();
    for (i, four) in fours.iter_mut().enumerate() {
        match size_of::<S::u64s>() {
            64 => *four = sums::<P, S, 4>(simd, weights, batch, len, 4 * i * S::U64_LANES),
            _ => {
                let (twos, _) = four.as_chunks_mut::<2>();
                for (j, two) in twos.iter_mut().enumerate() {
                    *two = sums::<P, S, 2>(simd, weights, batch, len, (4 * i + 2 * j) * S::U64_LANES);
                }
            }
        }
    }
    for (i, vector) in single.iter_mut().enumerate() {
        [*vector] = sums::<P, S, 1>(simd, weights, batch, len, (4 * fours.len() + i) * S::U64_LANES);
    }
    for (i, element) in rest.iter_mut().enumerate() {
        [*element] = sums::<P, _, 1>(pulp::Scalar, weights, batch, len, whole + i);
    }
}

/// `N` vectors from `at` on. The products of the halves of an input and the parts of its weight are summed as they
/// are; their places are taken into account at the end.
#[inline(always)]
fn sums<P: Prime, S: IntSimd, const N: usize>(
    simd: S,
    weights: &[Weight],
    batch: &[u64],
    len: usize,
    at: usize,
) -> [S::u64s; N] {
    let zero = simd.splat_u64s(0);
    let shift = simd.splat_u64s(1 << PART);
    let mut results = [zero; N];
    let mut inputs = batch.chunks_exact(len);
    for weights in weights.chunks(INPUTS) {
        let mut sums = [[[zero; 2]; 3]; N];
        for (weight, input) in weights.iter().zip(&mut inputs) {
            let (vectors, _) = S::as_simd_u64s(&input[at..at + N * S::U64_LANES]);
            for n in 0..N {
                let high = simd.right_u64s(vectors[n], 32);
                for k in 0..3 {
                    let part = simd.splat_u64s(weight[k]);
                    sums[n][k][0] = simd.add_u64s(sums[n][k][0], simd.mul_low(vectors[n], part));
                    sums[n][k][1] = simd.add_u64s(sums[n][k][1], simd.mul_low(high, part));
                }
            }
        }
        for (result, [low, middle, high]) in results.iter_mut().zip(sums) {
            let mut sum = join::<P, S>(simd, high);
            for part in [middle, low] {
                sum = P::add(simd, simd.multiply::<P>(sum, shift), join::<P, S>(simd, part));
            }
            *result = P::add(simd, *result, sum);
        }
    }
    results
}
