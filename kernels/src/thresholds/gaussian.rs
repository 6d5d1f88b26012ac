//! Thresholds of the discrete Gaussian law.

use super::{Arithmetic, Interval, certainly};
use num_bigint::BigUint;

/// Thresholds of the size of X, where P(X = x) is proportional to exp(-x^2 / 2 v) for v = n / d.
pub(crate) fn gaussian(n: &BigUint, d: &BigUint) -> Vec<u64> {
    let n = n * 2u32;
    certainly(|arithmetic| found(arithmetic, &n, d))
}

/// For P(X = x) proportional to r^(x^2) with r = exp(-d / n).
fn found(arithmetic: &Arithmetic, n: &BigUint, d: &BigUint) -> Option<Vec<u64>> {
    let r = arithmetic.exp_minus(d, n);
    let square = arithmetic.mul(&r, &r);
    let half = arithmetic.unit() >> 1u32;
    let mut weights = vec![arithmetic.one()];
    // r^((x + 1)^2) is r^(x^2) times r^(2 x + 1).
    let mut ratio = r;
    loop {
        let last = &weights[weights.len() - 1];
        // From here on each weight is at most half the one before, so all that follow are at most the last.
        if last.high <= BigUint::from(1u32) && ratio.high <= half {
            let tail = Interval { low: BigUint::ZERO, high: last.high.clone() };
            return arithmetic.folded(&weights, tail);
        }
        weights.push(arithmetic.mul(last, &ratio));
        ratio = arithmetic.mul(&ratio, &square);
    }
}
