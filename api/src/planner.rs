//! Valid objects to the plan that parties agree on. The same manifest and run give the same plan everywhere.

use crate::{
    amount::Epsilon,
    dataset::PrivateDatasetSpec,
    fault::Fault,
    job::PrivateJobSpec,
    manifest::{Manifest, Object},
    plan::{ColumnKind, Component, Measure, Plan, PlanColumn, Question},
    sensitivity::{self, Crowd, SizeError},
    statistics, validate,
};

/// The plan of a job of the manifest: of the named one (`name` or `namespace/name`), or of the only one.
///
/// `run` names the charge: 32 lower-case hexadecimal digits.
///
/// # Errors
/// Every fault of the manifest, as [`validate`](validate::validate) tells them; a job that is not there or not named
/// where there are several; a run that is not such a name.
pub fn plan(manifest: &Manifest, job: Option<&str>, run: &str) -> Result<Plan, Vec<Fault>> {
    let mut faults = validate::validate(manifest);
    let job = choose(manifest, job).map_err(|fault| faults.push(fault)).ok();
    if !is_run(run) {
        faults.push(file_fault("the run's name is not 32 lower-case hexadecimal digits", "name it so"));
    }
    match job {
        Some(job) if faults.is_empty() => validate::draft(manifest, job, run, &mut faults).ok_or(faults),
        _ => Err(faults),
    }
}

/// The dataset of a party of a plan that was made of this manifest; `None` for a party or dataset that is not there.
pub fn source<'a>(manifest: &'a Manifest, plan: &Plan, party: usize) -> Option<&'a PrivateDatasetSpec> {
    let key = &plan.parties.get(party)?.dataset;
    manifest.datasets.iter().find(|dataset| dataset.key() == *key).map(|dataset| &dataset.spec)
}

/// Whether a text names a run: 32 lower-case hexadecimal digits.
pub(crate) fn is_run(run: &str) -> bool {
    run.len() == 32 && run.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn choose<'a>(manifest: &'a Manifest, job: Option<&str>) -> Result<&'a Object<PrivateJobSpec>, Fault> {
    let jobs = &manifest.jobs;
    let known = || jobs.iter().take(32).map(Object::shown).collect::<Vec<_>>().join(", ");
    match job {
        None => match &jobs[..] {
            [] => Err(file_fault("the file holds no PrivateJob", "add one")),
            [job] => Ok(job),
            _ => Err(file_fault("the file holds several PrivateJobs", &format!("name one of {}", known()))),
        },
        Some(name) => {
            let named: Vec<_> = jobs.iter().filter(|job| job.name == name || job.key() == name).collect();
            let name = crate::fault::quoted(name);
            match named[..] {
                [job] => Ok(job),
                [] => Err(file_fault(
                    &format!("no PrivateJob is named {name}"),
                    &format!("name one of {}", known()),
                )),
                _ => Err(file_fault(
                    &format!("several PrivateJobs are named {name}"),
                    "name it with its namespace: namespace/name",
                )),
            }
        }
    }
}

fn file_fault(problem: &str, remedy: &str) -> Fault {
    Fault {
        object: String::new(),
        path: String::new(),
        problem: problem.into(),
        remedy: remedy.into(),
        line: None,
    }
}

/// A statistic's part of the job's epsilon, rounded down.
pub(crate) fn part(epsilon: Epsilon, weight: u32, weights: u64) -> Epsilon {
    let units = u128::from(epsilon.units()) * u128::from(weight) / u128::from(weights.max(1));
    // At most the whole, since a weight is at most the sum of them.
    Epsilon::from_units(u64::try_from(units).unwrap_or(epsilon.units()))
}

/// The sum of the components' epsilons.
pub(crate) fn spent(components: &[Component]) -> Epsilon {
    Epsilon::from_units(components.iter().map(|component| component.epsilon.units()).sum())
}

/// What sizes a statistic beside its question.
pub(crate) struct Sized<'a> {
    pub(crate) columns: &'a [PlanColumn],
    pub(crate) crowd: &'a Crowd,
    pub(crate) group_by: Option<u32>,
}

/// A component that fits the ring or the sampler not.
pub(crate) struct TooLarge {
    /// The component's name.
    pub(crate) component: &'static str,
    /// The number column that makes it large.
    pub(crate) column: Option<u32>,
    /// The most that a row adds.
    pub(crate) magnitude: u64,
    /// Its part of the epsilon.
    pub(crate) epsilon: Epsilon,
    pub(crate) reason: SizeError,
}

/// The components of a question, standing at `offset` in the shared vector, which moves on past them. `epsilon` is the
/// statistic's part: components share it evenly, rounded down.
///
/// # Panics
/// Never for a question whose columns are number columns, and whose group is by a category column.
pub(crate) fn components(
    question: &Question,
    sized: &Sized<'_>,
    epsilon: Epsilon,
    offset: &mut u64,
) -> Result<Vec<Component>, TooLarge> {
    let groups = match sized.group_by.and_then(|column| sized.columns.get(column as usize)) {
        Some(PlanColumn { kind: ColumnKind::Category { values }, .. }) => values.len() as u64,
        _ => 1,
    };
    let measures = statistics::measures(question, sized.columns, sized.crowd, epsilon).unwrap_or_default();
    let share = Epsilon::from_units(epsilon.units() / (measures.len() as u64).max(1));
    let mut components = Vec::with_capacity(measures.len());
    for measure in measures {
        let magnitude = sensitivity::magnitude(&measure, sized.columns).unwrap_or(u64::MAX);
        let size = sensitivity::size(magnitude, sized.crowd, share).map_err(|reason| {
            let (component, column) = describe(&measure);
            TooLarge { component, column, magnitude, epsilon: share, reason }
        })?;
        let bins = match &measure {
            Measure::Bins { edges, .. } => (edges.len() as u64).saturating_sub(1),
            _ => 1,
        };
        let cells = groups * bins;
        components.push(Component {
            measure,
            offset: *offset,
            cells,
            sensitivity: size.sensitivity,
            epsilon: share,
            scale: size.scale,
        });
        *offset += cells;
    }
    Ok(components)
}

/// A measure's name in messages, and the column that makes it large.
fn describe(measure: &Measure) -> (&'static str, Option<u32>) {
    match measure {
        Measure::Rows => ("rows", None),
        Measure::Sum { column } => ("sum", Some(*column)),
        Measure::CenteredSum { column, .. } => ("centeredSum", Some(*column)),
        Measure::CenteredSquares { column, .. } => ("centeredSquares", Some(*column)),
        Measure::Bins { .. } => ("bins", None),
    }
}
