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

/// Copies `from` to `to`, which is as long.
pub(super) fn up(from: &[u8], to: WriteOnly<'_, [u8]>) {
    CORES.spread(Copy { from, to });
}

/// Copies `from` to `to`, which is as long.
pub(super) fn down(from: &[u8], to: &mut [u8]) {
    up(from, WriteOnly::from_mut(to));
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
