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
    /// All its parties' pods that wait have their Secrets.
    Equipped,
    /// Its result, of this hash, is in its place and paid for.
    Placed { hash: String, receipt: ReceiptStatus },
}

/// What is done of each job, by its uid, for an attempt of a generation.
#[derive(Default)]
pub struct Stages(Mutex<HashMap<String, (Turn, Stage)>>);

/// The attempt, and the generation of the job's spec.
type Turn = (u32, Option<i64>);

impl Stages {
    /// What was done last in this turn.
    fn reached(&self, uid: &str, turn: Turn) -> Option<Stage> {
        self.lock().get(uid).filter(|(of, _)| *of == turn).map(|(_, stage)| stage.clone())
    }

    fn reach(&self, uid: &str, turn: Turn, stage: Stage) {
        self.lock().insert(uid.to_owned(), (turn, stage));
    }

    /// The job is over, or begins again.
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
        self.ctx.stages.reached(self.seats[0].uid, self.turn())
    }

    /// It has done that.
    pub(super) fn reach(&self, stage: Stage) {
        self.ctx.stages.reach(self.seats[0].uid, self.turn(), stage);
    }

    fn turn(&self) -> Turn {
        (self.seats[0].attempt, self.job.metadata.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_for_another_attempt_or_spec_does_not_count() {
        let stages = Stages::default();
        stages.reach("a", (1, Some(1)), Stage::Guarded);
        let reached = |uid, turn| stages.reached(uid, turn);
        assert_eq!(reached("a", (1, Some(1))), Some(Stage::Guarded));
        assert_eq!(
            [reached("a", (2, Some(1))), reached("a", (1, Some(2))), reached("b", (1, Some(1)))],
            [const { None }; 3]
        );
        let placed = Stage::Placed { hash: "h".into(), receipt: ReceiptStatus::default() };
        stages.reach("a", (1, Some(2)), placed.clone());
        assert_eq!((reached("a", (1, Some(1))), reached("a", (1, Some(2)))), (None, Some(placed)));
        stages.forget("a");
        assert_eq!(reached("a", (1, Some(2))), None);
    }
}
