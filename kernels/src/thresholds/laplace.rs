//! Thresholds of the discrete Laplace law.

use super::{Arithmetic, Interval, agreed, certain, certainly, floor_of_ratio};
use crate::noise::STEPS;
use num_bigint::BigUint;

/// Thresholds of the discrete Laplace law of one scale; [`crate::Laplace`] says how they are used.
pub(crate) struct Thresholds {
    /// floor(2^63 * (1 - q) / (1 + q)).
    pub(crate) zero: u64,
    /// The number of binary digits of the size.
    pub(crate) bits: u32,
    /// Entry `k` holds floor(2^64 P(D >= j)) for j = 1, 2, ..., where D is octal digit `k` of the size.
    pub(crate) digits: Vec<[u64; STEPS]>,
}

/// Thresholds for q = exp(-denominator / numerator).
pub(crate) fn laplace(numerator: u64, denominator: u64) -> Thresholds {
    let (n, d) = (BigUint::from(denominator), BigUint::from(numerator));
    certainly(|arithmetic| found(arithmetic, arithmetic.exp_minus(&n, &d)))
}

/// `None`: some floor is not certain at this precision.
fn found(arithmetic: &Arithmetic, q: Interval) -> Option<Thresholds> {
    let one = arithmetic.unit();
    // (1 - q) / (1 + q) falls as q rises, so the ends change places.
    let zero = |q: &BigUint| floor_of_ratio(&(&one - q), &(&one + q), 63);
    let zero = agreed(zero(&q.high), zero(&q.low))?;

    let tail = &one >> 64;
    let mut bits = 0;
    // q^(8^k) for each digit k.
    let mut powers = Vec::new();
    let mut power = q;
    while !certain(power.high <= tail, power.low > tail)? {
        if bits % 3 == 0 {
            powers.push(power.clone());
        }
        bits += 1;
        power = arithmetic.mul(&power, &power);
    }
    let values = |k: usize| 1 << (bits - 3 * k as u32).min(3);
    let digits =
        powers.iter().enumerate().map(|(k, t)| digit(arithmetic, t, values(k))).collect::<Option<_>>()?;
    Some(Thresholds { zero, bits, digits })
}

/// The thresholds of a digit below `values` with P(D = d) proportional to t^d; 0 for values that it never has.
fn digit(arithmetic: &Arithmetic, t: &Interval, values: usize) -> Option<[u64; STEPS]> {
    // P(D >= j) = (t^j + ... + t^(values - 1)) / (1 + ... + t^(values - 1)), which rises with t.
    let floors = |t: &BigUint| {
        // t^d, exactly, in units of 2^-(precision * (values - 1)).
        let powers: Vec<BigUint> = (0..values as u32)
            .map(|d| t.pow(d) << (arithmetic.precision * u64::from(values as u32 - 1 - d)))
            .collect();
        let all: BigUint = powers.iter().sum();
        (1..values).map(|j| floor_of_ratio(&powers[j..].iter().sum(), &all, 64)).collect::<Vec<_>>()
    };
    let mut steps = [0; STEPS];
    for (step, (low, high)) in steps.iter_mut().zip(floors(&t.low).into_iter().zip(floors(&t.high))) {
        *step = agreed(low, high)?;
    }
    Some(steps)
}
