//! The fixed thresholds of a noise law, exact: intervals of big integers, never a floating-point number.
//!
//! Every quantity is an interval of fixed-point numbers that surely holds the true value, rounded outwards at
//! each step. A threshold is a floor; where the floors of both ends differ, all is done again with twice the
//! precision. That ends: `exp(-x)` of a rational `x > 0` is irrational, so no true value is an integer.

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

/// Thresholds for q = exp(-denominator / numerator), where 0 < denominator <= 8 * numerator.
pub(crate) fn thresholds(numerator: u64, denominator: u64) -> Thresholds {
    let mut precision = 256;
    loop {
        let table = Table { precision };
        if let Some(found) = table.thresholds(numerator, denominator) {
            return found;
        }
        precision *= 2;
    }
}

/// A number in 0..=1 that lies between `low` and `high` units of 2^-precision.
#[derive(Clone)]
struct Interval {
    low: BigUint,
    high: BigUint,
}

/// Arithmetic at one precision, in bits.
struct Table {
    precision: u64,
}

impl Table {
    fn one(&self) -> BigUint {
        BigUint::from(1u32) << self.precision
    }

    /// `None`: some floor is not certain at this precision.
    fn thresholds(&self, numerator: u64, denominator: u64) -> Option<Thresholds> {
        let one = self.one();
        let q = self.exp_minus(denominator, numerator);
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
            power = self.square(&power);
        }
        let values = |k: usize| 1 << (bits - 3 * k as u32).min(3);
        let digits =
            powers.iter().enumerate().map(|(k, t)| self.digit(t, values(k))).collect::<Option<_>>()?;
        Some(Thresholds { zero, bits, digits })
    }

    /// The thresholds of a digit below `values` with P(D = d) proportional to t^d; 0 for values that it never has.
    fn digit(&self, t: &Interval, values: usize) -> Option<[u64; STEPS]> {
        // P(D >= j) = (t^j + ... + t^(values - 1)) / (1 + ... + t^(values - 1)), which rises with t.
        let floors = |t: &BigUint| {
            // t^d, exactly, in units of 2^-(precision * (values - 1)).
            let powers: Vec<BigUint> = (0..values as u32)
                .map(|d| t.pow(d) << (self.precision * u64::from(values as u32 - 1 - d)))
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

    /// exp(-n / d) for n <= 8 d: the alternating series at n / 16 d, squared four times.
    fn exp_minus(&self, n: u64, d: u64) -> Interval {
        const HALVINGS: u32 = 4;
        let d = BigUint::from(d) << HALVINGS;
        let mut term = Interval { low: self.one(), high: self.one() };
        // Bounds of the sums of the even and of the odd terms: the value is their difference.
        let zero = Interval { low: BigUint::ZERO, high: BigUint::ZERO };
        let mut sums = [zero.clone(), zero];
        let mut index = 0u32;
        // Terms fall at least by half each, so they reach one unit, and what is left out is below the last.
        while term.high > BigUint::from(1u32) {
            let sum = &mut sums[index as usize % 2];
            sum.low += &term.low;
            sum.high += &term.high;
            index += 1;
            let divisor = &d * index;
            term = Interval { low: term.low * n / &divisor, high: ceiling(term.high * n, &divisor) };
        }
        let [even, odd] = sums;
        let mut value =
            Interval { low: even.low - odd.high - &term.high, high: even.high - odd.low + &term.high };
        for _ in 0..HALVINGS {
            value = self.square(&value);
        }
        value
    }

    fn square(&self, x: &Interval) -> Interval {
        Interval { low: (&x.low * &x.low) >> self.precision, high: ceiling(&x.high * &x.high, &self.one()) }
    }
}

fn ceiling(numerator: BigUint, denominator: &BigUint) -> BigUint {
    (numerator + denominator - 1u32) / denominator
}

/// floor(2^bits * numerator / denominator).
fn floor_of_ratio(numerator: &BigUint, denominator: &BigUint, bits: u32) -> BigUint {
    (numerator << bits) / denominator
}

fn agreed(low: BigUint, high: BigUint) -> Option<u64> {
    if low == high { u64::try_from(low).ok() } else { None }
}

/// The answer to a question for which one end says surely yes, the other surely no.
fn certain(yes: bool, no: bool) -> Option<bool> {
    if yes || no { Some(yes) } else { None }
}
