//! Who sits at the table: the parties of a job in one attempt, by the job's spec alone.

use super::observe::{Sight, observe};
use crate::{cache::Cache, error::Error, names::Seat};
use kube::{ResourceExt, runtime::reflector::ObjectRef};
use std::sync::Arc;
use veilgrid_api::{claim::PrivacyClaim, job::PrivateJob};

/// The parties of an attempt, in the job's order.
pub(super) struct Table<'a> {
    pub(super) seats: Vec<Seat<'a>>,
    pub(super) namespaces: Vec<&'a str>,
}

impl<'a> Table<'a> {
    pub(super) fn of(job: &'a PrivateJob, attempt: u32) -> Result<Self, Error> {
        let metadata = &job.metadata;
        let name = metadata.name.as_deref().ok_or(Error::Incomplete("a name"))?;
        let uid = metadata.uid.as_deref().ok_or(Error::Incomplete("a uid"))?;
        let home = metadata.namespace.as_deref().ok_or(Error::Incomplete("a namespace"))?;
        let seat = |party: &'a str| Seat { job_namespace: home, job: name, uid, party, attempt };
        Ok(Self {
            seats: job.spec.parties.iter().map(|party| seat(&party.name)).collect(),
            namespaces: job
                .spec
                .parties
                .iter()
                .map(|party| party.dataset.namespace.as_deref().unwrap_or(home))
                .collect(),
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Seat<'a>, &'a str)> {
        self.seats.iter().zip(self.namespaces.iter().copied())
    }

    /// The claims of the attempt that the cache has.
    pub(super) fn claims(&self, cache: &Cache) -> Vec<Option<Arc<PrivacyClaim>>> {
        self.iter()
            .map(|(seat, namespace)| cache.claims.get(&ObjectRef::new(&seat.name()).within(namespace)))
            .collect()
    }

    /// Whether any of the parties' Jobs is left.
    pub(super) fn has_jobs(&self, cache: &Cache) -> bool {
        self.iter().any(|(seat, namespace)| {
            let job = cache.party_jobs.get(&ObjectRef::new(&seat.name()).within(namespace));
            job.is_some()
        })
    }

    /// Forgets the parties' pods.
    pub(super) fn forget(&self, cache: &Cache) {
        self.iter().for_each(|(seat, namespace)| cache.forget(namespace, &seat.name()));
    }

    /// How each party stands.
    pub(super) fn sights(&self, cache: &Cache) -> Vec<Sight> {
        self.iter()
            .map(|(seat, namespace)| {
                let name = seat.name();
                let job = cache.party_jobs.get(&ObjectRef::new(&name).within(namespace));
                observe(job.as_deref(), cache.pod(namespace, &name).as_ref())
            })
            .collect()
    }
}

/// Indices of the parties that get the result.
pub(super) fn recipients(job: &PrivateJob) -> Vec<usize> {
    let names = &job.spec.recipients;
    let receives = |name: &String| names.is_empty() || names.contains(name);
    job.spec
        .parties
        .iter()
        .enumerate()
        .filter(|(_, party)| receives(&party.name))
        .map(|(index, _)| index)
        .collect()
}

/// `namespace/name`, for logs.
pub(super) fn key(job: &PrivateJob) -> String {
    format!("{}/{}", job.namespace().unwrap_or_default(), job.name_any())
}
