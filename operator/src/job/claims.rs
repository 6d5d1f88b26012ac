//! An attempt's claims: made before anything else, settled before it is over.

use super::{attempt::Attempt, validate::Accepted};
use crate::{
    budget::book::holds,
    error::{Error, exists},
    reason::Reason,
};
use k8s_openapi::api::batch::v1::Job;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams, PostParams},
    runtime::reflector::ObjectRef,
};
use serde_json::json;
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
        if present().any(|claim| claim.spec.plan != accepted.plan || claim.spec.run != accepted.run) {
            let message = "a dataset or the job changed after its claims were made; apply the job anew";
            return Ok(Standing::Over(Reason::Changed, message.into()));
        }
        let awaited = |index: usize| {
            let manual = accepted.parties[index].approval == Approval::Manual;
            self.claims[index].as_ref().map_or(manual, |claim| !claim.spec.approved)
        };
        let waits: Vec<usize> = (0..self.claims.len()).filter(|index| awaited(*index)).collect();
        let mut made = false;
        for (index, _) in self.claims.iter().enumerate().filter(|(_, claim)| claim.is_none()) {
            if waits.is_empty() || waits.contains(&index) {
                self.make_claim(accepted, index).await?;
                made = true;
            }
        }
        if !waits.is_empty() {
            let words =
                |index: &usize| format!("{}/{}", self.seats[*index].namespace, self.seats[*index].name());
            return Ok(Standing::AwaitingApproval(waits.iter().map(words).collect()));
        }
        let held = |claim: &Arc<PrivacyClaim>| {
            let namespace = claim.namespace().unwrap_or_default();
            let budget = ObjectRef::<PrivacyBudget>::new(&claim.spec.budget).within(&namespace);
            let budget = self.ctx.cache.budgets.get(&budget);
            budget.is_some_and(|budget| budget.status.as_ref().is_some_and(|status| holds(status, claim)))
        };
        let all = !made && present().all(held);
        Ok(if all { Standing::Reserved } else { Standing::Reserving })
    }

    async fn make_claim(&self, accepted: &Accepted, index: usize) -> Result<(), Error> {
        let (party, seat) = (&accepted.parties[index], &self.seats[index]);
        let mut claim = PrivacyClaim::new(
            &seat.name(),
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
            Err(error) if !exists(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Writes the outcome of every claim of the attempt that has none. `launched` says that pods were made: then what each
    /// party was seen to do decides. Otherwise the API server is asked whether there is a Job after all.
    pub(super) async fn settle(&self, launched: bool) -> Result<(), Error> {
        for (index, claim) in self.claims.iter().enumerate() {
            let Some(claim) = claim else { continue };
            if claim.status.as_ref().is_some_and(|status| status.outcome.is_some()) {
                continue;
            }
            let namespace = self.seats[index].namespace;
            let sight = &self.sights[index];
            let others_ended =
                self.sights.iter().enumerate().all(|(other, sight)| other == index || sight.has_ended());
            let jobs = self.ctx.api::<Job>(namespace);
            let started = launched || jobs.get_metadata_opt(&claim.name_any()).await?.is_some();
            let (outcome, message) = if started {
                let outcome = sight.outcome(others_ended);
                let message = match (outcome, sight.exit_code) {
                    (_, Some(code)) => format!("the party ended with exit code {code}"),
                    (Outcome::Released, None) => "the party's container never started".into(),
                    _ => "the party ended without a word".into(),
                };
                (outcome, message)
            } else {
                (Outcome::Released, "no pod was made".into())
            };
            // Written once: under the resource version at which it had no outcome.
            let status = json!({
                "metadata": {"resourceVersion": claim.metadata.resource_version},
                "status": {"outcome": outcome, "message": message},
            });
            let claims = self.ctx.api::<PrivacyClaim>(namespace);
            claims.patch_status(&claim.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
        }
        Ok(())
    }
}
