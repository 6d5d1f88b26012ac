//! Arithmetic in two prime fields, element by element: `M61` and `Field64`; uniform elements from a stream
//! ([`uniform()`]), and the number-theoretic transform of `Field64` ([`Ntt`]).
//!
//! ```
//! use veilgrid_kernels::{Device, field::{self, Field, M61}};
//!
//! let device = Device::cpu()?;
//! let mut words = vec![M61::MODULUS - 1; 1000];
//! let ones = vec![M61::ONE; 1000];
//! field::add(&device, field::elements_mut::<M61>(&mut words)?, &ones)?;
//! assert_eq!(words[999], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No branch and no address depends on a value. Slices of words become slices of elements by a check
//! ([`elements`]), without a copy.

mod element;
pub(crate) mod ntt;
mod poly;
pub(crate) mod uniform;

pub(crate) use element::words_mut;
pub use element::{Field, Field64, M61, elements, elements_mut, words};
pub use ntt::Ntt;
pub use poly::{dot, evaluate, inverse, lagrange_weights, pow};
pub use uniform::uniform;

use crate::cpu::field::{Add, Mul, MulAdd, Neg, Sub, Zip};
use crate::device::Backend;
use crate::error::same_length;
use crate::{Device, KernelError};
use std::marker::PhantomData;

/// `acc[i] += other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn add<F: Field>(device: &Device, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
    same_length("field::add", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip::<F, _>::new(Add, words_mut(acc), words(other))),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_add(acc, other)?,
    }
    Ok(())
}

/// `acc[i] -= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn sub<F: Field>(device: &Device, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
    same_length("field::sub", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip::<F, _>::new(Sub, words_mut(acc), words(other))),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_sub(acc, other)?,
    }
    Ok(())
}

/// `acc[i] *= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn mul<F: Field>(device: &Device, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
    same_length("field::mul", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip::<F, _>::new(Mul, words_mut(acc), words(other))),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_mul(acc, other)?,
    }
    Ok(())
}

/// `values[i] = -values[i]`.
///
/// # Errors
/// A GPU that fails.
pub fn neg<F: Field>(device: &Device, values: &mut [F]) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Neg::<F> { values: words_mut(values), field: PhantomData }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_neg(values)?,
    }
    Ok(())
}

/// `acc[i] += a[i] * b[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn mul_add<F: Field>(device: &Device, acc: &mut [F], a: &[F], b: &[F]) -> Result<(), KernelError> {
    same_length("field::mul_add", acc.len(), a.len())?;
    same_length("field::mul_add", acc.len(), b.len())?;
    match device.backend() {
        Backend::Cpu(arch) => {
            let (acc, a, b) = (words_mut(acc), words(a), words(b));
            arch.spread(MulAdd::<F> { acc, a, b, field: PhantomData });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_mul_add(acc, a, b)?,
    }
    Ok(())
}
