//! `PrivateDataset`: where rows are, what they look like, and whom each of them describes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that stay with their owner: where they are, their public schema, the unit of privacy, the budget that guards them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateDatasetSpec {
    /// Where the rows are.
    pub source: Source,
    /// The public schema. Columns of the file that are not listed are never read.
    pub columns: Vec<Column>,
    /// Whose presence the noise hides: one row, unless a person is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// More rows than this are an error. Sums are sized by it, so that they cannot overflow.
    #[serde(default = "default_max_rows")]
    pub max_rows: u64,
    /// The `PrivacyBudget` in the same namespace that each release is charged to.
    pub budget: String,
}

fn default_max_rows() -> u64 {
    100_000_000
}

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The file, relative to the manifest.
    pub path: String,
    /// How the file is written; by its ending (`.csv`, `.parquet`) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What separates the fields of a CSV file: one ASCII character, a comma where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header line, UTF-8.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A column of the public schema: exactly one of `number`, `category` and `identifier`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Column {
    /// The name, as in the file's header.
    pub name: String,
    /// A number within bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// One of a few declared words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Names a person; used to bound a person's rows and for nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

/// A bounded number. Values outside the bounds are clipped to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Number {
    /// The least value. Choose it from what is public, never from the rows.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// Values are rounded to multiples of 2^-fractionBits, from 0 to 30.
    #[serde(default = "default_fraction_bits")]
    pub fraction_bits: u32,
}

fn default_fraction_bits() -> u32 {
    10
}

/// A categorical column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Category {
    /// Every word that may occur, in the order of the result. Another word in the rows is an error.
    pub values: Vec<String>,
}

/// A column that names a person, as text or a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identifier {}

/// The privacy unit is a person: the noise hides all rows of anyone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// The `identifier` column that names the person.
    pub column: String,
    /// The most rows that one person adds. The first in file order count; the others are dropped.
    pub max_rows: u32,
}
