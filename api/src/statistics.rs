//! What a job may ask about rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question: exactly one of `count`, `sum`, `mean`, `variance`, `histogram` and `quantiles`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statistic {
    /// Names the answer in the result, unique in the job.
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
    pub group_by: Option<String>,
    /// This statistic's share of the job's epsilon, from 1 to 1000, against the other statistics' weights.
    #[serde(default = "default_weight")]
    pub weight: u32,
}

fn default_weight() -> u32 {
    1
}

/// Counts rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {}

/// A statistic of one number column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfColumn {
    /// A `number` column of every dataset.
    pub column: String,
}

/// A histogram of one number column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Histogram {
    /// A `number` column of every dataset.
    pub column: String,
    /// Rising edges, at least two. A bin holds its lower edge and not its upper; values outside count in the outermost bins.
    pub edges: Vec<f64>,
}

/// Quantiles of one number column, read off a noisy cumulative histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quantiles {
    /// A `number` column of every dataset.
    pub column: String,
    /// Rising edges, as for a histogram. More edges give a finer answer with more noise.
    pub edges: Vec<f64>,
    /// The shares of rows, each more than 0 and less than 1, rising.
    #[serde(default = "default_probabilities")]
    pub probabilities: Vec<f64>,
}

fn default_probabilities() -> Vec<f64> {
    vec![0.25, 0.5, 0.75]
}

/// Keeps the rows whose column compares with the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// A `number` or `category` column of every dataset.
    pub column: String,
    /// How to compare; categories know `Eq` and `Ne` only.
    pub operator: Operator,
    /// A declared word of a category, or a number (quote a fraction: `"0.5"`).
    pub value: FilterValue,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// A whole number, or any text: what Kubernetes calls int-or-string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FilterValue {
    /// A whole number.
    Whole(i64),
    /// A word, or a decimal number in quotes.
    Text(String),
}

impl JsonSchema for FilterValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilterValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "x-kubernetes-int-or-string": true })
    }
}
