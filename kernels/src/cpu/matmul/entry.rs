//! What matrices can be made of.

#[cfg(target_arch = "x86_64")]
use super::Ifma;
use super::sums::Plain;
use super::{MultiplyAdd, blocks};
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
    /// Sum, or the difference if `b` is to be negative.
    #[inline(always)]
    fn sum<S: IntSimd>(simd: S, a: Vector<Self, S>, b: Vector<Self, S>, negative: bool) -> Vector<Self, S> {
        if negative { Self::minus(simd, a, b) } else { Self::plus(simd, a, b) }
    }
}

/// What products of matrices can be made of.
pub trait Product: Entry {
    /// `acc += a b`, once or several times, summed in registers; no size is 0.
    fn multiply<S: IntSimd>(simd: S, products: MultiplyAdd<'_, Self>);
    /// The same by 52-bit multiply-adds, if there is a way.
    #[cfg(target_arch = "x86_64")]
    fn multiply_fused(ifma: Ifma, products: MultiplyAdd<'_, Self>);
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
    #[inline(always)]
    fn multiply<S: IntSimd>(simd: S, products: MultiplyAdd<'_, u32>) {
        blocks::<_, _, 6>(Plain(simd), products);
    }
    #[cfg(target_arch = "x86_64")]
    fn multiply_fused(ifma: Ifma, products: MultiplyAdd<'_, u32>) {
        ifma.blocks(products);
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
    #[inline(always)]
    fn multiply<S: IntSimd>(simd: S, products: MultiplyAdd<'_, u64>) {
        // Where a sum is two vectors, half as many rows fill the registers.
        match size_of::<S::Sum64>() == size_of::<S::u64s>() {
            true => blocks::<_, _, 6>(Plain(simd), products),
            false => blocks::<_, _, 3>(Plain(simd), products),
        }
    }
    #[cfg(target_arch = "x86_64")]
    fn multiply_fused(ifma: Ifma, products: MultiplyAdd<'_, u64>) {
        ifma.blocks(products);
    }
}
