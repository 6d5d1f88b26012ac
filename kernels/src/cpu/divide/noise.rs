//! Noise, by groups of samples.

use crate::cpu::{Divide, noise};
use crate::noise::{GROUP, Sampler};

/// Blocks that `samples` samples take, a multiple of a group.
fn blocks(sampler: &Sampler<'_>, samples: usize) -> u64 {
    (samples / GROUP * sampler.blocks()) as u64
}

/// Their keystream, and half as long again for the comparisons.
fn nanoseconds(sampler: &Sampler<'_>, samples: usize) -> usize {
    samples.saturating_mul(3 * sampler.blocks())
}

impl Divide for noise::Fill<'_> {
    fn len(&self) -> usize {
        self.out.len()
    }
    fn nanoseconds(&self) -> usize {
        nanoseconds(&self.sampler, self.out.len())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let noise::Fill { sampler, span, out } = self;
        let (out, rest) = out.split_at_mut(at);
        let later = span.after(blocks(&sampler, at));
        (noise::Fill { sampler, span, out }, noise::Fill { sampler, span: later, out: rest })
    }
    nothing_to_join!();
}

impl Divide for noise::Add<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn nanoseconds(&self) -> usize {
        nanoseconds(&self.sampler, self.values.len())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let noise::Add { sampler, span, values } = self;
        let (values, rest) = values.split_at_mut(at);
        let later = span.after(blocks(&sampler, at));
        (noise::Add { sampler, span, values }, noise::Add { sampler, span: later, values: rest })
    }
    nothing_to_join!();
}
