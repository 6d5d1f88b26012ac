//! One look at a job: what is there, what is next.
//!
//! The order keeps the promises (docs/budget.md). Claims are made before anything else and held by every budget before a pod
//! exists. The status says `Launching` before the first pod may be made, and `Running` when all were; from then on a party that is
//! gone is lost, never made anew.

use super::{
    attempt::Attempt,
    build,
    claims::Standing,
    dereference::dereference,
    end::SOON,
    observe::Sight,
    stages::Stage,
    status::Draft,
    validate::{Accepted, Refused, validate},
};
use crate::{
    clock,
    context::Context,
    error::Error,
    job::apply::{self, Made},
    keeper::{self, is_going},
    names::{self, CONTROLLER},
    reason::Reason,
};
use kube::runtime::{controller::Action, reflector::ObjectRef};
use std::{sync::Arc, time::Duration};
use veilgrid_api::{
    condition::{self, Truth},
    job::PrivateJob,
    status::{PartyPhase, Phase, ReceiptStatus},
};

/// What lasts shorter in a pod's beginning is not worth a write.
const SETTLES: Duration = Duration::from_secs(2);
/// How soon to look again for the name that the result is to have.
const TAKEN: Duration = Duration::from_secs(30);
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
        // What failed before its pods could be made is settled now that nothing can launch it any more.
        attempt.settle(false).await?;
        attempt.forget();
        if phase == Phase::Succeeded && attempt.has_jobs() {
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
        validate(dereference(self.job, &self.ctx.cache), &self.seats[0].run())
    }

    /// What is being deleted takes no new job.
    fn lasts(&self, accepted: Accepted) -> Result<Accepted, Refused> {
        let job = &accepted.manifest.jobs[0];
        let mut faults = Vec::new();
        for (index, party) in accepted.parties.iter().enumerate() {
            let (namespace, dataset, budget) = (&party.namespace, &party.dataset, &party.budget);
            let cache = &self.ctx.cache;
            let found = cache.datasets.get(&ObjectRef::new(dataset).within(namespace));
            let going = found.is_some_and(|dataset| is_going(&*dataset));
            let dataset = going.then(|| format!("the PrivateDataset {namespace}/{dataset}"));
            let found = cache.budgets.get(&ObjectRef::new(budget).within(namespace));
            let going = found.is_some_and(|budget| is_going(&*budget));
            let budget = going.then(|| format!("its PrivacyBudget {namespace}/{budget}"));
            let remedy = "ask its owner, or name another";
            faults.extend([dataset, budget].into_iter().flatten().map(|title| {
                let problem = format!("{title} is being deleted");
                job.fault(&format!("spec.parties[{index}].dataset"), problem, remedy).to_string()
            }));
        }
        match faults.is_empty() {
            true => Ok(accepted),
            false => Err(Refused { reason: Reason::BeingDeleted, message: faults.join("\n") }),
        }
    }

    /// The spec is bad, or something that it names. Nothing that was claimed before stays held.
    async fn refuse(&self, refused: Refused) -> Result<Action, Error> {
        if self.has_claims() {
            let message = format!("what the job asks for is not there any more: {}", refused.message);
            return self.give_up(Reason::Changed, message).await;
        }
        let mut draft = Draft::of(self);
        draft.state("Accepted", Truth::False, refused.reason, &refused.message);
        draft.phase(Phase::Pending, refused.reason, refused.message);
        draft.write().await
    }

    /// Claims and waits for the budgets.
    async fn start(&self, accepted: Accepted) -> Result<Action, Error> {
        let unheld = keeper::unheld(self.job, self.ctx);
        if !unheld.is_empty() {
            // A dataset must not vanish while it is claimed. When it is held, its change brings the job back here.
            unheld.into_iter().for_each(|dataset| drop(self.ctx.datasets.send(dataset)));
            return Ok(Action::requeue(SOON));
        }
        if let Some(taken) = self.taken(&accepted).await? {
            // Nothing tells when the name is free.
            self.refuse(taken).await?;
            return Ok(Action::requeue(TAKEN));
        }
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
            Standing::Over(reason, message) => return self.give_up(reason, message).await,
            Standing::Reserved => {
                draft.state("BudgetReserved", Truth::True, Reason::Reserved, "");
                if let Some(lacks) = self.lacks().await? {
                    return self.await_room(draft, lacks).await;
                }
                draft.phase(Phase::Launching, Reason::Waiting, "the parties' pods are being made");
            }
        }
        draft.write().await
    }

    /// Makes the parties, as often as it takes until the status says that all are made.
    async fn launch(&self) -> Result<Action, Error> {
        let accepted = match self.accept() {
            Ok(accepted) if self.is_claimed(&accepted) => accepted,
            Ok(_) => return self.withdraw(String::new()).await,
            Err(refused) => return self.withdraw(format!(": {}", refused.message)).await,
        };
        self.remove_earlier().await?;
        let (seed, pods) = (&self.ctx.seed, &self.ctx.pods);
        let objects = build::objects(self.job, &accepted, &self.seats, seed, self.day(), pods)?;
        let is_guarded = self.stage() == Some(Stage::Guarded);
        match apply::make(objects, &self.seats, is_guarded, self.ctx).await? {
            Made::Jobs => {
                // What one owned that is gone goes with it.
                self.ctx.stages.forget(self.seats[0].uid);
                return Ok(Action::requeue(SOON));
            }
            Made::Guards => {
                self.reach(Stage::Guarded);
                return Ok(Action::requeue(Duration::ZERO));
            }
            Made::All => {}
        }
        let mut draft = Draft::of(self);
        draft.state("Scheduled", Truth::False, Reason::Waiting, "");
        draft.state("PartiesReady", Truth::False, Reason::Waiting, "");
        draft.phase(Phase::Running, Reason::Waiting, "the parties' pods are made");
        draft.parties();
        // This look began before they were made.
        let pending = draft.status.parties.iter_mut().filter(|party| party.phase == PartyPhase::Pending);
        pending.for_each(|party| party.message = "no pod yet".into());
        self.ctx.told.note(self.seats[0].uid);
        draft.write().await
    }

    /// What the claims were made for changed when some pods may have been made, and others not. The status says so before any is ended:
    /// one that was ended is never made anew.
    async fn withdraw(&self, why: String) -> Result<Action, Error> {
        let message = format!("what the job asks for changed while its pods were made{why}");
        let mut draft = Draft::of(self);
        draft.state("PartiesReady", Truth::False, Reason::Changed, &message);
        draft.phase(Phase::Running, Reason::Waiting, format!("the parties are asked to end: {message}"));
        draft.write().await
    }

    /// When the attempt began, in days: a certificate's dates follow from it.
    fn day(&self) -> i64 {
        let claim = self.claims[0].as_ref().and_then(|claim| claim.metadata.creation_timestamp.as_ref());
        claim.map_or(0, |time| time.0.as_second().div_euclid(86400))
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
        self.mend().await?;
        let conditions = self.job.status.as_ref().map_or(&[][..], |status| &status.conditions);
        let stated = condition::find(conditions, "PartiesReady");
        let stated = stated.and_then(|stated| clock::read(&stated.last_transition_time));
        // A queue may hold the parties for as long as it likes.
        let held = self.sights.iter().any(|sight| sight.released.is_none());
        let released = self.sights.iter().filter_map(|sight| sight.released).max();
        let waited = released.max(stated).map_or(0, clock::since);
        let asked = if waited >= SETTLES.as_secs() { self.ask_refusals(waited).await } else { None };
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

    /// All parties did their part.
    async fn finish(&self) -> Result<Action, Error> {
        if let Some(Stage::Placed { hash, receipt }) = self.stage() {
            return self.succeed(hash, receipt).await;
        }
        let hash = match self.opened_hash().map_or_else(|| self.agreed(), |hash| Ok(hash.to_owned())) {
            Ok(hash) => hash,
            Err(message) => return self.fail(Reason::ResultLost, message).await,
        };
        let opened = match self.opened(&hash).await {
            Ok(opened) => opened,
            Err(unread) => return self.read_again(unread).await,
        };
        let receipt = match self.check(&opened) {
            Ok(receipt) => receipt,
            Err(message) => return self.fail(Reason::ResultLost, message).await,
        };
        let place = self.job.spec.result.as_ref();
        if let Some(bytes) = place.and_then(|_| opened.too_large()) {
            return self.fail(Reason::ResultLost, bytes).await;
        }
        if let Some(place) = place.filter(|place| place.needs_delivery()) {
            return self.send(opened, place, hash, receipt).await;
        }
        let put = async {
            match place.and_then(|place| place.config_map.as_deref()) {
                Some(name) => self.place(&opened, name).await,
                None => Ok(Ok(())),
            }
        };
        // It is paid for, wherever it can be.
        let (put, settled) = tokio::join!(put, self.settle(true));
        settled?;
        if let Err(message) = put? {
            return self.fail(Reason::ResultLost, message).await;
        }
        self.reach(Stage::Placed { hash, receipt });
        Ok(Action::requeue(Duration::ZERO))
    }

    /// The result is in its place, and paid for.
    async fn succeed(&self, hash: String, receipt: ReceiptStatus) -> Result<Action, Error> {
        let mut draft = Draft::of(self);
        draft.state("Scheduled", Truth::True, Reason::Ready, "");
        draft.state("PartiesReady", Truth::True, Reason::Ready, "");
        if condition::find(&draft.status.conditions, "Delivered").is_some() {
            draft.state("Delivered", Truth::True, Reason::Done, "");
        }
        draft.state("Succeeded", Truth::True, Reason::Done, "");
        draft.phase(Phase::Succeeded, Reason::Done, self.found());
        if self.opened_hash().is_none() {
            // What the parties said is in the status before their Jobs go.
            draft.parties();
        }
        draft.status.result_hash = Some(hash);
        draft.status.receipt = Some(receipt);
        draft.write().await
    }

    /// The attempt will come to nothing. What only the pods show is said before they are ended.
    async fn collapse(&self, reason: Reason, message: String) -> Result<Action, Error> {
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
