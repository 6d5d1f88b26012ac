//! Transforms of eight columns side by side: rows of eight words, of which only whole vectors are ever moved.
//!
//! The passes are Stockham's: each reads rows that are far apart and writes them in the order that the next one needs,
//! so the last one's are in their natural order and nothing is reversed.

use super::super::IntSimd;
use super::super::lines::ahead_by;
use super::dft::dft;
use crate::field::Field64;
use crate::field::ntt::{Pass, Rows, WIDE};

/// Words in which the next row is so many words further on.
#[derive(Clone, Copy)]
pub(super) struct Strided<T> {
    pub(super) words: T,
    pub(super) stride: usize,
}

/// What the results are multiplied by as they are written: `first * base^row`, for each column.
#[derive(Clone, Copy)]
pub(super) struct Twist<'a> {
    /// One for each of the eight columns.
    pub(super) bases: &'a [u64],
    pub(super) first: u64,
}

/// Transforms the rows of `source` (none: those that `a` holds) into `target`. `a` and `b` have room for all rows.
#[inline(always)]
pub(super) fn rows<S: IntSimd>(
    simd: S,
    plan: &Rows,
    mut source: Option<Strided<&[u64]>>,
    [mut a, mut b]: [&mut [u64]; 2],
    target: Strided<&mut [u64]>,
    twist: Option<Twist<'_>>,
) {
    let Some((end, passes)) = plan.passes.split_last() else {
        return;
    };
    for pass in passes {
        let from = source.take().unwrap_or(Strided { words: a, stride: WIDE });
        match pass.radix {
            2 => inner::<S, 2>(simd, plan, pass, from, b),
            4 => inner::<S, 4>(simd, plan, pass, from, b),
            _ => inner::<S, 8>(simd, plan, pass, from, b),
        }
        std::mem::swap(&mut a, &mut b);
    }
    let from = source.unwrap_or(Strided { words: a, stride: WIDE });
    match (end.radix, twist) {
        (2, None) => last::<S, 2>(simd, plan, from, target),
        (4, None) => last::<S, 4>(simd, plan, from, target),
        (_, None) => last::<S, 8>(simd, plan, from, target),
        (2, Some(twist)) => twisted::<S, 2>(simd, plan, from, target, twist),
        (4, Some(twist)) => twisted::<S, 4>(simd, plan, from, target, twist),
        (_, Some(twist)) => twisted::<S, 8>(simd, plan, from, target, twist),
    }
}

/// The rows at `first`, `first + apart`, ...: those that a pass combines. Backwards from the second on in an inverse.
#[inline(always)]
fn gather<S: IntSimd, const RADIX: usize>(
    simd: S,
    vectors: &[S::u64s],
    first: usize,
    apart: [usize; RADIX],
) -> [S::u64s; RADIX] {
    let mut rows = [simd.splat_u64s(0); RADIX];
    for (row, apart) in rows.iter_mut().zip(apart) {
        *row = vectors[first + apart];
    }
    rows
}

/// How far the rows that a pass combines are from the first, in vectors.
#[inline(always)]
fn places<const RADIX: usize>(inverse: bool, apart: usize) -> [usize; RADIX] {
    std::array::from_fn(|k| if inverse { (RADIX - k) % RADIX * apart } else { k * apart })
}

/// Rows that are asked for before they are needed.
const AHEAD: usize = 4;

/// Asks for the rows that are combined so many rows later, `stride` vectors each.
#[inline(always)]
fn ask<V, const RADIX: usize>(vectors: &[V], first: usize, places: [usize; RADIX], stride: usize) {
    for place in places {
        ahead_by(&vectors[first + place], AHEAD * stride * size_of::<V>());
    }
}

#[inline(always)]
fn inner<S: IntSimd, const RADIX: usize>(
    simd: S,
    plan: &Rows,
    pass: &Pass,
    from: Strided<&[u64]>,
    to: &mut [u64],
) {
    let per_row = WIDE / S::U64_LANES;
    let stride = from.stride / S::U64_LANES;
    let (groups, rows) = (pass.length / RADIX, plan.len() / pass.length);
    let (vectors, _) = S::as_simd_u64s(from.words);
    let (out, _) = S::as_mut_simd_u64s(to);
    let places = places::<RADIX>(plan.inverse, rows * groups * stride);
    let twiddles = plan.twiddles[pass.twiddles..].chunks_exact(RADIX - 1);
    let far = from.stride > WIDE;
    for (group, twiddles) in (0..groups).zip(twiddles) {
        for row in 0..rows {
            for column in 0..per_row {
                let first = (group * rows + row) * stride + column;
                if far && column == 0 {
                    ask(vectors, first, places, stride);
                }
                let sums = dft(simd, gather::<S, RADIX>(simd, vectors, first, places));
                let at = (group * rows * RADIX + row) * per_row + column;
                out[at] = sums[0];
                unrolled!(RADIX, j => {
                    let twiddle = simd.splat_u64s(twiddles[j - 1]);
                    out[at + j * rows * per_row] = simd.multiply::<Field64>(sums[j], twiddle);
                });
            }
        }
    }
}

/// The last pass: one group, whose factors are all 1.
#[inline(always)]
fn last<S: IntSimd, const RADIX: usize>(
    simd: S,
    plan: &Rows,
    from: Strided<&[u64]>,
    to: Strided<&mut [u64]>,
) {
    let (stride, out_stride) = (from.stride / S::U64_LANES, to.stride / S::U64_LANES);
    let rows = plan.len() / RADIX;
    let (vectors, _) = S::as_simd_u64s(from.words);
    let (out, _) = S::as_mut_simd_u64s(to.words);
    let places = places::<RADIX>(plan.inverse, rows * stride);
    for row in 0..rows {
        for column in 0..WIDE / S::U64_LANES {
            let first = row * stride + column;
            let sums = dft(simd, gather::<S, RADIX>(simd, vectors, first, places));
            for (j, sum) in sums.into_iter().enumerate() {
                out[(row + j * rows) * out_stride + column] = sum;
            }
        }
    }
}

/// The last pass, and a product for each result: their factors run along with the rows.
#[inline(always)]
fn twisted<S: IntSimd, const RADIX: usize>(
    simd: S,
    plan: &Rows,
    from: Strided<&[u64]>,
    to: Strided<&mut [u64]>,
    twist: Twist<'_>,
) {
    let (stride, out_stride) = (from.stride / S::U64_LANES, to.stride / S::U64_LANES);
    let rows = plan.len() / RADIX;
    let (vectors, _) = S::as_simd_u64s(from.words);
    let (out, _) = S::as_mut_simd_u64s(to.words);
    let places = places::<RADIX>(plan.inverse, rows * stride);
    let (bases, _) = S::as_simd_u64s(twist.bases);
    let mut factors = [[simd.splat_u64s(twist.first); RADIX]; WIDE];
    for (factors, base) in factors.iter_mut().zip(bases) {
        let mut far = *base;
        for _ in 0..rows.ilog2() {
            far = simd.multiply::<Field64>(far, far);
        }
        for j in 1..RADIX {
            factors[j] = simd.multiply::<Field64>(factors[j - 1], far);
        }
    }
    let targets: [usize; RADIX] = std::array::from_fn(|j| j * rows * out_stride);
    // All vectors of a row at once: rows of the target are lines that a cache may not keep until the next vector.
    for row in 0..rows {
        for ((column, base), factors) in bases.iter().enumerate().zip(&mut factors) {
            if column == 0 {
                ask(out, row * out_stride, targets, out_stride);
            }
            let first = row * stride + column;
            let sums = dft(simd, gather::<S, RADIX>(simd, vectors, first, places));
            out[row * out_stride + column] = simd.multiply::<Field64>(sums[0], factors[0]);
            factors[0] = simd.multiply::<Field64>(factors[0], *base);
            unrolled!(RADIX, j => {
                out[(row + j * rows) * out_stride + column] = simd.multiply::<Field64>(sums[j], factors[j]);
                factors[j] = simd.multiply::<Field64>(factors[j], *base);
            });
        }
    }
}
