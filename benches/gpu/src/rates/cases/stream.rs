//! Kernels that expand a stream.

use super::{BITS, BLOCK, BLOCKS, Case, Done, Item, LOWER, UPPER, change, vector};
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{
    Bernoulli, Binomial, Device, Field, Gaussian, KernelError, Laplace, Seed, Skellam, Stream, chacha, field,
};

pub(super) const KEY: [u8; 32] = [7; 32];
pub(super) const STREAM: u64 = 3;
/// Places in the parameters, in words: the stream's, and the thresholds, of four words each.
const STREAM_AT: usize = 4;
const KEY_AT: usize = 12;
const THRESHOLDS: usize = 20;
/// Instructions of a block of keystream.
pub(super) const ROUNDS: f64 = 1296.0;
/// Thresholds of a table come in whole turns of the loop that compares with them.
const TURN: usize = 4;

pub(super) fn opened() -> Stream {
    Seed::from_bytes(KEY).stream(STREAM)
}

/// The key as words.
pub(super) fn key() -> impl Iterator<Item = u32> {
    KEY.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Parameters of a stream's first blocks, with these words at these places.
fn params(units: usize, places: &[(usize, u64)]) -> Vec<u32> {
    let mut params = super::params(places);
    params.resize(KEY_AT, 0);
    params[0] = units as u32;
    params[STREAM_AT] = STREAM as u32;
    params.extend(key());
    params
}

/// A kernel that takes one unit for each block of `words`.
fn expanding<T: Item>(case: Case, moved: usize, words: usize, places: &[(usize, u64)]) -> Case {
    let units = words / BLOCK;
    case.with(moved * words, params(units, places), vec![vector::<T>(words, 0)], units.div_ceil(BLOCKS))
}

pub(super) fn keystream(kernel: &str, words: usize) -> Case {
    let batch = change(|device, out: &mut [u8], _: &[&[u8]]| chacha::keystream(device, &mut opened(), out));
    expanding::<u64>(Case::new(kernel, "chacha::keystream", words / BLOCK, batch), 8, words, &[])
}

pub(super) fn mask<T: Item>(
    kernel: &str,
    words: usize,
    name: &str,
    batch: fn(&Device, &mut [T], &mut Stream) -> Done,
) -> Case {
    let batch = change(move |device, data: &mut [T], _: &[&[T]]| batch(device, data, &mut opened()));
    expanding::<u64>(Case::new(kernel, name, words / BLOCK, batch), 16, words, &[])
}

pub(super) fn uniform<F: Field + Item>(kernel: &str, words: usize) -> Case {
    let batch = change(|device, out: &mut [F], _: &[&[F]]| field::uniform(device, &mut opened(), out));
    // One row.
    let places = [(BITS, u64::from(u32::MAX))];
    expanding::<F>(Case::new(kernel, "field::uniform", words, batch), 8, words, &places)
}

/// Samples of a law, `units` of its kernel's limit, which leaves out the rounds of `blocks` blocks.
fn samples(
    kernel: &str,
    words: usize,
    (name, law): (&str, impl Law + 'static),
    [units, blocks]: [usize; 2],
    places: &[(usize, u64)],
) -> Case {
    let (batch, function, moved) = if kernel.ends_with("_add") {
        let batch = change(move |device, values: &mut [u64], _: &[&[u64]]| {
            noise::add(device, &law, &mut opened(), values)
        });
        (batch, "add", 16)
    } else {
        let batch = change(move |device, out: &mut [i64], _: &[&[u64]]| {
            noise::fill(device, &law, &mut opened(), out)
        });
        (batch, "fill", 8)
    };
    let case = Case::new(kernel, &format!("noise::{function}, {name}"), units, batch);
    let case = expanding::<u64>(case, moved, words, places);
    Case { least: case.least.map(|least| least + ROUNDS * blocks as f64), ..case }
}

/// Of each sample the digits, each group's head beside them.
pub(super) fn laplace(kernel: &str, words: usize) -> Result<Case, KernelError> {
    let law = Laplace::new(10, 1)?;
    let digits = law.digits().to_vec();
    let places = [(BITS, digits.len() as u64), (LOWER, law.zero_threshold())];
    let units = [words * digits.len(), words / BLOCK];
    let mut case = samples(kernel, words, ("Laplace 10", law), units, &places);
    let params = &mut case.work.params[0];
    params.resize(THRESHOLDS, 0);
    for threshold in digits.as_flattened() {
        params.extend([*threshold as u32, (threshold >> 32) as u32, 0, 0]);
    }
    Ok(case)
}

/// Laws that are drawn from a table: of few and many thresholds, and of several draws.
pub(super) fn tables(kernel: &str, words: usize) -> Result<Vec<Case>, KernelError> {
    let (narrow, wide) = (Gaussian::new(10, 1)?, Gaussian::new(1000, 1)?);
    let skellam = Skellam::new(100, 1)?;
    let coin = Bernoulli::new(1, 3)?;
    let tables = [&narrow, &wide].map(|law| (law.thresholds().to_vec(), law.weights().to_vec()));
    let [first, second] = tables;
    let third = (skellam.thresholds().to_vec(), vec![1]);
    let fourth = (vec![coin.threshold()], vec![1]);
    Ok(vec![
        table(kernel, words, ("Gaussian 10", narrow), first, true),
        table(kernel, words, ("Gaussian 1000", wide), second, true),
        table(kernel, words, ("Skellam 100", skellam), third, true),
        table(kernel, words, ("Bernoulli 1/3", coin), fourth, false),
    ])
}

/// Thresholds and weights of a law, and whether a draw has a sign.
fn table(
    kernel: &str,
    words: usize,
    law: (&str, impl Law + 'static),
    (mut table, weights): (Vec<u64>, Vec<u64>),
    signed: bool,
) -> Case {
    table.resize(table.len().next_multiple_of(TURN), 0);
    let (draws, thresholds) = (weights.len(), table.len());
    table.extend(weights);
    let places = [(BITS, draws as u64), (LOWER, thresholds as u64 | u64::from(signed) << 32)];
    let units = [words * draws * thresholds, words / BLOCK * draws];
    let mut case = samples(kernel, words, law, units, &places);
    case.work.vectors.push(table);
    case
}

/// Binomial noise, whose last word is not whole.
pub(super) fn trials(kernel: &str, words: usize) -> Result<Case, KernelError> {
    let law = Binomial::new(200)?;
    let (trials, of) = (law.trials(), law.trials().div_ceil(u64::BITS));
    let last = u64::MAX >> (trials.wrapping_neg() % u64::BITS);
    let places = [(BITS, of.into()), (LOWER, last), (UPPER, (trials / 2).into())];
    Ok(samples(kernel, words, ("Binomial 200", law), [words * of as usize, 0], &places))
}
