//! The plan: everything that parties must agree on, bit for bit, before a row is read.
//!
//! A plan holds integers and text only, so that its canonical JSON is one and the same everywhere: objects with keys in
//! byte order, no white space, integers in decimal digits (RFC 8785 restricted to what a plan can hold).

mod differences;
mod wire;

pub use differences::differences;
pub use wire::PlanError;

use crate::{
    amount::{Delta, Epsilon},
    job::{DeviceChoice, Protocol},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the plan's form and meaning. Parties of different versions do not compute together.
pub const PLAN_VERSION: u32 = 1;

/// What every party computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Names this charge of the budgets: 32 hexadecimal digits, fresh for each run, the same when a run is resumed.
    pub run: String,
    /// `namespace/name` of the job.
    pub job: String,
    /// How shares are made and opened.
    pub protocol: Protocol,
    /// A party's index is its place here.
    pub parties: Vec<PlanParty>,
    /// Indices of the parties that get the result, rising.
    pub recipients: Vec<u32>,
    /// Charged to each dataset's budget.
    pub epsilon: Epsilon,
    /// Charged to each dataset's budget.
    pub delta: Delta,
    /// The columns that the statistics use, in the order of their names.
    pub columns: Vec<PlanColumn>,
    /// The questions, in the manifest's order.
    pub statistics: Vec<PlanStatistic>,
    /// Ring elements in the vector that is shared: the sum of all components' cells.
    pub cells: u64,
    /// Where batches run. Parties may differ in what they find; the bits do not.
    pub device: DeviceChoice,
}

/// A party in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanParty {
    /// The party's name.
    pub name: String,
    /// `namespace/name` of its dataset.
    pub dataset: String,
    /// `namespace/name` of the budget that pays.
    pub budget: String,
    /// The pinned Ed25519 public key, 64 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// More rows than this are an error.
    pub max_rows: u64,
    /// The column that names the person and the most rows of one; absent where the unit is a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PlanPerson>,
}

/// A person as the unit of privacy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanPerson {
    /// The identifier column.
    pub column: String,
    /// The most rows of one person.
    pub max_rows: u32,
}

/// A column that a statistic uses. Statistics name columns by their place in [`Plan::columns`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanColumn {
    /// The name in the file.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What a column's values are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ColumnKind {
    /// Numbers in units of `2^-fraction_bits`, clipped to `min..=max` (in those units, both within ±2^51).
    Number {
        /// Binary digits after the point.
        fraction_bits: u32,
        /// The least value, in units.
        min: i64,
        /// The greatest value, in units.
        max: i64,
    },
    /// Declared words; a value is its index.
    Category {
        /// The words.
        values: Vec<String>,
    },
}

/// One question, with its noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanStatistic {
    /// The name of the answer.
    pub name: String,
    /// The question.
    pub question: Question,
    /// Which rows count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<PlanFilter>,
    /// The category column that splits the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<u32>,
    /// This statistic's part of the job's epsilon: the sum of its components' parts.
    pub epsilon: Epsilon,
    /// The vectors of sums that answer it.
    pub components: Vec<Component>,
}

/// The question of a statistic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Question {
    /// Components: rows.
    Count,
    /// Components: sum.
    Sum {
        /// Of this column.
        column: u32,
    },
    /// Components: centred sum, rows.
    Mean {
        /// Of this column.
        column: u32,
    },
    /// Components: centred sum, centred squares, rows.
    Variance {
        /// Of this column.
        column: u32,
    },
    /// Components: bins.
    Histogram {
        /// Of this column.
        column: u32,
        /// Rising, in the column's units.
        edges: Vec<i64>,
    },
    /// Components: bins.
    Quantiles {
        /// Of this column.
        column: u32,
        /// Rising, in the column's units.
        edges: Vec<i64>,
        /// In millionths, rising.
        probabilities: Vec<u32>,
    },
}

/// Keeps rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanFilter {
    /// The column compared.
    pub column: u32,
    /// The comparison: clipped value in units, or index of the word, on the left.
    pub operator: crate::statistics::Operator,
    /// On the right: units, or the index of the word.
    pub value: i64,
}

/// A run of cells in the shared vector: each is the sum of one measure over the rows of one group (and bin).
///
/// Cell `group * bins + bin` of the component stands at `offset + group * bins + bin`; without groups there is one
/// group, and every measure but `Bins` has one bin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// What a row adds to its cell.
    pub measure: Measure,
    /// Where the run starts in the vector.
    pub offset: u64,
    /// How many cells it has: groups times bins.
    pub cells: u64,
    /// The most by which adding or removing one privacy unit changes the run, in the L1 norm, in the measure's units.
    pub sensitivity: u64,
    /// The epsilon of this component.
    pub epsilon: Epsilon,
    /// The scale of each party's discrete Laplace noise: `sensitivity / epsilon` as a reduced fraction, rounded up
    /// where it needs more than 64 bits, and an eighth at the least.
    pub scale: Scale,
}

/// What a row adds to its cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Measure {
    /// One.
    Rows,
    /// Its value, in the column's units.
    Sum {
        /// Of this column.
        column: u32,
    },
    /// Its value less `center`, in the column's units.
    CenteredSum {
        /// Of this column.
        column: u32,
        /// In units.
        center: i64,
    },
    /// `(value - center)^2 >> shift`: in units of `2^-(2 * fraction_bits - shift)`.
    CenteredSquares {
        /// Of this column.
        column: u32,
        /// In units.
        center: i64,
        /// Bits dropped from each square.
        shift: u32,
    },
    /// One, in the bin that holds its value: bin `i` is `edges[i] <= value < edges[i + 1]`; a value below the first edge
    /// is in the first bin, one at or above the last edge in the last.
    Bins {
        /// Of this column.
        column: u32,
        /// Rising, in units; one more than bins.
        edges: Vec<i64>,
    },
}

/// A positive reduced fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scale {
    /// Above the line.
    pub numerator: u64,
    /// Below the line.
    pub denominator: u64,
}

/// SHA-256 of a plan's canonical JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanHash(pub [u8; 32]);

impl Plan {
    /// The canonical JSON.
    pub fn canonical(&self) -> String {
        canonical_json(self)
    }

    /// The hash that parties sign.
    pub fn hash(&self) -> PlanHash {
        PlanHash(Sha256::digest(self.canonical().as_bytes()).into())
    }
}

/// Canonical JSON of a value without floats: keys in byte order, no white space.
///
/// # Panics
/// Where the value cannot be JSON at all (a map whose keys are not text).
pub fn canonical_json(value: &impl Serialize) -> String {
    // A `serde_json::Value` keeps its keys in a `BTreeMap`.
    serde_json::to_value(value).expect("a value of this crate is JSON").to_string()
}

impl std::fmt::Display for PlanHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
