//! `variance`: the mean of centred squares less the square of the centred mean, `Q / N - (S / N)^2`.
//!
//! The number of rows is taken as one at the least; a variance is never below zero, nor above what values at both
//! bounds would have. Where squares were shifted, each lost less than one of their units: half of that is added to the
//! estimate, and all of it to the upper end. The interval takes a third of the error for each of the three noises, so
//! all hold with 95 %, and the exact extremes over the box that is left.

use super::{CONFIDENCE, Domain, Laws, Noisy, Span, Value};
use veilgrid_api::plan::Measure;

pub(super) fn answer(
    domain: Domain,
    sum: &Noisy<'_>,
    squares: &Noisy<'_>,
    rows: &Noisy<'_>,
    laws: &mut Laws,
) -> Value {
    let shift = match squares.measure {
        Measure::CenteredSquares { shift, .. } => *shift,
        _ => 0,
    };
    // Units of a square, and what a row may have lost.
    let coarse = (1u128 << shift) as f64;
    let lost = if shift == 0 { 0.0 } else { coarse };
    let largest = (domain.max - domain.min) * (domain.max - domain.min) / 4.0;
    let square_unit = domain.unit * domain.unit;

    let count = rows.sum().max(1.0);
    let mean = sum.sum() / count;
    let estimate = squares.sum() * coarse / count + lost / 2.0 - mean * mean;

    let confidence = 1.0 - (1.0 - CONFIDENCE) / 3.0;
    let sums = Span::around(sum.sum(), laws.half_width(sum.scale, 1, confidence));
    let totals = Span::around(squares.sum(), laws.half_width(squares.scale, 1, confidence)).times(coarse);
    let counts = Span::around(rows.sum(), laws.half_width(rows.scale, 1, confidence)).at_least_one();
    let extremes = extremes(sums, totals, counts);
    let interval = Span { low: extremes.low, high: extremes.high + lost }.within(0.0, largest);
    Value::new(estimate.max(0.0).min(largest) * square_unit, interval.times(square_unit))
}

/// The range of `q u - (s u)^2` with `u` the inverse of a count.
fn extremes(sums: Span, totals: Span, counts: Span) -> Span {
    let inverse = Span { low: 1.0 / counts.high, high: 1.0 / counts.low };
    let (a, b) = (sums.low * sums.low, sums.high * sums.high);
    let far = a.max(b);
    let near = if sums.low <= 0.0 && sums.high >= 0.0 { 0.0 } else { a.min(b) };
    // Concave in `u`: least at an end, greatest at an end or where the slope `q - 2 s^2 u` is zero.
    let low_at = |u: f64| totals.low * u - far * u * u;
    let high_at = |u: f64| totals.high * u - near * u * u;
    let top = if near > 0.0 { totals.high / (2.0 * near) } else { inverse.high };
    let top = top.max(inverse.low).min(inverse.high);
    Span {
        low: low_at(inverse.low).min(low_at(inverse.high)),
        high: high_at(top).max(high_at(inverse.low)).max(high_at(inverse.high)),
    }
}
