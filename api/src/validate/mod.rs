//! The rules of a manifest's objects, alone and together. All faults are told, never just the first.

mod columns;
mod dataset;
mod job;
mod limits;
pub(crate) mod names;
mod parties;
mod placement;
mod result;
mod statistics;
mod store;

pub(crate) use job::draft;

use crate::{fault::Fault, manifest::Manifest};

/// Every fault of the objects, in file order of the kinds: datasets, budgets, jobs. None means that each job can be
/// planned, and that nothing in it can overflow.
pub fn validate(manifest: &Manifest) -> Vec<Fault> {
    let mut faults = Vec::new();
    for dataset in &manifest.datasets {
        names::metadata(dataset, &mut faults);
        limits::check(dataset, &mut faults);
        dataset::check(dataset, manifest, &mut faults);
    }
    for budget in &manifest.budgets {
        names::metadata(budget, &mut faults);
        limits::check(budget, &mut faults);
    }
    for job in &manifest.jobs {
        names::metadata(job, &mut faults);
        limits::check(job, &mut faults);
        draft(manifest, job, job::SAMPLE_RUN, &mut faults);
    }
    faults
}
