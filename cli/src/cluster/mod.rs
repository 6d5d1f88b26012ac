//! A cluster as its users reach it: which one, what it says of a job, and what it refuses.

pub(crate) mod budgets;
pub(crate) mod claims;
pub(crate) mod doctor;
pub(crate) mod follow;
pub(crate) mod job;
pub(crate) mod logs;
pub(crate) mod objects;
pub(crate) mod trouble;
pub(crate) mod view;

use crate::failure::Failure;
use clap::Args;
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    config::{Config, KubeConfigOptions, Kubeconfig},
};
use std::{path::PathBuf, time::Duration};
use veilgrid_party::exit::Exit;

/// The field manager of what this command writes.
pub(crate) const MANAGER: &str = "veilgrid-cli";

/// Which cluster, and where in it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Its kubeconfig; $KUBECONFIG or ~/.kube/config where absent
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; the current one where absent
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The namespace; the context's own where absent
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// A cluster, and the namespace in it that is meant where none is named.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// Where it is reached.
    pub(crate) url: String,
}

impl ClusterArgs {
    /// Whether any of them is given.
    pub(crate) fn is_given(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some() || self.namespace.is_some()
    }

    /// The cluster. Nothing is asked of it yet.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub(crate) async fn connect(&self) -> Result<Cluster, Failure> {
        let unusable = |error: &dyn std::fmt::Display| {
            let file = self.kubeconfig.as_ref().map(|path| format!("{}: ", path.display()));
            let message = format!(
                "{}no cluster is named: {error}; give --kubeconfig, set KUBECONFIG, or name one of \
                 `kubectl config get-contexts` with --context",
                file.unwrap_or_default()
            );
            Failure::new(Exit::Cluster, message)
        };
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = match &self.kubeconfig {
            Some(path) => match Kubeconfig::read_from(path) {
                Ok(file) => Config::from_custom_kubeconfig(file, &options).await,
                Err(error) => Err(error),
            }
            .map_err(|error| unusable(&error)),
            None if self.context.is_some() => {
                Config::from_kubeconfig(&options).await.map_err(|error| unusable(&error))
            }
            // Also in a pod.
            None => Config::infer().await.map_err(|error| unusable(&error)),
        };
        let mut config = config?;
        config.connect_timeout = Some(Duration::from_secs(10));
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let url = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| unusable(&error))?;
        Ok(Cluster { client, namespace, url })
    }
}

impl Cluster {
    /// Objects of a kind in a namespace.
    pub(crate) fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// Runs what a command asks of a cluster, to its end.
///
/// # Errors
/// As the work has it.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(|error| Failure::new(Exit::Internal, format!("no threads can be started: {error}")))?
        .block_on(work)
}
