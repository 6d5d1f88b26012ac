//! Judges a job and what it names. Pure.

use crate::reason::Reason;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    cluster::{Approval, Kind, Volume},
    dataset::{PrivateDatasetSpec, Source},
    fault::Fault,
    job::PrivateJobSpec,
    manifest::{Manifest, Object},
    planner,
    store::ObjectStore,
};

/// A job that may run, if its budgets allow it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The run of the attempt.
    pub run: String,
    /// SHA-256 of the plan.
    pub plan: String,
    /// What it asks of each budget.
    pub epsilon: Epsilon,
    /// What it asks of each budget.
    pub delta: Delta,
    /// The parties, in the job's order.
    pub parties: Vec<Participant>,
    /// The objects, each kind once.
    pub manifest: Manifest,
}

/// A party with what its pod needs.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The party's name.
    pub name: String,
    /// Its dataset's namespace.
    pub namespace: String,
    /// Its dataset's name.
    pub dataset: String,
    /// The budget's name, in the same namespace.
    pub budget: String,
    /// Where the rows are.
    pub rows: Rows,
    /// Whether the owner agrees to each use.
    pub approval: Approval,
    /// The PersistentVolumeClaim of its state; its pod has it where absent.
    pub state: Option<String>,
}

/// Where a party's rows are.
#[derive(Clone, Debug)]
pub enum Rows {
    /// In a file of a volume, which its pod mounts.
    Volume(Volume),
    /// In an object store, which its pod reaches.
    Store(ObjectStore),
}

/// Why a job may not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// For programs.
    pub reason: Reason,
    /// For people: every fault, as `veilgrid check` words it.
    pub message: String,
}

/// Judges the only job of the manifest. `run` names the attempt, and `queues` says whether it may wait in a queue.
///
/// # Errors
/// [`Refused`]: faults of the objects, or a dataset that does not admit the job.
pub(super) fn validate(manifest: Manifest, run: &str, queues: bool) -> Result<Accepted, Refused> {
    let plan = planner::plan(&manifest, None, run).map_err(|faults| refused(Reason::Invalid, &faults))?;
    let job = &manifest.jobs[0];
    let mut faults = Vec::new();
    let mut denied = Vec::new();
    let mut parties = Vec::new();
    if job.spec.queue_name.is_some() && !queues {
        let problem = "nothing here keeps a queue from taking back a party that it let go: its next pod would be a second draw of noise \
                       for one charge";
        let remedy = "leave it out, or have who administers the cluster install what keeps queues from it: docs/operations.md, \
                      In some namespaces only";
        faults.push(job.fault("spec.queueName", problem, remedy));
    }
    for (index, party) in job.spec.parties.iter().enumerate() {
        // The planner has found every dataset.
        let Some(dataset) = manifest.dataset_of(job, party) else { continue };
        access(job, index, dataset, plan.epsilon, &mut denied);
        path(dataset, &mut faults);
        let rows = match &dataset.spec.source {
            Source { volume: Some(volume), .. } => Rows::Volume(volume.clone()),
            Source { object_store: Some(store), .. } => Rows::Store(store.clone()),
            _ => {
                let problem = "has neither volume nor objectStore, and a cluster needs one";
                faults.push(dataset.fault("spec.source", problem, "name the place that has the rows"));
                continue;
            }
        };
        parties.push(Participant {
            name: party.name.clone(),
            namespace: dataset.namespace.clone(),
            dataset: dataset.name.clone(),
            budget: dataset.spec.budget.clone(),
            rows,
            approval: dataset.spec.approval,
            state: dataset.spec.state.as_ref().map(|state| state.claim.clone()),
        });
    }
    if !denied.is_empty() {
        return Err(refused(Reason::AccessDenied, &denied));
    }
    if !faults.is_empty() {
        return Err(refused(Reason::Invalid, &faults));
    }
    Ok(Accepted {
        run: run.to_owned(),
        plan: plan.hash().to_string(),
        epsilon: plan.epsilon,
        delta: plan.delta,
        parties,
        manifest,
    })
}

/// Tells why a dataset does not admit the job. What the owner wrote there is not told to others, only what is asked.
fn access(
    job: &Object<PrivateJobSpec>,
    index: usize,
    dataset: &Object<PrivateDatasetSpec>,
    epsilon: Epsilon,
    denied: &mut Vec<Fault>,
) {
    let title = format!("the PrivateDataset {}", dataset.key());
    let field = format!("spec.parties[{index}].dataset");
    let rule = dataset.spec.access.as_ref();
    let admitted = job.namespace == dataset.namespace
        || rule.is_some_and(|access| access.namespaces.contains(&job.namespace));
    if !admitted {
        let problem = format!("{title} does not admit jobs of namespace {:?}", job.namespace);
        let remedy = "ask its owner to add the namespace to spec.access.namespaces";
        denied.push(job.fault(&field, problem, remedy));
    }
    let kinds = rule.and_then(|access| access.computations.as_ref());
    if job.spec.computation.statistics.is_some()
        && kinds.is_some_and(|kinds| !kinds.contains(&Kind::Statistics))
    {
        let problem = format!("{title} does not admit the computation statistics");
        denied.push(job.fault(
            "spec.computation",
            problem,
            "ask its owner to add it to spec.access.computations",
        ));
    }
    if let Some(most) = rule.and_then(|access| access.epsilon())
        && epsilon > most
    {
        let problem = format!("asks for {epsilon}; {title} admits at most {most}");
        denied.push(job.fault(
            "spec.privacy.epsilon",
            problem,
            "ask for less, or ask its owner to admit more",
        ));
    }
}

/// A path that leaves the volume, or the prefix of the store, is none of a dataset's.
fn path(dataset: &Object<PrivateDatasetSpec>, faults: &mut Vec<Fault>) {
    let path = &dataset.spec.source.path;
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        let problem = format!("{path:?} leaves the place of the rows");
        faults.push(dataset.fault("spec.source.path", problem, "write a path below it, without `..`"));
    }
}

fn refused(reason: Reason, faults: &[Fault]) -> Refused {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    Refused { reason, message: lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilgrid_api::manifest::parse;

    #[test]
    fn a_queue_is_waited_in_only_where_it_cannot_take_a_party_back() {
        let mut manifest: Manifest = parse(include_str!("../../../examples/hospitals/cluster.yaml")).unwrap();
        let judged = |manifest: &Manifest, queues| validate(manifest.clone(), &"0".repeat(32), queues).err();
        assert_eq!(judged(&manifest, false), None);
        manifest.jobs[0].spec.queue_name = Some("private".into());
        assert_eq!(judged(&manifest, true), None);
        let refused = judged(&manifest, false).expect("refused");
        assert_eq!(refused.reason, Reason::Invalid);
        assert!(
            refused.message.contains("spec.queueName") && refused.message.contains("second draw"),
            "{refused:?}"
        );
    }
}
