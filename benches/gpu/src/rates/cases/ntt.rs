//! The number-theoretic transform: a dispatch for each of its passes.

use super::{BITS, Case, LANES, LOWER, UPPER, VECTOR, change, params, vector};
use crate::rates::Work;
use veilgrid_kernels::field::Ntt;
use veilgrid_kernels::{Field, Field64, KernelError};

/// Binary logarithm of the size, where there are as many elements.
const LOG: u32 = 16;
/// Vectors that an invocation takes.
const PAIR: usize = 2;

pub(super) fn forward(kernel: &str, all: usize) -> Result<Case, KernelError> {
    let log = LOG.min(all.ilog2());
    let ntt = Ntt::new(log)?;
    let roots = powers(&ntt);
    let batch = change(move |device, values: &mut [Field64], _: &[&[Field64]]| ntt.forward(device, values));
    let units = all / (PAIR * VECTOR);
    let half = (1u64 << log) / (2 * VECTOR as u64);
    let pass = |pass: u32| {
        let places =
            [(0, units as u64), (BITS, pass.into()), (LOWER, 1), (UPPER, half | u64::from(log - 1) << 32)];
        params(&places)
    };
    let values = vector::<Field64>(all, 0);
    let case = Case::new(kernel, &format!("Ntt::forward, 2^{log}"), all * log as usize, batch);
    Ok(Case {
        moved: 16 * all * log as usize,
        work: Work {
            params: (0..log).map(pass).collect(),
            vectors: vec![values.clone(), values, roots],
            groups: units.div_ceil(LANES),
        },
        ..case
    })
}

/// The powers of the root, as many as half the elements.
fn powers(ntt: &Ntt) -> Vec<u64> {
    let (root, modulus) = (u128::from(ntt.root().get()), u128::from(Field64::MODULUS));
    let next = |power: &u64| Some((u128::from(*power) * root % modulus) as u64);
    std::iter::successors(Some(1), next).take(ntt.size() / 2).collect()
}
