//! Products of matrices from fewer products of their quarters: seven where eight are summed (Strassen 1969). Exact in any
//! ring, so no bit changes; what is done depends on the sizes alone.

use super::entry::{Entry, Vector};
use super::{MultiplyAdd, filled};
use crate::cpu::{IntSimd, Lane};
use crate::matmul::Shape;
use bytemuck::Zeroable;
use zeroize::Zeroizing;

/// A way to multiply matrices.
pub(super) trait Multiply<T: Entry>: Copy {
    /// `acc += a b`, once or several times; no size is 0.
    fn multiply<S: IntSimd>(self, simd: S, products: MultiplyAdd<'_, T>);
}

/// Seven products of quarters where these have at least `least` rows, columns and elements of a sum; else the product itself.
#[derive(Clone, Copy)]
pub(super) struct Strassen<M> {
    /// How these are multiplied.
    pub(super) way: M,
    pub(super) least: usize,
}

/// From where on the sums of quarters take less time than the product that they save, as measured by AVX2 and AVX-512. On AMX's
/// tiles nothing was gained up to 2048.
pub(super) const fn least<T: Entry>() -> usize {
    2048 / size_of::<T::Raw>()
}

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

/// The same place of some blocks of a matrix.
#[derive(Clone, Copy)]
struct Block {
    /// Place of its first element in the matrix.
    at: usize,
    /// Whether it is taken away.
    negative: bool,
}

/// One or two blocks of one shape, in a matrix with rows of `stride` elements. Of a factor the first is not negative.
#[derive(Clone, Copy)]
struct Blocks {
    first: Block,
    second: Option<Block>,
    rows: usize,
    columns: usize,
    stride: usize,
}

impl Blocks {
    fn one(row: usize, column: usize, rows: usize, columns: usize, stride: usize) -> Blocks {
        let first = Block { at: row * stride + column, negative: false };
        Blocks { first, second: None, rows, columns, stride }
    }

    /// The quarters of which `signs` speaks, of `rows` by `columns` elements each.
    fn quarters(signs: [i8; 4], rows: usize, columns: usize, stride: usize) -> Blocks {
        let of = |sign: i8| {
            signs.iter().enumerate().filter(move |(_, of)| **of == sign).map(move |(quarter, _)| Block {
                at: quarter / 2 * rows * stride + quarter % 2 * columns,
                negative: sign < 0,
            })
        };
        let mut blocks = of(1).chain(of(-1));
        let Some(first) = blocks.next() else { unreachable!("each product has quarters") };
        Blocks { first, second: blocks.next(), rows, columns, stride }
    }

    fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// Writes their sum row after row.
    #[inline(always)]
    fn sum<T: Entry, S: IntSimd>(&self, simd: S, matrix: &[T::Raw], sum: &mut [T::Raw]) {
        for (row, sum) in sum.chunks_exact_mut(self.columns).enumerate() {
            let of = |block: Block| &matrix[block.at + row * self.stride..][..self.columns];
            sum.copy_from_slice(of(self.first));
            if let Some(second) = self.second {
                add::<T, S>(simd, sum, of(second), second.negative);
            }
        }
    }

    /// Adds a matrix of their shape to each.
    #[inline(always)]
    fn add<T: Entry, S: IntSimd>(&self, simd: S, product: &[T::Raw], matrix: &mut [T::Raw]) {
        for block in [Some(self.first), self.second].into_iter().flatten() {
            for (row, product) in product.chunks_exact(self.columns).enumerate() {
                let matrix = &mut matrix[block.at + row * self.stride..][..self.columns];
                add::<T, S>(simd, matrix, product, block.negative);
            }
        }
    }
}

/// Element by element `acc + other`, or `acc - other` if negative.
#[inline(always)]
fn add<T: Entry, S: IntSimd>(simd: S, acc: &mut [T::Raw], other: &[T::Raw], negative: bool) {
    let (acc, rest) = T::Raw::vectors_mut::<S>(acc);
    let (other, other_rest) = T::Raw::vectors::<S>(other);
    for (acc, other) in acc.iter_mut().zip(other) {
        *acc = sum::<T, S>(simd, *acc, *other, negative);
    }
    if !rest.is_empty() {
        let ([a], [b]) = (filled::<T, S, 1>(rest), filled::<T, S, 1>(other_rest));
        let sum = [sum::<T, S>(simd, a, b, negative)];
        rest.copy_from_slice(&bytemuck::cast_slice(&sum)[..rest.len()]);
    }
}

#[inline(always)]
fn sum<T: Entry, S: IntSimd>(simd: S, a: Vector<T, S>, b: Vector<T, S>, negative: bool) -> Vector<T, S> {
    if negative { T::minus(simd, a, b) } else { T::plus(simd, a, b) }
}

/// A product of sums of blocks, and the blocks that it is added to.
struct Part {
    a: Blocks,
    b: Blocks,
    acc: Blocks,
}

impl Part {
    fn shape(&self) -> Shape {
        Shape { rows: self.a.rows, inner: self.a.columns, columns: self.b.columns }
    }
}

/// The products that a product is made of; none if its quarters are smaller than `least`.
fn parts(whole: Shape, least: usize) -> Vec<Part> {
    let Shape { rows, inner, columns } = whole;
    let half = Shape { rows: rows / 2, inner: inner / 2, columns: columns / 2 };
    if half.rows.min(half.inner).min(half.columns) < least {
        return Vec::new();
    }
    let mut parts = Vec::from(PRODUCTS.map(|[a, b, acc]| Part {
        a: Blocks::quarters(a, half.rows, half.inner, inner),
        b: Blocks::quarters(b, half.inner, half.columns, columns),
        acc: Blocks::quarters(acc, half.rows, half.columns, columns),
    }));
    // What uneven sizes leave: the last of each sum, the last column, the last row.
    let [even_rows, even_inner, even_columns] = [half.rows, half.inner, half.columns].map(|half| 2 * half);
    let rest = |row, k, column, [rows, deep, wide]: [usize; 3]| Part {
        a: Blocks::one(row, k, rows, deep, inner),
        b: Blocks::one(k, column, deep, wide, columns),
        acc: Blocks::one(row, column, rows, wide, columns),
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

impl<T: Entry, M: Multiply<T>> Multiply<T> for Strassen<M> {
    #[inline(always)]
    fn multiply<S: IntSimd>(self, simd: S, products: MultiplyAdd<'_, T>) {
        let MultiplyAdd { shape, several, a, b, acc } = products;
        let Shape { rows, inner, columns } = shape;
        let parts = parts(shape, self.least);
        let mut left = room::<T>(&parts, |part| part.a.len());
        let mut right = room::<T>(&parts, |part| part.b.len());
        let mut sums = room::<T>(&parts, |part| part.acc.len());
        let [a_len, b_len, acc_len] = match parts.is_empty() {
            true => [a.len(), b.len(), acc.len()],
            false => [rows * inner, inner * columns, rows * columns],
        };
        let factors = a.chunks_exact(a_len).zip(b.chunks_exact(b_len));
        for ((a, b), acc) in factors.zip(acc.chunks_exact_mut(acc_len)) {
            // One call of the way given, so that its code is here once.
            for index in 0..parts.len().max(1) {
                let part = parts.get(index);
                self.way.multiply(
                    simd,
                    match part {
                        None => MultiplyAdd { shape, several, a, b, acc: &mut *acc },
                        Some(part) => {
                            let left = &mut left[..part.a.len()];
                            let right = &mut right[..part.b.len()];
                            let sums = &mut sums[..part.acc.len()];
                            part.a.sum::<T, S>(simd, a, left);
                            part.b.sum::<T, S>(simd, b, right);
                            sums.fill(T::Raw::zeroed());
                            MultiplyAdd { shape: part.shape(), several: false, a: left, b: right, acc: sums }
                        }
                    },
                );
                if let Some(part) = part {
                    part.acc.add::<T, S>(simd, &sums[..part.acc.len()], acc);
                }
            }
        }
    }
}

/// Elements for the largest of the parts.
fn room<T: Entry>(parts: &[Part], len: fn(&Part) -> usize) -> Zeroizing<Box<[T::Raw]>> {
    let most = parts.iter().map(len).max().unwrap_or(0);
    Zeroizing::new(vec![T::Raw::zeroed(); most].into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::matmul::{InRegisters, Product};
    use crate::cpu::{Arch, Kernel, Level};
    use crate::matmul::Element;
    use crate::{Field, M61, Word, spec};

    /// Small products at two levels, where [`least`] is left out.
    struct Small<'a, T: Entry>(MultiplyAdd<'a, T>, usize);

    impl<T: Product> Kernel for Small<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: IntSimd>(self, simd: S) {
            let Small(products, least) = self;
            Strassen { way: Strassen { way: InRegisters, least }, least }.multiply(simd, products);
        }
    }

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
                    arch.run(Small(MultiplyAdd::new(shape, &a, &b, &mut got), least));
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
