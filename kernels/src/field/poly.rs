//! Powers, inverses, inner products, polynomials and Lagrange weights.

use super::{Field, words, words_mut};
use crate::cpu::power::{Dot, Evaluate, Inverse, Pow};
use crate::cpu::{Kernel, Lanes64};
use crate::device::Backend;
use crate::error::same_length;
use crate::{Device, KernelError};
use std::marker::PhantomData;

/// `values[i]` becomes `values[i]^exponent`; anything to the power of 0 is 1. The exponent is public: the time
/// depends on it.
///
/// # Errors
/// A GPU that fails.
pub fn pow<F: Field>(device: &Device, values: &mut [F], exponent: u64) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => {
            arch.spread(Pow::<F> { values: words_mut(values), exponent, field: PhantomData })
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_pow(values, exponent)?,
    }
    Ok(())
}

/// `values[i]` becomes `1 / values[i]`, and 0 stays 0. On a CPU by Montgomery's trick, about five products an
/// element in long vectors; on a GPU by Fermat's little theorem.
///
/// # Errors
/// A GPU that fails.
pub fn inverse<F: Field>(device: &Device, values: &mut [F]) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => {
            arch.spread(Inverse::<F> { values: words_mut(values), modulus: F::MODULUS, field: PhantomData });
            Ok(())
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_pow(values, F::MODULUS - 2),
    }
}

/// The sum of `a[i] * b[i]`; 0 of none.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn dot<F: Field>(device: &Device, a: &[F], b: &[F]) -> Result<F, KernelError> {
    same_length("field::dot", a.len(), b.len())?;
    match device.backend() {
        Backend::Cpu(arch) => {
            let sum = arch.spread(Dot::<F> { a: words(a), b: words(b), field: PhantomData });
            Ok(super::elements(&[sum])?[0])
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_dot(a, b),
    }
}

/// `points[i]` becomes the value there of the polynomial with these coefficients, that of `x^0` first; 0 of none.
/// By Horner's rule: `coefficients.len()` products a point.
///
/// # Errors
/// A GPU that fails.
pub fn evaluate<F: Field>(device: &Device, coefficients: &[F], points: &mut [F]) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => {
            let (coefficients, points) = (words(coefficients), words_mut(points));
            arch.spread(Evaluate::<F> { coefficients, points, field: PhantomData });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_evaluate(coefficients, points)?,
    }
    Ok(())
}

/// The weights `w` with `f(at) = sum of w[j] * f(points[j])` for every polynomial `f` of fewer coefficients than
/// there are points: `w[j]` is the product of `(at - points[m]) / (points[j] - points[m])` over all other `m`.
/// The points are public. `n` points cost `2 n^2` products and one inversion, in scalar code.
///
/// # Errors
/// [`KernelError::SamePoint`] where two points are equal.
pub fn lagrange_weights<F: Field>(points: &[F], at: F) -> Result<Vec<F>, KernelError> {
    let scalar = pulp::Scalar;
    let mul = |a, b| scalar.multiply::<F>(a, b);
    let mut weights = vec![1; points.len()];
    let mut below = vec![1; points.len()];
    for (j, a) in points.iter().enumerate() {
        for (m, b) in points.iter().enumerate().filter(|(m, _)| *m != j) {
            if a == b {
                return Err(KernelError::SamePoint { first: j.min(m), second: j.max(m) });
            }
            weights[j] = mul(weights[j], F::sub(scalar, at.get(), b.get()));
            below[j] = mul(below[j], F::sub(scalar, a.get(), b.get()));
        }
    }
    Inverse::<F> { values: &mut below, modulus: F::MODULUS, field: PhantomData }.run(scalar);
    weights.iter_mut().zip(below).for_each(|(weight, inverse)| *weight = mul(*weight, inverse));
    super::elements(&weights).map(<[F]>::to_vec)
}
