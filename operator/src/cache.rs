//! What the operator sees of the cluster: a cache of each kind, and who is to look again when something changes.

use crate::{
    names::{JOB, JOB_NAMESPACE, MANAGED_BY, MANAGER, ROLE},
    signer::SIGNER,
    watch::{self, Namespaced},
};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::api::{batch::v1::Job, certificates::v1beta1::PodCertificateRequest, core::v1::Pod};
use kube::{
    Client, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc::UnboundedSender;
use veilgrid_api::{budget::PrivacyBudget, claim::PrivacyClaim, dataset::PrivateDataset, job::PrivateJob};

/// The caches.
pub struct Cache {
    /// All jobs.
    pub jobs: Store<PrivateJob>,
    /// All datasets.
    pub datasets: Store<PrivateDataset>,
    /// All budgets.
    pub budgets: Store<PrivacyBudget>,
    /// All claims.
    pub claims: Store<PrivacyClaim>,
    /// The parties' Jobs.
    pub party_jobs: Store<Job>,
    /// The parties' pods as they were seen last, by the namespace and name of their Jobs. One that is gone stays until it is
    /// forgotten: what it said when it ended decides what it cost.
    pods: Mutex<HashMap<(String, String), Pod>>,
    /// The pods that are there.
    pub pods_listed: Store<Pod>,
    /// Requests for certificates; none where the cluster has no such kind.
    pub requests: Store<PodCertificateRequest>,
}

/// Where the names of objects that are to be looked at go.
#[derive(Clone)]
pub struct Queues {
    /// Jobs.
    pub jobs: UnboundedSender<ObjectRef<PrivateJob>>,
    /// Budgets.
    pub budgets: UnboundedSender<ObjectRef<PrivacyBudget>>,
    /// Requests for certificates.
    pub requests: UnboundedSender<ObjectRef<PodCertificateRequest>>,
}

/// The label that a Job gives its pods.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

impl Cache {
    /// The pod of a party's Job, as it was seen last, and whether it is there still.
    pub fn pod(&self, namespace: &str, job: &str) -> Option<(Pod, bool)> {
        let key = (namespace.to_owned(), job.to_owned());
        let pod = self.pods.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()?;
        let is_there = self.pods_listed.get(&ObjectRef::from_obj(&pod)).is_some();
        Some((pod, is_there))
    }

    /// Forgets the pod of a party's Job: what it said is settled.
    pub fn forget(&self, namespace: &str, job: &str) {
        let key = (namespace.to_owned(), job.to_owned());
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// Resolves when every cache holds what the API server had at the start.
    pub async fn ready(&self) {
        // An error says that the watch has ended, and so the process ends.
        let _ = tokio::join!(
            self.jobs.wait_until_ready(),
            self.datasets.wait_until_ready(),
            self.budgets.wait_until_ready(),
            self.claims.wait_until_ready(),
            self.party_jobs.wait_until_ready(),
            self.pods_listed.wait_until_ready(),
        );
    }
}

/// Starts the caches of the namespaces that are named, or of all; the future keeps them fresh for as long as it is polled.
/// `signs` says whether requests for certificates are watched.
pub fn start(
    client: &Client,
    namespaces: &[String],
    queues: Queues,
    signs: bool,
) -> (Arc<Cache>, impl Future<Output = ()> + use<>) {
    let ours = watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
    let parties = ours.clone().labels(&format!("{MANAGED_BY}={MANAGER},{ROLE}=party"));
    let (jobs, jobs_seen) = reflect::<PrivateJob>(client, namespaces, watcher::Config::default());
    let (datasets, datasets_seen) = reflect::<PrivateDataset>(client, namespaces, watcher::Config::default());
    let (budgets, budgets_seen) = reflect::<PrivacyBudget>(client, namespaces, watcher::Config::default());
    let (claims, claims_seen) = reflect::<PrivacyClaim>(client, namespaces, watcher::Config::default());
    let (party_jobs, party_jobs_seen) = reflect::<Job>(client, namespaces, ours);
    let (pods_listed, pods_seen) = reflect::<Pod>(client, namespaces, parties);
    let asked = watcher::Config::default().fields(&format!("spec.signerName={SIGNER}"));
    let (requests, requests_seen) = match signs {
        true => reflect::<PodCertificateRequest>(client, namespaces, asked),
        false => (reflector::store().0, stream::pending().boxed()),
    };
    let cache = Arc::new(Cache {
        jobs,
        datasets,
        budgets,
        claims,
        party_jobs,
        pods: Mutex::default(),
        pods_listed,
        requests,
    });

    let seen = Arc::clone(&cache);
    let work = async move {
        // A send fails only while the process ends.
        let look = |job: ObjectRef<PrivateJob>| drop(queues.jobs.send(job));
        let jobs = jobs_seen.for_each(|job| {
            look(ObjectRef::from_obj(&job));
            async {}
        });
        let datasets = datasets_seen.for_each(|dataset| {
            jobs_of_dataset(&seen, &dataset).into_iter().for_each(look);
            async {}
        });
        let budgets = budgets_seen.for_each(|budget| {
            jobs_of_budget(&seen, &budget).into_iter().for_each(look);
            drop(queues.budgets.send(ObjectRef::from_obj(&budget)));
            async {}
        });
        let claims = claims_seen.for_each(|claim| {
            look(ObjectRef::new(&claim.spec.job.name).within(&claim.spec.job.namespace));
            let namespace = claim.namespace().unwrap_or_default();
            drop(queues.budgets.send(ObjectRef::new(&claim.spec.budget).within(&namespace)));
            async {}
        });
        let party_jobs = party_jobs_seen.for_each(|job| {
            job_of(&job).into_iter().for_each(look);
            async {}
        });
        let pods = pods_seen.for_each(|pod| {
            if let Some(job) = pod.labels().get(JOB_NAME) {
                let key = (pod.namespace().unwrap_or_default(), job.clone());
                seen.pods.lock().unwrap_or_else(PoisonError::into_inner).insert(key, pod.clone());
            }
            job_of(&pod).into_iter().for_each(look);
            async {}
        });
        let requests = requests_seen.for_each(|request| {
            drop(queues.requests.send(ObjectRef::from_obj(&request)));
            async {}
        });
        // A watch ends only with the client.
        tokio::join!(jobs, datasets, budgets, claims, party_jobs, pods, requests);
    };
    (cache, work)
}

/// A cache of one kind, and the objects as they change or go.
fn reflect<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    config: watcher::Config,
) -> (Store<K>, BoxStream<'static, K>) {
    let (reader, writer) = reflector::store::<K>();
    let stream = watch::events(client, namespaces, &config, reader.clone())
        .modify(|object: &mut K| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .touched_objects()
        .inspect_err(|error| tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and begins again"))
        .filter_map(|seen| async move { seen.ok() })
        .boxed();
    (reader, stream)
}

/// The job that one of the operator's objects belongs to.
fn job_of(object: &impl ResourceExt) -> Option<ObjectRef<PrivateJob>> {
    let label = |name: &str| object.labels().get(name).map(String::as_str);
    Some(ObjectRef::new(label(JOB)?).within(label(JOB_NAMESPACE)?))
}

fn jobs_of_dataset(cache: &Cache, dataset: &PrivateDataset) -> Vec<ObjectRef<PrivateJob>> {
    let (name, namespace) = (dataset.name_any(), dataset.namespace().unwrap_or_default());
    let asks = |job: &&Arc<PrivateJob>| {
        job.spec.parties.iter().any(|party| {
            let home = job.metadata.namespace.as_deref().unwrap_or_default();
            party.dataset.name == name && party.dataset.namespace_from(home) == namespace
        })
    };
    let unended =
        |job: &&Arc<PrivateJob>| !job.status.as_ref().is_some_and(|status| status.phase.has_ended());
    let jobs = cache.jobs.state();
    jobs.iter().filter(unended).filter(asks).map(|job| ObjectRef::from_obj(&**job)).collect()
}

fn jobs_of_budget(cache: &Cache, budget: &PrivacyBudget) -> Vec<ObjectRef<PrivateJob>> {
    let namespace = budget.namespace();
    let open = |claim: &&Arc<PrivacyClaim>| {
        claim.spec.budget == budget.name_any()
            && claim.namespace() == namespace
            && claim.status.as_ref().is_none_or(|status| status.outcome.is_none())
    };
    let claims = cache.claims.state();
    let mut jobs: Vec<_> = claims
        .iter()
        .filter(open)
        .map(|claim| ObjectRef::new(&claim.spec.job.name).within(&claim.spec.job.namespace))
        .collect();
    // A job whose budget was missing has no claim yet.
    for dataset in cache.datasets.state() {
        if dataset.spec.budget == budget.name_any() && dataset.namespace() == namespace {
            jobs.extend(jobs_of_dataset(cache, &dataset));
        }
    }
    jobs
}
