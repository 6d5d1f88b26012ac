//! Element-wise arithmetic and sums.

use super::{IntSimd, Kernel, Operation};
use crate::Word;

/// Sum modulo 2^bits.
#[derive(Clone, Copy)]
pub(crate) struct Add;
/// Difference modulo 2^bits.
#[derive(Clone, Copy)]
pub(crate) struct Sub;
/// Product modulo 2^bits.
#[derive(Clone, Copy)]
pub(crate) struct Mul;

macro_rules! operation {
    ($name:ident, $vectors:ident, $words:ident) => {
        impl Operation for $name {
            #[inline(always)]
            fn vectors<T: Word, S: IntSimd>(self, simd: S, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
                T::$vectors(simd, a, b)
            }
            #[inline(always)]
            fn words<T: Word>(self, a: T, b: T) -> T {
                a.$words(b)
            }
        }
    };
}
operation!(Add, vector_add, wrapping_add);
operation!(Sub, vector_sub, wrapping_sub);
operation!(Mul, vector_mul, wrapping_mul);

/// `acc[i] = operation(acc[i], other[i])`.
pub(crate) struct Zip<'a, O, T> {
    pub(crate) operation: O,
    pub(crate) acc: &'a mut [T],
    pub(crate) other: &'a [T],
}

impl<O: Operation, T: Word> Kernel for Zip<'_, O, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        zip(simd, self.operation, self.acc, self.other);
    }
}

/// The body of [`Zip`], for other kernels too.
#[inline(always)]
pub(crate) fn zip<O: Operation, T: Word, S: IntSimd>(simd: S, operation: O, acc: &mut [T], other: &[T]) {
    let (acc, acc_rest) = T::vectors_mut::<S>(acc);
    let (other, other_rest) = T::vectors::<S>(other);
    for (a, b) in acc.iter_mut().zip(other) {
        *a = operation.vectors::<T, S>(simd, *a, *b);
    }
    for (a, b) in acc_rest.iter_mut().zip(other_rest) {
        *a = operation.words(*a, *b);
    }
}

/// The sum of all elements.
pub(crate) struct Sum<'a, T> {
    pub(crate) values: &'a [T],
}

impl<T: Word> Kernel for Sum<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) -> T {
        let (vectors, rest) = T::vectors::<S>(self.values);
        // Four sums in turn: an addition need not wait for the one before it.
        let mut sums = [<T::Vector<S> as bytemuck::Zeroable>::zeroed(); 4];
        let mut fours = vectors.chunks_exact(4);
        for four in &mut fours {
            for (sum, vector) in sums.iter_mut().zip(four) {
                *sum = T::vector_add(simd, *sum, *vector);
            }
        }
        for vector in fours.remainder() {
            sums[0] = T::vector_add(simd, sums[0], *vector);
        }
        let lanes: &[T] = bytemuck::cast_slice(&sums);
        lanes.iter().chain(rest).fold(T::ZERO, |sum, word| sum.wrapping_add(*word))
    }
}
