//! What a party process says while it runs: one JSON object a line on standard output.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The phases of a run, in order: a job's status tells the same.
pub use veilgrid_api::status::Step as Phase;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The party listens here.
    Listening {
        /// With the port that was taken.
        address: SocketAddr,
    },
    /// Work of a phase: `done` of `total`, in its own unit; a phase is over when both are equal.
    Progress {
        /// The phase.
        phase: Phase,
        /// So far.
        done: u64,
        /// In all; 0 where it is not known.
        total: u64,
    },
    /// Something a person should know, such as a key that is trusted for the first time.
    Notice {
        /// In words.
        message: String,
    },
    /// The result, printed where the configuration asks for it.
    Result {
        /// `result.json`, as it is in the file.
        result: String,
        /// `receipt.json`, as it is in the file.
        receipt: String,
    },
    /// The run ended well; result and receipt are written.
    Finished {
        /// SHA-256 of the result, hexadecimal; absent at a party that is no recipient.
        result: Option<String>,
        /// The device that batches ran on.
        device: String,
    },
    /// The run ended with an error.
    Failed {
        /// The process's exit code.
        code: u8,
        /// What is wrong, where, and what to do.
        message: String,
    },
}

/// Where events go.
pub trait Events: Send + Sync {
    /// Takes one event; never blocks for long and never fails.
    fn emit(&self, event: Event);
}
