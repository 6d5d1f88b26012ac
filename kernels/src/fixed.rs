//! Fixed-point encoding of real numbers.

use crate::device::Backend;
use crate::error::same_length;
use crate::{Device, KernelError, cpu, ring};

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
        Backend::Cpu(arch) => arch.spread(cpu::fixed::Encode { values, format, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.encode(values, format, out)?,
    }
    Ok(())
}

/// The first value that [`encode`] would clamp: NaN, or outside the format's bounds before it is rounded. `None`: all
/// keep their value. Always computed by the CPU's level, since it reads host memory once and writes nothing.
pub fn out_of_range(device: &Device, values: &[f64], format: Fixed) -> Option<usize> {
    let kernel = cpu::fixed::OutOfRange { values, format };
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(kernel),
        #[cfg(feature = "gpu")]
        Backend::Gpu(_) => cpu::Arch::best().run(kernel),
    }
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
    most(fraction_bits)?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(cpu::fixed::Decode { values, fraction_bits, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.decode(values, fraction_bits, out)?,
    }
    Ok(())
}

/// Which of the parties of a truncation this is: one does what all together must do once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one party.
    First,
    /// Any other.
    Other,
}

/// Divides a secret of which two parties hold additive shares by `2^bits`, without a word between them: each changes
/// its own share (Mohassel and Zhang 2017, section 4.1).
///
/// Probabilistic. For a secret `|x| <= 2^k`, as a signed integer, and uniform shares, the new shares add up to
/// `floor(x / 2^bits)` or, where that is not exact, perhaps one more; but with probability at most `2^(k - 64)` the sum
/// is off by `2^(64 - bits)`. For two parties only.
///
/// # Errors
/// [`KernelError::FractionBits`] above [`MAX_DECODED_BITS`], or a GPU that fails.
pub fn truncate(device: &Device, share: &mut [u64], bits: u32, role: Role) -> Result<(), KernelError> {
    most(bits)?;
    let sign = if role == Role::First { 0 } else { u64::MAX };
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(cpu::fixed::Truncate { share, bits, sign }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.truncate(share, bits, sign)?,
    }
    Ok(())
}

/// The last step of a truncation by a mask, for any number of parties: turns the opened vector into this party's
/// share of the secret divided by `2^bits`.
///
/// Beforehand the parties have shares of a random `r` and of `r >> bits` (`mask_high`), add those of `r` to those of
/// the secret `x` and open `x + r`, which goes into `opened`. The new shares add up to `(opened >> bits) - (r >> bits)`.
/// If `x >= 0` and `x + r < 2^64`, that is `floor(x / 2^bits)`, or one more, with probability `(x mod 2^bits) / 2^bits`
/// over the low bits of `r`: correct on average. Signed secrets `|x| < 2^k` get `2^k` added first and `2^(k - bits)`
/// taken off the result; a mask of 64 - s bits leaks nothing but with probability `2^(k + 1 + s - 64)`.
///
/// To be exact, take off a share of the bit `(opened mod 2^bits) < (r mod 2^bits)`, which
/// [`bits::Carry`](crate::bits::Carry) compares.
///
/// # Errors
/// [`KernelError::Length`], [`KernelError::FractionBits`] above [`MAX_DECODED_BITS`], or a GPU that fails.
pub fn truncate_opened(
    device: &Device,
    opened: &mut [u64],
    mask_high: &[u64],
    bits: u32,
    role: Role,
) -> Result<(), KernelError> {
    same_length("fixed::truncate_opened", opened.len(), mask_high.len())?;
    most(bits)?;
    match (device.backend(), role) {
        #[cfg(feature = "gpu")]
        (Backend::Gpu(gpu), _) => return gpu.truncate_opened(opened, mask_high, bits, role),
        (_, Role::First) => truncate(device, opened, bits, role)?,
        (_, Role::Other) => opened.fill(0),
    }
    ring::sub(device, opened, mask_high)
}

fn most(bits: u32) -> Result<(), KernelError> {
    if bits > MAX_DECODED_BITS {
        return Err(KernelError::FractionBits { given: bits, most: MAX_DECODED_BITS });
    }
    Ok(())
}
