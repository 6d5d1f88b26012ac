//! A job that asks for accelerators waits until all its parties fit at once. It holds its budgets' amounts meanwhile, and no device.

use super::{attempt::Attempt, build, status::Draft};
use crate::{clock, error::Error, reason::Reason, room::Lack};
use kube::runtime::controller::Action;
use std::time::Duration;
use veilgrid_api::{
    condition::{self, Truth},
    status::Phase,
};

/// How soon to look again for room; later the longer a job waits already.
const SOONEST: Duration = Duration::from_secs(2);
/// And at the latest.
const LATEST: Duration = Duration::from_secs(15);

impl Attempt<'_> {
    /// What the parties lack so that all could start; nothing where they may, or where that is not the operator's to judge.
    pub(super) async fn lacks(&self) -> Result<Option<String>, Error> {
        let Some(gang) = build::gang(self.job, &self.ctx.pods) else { return Ok(None) };
        let fits = self.ctx.room.take(self.ctx, self.job, gang).await?;
        Ok(fits.err().map(|lacks| words(&lacks)))
    }

    /// Says what is lacking, and looks again soon. When that took as long as all parties may take to run, the attempt is over: before it was launched
    /// all that was claimed is released; what was opened before it was taken up again nobody knows.
    pub(super) async fn await_room(&self, mut draft: Draft<'_>, lacks: String) -> Result<Action, Error> {
        let is_resumed = self.phase() == Phase::Launching;
        let conditions = &draft.status.conditions;
        // A resumed one has held its amounts for long; its wait begins with the word of it.
        let since = match is_resumed {
            true => condition::find(conditions, "Scheduled"),
            false => condition::find(conditions, "BudgetReserved"),
        };
        let since = since.and_then(|since| clock::read(&since.last_transition_time));
        let waited = since.map_or(0, clock::since);
        let deadline = u64::from(self.job.spec.ready_deadline_seconds.unwrap_or(build::READY));
        if waited >= deadline {
            let message = format!("not all parties fit at once after {deadline} s: {lacks}");
            return match is_resumed {
                true => self.fail(Reason::NotReady, message).await,
                false => self.give_up(Reason::NotReady, message).await,
            };
        }
        draft.state("Scheduled", Truth::False, Reason::NoRoom, &lacks);
        let phase = if is_resumed { Phase::Launching } else { Phase::Reserving };
        draft.phase(phase, Reason::NoRoom, format!("waits for room: {lacks}"));
        draft.write().await?;
        let pause = Duration::from_secs(waited / 8).clamp(SOONEST, LATEST);
        Ok(Action::requeue(pause.min(Duration::from_secs(deadline - waited))))
    }
}

/// `north, south: no node has 2 nvidia.com/gpu free; 1 is free at most`
fn words(lacks: &[Lack]) -> String {
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for lack in lacks {
        match lines.iter_mut().find(|(what, _)| *what == lack.what) {
            Some((_, parties)) => parties.push(&lack.party),
            None => lines.push((&lack.what, vec![&lack.party])),
        }
    }
    let line = |(what, parties): (&str, Vec<&str>)| format!("{}: {what}", parties.join(", "));
    lines.into_iter().map(line).collect::<Vec<_>>().join("; ")
}
