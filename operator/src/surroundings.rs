//! What surrounds the parties' pods and somebody may change: the policies of jobs, and what the pods of a namespace share.

use crate::{
    cache::{Seen, follow, job_of, reflect},
    job::build,
    metrics::Metrics,
    names::{self, ACCOUNT, SERVICE, Seat},
    party::PartyJob,
    policies::{self, Policies, Policy},
    watch,
    watched::Watched,
};
use futures::{StreamExt, future, stream::BoxStream};
use k8s_openapi::api::{
    core::v1::{Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Client, ResourceExt,
    runtime::{
        reflector::{self, ObjectRef},
        watcher,
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use veilgrid_api::{job::PrivateJob, status::Phase};

/// The caches of these objects.
pub struct Surroundings {
    /// The headless Services of parties' namespaces.
    services: Arc<Watched<Service>>,
    /// Their ServiceAccounts.
    accounts: Arc<Watched<ServiceAccount>>,
    /// The jobs' NetworkPolicies, shrunk.
    policies: Arc<Watched<NetworkPolicy>>,
    /// What they say.
    pub policies_seen: Policies,
    /// Namespaces whose shared objects this process has applied, and nobody changed since.
    prepared: Mutex<HashSet<String>>,
}

/// Their changes.
pub(crate) struct Changes {
    services: BoxStream<'static, Seen<Service>>,
    accounts: BoxStream<'static, Seen<ServiceAccount>>,
    policies: BoxStream<'static, Seen<NetworkPolicy>>,
}

impl Surroundings {
    /// Begins to watch the objects that `ours` chooses.
    pub(crate) fn watch(
        client: &Client,
        namespaces: &[String],
        ours: &watcher::Config,
        metrics: &Arc<Metrics>,
    ) -> (Self, Changes) {
        let (reader, writer) = reflector::store();
        let events = watch::events(client, namespaces, ours, reader.clone());
        let (policies, policies_touched) = follow(events, policies::shrink, reader, writer, metrics);
        let (services, services_touched) = reflect::<Service>(client, namespaces, ours.clone(), metrics);
        let (accounts, accounts_touched) =
            reflect::<ServiceAccount>(client, namespaces, ours.clone(), metrics);
        let surroundings = Self {
            services,
            accounts,
            policies,
            policies_seen: Policies::default(),
            prepared: Mutex::default(),
        };
        let changes =
            Changes { services: services_touched, accounts: accounts_touched, policies: policies_touched };
        (surroundings, changes)
    }

    /// Resolves when every cache holds what the API server had at the start.
    pub(crate) async fn ready(&self) {
        // An error says that the watch has ended, and so the process ends.
        let _ = tokio::join!(
            self.services.store().wait_until_ready(),
            self.accounts.store().wait_until_ready(),
            self.policies.store().wait_until_ready(),
        );
    }

    /// Names the jobs that are to see to what changes, as found in the caches of jobs and of parties' Jobs.
    pub(crate) async fn follow(
        &self,
        changes: Changes,
        jobs: &Watched<PrivateJob>,
        party_jobs: &Watched<PartyJob>,
        look: impl Fn(ObjectRef<PrivateJob>),
    ) {
        let policies = changes.policies.for_each(|Seen { object: policy, .. }| {
            job_of(&*policy).into_iter().filter(|job| self.policy(&policy, jobs.get(job))).for_each(&look);
            future::ready(())
        });
        let changed = |namespace: Option<String>| {
            self.shared(&namespace.unwrap_or_default(), party_jobs).into_iter().for_each(&look);
            future::ready(())
        };
        let services = changes.services.for_each(|Seen { object: service, .. }| changed(service.namespace()));
        let accounts = changes.accounts.for_each(|Seen { object: account, .. }| changed(account.namespace()));
        tokio::join!(policies, services, accounts);
    }

    /// Whether what the pods of a namespace share is there as it was made.
    pub fn is_prepared(&self, namespace: &str) -> bool {
        if self.prepared().contains(namespace) {
            return true;
        }
        let is_prepared = self.is_as_made(namespace);
        if is_prepared {
            self.set_prepared(namespace);
        }
        is_prepared
    }

    /// This process has applied what the pods of a namespace share.
    pub fn set_prepared(&self, namespace: &str) {
        self.prepared().insert(namespace.to_owned());
    }

    fn prepared(&self) -> MutexGuard<'_, HashSet<String>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_as_made(&self, namespace: &str) -> bool {
        let service = self.services.get(&ObjectRef::new(SERVICE).within(namespace));
        let account = self.accounts.get(&ObjectRef::new(ACCOUNT).within(namespace));
        let is_there = service.is_some() && account.is_some();
        is_there && build::is_as_made(service.as_deref(), account.as_deref())
    }

    /// Notes that a policy is there or gone. Whether its job is to see to it.
    fn policy(&self, policy: &NetworkPolicy, job: Option<Arc<PrivateJob>>) -> bool {
        let (namespace, name) = (policy.namespace().unwrap_or_default(), policy.name_any());
        if let Some(there) = self.policies.get(&ObjectRef::from_obj(policy)) {
            return policies::said(&there)
                .is_some_and(|says| self.policies_seen.set(&namespace, &name, says));
        }
        // One that goes with its job is not missed.
        let is_of = |job: &Arc<PrivateJob>| {
            let seats = names::seats(job).unwrap_or_default();
            let rests = |phase: Phase| phase.has_ended() || phase == Phase::Suspended;
            let runs = !job.status.as_ref().is_some_and(|status| rests(status.phase));
            let of_party = |seat: &Seat<'_>| {
                seat.namespace == namespace && [seat.name(), seat.store_policy()].contains(&name)
            };
            let of_delivery =
                |seat: &Seat<'_>| seat.job_namespace == namespace && seat.delivery_name() == name;
            runs && seats.iter().any(|seat| of_party(seat) || of_delivery(seat))
        };
        let missed = job.as_ref().is_some_and(is_of);
        if missed {
            self.policies_seen.set(&namespace, &name, Policy::Gone);
        } else {
            self.policies_seen.forget(&namespace, &name);
        }
        missed
    }

    /// What the pods of a namespace share has changed. The jobs that are to see to it.
    fn shared(&self, namespace: &str, party_jobs: &Watched<PartyJob>) -> Vec<ObjectRef<PrivateJob>> {
        if self.is_as_made(namespace) {
            return Vec::new();
        }
        let was_prepared = self.prepared().remove(namespace);
        let here = |job: &PartyJob| was_prepared && job.namespace().as_deref() == Some(namespace);
        let jobs = party_jobs.store().state_filter(here);
        jobs.iter().filter_map(|job| job_of(&**job)).collect()
    }
}
