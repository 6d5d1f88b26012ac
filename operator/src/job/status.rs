//! Writes a job's status, where it changes.

use super::{attempt::Attempt, observe::Sight};
use crate::{clock::now, error::Error, reason::Reason};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use serde_json::{Value, json};
use veilgrid_api::{
    condition::{self, Condition, Truth},
    job::PrivateJob,
    status::{PartyPhase, PartyStatus, Phase, PrivateJobStatus},
};

/// The next status of a job, begun from the present one.
pub(super) struct Draft<'a> {
    attempt: &'a Attempt<'a>,
    pub(super) status: PrivateJobStatus,
    reason: Option<Reason>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(attempt: &'a Attempt<'a>) -> Self {
        let mut status = attempt.job.status.clone().unwrap_or_default();
        status.observed_generation = attempt.job.metadata.generation.unwrap_or_default();
        status.started_at.get_or_insert_with(|| now().to_string());
        status.attempt = status.attempt.max(1);
        Self { attempt, status, reason: None }
    }

    /// States a condition.
    pub(super) fn state(&mut self, kind: &str, status: Truth, reason: Reason, message: impl Into<String>) {
        let desired = Condition {
            kind: kind.into(),
            status,
            observed_generation: self.status.observed_generation,
            last_transition_time: now().to_string(),
            reason: reason.to_string(),
            message: message.into(),
        };
        condition::set(&mut self.status.conditions, desired);
    }

    /// Takes back what was stated.
    pub(super) fn unsay(&mut self, kind: &str) {
        self.status.conditions.retain(|condition| condition.kind != kind);
    }

    /// Says in one word and one sentence where the job is. A change of the word, or of why it waits, becomes an event.
    pub(super) fn phase(&mut self, phase: Phase, reason: Reason, message: impl Into<String>) {
        let message: String = message.into().chars().take(2000).collect();
        let waits = matches!(phase, Phase::Pending | Phase::Delivering) || reason.is_trouble();
        let waits = waits && self.status.message != message;
        let passes = [Phase::Reserving, Phase::Launching, Phase::Running, Phase::Delivering].contains(&phase);
        // That all is well is what the status says.
        let passing = passes && !reason.is_trouble() || phase == Phase::Succeeded;
        if (self.status.phase != phase || waits) && !passing {
            self.reason = Some(reason);
        }
        (self.status.phase, self.status.message) = (phase, message);
        if phase.has_ended() {
            self.status.completed_at.get_or_insert_with(|| now().to_string());
        }
    }

    /// Says how each party stands.
    pub(super) fn parties(&mut self) {
        // What it said before holds until it says something else.
        let before = |sight: &Sight, name: &str| {
            let known = self.status.parties.iter().find(|party| party.name == name)?.progress;
            known.filter(|_| sight.phase == PartyPhase::Running)
        };
        let job = |name: &str| {
            let known = self.status.parties.iter().find(|party| party.name == name);
            known.map(|party| party.job.clone()).unwrap_or_default()
        };
        let parties = self.attempt.seats.iter().zip(&self.attempt.sights).map(|(seat, sight)| PartyStatus {
            name: seat.party.to_owned(),
            namespace: seat.namespace.to_owned(),
            claim: seat.claim_name(),
            job: job(seat.party),
            phase: sight.phase,
            message: sight.message.chars().take(1000).collect(),
            device: sight.device.chars().take(200).collect(),
            progress: sight.progress.or_else(|| before(sight, seat.party)),
            exit_code: sight.exit_code,
        });
        let parties = parties.collect();
        self.status.parties = parties;
    }

    /// Names the parties' Jobs by their uids, in the order of the parties.
    pub(super) fn pin(&mut self, uids: Vec<String>) {
        self.status.parties.iter_mut().zip(uids).for_each(|(party, uid)| party.job = uid);
    }

    /// Begins another attempt, whose Jobs are not made yet.
    pub(super) fn next_attempt(&mut self) {
        self.status.attempt += 1;
        self.status.resumes = 0;
        self.unpin();
    }

    /// Takes the present attempt up again, by Jobs that are not made yet.
    pub(super) fn next_round(&mut self) {
        self.status.resumes += 1;
        self.unpin();
    }

    fn unpin(&mut self) {
        self.status.parties.iter_mut().for_each(|party| party.job.clear());
    }

    /// Whether it says something that the present one does not.
    pub(super) fn is_new(&self) -> bool {
        self.attempt.job.status.as_ref() != Some(&self.status)
    }

    /// Writes the status where it changed, under the resource version that it was made from: of two operators that think
    /// they lead, one fails here. What comes next follows from the change.
    pub(super) async fn write(self) -> Result<Action, Error> {
        let job = self.attempt.job;
        if !self.is_new() {
            return Ok(Action::await_change());
        }
        let mut status = json!(self.status);
        if self.status.resumes == 0 {
            // What a patch leaves out stays as it was in another attempt.
            status["resumes"] = Value::Null;
        }
        let patch = json!({
            "metadata": {"resourceVersion": job.metadata.resource_version},
            "status": status,
        });
        let api = self.attempt.ctx.api::<PrivateJob>(&self.attempt.home());
        let patched =
            api.patch_status(&job.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.attempt.ctx.cache.jobs.wrote(&patched.metadata);
        if let Some(reason) = self.reason {
            self.attempt.ctx.tell(job, reason, self.status.phase, &self.status.message);
        }
        Ok(Action::await_change())
    }
}
