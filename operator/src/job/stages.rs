//! How far a job is between two looks, where no cache shows it. A look that would ask the API server for one thing after another ends in between:
//! others come to their turn, and the next one goes on from here.
//!
//! Nothing relies on it. Who does not know does it again.

use super::attempt::Attempt;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use veilgrid_api::status::ReceiptStatus;

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The policies of its parties' pods are there, and what their Secrets wait for beside them.
    Guarded,
    /// Its result, of this hash, is in its place and paid for.
    Placed { hash: String, receipt: ReceiptStatus },
}

/// What is done of each job, by its uid, for an attempt of a generation.
#[derive(Default)]
pub struct Stages(Mutex<HashMap<String, (Turn, Stage)>>);

/// The attempt, and the generation of the job's spec.
type Turn = (u32, Option<i64>);

impl Stages {
    /// The job is over.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Turn, Stage)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// What this process has done last of this attempt, of the spec as it is.
    pub(super) fn stage(&self) -> Option<Stage> {
        let stages = self.ctx.stages.lock();
        let (turn, stage) = stages.get(self.seats[0].uid)?;
        (*turn == self.turn()).then(|| stage.clone())
    }

    /// It has done that.
    pub(super) fn reach(&self, stage: Stage) {
        self.ctx.stages.lock().insert(self.seats[0].uid.to_owned(), (self.turn(), stage));
    }

    fn turn(&self) -> Turn {
        (self.seats[0].attempt, self.job.metadata.generation)
    }
}
