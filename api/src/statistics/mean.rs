//! `mean`: the mean of a column. Two components: the sum of the distances from the middle of the bounds, and the rows.
//!
//! Taking the middle off halves the sensitivity at least, against a plain sum with bounds on one side of zero.

use super::Bounds;
use crate::plan::Measure;

pub(super) fn measures(column: u32, bounds: Bounds) -> Vec<Measure> {
    vec![Measure::CenteredSum { column, center: bounds.center() }, Measure::Rows]
}
