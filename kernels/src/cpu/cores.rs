//! A level with the cores that work at it, and how long batches are cut for them.

use super::{Arch, Kernel, pool};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// What a part must take, at least, for a thread to be worth its waking: about ten times as long.
const WORTHWHILE: usize = 50_000;
/// Parts for each thread: several, so that a thread that the system holds up does not hold up all.
const SHARES: usize = 4;

/// A vector level and how many threads a batch may use.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    arch: Arch,
    threads: usize,
}

/// A batch whose elements do not depend on each other: cut anywhere, its parts give the same bits.
pub(crate) trait Divide: Kernel<Output: Send> + Send + Sized {
    /// Elements between two places where it may be cut. A multiple of what any level takes at once, so that only the
    /// last part has a rest.
    const STEP: usize = 1024;
    /// Parts for each thread. One where parts repeat work.
    const SHARES: usize = SHARES;
    /// As [`Divide::STEP`], where it depends on the batch.
    fn step(&self) -> usize {
        Self::STEP
    }
    /// Elements.
    fn len(&self) -> usize;
    /// About how many nanoseconds one core takes for all of them.
    fn nanoseconds(&self) -> usize;
    /// The first `at` elements, a multiple of [`Divide::step`], and the others.
    fn cut(self, at: usize) -> (Self, Self);
    /// The result of a whole whose first `at` elements gave `left`.
    fn join(at: usize, left: Self::Output, right: Self::Output) -> Self::Output;
}

/// A part before and after.
struct Part<K: Kernel> {
    kernel: Option<K>,
    output: Option<K::Output>,
}

impl Cpu {
    /// With as many threads as the system lets this process run at once.
    pub(crate) fn new(arch: Arch) -> Cpu {
        Cpu { arch, threads: std::thread::available_parallelism().map_or(1, usize::from) }
    }

    /// With at most `threads` threads, the caller's among them.
    pub(crate) fn with_threads(self, threads: usize) -> Cpu {
        Cpu { threads: threads.max(1), ..self }
    }

    /// Threads that a batch may use.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs a batch on as many cores as it is worth.
    pub(crate) fn spread<K: Divide>(&self, kernel: K) -> K::Output {
        if self.threads == 1 {
            return self.arch.run(kernel);
        }
        let parts = parts(kernel.nanoseconds(), self.threads * K::SHARES);
        if parts < 2 || kernel.len() <= kernel.step() {
            self.arch.run(kernel)
        } else {
            self.divided(kernel, parts)
        }
    }

    /// Does `work` on all values, in runs of whole units, on as many cores as they are worth.
    pub(crate) fn each<T: Send>(
        &self,
        nanoseconds: usize,
        unit: usize,
        values: &mut [T],
        work: impl Fn(&Arch, &mut [T]) + Sync,
    ) {
        let units = values.len() / unit;
        let parts = parts(nanoseconds, self.threads * SHARES).min(units);
        if self.threads == 1 || parts < 2 {
            return work(&self.arch, values);
        }
        let pending: Vec<_> = values.chunks_mut(units.div_ceil(parts) * unit).map(Mutex::new).collect();
        pool::run(pending.len(), self.threads - 1, &|index| {
            work(&self.arch, &mut pending[index].lock().unwrap_or_else(PoisonError::into_inner));
        });
    }

    fn divided<K: Divide>(&self, kernel: K, parts: usize) -> K::Output {
        let size = kernel.len().div_ceil(parts).next_multiple_of(kernel.step());
        let part = |kernel| Mutex::new(Part { kernel: Some(kernel), output: None });
        let mut pending = Vec::with_capacity(parts);
        let mut rest = kernel;
        while rest.len() > size {
            let (first, others) = rest.cut(size);
            pending.push(part(first));
            rest = others;
        }
        pending.push(part(rest));
        pool::run(pending.len(), self.threads - 1, &|index| {
            let mut part = pending[index].lock().unwrap_or_else(PoisonError::into_inner);
            part.output = part.kernel.take().map(|kernel| self.arch.run(kernel));
        });
        let outputs = pending
            .into_iter()
            .filter_map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner).output);
        let joined = outputs
            .enumerate()
            .reduce(|(_, left), (index, right)| (index, K::join(index * size, left, right)));
        let Some((_, output)) = joined else { unreachable!("there is a part, and each was run") };
        output
    }
}

/// How many parts are worth their threads.
fn parts(nanoseconds: usize, most: usize) -> usize {
    (nanoseconds / WORTHWHILE).min(most)
}

/// What is not cut runs as on any level.
impl Deref for Cpu {
    type Target = Arch;

    fn deref(&self) -> &Arch {
        &self.arch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Action, Step};
    use crate::cpu::chain::{Change, Total};
    use crate::cpu::mask::Mask;
    use crate::cpu::ring::{Add, Sum};
    use crate::spec;
    use crate::stream::Span;

    #[test]
    fn parts_are_cut_and_joined_in_their_order() {
        // Two parts and no more where Miri runs it.
        const LEN: usize = if cfg!(miri) { 1100 } else { 3000 };
        let cpu = Cpu::new(Arch::Scalar(pulp::Scalar)).with_threads(3);
        let span = || Span { key: &[3; 32], id: 4, block: (1 << 32) - 100 };
        let other: Vec<u64> = (0..LEN as u64).collect();
        let mut want = other.clone();
        spec::mask::add(&mut want, span().key, span().id, span().block);
        let mut got = other.clone();
        cpu.divided(Mask { operation: Add, span: span(), data: &mut got }, 3);
        assert!(got == want);
        let steps = || vec![Step::stream(Action::Take, span()), Step::vector(Action::Add, &other[..])];
        got.fill(7);
        cpu.divided(Change { steps: steps(), data: &mut got }, 2);
        assert!(got == want);
        assert_eq!(cpu.divided(Total { steps: steps(), len: LEN }, 3), spec::ring::sum(&want));
        assert_eq!(cpu.divided(Sum { values: &got }, 3), spec::ring::sum(&want));
    }

    #[test]
    fn small_batches_stay_on_their_thread() {
        assert_eq!([0, 49_999, 99_999].map(|time| parts(time, 8)), [0, 0, 1]);
        assert_eq!([100_000, 150_000, usize::MAX].map(|time| parts(time, 8)), [2, 3, 8]);
    }
}
