//! An attempt's claims: made before anything else, settled before it is over.

use super::{attempt::Attempt, validate::Accepted};
use crate::{
    budget::book::holds,
    claim::{is_open, write_outcome},
    error::{Error, exists},
    reason::Reason,
    together::together,
};
use kube::{ResourceExt, api::PostParams, runtime::reflector::ObjectRef};
use std::sync::Arc;
use veilgrid_api::{
    budget::PrivacyBudget,
    claim::{JobRef, Outcome, PrivacyClaim, PrivacyClaimSpec},
    cluster::Approval,
};

/// Where an attempt's claims stand.
pub(super) enum Standing {
    /// These owners have not approved yet.
    AwaitingApproval(Vec<String>),
    /// The budgets have not answered yet.
    Reserving,
    /// Every budget holds its amount.
    Reserved,
    /// The attempt is over before it began.
    Over(Reason, String),
}

impl Attempt<'_> {
    /// Makes the claims that are missing, and says where all stand. Those that need an approval come first: the others ask for
    /// nothing until it is there.
    pub(super) async fn claim(&self, accepted: &Accepted) -> Result<Standing, Error> {
        let present = || self.claims.iter().flatten();
        let outcome = |claim: &Arc<PrivacyClaim>| claim.status.as_ref().and_then(|status| status.outcome);
        if let Some(refused) = present().find(|claim| outcome(claim) == Some(Outcome::Refused)) {
            let message = refused.status.as_ref().map(|status| status.message.clone()).unwrap_or_default();
            let budget = format!("{}/{}", refused.namespace().unwrap_or_default(), refused.spec.budget);
            return Ok(Standing::Over(
                Reason::BudgetRefused,
                format!("the PrivacyBudget {budget}: {message}"),
            ));
        }
        if present().any(|claim| outcome(claim).is_some()) {
            return Ok(Standing::Over(Reason::Changed, "the claims of this attempt are settled".into()));
        }
        if present().any(|claim| !is_for(claim, accepted)) {
            let message = "a dataset or the job changed after its claims were made; apply the job anew";
            return Ok(Standing::Over(Reason::Changed, message.into()));
        }
        let awaited = |index: usize| {
            let manual = accepted.parties[index].approval == Approval::Manual;
            self.claims[index].as_ref().map_or(manual, |claim| !claim.spec.approved)
        };
        let waits: Vec<usize> = (0..self.claims.len()).filter(|index| awaited(*index)).collect();
        let missing: Vec<usize> = (0..self.claims.len())
            .filter(|index| self.claims[*index].is_none() && (waits.is_empty() || waits.contains(index)))
            .collect();
        if !missing.is_empty() {
            together(missing.iter().map(|index| self.make_claim(accepted, *index))).await?;
            // They bring the next look.
            return Ok(Standing::Reserving);
        }
        if !waits.is_empty() {
            let words = |index: &usize| {
                format!("{}/{}", self.seats[*index].namespace, self.seats[*index].claim_name())
            };
            return Ok(Standing::AwaitingApproval(waits.iter().map(words).collect()));
        }
        let held = |claim: &Arc<PrivacyClaim>| {
            let namespace = claim.namespace().unwrap_or_default();
            let budget = ObjectRef::<PrivacyBudget>::new(&claim.spec.budget).within(&namespace);
            let budget = self.ctx.cache.budgets.get(&budget);
            budget.is_some_and(|budget| budget.status.as_ref().is_some_and(|status| holds(status, claim)))
        };
        Ok(if present().all(held) { Standing::Reserved } else { Standing::Reserving })
    }

    async fn make_claim(&self, accepted: &Accepted, index: usize) -> Result<(), Error> {
        let (party, seat) = (&accepted.parties[index], &self.seats[index]);
        let mut claim = PrivacyClaim::new(
            &seat.claim_name(),
            PrivacyClaimSpec {
                job: JobRef {
                    namespace: seat.job_namespace.into(),
                    name: seat.job.into(),
                    uid: seat.uid.into(),
                },
                party: party.name.clone(),
                dataset: party.dataset.clone(),
                budget: party.budget.clone(),
                run: accepted.run.clone(),
                plan: accepted.plan.clone(),
                epsilon: accepted.epsilon,
                delta: accepted.delta,
                approved: party.approval == Approval::Automatic,
            },
        );
        claim.metadata.labels = Some(seat.labels());
        match self.ctx.api::<PrivacyClaim>(seat.namespace).create(&PostParams::default(), &claim).await {
            Ok(made) => self.ctx.cache.claims.wrote(&made.metadata),
            Err(error) if exists(&error) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether all claims are there as they were made for this plan, and not settled.
    pub(super) fn is_claimed(&self, accepted: &Accepted) -> bool {
        let good = |claim: &Arc<PrivacyClaim>| is_for(claim, accepted) && is_open(claim);
        self.claims.iter().all(|claim| claim.as_ref().is_some_and(good))
    }

    /// What a claim comes to, where pods may have been made.
    fn outcome(&self, index: usize) -> Outcome {
        let mut others = self.sights.iter().enumerate().filter(|(other, _)| *other != index);
        self.sights[index].outcome(others.all(|(_, sight)| sight.has_ended()))
    }

    /// Whether any claim would be spent, where pods may have been made.
    pub(super) fn is_charged(&self) -> bool {
        (0..self.sights.len()).any(|index| self.outcome(index) == Outcome::Spent)
    }

    /// Writes the outcome of every claim of the attempt that has none. `launched` says that pods may have been made: then what
    /// each party was seen to do decides.
    pub(super) async fn settle(&self, launched: bool) -> Result<(), Error> {
        let claims = self.claims.iter().enumerate();
        let open =
            claims.filter_map(|(index, claim)| Some((index, claim.as_ref().filter(|claim| is_open(claim))?)));
        let settled = open.map(|(index, claim)| async move {
            let sight = &self.sights[index];
            let outcome = if launched { self.outcome(index) } else { Outcome::Released };
            let message = match (outcome, sight.exit_code) {
                _ if !launched => "no pod was made".into(),
                (_, Some(code)) => format!("the party ended with exit code {code}"),
                (Outcome::Released, None) => "the party's container never started".into(),
                _ => "the party ended without a word".into(),
            };
            write_outcome(self.ctx, claim, outcome, &message).await
        });
        together(settled).await.map(drop)
    }

    /// The same for claims that the cache has not: the API server is asked. What the party of one did, nobody has seen.
    pub(super) async fn settle_unseen(&self, launched: bool) -> Result<(), Error> {
        let unseen = self.seats.iter().zip(&self.claims).filter(|(_, claim)| claim.is_none());
        for (seat, _) in unseen {
            let claims = self.ctx.api::<PrivacyClaim>(seat.namespace);
            let Some(claim) = claims.get_opt(&seat.claim_name()).await?.filter(is_open) else { continue };
            let (outcome, message) = match launched {
                true => (Outcome::Spent, "what became of the party is not known"),
                false => (Outcome::Released, "no pod was made"),
            };
            write_outcome(self.ctx, &claim, outcome, message).await?;
        }
        Ok(())
    }
}

/// Whether the claim was made for this plan and run.
fn is_for(claim: &PrivacyClaim, accepted: &Accepted) -> bool {
    claim.spec.plan == accepted.plan && claim.spec.run == accepted.run
}
