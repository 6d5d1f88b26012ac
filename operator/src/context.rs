//! What every reconciliation has at hand.

use crate::{
    backoff::Backoff, cache::Cache, identity::OperatorSeed, job::build::PodSettings, metrics::Metrics,
};
use kube::Client;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

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
    /// Namespaces whose shared objects this process has applied.
    pub prepared: Mutex<HashSet<String>>,
}
