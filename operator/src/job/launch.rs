//! How a job's parties come to be. Their Jobs are made first, and their pods wait for their Secrets. Then the status says `Running` and names the
//! Jobs by their uids, in one guarded write; and only then do these Jobs get their Secrets. So no pod can do anything before that word, and none
//! but those that it names: what is deleted before it is made again, what is gone after it is lost.

use super::{
    apply::{self, Made},
    attempt::Attempt,
    build,
    claims::Standing,
    end::SOON,
    stages::Stage,
    status::Draft,
    validate::{Accepted, Refused},
};
use crate::{
    error::Error,
    keeper::{self, is_going},
    reason::Reason,
};
use kube::runtime::{controller::Action, reflector::ObjectRef};
use std::time::Duration;
use veilgrid_api::{
    condition::Truth,
    status::{PartyPhase, Phase},
};

/// How soon to look again for the name that the result is to have.
const TAKEN: Duration = Duration::from_secs(30);

impl Attempt<'_> {
    /// What is being deleted takes no new job.
    pub(super) fn lasts(&self, accepted: Accepted) -> Result<Accepted, Refused> {
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

    /// Claims, waits for the budgets, and makes the parties.
    pub(super) async fn start(&self, accepted: Accepted) -> Result<Action, Error> {
        if !self.has_claims()
            && let Some(waits) = self.await_turn().await?
        {
            return Ok(waits);
        }
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
                self.end_turn();
                let message = format!("waits for the approval of {}", claims.join(", "));
                draft.state("BudgetReserved", Truth::False, Reason::AwaitingApproval, &message);
                draft.phase(Phase::AwaitingApproval, Reason::AwaitingApproval, message);
                draft.write().await
            }
            // Budgets answer in a moment: saying so first would be a write for nothing.
            Standing::Reserving => Ok(Action::requeue(SOON)),
            Standing::Over(reason, message) => self.give_up(reason, message).await,
            Standing::Reserved => {
                draft.state("BudgetReserved", Truth::True, Reason::Reserved, "");
                self.make(draft, accepted).await
            }
        }
    }

    /// Makes the parties of an attempt that is taken up again.
    pub(super) async fn launch(&self) -> Result<Action, Error> {
        match self.accept() {
            Ok(accepted) if self.is_claimed(&accepted) => {
                self.remove_earlier().await?;
                self.make(Draft::of(self), accepted).await
            }
            Ok(_) => self.withdraw(String::new()).await,
            Err(refused) => self.withdraw(format!(": {}", refused.message)).await,
        }
    }

    /// Makes the parties' Jobs and policies, once all have room, and then says which they are. As often as it takes until the status says so.
    async fn make(&self, mut draft: Draft<'_>, accepted: Accepted) -> Result<Action, Error> {
        // The pods of those that are there have their room already.
        if !self.has_any_job()
            && let Some(lacks) = self.lacks().await?
        {
            self.end_turn();
            return self.await_room(draft, lacks).await;
        }
        let objects = self.objects(&accepted)?;
        let is_guarded = self.stage() == Some(Stage::Guarded);
        let uids = match apply::make(objects, &self.seats, is_guarded, self.ctx).await? {
            Made::Jobs => {
                // What one owned that is gone goes with it.
                self.ctx.stages.forget(self.seats[0].uid);
                return Ok(Action::requeue(SOON));
            }
            Made::Guards => {
                self.reach(Stage::Guarded);
                return Ok(Action::requeue(Duration::ZERO));
            }
            Made::All(uids) => uids,
        };
        draft.state("Scheduled", Truth::False, Reason::Waiting, "");
        draft.state("PartiesReady", Truth::False, Reason::Waiting, "");
        draft.phase(Phase::Running, Reason::Waiting, "the parties' pods are made");
        draft.parties();
        draft.pin(uids);
        // This look may have begun before they were made.
        let pending = draft.status.parties.iter_mut().filter(|party| party.phase == PartyPhase::Pending);
        pending.for_each(|party| party.message = "no pod yet".into());
        self.ctx.told.note(self.seats[0].uid);
        draft.write().await
    }

    /// Gives the Jobs that the status names their Secrets, where any of their pods may still wait for one. Another process may have done it:
    /// who does not know does it again.
    pub(super) async fn equip(&self) -> Result<Option<Action>, Error> {
        if self.stage() == Some(Stage::Equipped) {
            return Ok(None);
        }
        let pins = self.pins();
        let waits = |index: &usize| pins[*index].is_some() && self.sights[*index].waits();
        let waiting: Vec<usize> = (0..self.seats.len()).filter(waits).collect();
        if !waiting.is_empty() {
            let accepted = match self.accept() {
                Ok(accepted) if self.is_claimed(&accepted) => accepted,
                Ok(_) => return self.retract(String::new()).await.map(Some),
                Err(refused) => return self.retract(format!(": {}", refused.message)).await.map(Some),
            };
            let uids: Vec<String> = pins.into_iter().map(|pin| pin.unwrap_or_default().to_owned()).collect();
            let objects = self.objects(&accepted)?.owned_by(&uids);
            apply::equip(waiting.iter().map(|index| &objects.parties[*index].secret), self.ctx).await?;
        }
        self.reach(Stage::Equipped);
        Ok(None)
    }

    fn objects(&self, accepted: &Accepted) -> Result<build::Objects, Error> {
        let (seed, pods) = (&self.ctx.seed, &self.ctx.pods);
        Ok(build::objects(self.job, accepted, &self.seats, seed, self.day(), pods)?)
    }

    /// What the claims were made for changed when some pods of an attempt that was taken up may have been made, and others not. The status
    /// says so before any is ended: one that was ended is never made anew.
    async fn withdraw(&self, why: String) -> Result<Action, Error> {
        let message = changed(&why);
        let mut draft = Draft::of(self);
        draft.state("PartiesReady", Truth::False, Reason::Changed, &message);
        draft.phase(Phase::Running, Reason::Waiting, format!("the parties are asked to end: {message}"));
        draft.write().await
    }

    /// The same when all were made, and do not know yet what they are to do.
    async fn retract(&self, why: String) -> Result<Action, Error> {
        self.collapse(Reason::Changed, changed(&why)).await
    }

    /// When the attempt began, in days: a certificate's dates follow from it.
    fn day(&self) -> i64 {
        let claim = self.claims[0].as_ref().and_then(|claim| claim.metadata.creation_timestamp.as_ref());
        claim.map_or(0, |time| time.0.as_second().div_euclid(86400))
    }
}

fn changed(why: &str) -> String {
    format!("what the job asks for changed while its pods were made{why}")
}
