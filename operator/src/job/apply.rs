//! Makes a party's objects in the cluster, and removes them.

use super::{
    attempt::Attempt,
    build::{self, Objects},
};
use crate::{
    context::Context,
    error::{Error, exists, is_missing},
    names::{MANAGER, Seat},
    watch::Namespaced,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    resource::v1::ResourceClaimTemplate,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::Serialize;
use std::sync::PoisonError;

/// Applies what every pod of the namespace shares; once for each namespace and process.
async fn prepare(namespace: &str, ctx: &Context) -> Result<(), Error> {
    let prepared = || ctx.prepared.lock().unwrap_or_else(PoisonError::into_inner);
    if prepared().contains(namespace) {
        return Ok(());
    }
    let objects = build::namespace(namespace);
    apply::<Service>(&objects.service, ctx).await?;
    apply::<ServiceAccount>(&objects.account, ctx).await?;
    prepared().insert(namespace.to_owned());
    Ok(())
}

/// Makes the objects of all parties. The Jobs come first and own the rest; their pods wait for the Secrets, and so for the
/// policies. A Job that is there is never made again: it would be a second draw of noise for one charge.
pub(super) async fn make(objects: Objects, ctx: &Context) -> Result<(), Error> {
    let mut uids = Vec::new();
    for party in &objects.parties {
        prepare(&party.namespace, ctx).await?;
        let jobs = ctx.api::<Job>(&party.namespace);
        let made = match jobs.create(&PostParams::default(), &party.job).await {
            Err(error) if exists(&error) => jobs.get(&party.job.name_any()).await?,
            made => made?,
        };
        uids.push(made.uid().ok_or(Error::Incomplete("a uid"))?);
    }
    let objects = objects.owned_by(&uids);
    for policy in &objects.policies {
        apply::<NetworkPolicy>(policy, ctx).await?;
    }
    for party in &objects.parties {
        if let Some(devices) = &party.devices {
            apply::<ResourceClaimTemplate>(devices, ctx).await?;
        }
        apply::<Secret>(&party.secret, ctx).await?;
    }
    Ok(())
}

async fn apply<K: Namespaced + Serialize>(object: &K, ctx: &Context) -> Result<(), Error> {
    let api = ctx.api::<K>(&object.namespace().unwrap_or_default());
    let params = PatchParams::apply(MANAGER).force();
    api.patch(&object.name_any(), &params, &Patch::Apply(object)).await?;
    Ok(())
}

impl Attempt<'_> {
    /// Ends the pods that have not ended: they give back what is reserved, and say so by their exit codes. True when none is
    /// left that could still do something.
    pub(super) async fn interrupt(&self) -> Result<bool, Error> {
        let mut idle = true;
        for (seat, sight) in self.seats.iter().zip(&self.sights) {
            if !sight.may_act() {
                continue;
            }
            idle = false;
            match &sight.pod {
                Some(pod) => {
                    let pods = self.ctx.api::<Pod>(seat.namespace);
                    gone(pods.delete(pod, &DeleteParams::default()).await.map(drop))?;
                }
                // A Job that has no pod yet makes none any more.
                None => self.remove_job(seat).await?,
            }
        }
        Ok(idle)
    }

    /// Deletes the parties' Jobs; pods, Secrets and policies go with them.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        for seat in &self.seats {
            self.remove_job(seat).await?;
        }
        Ok(())
    }

    async fn remove_job(&self, seat: &Seat<'_>) -> Result<(), Error> {
        let jobs = self.ctx.api::<Job>(seat.namespace);
        gone(jobs.delete(&seat.name(), &DeleteParams::background()).await.map(drop))
    }
}

/// What is gone needs no deletion.
fn gone(deleted: Result<(), kube::Error>) -> Result<(), Error> {
    match deleted {
        Err(error) if !is_missing(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
