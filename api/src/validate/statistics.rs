//! The questions of a job: one each, of columns of the right type, with edges, probabilities and filters that fit.

use super::{
    columns::{Columns, Found},
    names::{printable, repeats},
};
use crate::{
    fault::{Fault, quoted},
    job::PrivateJobSpec,
    manifest::Object,
    plan::{ColumnKind, PlanFilter, Question},
    shape::advice,
    statistics::{Asked, Filter, FilterValue, Operator, Statistic, millionths},
    units::{decimal, to_units},
};

type Job = Object<PrivateJobSpec>;

/// A statistic whose fields are all in order.
pub(super) struct Ready {
    pub(super) index: usize,
    pub(super) question: Question,
    pub(super) filter: Option<PlanFilter>,
    pub(super) group_by: Option<u32>,
}

/// The statistics of a job; none where the computation is missing, which the caller tells.
pub(super) fn of(job: &Job) -> &[Statistic] {
    job.spec.computation.statistics.as_deref().unwrap_or_default()
}

/// Each use of a column: the field that names it, and the name.
pub(super) fn uses(job: &Job) -> Vec<(String, String)> {
    let mut uses = Vec::new();
    for (index, statistic) in of(job).iter().enumerate() {
        let path = path(index);
        for (member, asked) in statistic.asked() {
            if let Some(column) = asked.column() {
                uses.push((format!("{path}.{member}.column"), column.to_owned()));
            }
        }
        if let Some(filter) = &statistic.filter {
            uses.push((format!("{path}.where.column"), filter.column.clone()));
        }
        if let Some(column) = &statistic.group_by {
            uses.push((format!("{path}.groupBy"), column.clone()));
        }
    }
    uses
}

/// The field path of a statistic.
pub(super) fn path(index: usize) -> String {
    format!("spec.computation.statistics[{index}]")
}

/// Tells the faults of all statistics, and gives those that have none.
pub(super) fn check(job: &Job, columns: &Columns, faults: &mut Vec<Fault>) -> Vec<Ready> {
    let statistics = of(job);
    for (again, first) in repeats(statistics.iter().map(|statistic| &statistic.name)) {
        let problem = format!("{} is the name of statistics[{first}] too", quoted(&statistics[again].name));
        let remedy = "give each statistic a name of its own";
        faults.push(job.fault(&format!("{}.name", path(again)), problem, remedy));
    }
    let mut ready = Vec::new();
    for (index, statistic) in statistics.iter().enumerate() {
        let checker = Checker { job, columns, path: path(index) };
        printable(job, &format!("{}.name", checker.path), &statistic.name, faults);
        let question = checker.question(statistic, faults);
        let filter = statistic.filter.as_ref().map(|filter| checker.filter(filter, faults));
        let group_by = statistic.group_by.as_ref().map(|column| checker.group_by(column, faults));
        // An outer `None` means absent, an inner one that its fault is told.
        if let (Some(question), Some(filter), Some(group_by)) = (
            question,
            filter.map_or(Some(None), |f| f.map(Some)),
            group_by.map_or(Some(None), |g| g.map(Some)),
        ) {
            ready.push(Ready { index, question, filter, group_by });
        }
    }
    ready
}

struct Checker<'a> {
    job: &'a Job,
    columns: &'a Columns,
    path: String,
}

impl Checker<'_> {
    fn fault(&self, field: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Fault {
        let path = if field.is_empty() { self.path.clone() } else { format!("{}.{field}", self.path) };
        self.job.fault(&path, problem, remedy)
    }

    fn column(&self, name: &str) -> Option<(u32, &ColumnKind)> {
        match self.columns.found.get(name)? {
            Found::Column(index) => Some((*index, &self.columns.columns[*index as usize].kind)),
            Found::Told => None,
        }
    }

    fn question(&self, statistic: &Statistic, faults: &mut Vec<Fault>) -> Option<Question> {
        const MEMBERS: &str = "count, sum, mean, variance, histogram and quantiles";
        let asked = statistic.asked();
        let [(member, asked)] = asked[..] else {
            let name = quoted(&statistic.name);
            let problem = match asked.len() {
                0 => format!("{name} asks nothing"),
                _ => {
                    let set: Vec<&str> = asked.iter().map(|(member, _)| *member).collect();
                    format!("{name} asks more than one question: {}", set.join(" and "))
                }
            };
            faults.push(self.fault("", problem, format!("write exactly one of {MEMBERS}")));
            return None;
        };
        let Some(name) = asked.column() else { return Some(Question::Count) };
        let (column, kind) = self.column(name)?;
        let ColumnKind::Number { fraction_bits, min, max } = *kind else {
            let problem = format!("the column {} is a category", quoted(name));
            let remedy =
                format!("a {member} is of a number column; count categories with `count` and `groupBy`");
            faults.push(self.fault(&format!("{member}.column"), problem, remedy));
            return None;
        };
        let edges = |edges: &[f64], faults: &mut Vec<Fault>| {
            self.edges(&format!("{member}.edges"), edges, (fraction_bits, min, max), faults)
        };
        Some(match asked {
            Asked::Count => Question::Count,
            Asked::Sum(_) => Question::Sum { column },
            Asked::Mean(_) => Question::Mean { column },
            Asked::Variance(_) => Question::Variance { column },
            Asked::Histogram(of) => Question::Histogram { column, edges: edges(&of.edges, faults)? },
            Asked::Quantiles(of) => {
                let edges = edges(&of.edges, faults);
                let probabilities = self.probabilities(&of.probabilities, faults);
                Question::Quantiles { column, edges: edges?, probabilities: probabilities? }
            }
        })
    }

    fn edges(
        &self,
        field: &str,
        edges: &[f64],
        (fraction_bits, min, max): (u32, i64, i64),
        faults: &mut Vec<Fault>,
    ) -> Option<Vec<i64>> {
        let before = faults.len();
        if edges.iter().any(|edge| !edge.is_finite()) || edges.len() < 2 {
            // Told by the limits.
            return None;
        }
        let from_units = |units: i64| units as f64 / f64::from(fraction_bits).exp2();
        let mut units = Vec::with_capacity(edges.len());
        for (index, edge) in edges.iter().enumerate() {
            let at = |i: usize| format!("{field}[{i}]");
            match to_units(*edge, fraction_bits).filter(|unit| (min..=max).contains(unit)) {
                Some(unit) => units.push(unit),
                None => {
                    let problem = format!("{edge} is outside the column's bounds");
                    let remedy = format!("write an edge from {} to {}", from_units(min), from_units(max));
                    faults.push(self.fault(&at(index), problem, remedy));
                }
            }
            let Some(earlier) = index.checked_sub(1).map(|i| edges[i]) else { continue };
            if earlier >= *edge {
                let problem = format!("{edge} does not rise above {earlier}");
                faults.push(self.fault(&at(index), problem, "sort the edges, each once"));
            } else if to_units(earlier, fraction_bits)
                .is_some_and(|unit| to_units(*edge, fraction_bits) == Some(unit))
            {
                let problem = format!("{earlier} and {edge} are the same multiple of 2^-{fraction_bits}");
                let remedy = "space the edges wider, or raise the column's fractionBits";
                faults.push(self.fault(&at(index), problem, remedy));
            }
        }
        (faults.len() == before).then_some(units)
    }

    fn probabilities(&self, probabilities: &[f64], faults: &mut Vec<Fault>) -> Option<Vec<u32>> {
        let before = faults.len();
        let mut result: Vec<u32> = Vec::with_capacity(probabilities.len());
        for (index, probability) in probabilities.iter().enumerate() {
            let field = format!("quantiles.probabilities[{index}]");
            let inside = *probability >= 1e-6 && *probability <= 0.999_999;
            match millionths(*probability) {
                Some(millionths) if result.last().is_some_and(|last| *last >= millionths) => {
                    let problem = format!("{probability} does not rise above the one before");
                    faults.push(self.fault(&field, problem, "sort the probabilities, each once"));
                }
                Some(millionths) => result.push(millionths),
                None if inside => {
                    let problem = format!("{probability} has more than six digits");
                    faults.push(self.fault(&field, problem, "round it to six digits after the point"));
                }
                // Told by the limits.
                None => return None,
            }
        }
        (faults.len() == before && !result.is_empty()).then_some(result)
    }

    fn filter(&self, filter: &Filter, faults: &mut Vec<Fault>) -> Option<PlanFilter> {
        let (column, kind) = self.column(&filter.column)?;
        let value = match kind {
            ColumnKind::Category { values } => {
                if !matches!(filter.operator, Operator::Eq | Operator::Ne) {
                    let problem = format!("{:?} does not compare words", filter.operator);
                    faults.push(self.fault("where.operator", problem, "write Eq or Ne"));
                }
                let word = match &filter.value {
                    FilterValue::Whole(whole) => whole.to_string(),
                    FilterValue::Text(text) => text.clone(),
                };
                let Some(index) = values.iter().position(|value| *value == word) else {
                    let known: Vec<&str> = values.iter().take(32).map(String::as_str).collect();
                    let problem =
                        format!("{} is not a value of the column {}", quoted(&word), quoted(&filter.column));
                    faults.push(self.fault("where.value", problem, advice(&word, &known)));
                    return None;
                };
                matches!(filter.operator, Operator::Eq | Operator::Ne).then_some(index as i64)?
            }
            ColumnKind::Number { fraction_bits, min, max } => {
                let number = match &filter.value {
                    // Beyond 2^53 the float is inexact and far out of bounds as well.
                    FilterValue::Whole(whole) => Some(*whole as f64),
                    FilterValue::Text(text) => decimal(text),
                };
                let Some(number) = number else {
                    let problem = format!("the column {} holds numbers", quoted(&filter.column));
                    faults.push(self.fault(
                        "where.value",
                        problem,
                        "write a number in plain digits, such as \"0.5\"",
                    ));
                    return None;
                };
                let inside = to_units(number, *fraction_bits).filter(|unit| (min..=max).contains(&unit));
                let Some(units) = inside else {
                    let from_units = |units: i64| units as f64 / f64::from(*fraction_bits).exp2();
                    let problem = format!(
                        "{number} is outside the column's bounds, so the filter keeps all rows or none"
                    );
                    let remedy = format!("write a number from {} to {}", from_units(*min), from_units(*max));
                    faults.push(self.fault("where.value", problem, remedy));
                    return None;
                };
                units
            }
        };
        Some(PlanFilter { column, operator: filter.operator, value })
    }

    fn group_by(&self, name: &str, faults: &mut Vec<Fault>) -> Option<u32> {
        let (column, kind) = self.column(name)?;
        if matches!(kind, ColumnKind::Category { .. }) {
            return Some(column);
        }
        let problem = format!("the column {} is a number", quoted(name));
        faults.push(self.fault("groupBy", problem, "group by a category column, or ask for a histogram"));
        None
    }
}
