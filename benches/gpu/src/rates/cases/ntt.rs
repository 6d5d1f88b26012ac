//! The number-theoretic transform: a dispatch for each of its passes.

use super::{BITS, Case, LOWER, UPPER, change, params, vector};
use crate::rates::Work;
use veilgrid_kernels::field::Ntt;
use veilgrid_kernels::{Field, Field64, KernelError};

/// Binary logarithms: of the size, where there are as many elements; of a tile.
const LOG: u32 = 16;
const TILE: u32 = 10;
/// The place in the parameters of the binary logarithm of the size.
const WHOLE: usize = 5;
/// Levels of one of several passes, at most.
const MOST: u32 = 7;

pub(super) fn forward(kernel: &str, all: usize) -> Result<Case, KernelError> {
    let log = LOG.min(all.ilog2());
    let ntt = Ntt::new(log)?;
    let batch = change(move |device, values: &mut [Field64], _: &[&[Field64]]| ntt.forward(device, values));
    let most = if log <= TILE { log } else { log.div_ceil(log.div_ceil(MOST)) };
    let passes = log.div_ceil(most);
    let upper = u64::from(log) | u64::from(most) << 32;
    let pass = |pass: u32| params(&[(BITS, pass.into()), (WHOLE, log.into()), (LOWER, 1), (UPPER, upper)]);
    let values = vector::<Field64>(all, 0);
    let case = Case::new(kernel, &format!("Ntt::forward, 2^{log}"), all * log as usize, batch);
    Ok(Case {
        moved: 16 * all * passes as usize,
        work: Work {
            params: (0..passes).map(pass).collect(),
            vectors: vec![values.clone(), values, roots(log, most)?],
            groups: all >> TILE,
        },
        ..case
    })
}

/// The lowest powers of the root, then those of its own power that comes next.
fn roots(log: u32, most: u32) -> Result<Vec<u64>, KernelError> {
    let row = 1 << (log - most);
    let (low, high) = (Ntt::new(log)?.root().get(), Ntt::new(most)?.root().get());
    Ok(powers(low).take(row).chain(powers(high).take(1 << most)).collect())
}

fn powers(root: u64) -> impl Iterator<Item = u64> {
    let next = move |power: &u64| {
        Some((u128::from(*power) * u128::from(root) % u128::from(Field64::MODULUS)) as u64)
    };
    std::iter::successors(Some(1), next)
}
