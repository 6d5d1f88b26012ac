//! Fixed-point encoding of real numbers.

use crate::device::Backend;
use crate::error::same_length;
use crate::{Device, KernelError, cpu};

/// The most fraction bits of an encoding.
pub const MAX_FRACTION_BITS: u32 = 30;
/// The most fraction bits of a decoding: sums of squares have twice as many as their terms.
pub const MAX_DECODED_BITS: u32 = 62;
/// Bounds of an encoding are at most this in size, 2^51.
pub const MAX_BOUND: i64 = 1 << 51;

/// A fixed-point format: integers `min..=max` in units of `2^-fraction_bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    fraction_bits: u32,
    min: i64,
    max: i64,
}

impl Fixed {
    /// A format with at most [`MAX_FRACTION_BITS`] and `-MAX_BOUND <= min <= max <= MAX_BOUND`.
    ///
    /// # Errors
    /// [`KernelError::FractionBits`] or [`KernelError::Bounds`].
    pub fn new(fraction_bits: u32, min: i64, max: i64) -> Result<Fixed, KernelError> {
        if fraction_bits > MAX_FRACTION_BITS {
            return Err(KernelError::FractionBits { given: fraction_bits, most: MAX_FRACTION_BITS });
        }
        if min > max || min < -MAX_BOUND || max > MAX_BOUND {
            return Err(KernelError::Bounds { min, max });
        }
        Ok(Fixed { fraction_bits, min, max })
    }

    /// Bits after the binary point.
    pub fn fraction_bits(self) -> u32 {
        self.fraction_bits
    }

    /// Lower bound, in units.
    pub fn min(self) -> i64 {
        self.min
    }

    /// Upper bound, in units.
    pub fn max(self) -> i64 {
        self.max
    }
}

/// `out[i]` = `values[i] * 2^f` clamped to `min..=max`, then rounded to nearest with ties to even.
/// NaN gives `min`: refuse it before.
///
/// # Errors
/// [`KernelError::Length`], or a GPU that fails.
pub fn encode(device: &Device, values: &[f64], format: Fixed, out: &mut [i64]) -> Result<(), KernelError> {
    same_length("fixed::encode", out.len(), values.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.run(cpu::fixed::Encode { values, format, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.encode(values, format, out)?,
    }
    Ok(())
}

/// `out[i]` = the f64 nearest to `values[i] / 2^fraction_bits`, ties to even.
///
/// # Errors
/// [`KernelError::Length`], [`KernelError::FractionBits`] above [`MAX_DECODED_BITS`], or a GPU that fails.
pub fn decode(
    device: &Device,
    values: &[i64],
    fraction_bits: u32,
    out: &mut [f64],
) -> Result<(), KernelError> {
    same_length("fixed::decode", out.len(), values.len())?;
    if fraction_bits > MAX_DECODED_BITS {
        return Err(KernelError::FractionBits { given: fraction_bits, most: MAX_DECODED_BITS });
    }
    match device.backend() {
        Backend::Cpu(arch) => arch.run(cpu::fixed::Decode { values, fraction_bits, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.decode(values, fraction_bits, out)?,
    }
    Ok(())
}
