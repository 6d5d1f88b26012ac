//! `sum`: the sum of a column. One component: each row adds its clipped value.

use crate::plan::Measure;

pub(super) fn measures(column: u32) -> Vec<Measure> {
    vec![Measure::Sum { column }]
}
