//! Known answers of the prime fields.

use super::{BLOCK, ID, KEY, LEN, some, span};
use crate::field::{Ntt, elements};
use crate::gpu::Gpu;
use crate::{Device, Field, Field64, KernelError, spec};

/// Elements that look random, and every pair of some on which carries turn.
pub(super) fn each<F: Field>(
    mut gpu: impl FnMut(&mut [F], &[F]) -> Result<(), KernelError>,
    mut defined: impl FnMut(&mut [F], &[F]),
) -> Result<bool, KernelError> {
    let special = [0, 1, F::MODULUS - 1, 1 << 32, (1 << 32) - 1, 1 << 48, F::MODULUS >> 1, (1 << 60) + 1];
    let pairs = special.iter().flat_map(|a| special.iter().map(|b| (*a, *b)));
    let random = some::<u64>(9).into_iter().zip(some::<u64>(10));
    let words = random.chain(pairs).map(|(a, b)| (a % F::MODULUS, b % F::MODULUS));
    let (start, other): (Vec<u64>, Vec<u64>) = words.unzip();
    let (mut got, other) = (elements::<F>(&start)?.to_vec(), elements::<F>(&other)?);
    let mut want = got.clone();
    gpu(&mut got, other)?;
    defined(&mut want, other);
    Ok(got == want)
}

pub(super) fn mul_add<F: Field>(gpu: &Gpu) -> Result<bool, KernelError> {
    let third: Vec<u64> = some::<u64>(11).into_iter().map(|word| word % F::MODULUS).collect();
    let third: Vec<F> = elements::<F>(&third)?.iter().copied().cycle().take(LEN + 64).collect();
    each::<F>(
        |acc, other| gpu.field_mul_add(acc, other, &third),
        |acc, other| spec::field::mul_add(acc, other, &third),
    )
}

/// Elements on which carries turn, of two workgroups.
pub(super) fn dot<F: Field>(gpu: &Gpu) -> Result<bool, KernelError> {
    let (mut got, mut want) = (F::ZERO, F::ZERO);
    each::<F>(
        |acc, other| {
            got = gpu.field_dot(&acc.repeat(3), &other.repeat(3))?;
            Ok(())
        },
        |acc, other| want = spec::field::dot(&acc.repeat(3), &other.repeat(3)),
    )?;
    Ok(got == want)
}

pub(super) fn evaluate<F: Field>(gpu: &Gpu) -> Result<bool, KernelError> {
    let coefficients = [F::MODULUS - 1, 0, 1 << 32, (1 << 48) + 1].repeat(3);
    let coefficients = elements::<F>(&coefficients)?;
    each::<F>(
        |points, _| gpu.field_evaluate(coefficients, points),
        |points, _| spec::field::evaluate(coefficients, points),
    )
}

pub(super) fn uniform<F: Field>(gpu: &Gpu) -> Result<bool, KernelError> {
    let (mut got, mut want) = (vec![F::ZERO; LEN], vec![F::ZERO; LEN]);
    gpu.field_uniform(&span(), &mut got)?;
    spec::field::uniform(&KEY, ID, BLOCK, &mut want);
    Ok(got == want)
}

/// Secrets on which carries turn, and some that look random; each result is of several workgroups.
pub(super) fn shamir_split<F: Field>(gpu: &Gpu) -> Result<bool, KernelError> {
    let mut shares = vec![F::ZERO; 0];
    let mut due = shares.clone();
    each::<F>(
        |secret, _| {
            shares = vec![F::ZERO; 4 * secret.len()];
            gpu.shamir_split(3, &span(), secret, &mut shares)
        },
        |secret, _| {
            due = vec![F::ZERO; 4 * secret.len()];
            spec::shamir::split(secret, 3, (&KEY, ID, BLOCK), &mut due);
        },
    )?;
    Ok(shares == due)
}

/// Two transforms, there and back; and in three passes, the last a short one, which only long transforms take.
pub(super) fn ntt(gpu: &Gpu) -> Result<bool, KernelError> {
    const LOG: u32 = 7;
    let ntt = Ntt::new(LOG)?;
    let device = Device::from(gpu.clone());
    let mut got = vec![Field64::ZERO; 2 << LOG];
    spec::field::uniform(&KEY, ID, BLOCK, &mut got);
    let (start, mut want, mut by_passes) = (got.clone(), got.clone(), got.clone());
    want.chunks_exact_mut(1 << LOG).for_each(spec::ntt::forward);
    ntt.forward(&device, &mut got)?;
    gpu.passes(LOG, 3, ntt.root().get(), 1, &mut by_passes)?;
    let right = got == want && by_passes == want;
    ntt.inverse(&device, &mut got)?;
    Ok(right && got == start)
}
