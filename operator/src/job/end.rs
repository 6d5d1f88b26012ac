//! How an attempt ends, other than well.

use super::{attempt::Attempt, status::Draft};
use crate::{
    clock,
    error::{Error, is_missing},
    names::FINALIZER,
    reason::Reason,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{controller::Action, reflector::ObjectRef},
};
use serde_json::json;
use std::time::Duration;
use veilgrid_api::{condition::Truth, job::PrivateJob, status::Phase};

/// How soon to look again at pods that were asked to end.
pub(super) const SOON: Duration = Duration::from_secs(5);

impl Attempt<'_> {
    /// Ends a job whose pods may have been made: settles the attempt's claims, and ends the job or begins another attempt.
    pub(super) async fn fail(&self, reason: Reason, message: String) -> Result<Action, Error> {
        if self.may_be_taken_up(reason) {
            return self.take_up(reason, message).await;
        }
        self.settle(true).await?;
        let mut draft = Draft::of(self);
        draft.parties();
        if reason.may_pass() && draft.status.failures < self.job.spec.backoff_limit.unwrap_or(0) {
            self.remove().await?;
            draft.status.failures += 1;
            let cost = if self.is_charged() { ", and the next is a new charge" } else { "" };
            let message = format!("attempt {} failed{cost}: {message}", draft.status.attempt);
            draft.next_attempt();
            draft.state("BudgetReserved", Truth::False, Reason::Reserving, "");
            draft.state("PartiesReady", Truth::False, reason, &message);
            draft.phase(Phase::Reserving, reason, message);
        } else {
            draft.state("Failed", Truth::True, reason, &message);
            draft.phase(Phase::Failed, reason, message);
        }
        draft.write().await
    }

    /// Ends a job before its pods could be made. The status says so first: a claim that was released while an older write could still
    /// launch the job would pay for nothing.
    pub(super) async fn give_up(&self, reason: Reason, message: String) -> Result<Action, Error> {
        let mut draft = Draft::of(self);
        draft.parties();
        draft.state("Failed", Truth::True, reason, &message);
        draft.phase(Phase::Failed, reason, message);
        draft.write().await
    }

    /// Ends what runs and settles what was claimed. As in [`Self::give_up`], what was not launched is settled after the
    /// status says that it is suspended.
    pub(super) async fn suspend(&self) -> Result<Action, Error> {
        self.end_turn();
        let phase = self.phase();
        let mut draft = Draft::of(self);
        if phase.is_launched() {
            if !self.interrupt().await? {
                return Ok(Action::requeue(SOON));
            }
            self.settle(true).await?;
            self.remove().await?;
            draft.parties();
            draft.next_attempt();
        } else if phase == Phase::Suspended {
            self.settle(false).await?;
            if self.has_jobs() {
                self.remove().await?;
            }
        }
        draft.state("BudgetReserved", Truth::False, Reason::Suspended, "");
        draft.state("PartiesReady", Truth::False, Reason::Suspended, "");
        draft.phase(Phase::Suspended, Reason::Suspended, "spec.suspend is true");
        draft.write().await
    }

    /// Goes on after a suspension; with claims of a new attempt, where some were made for this one.
    pub(super) async fn renew(&self) -> Result<Action, Error> {
        self.settle(false).await?;
        if self.has_jobs() {
            self.remove().await?;
        }
        let mut draft = Draft::of(self);
        if self.has_claims() {
            draft.next_attempt();
        }
        draft.phase(Phase::Reserving, Reason::Reserving, "the job goes on");
        draft.write().await
    }

    /// Deletes an ended job when its time has come.
    pub(super) async fn expire(&self) -> Result<Action, Error> {
        let Some(stays) = self.job.spec.ttl_seconds_after_finished else {
            return Ok(Action::await_change());
        };
        let ended = self.job.status.as_ref().and_then(|status| status.completed_at.as_ref());
        let since = ended.and_then(|time| clock::read(time)).map_or(0, clock::since);
        if since < u64::from(stays) {
            return Ok(Action::requeue(Duration::from_secs(u64::from(stays) - since)));
        }
        let jobs = self.ctx.api::<PrivateJob>(&self.home());
        jobs.delete(&self.job.name_any(), &DeleteParams::default()).await?;
        self.ctx.cache.jobs.ended(&ObjectRef::from_obj(self.job));
        Ok(Action::await_change())
    }

    /// Ends the pods of a deleted job, settles its claims, and lets it go.
    pub(super) async fn delete(&self) -> Result<Action, Error> {
        if !self.has_finalizer() {
            return Ok(Action::await_change());
        }
        let phase = self.phase();
        // Before it is launched its pods wait, and can do nothing.
        if phase.is_launched() && !self.interrupt().await? {
            return Ok(Action::requeue(SOON));
        }
        self.settle(phase.is_launched()).await?;
        self.settle_unseen(phase.is_launched()).await?;
        self.remove().await?;
        self.forget();
        tracing::info!(job = self.job.name_any(), namespace = self.home(), "deleted");
        self.put_finalizer(false).await?;
        Ok(Action::await_change())
    }

    pub(super) async fn put_finalizer(&self, wanted: bool) -> Result<(), Error> {
        let present = self.job.finalizers();
        let mut finalizers: Vec<&str> =
            present.iter().map(String::as_str).filter(|name| *name != FINALIZER).collect();
        if wanted {
            finalizers.push(FINALIZER);
        }
        let version = &self.job.metadata.resource_version;
        let patch = json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}});
        let jobs = self.ctx.api::<PrivateJob>(&self.home());
        match jobs.patch_metadata(&self.job.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await
        {
            Ok(patched) if wanted => self.ctx.cache.jobs.wrote(&patched.metadata),
            Ok(_) => {}
            // Without the finalizer it is gone, and nothing is left to look at.
            Err(error) if !wanted && is_missing(&error) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) fn has_finalizer(&self) -> bool {
        self.job.finalizers().iter().any(|name| name == FINALIZER)
    }
}
