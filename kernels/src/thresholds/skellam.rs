//! Thresholds of the Skellam law of mean 0.

use super::{Arithmetic, Interval, ceiling, certainly};
use num_bigint::BigUint;

/// Thresholds of the size of X, where P(X = x) = exp(-m) I_|x|(m) for the modified Bessel functions I and the variance
/// m = n / d.
pub(crate) fn skellam(n: u64, d: u64) -> Vec<u64> {
    certainly(|arithmetic| {
        let mut values = 64;
        loop {
            if let Some(weights) = weights(arithmetic, n, d, values) {
                return folded(arithmetic, weights);
            }
            values *= 2;
        }
    })
}

/// I_x(m) / I_0(m) for x below `values`, and the ratio of the last to the one before it. `None`: there are more that count.
fn weights(arithmetic: &Arithmetic, n: u64, d: u64, values: u32) -> Option<(Vec<Interval>, Interval)> {
    // The ratios I_x / I_(x - 1) are below 1 and fall as x rises. From I_(x - 1) = (2 x / m) I_x + I_(x + 1), each is
    // n / (2 x d + n times the next).
    let mut ratio = Interval { low: BigUint::ZERO, high: arithmetic.unit() };
    let mut ratios = Vec::new();
    // Begun twice as far out, where nothing is known of a ratio: each step narrows the interval by the ratio's square.
    for x in (1..2 * values).rev() {
        let whole = (BigUint::from(d) * x) << (arithmetic.precision + 1);
        let numerator = BigUint::from(n) << (2 * arithmetic.precision);
        let low = &numerator / (&whole + &ratio.high * n);
        let high = ceiling(numerator, &(&whole + &ratio.low * n)).min(arithmetic.unit());
        ratio = Interval { low, high };
        if x < values {
            ratios.push(ratio.clone());
        }
    }
    let last = ratios[0].clone();
    let mut weights = vec![arithmetic.one()];
    for ratio in ratios.iter().rev() {
        weights.push(arithmetic.mul(&weights[weights.len() - 1], ratio));
    }
    let rare = weights[weights.len() - 1].high.bits() <= 20;
    rare.then_some((weights, last))
}

/// The weights that follow the last are at most a geometric series.
fn folded(arithmetic: &Arithmetic, (weights, ratio): (Vec<Interval>, Interval)) -> Option<Vec<u64>> {
    let last = &weights[weights.len() - 1].high;
    let high = ceiling(last * &ratio.high, &(arithmetic.unit() - &ratio.high));
    arithmetic.folded(&weights, Interval { low: BigUint::ZERO, high })
}
