//! Discrete Laplace noise: integers only, the same work whatever the randomness.
//!
//! `docs/noise.md` derives the sampler and its distance from the exact law.

use crate::device::Backend;
use crate::thresholds::thresholds;
use crate::{Device, KernelError, Stream, cpu};

/// Samples that share a run of blocks: one per 64-bit word of a block.
pub(crate) const GROUP: usize = 8;
/// Thresholds of an octal digit: one for each value but 0.
pub const STEPS: usize = 7;

/// The discrete Laplace law `P(x) = (1 - q) / (1 + q) * q^|x|` with `q = exp(-1 / scale)`, as thresholds.
///
/// A sample is 0 with probability `(1 - q) / (1 + q)`, else a fair sign times `1 + G`, where `G` is geometric.
/// The digits of `G` are independent in any base. They are drawn in base 8, one word each: digit `k` is `d` with a
/// probability proportional to `t^d`, where `t = q^(8^k)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laplace {
    numerator: u64,
    denominator: u64,
    zero: u64,
    bits: u32,
    digits: Vec<[u64; STEPS]>,
}

impl Laplace {
    /// The law of scale `numerator / denominator`, from 1/8 to 2^40.
    ///
    /// # Errors
    /// [`KernelError::Scale`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Laplace, KernelError> {
        let (n, d) = (u128::from(numerator), u128::from(denominator));
        if d == 0 || 8 * n < d || n > d << 40 {
            return Err(KernelError::Scale { numerator, denominator });
        }
        let table = thresholds(numerator, denominator);
        Ok(Laplace { numerator, denominator, zero: table.zero, bits: table.bits, digits: table.digits })
    }

    /// Numerator of the scale, as given.
    pub fn numerator(&self) -> u64 {
        self.numerator
    }

    /// Denominator of the scale, as given.
    pub fn denominator(&self) -> u64 {
        self.denominator
    }

    /// `G` is drawn below `2^bits`: the least number whose tail `q^(2^bits)` is at most 2^-64.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// A sample is zero if the upper 63 bits of its first word are below this: `floor(2^63 (1 - q) / (1 + q))`.
    pub fn zero_threshold(&self) -> u64 {
        self.zero
    }

    /// Digit `k` is the number of thresholds in entry `k` that its word is below; the one at `j - 1` is `floor(2^64 P(digit >= j))`.
    /// Where `bits` is no multiple of 3, the last digit has fewer values, and 0 stands for those that it never has.
    pub fn digits(&self) -> &[[u64; STEPS]] {
        &self.digits
    }

    /// An upper bound of the total variation distance between one sample and the exact law, in units of 2^-64:
    /// half the number of its values per digit, two for zero, one for the tail.
    pub fn total_variation(&self) -> u64 {
        let (whole, rest) = (u64::from(self.bits / 3), self.bits % 3);
        4 * whole + [0, 1, 2][rest as usize] + 3
    }

    /// Keystream blocks that `len` samples consume.
    ///
    /// # Errors
    /// [`KernelError::StreamExhausted`] for more than any stream has.
    fn blocks(&self, len: usize) -> Result<u64, KernelError> {
        let needed = len.div_ceil(GROUP) as u128 * (self.digits.len() + 1) as u128;
        u64::try_from(needed).map_err(|_| KernelError::StreamExhausted { needed: u64::MAX, left: u64::MAX })
    }
}

/// Writes one sample per element. Consumes `ceil(len / 8) * (law.digits().len() + 1)` blocks.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn laplace_fill(
    device: &Device,
    law: &Laplace,
    stream: &mut Stream,
    out: &mut [i64],
) -> Result<(), KernelError> {
    let span = stream.take(law.blocks(out.len())?)?;
    match device.backend() {
        Backend::Cpu(arch) => arch.run(cpu::noise::Fill { law, span, out: bytemuck::cast_slice_mut(out) }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.laplace_fill(law, &span, out)?,
    }
    Ok(())
}

/// Adds one sample to each element, modulo 2^64. Consumes as many blocks as [`laplace_fill`].
///
/// # Errors
/// As [`laplace_fill`].
pub fn laplace_add(
    device: &Device,
    law: &Laplace,
    stream: &mut Stream,
    values: &mut [u64],
) -> Result<(), KernelError> {
    let span = stream.take(law.blocks(values.len())?)?;
    match device.backend() {
        Backend::Cpu(arch) => arch.run(cpu::noise::Add { law, span, values }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.laplace_add(law, &span, values)?,
    }
    Ok(())
}
