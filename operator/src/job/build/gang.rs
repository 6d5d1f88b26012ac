//! Parties that start all at once or not at all: those of a job that asks for accelerators.
//!
//! Where the cluster has a kind for that (`scheduling.k8s.io` PodGroup), its scheduler holds the pods of one namespace together. Parties of several
//! namespaces, and all where there is no such kind, are held by the operator before any of them is made.

use super::{
    PodSettings, metadata,
    party_job::{CPU, MEMORY},
};
use crate::{
    names::{self, Seat},
    room::Gang,
};
use kube::{
    Client,
    core::{ApiResource, DynamicObject},
    discovery,
};
use serde_json::json;
use veilgrid_api::job::PrivateJob;

/// The API group of such kinds. Every cluster has it, for priorities.
const GROUP: &str = "scheduling.k8s.io";
/// The kind.
const KIND: &str = "PodGroup";

/// The cluster's kind for pods that start together, in its most stable version; none where it has none.
///
/// # Errors
/// The API server's.
pub async fn discover(client: &Client) -> Result<Option<ApiResource>, kube::Error> {
    let kinds = discovery::group(client, GROUP).await?.resources_by_stability();
    Ok(kinds.into_iter().map(|(kind, _)| kind).find(|kind| kind.kind == KIND))
}

/// The parties of a job that the operator lets go only where all fit: those that ask for accelerators. A queue that admits the
/// job decides by itself, and so does a scheduler that knows such groups.
pub fn gang(job: &PrivateJob, settings: &PodSettings) -> Option<Gang> {
    Gang::of(job, &[("cpu", CPU), ("memory", MEMORY)]).filter(|_| !is_native(job, settings))
}

/// Whether the cluster's scheduler holds the job's parties together: a group cannot span namespaces.
pub(super) fn is_native(job: &PrivateJob, settings: &PodSettings) -> bool {
    let seats = names::seats(job).unwrap_or_default();
    let one = seats.iter().all(|seat| seat.namespace == seats[0].namespace);
    settings.groups.is_some() && one && job.spec.accelerator.is_some() && job.spec.queue_name.is_none()
}

/// What the attempt's group is called: like its first party's objects.
pub(super) fn name(job: &PrivateJob) -> Option<String> {
    names::seats(job).ok()?.first().map(Seat::name)
}

/// The group of an attempt, where the cluster's scheduler holds its parties together.
pub(super) fn group(job: &PrivateJob, seats: &[Seat<'_>], settings: &PodSettings) -> Option<DynamicObject> {
    let kind = settings.groups.as_ref().filter(|_| is_native(job, settings))?;
    let first = seats.first()?;
    let mut group = DynamicObject::new(&first.name(), kind).data(json!({
        "spec": {"schedulingPolicy": {"gang": {"minCount": seats.len()}}},
    }));
    group.metadata = metadata(first.name(), first.namespace, first.job_labels());
    Some(group)
}
