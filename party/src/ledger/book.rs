//! What stands in the ledger, and the arithmetic of what may be added.

use serde::{Deserialize, Serialize};
use std::fmt;
use veilgrid_api::amount::{Delta, Epsilon};

/// What a run costs one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The run: 32 hexadecimal digits.
    pub run: String,
    /// `namespace/name` of the job.
    pub job: String,
    /// `namespace/name` of the dataset.
    pub dataset: String,
    /// `namespace/name` of the budget.
    pub budget: String,
    /// The hash of the plan, hexadecimal.
    pub plan: String,
    /// What it costs.
    pub epsilon: Epsilon,
    /// What it costs.
    pub delta: Delta,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Held for a run that has opened nothing as far as is known. Counts like spent.
    Reserved,
    /// Used up for good.
    Spent,
    /// Given back: the run opened nothing.
    Released,
}

impl State {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Spent => "spent",
            Self::Released => "released",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Reserved, Self::Spent, Self::Released].into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The run.
    pub run: String,
    /// `namespace/name` of the job.
    pub job: String,
    /// `namespace/name` of the dataset.
    pub dataset: String,
    /// `namespace/name` of the budget.
    pub budget: String,
    /// The hash of the plan, hexadecimal.
    pub plan: String,
    /// What it costs.
    pub epsilon: Epsilon,
    /// What it costs.
    pub delta: Delta,
    /// Where it stands.
    pub state: State,
    /// When it was first reserved: RFC 3339, UTC.
    pub since: String,
    /// When it came to its state: RFC 3339, UTC.
    pub changed: String,
}

/// A step that an entry took. The list of steps only grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The run.
    pub run: String,
    /// The state it came to.
    pub state: State,
    /// When: RFC 3339, UTC.
    pub time: String,
}

/// What is booked on one budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Spent for good.
    pub spent_epsilon: Epsilon,
    /// Spent for good.
    pub spent_delta: Delta,
    /// Held for runs that have not ended.
    pub reserved_epsilon: Epsilon,
    /// Held for runs that have not ended.
    pub reserved_delta: Delta,
}

/// One side of a budget against what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures<T> {
    /// In all.
    pub total: T,
    /// Used up.
    pub spent: T,
    /// Held for other runs.
    pub reserved: T,
    /// What is left: nothing where the total was lowered below what is booked.
    pub remaining: T,
    /// What the run asks.
    pub asked: T,
}

impl<T: Copy + Ord> Figures<T> {
    fn enough(&self) -> bool {
        self.asked <= self.remaining
    }
}

impl<T: fmt::Display> fmt::Display for Figures<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, spent, reserved, remaining, asked } = self;
        write!(f, "asked {asked}, remaining {remaining} (total {total}, spent {spent}, reserved {reserved})")
    }
}

/// The budget says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "budget {budget} refuses the run: epsilon: {epsilon}; delta: {delta}; ask for less in privacy, or let the data owner raise the total"
)]
pub struct Refusal {
    /// `namespace/name` of the budget.
    pub budget: String,
    /// The figures of epsilon.
    pub epsilon: Figures<Epsilon>,
    /// The figures of delta.
    pub delta: Figures<Delta>,
}

impl Balance {
    /// Whether `charge` fits under the totals beside what is booked.
    ///
    /// # Errors
    /// All figures, where it does not.
    pub fn admit(&self, charge: &Charge, total: (Epsilon, Delta)) -> Result<(), Box<Refusal>> {
        let epsilon = Figures {
            total: total.0,
            spent: self.spent_epsilon,
            reserved: self.reserved_epsilon,
            remaining: total.0.saturating_sub(self.spent_epsilon).saturating_sub(self.reserved_epsilon),
            asked: charge.epsilon,
        };
        let delta = Figures {
            total: total.1,
            spent: self.spent_delta,
            reserved: self.reserved_delta,
            remaining: total.1.saturating_sub(self.spent_delta).saturating_sub(self.reserved_delta),
            asked: charge.delta,
        };
        if epsilon.enough() && delta.enough() {
            return Ok(());
        }
        Err(Box::new(Refusal { budget: charge.budget.clone(), epsilon, delta }))
    }
}
