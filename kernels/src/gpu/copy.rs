//! Copies between the caller's vectors and memory that a GPU reads or writes, on as many cores as they are worth: one core
//! moves a quarter of what the bus does.

#![allow(unsafe_code)] // wgpu's view of memory to write does not say that a thread may take it: see `Copy`.

use crate::cpu::{Arch, Cpu, Divide, IntSimd, Kernel};
use std::sync::LazyLock;
use wgpu::WriteOnly;

/// About how many bytes a core copies in a nanosecond.
const SPEED: usize = 8;

/// A copy, to mapped memory or to the caller's: neither is read.
struct Copy<'a> {
    from: &'a [u8],
    to: WriteOnly<'a, [u8]>,
}

// SAFETY: a `WriteOnly` is an exclusive reference, through which bytes are only written. `&mut [u8]` may be sent, and wgpu says the same of
// its own type where what it refers to is sized.
unsafe impl Send for Copy<'_> {}

/// Several copies.
struct Copies<'a>(Vec<Copy<'a>>);

/// Copies `from` to `to`, which is as long.
pub(super) fn up(from: &[u8], to: WriteOnly<'_, [u8]>) {
    CORES.spread(Copy { from, to });
}

/// Copies `from` to `to`, which is as long.
pub(super) fn down(from: &[u8], to: &mut [u8]) {
    up(from, WriteOnly::from_mut(to));
}

/// Copies rows to the beginnings of parts of `to`, of `stride` bytes each, and fills up with zeros what is left of a part and behind the last.
pub(super) fn rows_up<'a, 'r: 'a>(
    rows: impl Iterator<Item = &'r [u8]>,
    stride: usize,
    to: WriteOnly<'a, [u8]>,
) {
    let mut rest = to;
    let copies = rows.map(|from| {
        // What is written is no longer in `rest`: it is left empty until the end behind it is put there.
        let (part, after) = std::mem::replace(&mut rest, WriteOnly::from_mut(&mut [])).split_at(stride);
        rest = after;
        let (to, mut filling) = part.split_at(from.len());
        filling.fill(0);
        Copy { from, to }
    });
    let copies = Copies(copies.collect());
    rest.fill(0);
    CORES.spread(copies);
}

/// Copies the beginnings of parts of `from`, of `stride` bytes each, to rows.
pub(super) fn rows_down<'r>(from: &[u8], stride: usize, rows: impl Iterator<Item = &'r mut [u8]>) {
    let copies = from.chunks_exact(stride).zip(rows);
    let copies = copies.map(|(from, to)| Copy { from: &from[..to.len()], to: WriteOnly::from_mut(to) });
    CORES.spread(Copies(copies.collect()));
}

/// All cores: to ask the system how many takes longer than a small copy. A copy is no faster by vectors of ours.
static CORES: LazyLock<Cpu> = LazyLock::new(|| Cpu::new(Arch::Scalar(pulp::Scalar)));

impl Kernel for Copy<'_> {
    type Output = ();

    fn run<S: IntSimd>(mut self, _: S) {
        self.to.copy_from_slice(self.from);
    }
}

impl Divide for Copy<'_> {
    const STEP: usize = 4096;

    fn len(&self) -> usize {
        self.from.len()
    }

    fn nanoseconds(&self) -> usize {
        self.from.len() / SPEED
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let ((from, from_rest), (to, to_rest)) = (self.from.split_at(at), self.to.split_at(at));
        (Copy { from, to }, Copy { from: from_rest, to: to_rest })
    }

    fn join(_: usize, (): (), (): ()) {}
}

impl Kernel for Copies<'_> {
    type Output = ();

    fn run<S: IntSimd>(self, simd: S) {
        self.0.into_iter().for_each(|copy| copy.run(simd));
    }
}

impl Divide for Copies<'_> {
    const STEP: usize = 1;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn nanoseconds(&self) -> usize {
        self.0.iter().map(Copy::nanoseconds).sum()
    }

    fn cut(mut self, at: usize) -> (Self, Self) {
        let rest = self.0.split_off(at);
        (self, Copies(rest))
    }

    fn join(_: usize, (): (), (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_to_parts_and_back() {
        for (rows, run, stride) in [(64, 3, 8), (5, 8, 8), (64, 64 << 10, 64 << 10), (3, 0, 8)] {
            let from: Vec<u8> = (0..rows * run).map(|i| (i % 251) as u8).collect();
            let mut parts = vec![9; (rows + 2) * stride];
            let row = |row| &from[row * run..(row + 1) * run];
            rows_up((0..rows).map(row), stride, WriteOnly::from_mut(&mut parts));
            let behind = parts.split_off(rows * stride);
            assert!(behind.iter().all(|byte| *byte == 0));
            for (i, part) in parts.chunks_exact(stride).enumerate() {
                assert!(part[..run] == *row(i) && part[run..].iter().all(|byte| *byte == 0));
            }
            let mut back = vec![7; rows * run];
            if run > 0 {
                rows_down(&parts, stride, back.chunks_exact_mut(run));
            }
            assert!(back == from);
        }
    }
}
