//! How long, how many and how large the parts of an object may be. The schemas, the rules and the plan share these.

/// The pattern of a name: a DNS label.
pub(crate) const NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// Parties in a job, at most; at least two.
pub const PARTIES: usize = 64;
/// Statistics in a job.
pub const STATISTICS: usize = 1000;
/// Columns in a dataset.
pub const COLUMNS: usize = 4096;
/// Characters of a column's name.
pub const COLUMN_NAME: usize = 256;
/// Words of a categorical column.
pub const CATEGORIES: usize = 1024;
/// Characters of such a word.
pub const WORD: usize = 256;
/// Edges of a histogram; one fewer bins.
pub const EDGES: usize = 4097;
/// Quantiles of one statistic.
pub const PROBABILITIES: usize = 99;
/// Characters of a statistic's name.
pub const STATISTIC_NAME: usize = 128;
/// A statistic's weight.
pub const WEIGHT: u32 = 1000;
/// Binary digits after the point.
pub const FRACTION_BITS: u32 = 30;
/// A bound of a number column. In units of `2^-fractionBits` it must stay within [`UNITS`] as well.
pub const LARGEST: f64 = UNITS as f64;
/// A number in units of `2^-fractionBits`.
pub const UNITS: i64 = 1 << 51;
/// Rows of a dataset.
pub const ROWS: u64 = 1 << 40;
/// Rows of one person that count.
pub const PERSON_ROWS: u32 = 1_000_000;
/// Cells of the vector that parties share.
pub const CELLS: u64 = 1 << 24;
/// Bytes of a plan's canonical JSON.
pub const PLAN_BYTES: usize = 8 << 20;
/// `metadata.generation` and the like: whole numbers that every JSON reader keeps.
pub const GENERATION: i64 = 1 << 53;
