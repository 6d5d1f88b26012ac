//! Matrix products: blocks that stay in the caches, packed in the order in which they are read, and a tile of sums in
//! registers (Goto and van de Geijn 2008).

use super::{IntSimd, Kernel, Lane};
use crate::matmul::Shape;
use bytemuck::Zeroable;
use zeroize::{Zeroize, Zeroizing};

/// One product or several one after the other: see [`crate::matmul`].
pub(crate) struct MultiplyAdd<'a, T: Entry> {
    pub(crate) shape: Shape,
    /// Whether there were several to begin with.
    pub(crate) several: bool,
    pub(crate) a: &'a [T::Raw],
    pub(crate) b: &'a [T::Raw],
    pub(crate) acc: &'a mut [T::Raw],
}

impl<'a, T: Entry> MultiplyAdd<'a, T> {
    pub(crate) fn new(shape: Shape, a: &'a [T], b: &'a [T], acc: &'a mut [T]) -> Self {
        let several = acc.len() > shape.rows * shape.columns;
        MultiplyAdd { shape, several, a: T::raw(a), b: T::raw(b), acc: T::raw_mut(acc) }
    }
}

/// Elements of a sum at a time: so many rows of a panel of `b` stay in the first-level cache.
const INNER: usize = 256;
/// Rows of a packed block of `a`, which stays in the second-level cache. A multiple of every tile's rows.
pub(crate) const ROWS: usize = 48;
/// Columns of a packed block of `b`, at least; it stays in the third-level cache.
const COLUMNS: usize = 1024;
/// Vectors of a row of a tile.
const WIDE: usize = 2;

/// What matrices are made of.
pub trait Entry: Copy {
    /// An element as an integer.
    type Raw: Lane + Zeroize;
    /// Ends the names of kernels on the GPU.
    const NAME: &'static str;
    /// The elements as integers.
    fn raw(elements: &[Self]) -> &[Self::Raw];
    /// The elements as integers, for a kernel, which leaves them elements.
    fn raw_mut(elements: &mut [Self]) -> &mut [Self::Raw];
    /// Sum.
    fn plus(a: Self::Raw, b: Self::Raw) -> Self::Raw;
}

/// How products of an element type are summed.
pub trait Product: Entry {
    /// A vector of sums.
    type Sum<S: IntSimd>: Copy;
    /// A vector of `b`, as products take it.
    type Right<S: IntSimd>: Copy;
    /// Rows of a tile, of 2, 3, 4 and 6: its sums, the vectors of `b` and what is made of `a` fill the registers.
    fn rows<S: IntSimd>() -> usize;
    /// What an element of `a` becomes when packed.
    fn packed(a: Self::Raw) -> [Self::Raw; 2];
    /// What a vector of `b` becomes before products.
    fn right<S: IntSimd>(simd: S, b: <Self::Raw as Lane>::Vector<S>) -> Self::Right<S>;
    /// No products.
    fn none<S: IntSimd>(simd: S) -> Self::Sum<S>;
    /// `sum + a b` for a packed `a`; at most two after the sum was settled.
    fn product<S: IntSimd>(simd: S, sum: Self::Sum<S>, a: [Self::Raw; 2], b: Self::Right<S>) -> Self::Sum<S>;
    /// The same sum with room for two more products.
    fn settled<S: IntSimd>(simd: S, sum: Self::Sum<S>) -> Self::Sum<S>;
    /// What a settled sum is.
    fn total<S: IntSimd>(simd: S, sum: Self::Sum<S>) -> <Self::Raw as Lane>::Vector<S>;
}

impl Entry for u32 {
    type Raw = u32;
    const NAME: &'static str = "u32";
    #[inline(always)]
    fn raw(elements: &[u32]) -> &[u32] {
        elements
    }
    #[inline(always)]
    fn raw_mut(elements: &mut [u32]) -> &mut [u32] {
        elements
    }
    #[inline(always)]
    fn plus(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
}

impl Product for u32 {
    type Sum<S: IntSimd> = S::u32s;
    type Right<S: IntSimd> = S::u32s;
    #[inline(always)]
    fn rows<S: IntSimd>() -> usize {
        6
    }
    #[inline(always)]
    fn packed(a: u32) -> [u32; 2] {
        [a, a]
    }
    #[inline(always)]
    fn right<S: IntSimd>(_: S, b: S::u32s) -> S::u32s {
        b
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
    fn settled<S: IntSimd>(_: S, sum: S::u32s) -> S::u32s {
        sum
    }
    #[inline(always)]
    fn total<S: IntSimd>(_: S, sum: S::u32s) -> S::u32s {
        sum
    }
}

impl Entry for u64 {
    type Raw = u64;
    const NAME: &'static str = "u64";
    #[inline(always)]
    fn raw(elements: &[u64]) -> &[u64] {
        elements
    }
    #[inline(always)]
    fn raw_mut(elements: &mut [u64]) -> &mut [u64] {
        elements
    }
    #[inline(always)]
    fn plus(a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
}

impl Product for u64 {
    type Sum<S: IntSimd> = S::Sum64;
    type Right<S: IntSimd> = S::u64s;
    #[inline(always)]
    fn rows<S: IntSimd>() -> usize {
        // Where a sum is two vectors, half as many.
        if size_of::<S::Sum64>() == size_of::<S::u64s>() { 6 } else { 3 }
    }
    #[inline(always)]
    fn packed(a: u64) -> [u64; 2] {
        [a, a.rotate_left(32)]
    }
    #[inline(always)]
    fn right<S: IntSimd>(_: S, b: S::u64s) -> S::u64s {
        b
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
    fn settled<S: IntSimd>(_: S, sum: S::Sum64) -> S::Sum64 {
        sum
    }
    #[inline(always)]
    fn total<S: IntSimd>(simd: S, sum: S::Sum64) -> S::u64s {
        simd.sum_total(sum)
    }
}

impl<T: Product> Kernel for MultiplyAdd<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        match T::rows::<S>() {
            2 => blocks::<T, S, 2>(simd, self),
            3 => blocks::<T, S, 3>(simd, self),
            4 => blocks::<T, S, 4>(simd, self),
            _ => blocks::<T, S, 6>(simd, self),
        }
    }
}

/// A vector of elements.
type Vector<T, S> = <<T as Entry>::Raw as Lane>::Vector<S>;

/// Elements of a vector.
const fn lanes<V, T>() -> usize {
    size_of::<V>() / size_of::<T>()
}

#[inline(always)]
fn blocks<T: Product, S: IntSimd, const TALL: usize>(simd: S, products: MultiplyAdd<'_, T>) {
    let MultiplyAdd { shape, a, b, acc, .. } = products;
    let Shape { rows, inner, columns } = shape;
    let width = WIDE * lanes::<Vector<T, S>, T::Raw>();
    let depth = INNER.min(inner);
    let panels = COLUMNS.min(columns).div_ceil(width);
    let zero = T::Raw::zeroed();
    // In boxes: a vector is wiped twice, and byte by byte.
    let tall = ROWS.min(rows.next_multiple_of(TALL));
    let mut packed_a = Zeroizing::new(vec![[zero; 2]; tall * depth].into_boxed_slice());
    let mut packed_b = Zeroizing::new(vec![zero; panels * width * depth].into_boxed_slice());
    let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
    for ((a, b), acc) in factors.zip(acc.chunks_exact_mut(rows * columns)) {
        let product = MultiplyAdd::<T> { shape, several: false, a, b, acc };
        product_of_blocks::<T, S, TALL>(simd, product, &mut packed_a, &mut packed_b);
    }
}

#[inline(always)]
fn product_of_blocks<T: Product, S: IntSimd, const TALL: usize>(
    simd: S,
    product: MultiplyAdd<'_, T>,
    packed_a: &mut [[T::Raw; 2]],
    packed_b: &mut [T::Raw],
) {
    let MultiplyAdd { shape: Shape { rows, inner, columns }, a, b, acc, .. } = product;
    let width = WIDE * lanes::<Vector<T, S>, T::Raw>();
    let depth = INNER.min(inner);
    let zero = T::Raw::zeroed();
    let block = packed_b.len() / depth;
    for left in (0..columns).step_by(block) {
        let right = columns.min(left + block);
        for front in (0..inner).step_by(depth) {
            let back = inner.min(front + depth);
            let deep = back - front;
            for (panel, column) in packed_b.chunks_exact_mut(width * deep).zip((left..right).step_by(width)) {
                let kept = width.min(right - column);
                for (row, k) in panel.chunks_exact_mut(width).zip(front..back) {
                    row[..kept].copy_from_slice(&b[k * columns + column..][..kept]);
                    row[kept..].fill(zero);
                }
            }
            for top in (0..rows).step_by(ROWS) {
                let bottom = rows.min(top + ROWS);
                for (panel, first) in packed_a.chunks_exact_mut(TALL * deep).zip((top..bottom).step_by(TALL))
                {
                    for (at, k) in panel.chunks_exact_mut(TALL).zip(front..back) {
                        for (packed, row) in at.iter_mut().zip(first..) {
                            *packed = T::packed(if row < bottom { a[row * inner + k] } else { zero });
                        }
                    }
                }
                for (b, column) in packed_b.chunks_exact(width * deep).zip((left..right).step_by(width)) {
                    let kept = width.min(right - column);
                    for (a, first) in packed_a.chunks_exact(TALL * deep).zip((top..bottom).step_by(TALL)) {
                        let sums = tile::<T, S, TALL>(simd, a, b);
                        for (sums, row) in sums.iter().zip(first..bottom) {
                            let acc = &mut acc[row * columns + column..][..kept];
                            for (acc, sum) in acc.iter_mut().zip(bytemuck::cast_slice::<_, T::Raw>(sums)) {
                                *acc = T::plus(*acc, *sum);
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
fn tile<T: Product, S: IntSimd, const TALL: usize>(
    simd: S,
    a: &[[T::Raw; 2]],
    b: &[T::Raw],
) -> [[Vector<T, S>; WIDE]; TALL] {
    let (b, _) = T::Raw::vectors::<S>(b);
    let mut sums = [[T::none(simd); WIDE]; TALL];
    let (a, _) = a.as_chunks::<TALL>();
    let (b, _) = b.as_chunks::<WIDE>();
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<2>(), b.as_chunks::<2>());
    for (a, b) in a.iter().zip(b) {
        products::<T, S, TALL>(simd, &mut sums, &a[0], &b[0]);
        products::<T, S, TALL>(simd, &mut sums, &a[1], &b[1]);
        settle::<T, S, TALL>(simd, &mut sums);
    }
    for (a, b) in a_last.iter().zip(b_last) {
        products::<T, S, TALL>(simd, &mut sums, a, b);
        settle::<T, S, TALL>(simd, &mut sums);
    }
    let mut totals = [[Vector::<T, S>::zeroed(); WIDE]; TALL];
    for i in 0..TALL {
        for j in 0..WIDE {
            totals[i][j] = T::total(simd, sums[i][j]);
        }
    }
    totals
}

/// Adds the products of a column of a panel of `a` and a row of one of `b`.
#[inline(always)]
fn products<T: Product, S: IntSimd, const TALL: usize>(
    simd: S,
    sums: &mut [[T::Sum<S>; WIDE]; TALL],
    a: &[[T::Raw; 2]; TALL],
    b: &[Vector<T, S>; WIDE],
) {
    let right: [_; WIDE] = [T::right(simd, b[0]), T::right(simd, b[1])];
    for i in 0..TALL {
        for j in 0..WIDE {
            sums[i][j] = T::product(simd, sums[i][j], a[i], right[j]);
        }
    }
}

#[inline(always)]
fn settle<T: Product, S: IntSimd, const TALL: usize>(simd: S, sums: &mut [[T::Sum<S>; WIDE]; TALL]) {
    for sum in sums.as_flattened_mut() {
        *sum = T::settled(simd, *sum);
    }
}
