//! The ways to draw a sample.

use super::{GROUP, Laplace, Table};
use crate::KernelError;

/// A law of this crate: out of reach for others, who could state a wrong distance.
pub trait Sampled {
    /// How to draw from it.
    fn sampler(&self) -> Sampler<'_>;
}

/// The ways to draw a sample, with what they need to know.
#[derive(Clone, Copy)]
pub enum Sampler<'a> {
    /// A word for zero and sign, one for each octal digit.
    Digits(&'a Laplace),
    /// A word for each draw from the table.
    Table(&'a Table),
    /// A bit for each trial.
    Trials(u32),
}

impl Sampler<'_> {
    /// Blocks that a group of eight samples consumes.
    pub(crate) fn blocks(&self) -> usize {
        match self {
            Sampler::Digits(law) => law.digits().len() + 1,
            Sampler::Table(table) => table.weights().len(),
            Sampler::Trials(trials) => trials.div_ceil(64) as usize,
        }
    }

    /// Blocks that `len` samples consume.
    ///
    /// # Errors
    /// [`KernelError::StreamExhausted`] for more than any stream has.
    pub(super) fn needed(&self, len: usize) -> Result<u64, KernelError> {
        let needed = len.div_ceil(GROUP) as u128 * self.blocks() as u128;
        u64::try_from(needed).map_err(|_| KernelError::StreamExhausted { needed: u64::MAX, left: u64::MAX })
    }
}
