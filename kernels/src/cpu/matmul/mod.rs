//! Matrix products: blocks that stay in the caches, packed in the order in which they are read, and a tile of sums in
//! registers (Goto and van de Geijn 2008).

mod entry;
mod m61;
mod strassen;

use super::{IntSimd, Kernel, Lane};
use crate::matmul::Shape;
use bytemuck::Zeroable;
use entry::Vector;
pub(crate) use entry::{Entry, Product};
use strassen::{Multiply, Strassen};
use zeroize::Zeroizing;

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

impl<T: Product> Kernel for MultiplyAdd<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let least = strassen::least::<T>();
        Strassen { way: Strassen { way: InRegisters, least }, least }.multiply(simd, self);
    }
}

/// Products of vectors, summed in registers.
#[derive(Clone, Copy)]
struct InRegisters;

impl<T: Product> Multiply<T> for InRegisters {
    #[inline(always)]
    fn multiply<S: IntSimd>(self, simd: S, products: MultiplyAdd<'_, T>) {
        match T::rows::<S>() {
            2 => blocks::<T, S, 2>(simd, products),
            3 => blocks::<T, S, 3>(simd, products),
            4 => blocks::<T, S, 4>(simd, products),
            _ => blocks::<T, S, 6>(simd, products),
        }
    }
}

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
                            add_row::<T, S>(simd, &mut acc[row * columns + column..][..kept], sums);
                        }
                    }
                }
            }
        }
    }
}

/// Adds a row of a tile, or its first elements.
#[inline(always)]
fn add_row<T: Entry, S: IntSimd>(simd: S, acc: &mut [T::Raw], row: &[Vector<T, S>; WIDE]) {
    let (vectors, _) = T::Raw::vectors_mut::<S>(acc);
    if let Some(whole) = vectors.first_chunk_mut::<WIDE>() {
        for (acc, sum) in whole.iter_mut().zip(row) {
            *acc = T::plus(simd, *acc, *sum);
        }
        return;
    }
    let mut filled = filled::<T, S, WIDE>(acc);
    for (acc, sum) in filled.iter_mut().zip(row) {
        *acc = T::plus(simd, *acc, *sum);
    }
    acc.copy_from_slice(&bytemuck::cast_slice(&filled)[..acc.len()]);
}

/// Elements as vectors, filled up with zeros.
#[inline(always)]
fn filled<T: Entry, S: IntSimd, const N: usize>(elements: &[T::Raw]) -> [Vector<T, S>; N] {
    let mut vectors = [Vector::<T, S>::zeroed(); N];
    bytemuck::cast_slice_mut(&mut vectors)[..elements.len()].copy_from_slice(elements);
    vectors
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
