//! Matrix products: blocks that stay in the caches, packed in the order in which they are read, and a tile of sums in
//! registers (Goto and van de Geijn 2008).

mod entry;
#[cfg(target_arch = "x86_64")]
mod fused;
mod m61;
mod strassen;
mod sums;
#[cfg(target_arch = "x86_64")]
mod unit;

use super::lines::{soon, to_line};
use super::{IntSimd, Kernel, Lane};
use crate::matmul::Shape;
use bytemuck::Zeroable;
use entry::Vector;
pub(crate) use entry::{Entry, Product};
#[cfg(target_arch = "x86_64")]
pub(crate) use fused::Ifma;
use strassen::Part;
use sums::Sums;
#[cfg(target_arch = "x86_64")]
pub(crate) use unit::{By, Unit};
use zeroize::Zeroizing;

/// One product or several one after the other: see [`crate::matmul`].
pub struct MultiplyAdd<'a, T: Entry> {
    pub(crate) shape: Shape,
    /// Whether there were several to begin with.
    pub(crate) several: bool,
    pub(crate) a: &'a [T::Raw],
    pub(crate) b: &'a [T::Raw],
    pub(crate) acc: &'a mut [T::Raw],
    /// How small quarters may be: see [`strassen`].
    pub(crate) least: usize,
}

impl<'a, T: Entry> MultiplyAdd<'a, T> {
    pub(crate) fn new(shape: Shape, a: &'a [T], b: &'a [T], acc: &'a mut [T]) -> Self {
        let several = acc.len() > shape.rows * shape.columns;
        let least = strassen::least::<T>();
        MultiplyAdd { shape, several, a: T::raw(a), b: T::raw(b), acc: T::raw_mut(acc), least }
    }
}

/// Elements of a sum at a time: so many rows of a panel of `b` stay in the first-level cache, or in the second where a vector
/// of `b` becomes two when packed. Even, since two are summed at a time.
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
        T::multiply(simd, self);
    }
}

/// Elements of a vector.
const fn lanes<T: Entry, W: Sums<T>>() -> usize {
    size_of::<Vector<T, W::Simd>>() / size_of::<T::Raw>()
}

/// Vectors that a vector of `a` becomes when packed.
const fn lefts<T: Entry, W: Sums<T>>() -> usize {
    size_of::<W::Left>() / size_of::<Vector<T, W::Simd>>()
}

/// Vectors that a vector of `b` becomes when packed.
const fn rights<T: Entry, W: Sums<T>>() -> usize {
    size_of::<W::Right>() / size_of::<Vector<T, W::Simd>>()
}

/// `acc += a b`, once or several times, by tiles of `TALL` rows.
#[inline(always)]
fn blocks<T: Entry, W: Sums<T>, const TALL: usize>(way: W, products: MultiplyAdd<'_, T>) {
    let MultiplyAdd { shape, a, b, acc, least, .. } = products;
    let Shape { rows, inner, columns } = shape;
    let lanes = lanes::<T, W>();
    let width = WIDE * lanes;
    let depth = INNER.min(inner);
    let panels = COLUMNS.min(columns).div_ceil(width);
    let tall = ROWS.min(rows).next_multiple_of(TALL);
    // In boxes: a vector is wiped twice, and byte by byte.
    let room = |len: usize| Zeroizing::new(vec![T::Raw::zeroed(); len + LINE].into_boxed_slice());
    let mut packed_a = room(tall * depth.next_multiple_of(lanes) * lefts::<T, W>());
    let mut packed_b = room(panels * width * depth * rights::<T, W>());
    let mut summed = room(depth);
    let parts = strassen::parts(shape, least);
    let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
    for ((a, b), acc) in factors.zip(acc.chunks_exact_mut(rows * columns)) {
        for part in &parts {
            let room = Room {
                depth,
                packed_a: aligned(&mut packed_a),
                packed_b: aligned(&mut packed_b),
                summed: aligned(&mut summed),
            };
            product_of_blocks::<T, W, TALL>(way, part, shape, (a, b), acc, room);
        }
    }
}

/// Elements of a line of the caches, at most.
const LINE: usize = 16;

/// All but [`LINE`] elements, from the begin of a line on: a vector that lies in two is read twice.
fn aligned<R>(room: &mut [R]) -> &mut [R] {
    let (start, len) = (to_line(room).min(LINE), room.len() - LINE);
    &mut room[start..][..len]
}

/// Where blocks are packed.
struct Room<'a, R> {
    /// Elements of a sum at a time.
    depth: usize,
    packed_a: &'a mut [R],
    packed_b: &'a mut [R],
    /// As many of a row of `a`.
    summed: &'a mut [R],
}

/// A product of sums of blocks of two matrices, whose shape is `whole`.
#[inline(always)]
fn product_of_blocks<T: Entry, W: Sums<T>, const TALL: usize>(
    way: W,
    part: &Part,
    whole: Shape,
    (a, b): (&[T::Raw], &[T::Raw]),
    acc: &mut [T::Raw],
    Room { depth, packed_a, packed_b, summed }: Room<'_, T::Raw>,
) {
    let simd = way.simd();
    let Shape { rows, inner, columns } = part.shape;
    let (lanes, width) = (lanes::<T, W>(), WIDE * lanes::<T, W>());
    let packed = width * rights::<T, W>();
    let block = packed_b.len() / (depth * rights::<T, W>());
    for left in (0..columns).step_by(block) {
        let right = columns.min(left + block);
        for front in (0..inner).step_by(depth) {
            let back = inner.min(front + depth);
            let deep = back - front;
            // Some rows for all columns: as many runs of memory as a CPU reads ahead.
            for upper in (0..deep).step_by(8) {
                let lower = deep.min(upper + 8);
                for (panel, column) in
                    packed_b.chunks_exact_mut(packed * deep).zip((left..right).step_by(width))
                {
                    let kept = width.min(right - column);
                    let rows = panel[upper * packed..lower * packed].chunks_exact_mut(packed);
                    for (row, k) in rows.zip(front + upper..) {
                        let vectors = part.b.sum_of_vectors::<T, W::Simd, WIDE>(simd, |block| {
                            &b[block.at + k * whole.columns + column..][..kept]
                        });
                        for (right, vector) in bytemuck::cast_slice_mut(row).iter_mut().zip(vectors) {
                            *right = way.right(vector);
                        }
                    }
                }
            }
            for top in (0..rows).step_by(ROWS) {
                let bottom = rows.min(top + ROWS);
                let panel = TALL * deep.next_multiple_of(lanes) * lefts::<T, W>();
                for (panel, first) in packed_a.chunks_exact_mut(panel).zip((top..bottom).step_by(TALL)) {
                    let (panel, _) = bytemuck::cast_slice_mut::<_, W::Left>(panel).as_chunks_mut::<TALL>();
                    for at in 0..TALL {
                        let row = first + at;
                        if row >= bottom {
                            panel.iter_mut().for_each(|packed| packed[at] = W::Left::zeroed());
                            continue;
                        }
                        if row + 1 < rows {
                            for block in part.a.all() {
                                soon(&a[block.at + (row + 1) * whole.inner + front..][..deep]);
                            }
                        }
                        let row = part.a.sum_of_rows::<T, W::Simd>(simd, &mut summed[..deep], |block| {
                            &a[block.at + row * whole.inner + front..][..deep]
                        });
                        let (vectors, rest) = T::Raw::vectors::<W::Simd>(row);
                        for (packed, vector) in panel.iter_mut().zip(vectors) {
                            packed[at] = way.left(*vector);
                        }
                        if let (false, Some(packed)) = (rest.is_empty(), panel.last_mut()) {
                            let [vector] = filled::<T, W::Simd, 1>(rest);
                            packed[at] = way.left(vector);
                        }
                    }
                }
                for (b, column) in packed_b.chunks_exact(packed * deep).zip((left..right).step_by(width)) {
                    let kept = width.min(right - column);
                    for (a, first) in packed_a.chunks_exact(panel).zip((top..bottom).step_by(TALL)) {
                        for block in part.acc.all() {
                            for row in first..bottom.min(first + TALL) {
                                soon(&acc[block.at + row * whole.columns + column..][..kept]);
                            }
                        }
                        let sums = tile::<T, W, TALL>(way, a, b);
                        for block in part.acc.all() {
                            for (sums, row) in sums.iter().zip(first..bottom) {
                                let acc = &mut acc[block.at + row * whole.columns + column..][..kept];
                                add_row::<T, W::Simd>(simd, acc, sums, block.negative);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds a row of a tile, or its first elements, or takes them away.
#[inline(always)]
fn add_row<T: Entry, S: IntSimd>(simd: S, acc: &mut [T::Raw], row: &[Vector<T, S>; WIDE], negative: bool) {
    let (vectors, _) = T::Raw::vectors_mut::<S>(acc);
    if let Some(whole) = vectors.first_chunk_mut::<WIDE>() {
        for (acc, sum) in whole.iter_mut().zip(row) {
            *acc = T::sum(simd, *acc, *sum, negative);
        }
        return;
    }
    let mut filled = filled::<T, S, WIDE>(acc);
    for (acc, sum) in filled.iter_mut().zip(row) {
        *acc = T::sum(simd, *acc, *sum, negative);
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
fn tile<T: Entry, W: Sums<T>, const TALL: usize>(
    way: W,
    a: &[T::Raw],
    b: &[T::Raw],
) -> [[Vector<T, W::Simd>; WIDE]; TALL] {
    let (lanes, lefts) = (lanes::<T, W>(), lefts::<T, W>());
    let (a, _) = bytemuck::cast_slice::<_, W::Left>(a).as_chunks::<TALL>();
    let b: &[[W::Right; WIDE]] = bytemuck::cast_slice(b);
    let mut sums = [[way.none(); WIDE]; TALL];
    for (a, b) in a.iter().zip(b.chunks(lanes)) {
        // The packed elements of a row, `lanes` by `lanes`.
        let a: &[T::Raw] = bytemuck::cast_slice(a);
        let left = |row: usize, k: usize| {
            let at = |part: usize| a[(row * lefts + part) * lanes + k];
            [at(0), at(lefts - 1)]
        };
        let (pairs, last) = b.as_chunks::<2>();
        for (pair, b) in pairs.iter().enumerate() {
            products::<T, W, TALL>(way, &mut sums, |row| left(row, 2 * pair), &b[0]);
            products::<T, W, TALL>(way, &mut sums, |row| left(row, 2 * pair + 1), &b[1]);
            settle::<T, W, TALL>(way, &mut sums);
        }
        for b in last {
            products::<T, W, TALL>(way, &mut sums, |row| left(row, 2 * pairs.len()), b);
            settle::<T, W, TALL>(way, &mut sums);
        }
    }
    let mut totals = [[Vector::<T, W::Simd>::zeroed(); WIDE]; TALL];
    for i in 0..TALL {
        for j in 0..WIDE {
            totals[i][j] = way.total(sums[i][j]);
        }
    }
    totals
}

/// Adds the products of a column of a panel of `a`, `left(row)`, and a row of one of `b`.
#[inline(always)]
fn products<T: Entry, W: Sums<T>, const TALL: usize>(
    way: W,
    sums: &mut [[W::Sum; WIDE]; TALL],
    left: impl Fn(usize) -> [T::Raw; 2],
    b: &[W::Right; WIDE],
) {
    for (i, sums) in sums.iter_mut().enumerate() {
        let a = left(i);
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = way.product(*sum, a, *b);
        }
    }
}

#[inline(always)]
fn settle<T: Entry, W: Sums<T>, const TALL: usize>(way: W, sums: &mut [[W::Sum; WIDE]; TALL]) {
    for sum in sums.as_flattened_mut() {
        *sum = way.settled(*sum);
    }
}
