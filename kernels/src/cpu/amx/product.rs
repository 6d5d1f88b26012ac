//! Blocks of limbs that stay in the caches, packed tile by tile.

use super::Tiles;
use super::limbs::{ByWeight, DEEP, Limbs, SIDE};
use super::tiles::{Bytes, Shaped};
use crate::cpu::Factor;
use crate::cpu::matmul::{MultiplyAdd, Unit};
use crate::matmul::Shape;
use bytemuck::Zeroable;
use pulp::x86::V4;
use std::ops::Range;
use zeroize::Zeroizing;

/// Elements of a sum at a time.
const INNER: usize = 1024;
/// Rows of a packed block of `a`, which stays in the second-level cache.
const ROWS: usize = 128;
/// Columns of a packed block of `b`, at most; it stays in the third-level cache.
const COLUMNS: usize = 512;

// Sums of weight 7 are of eight products each. Where weights above 2^32 matter none may wrap.
const _: () = assert!(8 * 255 * 255 * INNER as u64 <= u32::MAX as u64 && INNER.is_multiple_of(DEEP));

/// Whether tiles, filled up with zeros, are faster than vectors: a product on tiles costs a sixth or less.
fn pays(shape: Shape) -> bool {
    let Shape { rows, inner, columns } = shape;
    rows >= 4 && columns >= 4 && inner >= 16 && rows.saturating_mul(inner).saturating_mul(columns) >= 1 << 15
}

/// Small products as if there were no tiles.
impl<T: Factor> Unit<T> for Tiles {
    /// On tiles.
    const FASTER: usize = 2;

    fn multiply(self, products: MultiplyAdd<'_, T>) {
        if pays(products.shape) {
            product(self, products);
        } else {
            self.ifma().multiply(products);
        }
    }
}

/// `acc += a b`, once or several times; no size is 0.
fn product<T: Limbs>(tiles: Tiles, products: MultiplyAdd<'_, T>) {
    tiles.simd().vectorize(Product { tiles, products });
}

struct Product<'a, T: Limbs> {
    tiles: Tiles,
    products: MultiplyAdd<'a, T>,
}

impl<T: Limbs> pulp::NullaryFnOnce for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Product { tiles, products: MultiplyAdd { shape, a, b, acc, .. } } = self;
        let Shape { rows, inner, columns } = shape;
        let (simd, shaped) = (tiles.simd(), tiles.shaped());
        let steps = INNER.min(inner).div_ceil(DEEP);
        let block = |side: usize| {
            let panels = side.div_ceil(SIDE);
            Zeroizing::new(vec![Bytes::default(); panels * steps * T::LIMBS].into_boxed_slice())
        };
        let (mut packed_a, mut packed_b) = (block(ROWS.min(rows)), block(COLUMNS.min(columns)));
        let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
        for ((a, b), acc) in factors.zip(acc.chunks_exact_mut(rows * columns)) {
            one::<T>(simd, &shaped, shape, (a, b), acc, &mut packed_a, &mut packed_b);
        }
    }
}

/// One product.
#[inline(always)]
fn one<T: Limbs>(
    simd: V4,
    tiles: &Shaped,
    Shape { rows, inner, columns }: Shape,
    (a, b): (&[T::Raw], &[T::Raw]),
    acc: &mut [T::Raw],
    packed_a: &mut [Bytes],
    packed_b: &mut [Bytes],
) {
    let mut sums = Zeroizing::new(ByWeight::default());
    for left in (0..columns).step_by(COLUMNS) {
        let right = columns.min(left + COLUMNS);
        for front in (0..inner).step_by(INNER) {
            let back = inner.min(front + INNER);
            let panel = (back - front).div_ceil(DEEP) * T::LIMBS;
            for (step, first) in (front..back).step_by(DEEP).enumerate() {
                // A step for all columns: the rows of `b` are few enough for the buffer of addresses.
                for (panel, column) in packed_b.chunks_exact_mut(panel).zip((left..right).step_by(SIDE)) {
                    let kept = SIDE.min(right - column);
                    let tiles = &mut panel[step * T::LIMBS..][..T::LIMBS];
                    pack_right::<T>(simd, tiles, first..back, |k| &b[k * columns + column..][..kept]);
                }
            }
            for top in (0..rows).step_by(ROWS) {
                let bottom = rows.min(top + ROWS);
                for (panel, first) in packed_a.chunks_exact_mut(panel).zip((top..bottom).step_by(SIDE)) {
                    let row = |row: usize| match row < bottom - first {
                        true => &a[(first + row) * inner..][front..back],
                        false => &[],
                    };
                    pack_left::<T>(simd, panel, row);
                }
                for (b, column) in packed_b.chunks_exact(panel).zip((left..right).step_by(SIDE)) {
                    let kept = SIDE.min(right - column);
                    for (a, first) in packed_a.chunks_exact(panel).zip((top..bottom).step_by(SIDE)) {
                        T::multiply(tiles, a, b, &mut sums);
                        for (at, row) in (first..bottom.min(first + SIDE)).enumerate() {
                            T::add(simd, &sums, at, &mut acc[row * columns + column..][..kept]);
                        }
                    }
                }
            }
        }
    }
}

/// The limbs of [`SIDE`] rows, filled up with zeros to whole tiles.
#[inline(always)]
fn pack_left<'a, T: Limbs>(simd: V4, panel: &mut [Bytes], row: impl Fn(usize) -> &'a [T::Raw]) {
    for (step, tiles) in panel.chunks_exact_mut(T::LIMBS).enumerate() {
        for at in 0..SIDE {
            let elements = row(at).get(step * DEEP..).unwrap_or(&[]);
            if let Some(whole) = elements.first_chunk::<DEEP>() {
                T::split_left(simd, whole, at, tiles);
                continue;
            }
            let mut filled = Zeroizing::new([T::Raw::zeroed(); DEEP]);
            filled[..elements.len()].copy_from_slice(elements);
            T::split_left(simd, &*filled, at, tiles);
        }
    }
}

/// The limbs of [`DEEP`] rows of [`SIDE`] columns, of which `row` gives those of `inner`, filled up with zeros.
#[inline(always)]
fn pack_right<'a, T: Limbs>(
    simd: V4,
    tiles: &mut [Bytes],
    inner: Range<usize>,
    row: impl Fn(usize) -> &'a [T::Raw],
) {
    for at in 0..DEEP / 4 {
        let places: [usize; 4] = std::array::from_fn(|i| inner.start + T::place(4 * at + i));
        let rows = places.map(|k| if k < inner.end { row(k) } else { &[] });
        if rows.iter().all(|row| row.len() == SIDE) {
            T::split_right(simd, rows, at, tiles);
            continue;
        }
        let mut filled = Zeroizing::new([[T::Raw::zeroed(); SIDE]; 4]);
        for (filled, row) in filled.iter_mut().zip(rows) {
            filled[..row.len()].copy_from_slice(row);
        }
        T::split_right(simd, filled.each_ref().map(|row| &row[..]), at, tiles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Word, spec};

    /// [`crate::matmul::multiply_add`] takes small products to vectors: here all come to tiles.
    #[test]
    fn products_on_tiles_are_as_defined() {
        let Some(tiles) = Tiles::try_new() else { return };
        of::<u32>(tiles);
        of::<u64>(tiles);
    }

    /// Each thread has tile registers of its own.
    #[test]
    fn threads_multiply_beside_each_other() {
        let Some(tiles) = Tiles::try_new() else { return };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| of::<u64>(tiles));
            }
        });
    }

    fn of<T: Word>(tiles: Tiles) {
        let sizes = [1, 3, 15, 16, 17, 33, 64, 65];
        let mut shapes: Vec<[usize; 3]> =
            sizes.iter().flat_map(|m| sizes.iter().flat_map(move |k| sizes.map(|n| [*m, *k, n]))).collect();
        shapes.extend([[129, 513, 17], [17, 1025, 33], [3, 64, 541], [300, 1, 20]]);
        for [rows, inner, columns] in shapes {
            let shape = Shape { rows, inner, columns };
            // All bits set makes the largest sums of limbs.
            let ones = |len| vec![T::from_le(&[0xff; 8][..size_of::<T>()]); len];
            let random = |id, len| spec::mask::words(&[7; 32], id, 0, len);
            for [a, b] in [
                [random(1, rows * inner), random(2, inner * columns)],
                [ones(rows * inner), ones(inner * columns)],
            ] {
                let mut got: Vec<T> = random(3, rows * columns);
                let mut want = got.clone();
                spec::matmul::multiply_add(shape, &a, &b, &mut want);
                product(tiles, MultiplyAdd::<T>::new(shape, &a, &b, &mut got));
                assert!(got == want, "{rows} x {inner} x {columns}");
            }
        }
    }
}
