//! Arithmetic modulo 2^32 and 2^64, element by element.

use crate::Word;

/// `acc[i] += other[i]`.
pub fn add<T: Word>(acc: &mut [T], other: &[T]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = a.wrapping_add(*b);
    }
}

/// `acc[i] -= other[i]`.
pub fn sub<T: Word>(acc: &mut [T], other: &[T]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = a.wrapping_sub(*b);
    }
}

/// `acc[i] *= other[i]`.
pub fn mul<T: Word>(acc: &mut [T], other: &[T]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = a.wrapping_mul(*b);
    }
}

/// The sum of all elements; 0 of none.
pub fn sum<T: Word>(values: &[T]) -> T {
    values.iter().fold(T::ZERO, |sum, v| sum.wrapping_add(*v))
}
