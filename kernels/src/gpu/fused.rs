//! Chains of steps over vectors in host memory: each goes to the GPU once, and the result comes back once.

use super::Gpu;
use super::chain;
use super::resident::Resident;
use crate::chain::{Action, Operand, Step};
use crate::plan::{MAX_BUFFERS, MAX_STEPS, MAX_STREAMS};
use crate::stream::BLOCK;
use crate::{KernelError, Word};
use std::ops::Range;

/// Parts of the usual size that are on the GPU at once, of each vector: enough for their copies to overlap.
const PARTS: usize = 8;

impl Gpu {
    /// Changes `data` by the steps, whose vectors are as long.
    pub(crate) fn fused<T: Word>(
        &self,
        steps: &[Step<'_, T, &[T]>],
        data: &mut [T],
    ) -> Result<(), KernelError> {
        let Some(first) = steps.first() else { return Ok(()) };
        let most = PARTS * self.shard() / size_of::<T>();
        for (index, part) in data.chunks_mut(most).enumerate() {
            let at = index * most..index * most + part.len();
            let mut target = Resident::new(self, size_of_val(part))?;
            if first.action != Action::Take {
                target.write(bytemuck::cast_slice(part))?;
            }
            for steps in programs(steps) {
                self.program(steps, &at, &target)?;
            }
            target.read(bytemuck::cast_slice_mut(part))?;
        }
        Ok(())
    }

    /// Changes some elements of the chain's vector, which are on the GPU, by steps that one program holds.
    fn program<T: Word>(
        &self,
        steps: &[Step<'_, T, &[T]>],
        at: &Range<usize>,
        target: &Resident,
    ) -> Result<(), KernelError> {
        let given = vectors(steps);
        let sources = given.iter().map(|vector| {
            let mut source = Resident::new(self, target.bytes())?;
            source.write(bytemuck::cast_slice(&vector[at.clone()]))?;
            Ok(source)
        });
        let sources = sources.collect::<Result<Vec<_>, KernelError>>()?;
        let steps = steps.iter().map(|Step { action, operand }| {
            let operand = match operand {
                Operand::Vector(vector) => {
                    let known = given.iter().position(|known| std::ptr::eq(*known, *vector));
                    Operand::Vector(&sources[known.unwrap_or(0)])
                }
                Operand::Stream(span) => {
                    Operand::Stream(span.after((at.start * size_of::<T>() / BLOCK) as u64))
                }
                Operand::Constant(value) => Operand::Constant(*value),
            };
            chain::Step { action: *action, operand }
        });
        self.chain_change(&steps.collect::<Vec<_>>(), target)
    }
}

/// The vectors of some steps, each once.
fn vectors<'a, T: Word>(steps: &[Step<'_, T, &'a [T]>]) -> Vec<&'a [T]> {
    let mut vectors: Vec<&[T]> = Vec::new();
    for step in steps {
        if let Operand::Vector(vector) = step.operand
            && !vectors.iter().any(|known| std::ptr::eq(*known, vector))
        {
            vectors.push(vector);
        }
    }
    vectors
}

/// The steps in runs that one program holds. What is held is not carried over, so a run does not end there.
fn programs<'s, 'a, T: Word>(
    mut steps: &'s [Step<'a, T, &'a [T]>],
) -> impl Iterator<Item = &'s [Step<'a, T, &'a [T]>]> {
    std::iter::from_fn(move || {
        let fits = |len: &usize| {
            let run = &steps[..*len];
            let streams = run.iter().filter(|step| matches!(step.operand, Operand::Stream(_))).count();
            run.len() <= MAX_STEPS && streams <= MAX_STREAMS && vectors(run).len() <= MAX_BUFFERS
        };
        let mut len = (1..=steps.len()).take_while(fits).last()?;
        if len > 1 && len < steps.len() && steps[len - 1].action == Action::Hold {
            len -= 1;
        }
        let run;
        (run, steps) = steps.split_at(len);
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_holds_so_many_steps_and_what_is_held_with_its_product() {
        let vectors: Vec<[u64; 1]> = (0..20).map(|i| [i]).collect();
        let runs = |actions: &[(Action, usize)]| -> Vec<usize> {
            let steps: Vec<Step<'_, u64, &[u64]>> =
                actions.iter().map(|(action, vector)| Step::vector(*action, &vectors[*vector][..])).collect();
            programs(&steps).map(<[_]>::len).collect()
        };
        let adds = |count: usize| (0..count).map(|i| (Action::Add, i)).collect::<Vec<_>>();
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&adds(6)), [6]);
        assert_eq!(runs(&adds(14)), [6, 6, 2]);
        assert_eq!(runs(&[(Action::Add, 3); 33]), [16, 16, 1]);
        let held = [adds(5), vec![(Action::Hold, 5), (Action::MulHeld, 6)]].concat();
        assert_eq!(runs(&held), [5, 2]);
    }
}
