//! Matrix products: blocks that stay in the caches, packed in the order in which they are read, and a tile of sums in
//! registers (Goto and van de Geijn 2008).

use super::{IntSimd, Kernel, Lane};
use crate::Word;
use crate::matmul::Shape;
use zeroize::{Zeroize, Zeroizing};

/// See [`crate::matmul::multiply_add`].
pub(crate) struct MultiplyAdd<'a, T> {
    pub(crate) shape: Shape,
    pub(crate) a: &'a [T],
    pub(crate) b: &'a [T],
    pub(crate) acc: &'a mut [T],
}

/// Elements of a sum at a time: so many rows of a panel of `b` stay in the first-level cache.
const INNER: usize = 256;
/// Rows of a packed block of `a`, which stays in the second-level cache. A multiple of every tile's rows.
const ROWS: usize = 48;
/// Columns of a packed block of `b`, at least; it stays in the third-level cache.
const COLUMNS: usize = 1024;
/// Vectors of a row of a tile.
const WIDE: usize = 2;

/// How products of an element type are summed.
pub trait Product: Lane + Zeroize {
    /// A vector of sums.
    type Sum<S: IntSimd>: Copy;
    /// Rows of a tile: its sums, the vectors of `b` and what is made of `a` fill the registers.
    fn rows<S: IntSimd>() -> usize;
    /// What an element of `a` becomes when packed.
    fn packed(self) -> [Self; 2];
    /// No products.
    fn none<S: IntSimd>(simd: S) -> Self::Sum<S>;
    /// `sum + a b` for a packed `a`.
    fn product<S: IntSimd>(simd: S, sum: Self::Sum<S>, a: [Self; 2], b: Self::Vector<S>) -> Self::Sum<S>;
    /// What the sums are.
    fn total<S: IntSimd>(simd: S, sum: Self::Sum<S>) -> Self::Vector<S>;
}

impl Product for u32 {
    type Sum<S: IntSimd> = S::u32s;
    #[inline(always)]
    fn rows<S: IntSimd>() -> usize {
        6
    }
    #[inline(always)]
    fn packed(self) -> [u32; 2] {
        [self, self]
    }
    #[inline(always)]
    fn none<S: IntSimd>(simd: S) -> S::u32s {
        simd.splat_u32s(0)
    }
    #[inline(always)]
    fn product<S: IntSimd>(simd: S, sum: S::u32s, [a, _]: [u32; 2], b: S::u32s) -> S::u32s {
        simd.add_u32s(sum, simd.mul_u32s(simd.splat_u32s(a), b))
    }
    #[inline(always)]
    fn total<S: IntSimd>(_: S, sum: S::u32s) -> S::u32s {
        sum
    }
}

impl Product for u64 {
    type Sum<S: IntSimd> = S::Sum64;
    #[inline(always)]
    fn rows<S: IntSimd>() -> usize {
        // Where a sum is two vectors, half as many.
        if size_of::<S::Sum64>() == size_of::<S::u64s>() { 6 } else { 3 }
    }
    #[inline(always)]
    fn packed(self) -> [u64; 2] {
        [self, self.rotate_left(32)]
    }
    #[inline(always)]
    fn none<S: IntSimd>(simd: S) -> S::Sum64 {
        simd.sum_none()
    }
    #[inline(always)]
    fn product<S: IntSimd>(simd: S, sum: S::Sum64, [a, turned]: [u64; 2], b: S::u64s) -> S::Sum64 {
        simd.sum_product(sum, simd.splat_u64s(a), simd.splat_u64s(turned), b)
    }
    #[inline(always)]
    fn total<S: IntSimd>(simd: S, sum: S::Sum64) -> S::u64s {
        simd.sum_total(sum)
    }
}

impl<T: Word> Kernel for MultiplyAdd<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        if T::rows::<S>() == 3 { blocks::<T, S, 3>(simd, self) } else { blocks::<T, S, 6>(simd, self) }
    }
}

/// Elements of a vector.
const fn lanes<V, T>() -> usize {
    size_of::<V>() / size_of::<T>()
}

#[inline(always)]
fn blocks<T: Word, S: IntSimd, const TALL: usize>(simd: S, product: MultiplyAdd<'_, T>) {
    let MultiplyAdd { shape: Shape { rows, inner, columns }, a, b, acc } = product;
    let width = WIDE * lanes::<T::Vector<S>, T>();
    let depth = INNER.min(inner);
    let panels = COLUMNS.min(columns).div_ceil(width);
    let mut packed_a = Zeroizing::new(vec![[T::ZERO; 2]; ROWS * depth]);
    let mut packed_b = Zeroizing::new(vec![T::ZERO; panels * width * depth]);
    for left in (0..columns).step_by(panels * width) {
        let right = columns.min(left + panels * width);
        for front in (0..inner).step_by(depth) {
            let back = inner.min(front + depth);
            let deep = back - front;
            for (panel, column) in packed_b.chunks_exact_mut(width * deep).zip((left..right).step_by(width)) {
                let kept = width.min(right - column);
                for (row, k) in panel.chunks_exact_mut(width).zip(front..back) {
                    row[..kept].copy_from_slice(&b[k * columns + column..][..kept]);
                    row[kept..].fill(T::ZERO);
                }
            }
            for top in (0..rows).step_by(ROWS) {
                let bottom = rows.min(top + ROWS);
                for (panel, first) in packed_a.chunks_exact_mut(TALL * deep).zip((top..bottom).step_by(TALL))
                {
                    for (at, k) in panel.chunks_exact_mut(TALL).zip(front..back) {
                        for (packed, row) in at.iter_mut().zip(first..) {
                            *packed = if row < bottom { a[row * inner + k] } else { T::ZERO }.packed();
                        }
                    }
                }
                for (b, column) in packed_b.chunks_exact(width * deep).zip((left..right).step_by(width)) {
                    let kept = width.min(right - column);
                    for (a, first) in packed_a.chunks_exact(TALL * deep).zip((top..bottom).step_by(TALL)) {
                        let sums = tile::<T, S, TALL>(simd, a, b);
                        for (sums, row) in sums.iter().zip(first..bottom) {
                            let acc = &mut acc[row * columns + column..][..kept];
                            for (acc, sum) in acc.iter_mut().zip(bytemuck::cast_slice::<_, T>(sums)) {
                                *acc = acc.wrapping_add(*sum);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The products of a panel of `a`, of `TALL` rows, and one of `b`, of `WIDE` vectors.
#[inline(always)]
fn tile<T: Word, S: IntSimd, const TALL: usize>(
    simd: S,
    a: &[[T; 2]],
    b: &[T],
) -> [[T::Vector<S>; WIDE]; TALL] {
    let (b, _) = T::vectors::<S>(b);
    let mut sums = [[T::none(simd); WIDE]; TALL];
    let (a, _) = a.as_chunks::<TALL>();
    let (b, _) = b.as_chunks::<WIDE>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..TALL {
            for j in 0..WIDE {
                sums[i][j] = T::product(simd, sums[i][j], a[i], b[j]);
            }
        }
    }
    let mut totals = [[<T::Vector<S> as bytemuck::Zeroable>::zeroed(); WIDE]; TALL];
    for i in 0..TALL {
        for j in 0..WIDE {
            totals[i][j] = T::total(simd, sums[i][j]);
        }
    }
    totals
}
