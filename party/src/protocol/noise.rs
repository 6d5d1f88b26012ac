//! The noise that a party adds to its own sums.

use super::{NOISE_STREAM, ProtocolError};
use std::{collections::BTreeMap, ops::Range, sync::Arc};
use veilgrid_api::plan::Plan;
use veilgrid_kernels::{Device, Laplace, Seed, Stream, noise};

/// Adds noise to a vector, chunk after chunk from the first element to the last.
pub trait Noise: Send {
    /// Adds noise to `values`, the first of which has index `first` in the vector.
    ///
    /// # Errors
    /// Those of the device.
    fn add(&mut self, device: &Device, first: u64, values: &mut [u64]) -> Result<(), ProtocolError>;
}

/// A party's full discrete Laplace noise of each component of a plan, from one fresh seed.
///
/// Every party adds all of it. So the noise of one honest party alone gives the promised epsilon, whatever the others know
/// or take off.
pub struct PlannedNoise {
    runs: Vec<(Range<u64>, Arc<Laplace>)>,
    stream: Stream,
}

impl PlannedNoise {
    /// The noise of `plan`. The seed must be fresh: the same seed twice is the same noise twice.
    ///
    /// # Errors
    /// A scale that the sampler does not have; validation keeps it out of plans.
    pub fn new(plan: &Plan, seed: Seed) -> Result<Self, ProtocolError> {
        let mut laws = BTreeMap::<(u64, u64), Arc<Laplace>>::new();
        let mut runs = Vec::new();
        for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
            let scale = (component.scale.numerator, component.scale.denominator);
            let law = match laws.get(&scale) {
                Some(law) => law.clone(),
                None => Arc::new(Laplace::new(scale.0, scale.1)?),
            };
            laws.insert(scale, law.clone());
            runs.push((component.offset..component.offset + component.cells, law));
        }
        Ok(Self { runs, stream: seed.stream(NOISE_STREAM) })
    }
}

impl Noise for PlannedNoise {
    fn add(&mut self, device: &Device, first: u64, values: &mut [u64]) -> Result<(), ProtocolError> {
        let end = first + values.len() as u64;
        for (run, law) in &self.runs {
            let (from, to) = (run.start.max(first), run.end.min(end));
            if from < to {
                let part = &mut values[(from - first) as usize..(to - first) as usize];
                noise::laplace_add(device, law, &mut self.stream, part)?;
            }
        }
        Ok(())
    }
}
