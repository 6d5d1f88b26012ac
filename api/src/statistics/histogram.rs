//! `histogram`: how many rows lie in each bin. One component: each row adds one to its bin's cell in its group.

use crate::{
    limits::{COLUMN_NAME, EDGES},
    plan::Measure,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A histogram of one number column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Histogram {
    /// A `number` column of every dataset.
    #[schemars(length(min = 1, max = COLUMN_NAME))]
    pub column: String,
    /// Rising edges, at least two, within the column's bounds. A bin holds its lower edge and not its upper; values
    /// outside count in the outermost bins.
    #[schemars(length(min = 2, max = EDGES), extend("x-kubernetes-validations" = [
        {"rule": "self.isSorted()", "message": "sort the edges, each once"},
    ]))]
    pub edges: Vec<f64>,
}

pub(super) fn measures(column: u32, edges: &[i64]) -> Vec<Measure> {
    vec![Measure::Bins { column, edges: edges.to_vec() }]
}
