//! The rules of a `PrivateJob` with its datasets and budgets, up to the plan that they make.

use super::{columns, parties, placement, result, statistics};
use crate::{
    amount::{Delta, Epsilon},
    fault::Fault,
    job::PrivateJobSpec,
    limits::{CELLS, PLAN_BYTES},
    manifest::{Manifest, Object},
    plan::{ColumnKind, PLAN_VERSION, Plan, PlanColumn, PlanStatistic},
    planner::{self, Sized, TooLarge},
    sensitivity::{self, Crowd, SizeError},
};

type Job = Object<PrivateJobSpec>;

/// A run's name, for a plan that is made only to see whether it can be.
pub(crate) const SAMPLE_RUN: &str = "00000000000000000000000000000000";

/// The plan of a job; `None` where it has faults, which are told, or where an object that it needs has.
pub(crate) fn draft(manifest: &Manifest, job: &Job, run: &str, faults: &mut Vec<Fault>) -> Option<Plan> {
    let owners = parties::owners(manifest, job);
    parties::check(manifest, job, &owners, faults);
    parties::budgets(job, &owners, faults);
    placement::check(job, faults);
    result::check(job, faults);
    if job.spec.computation.statistics.is_none() {
        faults.push(job.fault(
            "spec.computation",
            "nothing is computed",
            "write exactly one computation: statistics",
        ));
    }
    accelerator(job, faults);
    let columns = columns::resolve(job, &owners, &statistics::uses(job), faults);
    let ready = statistics::check(job, &columns, faults);

    let whole: Option<Vec<parties::Owner<'_>>> = owners.into_iter().collect();
    let whole = whole.filter(|owners| owners.len() >= 2)?;
    let epsilon = Epsilon::from_f64(job.spec.privacy.epsilon).filter(|epsilon| *epsilon > Epsilon::ZERO)?;
    let delta = Delta::from_f64(job.spec.privacy.delta)?;
    let parties = parties::plan(job, &whole);
    let crowd = Crowd::of(&parties);
    let weights: u64 = statistics::of(job).iter().map(|statistic| u64::from(statistic.weight)).sum();

    let mut cells = 0;
    let mut planned = Vec::with_capacity(ready.len());
    for statistic in ready {
        let spec = &statistics::of(job)[statistic.index];
        let part = planner::part(epsilon, spec.weight, weights);
        let sized = Sized { columns: &columns.columns, crowd: &crowd, group_by: statistic.group_by };
        match planner::components(&statistic.question, &sized, part, &mut cells) {
            Ok(components) => planned.push(PlanStatistic {
                name: spec.name.clone(),
                question: statistic.question,
                filter: statistic.filter,
                group_by: statistic.group_by,
                epsilon: planner::spent(&components),
                components,
            }),
            Err(error) => faults.push(too_large(job, statistic.index, &error, &columns.columns, &crowd)),
        }
    }
    if cells > CELLS {
        let problem = format!("the statistics have {cells} cells together; {CELLS} is the most");
        let remedy = "ask for fewer edges, groups or statistics";
        faults.push(job.fault("spec.computation.statistics", problem, remedy));
    }
    if planned.len() != statistics::of(job).len() || planned.is_empty() {
        return None;
    }
    noise_delta(job, &planned, delta, faults);
    let mut recipients: Vec<u32> = match job.spec.recipients.is_empty() {
        true => (0..parties.len() as u32).collect(),
        false => {
            let place = |name: &String| parties.iter().position(|party| party.name == *name);
            job.spec.recipients.iter().filter_map(place).map(|place| place as u32).collect()
        }
    };
    recipients.sort_unstable();
    let plan = Plan {
        version: PLAN_VERSION,
        run: run.to_owned(),
        job: job.key(),
        protocol: job.spec.protocol,
        parties,
        recipients,
        epsilon,
        delta,
        columns: columns.columns,
        statistics: planned,
        cells,
        device: job.spec.device,
    };
    let bytes = plan.canonical().len();
    if bytes > PLAN_BYTES {
        let problem = format!("the job's plan has {bytes} bytes; {PLAN_BYTES} is the most");
        faults.push(job.fault("spec.computation.statistics", problem, "ask for fewer edges or statistics"));
    }
    Some(plan)
}

/// Tells devices that are asked for in no way or in two.
fn accelerator(job: &Job, faults: &mut Vec<Fault>) {
    let Some(accelerator) = &job.spec.accelerator else { return };
    let path = "spec.accelerator";
    if accelerator.resource.is_some() == accelerator.device_class.is_some() {
        let problem = if accelerator.resource.is_some() { "has two members" } else { "has no member" };
        faults.push(job.fault(path, problem, "write exactly one of resource and deviceClass"));
    } else if !accelerator.selectors.is_empty() && accelerator.device_class.is_none() {
        let remedy = "selectors choose among the devices of a deviceClass";
        faults.push(job.fault(&format!("{path}.selectors"), "has no deviceClass beside it", remedy));
    }
}

/// Tells a delta that does not cover the stated error of the noise.
fn noise_delta(job: &Job, statistics: &[PlanStatistic], delta: Delta, faults: &mut Vec<Fault>) {
    let components = statistics.iter().flat_map(|s| &s.components).map(|c| (c.cells, c.epsilon));
    match sensitivity::noise_delta(components) {
        Some(needed) if needed <= delta => {}
        Some(needed) if needed.to_f64() <= 0.1 => {
            let problem = format!("{delta} does not cover the stated error of the noise");
            faults.push(job.fault(
                "spec.privacy.delta",
                problem,
                format!("write at least {needed}, or ask for a smaller epsilon"),
            ));
        }
        _ => {
            let problem = "no delta covers the stated error of the noise at this epsilon";
            faults.push(job.fault(
                "spec.privacy.epsilon",
                problem,
                "ask for a smaller epsilon, or for fewer cells",
            ));
        }
    }
}

/// The fault of a component that is too large, with what would fit.
fn too_large(job: &Job, index: usize, error: &TooLarge, columns: &[PlanColumn], crowd: &Crowd) -> Fault {
    let path = statistics::path(index);
    let problem = format!("the component `{}`: {}", error.component, error.reason);
    let coarser = error.fraction_bits(columns, crowd).map(|bits| format!("`fractionBits: {bits}`"));
    let remedy = match error.reason {
        SizeError::NoEpsilon => {
            "raise the job's epsilon or this statistic's weight, or ask fewer questions".into()
        }
        SizeError::Scale => {
            let coarser =
                coarser.map(|bits| format!(" or {bits} at most for its column,")).unwrap_or_default();
            format!("use{coarser} narrower bounds, or a larger epsilon").replace("use or", "use")
        }
        SizeError::Overflow { rows } => {
            let each = rows / crowd.parties.max(1);
            let rows = (each > 0).then(|| format!("`maxRows: {each}` at most for each dataset"));
            let ways: Vec<String> = [coarser.map(|bits| format!("{bits} at most for its column")), rows]
                .into_iter()
                .flatten()
                .collect();
            match ways.len() {
                0 => "use narrower bounds".into(),
                _ => format!("use {}, or narrower bounds", ways.join(", or ")),
            }
        }
    };
    job.fault(&path, problem, remedy)
}

impl TooLarge {
    /// The most binary digits after the point with which the component fits, where fewer help.
    fn fraction_bits(&self, columns: &[PlanColumn], crowd: &Crowd) -> Option<u32> {
        let ColumnKind::Number { fraction_bits, .. } = columns.get(self.column? as usize)?.kind else {
            return None;
        };
        // Halving the units halves what a row adds, up to rounding, for which one is kept back.
        (0..fraction_bits).rev().find(|bits| {
            let most = (self.magnitude >> (fraction_bits - bits)) + 1;
            sensitivity::size(most, crowd, self.epsilon).is_ok()
        })
    }
}
