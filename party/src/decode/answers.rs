//! The result document.

use super::Span;
use serde::{Deserialize, Serialize};
use veilgrid_api::amount::{Delta, Epsilon};

/// The version of the document's form.
pub const VERSION: u32 = 1;

/// What a job learned: the content of `result.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// [`VERSION`].
    pub version: u32,
    /// `namespace/name` of the job.
    pub job: String,
    /// The run's name.
    pub run: String,
    /// The plan's hash, hexadecimal.
    pub plan: String,
    /// The parties' names.
    pub parties: Vec<String>,
    /// Charged to each dataset's budget.
    pub epsilon: Epsilon,
    /// Charged to each dataset's budget.
    pub delta: Delta,
    /// The probability that an interval holds the exact figure.
    pub confidence: f64,
    /// In the manifest's order.
    pub statistics: Vec<Answer>,
}

/// The answer of one statistic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The statistic's name.
    pub name: String,
    /// What was asked.
    pub kind: Kind,
    /// The column, of all but a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Which rows counted, such as `age >= 18`; all where absent.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The column whose words are the groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// This statistic's part of the job's epsilon.
    pub epsilon: Epsilon,
    /// One for each declared word, or one in all.
    pub groups: Vec<Group>,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Rows.
    Count,
    /// The sum of a column.
    Sum,
    /// Its mean.
    Mean,
    /// Its variance, divided by the number of rows.
    Variance,
    /// Rows in bins.
    Histogram,
    /// Values below which shares of the rows lie.
    Quantiles,
}

/// The answer for one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// The word; absent where rows are not grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// One, or one for each bin or probability.
    pub values: Vec<Value>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Value {
    /// The bin, of a histogram: its lower edge, and its upper, which it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin: Option<[f64; 2]>,
    /// The share of rows, of quantiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The estimate. Counts and sums are as opened, so they are unbiased and may be below zero.
    pub value: f64,
    /// Holds the exact figure with the document's confidence.
    pub interval: [f64; 2],
}

impl Answers {
    /// The bytes of `result.json`: the same at every recipient, and those that are hashed.
    ///
    /// # Panics
    /// Never: every field is JSON.
    pub fn canonical(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("answers are JSON");
        text.push(b'\n');
        text
    }
}

impl Value {
    pub(super) fn new(value: f64, interval: Span) -> Self {
        // Adding zero makes a negative zero positive.
        let interval = [interval.low + 0.0, interval.high + 0.0];
        Self { bin: None, probability: None, value: value + 0.0, interval }
    }
}
