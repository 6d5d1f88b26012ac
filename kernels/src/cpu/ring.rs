//! Element-wise arithmetic and sums.

use super::lines::to_line;
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

/// Elements from which on the first line that is not whole is worth a step of its own: vectors that straddle two lines cost
/// half of the speed, and allocators give long vectors the same place in a line.
const LONG: usize = 512;

/// Elements before the first whole line of a long vector.
fn head<T>(elements: &[T]) -> usize {
    if elements.len() < LONG { 0 } else { to_line(elements) }
}

/// The body of [`Zip`], for other kernels too.
#[inline(always)]
pub(crate) fn zip<O: Operation, T: Word, S: IntSimd>(simd: S, operation: O, acc: &mut [T], other: &[T]) {
    let head = head(acc);
    let ((first, acc), (other_first, other)) = (acc.split_at_mut(head), other.split_at(head));
    each(operation, first, other_first);
    let (acc, acc_rest) = T::vectors_mut::<S>(acc);
    let (other, other_rest) = T::vectors::<S>(other);
    // All reads of four before their writes, which the compiler does not do by itself: more products are under way together.
    let ((fours, acc), (other_fours, other)) = (acc.as_chunks_mut::<4>(), other.as_chunks::<4>());
    for (four, other) in fours.iter_mut().zip(other_fours) {
        let mut results = *four;
        for (a, b) in results.iter_mut().zip(other) {
            *a = operation.vectors::<T, S>(simd, *a, *b);
        }
        *four = results;
    }
    for (a, b) in acc.iter_mut().zip(other) {
        *a = operation.vectors::<T, S>(simd, *a, *b);
    }
    each(operation, acc_rest, other_rest);
}

#[inline(always)]
fn each<O: Operation, T: Word>(operation: O, acc: &mut [T], other: &[T]) {
    for (a, b) in acc.iter_mut().zip(other) {
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
        let (first, values) = self.values.split_at(head(self.values));
        let (vectors, rest) = T::vectors::<S>(values);
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
        lanes.iter().chain(first).chain(rest).fold(T::ZERO, |sum, word| sum.wrapping_add(*word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{Arch, Level};

    #[test]
    fn long_vectors_may_begin_anywhere_in_a_line() {
        for level in Level::ALL {
            let Some(arch) = Arch::new(level) else { continue };
            for start in 0..16 {
                let mut acc: Vec<u32> = (0..LONG as u32 + 40).collect();
                let other: Vec<u32> = (0..LONG as u32 + 56).map(|x| x.wrapping_mul(0x9e37_79b9)).collect();
                let other = &other[16 - start..][..LONG + 40 - start];
                arch.run(Zip { operation: Add, acc: &mut acc[start..], other });
                let want = |at: usize| match at.checked_sub(start) {
                    Some(i) => (at as u32).wrapping_add(other[i]),
                    None => at as u32,
                };
                assert!(acc.iter().enumerate().all(|(at, x)| *x == want(at)), "{level} {start}");
                let sum = acc[start..].iter().fold(0u32, |sum, x| sum.wrapping_add(*x));
                assert_eq!(arch.run(Sum { values: &acc[start..] }), sum, "{level} {start}");
            }
        }
    }
}
