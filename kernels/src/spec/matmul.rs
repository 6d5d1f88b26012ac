//! Products of matrices modulo 2^32 and 2^64.

use crate::Word;
use crate::matmul::Shape;

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
