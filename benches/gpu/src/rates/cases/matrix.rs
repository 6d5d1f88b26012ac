//! Kernels that take matrices, or as many vectors as a sum has terms.

use super::{BITS, Batch, Case, Item, LANES, LOWER, UPPER, VECTOR, change, params, timed, vector};
use veilgrid_kernels::field::{elements, lagrange_weights, words};
use veilgrid_kernels::matmul::{self, Element, Shape};
use veilgrid_kernels::{Field, KernelError, shamir};

/// Rows of a tile of sums, and vectors of each.
const TALL: usize = 32;
const WIDE: usize = 16;
/// Invocations of a workgroup that adds sums up, and how many it adds up.
const TILE_LANES: usize = 64;
const SHARES: usize = 64;
/// Rows and columns of a small product, and of a tile that is transposed.
const SMALL: usize = 8;
const TURN: usize = 32;
/// Parties whose shares are put together.
const PARTIES: u32 = 51;

fn low_high(low: usize, high: usize) -> u64 {
    low as u64 | (high as u64) << 32
}

/// A square times a square, in whole tiles.
pub(super) fn product<T: Element + Item>(kernel: &str, side: usize) -> Case {
    let batch = change(move |device, acc: &mut [T], given: &[&[T]]| {
        let (left, right) = given[1].split_at(acc.len());
        matmul::multiply_add(device, Shape { rows: side, inner: side, columns: side }, left, right, acc)
    });
    let words = side * side / T::PER;
    let (across, all) = (side / (VECTOR * T::PER), words / VECTOR);
    let places = [(BITS, across as u64), (LOWER, low_high(across, all)), (UPPER, low_high(across, all))];
    let params = params(&places);
    Case::new(kernel, &format!("matmul::multiply_add, {side}"), side.pow(3), batch).with(
        32 * words,
        params,
        vec![vector::<T>(words, 0), vector::<T>(2 * words, 1)],
        side / TALL * (across / WIDE),
    )
}

/// Sums of matrices, as a product by identities side by side.
pub(super) fn gathered<T: Element + Item>(kernel: &str, words: usize) -> Case {
    let sums = words / SHARES;
    let shape = Shape { rows: TALL, inner: TALL * SHARES, columns: sums * T::PER / TALL };
    let mut left = vec![0u64; TALL * shape.inner / T::PER];
    for (row, share) in (0..TALL).flat_map(|row| (0..SHARES).map(move |share| (row, share))) {
        let at = row * shape.inner + share * TALL + row;
        left[at / T::PER] |= 1 << (u64::BITS as usize / T::PER * (at % T::PER));
    }
    let batch: Batch = Box::new(move |device, vectors| {
        let (left, right) = (T::of(&left)?, T::of(&vectors[0])?);
        let mut out = vec![0; sums];
        let acc = T::of_mut(&mut out)?;
        let taken = timed(|| matmul::multiply_add(device, shape, left, right, acc))?;
        Ok((out, taken))
    });
    let vectors = sums / VECTOR;
    let params = params(&[(0, vectors as u64), (BITS, SHARES as u64)]);
    let name = format!("matmul::multiply_add, {TALL} x {} x {}", shape.inner, shape.columns);
    let case = Case::new(kernel, &name, words, batch);
    let host: fn(&[u64]) -> Vec<u64> = |shares| shares[..shares.len() / SHARES].to_vec();
    Case {
        host,
        ..case.with(8 * (words + sums), params, vec![vector::<T>(words, 0)], vectors.div_ceil(TILE_LANES))
    }
}

/// Many small products.
pub(super) fn small<T: Element + Item>(kernel: &str, words: usize) -> Case {
    let count = words * T::PER / (SMALL * SMALL);
    let batch = change(move |device, acc: &mut [T], given: &[&[T]]| {
        let (left, right) = given[1].split_at(acc.len());
        let shape = Shape { rows: SMALL, inner: SMALL, columns: SMALL };
        matmul::multiply_add_batch(device, shape, count, left, right, acc)
    });
    let (across, all) = (SMALL / (VECTOR * T::PER), words / VECTOR);
    let params = params(&[
        (0, all as u64),
        (BITS, SMALL as u64),
        (LOWER, low_high(across, all)),
        (UPPER, low_high(SMALL, across)),
    ]);
    let name = format!("matmul::multiply_add_batch, {SMALL}");
    Case::new(kernel, &name, count * SMALL.pow(3), batch).with(
        32 * words,
        params,
        vec![vector::<T>(words, 0), vector::<T>(2 * words, 1)],
        all.div_ceil(LANES),
    )
}

/// A matrix as wide as tall, or twice.
pub(super) fn transpose<T: Element + Item>(kernel: &str, words: usize) -> Case {
    let len = words * T::PER;
    let rows = 1 << (len.ilog2() / 2);
    let columns = len / rows;
    let batch = change(move |device, to: &mut [T], given: &[&[T]]| {
        matmul::transpose(device, rows, columns, given[1], to)
    });
    let params = params(&[(BITS, columns as u64), (LOWER, rows as u64)]);
    Case::new(kernel, &format!("matmul::transpose, {rows} x {columns}"), len, batch).with(
        16 * words,
        params,
        vec![vec![0; words], vector::<T>(words, 0)],
        len / (TURN * TURN),
    )
}

/// A secret of its shares, which are as long as they can be in about so many words.
pub(super) fn shares<F: Field + Item>(kernel: &str, words: usize) -> Result<Case, KernelError> {
    let (terms, len) = (PARTIES as usize, words / 64);
    let scheme = shamir::Scheme::<F>::new(PARTIES, PARTIES - 1)?;
    let parties: Vec<u32> = (1..=PARTIES).collect();
    let secret = scheme.secret_from(&parties)?;
    let points: Vec<u64> = parties.iter().map(|party| u64::from(*party)).collect();
    let weights = lagrange_weights(elements::<F>(&points)?, F::ZERO)?;
    let mut source: Vec<u64> = self::words(&weights).iter().flat_map(|weight| [*weight; VECTOR]).collect();
    source.extend(vector::<F>(terms * len, 0));
    let batch = change(move |device, out: &mut [F], given: &[&[F]]| {
        let shares: Vec<&[F]> = given[1][VECTOR * terms..].chunks_exact(len).collect();
        secret.reconstruct(device, &shares, out)
    });
    let across = len / VECTOR;
    let params = params(&[(0, across as u64), (BITS, terms as u64), (LOWER, low_high(across, terms))]);
    let name = format!("shamir::Weights::reconstruct, {terms}");
    let case = Case::new(kernel, &name, terms * len, batch);
    Ok(case.with(8 * (terms + 1) * len, params, vec![vec![0; len], source], across.div_ceil(LANES)))
}
