//! `PrivateDataset`: where rows are, what they look like, and whom each of them describes.

use crate::cluster::{Access, Approval, StateVolume, Volume};
use crate::condition::Condition;
use crate::limits::{
    CATEGORIES, COLUMN_NAME, COLUMNS, FRACTION_BITS, LARGEST, NAME, PERSON_ROWS, ROWS, WORD,
};
use crate::store::ObjectStore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Rows that stay with their owner: where they are, their public schema, the unit of privacy, the budget that guards them.
#[cfg_attr(feature = "crd", derive(kube::CustomResource))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "veilgrid.dev",
        version = "v1alpha1",
        kind = "PrivateDataset",
        plural = "privatedatasets",
        namespaced,
        doc = "Rows that stay with their owner, their public schema, and the budget that guards them.",
        status = "PrivateDatasetStatus",
        shortname = "pd",
        category = "veilgrid",
        printcolumn = r#"{"name": "Budget", "type": "string", "description": "The PrivacyBudget that guards it", "jsonPath": ".spec.budget"}"#,
        printcolumn = r#"{"name": "Person", "type": "string", "description": "The column that names the privacy unit; a row where empty", "jsonPath": ".spec.person.column"}"#,
        printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
    )
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = crate::schema::structural)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.person) || self.columns.exists(c, c.name == self.person.column)", "fieldPath": ".person.column", "messageExpression": "'no column is named \"' + self.person.column + '\"'"},
    {"rule": "!has(self.person) || self.columns.all(c, c.name != self.person.column || has(c.identifier))", "fieldPath": ".person.column", "messageExpression": "'the column \"' + self.person.column + '\" is not an identifier'"}
]))]
pub struct PrivateDatasetSpec {
    /// Where the rows are.
    pub source: Source,
    /// The public schema. Columns of the file that are not listed are never read.
    #[schemars(length(min = 1, max = COLUMNS), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<Column>,
    /// Whose presence the noise hides: one row, unless a person is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// More rows than this are an error. Sums are sized by it, so that they cannot overflow.
    #[serde(default = "default_max_rows")]
    #[schemars(range(min = 1, max = ROWS))]
    pub max_rows: u64,
    /// The `PrivacyBudget` in the same namespace that each release is charged to.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub budget: String,
    /// Whose jobs may ask in a cluster; those of the dataset's own namespace where absent. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Whether the owner agrees to each use in a cluster. Of no effect on one machine.
    #[serde(default)]
    pub approval: Approval,
    /// Where a party keeps what it must find again when its pod is lost; in the pod where absent. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateVolume>,
}

fn default_max_rows() -> u64 {
    100_000_000
}

/// What an operator says of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = crate::schema::structural)]
pub struct PrivateDatasetStatus {
    /// `InUse`, once it is being deleted: which jobs it is kept for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!(has(self.volume) && has(self.objectStore))", "message": "write at most one of volume and objectStore"}
]))]
pub struct Source {
    /// The file, relative to the manifest; in a cluster, relative to the root of the volume, or the key below the object
    /// store's URL.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// How the file is written; by its ending (`.csv`, `.parquet`) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What separates the fields of a CSV file: one ASCII character, a comma where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: Option<String>,
    /// The volume that has the file in a cluster. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
    /// The object store that has the file in a cluster. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_store: Option<ObjectStore>,
}

impl Source {
    /// The format as written, or by the ending of the path; `None` where neither tells.
    pub fn resolved_format(&self) -> Option<Format> {
        let by_ending = || match Path::new(&self.path).extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "parquet" => Some(Format::Parquet),
            _ => None,
        };
        self.format.or_else(by_ending)
    }
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
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "(has(self.number) ? 1 : 0) + (has(self.category) ? 1 : 0) + (has(self.identifier) ? 1 : 0) == 1", "message": "write exactly one of number, category and identifier"}
]))]
pub struct Column {
    /// The name, as in the file's header.
    #[schemars(length(min = 1, max = COLUMN_NAME))]
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
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.min < self.max", "fieldPath": ".min", "message": "min is not less than max; swap or widen the bounds"}
]))]
pub struct Number {
    /// The least value. Choose it from what is public, never from the rows.
    #[schemars(range(min = -LARGEST, max = LARGEST))]
    pub min: f64,
    /// The greatest value.
    #[schemars(range(min = -LARGEST, max = LARGEST))]
    pub max: f64,
    /// Values are rounded to multiples of 2^-fractionBits, from 0 to 30.
    #[serde(default = "default_fraction_bits")]
    #[schemars(range(min = 0, max = FRACTION_BITS))]
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
    #[schemars(length(min = 1, max = CATEGORIES), inner(length(min = 1, max = WORD)), extend("x-kubernetes-list-type" = "set"))]
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
    #[schemars(length(min = 1, max = COLUMN_NAME))]
    pub column: String,
    /// The most rows that one person adds. The first in file order count; the others are dropped.
    #[schemars(range(min = 1, max = PERSON_ROWS))]
    pub max_rows: u32,
}
