//! One look at a job: what is there, what is next.
//!
//! The order keeps the promises. Claims are made before anything else and held by every budget before a pod exists. The
//! status says that pods were made only when all were; from then on a party that is gone is lost, never made anew. An attempt's
//! claims are settled before the status says that it is over.

use super::{
    attempt::Attempt,
    build,
    claims::Standing,
    dereference::dereference,
    observe::Sight,
    status::Draft,
    validate::{Accepted, Refused, validate},
};
use crate::{
    clock,
    context::Context,
    error::Error,
    job::apply,
    names::{CONTROLLER, FINALIZER},
    reason::Reason,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::controller::Action,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use veilgrid_api::{
    condition::{self, Truth},
    job::PrivateJob,
    status::{PartyPhase, Phase},
};

/// How soon to look again at what no watch tells.
const SOON: Duration = Duration::from_secs(5);
/// What lasts shorter in a pod's beginning is not worth a write.
const SETTLES: Duration = Duration::from_secs(2);

/// Takes a job one step further.
///
/// # Errors
/// [`Error`]; the next try starts from what is there.
pub async fn reconcile(job: Arc<PrivateJob>, ctx: Arc<Context>) -> Result<Action, Error> {
    if job.spec.managed_by.as_deref().is_some_and(|name| name != CONTROLLER) {
        return Ok(Action::await_change());
    }
    let attempt = Attempt::of(&job, &ctx)?;
    let phase = job.status.as_ref().map(|status| status.phase).unwrap_or_default();
    if job.metadata.deletion_timestamp.is_some() {
        return attempt.delete(phase).await;
    }
    if phase.has_ended() {
        attempt.forget();
        if phase == Phase::Succeeded && attempt.has_jobs() {
            attempt.remove().await?;
        }
        return attempt.expire().await;
    }
    if !has_finalizer(&job) {
        // The change brings the job back here.
        attempt.put_finalizer(true).await?;
        return Ok(Action::await_change());
    }
    if phase == Phase::Running {
        return attempt.watch().await;
    }
    if job.spec.suspend {
        return attempt.suspend(false).await;
    }
    match validate(dereference(&job, &ctx.cache), &attempt.seats[0].run()) {
        Err(refused) => attempt.refuse(refused).await,
        Ok(accepted) => attempt.start(accepted).await,
    }
}

impl Attempt<'_> {
    /// The spec is bad, or something that it names. Nothing that was claimed before stays held.
    async fn refuse(&self, refused: Refused) -> Result<Action, Error> {
        if self.claims.iter().any(Option::is_some) {
            let message = format!("what the job asks for is not there any more: {}", refused.message);
            return self.fail(false, Reason::Changed, message).await;
        }
        let mut draft = Draft::of(self);
        draft.state("Accepted", Truth::False, refused.reason, &refused.message);
        draft.phase(Phase::Pending, refused.reason, refused.message);
        draft.write().await
    }

    /// Claims, waits for the budgets, and makes the parties.
    async fn start(&self, accepted: Accepted) -> Result<Action, Error> {
        let standing = self.claim(&accepted).await?;
        let mut draft = Draft::of(self);
        draft.status.run.clone_from(&accepted.run);
        draft.state("Accepted", Truth::True, Reason::Valid, "");
        match standing {
            Standing::AwaitingApproval(claims) => {
                let message = format!("waits for the approval of {}", claims.join(", "));
                draft.state("BudgetReserved", Truth::False, Reason::AwaitingApproval, &message);
                draft.phase(Phase::AwaitingApproval, Reason::AwaitingApproval, message);
            }
            // Budgets answer in a moment: saying so first would be a write for nothing.
            Standing::Reserving => return Ok(Action::requeue(SOON)),
            Standing::Over(reason, message) => return self.fail(false, reason, message).await,
            Standing::Reserved => {
                let (seed, pods) = (&self.ctx.seed, &self.ctx.pods);
                let objects = build::objects(self.job, &accepted, &self.seats, seed, self.day(), pods)?;
                apply::make(objects, self.ctx).await?;
                draft.state("BudgetReserved", Truth::True, Reason::Reserved, "");
                draft.state("Scheduled", Truth::False, Reason::Waiting, "");
                draft.state("PartiesReady", Truth::False, Reason::Waiting, "");
                draft.phase(Phase::Running, Reason::Waiting, "the parties' pods are made");
                draft.parties();
            }
        }
        draft.write().await
    }

    /// When the attempt began, in days: a certificate's dates follow from it.
    fn day(&self) -> i64 {
        let claim = self.claims[0].as_ref().and_then(|claim| claim.metadata.creation_timestamp.as_ref());
        claim.map_or(0, |time| time.0.as_second().div_euclid(86400))
    }

    /// Follows the parties' pods to their end.
    async fn watch(&self) -> Result<Action, Error> {
        if self.sights.iter().all(|sight| sight.phase == PartyPhase::Succeeded) {
            return self.finish().await;
        }
        // Before a look at failures: those that were asked to end have failed.
        if self.job.spec.suspend {
            return self.suspend(true).await;
        }
        if let Some((reason, message)) = self.condemned() {
            return self.end(reason, message).await;
        }
        let bad = |sight: &Sight| sight.phase == PartyPhase::Failed || sight.stuck || sight.lost;
        if let Some(first) = self.sights.iter().position(bad) {
            let (reason, message) = self.cause(first);
            return self.collapse(reason, message).await;
        }
        let mut draft = Draft::of(self);
        let waits: Vec<String> = self
            .seats
            .iter()
            .zip(&self.sights)
            .filter(|(_, sight)| sight.phase == PartyPhase::Pending)
            .map(|(seat, sight)| format!("{}: {}", seat.party, sight.message))
            .collect();
        let ready = waits.is_empty();
        let stated = condition::find(&draft.status.conditions, "PartiesReady");
        let stated = stated.and_then(|stated| clock::read(&stated.last_transition_time));
        // A queue may hold the parties for as long as it likes.
        let held = self.sights.iter().any(|sight| sight.released.is_none());
        let released = self.sights.iter().filter_map(|sight| sight.released).max();
        let waited = released.max(stated).map_or(0, clock::since);
        let deadline = u64::from(self.job.spec.ready_deadline_seconds.unwrap_or(build::READY));
        if !ready && !held && waited >= deadline {
            let message = format!("not all parties run after {deadline} s: {}", waits.join("; "));
            return self.collapse(Reason::NotReady, message).await;
        }
        if waited < SETTLES.as_secs() {
            return Ok(Action::requeue(SETTLES));
        }
        let scheduled = self.sights.iter().all(|sight| sight.scheduled);
        let message =
            if ready { "all parties run".into() } else { format!("waits for {}", waits.join("; ")) };
        let (truth, reason) =
            if ready { (Truth::True, Reason::Ready) } else { (Truth::False, Reason::Waiting) };
        match scheduled {
            true => draft.state("Scheduled", Truth::True, Reason::Ready, ""),
            false => draft.state("Scheduled", Truth::False, Reason::Waiting, &message),
        }
        draft.state("PartiesReady", truth, reason, if ready { "" } else { &message });
        draft.phase(Phase::Running, reason, message);
        draft.parties();
        draft.write().await?;
        Ok(if ready || held {
            Action::await_change()
        } else {
            Action::requeue(Duration::from_secs(deadline - waited))
        })
    }

    /// All parties did their part.
    async fn finish(&self) -> Result<Action, Error> {
        let hash = match self.agreed() {
            Ok(hash) => hash,
            Err(message) => return self.fail(true, Reason::ResultLost, message).await,
        };
        let opened = self.opened(&hash).await.and_then(|opened| Ok((self.check(&opened)?, opened)));
        let placed = match (&opened, &self.job.spec.result) {
            (Ok((_, opened)), Some(place)) => self.place(opened, place).await?,
            _ => Ok(()),
        };
        let receipt = match placed.and(opened) {
            Ok((receipt, _)) => receipt,
            Err(message) => return self.fail(true, Reason::ResultLost, message).await,
        };
        self.settle(true).await?;
        let mut draft = Draft::of(self);
        draft.state("Scheduled", Truth::True, Reason::Ready, "");
        draft.state("PartiesReady", Truth::True, Reason::Ready, "");
        draft.state("Succeeded", Truth::True, Reason::Done, "");
        draft.phase(Phase::Succeeded, Reason::Done, "the result is there");
        draft.status.result_hash = Some(hash);
        draft.status.receipt = Some(receipt);
        // What the parties said is in the status before their Jobs go.
        draft.parties();
        draft.write().await
    }

    /// The attempt will come to nothing. What only the pods show is said before they are ended.
    async fn collapse(&self, reason: Reason, message: String) -> Result<Action, Error> {
        if !Reason::GONE_WITH_PODS.contains(&reason) || !self.sights.iter().any(Sight::may_act) {
            return self.end(reason, message).await;
        }
        let mut draft = Draft::of(self);
        draft.state("PartiesReady", Truth::False, reason, &message);
        draft.phase(Phase::Running, Reason::Waiting, format!("the others are asked to end: {message}"));
        draft.write().await
    }

    /// Asks the parties that still run to end; when they have, the attempt is over.
    async fn end(&self, reason: Reason, message: String) -> Result<Action, Error> {
        if self.interrupt().await? {
            return self.fail(true, reason, message).await;
        }
        Ok(Action::requeue(SOON))
    }

    /// Why the attempt is to end, where that was said before the pods that showed it were ended.
    fn condemned(&self) -> Option<(Reason, String)> {
        let stated = condition::find(&self.job.status.as_ref()?.conditions, "PartiesReady")?;
        let reason = Reason::GONE_WITH_PODS.into_iter().find(|reason| reason.to_string() == stated.reason)?;
        Some((reason, stated.message.clone()))
    }

    /// Why the attempt is over. A party that merely lost its peers is not the cause.
    fn cause(&self, first: usize) -> (Reason, String) {
        let odd = |sight: &Sight| sight.exit_code.is_some_and(|code| ![0, 5, 9].contains(&code));
        let cause = self.sights.iter().position(odd);
        let cause =
            cause.or_else(|| self.sights.iter().position(|sight| sight.stuck || sight.lost)).unwrap_or(first);
        let (sight, party) = (&self.sights[cause], self.seats[cause].party);
        let reason = match sight {
            Sight { stuck: true, .. } => Reason::PodFailed,
            Sight { lost: true, message, .. } if message.contains("deadline") => Reason::DeadlineExceeded,
            Sight { exit_code: None, .. } => Reason::PartyLost,
            _ => Reason::PartyFailed,
        };
        let said = if sight.message.is_empty() { "it ended without a word" } else { &sight.message };
        let message = match sight.exit_code {
            Some(code) => format!("{party} ended with exit code {code}: {said}"),
            None => format!("{party}: {said}"),
        };
        (reason, message)
    }

    /// Settles the attempt's claims, and ends the job or begins another attempt. `launched` says that pods were made.
    async fn fail(&self, launched: bool, reason: Reason, message: String) -> Result<Action, Error> {
        self.settle(launched).await?;
        let mut draft = Draft::of(self);
        draft.parties();
        if reason.may_pass() && draft.status.failures < self.job.spec.backoff_limit.unwrap_or(0) {
            self.remove().await?;
            draft.status.failures += 1;
            let message = format!("attempt {} failed: {message}", draft.status.attempt);
            draft.status.attempt += 1;
            draft.state("BudgetReserved", Truth::False, Reason::Reserving, "");
            draft.state("PartiesReady", Truth::False, reason, &message);
            draft.phase(Phase::Reserving, reason, message);
        } else {
            draft.state("Failed", Truth::True, reason, &message);
            draft.phase(Phase::Failed, reason, message);
        }
        draft.write().await
    }

    /// Ends what runs and settles what was claimed. The next attempt waits until the job goes on.
    async fn suspend(&self, launched: bool) -> Result<Action, Error> {
        if launched && !self.interrupt().await? {
            return Ok(Action::requeue(SOON));
        }
        let mut draft = Draft::of(self);
        if self.claims.iter().any(Option::is_some) {
            self.settle(launched).await?;
            self.remove().await?;
            draft.parties();
            draft.status.attempt += 1;
        }
        draft.state("BudgetReserved", Truth::False, Reason::Suspended, "");
        draft.state("PartiesReady", Truth::False, Reason::Suspended, "");
        draft.phase(Phase::Suspended, Reason::Suspended, "spec.suspend is true");
        draft.write().await
    }

    /// Deletes an ended job when its time has come.
    async fn expire(&self) -> Result<Action, Error> {
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
        Ok(Action::await_change())
    }

    /// Ends the pods of a deleted job, settles its claims, and lets it go.
    async fn delete(&self, phase: Phase) -> Result<Action, Error> {
        if !has_finalizer(self.job) {
            return Ok(Action::await_change());
        }
        if !phase.has_ended() {
            if !self.interrupt().await? {
                return Ok(Action::requeue(SOON));
            }
            self.settle(phase == Phase::Running).await?;
        }
        self.remove().await?;
        self.forget();
        tracing::info!(job = self.job.name_any(), namespace = self.home(), "deleted");
        self.put_finalizer(false).await?;
        Ok(Action::await_change())
    }

    async fn put_finalizer(&self, wanted: bool) -> Result<(), Error> {
        let present = self.job.finalizers();
        let mut finalizers: Vec<&str> =
            present.iter().map(String::as_str).filter(|name| *name != FINALIZER).collect();
        if wanted {
            finalizers.push(FINALIZER);
        }
        let version = &self.job.metadata.resource_version;
        let patch = json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}});
        let jobs = self.ctx.api::<PrivateJob>(&self.home());
        jobs.patch_metadata(&self.job.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }
}

fn has_finalizer(job: &PrivateJob) -> bool {
    job.finalizers().iter().any(|name| name == FINALIZER)
}
