//! `variance`: the mean squared distance of a column from its mean. Three components: the sum of the distances from the
//! middle of the bounds, the sum of their squares, and the rows.

use super::Bounds;
use crate::{
    amount::Epsilon,
    plan::Measure,
    sensitivity::{self, Crowd},
};

/// How many components share the statistic's epsilon.
const COMPONENTS: u64 = 3;

pub(super) fn measures(column: u32, bounds: Bounds, crowd: &Crowd, epsilon: Epsilon) -> Vec<Measure> {
    let center = bounds.center();
    let shift = shift(bounds.half_width(), crowd, Epsilon::from_units(epsilon.units() / COMPONENTS));
    vec![
        Measure::CenteredSum { column, center },
        Measure::CenteredSquares { column, center, shift },
        Measure::Rows,
    ]
}

/// The fewest bits to drop from each square so that their sums fit the ring and their noise fits the sampler.
///
/// Noise grows with the square's range and not with its finest bit, so dropping low bits costs next to nothing. Where
/// no shift fits, the largest is returned, and sizing the component tells why.
fn shift(half_width: u64, crowd: &Crowd, epsilon: Epsilon) -> u32 {
    let square = u128::from(half_width).pow(2);
    let last = 128 - square.leading_zeros();
    // A square keeps one bit at least.
    let last = last.saturating_sub(1);
    (0..last)
        .find(|shift| {
            u64::try_from(square >> shift).is_ok_and(|most| sensitivity::size(most, crowd, epsilon).is_ok())
        })
        .unwrap_or(last)
}
