//! The data owner's book of reserved and spent privacy.
//!
//! One SQLite file. Every change is one transaction that is on the disk before it is reported: rollback journal, deleted
//! at each commit and its folder synced (`synchronous = EXTRA`), so at rest there is one file, and neither `kill -9` nor
//! a power cut takes back what was reported. Amounts are integers, so sums are exact.
//!
//! An entry goes `reserved -> spent` or `reserved -> released`, and a released one may be reserved again when its run is
//! resumed. What is reserved counts as spent until it is released: unsure means spent.

mod book;
mod rows;
mod store;

pub use book::{Balance, Change, Charge, Entry, Figures, Refusal, State};
pub use store::Ledger;

use std::path::PathBuf;

/// The ledger's file in a party's state folder.
pub const FILE: &str = "ledger.sqlite";

/// Why the ledger did not do as asked. Whatever it is, the book is as it was.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The budget does not allow it.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The run is booked, with another plan or amount.
    #[error(
        "run {run} is in the ledger with another {what} ({booked}, now {asked}); a run is resumed as it was, and anything else is a new run"
    )]
    Conflict {
        /// The run.
        run: String,
        /// What differs.
        what: &'static str,
        /// In the ledger.
        booked: String,
        /// Asked for.
        asked: String,
    },
    /// The run is not booked.
    #[error("run {run} is not in the ledger; nothing was reserved for it")]
    Unknown {
        /// The run.
        run: String,
    },
    /// The entry cannot go from its state to the one asked for.
    #[error("run {run} is {from} in the ledger and cannot become {to}")]
    Order {
        /// The run.
        run: String,
        /// Its state.
        from: State,
        /// The state asked for.
        to: State,
    },
    /// The file is no ledger, or a ledger of another version.
    #[error(
        "{path} is not a ledger that this version reads: {reason}; move it away or point --state elsewhere"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The file is damaged.
    #[error(
        "the ledger {path} is damaged: {reason}; restore it from a copy, since an emptied ledger would forget what was spent"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// Another process holds the file for too long.
    #[error("the ledger {path} is in use by another process; try again when that has ended")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk or the folder does not let the ledger write or read.
    #[error("the ledger {path} cannot be used: {reason}; check free space and permissions of its folder")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
}
