//! Fetches what a job names, from the caches.

use crate::cache::Cache;
use kube::{ResourceExt, runtime::reflector::ObjectRef};
use veilgrid_api::{
    budget::PrivacyBudget,
    dataset::PrivateDataset,
    job::PrivateJob,
    manifest::{Lines, Manifest, Object},
};

/// The job, and those of its datasets and budgets that are there, as one manifest.
pub(super) fn dereference(job: &PrivateJob, cache: &Cache) -> Manifest {
    let home = job.namespace().unwrap_or_default();
    let mut manifest = Manifest::default();
    for party in &job.spec.parties {
        let namespace = party.dataset.namespace_from(&home);
        let found =
            cache.datasets.get(&ObjectRef::<PrivateDataset>::new(&party.dataset.name).within(namespace));
        let Some(dataset) = found else { continue };
        let budget =
            cache.budgets.get(&ObjectRef::<PrivacyBudget>::new(&dataset.spec.budget).within(namespace));
        if let Some(budget) = budget
            && !manifest.budgets.iter().any(|b| b.name == budget.name_any() && b.namespace == namespace)
        {
            manifest.budgets.push(object(budget.name_any(), namespace, budget.spec.clone()));
        }
        if !manifest.datasets.iter().any(|d| d.name == dataset.name_any() && d.namespace == namespace) {
            manifest.datasets.push(object(dataset.name_any(), namespace, dataset.spec.clone()));
        }
    }
    manifest.jobs.push(object(job.name_any(), &home, job.spec.clone()));
    manifest
}

fn object<Spec>(name: String, namespace: &str, spec: Spec) -> Object<Spec> {
    Object { name, namespace: namespace.to_owned(), spec, lines: Lines::default() }
}
