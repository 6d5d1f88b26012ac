//! By how much one privacy unit moves a sum, how much noise hides that, and whether both fit the ring. Integers only.
//!
//! Two inputs are neighbours when one is the other with one privacy unit of one dataset added or removed: a row, or all
//! the rows that count of one person (`docs/statistics.md`).

use crate::{
    amount::{Delta, Epsilon},
    plan::{ColumnKind, Measure, PlanColumn, PlanParty, Scale},
    statistics::Bounds,
};

/// The parties of a job, as far as sums and noise depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowd {
    /// How many there are. Each adds full noise of its own.
    pub(crate) parties: u64,
    /// Rows of all of them together, at most.
    pub(crate) rows: u64,
    /// Rows of one privacy unit, at most.
    pub(crate) unit_rows: u64,
}

impl Crowd {
    /// The crowd of a plan's parties.
    pub(crate) fn of(parties: &[PlanParty]) -> Self {
        let unit = |party: &PlanParty| party.person.as_ref().map_or(1, |person| u64::from(person.max_rows));
        Self {
            parties: parties.len() as u64,
            rows: parties.iter().fold(0, |rows, party| party.max_rows.saturating_add(rows)),
            unit_rows: parties.iter().map(unit).max().unwrap_or(1),
        }
    }
}

/// The least and the largest scale of the sampler: an eighth and 2^40.
const LEAST_SCALE: Scale = Scale { numerator: 1, denominator: 8 };
const LARGEST_SCALE: u128 = 1 << 40;

/// A sum must stay below this in absolute value.
const RING: u128 = 1 << 63;

/// One in 1e9 units of epsilon.
const ONE: u128 = Epsilon::ONE as u128;

/// The sensitivity of a component and the scale of its noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) sensitivity: u64,
    pub(crate) scale: Scale,
}

/// Why a component cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SizeError {
    /// The component's part of the epsilon is less than a billionth.
    #[error("its part of the epsilon is less than 0.000000001")]
    NoEpsilon,
    /// The noise is beyond the sampler.
    #[error("its noise would need a scale above 2^40")]
    Scale,
    /// The sum can leave the ring.
    #[error("its sum and noise can pass 2^63")]
    Overflow {
        /// Rows of all parties together that would fit.
        rows: u64,
    },
}

/// The most that one row adds to a measure's sums, in absolute value; `None` where its column is not a number column.
pub(crate) fn magnitude(measure: &Measure, columns: &[PlanColumn]) -> Option<u64> {
    let bounds = |column: u32| match columns.get(column as usize)?.kind {
        ColumnKind::Number { min, max, .. } => Some(Bounds { min, max }),
        ColumnKind::Category { .. } => None,
    };
    match *measure {
        Measure::Rows => Some(1),
        Measure::Bins { column, .. } => bounds(column).map(|_| 1),
        Measure::Sum { column } => bounds(column).map(|b| b.min.unsigned_abs().max(b.max.unsigned_abs())),
        Measure::CenteredSum { column, center } => bounds(column).map(|b| half_width(b, center)),
        Measure::CenteredSquares { column, center, shift } => {
            let square = u128::from(half_width(bounds(column)?, center)).pow(2);
            u64::try_from(square.checked_shr(shift)?).ok()
        }
    }
}

fn half_width(bounds: Bounds, center: i64) -> u64 {
    bounds.max.abs_diff(center).max(bounds.min.abs_diff(center))
}

/// The sensitivity and noise of a component whose rows add at most `magnitude`.
///
/// A unit's rows are added or removed, never changed, so the sums of all cells together move by at most
/// `unit_rows * magnitude` in the L1 norm, whatever the filter and the groups.
pub(crate) fn size(magnitude: u64, crowd: &Crowd, epsilon: Epsilon) -> Result<Size, SizeError> {
    if epsilon == Epsilon::ZERO {
        return Err(SizeError::NoEpsilon);
    }
    let sensitivity = magnitude.checked_mul(crowd.unit_rows).ok_or(SizeError::Scale)?;
    let scale = scale(sensitivity, epsilon).ok_or(SizeError::Scale)?;
    let noise = noise_room(scale).saturating_mul(crowd.parties.into());
    let room = (RING - 1).saturating_sub(noise);
    if u128::from(crowd.rows) * u128::from(magnitude) > room {
        let rows = u64::try_from(room / u128::from(magnitude.max(1))).unwrap_or(u64::MAX);
        return Err(SizeError::Overflow { rows });
    }
    Ok(Size { sensitivity, scale })
}

/// `sensitivity / epsilon` as a reduced fraction of 64-bit numbers, rounded up where it has no such form, and never
/// below an eighth; `None` above 2^40.
fn scale(sensitivity: u64, epsilon: Epsilon) -> Option<Scale> {
    let (numerator, denominator) = reduce(u128::from(sensitivity) * ONE, epsilon.units().into());
    // At least 22 bits are left below the line where the scale is within 2^40: at most 2^-22 more noise than asked.
    let drop = 65u32.saturating_sub(numerator.leading_zeros());
    let (numerator, denominator) = (numerator.div_ceil(1 << drop), denominator >> drop);
    if denominator == 0 || numerator > denominator * LARGEST_SCALE {
        return None;
    }
    if numerator * 8 < denominator {
        return Some(LEAST_SCALE);
    }
    let (numerator, denominator) = reduce(numerator, denominator);
    Some(Scale { numerator: numerator.try_into().ok()?, denominator: denominator.try_into().ok()? })
}

fn reduce(a: u128, b: u128) -> (u128, u128) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1), b / x.max(1))
}

/// More than the largest sample of the sampler in absolute value.
///
/// A sample has K binary digits, where K is the least with `exp(-2^K / scale) <= 2^-64`, or 1. So `2^(K-1)` is below
/// `64 ln 2 * scale`, and a sample is at most `2^K < 88.73 * scale`, or 2.
pub(crate) fn noise_room(scale: Scale) -> u128 {
    (90 * u128::from(scale.numerator)).div_ceil(u128::from(scale.denominator).max(1)) + 2
}

/// The total-variation distance of one sample from its law, at most, in units of 2^-64: 61 for its
/// digits, two for zero, one for the tail (`docs/noise.md`).
const SAMPLE_ERROR: u128 = 64;

/// The delta of noise with the stated error, rounded up: the sum over components, given as cells and epsilon, of
/// `cells * error * (1 + e^epsilon)`. `None` where it is not below one.
pub(crate) fn noise_delta(components: impl IntoIterator<Item = (u64, Epsilon)>) -> Option<Delta> {
    // In units of 2^-64 * 1e-9.
    let mut total = 0u128;
    for (cells, epsilon) in components {
        let factor = ONE.checked_add(exp_above(epsilon)?)?;
        total = total.checked_add(factor.checked_mul(SAMPLE_ERROR * u128::from(cells))?)?;
    }
    // A delta of one is 2^64 * 1e9 of those; 1e-18 is 2^64 / 1e9.
    let units = (total >> 32).checked_add(1)?.checked_mul(ONE)?.div_ceil(1 << 32);
    u64::try_from(units).ok().filter(|units| *units < Delta::ONE).map(Delta::from_units)
}

/// Not less than `e^epsilon`, in units of 1e-9; `None` above 1e20.
fn exp_above(epsilon: Epsilon) -> Option<u128> {
    /// Not less than e.
    const E: u128 = 2_718_281_829;
    let (whole, part) = (epsilon.units() / Epsilon::ONE, u128::from(epsilon.units() % Epsilon::ONE));
    let mut result = ONE;
    let mut term = ONE;
    for k in 1..=12 {
        term = (term * part).div_ceil(ONE * k);
        result += term;
    }
    // The series' rest is below 1 / 12!.
    result += 3;
    for _ in 0..whole {
        if result > ONE * 100_000_000_000_000_000_000 {
            return None;
        }
        result = (result * E).div_ceil(ONE);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_just_above() {
        for units in [1, 1_000, 500_000_000, 1_000_000_000, 2_345_678_901, 20_000_000_000, 44_999_999_999] {
            let above = exp_above(Epsilon::from_units(units)).unwrap() as f64 / 1e9;
            let exact = (units as f64 / 1e9).exp();
            assert!(above >= exact * (1.0 - 1e-15) && above <= exact * (1.0 + 5e-8) + 5e-9, "{units}");
        }
        assert_eq!(exp_above(Epsilon::MAX), None);
    }

    #[test]
    fn delta_covers_every_sample() {
        let delta = noise_delta([(100, Epsilon::from_units(1_000_000_000)); 10]).unwrap().to_f64();
        let exact = 1000.0 * 64.0 * (1.0 + 1f64.exp()) / 2f64.powi(64);
        assert!(delta >= exact && delta <= exact + 1e-17, "{delta:e} {exact:e}");
        assert_eq!(noise_delta([(1, Epsilon::from_units(50_000_000_000))]), None);
        assert_eq!(noise_delta([]).unwrap().units(), 1);
    }

    #[test]
    fn scales_are_bounded_and_never_rounded_down() {
        let scale = |sensitivity, units| scale(sensitivity, Epsilon::from_units(units));
        assert_eq!(scale(3, 500_000_000), Some(Scale { numerator: 6, denominator: 1 }));
        assert_eq!(scale(1, 1_000_000_000_000), Some(LEAST_SCALE));
        assert_eq!(scale(1 << 40, 1_000_000_000), Some(Scale { numerator: 1 << 40, denominator: 1 }));
        assert_eq!(scale((1 << 40) + 1, 1_000_000_000), None);
        assert_eq!(scale(u64::MAX, 1), None);
        // A fraction that needs 80 bits.
        let (sensitivity, units) = ((1u64 << 49) - 1, 999_999_999_989);
        let rounded = scale(sensitivity, units).unwrap();
        let exact = u128::from(sensitivity) * ONE * u128::from(rounded.denominator);
        assert!(u128::from(rounded.numerator) * u128::from(units) >= exact);
    }
}
