//! The fixed thresholds of a noise law, exact: intervals of big integers, never a floating-point number.
//!
//! Every quantity is an interval of fixed-point numbers that surely holds the true value, rounded outwards at
//! each step. A threshold is a floor; where the floors of both ends differ, all is done again with twice the
//! precision. `docs/noise.md` says why that ends.

mod gaussian;
mod laplace;
mod skellam;

pub(crate) use gaussian::gaussian;
pub(crate) use laplace::laplace;
pub(crate) use skellam::skellam;

use num_bigint::BigUint;

/// What `find` finds at the first precision at which every floor is certain.
fn certainly<T>(find: impl Fn(&Arithmetic) -> Option<T>) -> T {
    let mut precision = 256;
    loop {
        if let Some(found) = find(&Arithmetic { precision }) {
            return found;
        }
        precision *= 2;
    }
}

/// A number that lies between `low` and `high` units of 2^-precision.
#[derive(Clone)]
struct Interval {
    low: BigUint,
    high: BigUint,
}

impl Interval {
    fn zero() -> Interval {
        Interval { low: BigUint::ZERO, high: BigUint::ZERO }
    }

    fn add(&mut self, other: &Interval) {
        self.low += &other.low;
        self.high += &other.high;
    }
}

/// Arithmetic at one precision, in bits.
struct Arithmetic {
    precision: u64,
}

impl Arithmetic {
    fn unit(&self) -> BigUint {
        BigUint::from(1u32) << self.precision
    }

    fn one(&self) -> Interval {
        Interval { low: self.unit(), high: self.unit() }
    }

    /// exp(-n / d): the alternating series at a half or less, squared until it is there.
    fn exp_minus(&self, n: &BigUint, d: &BigUint) -> Interval {
        let halvings = (n.bits() + 2).saturating_sub(d.bits()).max(4);
        let d = d << halvings;
        let mut term = self.one();
        // Bounds of the sums of the even and of the odd terms: the value is their difference.
        let mut sums = [Interval::zero(), Interval::zero()];
        let mut index = 0u32;
        // Terms fall at least by half each, so they reach one unit, and what is left out is below the last.
        while term.high > BigUint::from(1u32) {
            sums[index as usize % 2].add(&term);
            index += 1;
            let divisor = &d * index;
            term = Interval { low: term.low * n / &divisor, high: ceiling(term.high * n, &divisor) };
        }
        let [even, odd] = sums;
        let mut value =
            Interval { low: even.low - odd.high - &term.high, high: even.high - odd.low + &term.high };
        for _ in 0..halvings {
            value = self.mul(&value, &value);
        }
        value
    }

    fn mul(&self, a: &Interval, b: &Interval) -> Interval {
        Interval { low: (&a.low * &b.low) >> self.precision, high: ceiling(&a.high * &b.high, &self.unit()) }
    }

    /// Twice floor(2^63 P(|X| >= j)) for j = 1, 2, ... up to the last that is not 0, where P(X = x) is proportional to
    /// `weights[|x|]` for every integer x. What the values beyond those of `weights` weigh on one side is `tail`.
    /// `None` also where the tail is not rare.
    fn folded(&self, weights: &[Interval], tail: Interval) -> Option<Vec<u64>> {
        // From the outermost value on, so that each sum is that of all values from its own on.
        let mut sums = vec![tail];
        for weight in weights[1..].iter().rev() {
            let mut sum = sums[sums.len() - 1].clone();
            sum.add(weight);
            sums.push(sum);
        }
        let mut thresholds = Vec::new();
        // What the values below `j` weigh, on both sides.
        let mut inner = weights[0].clone();
        for (j, sum) in (1..).zip(sums.iter().rev()) {
            // a / (a + b) rises with `a` and falls with `b`.
            let part = |sum: &BigUint, inner: &BigUint| {
                let outer = sum << 1u32;
                let all = &outer + inner;
                floor_of_ratio(&outer, &all, 63)
            };
            match agreed(part(&sum.low, &inner.high), part(&sum.high, &inner.low))? {
                0 => return Some(thresholds),
                threshold => thresholds.push(2 * threshold),
            }
            let weight = weights.get(j)?;
            inner.add(weight);
            inner.add(weight);
        }
        None
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
