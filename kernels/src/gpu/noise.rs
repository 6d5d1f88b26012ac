//! Samples of noise on the GPU: one invocation a group.

use super::Gpu;
use super::buffer::Job;
use super::ops::stream;
use crate::KernelError;
use crate::noise::{GROUP, Sampler};
use crate::stream::{BLOCK, Span};

impl Gpu {
    /// One sample per element.
    pub(crate) fn noise_fill(
        &self,
        sampler: Sampler<'_>,
        span: &Span<'_>,
        out: &mut [i64],
    ) -> Result<(), KernelError> {
        let kernel = match sampler {
            Sampler::Digits(_) => "noise_laplace_fill",
            Sampler::Table(_) => "noise_table_fill",
            Sampler::Trials(_) => "noise_trials_fill",
        };
        let words = beside(sampler);
        self.fill(job(kernel, sampler, &words, span, out.len()), bytemuck::cast_slice_mut(out))
    }

    /// Adds one sample to each element.
    pub(crate) fn noise_add(
        &self,
        sampler: Sampler<'_>,
        span: &Span<'_>,
        values: &mut [u64],
    ) -> Result<(), KernelError> {
        let kernel = match sampler {
            Sampler::Digits(_) => "noise_laplace_add",
            Sampler::Table(_) => "noise_table_add",
            Sampler::Trials(_) => "noise_trials_add",
        };
        let words = beside(sampler);
        self.change(job(kernel, sampler, &words, span, values.len()), bytemuck::cast_slice_mut(values))
    }
}

/// Thresholds that a kernel compares with in one turn of its loop.
const TURN: usize = 4;

/// What a kernel reads from binding 2: a table's thresholds, in whole turns by zeros, which nothing is below; then its weights.
fn beside(sampler: Sampler<'_>) -> Vec<u64> {
    match sampler {
        Sampler::Table(table) => {
            let mut words = table.thresholds().to_vec();
            words.resize(words.len().next_multiple_of(TURN), 0);
            words.extend(table.weights());
            words
        }
        Sampler::Digits(_) | Sampler::Trials(_) => Vec::new(),
    }
}

fn job<'a>(
    kernel: &'static str,
    sampler: Sampler<'_>,
    beside: &'a [u64],
    span: &Span<'_>,
    samples: usize,
) -> Job<'a> {
    const { assert!(8 * GROUP == BLOCK) };
    let params = stream(span);
    let params = match sampler {
        Sampler::Digits(law) => params.law(law),
        Sampler::Table(table) => params.table(table, table.thresholds().len().next_multiple_of(TURN)),
        Sampler::Trials(trials) => params.trials(trials),
    };
    let job = Job::expanding(kernel, params, 8 * samples, sampler.blocks() as u64);
    if beside.is_empty() {
        return job;
    }
    Job { source: Some(bytemuck::cast_slice(beside)), whole: Some(2), ..job }
}
