//! Keeps a dataset and a budget that are in use: who deletes one is told why it stays, until nothing open uses it any more.
//!
//! A finalizer is put on once, before the first claim, and stays on while the object is not deleted: no job costs a write.

use crate::{
    cache::Cache, claim::is_open, clock::now, context::Context, error::Error, reason::Reason,
    watch::Namespaced, watched::Watched,
};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
    runtime::{
        controller::Action,
        events::{Event, EventType},
        reflector::ObjectRef,
    },
};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use veilgrid_api::{
    budget::PrivacyBudget,
    claim::PrivacyClaim,
    condition::{self, Condition, Truth},
    dataset::PrivateDataset,
    job::PrivateJob,
};

/// Keeps a dataset or a budget until nothing that is open uses it.
pub const FINALIZER: &str = "veilgrid.dev/in-use";
/// Jobs that a message names.
const NAMED: usize = 5;

/// A kind that claims use.
pub trait Kept: Namespaced {
    /// The object of this kind that a claim of the same namespace uses.
    fn used_by(claim: &PrivacyClaim) -> &str;
    /// What is said of it.
    fn conditions(&self) -> &[Condition];
    /// Those that there are.
    fn all(cache: &Cache) -> &Watched<Self>;
}

impl Kept for PrivateDataset {
    fn used_by(claim: &PrivacyClaim) -> &str {
        &claim.spec.dataset
    }

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn all(cache: &Cache) -> &Watched<Self> {
        &cache.datasets
    }
}

impl Kept for PrivacyBudget {
    fn used_by(claim: &PrivacyClaim) -> &str {
        &claim.spec.budget
    }

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn all(cache: &Cache) -> &Watched<Self> {
        &cache.budgets
    }
}

/// Whether somebody has deleted it.
pub fn is_going(object: &impl ResourceExt) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// Whether it stays when somebody deletes it.
pub fn is_held(object: &impl ResourceExt) -> bool {
    object.finalizers().iter().any(|name| name == FINALIZER)
}

/// How long a look at a dataset is to wait, where the cache does not show yet what this process wrote last.
pub fn behind(dataset: &PrivateDataset, ctx: &Context) -> Option<Duration> {
    ctx.cache.datasets.behind(&ObjectRef::from_obj(dataset))
}

/// Looks at a dataset: holds it before a job uses it, and lets it go when it is deleted and none does any more.
///
/// # Errors
/// The API server's; a conflict means that it has changed, and the next try sees how.
pub async fn reconcile(dataset: Arc<PrivateDataset>, ctx: Arc<Context>) -> Result<Action, Error> {
    if is_going(&*dataset) {
        part(&*dataset, false, &ctx).await?;
    } else if !is_held(&*dataset) && ctx.cache.index.is_named(&ObjectRef::from_obj(&*dataset)) {
        hold(&*dataset, &ctx).await?;
    }
    Ok(Action::await_change())
}

/// The datasets of a job that would not stay.
pub fn unheld(job: &PrivateJob, ctx: &Context) -> Vec<ObjectRef<PrivateDataset>> {
    let home = job.namespace().unwrap_or_default();
    let named = job
        .spec
        .parties
        .iter()
        .map(|party| ObjectRef::new(&party.dataset.name).within(party.dataset.namespace_from(&home)));
    named.filter(|name| ctx.cache.datasets.get(name).is_some_and(|dataset| !is_held(&*dataset))).collect()
}

/// Puts the finalizer on.
///
/// # Errors
/// As of [`reconcile`].
pub async fn hold<K: Kept>(object: &K, ctx: &Context) -> Result<(), Error> {
    put(object, true, ctx).await
}

/// Lets an object that is being deleted go when it holds nothing and no open claim uses it; else says what does.
///
/// # Errors
/// As of [`reconcile`].
pub async fn part<K: Kept>(object: &K, holds: bool, ctx: &Context) -> Result<(), Error> {
    if !is_held(object) {
        return Ok(());
    }
    let uses = |claim: &PrivacyClaim| {
        is_open(claim) && claim.namespace() == object.namespace() && K::used_by(claim) == object.name_any()
    };
    let claims = ctx.cache.claims.store().state_filter(uses);
    let job = |claim: &Arc<PrivacyClaim>| format!("{}/{}", claim.spec.job.namespace, claim.spec.job.name);
    let jobs: BTreeSet<String> = claims.iter().map(job).collect();
    if jobs.is_empty() {
        return if holds { Ok(()) } else { put(object, false, ctx).await };
    }
    tell(object, &kept_until(&jobs), ctx).await
}

fn kept_until(jobs: &BTreeSet<String>) -> String {
    let named: Vec<&str> = jobs.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join(", ");
    match jobs.len() {
        1 => format!("is kept until job {named} has ended"),
        count if count <= NAMED => format!("is kept until jobs {named} have ended"),
        count => format!("is kept until jobs {named} and {} more have ended", count - NAMED),
    }
}

/// Says why it stays: in its status, and as an event.
async fn tell<K: Kept>(object: &K, message: &str, ctx: &Context) -> Result<(), Error> {
    let mut conditions = object.conditions().to_vec();
    let said = Condition {
        kind: "InUse".into(),
        status: Truth::True,
        observed_generation: object.meta().generation.unwrap_or_default(),
        last_transition_time: now().to_string(),
        reason: Reason::InUse.to_string(),
        message: message.into(),
    };
    if !condition::set(&mut conditions, said) {
        return Ok(());
    }
    let status = json!({
        "metadata": {"resourceVersion": object.meta().resource_version},
        "status": {"conditions": conditions},
    });
    let api = ctx.api::<K>(&object.namespace().unwrap_or_default());
    let patched =
        api.patch_status(&object.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
    K::all(&ctx.cache).wrote(patched.meta());
    let event = Event {
        type_: EventType::Normal,
        reason: Reason::InUse.to_string(),
        note: Some(message.into()),
        action: "Delete".into(),
        secondary: None,
    };
    ctx.events.tell(event, object.object_ref(&()), true);
    Ok(())
}

async fn put<K: Kept>(object: &K, wanted: bool, ctx: &Context) -> Result<(), Error> {
    let present = object.finalizers();
    let mut finalizers: Vec<&str> =
        present.iter().map(String::as_str).filter(|name| *name != FINALIZER).collect();
    if wanted {
        finalizers.push(FINALIZER);
    }
    let version = &object.meta().resource_version;
    let patch = json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}});
    let api = ctx.api::<K>(&object.namespace().unwrap_or_default());
    let patched =
        api.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
    // Without the finalizer it is gone, and nothing is left to look at.
    if wanted {
        K::all(&ctx.cache).wrote(&patched.metadata);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_few_jobs() {
        let jobs = |count: usize| (0..count).map(|index| format!("research/{index}")).collect();
        assert_eq!(kept_until(&jobs(1)), "is kept until job research/0 has ended");
        assert_eq!(kept_until(&jobs(2)), "is kept until jobs research/0, research/1 have ended");
        let many = kept_until(&jobs(1000));
        assert!(many.ends_with("and 995 more have ended") && many.len() < 200, "{many}");
    }
}
