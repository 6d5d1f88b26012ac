//! Products of matrices modulo 2^32, 2^64 and a prime.

use super::field;
use crate::matmul::Shape;
use crate::{Field, Word};

/// `acc += a b`: `acc` is rows by columns, `a` rows by inner, `b` inner by columns, all row after row.
pub fn multiply_add<T: Word>(shape: Shape, a: &[T], b: &[T], acc: &mut [T]) {
    for i in 0..shape.rows {
        for j in 0..shape.columns {
            for k in 0..shape.inner {
                let product = a[i * shape.inner + k].wrapping_mul(b[k * shape.columns + j]);
                let sum = &mut acc[i * shape.columns + j];
                *sum = sum.wrapping_add(product);
            }
        }
    }
}

/// The same in a prime field.
pub fn multiply_add_field<F: Field>(shape: Shape, a: &[F], b: &[F], acc: &mut [F]) {
    for i in 0..shape.rows {
        for j in 0..shape.columns {
            for k in 0..shape.inner {
                let (left, right) = (a[i * shape.inner + k], b[k * shape.columns + j]);
                field::mul_add(&mut acc[i * shape.columns + j..][..1], &[left], &[right]);
            }
        }
    }
}

/// `to` becomes the transpose of `from`, a matrix of rows by columns.
pub fn transpose<T: Copy>(rows: usize, columns: usize, from: &[T], to: &mut [T]) {
    for i in 0..rows {
        for j in 0..columns {
            to[j * rows + i] = from[i * columns + j];
        }
    }
}
