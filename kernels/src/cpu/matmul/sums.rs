//! How products of integers are summed in registers.

use super::entry::{Entry, Vector};
use crate::cpu::IntSimd;
use bytemuck::Pod;

/// How products of elements are summed in registers. The sums of a tile, a row of `b` and what is made of an element of
/// `a` fill them.
pub(super) trait Sums<T: Entry>: Copy {
    type Simd: IntSimd;
    /// A vector of sums.
    type Sum: Copy;
    /// A vector of `a`, packed: one vector or two.
    type Left: Pod;
    /// A vector of `b`, packed: one vector or several.
    type Right: Pod;

    fn simd(self) -> Self::Simd;
    /// What a vector of `a` becomes when packed.
    fn left(self, a: Vector<T, Self::Simd>) -> Self::Left;
    /// What a vector of `b` becomes when packed.
    fn right(self, b: Vector<T, Self::Simd>) -> Self::Right;
    /// No products.
    fn none(self) -> Self::Sum;
    /// `sum + a b` for packed `b`, and the packed parts of an element of `a`, the only one twice; at most two after the sum was
    /// settled.
    fn product(self, sum: Self::Sum, a: [T::Raw; 2], b: Self::Right) -> Self::Sum;
    /// The same sum with room for two more products.
    #[inline(always)]
    fn settled(self, sum: Self::Sum) -> Self::Sum {
        sum
    }
    /// What a settled sum is.
    fn total(self, sum: Self::Sum) -> Vector<T, Self::Simd>;
}

/// By a multiplication and an addition for each product.
#[derive(Clone, Copy)]
pub(super) struct Plain<S>(pub(super) S);

impl<S: IntSimd> Sums<u32> for Plain<S> {
    type Simd = S;
    type Sum = S::u32s;
    type Left = S::u32s;
    type Right = S::u32s;
    #[inline(always)]
    fn simd(self) -> S {
        self.0
    }
    #[inline(always)]
    fn left(self, a: S::u32s) -> S::u32s {
        a
    }
    #[inline(always)]
    fn right(self, b: S::u32s) -> S::u32s {
        b
    }
    #[inline(always)]
    fn none(self) -> S::u32s {
        self.0.splat_u32s(0)
    }
    #[inline(always)]
    fn product(self, sum: S::u32s, [a, _]: [u32; 2], b: S::u32s) -> S::u32s {
        self.0.add_u32s(sum, self.0.mul_u32s(self.0.splat_u32s(a), b))
    }
    #[inline(always)]
    fn total(self, sum: S::u32s) -> S::u32s {
        sum
    }
}

impl<S: IntSimd> Sums<u64> for Plain<S> {
    type Simd = S;
    type Sum = S::Sum64;
    /// The same, and with its halves swapped.
    type Left = [S::u64s; 2];
    type Right = S::u64s;
    #[inline(always)]
    fn simd(self) -> S {
        self.0
    }
    #[inline(always)]
    fn left(self, a: S::u64s) -> [S::u64s; 2] {
        [a, self.0.or_u64s(self.0.left_u64s(a, 32), self.0.right_u64s(a, 32))]
    }
    #[inline(always)]
    fn right(self, b: S::u64s) -> S::u64s {
        b
    }
    #[inline(always)]
    fn none(self) -> S::Sum64 {
        self.0.sum_none()
    }
    #[inline(always)]
    fn product(self, sum: S::Sum64, [a, turned]: [u64; 2], b: S::u64s) -> S::Sum64 {
        self.0.sum_product(sum, self.0.splat_u64s(a), self.0.splat_u64s(turned), b)
    }
    #[inline(always)]
    fn total(self, sum: S::Sum64) -> S::u64s {
        self.0.sum_total(sum)
    }
}
