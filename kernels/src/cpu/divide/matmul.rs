//! Products of matrices.

use crate::cpu::matmul::{MultiplyAdd, Product, ROWS};
use crate::cpu::{self, Divide};
use crate::matmul::Shape;

/// By rows of the product; each part packs the right matrix for itself. Several small products stay together.
impl<T: Product> Divide for MultiplyAdd<'_, T> {
    const STEP: usize = ROWS;
    const SHARES: usize = 1;

    fn len(&self) -> usize {
        if self.acc.len() == self.shape.rows * self.shape.columns { self.shape.rows } else { 0 }
    }
    /// Eight products of u32 a nanosecond, or four of u64.
    fn nanoseconds(&self) -> usize {
        let Shape { rows, inner, columns } = self.shape;
        rows.saturating_mul(inner).saturating_mul(columns) / (32 / size_of::<T>())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let MultiplyAdd { shape, a, b, acc } = self;
        let (a, a_rest) = a.split_at(at * shape.inner);
        let (acc, acc_rest) = acc.split_at_mut(at * shape.columns);
        let rest = Shape { rows: shape.rows - at, ..shape };
        let first = Shape { rows: at, ..shape };
        (MultiplyAdd { shape: first, a, b, acc }, MultiplyAdd { shape: rest, a: a_rest, b, acc: acc_rest })
    }
    nothing_to_join!();
}

#[cfg(target_arch = "x86_64")]
impl<T: Product + cpu::amx::Limbs> Divide for cpu::amx::OnTiles<'_, T> {
    const STEP: usize = ROWS;
    const SHARES: usize = 1;

    fn len(&self) -> usize {
        self.products.len()
    }
    /// At least twice as fast.
    fn nanoseconds(&self) -> usize {
        self.products.nanoseconds() / 2
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let tiles = self.tiles;
        let (products, rest) = self.products.cut(at);
        (cpu::amx::OnTiles { tiles, products }, cpu::amx::OnTiles { tiles, products: rest })
    }
    nothing_to_join!();
}
