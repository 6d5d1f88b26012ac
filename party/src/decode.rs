//! The opened vector, read as answers with intervals of their noise.
//!
//! All of it is post-processing: it costs no privacy. An interval says where the exact figure over the rows (clipped,
//! rounded to units) lies, since only the noise is unknown: it says nothing of what the rows were drawn from. A value
//! that needs one noisy sum has the exact law of its noise; one that needs several takes a wider interval of each, so
//! that all hold together (Bonferroni), and the extremes that these allow.
//!
//! Every recipient must hold the same bytes, so figures are made of `+ - * /` and comparisons of `f64` in a fixed
//! order, and printed as the shortest decimal that reads back the same.

mod answers;
mod count;
mod histogram;
mod mean;
mod quantiles;
mod sum;
mod variance;

pub use answers::{Answer, Answers, Group, Kind, VERSION, Value};

use crate::noise::Law;
use std::collections::BTreeMap;
use veilgrid_api::{
    plan::{ColumnKind, Component, Measure, Plan, PlanFilter, PlanStatistic, Question, Scale},
    statistics::Operator,
};

/// The probability that an interval holds the exact figure.
pub const CONFIDENCE: f64 = 0.95;

/// Reads the opened vector.
///
/// # Panics
/// Where the vector is not of the plan's length, or the plan contradicts itself.
pub fn decode(plan: &Plan, opened: &[u64]) -> Answers {
    assert_eq!(opened.len() as u64, plan.cells, "the opened vector has the plan's length");
    let mut laws = Laws { parties: plan.parties.len() as u64, known: BTreeMap::new() };
    Answers {
        version: answers::VERSION,
        job: plan.job.clone(),
        run: plan.run.clone(),
        plan: plan.hash().to_string(),
        parties: plan.parties.iter().map(|party| party.name.clone()).collect(),
        epsilon: plan.epsilon,
        delta: plan.delta,
        confidence: CONFIDENCE,
        statistics: plan
            .statistics
            .iter()
            .map(|statistic| answer(plan, statistic, opened, &mut laws))
            .collect(),
    }
}

fn answer(plan: &Plan, statistic: &PlanStatistic, opened: &[u64], laws: &mut Laws) -> Answer {
    let groups: Vec<_> = match statistic.group_by.map(|column| &plan.columns[column as usize].kind) {
        Some(ColumnKind::Category { values }) => values.iter().map(|word| Some(word.clone())).collect(),
        Some(ColumnKind::Number { .. }) => panic!("rows are grouped by a category"),
        None => vec![None],
    };
    let (kind, column) = match statistic.question {
        Question::Count => (Kind::Count, None),
        Question::Sum { column } => (Kind::Sum, Some(column)),
        Question::Mean { column } => (Kind::Mean, Some(column)),
        Question::Variance { column } => (Kind::Variance, Some(column)),
        Question::Histogram { column, .. } => (Kind::Histogram, Some(column)),
        Question::Quantiles { column, .. } => (Kind::Quantiles, Some(column)),
    };
    let count = groups.len();
    let groups = groups.into_iter().enumerate().map(|(index, group)| {
        let noisy: Vec<_> = statistic
            .components
            .iter()
            .map(|component| Noisy::new(component, opened, index, count))
            .collect();
        Group { group, values: values(plan, &statistic.question, &noisy, laws) }
    });
    let groups = groups.collect();
    let name = |column: u32| plan.columns[column as usize].name.clone();
    Answer {
        name: statistic.name.clone(),
        kind,
        column: column.map(name),
        filter: statistic.filter.as_ref().map(|filter| describe(plan, filter)),
        group_by: statistic.group_by.map(name),
        epsilon: statistic.epsilon,
        groups,
    }
}

fn values(plan: &Plan, question: &Question, noisy: &[Noisy<'_>], laws: &mut Laws) -> Vec<Value> {
    let domain = |column: u32| Domain::new(&plan.columns[column as usize].kind);
    match (question, noisy) {
        (Question::Count, [rows]) => vec![count::answer(rows, laws)],
        (Question::Sum { column }, [sum]) => vec![sum::answer(domain(*column), sum, laws)],
        (Question::Mean { column }, [sum, rows]) => vec![mean::answer(domain(*column), sum, rows, laws)],
        (Question::Variance { column }, [sum, squares, rows]) => {
            vec![variance::answer(domain(*column), sum, squares, rows, laws)]
        }
        (Question::Histogram { column, edges }, [bins]) => {
            histogram::answer(domain(*column), edges, bins, laws)
        }
        (Question::Quantiles { column, edges, probabilities }, [bins]) => {
            quantiles::answer(domain(*column), edges, probabilities, bins, laws)
        }
        _ => panic!("a question of the plan has its components"),
    }
}

/// The cells of one group in an opened component.
struct Noisy<'a> {
    measure: &'a Measure,
    scale: Scale,
    cells: Vec<f64>,
}

impl<'a> Noisy<'a> {
    fn new(component: &'a Component, opened: &[u64], group: usize, groups: usize) -> Self {
        let bins = component.cells as usize / groups;
        let from = component.offset as usize + group * bins;
        let cells = opened[from..from + bins].iter().map(|cell| cell.cast_signed() as f64).collect();
        Self { measure: &component.measure, scale: component.scale, cells }
    }

    /// The one cell of a measure without bins.
    fn sum(&self) -> f64 {
        self.cells[0]
    }

    /// What a centred measure subtracts from each value.
    fn center(&self) -> f64 {
        match self.measure {
            Measure::CenteredSum { center, .. } | Measure::CenteredSquares { center, .. } => *center as f64,
            _ => 0.0,
        }
    }
}

/// The laws of noise that were needed so far.
struct Laws {
    parties: u64,
    known: BTreeMap<(u64, u64, u64), Law>,
}

impl Laws {
    /// The half width of the noise in a sum of `cells` opened cells of the scale.
    fn half_width(&mut self, scale: Scale, cells: u64, confidence: f64) -> f64 {
        let terms = self.parties * cells;
        let key = (scale.numerator, scale.denominator, terms);
        self.known.entry(key).or_insert_with(|| Law::new(scale, terms)).half_width(confidence)
    }
}

/// Where values of a column lie.
#[derive(Clone, Copy)]
struct Domain {
    /// One unit, a power of two.
    unit: f64,
    /// The bounds, in units.
    min: f64,
    max: f64,
}

impl Domain {
    fn new(kind: &ColumnKind) -> Self {
        match *kind {
            ColumnKind::Number { fraction_bits, min, max } => {
                Self { unit: 1.0 / (1u64 << fraction_bits) as f64, min: min as f64, max: max as f64 }
            }
            ColumnKind::Category { .. } => panic!("a statistic is of a number column"),
        }
    }
}

/// A range of reals.
#[derive(Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    fn around(middle: f64, half_width: f64) -> Self {
        Self { low: middle - half_width, high: middle + half_width }
    }

    /// The range, each end moved into the bounds.
    fn within(self, low: f64, high: f64) -> Self {
        Self { low: self.low.max(low).min(high), high: self.high.max(low).min(high) }
    }

    /// The number of rows in a group that has any.
    fn at_least_one(self) -> Self {
        self.within(1.0, f64::INFINITY)
    }

    fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }
}

/// A filter of the plan as a person writes it: `age >= 18`.
pub fn describe(plan: &Plan, filter: &PlanFilter) -> String {
    let column = &plan.columns[filter.column as usize];
    let operator = match filter.operator {
        Operator::Eq => "=",
        Operator::Ne => "!=",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
    };
    let value = match &column.kind {
        ColumnKind::Number { .. } => shortest(filter.value, Domain::new(&column.kind).unit),
        ColumnKind::Category { values } => values[filter.value as usize].clone(),
    };
    format!("{} {operator} {value}", column.name)
}

/// The shortest decimal that rounds to so many units, each a power of two: what the manifest said, or as good.
fn shortest(units: i64, unit: f64) -> String {
    let exact = units as f64 * unit;
    let rounds_back = |text: &String| {
        text.parse::<f64>().is_ok_and(|value| (value / unit).round_ties_even() == units as f64)
    };
    (0..16).map(|digits| format!("{exact:.digits$}")).find(rounds_back).unwrap_or_else(|| exact.to_string())
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn a_filter_reads_as_it_was_written() {
        for (text, bits) in [("16.8", 10), ("-0.35", 20), ("500", 4), ("0", 0), ("0.3", 30)] {
            let unit = 1.0 / f64::from(1u32 << bits);
            let units = (text.parse::<f64>().unwrap() / unit).round_ties_even() as i64;
            assert_eq!(shortest(units, unit), text);
        }
    }
}
