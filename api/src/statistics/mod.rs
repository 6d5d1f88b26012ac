//! What a job may ask about rows. A statistic is one file here: its fields, and the measures whose noised sums answer it.

mod count;
mod filter;
mod histogram;
mod mean;
mod quantiles;
mod sum;
mod variance;

pub use count::Count;
pub use filter::{Filter, FilterValue, Operator};
pub use histogram::Histogram;
pub use quantiles::Quantiles;
pub(crate) use quantiles::millionths;

use crate::{
    amount::Epsilon,
    limits::{COLUMN_NAME, STATISTIC_NAME, WEIGHT},
    plan::{ColumnKind, Measure, PlanColumn, Question},
    sensitivity::Crowd,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question: exactly one of `count`, `sum`, `mean`, `variance`, `histogram` and `quantiles`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "(has(self.count) ? 1 : 0) + (has(self.sum) ? 1 : 0) + (has(self.mean) ? 1 : 0) + (has(self.variance) ? 1 : 0) + (has(self.histogram) ? 1 : 0) + (has(self.quantiles) ? 1 : 0) == 1",
    "message": "write exactly one of count, sum, mean, variance, histogram and quantiles",
}]))]
pub struct Statistic {
    /// Names the answer in the result, unique in the job.
    #[schemars(length(min = 1, max = STATISTIC_NAME))]
    pub name: String,
    /// How many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
    /// The sum of a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<OfColumn>,
    /// The mean of a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<OfColumn>,
    /// The variance of a column, divided by the number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<OfColumn>,
    /// How many rows lie between each edge and the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    /// The values below which given shares of the rows lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Quantiles>,
    /// Only rows that fit.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// One answer for each declared value of this categorical column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = COLUMN_NAME))]
    pub group_by: Option<String>,
    /// This statistic's share of the job's epsilon, from 1 to 1000, against the other statistics' weights.
    #[serde(default = "default_weight")]
    #[schemars(range(min = 1, max = WEIGHT))]
    pub weight: u32,
}

fn default_weight() -> u32 {
    1
}

/// A statistic of one number column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfColumn {
    /// A `number` column of every dataset.
    #[schemars(length(min = 1, max = COLUMN_NAME))]
    pub column: String,
}

/// The member of a statistic that is set.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Count,
    Sum(&'a OfColumn),
    Mean(&'a OfColumn),
    Variance(&'a OfColumn),
    Histogram(&'a Histogram),
    Quantiles(&'a Quantiles),
}

impl Statistic {
    /// The members that are set, with their field names. A valid statistic has one.
    pub(crate) fn asked(&self) -> Vec<(&'static str, Asked<'_>)> {
        [
            self.count.as_ref().map(|_| ("count", Asked::Count)),
            self.sum.as_ref().map(|of| ("sum", Asked::Sum(of))),
            self.mean.as_ref().map(|of| ("mean", Asked::Mean(of))),
            self.variance.as_ref().map(|of| ("variance", Asked::Variance(of))),
            self.histogram.as_ref().map(|of| ("histogram", Asked::Histogram(of))),
            self.quantiles.as_ref().map(|of| ("quantiles", Asked::Quantiles(of))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl<'a> Asked<'a> {
    /// The number column that the statistic is of.
    pub(crate) fn column(self) -> Option<&'a str> {
        match self {
            Self::Count => None,
            Self::Sum(of) | Self::Mean(of) | Self::Variance(of) => Some(&of.column),
            Self::Histogram(of) => Some(&of.column),
            Self::Quantiles(of) => Some(&of.column),
        }
    }
}

/// The measures whose noised sums answer a question, in the order that [`Question`] states.
///
/// `None` where the question's column is not a number column of `columns`. `epsilon` is the statistic's part.
pub(crate) fn measures(
    question: &Question,
    columns: &[PlanColumn],
    crowd: &Crowd,
    epsilon: Epsilon,
) -> Option<Vec<Measure>> {
    let bounds = |column: u32| match columns.get(column as usize)?.kind {
        ColumnKind::Number { min, max, .. } => Some(Bounds { min, max }),
        ColumnKind::Category { .. } => None,
    };
    Some(match question {
        Question::Count => count::measures(),
        Question::Sum { column } => bounds(*column).map(|_| sum::measures(*column))?,
        Question::Mean { column } => mean::measures(*column, bounds(*column)?),
        Question::Variance { column } => variance::measures(*column, bounds(*column)?, crowd, epsilon),
        Question::Histogram { column, edges } => {
            bounds(*column).map(|_| histogram::measures(*column, edges))?
        }
        Question::Quantiles { column, edges, .. } => {
            bounds(*column).map(|_| histogram::measures(*column, edges))?
        }
    })
}

/// The bounds of a number column, in its units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) min: i64,
    pub(crate) max: i64,
}

impl Bounds {
    /// The middle, rounded down.
    pub(crate) fn center(self) -> i64 {
        (self.min + self.max).div_euclid(2)
    }

    /// The greatest distance from the middle.
    pub(crate) fn half_width(self) -> u64 {
        // The middle is rounded down, so the upper half is never the shorter one.
        self.max.abs_diff(self.center())
    }
}
