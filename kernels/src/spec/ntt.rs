//! The number-theoretic transform: the discrete Fourier transform of `Field64`, as the sum that it is.

use super::field::{dot, inverse, mul, pow};
use crate::{Field, Field64};

/// The generator of the elements but 0 that VDAF takes.
const GENERATOR: u64 = 7;
/// The largest power of two that divides the order of those elements is 2 to this.
const ORDER: u32 = 32;

/// The root of unity of order `2^log`, up to `2^32`: a power of `7^((p - 1) / 2^32)`.
pub fn root(log: u32) -> Field64 {
    let mut root = [Field64::new(GENERATOR).expect("7 is below the modulus")];
    pow(&mut root, (Field64::MODULUS - 1) >> log);
    assert!(log <= ORDER, "there is no root of that order");
    root[0]
}

/// `values[k]` becomes the sum of `values[j] * w^(j k)`, where `w` is the root of as high an order as there are values.
pub fn forward(values: &mut [Field64]) {
    transform(values, root(values.len().ilog2()));
}

/// `values[j]` becomes the sum of `values[k] * w^(-j k)`, divided by their number: it undoes [`forward`].
pub fn inverse_of(values: &mut [Field64]) {
    let mut constants = [root(values.len().ilog2()), Field64::new(values.len() as u64).expect("a length")];
    inverse(&mut constants);
    transform(values, constants[0]);
    let scale = vec![constants[1]; values.len()];
    mul(values, &scale);
}

fn transform(values: &mut [Field64], root: Field64) {
    let len = values.len();
    let mut powers = vec![Field64::ONE; len];
    for k in 1..len {
        let mut power = [powers[k - 1]];
        mul(&mut power, &[root]);
        powers[k] = power[0];
    }
    let sum = |k: usize| {
        let factors: Vec<Field64> = (0..len).map(|j| powers[j * k % len]).collect();
        dot(values, &factors)
    };
    let sums: Vec<Field64> = (0..len).map(sum).collect();
    values.copy_from_slice(&sums);
}
