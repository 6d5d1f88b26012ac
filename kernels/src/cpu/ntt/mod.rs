//! The number-theoretic transform of `Field64`.

/// The body for `j` from 1 to less than the radix, each written out: arrays that a loop goes over are kept in memory.
macro_rules! unrolled {
    ($radix:ident, $j:ident => $body:block) => {
        unrolled!(@ $radix, $j, $body, 1 2 3 4 5 6 7)
    };
    (@ $radix:ident, $j:ident, $body:block, $($n:literal)*) => {
        $(
            if $n < $radix {
                let $j = $n;
                $body
            }
        )*
    };
}

mod dft;
mod rows;

use super::{IntSimd, Kernel, Lanes64};
use crate::field::Field64;
use crate::field::ntt::{Head, MOST_SMALL, Rows, Small, Split, WIDE};
use dft::{dft, minus, plus};
use rows::{Strided, Twist, rows};
use zeroize::Zeroize;

/// A transform of fewer elements than a square of vectors has: one element at a time.
pub(crate) struct Few<'a> {
    pub(crate) plan: &'a Small,
    pub(crate) values: &'a mut [u64],
}

impl Kernel for Few<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, _: S) {
        let simd = pulp::Scalar;
        let (plan, len) = (self.plan, self.values.len());
        let (mut room, mut next) = ([0; MOST_SMALL], [0; MOST_SMALL]);
        room[..len].copy_from_slice(self.values);
        for pass in 0..len.ilog2() {
            let stride = 1 << pass;
            for i in 0..len / 2 {
                let (a, b) = (room[i], room[i + len / 2]);
                let twiddle = plan.roots[i & !(stride - 1)];
                let at = 2 * i - i % stride;
                next[at] = plus(simd, a, b);
                next[at + stride] = simd.multiply::<Field64>(minus(simd, a, b), twiddle);
            }
            std::mem::swap(&mut room, &mut next);
        }
        for (value, sum) in self.values.iter_mut().zip(&room) {
            *value = simd.multiply::<Field64>(*sum, plan.scale);
        }
        room.zeroize();
        next.zeroize();
    }
}

/// A transform within a cache: one pass that makes rows of eight of it, then those of the rows.
pub(crate) struct Near<'a> {
    pub(crate) head: &'a Head,
    pub(crate) rows: &'a Rows,
    pub(crate) values: &'a mut [u64],
    /// As many words each as there are values.
    pub(crate) room: [&'a mut [u64]; 2],
}

impl Kernel for Near<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let [a, b] = self.room;
        head(simd, self.head, self.rows.inverse, self.values, a);
        let target = Strided { words: self.values, stride: WIDE };
        rows(simd, self.rows, None, [a, b], target, None);
    }
}

/// The first pass, in which the elements that are combined are far apart and their sums neighbours.
#[inline(always)]
fn head<S: IntSimd>(simd: S, head: &Head, inverse: bool, values: &[u64], out: &mut [u64]) {
    let (vectors, _) = S::as_simd_u64s(values);
    let (twiddles, _) = S::as_simd_u64s(&head.twiddles);
    let (out, _) = S::as_mut_simd_u64s(out);
    let apart = vectors.len() / WIDE;
    let squares = WIDE / S::U64_LANES;
    for first in 0..apart {
        let mut gathered = [simd.splat_u64s(0); WIDE];
        for (k, vector) in gathered.iter_mut().enumerate() {
            let place = if inverse { (WIDE - k) % WIDE } else { k };
            *vector = vectors[first + place * apart];
        }
        let mut sums = dft(simd, gathered);
        let twiddles = &twiddles[first / squares * squares * WIDE + first % squares..];
        if head.scaled {
            sums[0] = simd.multiply::<Field64>(sums[0], twiddles[0]);
        }
        unrolled!(WIDE, j => {
            sums[j] = simd.multiply::<Field64>(sums[j], twiddles[j * squares]);
        });
        turn(simd, &mut sums);
        let rows = &mut out[first * WIDE..][..WIDE];
        for (square, sums) in sums.chunks_exact(S::U64_LANES).enumerate() {
            for (lane, sum) in sums.iter().enumerate() {
                rows[lane * squares + square] = *sum;
            }
        }
    }
}

/// Transposes as many squares as eight vectors have.
#[inline(always)]
fn turn<S: IntSimd>(simd: S, vectors: &mut [S::u64s; WIDE]) {
    for square in vectors.chunks_exact_mut(S::U64_LANES) {
        simd.turn_u64s(square);
    }
}

/// A transform of a matrix, in two steps that each go once over the memory.
pub(crate) struct Far<'a> {
    pub(crate) plan: &'a Split,
    pub(crate) values: &'a mut [u64],
    /// As many words as there are values. Wiped on return.
    pub(crate) between: &'a mut [u64],
    /// Eight columns of the matrix, or eight rows.
    pub(crate) room: [&'a mut [u64]; 2],
}

impl Kernel for Far<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let Split { columns, rows: across, bases, scale } = self.plan;
        let (tall, wide) = (columns.len(), across.len());
        let [a, b] = self.room;
        for (i, bases) in bases.chunks_exact(WIDE).enumerate() {
            let source = Strided { words: &self.values[i * WIDE..], stride: wide };
            let target = Strided { words: &mut self.between[i * WIDE..], stride: wide };
            rows(simd, columns, Some(source), [a, b], target, Some(Twist { bases, first: *scale }));
        }
        for (i, between) in self.between.chunks_exact_mut(WIDE * wide).enumerate() {
            side_by_side(simd, between, a);
            let target = Strided { words: &mut self.values[i * WIDE..], stride: tall };
            rows(simd, across, None, [a, b], target, None);
        }
    }
}

/// Eight rows of a matrix become the columns of `out`; zeros stay behind.
#[inline(always)]
fn side_by_side<S: IntSimd>(simd: S, matrix: &mut [u64], out: &mut [u64]) {
    let (vectors, _) = S::as_mut_simd_u64s(matrix);
    let (out, _) = S::as_mut_simd_u64s(out);
    let wide = vectors.len() / WIDE;
    let squares = WIDE / S::U64_LANES;
    for first in 0..wide {
        let mut gathered = [simd.splat_u64s(0); WIDE];
        for (row, vector) in gathered.iter_mut().enumerate() {
            *vector = std::mem::replace(&mut vectors[first + row * wide], simd.splat_u64s(0));
        }
        turn(simd, &mut gathered);
        let rows = &mut out[first * WIDE..][..WIDE];
        for (square, vectors) in gathered.chunks_exact(S::U64_LANES).enumerate() {
            for (lane, vector) in vectors.iter().enumerate() {
                rows[lane * squares + square] = *vector;
            }
        }
    }
}
