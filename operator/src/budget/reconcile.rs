//! Keeps a budget's status: reserves for new claims and books settled ones, as many as there are in one write.

use super::book::{book, holds};
use crate::{
    claim::{is_open, write_outcome},
    context::Context,
    error::{Error, is_missing},
    keeper,
};
use futures::{StreamExt, stream};
use kube::{
    ResourceExt,
    api::PostParams,
    runtime::{controller::Action, reflector::ObjectRef},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use veilgrid_api::{
    budget::{PrivacyBudget, PrivacyBudgetStatus},
    claim::{Outcome, PrivacyClaim},
    job::PrivateJob,
};

/// Claims that the API server is asked for together.
const TOGETHER: usize = 16;

/// How long it is too early for a look: the cache does not show yet what this process wrote last, or other claims are to gather.
pub fn early(budget: &PrivacyBudget, ctx: &Context) -> Option<Duration> {
    let name = ObjectRef::from_obj(budget);
    let behind = ctx.cache.budgets.behind(&name);
    behind.or_else(|| ctx.paces.begin(&name, Instant::now()).err())
}

/// Brings the status of one budget up to its claims.
///
/// # Errors
/// The API server's; a conflict means that the budget has changed, and the next try sees how.
pub async fn reconcile(budget: Arc<PrivacyBudget>, ctx: Arc<Context>) -> Result<Action, Error> {
    let name = ObjectRef::from_obj(&*budget);
    let open = ctx.cache.claims_named(&budget, ctx.cache.index.open_claims(&name));
    let open: Vec<Arc<PrivacyClaim>> = open.collect();
    let wait = keep(&budget, &open, &ctx).await?;
    settle_orphans(&open, &ctx).await?;
    if keeper::is_going(&*budget) {
        let holds = budget.status.as_ref().is_some_and(|status| !status.reservations.is_empty());
        keeper::part(&*budget, holds, &ctx).await?;
    }
    Ok(wait.map_or_else(Action::await_change, Action::requeue))
}

/// Books what is settled and reserves for what asks. How long to wait where something is settled and may wait for others.
async fn keep(
    budget: &PrivacyBudget,
    open: &[Arc<PrivacyClaim>],
    ctx: &Context,
) -> Result<Option<Duration>, Error> {
    let name = ObjectRef::from_obj(budget);
    let namespace = budget.namespace().unwrap_or_default();
    let Some(total) = budget.spec.total() else { return Ok(None) };
    let generation = budget.metadata.generation.unwrap_or_default();
    let empty = PrivacyBudgetStatus::default();
    let present = budget.status.as_ref().unwrap_or(&empty);
    // By name. What is held and not open is settled, or gone.
    let held: BTreeSet<&str> = present.reservations.iter().map(|held| held.claim.as_str()).collect();
    let mut claims: BTreeMap<String, Arc<PrivacyClaim>> = ctx
        .cache
        .claims_named(budget, held.iter().map(|claim| (*claim).to_owned()))
        .chain(open.iter().cloned())
        .map(|claim| (claim.name_any(), claim))
        .collect();
    if keeper::is_going(budget) {
        // It takes nobody new. Their jobs see that it is on its way, and give up.
        claims.retain(|_, claim| holds(present, claim) || !is_open(claim));
    }
    let draft = book(total, generation, present, &claims.values().map(|claim| &**claim).collect::<Vec<_>>());
    if draft.status == *present && draft.refused.is_empty() {
        return Ok(None);
    }
    // The cache may lag: before an amount is reserved or a claim is taken for gone, the API server itself is asked.
    let reserved = draft.status.reservations.iter().map(|held| held.claim.as_str());
    let added: Vec<&str> = reserved.filter(|claim| !held.contains(claim)).collect();
    if !keeper::is_held(budget) && !added.is_empty() {
        // Before it holds anything it must not vanish. The change brings it back here.
        keeper::hold(budget, ctx).await?;
        return Ok(None);
    }
    let is_asked = !added.is_empty() || !draft.refused.is_empty() || draft.status.total != present.total;
    if !is_asked && let Some(wait) = ctx.paces.defer(&name, Instant::now()) {
        return Ok(Some(wait));
    }
    let lost = held.into_iter().filter(|held| !claims.contains_key(*held));
    let asked: Vec<String> = added
        .into_iter()
        .chain(draft.refused.iter().map(|refusal| refusal.claim.as_str()))
        .chain(lost)
        .map(str::to_owned)
        .collect();
    let api = ctx.api::<PrivacyClaim>(&namespace);
    let mut answers = stream::iter(asked)
        .map(|claim| async { (api.get_opt(&claim).await, claim) })
        .buffer_unordered(TOGETHER);
    while let Some((found, claim)) = answers.next().await {
        let found = match found {
            // Not a claim: what became of it, nobody can say, as of one that is gone.
            Err(kube::Error::SerdeError(error)) if error.is_data() => None,
            found => found?,
        };
        match found {
            Some(found) => claims.insert(claim, Arc::new(found)),
            None => claims.remove(&claim),
        };
    }
    let booked = book(total, generation, present, &claims.values().map(|claim| &**claim).collect::<Vec<_>>());
    if booked.status != *present {
        let mut next = budget.clone();
        next.status = Some(booked.status);
        // Replaced under its resource version: two writers can never both reserve from what one of them saw.
        let budgets = ctx.api::<PrivacyBudget>(&namespace);
        match budgets.replace_status(&budget.name_any(), &PostParams::default(), &next).await {
            Ok(replaced) => ctx.cache.budgets.wrote(&replaced.metadata),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        ctx.paces.booked(&name);
    }
    for refusal in booked.refused {
        if let Some(claim) = claims.get(&refusal.claim) {
            write_outcome(ctx, claim, Outcome::Refused, &refusal.message).await?;
        }
    }
    Ok(None)
}

/// An open claim whose job is gone was made by a write that came late. Nobody will say what became of it: it is spent.
async fn settle_orphans(claims: &[Arc<PrivacyClaim>], ctx: &Context) -> Result<(), Error> {
    for claim in claims.iter().filter(|claim| is_open(claim)) {
        let job = &claim.spec.job;
        let is_its = |uid: &Option<String>| uid.as_ref() == Some(&job.uid);
        let cached = ctx.cache.jobs.get(&ObjectRef::new(&job.name).within(&job.namespace));
        if cached.is_some_and(|cached| is_its(&cached.metadata.uid)) {
            continue;
        }
        // The cache may lag.
        let found = ctx.api::<PrivateJob>(&job.namespace).get_metadata_opt(&job.name).await?;
        if found.is_none_or(|found| !is_its(&found.metadata.uid)) {
            write_outcome(ctx, claim, Outcome::Spent, "its job is gone").await?;
        }
    }
    Ok(())
}
