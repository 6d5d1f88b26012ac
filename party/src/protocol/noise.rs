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

#[cfg(test)]
mod tests {
    use super::*;
    use veilgrid_api::{manifest, planner};

    fn plan() -> Plan {
        let text = "
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {name: job}
spec:
  parties: [{name: a, dataset: {name: a}}, {name: b, dataset: {name: b}}]
  privacy: {epsilon: 1}
  computation:
    statistics:
      - {name: rows, count: {}, weight: 3}
      - {name: mean, mean: {column: age}}
      - {name: bins, histogram: {column: age, edges: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}}
"
        .to_owned()
            + &["a", "b"].map(object).concat();
        planner::plan(&manifest::parse(&text).unwrap(), None, &"0a".repeat(16)).unwrap()
    }

    fn object(name: &str) -> String {
        format!(
            "---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {{name: {name}}}
spec:
  source: {{path: x.csv}}
  columns: [{{name: age, number: {{min: 0, max: 12}}}}]
  budget: {name}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {{name: {name}}}
spec: {{epsilon: 1}}
"
        )
    }

    /// Cell for cell the plan's laws, whatever the chunks; and no two chunks share keystream.
    #[test]
    fn every_cell_has_the_noise_of_its_component() {
        let plan = plan();
        let device = Device::cpu().unwrap();
        let cells = plan.cells as usize;
        assert_eq!(cells, 15);
        for cut in 0..=cells {
            let mut noised = vec![5u64; cells];
            let mut noise = PlannedNoise::new(&plan, Seed::from_bytes([9; 32])).unwrap();
            let (left, right) = noised.split_at_mut(cut);
            noise.add(&device, 0, left).unwrap();
            noise.add(&device, cut as u64, right).unwrap();

            let mut stream = Seed::from_bytes([9; 32]).stream(NOISE_STREAM);
            let mut expected = vec![5u64; cells];
            for part in [0..cut, cut..cells] {
                for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
                    let law = Laplace::new(component.scale.numerator, component.scale.denominator).unwrap();
                    let from = part.start.max(component.offset as usize);
                    let to = part.end.min((component.offset + component.cells) as usize);
                    let mut drawn = vec![0i64; to.saturating_sub(from)];
                    noise::laplace_fill(&device, &law, &mut stream, &mut drawn).unwrap();
                    (from..to).zip(drawn).for_each(|(i, e)| expected[i] = expected[i].wrapping_add(e as u64));
                }
            }
            assert_eq!(noised, expected, "cut at {cut}");
            assert!(noised.iter().any(|value| *value != 5));
        }
    }
}
