//! Arithmetic modulo 2^32 and 2^64, element by element, wrapping.

use crate::cpu::ring::{Add, Mul, Sub, Sum, Zip};
use crate::device::Backend;
use crate::error::same_length;
use crate::{Device, KernelError, Word};

/// `acc[i] += other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn add<T: Word>(device: &Device, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
    same_length("ring::add", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip { operation: Add, acc, other }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.add(acc, other)?,
    }
    Ok(())
}

/// `acc[i] -= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn sub<T: Word>(device: &Device, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
    same_length("ring::sub", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip { operation: Sub, acc, other }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.sub(acc, other)?,
    }
    Ok(())
}

/// `acc[i] *= other[i]`.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn mul<T: Word>(device: &Device, acc: &mut [T], other: &[T]) -> Result<(), KernelError> {
    same_length("ring::mul", acc.len(), other.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Zip { operation: Mul, acc, other }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.mul(acc, other)?,
    }
    Ok(())
}

/// The sum of all elements; 0 of none.
///
/// # Errors
/// A GPU that fails.
pub fn sum<T: Word>(device: &Device, values: &[T]) -> Result<T, KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => Ok(arch.spread(Sum { values })),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.sum(values),
    }
}
