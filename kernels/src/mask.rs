//! Masks: keystream added to or taken off a vector in one pass, so that it never travels through memory.

use crate::cpu::mask::Mask;
use crate::cpu::ring::{Add, Sub};
use crate::device::Backend;
use crate::{Device, KernelError, Stream, Word};

/// `data[i] += word[i]`, where `word` is the next keystream read as little-endian words.
/// Consumes `ceil(bytes of data / 64)` blocks.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn add<T: Word>(device: &Device, data: &mut [T], stream: &mut Stream) -> Result<(), KernelError> {
    let span = stream.take_bytes(size_of_val(data))?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Mask { operation: Add, span, data }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.mask_add(&span, data)?,
    }
    Ok(())
}

/// `data[i] -= word[i]`; undoes [`add`] with a stream at the same position.
///
/// # Errors
/// As [`add`].
pub fn sub<T: Word>(device: &Device, data: &mut [T], stream: &mut Stream) -> Result<(), KernelError> {
    let span = stream.take_bytes(size_of_val(data))?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Mask { operation: Sub, span, data }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.mask_sub(&span, data)?,
    }
    Ok(())
}
