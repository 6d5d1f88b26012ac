//! Chains of steps.

use super::{BLOCK, ID, KEY, LEN, some, span};
use crate::chain::{Action, Operand};
use crate::gpu::chain::Step;
use crate::gpu::{Gpu, Resident};
use crate::spec::mask::words;
use crate::stream::Span;
use crate::{KernelError, Word, spec};

/// Every action and kind of operand: what a vector holds, by steps, and what that is.
fn steps<'a, T: Word>(others: &'a [Resident; 2], constant: T) -> Vec<Step<'a, T>> {
    let [first, second] = others;
    vec![
        Step::vector(Action::Add, first),
        Step::stream(Action::Xor, span()),
        Step::vector(Action::Mul, second),
        Step { action: Action::Sub, operand: Operand::Constant(constant) },
        Step::stream(Action::Hold, Span { id: ID + 1, ..span() }),
        Step::vector(Action::MulHeld, first),
        Step { action: Action::And, operand: Operand::Constant(constant) },
    ]
}

fn after_steps<T: Word>(vector: &mut [T], others: &[Vec<T>; 2], constant: T) {
    let keystream = |id| words::<T>(&KEY, id, BLOCK, vector.len());
    let (xored, held) = (keystream(ID), keystream(ID + 1));
    for (i, x) in vector.iter_mut().enumerate() {
        *x = (x.wrapping_add(others[0][i]) ^ xored[i]).wrapping_mul(others[1][i]).wrapping_sub(constant);
        *x = x.wrapping_add(held[i].wrapping_mul(others[0][i])) & constant;
    }
}

/// Vectors on the GPU and here, and the element that goes into their steps.
fn resident<T: Word>(gpu: &Gpu, id: u64) -> Result<(Resident, Vec<T>), KernelError> {
    let values = some::<T>(id);
    let mut resident = Resident::new(gpu, size_of_val(&values[..]))?;
    resident.write(bytemuck::cast_slice(&values))?;
    Ok((resident, values))
}

pub(super) fn change<T: Word>(gpu: &Gpu) -> Result<bool, KernelError> {
    let ((first, a), (second, b)) = (resident::<T>(gpu, 18)?, resident::<T>(gpu, 19)?);
    let ((target, mut want), constant) = (resident::<T>(gpu, 20)?, some::<T>(21)[0]);
    let others = [first, second];
    gpu.chain_change(&steps(&others, constant), &target)?;
    after_steps(&mut want, &[a, b], constant);
    let mut got = vec![T::ZERO; LEN];
    target.read(bytemuck::cast_slice_mut(&mut got))?;
    Ok(got == want)
}

pub(super) fn total<T: Word>(gpu: &Gpu) -> Result<bool, KernelError> {
    let ((first, a), (second, b)) = (resident::<T>(gpu, 22)?, resident::<T>(gpu, 23)?);
    let constant = some::<T>(24)[0];
    let others = [first, second];
    let mut want = vec![T::ZERO; LEN];
    after_steps(&mut want, &[a, b], constant);
    Ok(gpu.chain_total(&steps(&others, constant), LEN)? == spec::ring::sum(&want))
}
