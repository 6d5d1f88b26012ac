//! Chains of element-wise steps: all of them on a block that stays in the first-level cache, then the next block.

use super::bits::{And, Xor};
use super::chacha::keystream;
use super::divide::{EXPANDED, STREAMED};
use super::ring::{Add, Mul, Sub, Sum, zip};
use super::{Divide, IntSimd, Kernel};
use crate::Word;
use crate::chain::{self, Action, Operand};
use crate::stream::BLOCK;
use zeroize::Zeroize;

/// A step whose vectors are slices as long as the chain's.
pub(crate) type Step<'a, T> = chain::Step<'a, T, &'a [T]>;

/// Bytes of a block. It, what is held and an operand fit any first-level cache; a multiple of every pass of keystream.
const BYTES: usize = 8 << 10;

/// Changes `data` by the steps.
pub(crate) struct Change<'a, T> {
    pub(crate) steps: Vec<Step<'a, T>>,
    pub(crate) data: &'a mut [T],
}

/// The sum of what the steps make of `len` zeros.
pub(crate) struct Total<'a, T> {
    pub(crate) steps: Vec<Step<'a, T>>,
    pub(crate) len: usize,
}

/// A block of its own, wiped when dropped.
#[repr(C, align(64))]
struct Block([u64; BYTES / 8]);

impl Block {
    const EMPTY: Block = Block([0; BYTES / 8]);

    fn words<T: Word>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Word> Kernel for Change<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let (mut held, mut spare) = (Block::EMPTY, Block::EMPTY);
        for (index, block) in self.data.chunks_mut(BYTES / size_of::<T>()).enumerate() {
            for step in &self.steps {
                apply(simd, step, index, block, held.words(), spare.words());
            }
        }
    }
}

impl<T: Word> Kernel for Total<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) -> T {
        let (mut block, mut held, mut spare) = (Block::EMPTY, Block::EMPTY, Block::EMPTY);
        let most = BYTES / size_of::<T>();
        // Then the zeros are not read.
        let is_taken = self.steps.first().is_some_and(|step| step.action == Action::Take);
        let mut total = T::ZERO;
        for (index, start) in (0..self.len).step_by(most).enumerate() {
            let block = &mut block.words()[..most.min(self.len - start)];
            if !is_taken {
                block.fill(T::ZERO);
            }
            for step in &self.steps {
                apply(simd, step, index, block, held.words(), spare.words());
            }
            total = total.wrapping_add(Sum { values: block }.run(simd));
        }
        total
    }
}

/// One step on block `index`; `held` and `spare` are at least as long.
#[inline(always)]
fn apply<T: Word, S: IntSimd>(
    simd: S,
    step: &Step<'_, T>,
    index: usize,
    block: &mut [T],
    held: &mut [T],
    spare: &mut [T],
) {
    let (held, spare) = (&mut held[..block.len()], &mut spare[..block.len()]);
    let operand: &[T] = match &step.operand {
        Operand::Vector(values) => &values[index * (BYTES / size_of::<T>())..][..block.len()],
        // By way of the cache: in registers, as in a mask, each action would need a cipher of its own.
        Operand::Stream(span) => {
            let span = span.after((index * (BYTES / BLOCK)) as u64);
            if step.action == Action::Take {
                return keystream(simd, &span, bytemuck::cast_slice_mut(block));
            }
            keystream(simd, &span, bytemuck::cast_slice_mut(spare));
            spare
        }
        Operand::Constant(value) => {
            spare.fill(*value);
            spare
        }
    };
    match step.action {
        Action::Take => block.copy_from_slice(operand),
        Action::Add => zip(simd, Add, block, operand),
        Action::Sub => zip(simd, Sub, block, operand),
        Action::Mul => zip(simd, Mul, block, operand),
        Action::Xor => zip(simd, Xor, block, operand),
        Action::And => zip(simd, And, block, operand),
        Action::Hold => held.copy_from_slice(operand),
        Action::MulHeld => {
            zip(simd, Mul, held, operand);
            zip(simd, Add, block, held);
        }
    }
}

/// Both parts of the steps, cut after `at` elements.
fn cut<'a, T: Word>(steps: Vec<Step<'a, T>>, at: usize) -> (Vec<Step<'a, T>>, Vec<Step<'a, T>>) {
    let blocks = (at * size_of::<T>() / BLOCK) as u64;
    let both = steps.into_iter().map(|Step { action, operand }| {
        let (first, rest) = match operand {
            Operand::Vector(values) => {
                let (first, rest) = values.split_at(at);
                (Operand::Vector(first), Operand::Vector(rest))
            }
            Operand::Stream(span) => (Operand::Stream(span.after(0)), Operand::Stream(span.after(blocks))),
            Operand::Constant(value) => (Operand::Constant(value), Operand::Constant(value)),
        };
        (Step { action, operand: first }, Step { action, operand: rest })
    });
    both.unzip()
}

fn nanoseconds<T: Word>(steps: &[Step<'_, T>], len: usize) -> usize {
    let rate = |step: &Step<'_, T>| match step.operand {
        Operand::Stream(_) => EXPANDED,
        _ => STREAMED,
    };
    steps.iter().map(|step| len * size_of::<T>() / rate(step)).sum()
}

impl<T: Word> Divide for Change<'_, T> {
    fn len(&self) -> usize {
        self.data.len()
    }
    fn nanoseconds(&self) -> usize {
        nanoseconds(&self.steps, self.data.len())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (steps, later) = cut(self.steps, at);
        let (data, rest) = self.data.split_at_mut(at);
        (Change { steps, data }, Change { steps: later, data: rest })
    }
    fn join(_: usize, (): (), (): ()) {}
}

impl<T: Word> Divide for Total<'_, T> {
    fn len(&self) -> usize {
        self.len
    }
    fn nanoseconds(&self) -> usize {
        nanoseconds(&self.steps, self.len)
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (steps, later) = cut(self.steps, at);
        (Total { steps, len: at }, Total { steps: later, len: self.len - at })
    }
    fn join(_: usize, left: T, right: T) -> T {
        left.wrapping_add(right)
    }
}
