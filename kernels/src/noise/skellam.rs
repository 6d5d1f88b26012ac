//! The Skellam law.

use super::{Law, Sampled, Sampler, Table};
use crate::KernelError;
use crate::thresholds;

/// The Skellam law of mean 0, the difference of two Poisson variables of mean `m / 2` each: `P(x) = exp(-m) I_|x|(m)`,
/// where `m` is its variance. The sum of samples is again a sample, of the sum of their variances (Agarwal,
/// Kairouz and Liu 2021).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skellam(Table);

impl Skellam {
    /// The law of variance `numerator / denominator`, from 1/64 to 2^20. The work of a sample grows with the root of it.
    ///
    /// # Errors
    /// [`KernelError::Variance`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Skellam, KernelError> {
        let (n, d) = (u128::from(numerator), u128::from(denominator));
        if d == 0 || 64 * n < d || n > d << 20 {
            return Err(KernelError::Variance { numerator, denominator });
        }
        Ok(Skellam(Table::new(thresholds::skellam(numerator, denominator), true, vec![1])))
    }

    /// A sample's size is the number of these that its word is below; the one at `j - 1` is
    /// `2 floor(2^63 P(|X| >= j))`. An odd word makes it negative.
    pub fn thresholds(&self) -> &[u64] {
        self.0.thresholds()
    }
}

impl Sampled for Skellam {
    fn sampler(&self) -> Sampler<'_> {
        Sampler::Table(&self.0)
    }
}

impl Law for Skellam {
    /// One more than the number of thresholds, or two.
    fn total_variation(&self) -> u64 {
        self.0.folded_variation()
    }
}
