//! One look at a job: what is there, what is next.
//!
//! The order keeps the promises (docs/budget.md). Claims are made before anything else and held by every budget before a party's Job
//! exists. The status says `Running` and which Jobs they are before the first of their pods may do anything; from then on a party that is gone
//! is lost, never made anew.

use super::{
    attempt::Attempt,
    build,
    dereference::dereference,
    end::SOON,
    observe::Sight,
    status::Draft,
    validate::{Accepted, Refused, validate},
};
use crate::{
    clock,
    context::Context,
    error::Error,
    names::{self, CONTROLLER},
    reason::Reason,
};
use kube::runtime::{controller::Action, reflector::ObjectRef};
use std::{sync::Arc, time::Duration};
use veilgrid_api::{
    condition::{self, Truth},
    job::PrivateJob,
    status::{PartyPhase, Phase},
};

/// What lasts shorter in a pod's beginning is not worth a write.
const SETTLES: Duration = Duration::from_secs(2);
/// How long parties are given to end by themselves when one has ended.
const PARTING: Duration = Duration::from_secs(5);

/// How long a look at a job is to wait, where a cache does not show yet what this process wrote last of it.
pub fn behind(job: &PrivateJob, ctx: &Context) -> Option<Duration> {
    let cache = &ctx.cache;
    let seats = names::seats(job).unwrap_or_default().into_iter();
    let parts = seats.flat_map(|seat| {
        let jobs = &cache.party_jobs;
        [cache.claims.behind(&seat.claim()), jobs.behind(&seat.object()), jobs.behind(&seat.delivery())]
    });
    parts.chain([cache.jobs.behind(&ObjectRef::from_obj(job))]).flatten().max()
}

/// Takes a job one step further.
///
/// # Errors
/// [`Error`]; the next try starts from what is there.
pub async fn reconcile(job: Arc<PrivateJob>, ctx: Arc<Context>) -> Result<Action, Error> {
    if job.spec.managed_by.as_deref().is_some_and(|name| name != CONTROLLER) {
        return Ok(Action::await_change());
    }
    let mut attempt = Attempt::of(&job, &ctx)?;
    let phase = attempt.phase();
    if job.metadata.deletion_timestamp.is_some() {
        return attempt.delete().await;
    }
    if phase.has_ended() {
        // What failed before its pods could do anything is settled now that nothing can launch it any more.
        attempt.settle(false).await?;
        let is_cleared = phase == Phase::Succeeded || attempt.is_bare();
        attempt.forget();
        if is_cleared && attempt.has_jobs() {
            attempt.remove().await?;
        }
        return attempt.expire().await;
    }
    if !attempt.has_finalizer() {
        // The change brings the job back here.
        attempt.put_finalizer(true).await?;
        return Ok(Action::await_change());
    }
    match phase {
        Phase::Delivering => attempt.follow().await,
        // Nothing is computed again, whatever is left of the parties.
        Phase::Running if attempt.opened_hash().is_some() && job.spec.suspend => attempt.hold().await,
        Phase::Running if attempt.opened_hash().is_some() => attempt.finish().await,
        Phase::Running => attempt.watch().await,
        // It may wait for room.
        Phase::Launching if job.spec.suspend && !attempt.has_any_job() => attempt.suspend().await,
        Phase::Launching => attempt.launch().await,
        _ if job.spec.suspend => attempt.suspend().await,
        Phase::Suspended => attempt.renew().await,
        _ => match attempt.accept().and_then(|accepted| attempt.lasts(accepted)) {
            Err(refused) => attempt.refuse(refused).await,
            Ok(accepted) => attempt.start(accepted).await,
        },
    }
}

impl Attempt<'_> {
    pub(super) fn accept(&self) -> Result<Accepted, Refused> {
        validate(dereference(self.job, &self.ctx.cache), &self.seats[0].run(), self.ctx.pods.queues)
    }

    /// The spec is bad, or something that it names. Nothing that was claimed before stays held.
    pub(super) async fn refuse(&self, refused: Refused) -> Result<Action, Error> {
        self.end_turn();
        if self.has_claims() {
            let message = format!("what the job asks for is not there any more: {}", refused.message);
            return self.give_up(Reason::Changed, message).await;
        }
        let mut draft = Draft::of(self);
        draft.state("Accepted", Truth::False, refused.reason, &refused.message);
        draft.phase(Phase::Pending, refused.reason, refused.message);
        draft.write().await
    }

    /// Follows the parties' pods to their end.
    async fn watch(&mut self) -> Result<Action, Error> {
        if self.sights.iter().all(|sight| sight.phase == PartyPhase::Succeeded) {
            return self.finish().await;
        }
        // Before a look at failures: those that were asked to end have failed.
        if self.job.spec.suspend {
            return self.suspend().await;
        }
        if let Some((reason, message)) = self.condemned() {
            return self.end(reason, message).await;
        }
        let bad = |sight: &Sight| sight.phase == PartyPhase::Failed || sight.stuck || sight.lost;
        if let Some(first) = self.sights.iter().position(bad) {
            if let Some(wait) = self.parting() {
                return Ok(Action::requeue(wait));
            }
            let (reason, message) = self.cause(first);
            return self.collapse(reason, message).await;
        }
        if let Some(over) = self.equip().await? {
            return Ok(over);
        }
        self.mend().await?;
        if self.sights.iter().all(|sight| sight.pod.is_some()) {
            self.end_turn();
        }
        let conditions = self.job.status.as_ref().map_or(&[][..], |status| &status.conditions);
        let stated = condition::find(conditions, "PartiesReady");
        let stated = stated.and_then(|stated| clock::read(&stated.last_transition_time));
        // A queue may hold the parties for as long as it likes.
        let held = self.sights.iter().any(|sight| sight.released.is_none());
        let released = self.sights.iter().filter_map(|sight| sight.released).max();
        let waited = released.max(stated).map_or(0, clock::since);
        let asked = self.ask_refusals(waited).await;
        let waits: Vec<String> = self
            .seats
            .iter()
            .zip(&self.sights)
            .filter(|(_, sight)| sight.phase == PartyPhase::Pending)
            .map(|(seat, sight)| format!("{}: {}", seat.party, sight.message))
            .collect();
        let ready = waits.is_empty();
        let deadline = u64::from(self.job.spec.ready_deadline_seconds.unwrap_or(build::READY));
        if !ready && !held && waited >= deadline {
            let message = format!("not all parties run after {deadline} s: {}", waits.join("; "));
            return self.collapse(Reason::NotReady, message).await;
        }
        if waited < SETTLES.as_secs() {
            return Ok(Action::requeue(SETTLES));
        }
        let asked = if ready { Some(self.ask().await) } else { asked };
        let mut draft = Draft::of(self);
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
        let due = (!ready && !held).then(|| Duration::from_secs(deadline - waited));
        let again = self.tell(draft).await?.into_iter().chain(asked).chain(due).min();
        Ok(again.map_or_else(Action::await_change, Action::requeue))
    }

    /// The attempt will come to nothing. What only the pods show is said before they are ended.
    pub(super) async fn collapse(&self, reason: Reason, message: String) -> Result<Action, Error> {
        if !Reason::SAID_BEFORE.contains(&reason) || !self.sights.iter().any(Sight::may_act) {
            return self.end(reason, message).await;
        }
        let mut draft = Draft::of(self);
        draft.state("PartiesReady", Truth::False, reason, &message);
        draft.phase(Phase::Running, Reason::Waiting, format!("the others are asked to end: {message}"));
        draft.write().await
    }

    /// How long parties are given to end by themselves after the first has ended: it told them why, and each says so in its own log, which
    /// goes with a pod that is deleted.
    fn parting(&self) -> Option<Duration> {
        let ended = self.sights.iter().filter_map(|sight| sight.ended_at).min()?;
        let left = PARTING.saturating_sub(Duration::from_secs(clock::since(ended)));
        (self.sights.iter().any(Sight::may_act) && !left.is_zero()).then_some(left)
    }

    /// Asks the parties that still run to end; when they have, the attempt is over.
    async fn end(&self, reason: Reason, message: String) -> Result<Action, Error> {
        if self.interrupt().await? {
            return self.fail(reason, message).await;
        }
        Ok(Action::requeue(SOON))
    }

    /// Why the attempt is to end, where that was said before the pods that showed it were ended.
    fn condemned(&self) -> Option<(Reason, String)> {
        let stated = condition::find(&self.job.status.as_ref()?.conditions, "PartiesReady")?;
        let reason = Reason::SAID_BEFORE.into_iter().find(|reason| reason.to_string() == stated.reason)?;
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
}
