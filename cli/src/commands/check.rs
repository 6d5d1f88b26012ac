//! `veilgrid check`: what a job would learn, how exactly and at which cost; or everything that is wrong with its file.

use crate::{
    expected::{Expected, HalfWidth, Unit},
    failure::Failure,
    faults, output,
    table::digits::Digits,
};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    fault::Fault,
    manifest::Manifest,
    plan::{ColumnKind, Plan, PlanParty, PlanStatistic, Question},
    planner, validate,
};
use veilgrid_party::decode;

/// Says what a job would learn, how exactly and at which cost; or everything that is wrong with its file
///
/// Reads the manifest and no rows, and charges nothing. Each fault comes with its line and with what to do about it.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid check examples/hospitals/job.yaml
  veilgrid check jobs.yaml --job tumour-size
  veilgrid check job.yaml --json | jq '.faults[] | {line, path, problem}'

Too much noise? Ask fewer questions, give the one that matters more `weight`,
narrow its column's bounds, or spend more epsilon.
Exit codes: 0 no faults, 2 faults.")]
pub(crate) struct CheckArgs {
    /// The manifest: PrivateJob, PrivateDatasets and PrivacyBudgets
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One job only, where the file holds several
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Prints one JSON object: the summary, or the faults
    #[arg(long)]
    json: bool,
}

/// What a job would do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// `namespace/name`.
    job: String,
    /// Charged to each party's budget.
    epsilon: Epsilon,
    delta: Delta,
    parties: Vec<Party>,
    recipients: Vec<String>,
    statistics: Vec<Statistic>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    name: String,
    dataset: String,
    /// The file of its rows.
    source: String,
    max_rows: u64,
    /// The column that names a person; absent where the unit of privacy is a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    budget: String,
    /// All that the budget holds.
    total_epsilon: Epsilon,
    total_delta: Delta,
    /// How often a fresh budget could pay for the job.
    runs: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistic {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_by: Option<String>,
    /// 1 where rows are not grouped.
    groups: usize,
    /// Figures of each group: bins, probabilities, or 1.
    figures: usize,
    epsilon: Epsilon,
    half_width: HalfWidth,
}

pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let summaries = faults::parse(&args.file)?.and_then(|manifest| summarize(&manifest, args.job.as_deref()));
    match summaries {
        Ok(jobs) if args.json => {
            output::json(&serde_json::json!({ "ok": true, "file": args.file, "jobs": jobs }))
        }
        Ok(jobs) => output::say(&text(&args.file.display().to_string(), &jobs)),
        Err(found) if args.json => faults::print_json(&args.file, &found),
        Err(found) => Err(faults::failure(&args.file, &found)),
    }
}

/// The jobs of a manifest, or the one that is named.
fn summarize(manifest: &Manifest, job: Option<&str>) -> Result<Vec<Summary>, Vec<Fault>> {
    // The name of a run changes nothing that is shown here.
    let plan = |job: &str| planner::plan(manifest, Some(job), &"0".repeat(32));
    if let Some(job) = job {
        return Ok(vec![summary(manifest, &plan(job)?)]);
    }
    let found = validate::validate(manifest);
    if !found.is_empty() {
        return Err(found);
    }
    manifest.jobs.iter().map(|job| Ok(summary(manifest, &plan(&job.key())?))).collect()
}

fn summary(manifest: &Manifest, plan: &Plan) -> Summary {
    let mut expected = Expected::new(plan);
    Summary {
        job: plan.job.clone(),
        epsilon: plan.epsilon,
        delta: plan.delta,
        parties: (0..plan.parties.len()).map(|index| party(manifest, plan, index)).collect(),
        recipients: plan.recipients.iter().map(|index| plan.parties[*index as usize].name.clone()).collect(),
        statistics: plan.statistics.iter().map(|of| statistic(plan, of, expected.half_width(of))).collect(),
    }
}

fn party(manifest: &Manifest, plan: &Plan, index: usize) -> Party {
    let PlanParty { name, dataset, budget, max_rows, person, .. } = &plan.parties[index];
    let source = planner::source(manifest, plan, index).map(|dataset| dataset.source.path.clone());
    let spec = manifest.budgets.iter().find(|one| one.key() == *budget).map(|one| &one.spec);
    let total_epsilon = spec.and_then(|spec| Epsilon::from_f64(spec.epsilon)).unwrap_or_default();
    let total_delta = spec.and_then(|spec| Delta::from_f64(spec.delta)).unwrap_or_default();
    let times = |total: u64, charge: u64| total.checked_div(charge).unwrap_or(u64::MAX);
    Party {
        name: name.clone(),
        dataset: dataset.clone(),
        source: source.unwrap_or_default(),
        max_rows: *max_rows,
        person: person.as_ref().map(|person| person.column.clone()),
        budget: budget.clone(),
        total_epsilon,
        total_delta,
        runs: times(total_epsilon.units(), plan.epsilon.units())
            .min(times(total_delta.units(), plan.delta.units())),
    }
}

fn statistic(plan: &Plan, statistic: &PlanStatistic, half_width: HalfWidth) -> Statistic {
    let name = |column: u32| plan.columns[column as usize].name.clone();
    let (kind, column, figures) = match &statistic.question {
        Question::Count => ("count", None, 1),
        Question::Sum { column } => ("sum", Some(*column), 1),
        Question::Mean { column } => ("mean", Some(*column), 1),
        Question::Variance { column } => ("variance", Some(*column), 1),
        Question::Histogram { column, edges } => ("histogram", Some(*column), edges.len() - 1),
        Question::Quantiles { column, probabilities, .. } => {
            ("quantiles", Some(*column), probabilities.len())
        }
    };
    let groups = statistic.group_by.map_or(1, |column| match &plan.columns[column as usize].kind {
        ColumnKind::Category { values } => values.len(),
        ColumnKind::Number { .. } => 1,
    });
    Statistic {
        name: statistic.name.clone(),
        kind,
        column: column.map(name),
        filter: statistic.filter.as_ref().map(|filter| decode::describe(plan, filter)),
        group_by: statistic.group_by.map(name),
        groups,
        figures,
        epsilon: statistic.epsilon,
        half_width,
    }
}

fn text(file: &str, jobs: &[Summary]) -> String {
    let mut text = format!("{file} has no faults\n");
    if jobs.is_empty() {
        text += "it holds no PrivateJob, so there is nothing to run in it alone\n";
    }
    for job in jobs {
        text += &format!("\njob {}\n\n", job.job);
        text += &parties(job);
        let recipients = job.recipients.join(", ");
        text += &format!(
            "\neach run charges epsilon {} and delta {} to each budget; the answers go to {recipients}\n\n",
            job.epsilon, job.delta
        );
        text += &statistics(job);
        text += &legend(job);
    }
    text
}

fn parties(job: &Summary) -> String {
    let rows: Vec<Vec<String>> = job
        .parties
        .iter()
        .map(|party| {
            vec![
                party.name.clone(),
                party.dataset.clone(),
                party.source.clone(),
                whole(party.max_rows),
                party.person.as_ref().map_or("a row".to_owned(), |column| format!("a {column}")),
                party.budget.clone(),
                format!("{} of {}", job.epsilon, party.total_epsilon),
                whole(party.runs),
            ]
        })
        .collect();
    let heads = ["party", "dataset", "rows in", "at most<", "unit", "budget", "epsilon<", "runs in all<"];
    output::columns(&heads, &rows)
}

fn statistics(job: &Summary) -> String {
    let rows: Vec<Vec<String>> = job
        .statistics
        .iter()
        .map(|of| {
            let mut asks = of.kind.to_owned();
            for (word, part) in [("of", &of.column), ("where", &of.filter), ("by", &of.group_by)] {
                if let Some(part) = part {
                    asks += &format!(" {word} {part}");
                }
            }
            vec![
                of.name.clone(),
                asks,
                of.groups.to_string(),
                of.figures.to_string(),
                of.epsilon.to_string(),
                written(&of.half_width),
            ]
        })
        .collect();
    let heads = ["statistic", "asks", "groups<", "figures<", "epsilon<", "95 % within"];
    output::columns(&heads, &rows)
}

/// `± 12 rows`, `± 380 / rows`.
fn written(half_width: &HalfWidth) -> String {
    let HalfWidth { value, unit, per_row } = *half_width;
    let whole = matches!(unit, Unit::Rows | Unit::Rank);
    let figure = Digits::of(value, [-value, value], whole).nearest(value);
    let unit = match unit {
        Unit::Rows => " rows",
        Unit::Rank => " ranks",
        Unit::Column | Unit::ColumnSquared => "",
    };
    format!("± {figure}{unit}{}", if per_row { " / rows" } else { "" })
}

/// What the last column means, as far as it is used.
fn legend(job: &Summary) -> String {
    let any = |wanted: fn(&HalfWidth) -> bool| job.statistics.iter().any(|of| wanted(&of.half_width));
    let mut text =
        "\nThe last column is what the noise does to each figure, in the column's own units".to_owned();
    if any(|of| of.unit == Unit::ColumnSquared) {
        text += " (a variance: squared)";
    }
    text += ".\n";
    if any(|of| of.per_row) {
        text += "/ rows: divide by the number of rows in the group; for values spread evenly between their bounds.\n";
    }
    if any(|of| of.unit == Unit::Rank) {
        text += "ranks: so many rows the quantile may be off, and then between two edges.\n";
    }
    text
}

/// A whole number with a comma after each three digits.
fn whole(number: u64) -> String {
    let exact = number as f64;
    Digits::of(exact, [exact, exact], true).nearest(exact)
}
