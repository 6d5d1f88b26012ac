//! The discrete Laplace law.

use super::{Law, Sampled, Sampler};
use crate::KernelError;
use crate::thresholds;

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
        let table = thresholds::laplace(numerator, denominator);
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

    /// As [`Law::total_variation`]: half the number of its values per digit, two for zero, one for the tail.
    pub fn total_variation(&self) -> u64 {
        let (whole, rest) = (u64::from(self.bits / 3), self.bits % 3);
        4 * whole + [0, 1, 2][rest as usize] + 3
    }
}

impl Sampled for Laplace {
    fn sampler(&self) -> Sampler<'_> {
        Sampler::Digits(self)
    }
}

impl Law for Laplace {
    fn total_variation(&self) -> u64 {
        self.total_variation()
    }
}
