//! `mean`: the center plus the centred sum over the number of rows, each with noise of its own.
//!
//! The number of rows is taken as one at the least, and the mean is moved into the column's bounds. The interval takes
//! 97.5 % of the noise of each part, so both hold with 95 %, and the extreme quotients of what is left. Where the exact
//! group is empty it has no mean, and the interval means nothing.

use super::{CONFIDENCE, Domain, Laws, Noisy, Span, Value};

pub(super) fn answer(domain: Domain, sum: &Noisy<'_>, rows: &Noisy<'_>, laws: &mut Laws) -> Value {
    let confidence = 1.0 - (1.0 - CONFIDENCE) / 2.0;
    let sums = Span::around(sum.sum(), laws.half_width(sum.scale, 1, confidence));
    let counts = Span::around(rows.sum(), laws.half_width(rows.scale, 1, confidence)).at_least_one();
    let at = |offset: f64| ((sum.center() + offset).max(domain.min).min(domain.max)) * domain.unit;
    let means = quotients(sums, counts);
    Value::new(at(sum.sum() / rows.sum().max(1.0)), Span { low: at(means.low), high: at(means.high) })
}

/// The range of quotients where the divisor is positive.
fn quotients(sums: Span, counts: Span) -> Span {
    let low = sums.low / if sums.low < 0.0 { counts.low } else { counts.high };
    let high = sums.high / if sums.high < 0.0 { counts.high } else { counts.low };
    Span { low, high }
}
