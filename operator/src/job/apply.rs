//! Makes a party's objects in the cluster, and removes them.

use super::{
    build::{self, PartyObjects},
    table::Table,
};
use crate::{
    context::Context,
    error::{Error, exists, is_missing},
    names::MANAGER,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, sync::PoisonError};

/// Applies what every pod of the namespace shares; once for each namespace and process.
pub(super) async fn prepare(namespace: &str, ctx: &Context) -> Result<(), Error> {
    let prepared = || ctx.prepared.lock().unwrap_or_else(PoisonError::into_inner);
    if prepared().contains(namespace) {
        return Ok(());
    }
    let objects = build::namespace(namespace);
    apply::<Service>(namespace, &objects.service, ctx).await?;
    apply::<ServiceAccount>(namespace, &objects.account, ctx).await?;
    prepared().insert(namespace.to_owned());
    Ok(())
}

/// Makes one party's objects. The Job comes first and owns the rest; its pod waits for the Secret. A Job that is there is
/// never made again: it would be a second draw of noise for one charge.
pub(super) async fn party(objects: PartyObjects, ctx: &Context) -> Result<(), Error> {
    let jobs: Api<Job> = Api::namespaced(ctx.client.clone(), &objects.namespace);
    let made = match jobs.create(&PostParams::default(), &objects.job).await {
        Err(error) if exists(&error) => jobs.get(&objects.job.name_any()).await?,
        made => made?,
    };
    let uid = made.uid().ok_or(Error::Incomplete("a uid"))?;
    let namespace = objects.namespace.clone();
    let objects = objects.owned_by(&uid);
    apply::<NetworkPolicy>(&namespace, &objects.policy, ctx).await?;
    apply::<Secret>(&namespace, &objects.secret, ctx).await
}

async fn apply<K>(namespace: &str, object: &K, ctx: &Context) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize,
{
    let api: Api<K> = Api::namespaced(ctx.client.clone(), namespace);
    let params = PatchParams::apply(MANAGER).force();
    api.patch(&object.name_any(), &params, &Patch::Apply(object)).await?;
    Ok(())
}

/// Asks the pods of parties that still run to end: they give back what is reserved, and say so by their exit codes.
pub(super) async fn interrupt(
    table: &Table<'_>,
    pods: &[Option<String>],
    ctx: &Context,
) -> Result<(), Error> {
    for (namespace, pod) in table.namespaces.iter().zip(pods) {
        let Some(pod) = pod else { continue };
        let api: Api<Pod> = Api::namespaced(ctx.client.clone(), namespace);
        gone(api.delete(pod, &DeleteParams::default()).await.map(drop))?;
    }
    Ok(())
}

/// Deletes the parties' Jobs; pods, Secrets and policies go with them.
pub(super) async fn remove(table: &Table<'_>, ctx: &Context) -> Result<(), Error> {
    remove_some(table, &vec![true; table.seats.len()], ctx).await
}

/// [`remove`] of those that are marked.
pub(super) async fn remove_some(table: &Table<'_>, marked: &[bool], ctx: &Context) -> Result<(), Error> {
    for ((seat, namespace), _) in table.iter().zip(marked).filter(|(_, marked)| **marked) {
        let api: Api<Job> = Api::namespaced(ctx.client.clone(), namespace);
        gone(api.delete(&seat.name(), &DeleteParams::background()).await.map(drop))?;
    }
    Ok(())
}

/// What is gone needs no deletion.
fn gone(deleted: Result<(), kube::Error>) -> Result<(), Error> {
    match deleted {
        Err(error) if !is_missing(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
