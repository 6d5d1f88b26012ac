//! Noise of every law.

use super::{ID, KEY, compare, elements, lengths, positions, stream};
use crate::noise::{self, Law};
use crate::{Bernoulli, Binomial, Device, Gaussian, KernelError, Laplace, Skellam, spec};

/// Samples written and added, at every length up to `longest`.
fn samples(device: &Device, what: &str, law: &impl Law, longest: usize) {
    let lengths = lengths().into_iter().filter(|len| *len <= longest);
    for (len, block) in lengths.zip(positions().into_iter().cycle()) {
        compare(
            &format!("noise::fill, {what}"),
            len,
            |len| vec![0; len],
            |out| noise::fill(device, law, &mut stream(ID, block), out),
            |out| spec::noise::fill(law, &KEY, ID, block, out),
        );
        compare(
            &format!("noise::add, {what}"),
            len,
            |len| elements::<u64>(7, len),
            |values| noise::add(device, law, &mut stream(ID, block), values),
            |values| spec::noise::add(law, &KEY, ID, block, values),
        );
    }
}

fn law<L>(law: Result<L, KernelError>) -> L {
    law.expect("a law of the suite")
}

/// Discrete Laplace noise of narrow and wide laws.
pub fn noise(device: &Device) {
    for (n, d) in [(1, 8), (1, 1), (7, 2), (10, 1), (1000, 1), (1 << 40, 1)] {
        samples(device, &format!("Laplace of scale {n}/{d}"), &law(Laplace::new(n, d)), usize::MAX);
    }
}

/// Noise from tables: of one threshold, of one draw, and of several.
pub fn noise_tables(device: &Device) {
    for (n, d) in [(0, 1), (1, 3), (1, 1)] {
        samples(device, &format!("Bernoulli of {n}/{d}"), &law(Bernoulli::new(n, d)), 1025);
    }
    samples(device, "Gaussian of scale 10", &law(Gaussian::new(10, 1)), usize::MAX);
    for (n, d) in [(1, 8), (12, 1), (25, 2), (1000, 7), (1 << 40, 1), ((1 << 40) - 1, 3)] {
        samples(device, &format!("Gaussian of scale {n}/{d}"), &law(Gaussian::new(n, d)), 513);
    }
    for (n, d) in [(1, 64), (4, 1), (3000, 7)] {
        samples(device, &format!("Skellam of variance {n}/{d}"), &law(Skellam::new(n, d)), 513);
    }
}

/// Binomial noise, of trials that fill words, bytes of counts and blocks, and of others.
pub fn noise_trials(device: &Device) {
    samples(device, "binomial of 400 trials", &law(Binomial::new(400)), usize::MAX);
    for trials in [2, 62, 64, 66, 128, 31 * 64, 32 * 64 - 2, 5000, Binomial::MOST] {
        samples(device, &format!("binomial of {trials} trials"), &law(Binomial::new(trials)), 257);
    }
}
