//! The centred binomial law of fair trials.

use super::{Law, Sampled, Sampler};
use crate::KernelError;

/// `B - trials / 2`, where `B` is how many of `trials` fair coins fall on one side: variance `trials / 4`. The sum of
/// samples is again a sample, of as many trials together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binomial {
    trials: u32,
}

impl Binomial {
    /// The most trials of one sample.
    pub const MOST: u32 = 1 << 14;

    /// An even number of trials from 2 to 2^14. Add several samples for more.
    ///
    /// # Errors
    /// [`KernelError::Trials`].
    pub fn new(trials: u32) -> Result<Binomial, KernelError> {
        if trials % 2 == 1 || !(2..=Binomial::MOST).contains(&trials) {
            return Err(KernelError::Trials { given: trials });
        }
        Ok(Binomial { trials })
    }

    /// The number of trials.
    pub fn trials(&self) -> u32 {
        self.trials
    }
}

impl Sampled for Binomial {
    fn sampler(&self) -> Sampler<'_> {
        Sampler::Trials(self.trials)
    }
}

impl Law for Binomial {
    /// Each trial is a bit of the keystream.
    fn total_variation(&self) -> u64 {
        0
    }
}
