//! What every reconciliation has at hand.

use crate::{
    backoff::Backoff, cache::Cache, identity::OperatorSeed, job::build::PodSettings, metrics::Metrics,
    reason::Reason,
};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    runtime::events::{Event, EventType, Recorder},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};
use veilgrid_api::{job::PrivateJob, status::Phase};

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
    /// Pauses after errors.
    pub backoff: Backoff,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Tells people what happens to jobs.
    pub recorder: Recorder,
    /// Namespaces whose shared objects this process has applied.
    pub prepared: Mutex<HashSet<String>>,
}

impl Context {
    /// The objects of a kind in a namespace.
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Makes an event of what happened to a job. Its status says the same, so that a lost event is no loss.
    pub async fn tell(&self, job: &PrivateJob, reason: Reason, phase: Phase, message: &str) {
        let event = Event {
            type_: if reason.is_trouble() { EventType::Warning } else { EventType::Normal },
            reason: reason.to_string(),
            note: (!message.is_empty()).then(|| message.chars().take(1000).collect()),
            action: format!("{phase:?}"),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &job.object_ref(&())).await {
            tracing::warn!(%error, "an event is lost");
        }
    }
}
