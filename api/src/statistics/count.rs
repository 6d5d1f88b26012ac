//! `count`: how many rows. One component: each row adds one to its group's cell.

use crate::plan::Measure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {}

pub(super) fn measures() -> Vec<Measure> {
    vec![Measure::Rows]
}
