//! An attempt's claims: made before anything else, settled before it is over.

use super::{observe::Sight, table::Table, validate::Accepted};
use crate::{
    budget::book::holds,
    context::Context,
    error::{Error, exists},
    names::FINALIZER,
};
use k8s_openapi::api::batch::v1::Job;
use kube::{
    Api, ResourceExt,
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
    /// A budget cannot pay, for this reason.
    Refused(String),
    /// What was claimed for is not what the objects say now.
    Changed,
    /// Claims were settled already: the attempt is over.
    Settled,
}

/// Makes the claims that are missing, and says where all stand. Those that need an approval come first: the others ask for
/// nothing until it is there.
pub(super) async fn claim(
    accepted: &Accepted,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    ctx: &Context,
) -> Result<Standing, Error> {
    let present = || claims.iter().flatten();
    let outcome = |claim: &Arc<PrivacyClaim>| claim.status.as_ref().and_then(|status| status.outcome);
    if let Some(refused) = present().find(|claim| outcome(claim) == Some(Outcome::Refused)) {
        let message = refused.status.as_ref().map(|status| status.message.clone()).unwrap_or_default();
        let budget = format!("{}/{}", refused.namespace().unwrap_or_default(), refused.spec.budget);
        return Ok(Standing::Refused(format!("the PrivacyBudget {budget}: {message}")));
    }
    if present().any(|claim| outcome(claim).is_some()) {
        return Ok(Standing::Settled);
    }
    if present().any(|claim| claim.spec.plan != accepted.plan || claim.spec.run != accepted.run) {
        return Ok(Standing::Changed);
    }
    let awaited = |index: usize| {
        let manual = accepted.parties[index].approval == Approval::Manual;
        claims[index].as_ref().map_or(manual, |claim| !claim.spec.approved)
    };
    let waits: Vec<usize> = (0..claims.len()).filter(|index| awaited(*index)).collect();
    let mut made = false;
    for (index, _) in claims.iter().enumerate().filter(|(_, claim)| claim.is_none()) {
        if waits.is_empty() || waits.contains(&index) {
            make(accepted, table, index, ctx).await?;
            made = true;
        }
    }
    if !waits.is_empty() {
        let words = |index: &usize| {
            let party = &accepted.parties[*index];
            format!("{}/{}", party.namespace, table.seats[*index].name())
        };
        return Ok(Standing::AwaitingApproval(waits.iter().map(words).collect()));
    }
    let held = |claim: &Arc<PrivacyClaim>| {
        let namespace = claim.namespace().unwrap_or_default();
        let budget =
            ctx.cache.budgets.get(&ObjectRef::<PrivacyBudget>::new(&claim.spec.budget).within(&namespace));
        budget.is_some_and(|budget| budget.status.as_ref().is_some_and(|status| holds(status, claim)))
    };
    let all = !made && present().all(held);
    Ok(if all { Standing::Reserved } else { Standing::Reserving })
}

async fn make(accepted: &Accepted, table: &Table<'_>, index: usize, ctx: &Context) -> Result<(), Error> {
    let (party, seat) = (&accepted.parties[index], &table.seats[index]);
    let mut claim = PrivacyClaim::new(
        &seat.name(),
        PrivacyClaimSpec {
            job: JobRef { namespace: seat.job_namespace.into(), name: seat.job.into(), uid: seat.uid.into() },
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
    let api: Api<PrivacyClaim> = Api::namespaced(ctx.client.clone(), &party.namespace);
    match api.create(&PostParams::default(), &claim).await {
        Err(error) if !exists(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes the outcome of every claim of the attempt that has none. `launched` says that pods were made: then what each
/// party was seen to do decides. Otherwise the API server is asked whether there is a Job after all.
pub(super) async fn settle(
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    launched: bool,
    ctx: &Context,
) -> Result<(), Error> {
    for (index, claim) in claims.iter().enumerate() {
        let Some(claim) = claim else { continue };
        if claim.status.as_ref().is_some_and(|status| status.outcome.is_some()) {
            continue;
        }
        let namespace = table.namespaces[index];
        let others_ended =
            sights.iter().enumerate().all(|(other, sight)| other == index || sight.has_ended());
        let started = launched || {
            let jobs: Api<Job> = Api::namespaced(ctx.client.clone(), namespace);
            jobs.get_metadata_opt(&claim.name_any()).await?.is_some()
        };
        let (outcome, message) = if started {
            let outcome = sights[index].outcome(others_ended);
            let message = match (outcome, sights[index].exit_code) {
                (_, Some(code)) => format!("the party ended with exit code {code}"),
                (Outcome::Released, None) => "the party's container never started".into(),
                _ => "the party ended without a word".into(),
            };
            (outcome, message)
        } else {
            (Outcome::Released, "no pod was made".into())
        };
        let api: Api<PrivacyClaim> = Api::namespaced(ctx.client.clone(), namespace);
        let status = json!({"status": {"outcome": outcome, "message": message}});
        api.patch_status(&claim.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
    }
    Ok(())
}

/// A merge patch that puts the finalizer on a job, or takes it off.
pub(super) fn finalizers(present: &[String], wanted: bool, version: Option<&str>) -> serde_json::Value {
    let mut finalizers: Vec<&str> =
        present.iter().map(String::as_str).filter(|name| *name != FINALIZER).collect();
    if wanted {
        finalizers.push(FINALIZER);
    }
    json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}})
}
