//! Keeps a budget's status: reserves for new claims and books settled ones, as many as there are in one write.

use super::book::book;
use crate::{
    context::Context,
    error::{Error, is_missing},
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
    runtime::controller::Action,
};
use serde_json::json;
use std::sync::Arc;
use veilgrid_api::{
    budget::{PrivacyBudget, PrivacyBudgetStatus},
    claim::{Outcome, PrivacyClaim},
};

/// Brings the status of one budget up to its claims.
///
/// # Errors
/// The API server's; a conflict means that the budget has changed, and the next try sees how.
pub async fn reconcile(budget: Arc<PrivacyBudget>, ctx: Arc<Context>) -> Result<Action, Error> {
    let namespace = budget.namespace().unwrap_or_default();
    let Some(total) = budget.spec.total() else { return Ok(Action::await_change()) };
    let generation = budget.metadata.generation.unwrap_or_default();
    let cached = ctx.cache.claims.state();
    let on_this = |claim: &&Arc<PrivacyClaim>| {
        claim.spec.budget == budget.name_any() && claim.namespace().as_deref() == Some(namespace.as_str())
    };
    let mut claims: Vec<PrivacyClaim> =
        cached.iter().filter(on_this).map(|claim| (**claim).clone()).collect();
    let empty = PrivacyBudgetStatus::default();
    let present = budget.status.as_ref().unwrap_or(&empty);
    let draft = book(total, generation, present, &claims.iter().collect::<Vec<_>>());
    if draft.status == *present && draft.refused.is_empty() {
        return Ok(Action::await_change());
    }
    // The cache may lag: before an amount is reserved or a claim is taken for gone, the API server itself is asked.
    let api: Api<PrivacyClaim> = Api::namespaced(ctx.client.clone(), &namespace);
    let added = |claim: &str| !present.reservations.iter().any(|held| held.claim == claim);
    let asked: Vec<String> = draft
        .status
        .reservations
        .iter()
        .map(|held| &held.claim)
        .filter(|claim| added(claim))
        .chain(draft.refused.iter().map(|refusal| &refusal.claim))
        .chain(
            present
                .reservations
                .iter()
                .map(|held| &held.claim)
                .filter(|held| !claims.iter().any(|c| c.name_any() == **held)),
        )
        .cloned()
        .collect();
    for name in asked {
        claims.retain(|claim| claim.name_any() != name);
        claims.extend(api.get_opt(&name).await?);
    }
    let booked = book(total, generation, present, &claims.iter().collect::<Vec<_>>());
    if booked.status != *present {
        let mut next = (*budget).clone();
        next.status = Some(booked.status);
        // Replaced under its resource version: two writers can never both reserve from what one of them saw.
        let budgets: Api<PrivacyBudget> = Api::namespaced(ctx.client.clone(), &namespace);
        match budgets.replace_status(&budget.name_any(), &PostParams::default(), &next).await {
            Ok(_) => {}
            Err(error) if is_missing(&error) => return Ok(Action::await_change()),
            Err(error) => return Err(error.into()),
        }
    }
    for refusal in booked.refused {
        let status = json!({"status": {"outcome": Outcome::Refused, "message": refusal.message}});
        match api.patch_status(&refusal.claim, &PatchParams::default(), &Patch::Merge(&status)).await {
            Err(error) if !is_missing(&error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(Action::await_change())
}
