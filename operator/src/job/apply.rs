//! Makes a party's objects in the cluster, and removes them.

use super::{
    attempt::Attempt,
    build::{self, Objects},
};
use crate::{
    claim::{is_open, write_outcome},
    context::Context,
    error::{Error, exists, is_missing},
    names::{MANAGER, Seat},
    party::PartyJob,
    together::together,
    watch::Namespaced,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    resource::v1::ResourceClaimTemplate,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions},
    runtime::reflector::ObjectRef,
};
use serde::Serialize;
use std::sync::Arc;
use veilgrid_api::{claim::Outcome, status::Phase};

/// Applies what every pod of the namespace shares; once for each namespace and process, and again when somebody changed it.
pub(super) async fn prepare(namespace: &str, ctx: &Context) -> Result<(), Error> {
    let surroundings = &ctx.cache.surroundings;
    if surroundings.is_prepared(namespace) {
        return Ok(());
    }
    let objects = build::namespace(namespace);
    apply::<Service>(&objects.service, ctx).await?;
    apply::<ServiceAccount>(&objects.account, ctx).await?;
    surroundings.set_prepared(namespace);
    Ok(())
}

/// What a look has made of the parties' objects. It ends after each, so that none is long where the API server is slow.
pub(super) enum Made {
    /// Jobs, which bring the next look.
    Jobs,
    /// All that the pods' Secrets wait for beside the word that the Jobs are made.
    Guards,
    /// Nothing: all is there. The Jobs' uids.
    All(Vec<String>),
}

/// Makes the Jobs and the policies of all parties, some at each look. The Jobs come first and own the rest; their pods wait for the Secrets, and
/// so for the policies, unless those are made already. A Job that is there is not made again.
pub(super) async fn make(
    objects: Objects,
    seats: &[Seat<'_>],
    is_guarded: bool,
    ctx: &Context,
) -> Result<Made, Error> {
    together(
        objects.policies.iter().filter_map(|policy| Some(prepare(policy.metadata.namespace.as_ref()?, ctx))),
    )
    .await?;
    let is_going = |job: Arc<PartyJob>| job.metadata.deletion_timestamp.is_some();
    if seats.iter().any(|seat| ctx.cache.party_jobs.get(&seat.object()).is_some_and(is_going)) {
        // Somebody deleted it. When it is gone it is made again.
        return Ok(Made::Jobs);
    }
    let jobs = together(objects.parties.iter().zip(seats).map(|(party, seat)| async move {
        match ctx.cache.party_jobs.get(&seat.object()).and_then(|job| job.uid()) {
            Some(uid) => Ok((uid, false)),
            None => {
                let (job, is_new) = find_or_make(&party.job, &party.namespace, ctx).await?;
                Ok((job.uid().ok_or(Error::Incomplete("a uid"))?, is_new))
            }
        }
    }))
    .await?;
    if jobs.iter().any(|(_, is_new)| *is_new) {
        return Ok(Made::Jobs);
    }
    let uids: Vec<String> = jobs.into_iter().map(|(uid, _)| uid).collect();
    if is_guarded {
        return Ok(Made::All(uids));
    }
    let objects = objects.owned_by(&uids);
    let devices = objects.parties.iter().filter_map(|party| party.devices.as_ref());
    let (policies, devices, group) = tokio::join!(
        together(objects.policies.iter().map(|policy| apply::<NetworkPolicy>(policy, ctx))),
        together(devices.map(|devices| apply::<ResourceClaimTemplate>(devices, ctx))),
        apply_group(&objects, ctx),
    );
    policies.and(devices).and(group)?;
    Ok(Made::Guards)
}

/// Applies the Secrets that pods wait for.
pub(super) async fn equip<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    ctx: &Context,
) -> Result<(), Error> {
    together(secrets.into_iter().map(|secret| apply::<Secret>(secret, ctx))).await.map(drop)
}

/// Makes the group that the scheduler places whole, where the cluster has such a kind.
async fn apply_group(objects: &Objects, ctx: &Context) -> Result<(), Error> {
    let Some((group, kind)) = objects.group.as_ref().zip(ctx.pods.groups.as_ref()) else { return Ok(()) };
    let namespace = group.namespace().unwrap_or_default();
    let groups = Api::<DynamicObject>::namespaced_with(ctx.client.clone(), &namespace, kind);
    groups.patch(&group.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(group)).await?;
    Ok(())
}

/// Makes a Job, or finds it.
pub(super) async fn make_job(job: &Job, namespace: &str, ctx: &Context) -> Result<Job, Error> {
    Ok(find_or_make(job, namespace, ctx).await?.0)
}

/// The same, and whether it is new.
async fn find_or_make(job: &Job, namespace: &str, ctx: &Context) -> Result<(Job, bool), Error> {
    let jobs = ctx.api::<Job>(namespace);
    let made = match jobs.create(&PostParams::default(), job).await {
        Err(error) if exists(&error) => (jobs.get(&job.name_any()).await?, false),
        made => (made?, true),
    };
    ctx.cache.party_jobs.wrote(&made.0.metadata);
    Ok(made)
}

pub(super) async fn apply<K: Namespaced + Serialize>(object: &K, ctx: &Context) -> Result<(), Error> {
    let api = ctx.api::<K>(&object.namespace().unwrap_or_default());
    let params = PatchParams::apply(MANAGER).force();
    // A Secret is not to come back.
    api.patch_metadata(&object.name_any(), &params, &Patch::Apply(object)).await?;
    Ok(())
}

impl Attempt<'_> {
    /// Ends the pods that have not ended: they give back what is reserved, and say so by their exit codes. True when none is
    /// left that could still do something.
    pub(super) async fn interrupt(&self) -> Result<bool, Error> {
        let live: Vec<_> = (0..self.seats.len()).filter(|index| self.sights[*index].may_act()).collect();
        together(live.iter().map(|index| async {
            match &self.sights[*index].pod {
                Some(pod) => self.remove_pod(&self.seats[*index], pod).await,
                // A Job that has no pod yet makes none any more.
                None => self.remove_podless(*index).await,
            }
        }))
        .await?;
        Ok(live.is_empty())
    }

    /// Deletes the Jobs of the parties and of the delivery; pods, Secrets and policies go with them.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        self.remove_earlier().await?;
        together(self.seats.iter().map(|seat| self.remove_job(seat))).await?;
        self.remove_delivery().await
    }

    /// Deletes what is left of the parties' Jobs of earlier rounds.
    pub(super) async fn remove_earlier(&self) -> Result<(), Error> {
        let is_left = |seat: &Seat<'_>| self.ctx.cache.party_jobs.get(&seat.object()).is_some();
        let left: Vec<_> = self.earlier().filter(is_left).collect();
        together(left.iter().map(|seat| self.remove_job(seat))).await.map(drop)
    }

    /// Deletes the Job that brings the result to its place, where there is one.
    pub(super) async fn remove_delivery(&self) -> Result<(), Error> {
        let seat = &self.seats[0];
        if self.delivery_job().is_none_or(|job| job.metadata.deletion_timestamp.is_some()) {
            return Ok(());
        }
        let jobs = self.ctx.api::<Job>(seat.job_namespace);
        gone(jobs.delete(&seat.delivery_name(), &DeleteParams::background()).await.map(drop))?;
        self.ctx.cache.party_jobs.ended(&seat.delivery());
        Ok(())
    }

    async fn remove_pod(&self, seat: &Seat<'_>, pod: &str) -> Result<(), Error> {
        let name = ObjectRef::new(pod).within(seat.namespace);
        let cached = self.ctx.cache.pods_listed.get(&name);
        if cached.is_some_and(|pod| pod.metadata.deletion_timestamp.is_some()) {
            return Ok(());
        }
        let pods = self.ctx.api::<Pod>(seat.namespace);
        gone(pods.delete(pod, &DeleteParams::default()).await.map(drop))
    }

    /// Deletes a Job without a pod. Where the API server says that its queue held it from its making to its end, it never had one, and its
    /// claim is released.
    async fn remove_podless(&self, index: usize) -> Result<(), Error> {
        let seat = &self.seats[index];
        let held = self.ctx.cache.party_jobs.get(&seat.object()).filter(|job| job.was_always_held());
        // While others may still be made, so may one like it.
        let open =
            self.claims[index].as_ref().filter(|claim| is_open(claim) && self.phase() == Phase::Running);
        // A pod of an earlier round was there.
        let open = open.filter(|_| seat.round == 0);
        let (Some(job), Some(claim)) = (held, open) else { return self.remove_job(seat).await };
        let seen = Preconditions { uid: job.uid(), resource_version: job.resource_version() };
        let params = DeleteParams { preconditions: Some(seen), ..DeleteParams::background() };
        let jobs = self.ctx.api::<Job>(seat.namespace);
        let is_gone = match jobs.delete(&seat.name(), &params).await {
            Err(error) if is_missing(&error) => false,
            // Something that keeps it lets others change it.
            deleted => deleted?.is_right(),
        };
        self.ctx.cache.party_jobs.ended(&seat.object());
        if is_gone {
            write_outcome(self.ctx, claim, Outcome::Released, "its queue never let its Job go").await?;
        }
        Ok(())
    }

    /// A Job that is on its way is not asked again.
    async fn remove_job(&self, seat: &Seat<'_>) -> Result<(), Error> {
        let cached = self.ctx.cache.party_jobs.get(&seat.object());
        if cached.is_some_and(|job| job.metadata.deletion_timestamp.is_some()) {
            return Ok(());
        }
        let jobs = self.ctx.api::<Job>(seat.namespace);
        gone(jobs.delete(&seat.name(), &DeleteParams::background()).await.map(drop))?;
        self.ctx.cache.party_jobs.ended(&seat.object());
        Ok(())
    }
}

/// What is gone needs no deletion.
fn gone(deleted: Result<(), kube::Error>) -> Result<(), Error> {
    match deleted {
        Err(error) if !is_missing(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
