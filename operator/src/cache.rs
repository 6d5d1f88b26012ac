//! What the operator sees of the cluster: a cache of each kind, and who is to look again when something changes.

use crate::{
    index::{Index, budget_of},
    keeper::is_going,
    malformed::Malformed,
    metrics::Metrics,
    names::{self, DELIVERY, JOB, JOB_NAMESPACE, JOB_UID, MANAGED_BY, MANAGER, PARTY, PLACE, ROLE},
    party::{PartyJob, PartyPod},
    signer::SIGNER,
    surroundings::Surroundings,
    watch::{self, Namespaced},
    watched::Watched,
};
use futures::{
    StreamExt, TryStreamExt, future,
    stream::{self, BoxStream},
};
use k8s_openapi::api::certificates::v1beta1::PodCertificateRequest;
use kube::{
    Client, ResourceExt,
    core::error_boundary::InvalidObject,
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher::{self, Event},
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
    pub jobs: Arc<Watched<PrivateJob>>,
    /// All datasets.
    pub datasets: Arc<Watched<PrivateDataset>>,
    /// All budgets.
    pub budgets: Arc<Watched<PrivacyBudget>>,
    /// All claims.
    pub claims: Arc<Watched<PrivacyClaim>>,
    /// The parties' Jobs.
    pub party_jobs: Arc<Watched<PartyJob>>,
    /// The parties' pods as they were seen last, by the namespace and name of their Jobs. One that is gone stays until it is
    /// forgotten: what it said when it ended decides what it cost.
    pods: Mutex<HashMap<(String, String), Arc<PartyPod>>>,
    /// The pods that are there.
    pub pods_listed: Arc<Watched<PartyPod>>,
    /// Requests for certificates; none where the cluster has no such kind.
    pub requests: Arc<Watched<PodCertificateRequest>>,
    /// Whom a change concerns.
    pub index: Index,
    /// What surrounds the parties' pods.
    pub surroundings: Surroundings,
}

/// Where the names of objects that are to be looked at go.
#[derive(Clone)]
pub struct Queues {
    /// Jobs.
    pub jobs: UnboundedSender<ObjectRef<PrivateJob>>,
    /// Budgets.
    pub budgets: UnboundedSender<ObjectRef<PrivacyBudget>>,
    /// Datasets.
    pub datasets: UnboundedSender<ObjectRef<PrivateDataset>>,
    /// Requests for certificates.
    pub requests: UnboundedSender<ObjectRef<PodCertificateRequest>>,
}

/// The label that a Job gives its pods.
pub(crate) const JOB_NAME: &str = "batch.kubernetes.io/job-name";

impl Cache {
    /// The pod of a party's Job, as it was seen last, and whether it is there still.
    pub fn pod(&self, namespace: &str, job: &str) -> Option<(Arc<PartyPod>, bool)> {
        let key = (namespace.to_owned(), job.to_owned());
        let pod = self.pods.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()?;
        let is_there = self.pods_listed.get(&ObjectRef::from_obj(&*pod)).is_some();
        Some((pod, is_there))
    }

    /// Forgets the pod of a party's Job: what it said is settled.
    pub fn forget(&self, namespace: &str, job: &str) {
        let key = (namespace.to_owned(), job.to_owned());
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        self.surroundings.policies_seen.forget(namespace, job);
    }

    /// The claims of these names on a budget, as far as they are there.
    pub fn claims_named(
        &self,
        budget: &PrivacyBudget,
        names: impl IntoIterator<Item = String>,
    ) -> impl Iterator<Item = Arc<PrivacyClaim>> {
        let namespace = budget.namespace().unwrap_or_default();
        names.into_iter().filter_map(move |name| self.claims.get(&ObjectRef::new(&name).within(&namespace)))
    }

    /// Resolves when every cache holds what the API server had at the start.
    pub async fn ready(&self) {
        // An error says that the watch has ended, and so the process ends.
        let _ = tokio::join!(
            self.jobs.store().wait_until_ready(),
            self.datasets.store().wait_until_ready(),
            self.budgets.store().wait_until_ready(),
            self.claims.store().wait_until_ready(),
            self.party_jobs.store().wait_until_ready(),
            self.pods_listed.store().wait_until_ready(),
            self.surroundings.ready(),
        );
    }
}

/// Starts the caches of the namespaces that are named, or of all; the future keeps them fresh for as long as it is polled.
/// `signs` says whether requests for certificates are watched, and `malformed` is told of objects that cannot be understood.
pub fn start(
    client: &Client,
    namespaces: &[String],
    queues: Queues,
    signs: bool,
    malformed: &Malformed,
) -> (Arc<Cache>, impl Future<Output = ()> + use<>) {
    let ours = watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
    let pods = ours.clone().labels(&format!("{MANAGED_BY}={MANAGER},{ROLE} in (party,{DELIVERY})"));
    let (jobs, jobs_seen) = reflect_ours::<PrivateJob>(client, namespaces, malformed);
    let (datasets, datasets_seen) = reflect_ours::<PrivateDataset>(client, namespaces, malformed);
    let (budgets, budgets_seen) = reflect_ours::<PrivacyBudget>(client, namespaces, malformed);
    let (claims, claims_seen) = reflect_ours::<PrivacyClaim>(client, namespaces, malformed);
    let metrics = malformed.metrics();
    let (party_jobs, party_jobs_seen) = reflect::<PartyJob>(client, namespaces, ours.clone(), metrics);
    let (pods_listed, pods_seen) = reflect::<PartyPod>(client, namespaces, pods, metrics);
    let (surroundings, changes) = Surroundings::watch(client, namespaces, &ours, metrics);
    let asked = watcher::Config::default().fields(&format!("spec.signerName={SIGNER}"));
    let (requests, requests_seen) = match signs {
        true => reflect::<PodCertificateRequest>(client, namespaces, asked, metrics),
        false => (Arc::new(Watched::new(reflector::store().0)), stream::pending().boxed()),
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
        index: Index::default(),
        surroundings,
    });

    let seen = Arc::clone(&cache);
    let work = async move {
        // A send fails only while the process ends.
        let look = |job: ObjectRef<PrivateJob>| drop(queues.jobs.send(job));
        let jobs = jobs_seen.for_each(|Seen { object: job, is_there }| {
            seen.index.job(&job, is_there);
            if !is_there {
                budgets_of_job(&seen, &job).for_each(|budget| drop(queues.budgets.send(budget)));
            }
            look(ObjectRef::from_obj(&*job));
            future::ready(())
        });
        let datasets = datasets_seen.for_each(|Seen { object: dataset, is_there }| {
            if seen.index.dataset(&dataset, is_there) {
                seen.index.jobs_of_dataset(&ObjectRef::from_obj(&*dataset)).into_iter().for_each(look);
            }
            drop(queues.datasets.send(ObjectRef::from_obj(&*dataset)));
            future::ready(())
        });
        let budgets = budgets_seen.for_each(|Seen { object: budget, is_there }| {
            let news = seen.index.budget(&budget, is_there);
            if news.is_anew {
                jobs_of_budget(&seen, &budget).into_iter().for_each(look);
            }
            seen.claims_named(&budget, news.reserved).for_each(|claim| look(job_of_claim(&claim)));
            drop(queues.budgets.send(ObjectRef::from_obj(&*budget)));
            future::ready(())
        });
        let claims = claims_seen.for_each(|Seen { object: claim, is_there }| {
            seen.index.claim(&claim, is_there);
            look(job_of_claim(&claim));
            drop(queues.budgets.send(budget_of(&claim)));
            let dataset = ObjectRef::new(&claim.spec.dataset).within(&claim.namespace().unwrap_or_default());
            if seen.datasets.get(&dataset).is_some_and(|dataset| is_going(&*dataset)) {
                drop(queues.datasets.send(dataset));
            }
            future::ready(())
        });
        let party_jobs = party_jobs_seen.for_each(|Seen { object: job, .. }| {
            job_of(&*job).into_iter().for_each(look);
            future::ready(())
        });
        let pods = pods_seen.for_each(|Seen { object: pod, .. }| {
            job_of(&*pod).into_iter().for_each(look);
            if let Some(job) = pod.labels().get(JOB_NAME) {
                let key = (pod.namespace().unwrap_or_default(), job.clone());
                seen.pods.lock().unwrap_or_else(PoisonError::into_inner).insert(key, pod);
            }
            future::ready(())
        });
        let requests = requests_seen.for_each(|Seen { object: request, .. }| {
            drop(queues.requests.send(ObjectRef::from_obj(&*request)));
            future::ready(())
        });
        let surroundings = seen.surroundings.follow(changes, &seen.jobs, &seen.party_jobs, look);
        // A watch ends only with the client.
        tokio::join!(jobs, datasets, budgets, claims, party_jobs, pods, requests, surroundings);
    };
    (cache, work)
}

/// An object as it was seen last, and whether it is there still.
pub(crate) struct Seen<K> {
    pub(crate) object: Arc<K>,
    pub(crate) is_there: bool,
}

/// A cache of one kind, and the objects as they change or go: each when the cache has followed.
pub(crate) fn reflect<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    config: watcher::Config,
    metrics: &Arc<Metrics>,
) -> (Arc<Watched<K>>, BoxStream<'static, Seen<K>>) {
    let (reader, writer) = reflector::store::<K>();
    let events = watch::events(client, namespaces, &config, reader.clone());
    follow(events, forget_unread, reader, writer, metrics)
}

/// The same for a kind of this project, of which an object may be there that an older or newer definition let in.
fn reflect_ours<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    malformed: &Malformed,
) -> (Arc<Watched<K>>, BoxStream<'static, Seen<K>>) {
    let (reader, writer) = reflector::store::<K>();
    let (config, tell) = (watcher::Config::default(), malformed.clone());
    let tell = move |bad: &InvalidObject| tell.tell::<K>(bad);
    let events = watch::guarded(client, namespaces, &config, reader.clone(), tell);
    follow(events, forget_unread, reader, writer, malformed.metrics())
}

/// The same of any events, of which `shrink` leaves what is kept.
pub(crate) fn follow<K: Namespaced>(
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    shrink: fn(&mut K),
    reader: Store<K>,
    writer: Writer<K>,
    metrics: &Arc<Metrics>,
) -> (Arc<Watched<K>>, BoxStream<'static, Seen<K>>) {
    let watched = Arc::new(Watched::new(reader));
    let cache = Arc::clone(&watched);
    // What a new list replaces: it tells what is gone by leaving it out.
    let mut replaced: Vec<Arc<K>> = Vec::new();
    let seen = move |event: Event<K>| {
        cache.follow(&event);
        let there = |object: Arc<K>| Seen { object, is_there: true };
        let gone = |object: Arc<K>| Seen { object, is_there: false };
        stream::iter(match event {
            Event::Apply(object) => {
                vec![there(cache.get(&ObjectRef::from_obj(&object)).unwrap_or_else(|| Arc::new(object)))]
            }
            Event::Delete(object) => vec![gone(Arc::new(object))],
            Event::Init => {
                replaced = cache.store().state();
                Vec::new()
            }
            Event::InitApply(_) => Vec::new(),
            Event::InitDone => {
                let missing = |object: &Arc<K>| cache.get(&ObjectRef::from_obj(&**object)).is_none();
                let lost = std::mem::take(&mut replaced).into_iter().filter(missing).map(gone);
                cache.store().state().into_iter().map(there).chain(lost).collect()
            }
        })
    };
    let metrics = Arc::clone(metrics);
    let failed = move |error: &watcher::Error| {
        metrics.unwatched::<K>();
        tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and begins again");
    };
    let stream = events
        .modify(shrink)
        .reflect(writer)
        .inspect_err(failed)
        .filter_map(|event| future::ready(event.ok()))
        .flat_map(seen)
        .boxed();
    (watched, stream)
}

/// Drops what nobody here reads, as there are many objects. Of labels, the operator's own tell whose an object is.
fn forget_unread<K: Namespaced>(object: &mut K) {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    metadata.annotations = None;
    if let Some(labels) = &mut metadata.labels {
        let read = [JOB, JOB_NAMESPACE, JOB_UID, PARTY, PLACE, JOB_NAME];
        labels.retain(|name, _| read.contains(&name.as_str()));
    }
}

/// The job that one of the operator's objects belongs to.
pub(crate) fn job_of(object: &impl ResourceExt) -> Option<ObjectRef<PrivateJob>> {
    let label = |name: &str| object.labels().get(name).map(String::as_str);
    Some(ObjectRef::new(label(JOB)?).within(label(JOB_NAMESPACE)?))
}

/// The budgets that the job's present attempt has claims on.
fn budgets_of_job(cache: &Cache, job: &PrivateJob) -> impl Iterator<Item = ObjectRef<PrivacyBudget>> {
    let claims = names::seats(job).unwrap_or_default().into_iter();
    let claims = claims.filter_map(|seat| cache.claims.get(&seat.claim()));
    claims.map(|claim| budget_of(&claim))
}

/// The job that a claim was made for.
fn job_of_claim(claim: &PrivacyClaim) -> ObjectRef<PrivateJob> {
    ObjectRef::new(&claim.spec.job.name).within(&claim.spec.job.namespace)
}

/// The jobs that have an open claim on the budget, or name a dataset that it guards: one whose budget was missing has no claim.
fn jobs_of_budget(cache: &Cache, budget: &PrivacyBudget) -> Vec<ObjectRef<PrivateJob>> {
    let name = ObjectRef::from_obj(budget);
    let claims = cache.claims_named(budget, cache.index.open_claims(&name));
    let mut jobs: Vec<_> = claims.map(|claim| job_of_claim(&claim)).collect();
    jobs.extend(cache.index.jobs_of_budget(&name));
    jobs
}
