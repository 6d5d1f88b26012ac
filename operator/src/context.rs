//! What every reconciliation has at hand.

use crate::{
    backoff::Backoff,
    budget::pace::Paces,
    cache::Cache,
    events::Events,
    identity::OperatorSeed,
    job::{Last, Launches, Stages, build::PodSettings},
    metrics::Metrics,
    reason::Reason,
    room::Room,
};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    runtime::{
        events::{Event, EventType},
        reflector::ObjectRef,
    },
};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;
use veilgrid_api::{dataset::PrivateDataset, job::PrivateJob, status::Phase};

/// The operator's means.
pub struct Context {
    /// Talks to the API server.
    pub client: Client,
    /// What there is.
    pub cache: Arc<Cache>,
    /// What certificates are derived from.
    pub seed: OperatorSeed,
    /// What pods run.
    pub pods: PodSettings,
    /// Room for jobs that ask for accelerators.
    pub room: Room,
    /// When budgets are looked at.
    pub paces: Paces,
    /// Pauses after errors.
    pub backoff: Backoff,
    /// Asks for a look at a dataset.
    pub datasets: UnboundedSender<ObjectRef<PrivateDataset>>,
    /// When parties were asked how far they are.
    pub asked: Last,
    /// When a job's status last said how its parties stand.
    pub told: Last,
    /// When it was asked why parties have no pod.
    pub refused: Last,
    /// Whose turn it is to be launched.
    pub launches: Launches,
    /// How far jobs are between two looks.
    pub stages: Stages,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Tells people what happens to jobs.
    pub events: Events,
}

impl Context {
    /// The objects of a kind in a namespace.
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Makes an event of what happened to a job.
    pub fn tell(&self, job: &PrivateJob, reason: Reason, phase: Phase, message: &str) {
        let event = Event {
            type_: if reason.is_trouble() { EventType::Warning } else { EventType::Normal },
            reason: reason.to_string(),
            note: (!message.is_empty()).then(|| message.chars().take(1000).collect()),
            action: format!("{phase:?}"),
            secondary: None,
        };
        // Only trouble comes again.
        self.events.tell(event, job.object_ref(&()), reason.is_trouble());
    }
}
