//! Products of matrices from fewer products of their quarters: seven where eight are summed (Strassen 1969), at two levels.
//! Exact in any ring, so no bit changes; what is done depends on the sizes alone. Sums of quarters are made where they are
//! packed, and each product is added to all that it is a part of while it is in registers, so that none of them is ever in
//! memory (Huang, Smith, Henry and van de Geijn 2016).

use super::entry::{Entry, Vector};
use super::filled;
use crate::cpu::{IntSimd, Lane};
use crate::matmul::Shape;

/// From where on the sums of quarters take less time than the product that they save, as measured by AVX2 and AVX-512. On AMX's
/// tiles nothing was gained up to 2048.
pub(super) const fn least<T: Entry>() -> usize {
    2048 / size_of::<T::Raw>()
}

/// How often products are made of products of quarters.
const LEVELS: usize = 2;

/// For each product: of which quarters of `a` and of `b` the sums are multiplied, and to which of `acc` the product is
/// added. Quarters are upper left, upper right, lower left, lower right.
const PRODUCTS: [[[i8; 4]; 3]; 7] = [
    [[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]],
    [[0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 1, -1]],
    [[1, 0, 0, 0], [0, 1, 0, -1], [0, 1, 0, 1]],
    [[0, 0, 0, 1], [-1, 0, 1, 0], [1, 0, 1, 0]],
    [[1, 1, 0, 0], [0, 0, 0, 1], [-1, 1, 0, 0]],
    [[-1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]],
    [[0, 1, 0, -1], [0, 0, 1, 1], [1, 0, 0, 0]],
];

/// A block of a matrix.
#[derive(Clone, Copy, Default)]
pub(super) struct Block {
    /// Place of its first element in the matrix.
    pub(super) at: usize,
    /// Whether it is taken away.
    pub(super) negative: bool,
}

/// Blocks of one shape in a matrix. Of a factor the first is not negative.
#[derive(Clone, Copy, Default)]
pub(super) struct Blocks {
    blocks: [Block; 1 << LEVELS],
    count: usize,
}

impl Blocks {
    /// The whole matrix.
    fn whole() -> Blocks {
        Blocks { count: 1, ..Blocks::default() }
    }

    pub(super) fn all(&self) -> &[Block] {
        &self.blocks[..self.count]
    }

    /// The quarters of each of which `signs` speaks, of `rows` by `columns` elements, in a matrix with rows of `stride`.
    fn quarters(&self, signs: [i8; 4], rows: usize, columns: usize, stride: usize) -> Blocks {
        let mut quarters = Blocks::default();
        for negative in [false, true] {
            for block in self.all() {
                for (quarter, sign) in signs.iter().enumerate().filter(|(_, sign)| **sign != 0) {
                    if negative == ((*sign < 0) != block.negative) {
                        let at = block.at + quarter / 2 * rows * stride + quarter % 2 * columns;
                        quarters.blocks[quarters.count] = Block { at, negative };
                        quarters.count += 1;
                    }
                }
            }
        }
        quarters
    }

    /// What begins `by` elements later in each.
    fn moved(&self, by: usize) -> Blocks {
        Blocks { blocks: self.blocks.map(|block| Block { at: block.at + by, ..block }), ..*self }
    }

    /// The sum of a row of each, `of(block)`: in `room`, which is as long, where there are several.
    #[inline(always)]
    pub(super) fn sum_of_rows<'a, T: Entry, S: IntSimd>(
        &self,
        simd: S,
        room: &'a mut [T::Raw],
        of: impl Fn(Block) -> &'a [T::Raw],
    ) -> &'a [T::Raw] {
        let [first, others @ ..] = &self.blocks;
        if self.count == 1 {
            return of(*first);
        }
        room.copy_from_slice(of(*first));
        for block in &others[..self.count - 1] {
            add::<T, S>(simd, room, of(*block), block.negative);
        }
        room
    }

    /// The sum of some elements of each, `of(block)`, as `N` vectors, filled up with zeros.
    #[inline(always)]
    pub(super) fn sum_of_vectors<'a, T: Entry, S: IntSimd, const N: usize>(
        &self,
        simd: S,
        of: impl Fn(Block) -> &'a [T::Raw],
    ) -> [Vector<T, S>; N]
    where
        T::Raw: 'a,
    {
        let [first, others @ ..] = &self.blocks;
        let mut sum = vectors::<T, S, N>(of(*first));
        for block in &others[..self.count - 1] {
            for (sum, vector) in sum.iter_mut().zip(vectors::<T, S, N>(of(*block))) {
                *sum = T::sum(simd, *sum, vector, block.negative);
            }
        }
        sum
    }
}

/// At most `N` vectors, filled up with zeros.
#[inline(always)]
fn vectors<T: Entry, S: IntSimd, const N: usize>(elements: &[T::Raw]) -> [Vector<T, S>; N] {
    let whole = T::Raw::vectors::<S>(elements).0.first_chunk::<N>();
    whole.copied().unwrap_or_else(|| filled::<T, S, N>(elements))
}

/// Element by element `acc + other`, or `acc - other` if negative.
#[inline(always)]
fn add<T: Entry, S: IntSimd>(simd: S, acc: &mut [T::Raw], other: &[T::Raw], negative: bool) {
    let (acc, rest) = T::Raw::vectors_mut::<S>(acc);
    let (other, other_rest) = T::Raw::vectors::<S>(other);
    for (acc, other) in acc.iter_mut().zip(other) {
        *acc = T::sum(simd, *acc, *other, negative);
    }
    if !rest.is_empty() {
        let ([a], [b]) = (filled::<T, S, 1>(rest), filled::<T, S, 1>(other_rest));
        let sum = [T::sum(simd, a, b, negative)];
        rest.copy_from_slice(&bytemuck::cast_slice(&sum)[..rest.len()]);
    }
}

/// A product of sums of blocks, and the blocks that it is added to.
pub(super) struct Part {
    pub(super) shape: Shape,
    pub(super) a: Blocks,
    pub(super) b: Blocks,
    pub(super) acc: Blocks,
}

/// The products that a product is made of; itself if its quarters are smaller than `least`.
pub(super) fn parts(whole: Shape, least: usize) -> Vec<Part> {
    let mut parts = vec![Part { shape: whole, a: Blocks::whole(), b: Blocks::whole(), acc: Blocks::whole() }];
    for _ in 0..LEVELS {
        if parts.iter().any(|part| smallest(part.shape) / 2 >= least) {
            parts = parts.into_iter().flat_map(|part| of_quarters(part, whole, least)).collect();
        }
    }
    parts
}

fn smallest(shape: Shape) -> usize {
    shape.rows.min(shape.inner).min(shape.columns)
}

fn of_quarters(part: Part, whole: Shape, least: usize) -> Vec<Part> {
    if smallest(part.shape) / 2 < least {
        return vec![part];
    }
    let Part { shape: Shape { rows, inner, columns }, a, b, acc } = part;
    let half = Shape { rows: rows / 2, inner: inner / 2, columns: columns / 2 };
    let mut parts = Vec::from(PRODUCTS.map(|[of_a, of_b, of_acc]| Part {
        shape: half,
        a: a.quarters(of_a, half.rows, half.inner, whole.inner),
        b: b.quarters(of_b, half.inner, half.columns, whole.columns),
        acc: acc.quarters(of_acc, half.rows, half.columns, whole.columns),
    }));
    // What uneven sizes leave: the last of each sum, the last column, the last row.
    let [even_rows, even_inner, even_columns] = [half.rows, half.inner, half.columns].map(|half| 2 * half);
    let rest = |row, k, column, [rows, deep, wide]: [usize; 3]| Part {
        shape: Shape { rows, inner: deep, columns: wide },
        a: a.moved(row * whole.inner + k),
        b: b.moved(k * whole.columns + column),
        acc: acc.moved(row * whole.columns + column),
    };
    if even_inner < inner {
        parts.push(rest(0, even_inner, 0, [even_rows, 1, even_columns]));
    }
    if even_columns < columns {
        parts.push(rest(0, 0, even_columns, [even_rows, inner, 1]));
    }
    if even_rows < rows {
        parts.push(rest(even_rows, 0, 0, [1, inner, columns]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::matmul::MultiplyAdd;
    use crate::cpu::{Arch, Level};
    use crate::matmul::Element;
    use crate::{Field, M61, Word, spec};

    #[test]
    fn products_of_quarters_are_as_defined() {
        fn words<T: Word>(id: u64, len: usize) -> Vec<T> {
            spec::mask::words(&[7; 32], id, 0, len)
        }
        of::<u32>(words, spec::matmul::multiply_add);
        of::<u64>(words, spec::matmul::multiply_add);
        let elements =
            |id, len| words::<u64>(id, len).iter().map(|word| M61::new(word >> 4).unwrap()).collect();
        of::<M61>(elements, spec::matmul::multiply_add_field);
    }

    fn of<T: Element + PartialEq>(
        elements: fn(u64, usize) -> Vec<T>,
        defined: fn(Shape, &[T], &[T], &mut [T]),
    ) {
        let sizes = [1, 2, 3, 4, 7, 8, 13, 40];
        let shapes = sizes.iter().flat_map(|m| sizes.iter().flat_map(move |k| sizes.map(|n| [*m, *k, n])));
        for [rows, inner, columns] in shapes {
            let shape = Shape { rows, inner, columns };
            let (a, b, acc) = (
                elements(1, 3 * rows * inner),
                elements(2, 3 * inner * columns),
                elements(3, 3 * rows * columns),
            );
            let mut want = acc.clone();
            let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
            for ((a, b), want) in factors.zip(want.chunks_exact_mut(rows * columns)) {
                defined(shape, a, b, want);
            }
            for arch in Level::ALL.into_iter().filter_map(Arch::new) {
                for least in [1, 2, 5] {
                    let mut got = acc.clone();
                    let products = MultiplyAdd { least, ..MultiplyAdd::new(shape, &a, &b, &mut got) };
                    match arch {
                        #[cfg(target_arch = "x86_64")]
                        Arch::Ifma(ifma) => T::multiply_fused(ifma, products),
                        _ => arch.run(products),
                    }
                    assert!(
                        got == want,
                        "{rows} x {inner} x {columns} in quarters of {least}, {}",
                        arch.level()
                    );
                }
            }
        }
    }
}
