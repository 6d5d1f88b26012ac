//! Draws by comparing a word with every threshold of a table.

/// A sample is the sum of `weights[i]` times draw `i`. A draw is the number of thresholds that its word is below, and
/// its negative where the table is signed and the word odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    thresholds: Vec<u64>,
    signed: bool,
    weights: Vec<u64>,
}

impl Table {
    /// Fewer than 2^32 thresholds; even ones where `signed`, so that the sign says nothing about the size.
    pub(crate) fn new(thresholds: Vec<u64>, signed: bool, weights: Vec<u64>) -> Table {
        Table { thresholds, signed, weights }
    }

    pub(crate) fn thresholds(&self) -> &[u64] {
        &self.thresholds
    }

    pub(crate) fn signed(&self) -> bool {
        self.signed
    }

    pub(crate) fn weights(&self) -> &[u64] {
        &self.weights
    }

    /// Of one draw from a signed table of exact floors, in units of 2^-64: 2 for each of the most times that the rest of
    /// a floor can rise, one after the other, over the sizes.
    pub(crate) fn folded_variation(&self) -> u64 {
        2 * (self.thresholds.len() as u64 + 1).div_ceil(2)
    }
}
