//! Products of matrices, and transposes.

use crate::cpu::Divide;
#[cfg(target_arch = "x86_64")]
use crate::cpu::matmul::{By, Unit};
use crate::cpu::matmul::{MultiplyAdd, Product, ROWS};
use crate::cpu::transpose::{SIDE, Transpose};
use crate::matmul::Shape;

/// By products where there are several; else by rows, where each part packs the right matrix for itself.
impl<T: Product> Divide for MultiplyAdd<'_, T> {
    const SHARES: usize = 1;

    fn step(&self) -> usize {
        if self.several { 1 } else { ROWS }
    }
    fn len(&self) -> usize {
        let Shape { rows, columns, .. } = self.shape;
        if self.several { self.acc.len() / (rows * columns) } else { rows }
    }
    /// Eight products of u32 a nanosecond, or four of u64.
    fn nanoseconds(&self) -> usize {
        self.acc.len().saturating_mul(self.shape.inner) / (32 / size_of::<T>())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let MultiplyAdd { shape, several, a, b, acc, least } = self;
        let Shape { rows, inner, columns } = shape;
        let (first, rest, height) = match several {
            true => (shape, shape, at * rows),
            false => (Shape { rows: at, ..shape }, Shape { rows: rows - at, ..shape }, at),
        };
        // The right matrix of one product is whole in both.
        let (b, b_rest) = if several { b.split_at(at * inner * columns) } else { (b, b) };
        let (a, a_rest) = a.split_at(height * inner);
        let (acc, acc_rest) = acc.split_at_mut(height * columns);
        (
            MultiplyAdd { shape: first, several, a, b, acc, least },
            MultiplyAdd { shape: rest, several, a: a_rest, b: b_rest, acc: acc_rest, least },
        )
    }
    nothing_to_join!();
}

#[cfg(target_arch = "x86_64")]
impl<T: Product, U: Unit<T>> Divide for By<'_, U, T> {
    const SHARES: usize = 1;

    fn step(&self) -> usize {
        self.products.step()
    }
    fn len(&self) -> usize {
        self.products.len()
    }
    fn nanoseconds(&self) -> usize {
        self.products.nanoseconds() / U::FASTER
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let unit = self.unit;
        let (products, rest) = self.products.cut(at);
        (products.by(unit), rest.by(unit))
    }
    nothing_to_join!();
}

/// By columns of what is transposed, which are rows of the result.
impl<T: Copy + Send + Sync> Divide for Transpose<'_, T> {
    const STEP: usize = SIDE;

    fn len(&self) -> usize {
        self.to.len() / self.rows()
    }
    fn nanoseconds(&self) -> usize {
        self.to.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let rows = self.rows();
        let Transpose { columns, from, first, to } = self;
        let (to, rest) = to.split_at_mut(at * rows);
        (Transpose { columns, from, first, to }, Transpose { columns, from, first: first + at, to: rest })
    }
    nothing_to_join!();
}
