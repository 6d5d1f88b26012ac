//! The Bernoulli law.

use super::{Law, Sampled, Sampler, Table};
use crate::KernelError;

/// 1 with probability `p / q`, else 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bernoulli(Table);

impl Bernoulli {
    /// `p / q`, where `p` is at most `q` and `q` is not 0.
    ///
    /// # Errors
    /// [`KernelError::Probability`].
    pub fn new(p: u64, q: u64) -> Result<Bernoulli, KernelError> {
        if q == 0 || p > q {
            return Err(KernelError::Probability { numerator: p, denominator: q });
        }
        // A certain 1 is missed with probability 2^-64.
        let threshold = u64::try_from((u128::from(p) << 64) / u128::from(q)).unwrap_or(u64::MAX);
        Ok(Bernoulli(Table::new(vec![threshold], false, vec![1])))
    }

    /// A sample is 1 if its word is below this: `floor(2^64 p / q)`, and `2^64 - 1` where `p = q`.
    pub fn threshold(&self) -> u64 {
        self.0.thresholds()[0]
    }
}

impl Sampled for Bernoulli {
    fn sampler(&self) -> Sampler<'_> {
        Sampler::Table(&self.0)
    }
}

impl Law for Bernoulli {
    /// What the floor cuts off.
    fn total_variation(&self) -> u64 {
        1
    }
}
