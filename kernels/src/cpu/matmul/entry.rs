//! What matrices can be made of, and how products of it are summed.

use crate::cpu::{IntSimd, Lane};
use zeroize::Zeroize;

/// A vector of elements.
pub(crate) type Vector<T, S> = <<T as Entry>::Raw as Lane>::Vector<S>;

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
    /// Sum, lane by lane.
    fn plus<S: IntSimd>(simd: S, a: Vector<Self, S>, b: Vector<Self, S>) -> Vector<Self, S>;
    /// Difference, lane by lane.
    fn minus<S: IntSimd>(simd: S, a: Vector<Self, S>, b: Vector<Self, S>) -> Vector<Self, S>;
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
    fn plus<S: IntSimd>(simd: S, a: S::u32s, b: S::u32s) -> S::u32s {
        simd.add_u32s(a, b)
    }
    #[inline(always)]
    fn minus<S: IntSimd>(simd: S, a: S::u32s, b: S::u32s) -> S::u32s {
        simd.sub_u32s(a, b)
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
    fn plus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        simd.add_u64s(a, b)
    }
    #[inline(always)]
    fn minus<S: IntSimd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
        simd.sub_u64s(a, b)
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
