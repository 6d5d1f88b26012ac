//! `where`: which rows count.

use crate::limits::COLUMN_NAME;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps the rows whose column compares with the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// A `number` or `category` column of every dataset.
    #[schemars(length(min = 1, max = COLUMN_NAME))]
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
        schemars::json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": crate::limits::WORD })
    }
}
