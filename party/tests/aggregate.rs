//! Sums of all measures against a row-by-row reference.
#![allow(clippy::print_stdout, reason = "says which levels this CPU lacks")]

mod rows;

use proptest::prelude::*;
use rows::Job;
use veilgrid_api::{
    plan::{ColumnKind, Measure, Plan},
    statistics::Operator,
};
use veilgrid_kernels::{Device, Level};
use veilgrid_party::{
    aggregate::aggregate,
    input::{InputError, Position, RowReader, Rows, Values},
};

/// Rows in memory, in batches of any sizes.
struct Memory {
    rows: Vec<(f64, f64, u32, u32)>,
    batch: usize,
    done: usize,
}

impl RowReader for Memory {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError> {
        let end = (self.done + self.batch).min(self.rows.len());
        let part = &self.rows[self.done..end];
        let more = !part.is_empty();
        *rows = Rows {
            len: part.len(),
            // In the order of the names: age, pay, sex, ward.
            columns: vec![
                Values::Numbers(part.iter().map(|row| row.0).collect()),
                Values::Numbers(part.iter().map(|row| row.1).collect()),
                Values::Categories(part.iter().map(|row| row.2).collect()),
                Values::Categories(part.iter().map(|row| row.3).collect()),
            ],
        };
        self.done = end;
        Ok(more)
    }

    fn position(&self) -> Position {
        Position { done: self.done as u64, total: self.rows.len() as u64 }
    }
}

/// Every kind of statistic, with filters of all kinds, groups, and measures that several share. `pay` is so fine that
/// its squares need a shift.
fn plan() -> Plan {
    let statistics = [
        "{name: a, count: {}}",
        "{name: b, count: {}, groupBy: ward}",
        "{name: c, sum: {column: age}, where: {column: sex, operator: Eq, value: m}}",
        "{name: d, sum: {column: pay}, groupBy: sex, where: {column: age, operator: Ge, value: \"40.5\"}}",
        "{name: e, mean: {column: age}}",
        "{name: f, mean: {column: age}, groupBy: sex, where: {column: ward, operator: Ne, value: w2}}",
        "{name: g, variance: {column: age}}",
        "{name: h, variance: {column: age}, groupBy: ward}",
        "{name: i, variance: {column: pay}, where: {column: age, operator: Lt, value: 30}}",
        "{name: j, histogram: {column: age, edges: [0, 10, 50]}, where: {column: age, operator: Le, value: 30}}",
        "{name: k, histogram: {column: age, edges: [0, 10, 20, 30, 35, 40, 50, 60, 70, 80, 90, 100, 110, 120]}, groupBy: ward}",
        "{name: l, quantiles: {column: pay, edges: [0, 1, 1000, 5000]}, groupBy: sex, where: {column: ward, operator: Eq, value: w0}}",
        "{name: m, quantiles: {column: age, edges: [1, 2]}, where: {column: pay, operator: Gt, value: 10}}",
    ];
    let columns = [
        "{name: age, number: {min: 0, max: 120, fractionBits: 2}}",
        "{name: pay, number: {min: -5000, max: 1000000, fractionBits: 18}}",
        "{name: sex, category: {values: [f, m]}}",
        "{name: ward, category: {values: [w0, w1, w2, w3]}}",
    ];
    let mut job = Job::new("{path: rows.csv}", &columns, &statistics);
    job.epsilon = "100".to_owned();
    let (plan, _) = job.plan();
    let shifted = |m: &Measure| matches!(m, Measure::CenteredSquares { shift, .. } if *shift > 0);
    assert!(
        plan.statistics.iter().flat_map(|s| &s.components).any(|c| shifted(&c.measure)),
        "no square is shifted"
    );
    plan
}

/// The sums as the plan's words define them, a row at a time.
fn reference(plan: &Plan, rows: &[(f64, f64, u32, u32)]) -> Vec<u64> {
    let mut cells = vec![0i128; plan.cells as usize];
    for row in rows {
        let units: Vec<i64> = plan
            .columns
            .iter()
            .zip([row.0, row.1, f64::from(row.2), f64::from(row.3)])
            .map(|(column, value)| match column.kind {
                ColumnKind::Number { fraction_bits, min, max } => {
                    let scaled = value * 2f64.powi(fraction_bits as i32);
                    scaled.clamp(min as f64, max as f64).round_ties_even() as i64
                }
                ColumnKind::Category { .. } => value as i64,
            })
            .collect();
        for statistic in &plan.statistics {
            let counts = statistic.filter.as_ref().is_none_or(|filter| {
                let ordering = units[filter.column as usize].cmp(&filter.value);
                match filter.operator {
                    Operator::Eq => ordering.is_eq(),
                    Operator::Ne => ordering.is_ne(),
                    Operator::Lt => ordering.is_lt(),
                    Operator::Le => ordering.is_le(),
                    Operator::Gt => ordering.is_gt(),
                    Operator::Ge => ordering.is_ge(),
                }
            });
            if !counts {
                continue;
            }
            let group = statistic.group_by.map_or(0, |column| units[column as usize] as usize);
            for component in &statistic.components {
                let (bin, bins, adds) = match &component.measure {
                    Measure::Rows => (0, 1, 1),
                    Measure::Sum { column } => (0, 1, i128::from(units[*column as usize])),
                    Measure::CenteredSum { column, center } => {
                        (0, 1, i128::from(units[*column as usize] - center))
                    }
                    Measure::CenteredSquares { column, center, shift } => {
                        let difference = i128::from(units[*column as usize] - center);
                        (0, 1, (difference * difference) >> shift)
                    }
                    Measure::Bins { column, edges } => {
                        let value = units[*column as usize];
                        let bins = edges.len() - 1;
                        let bin = (0..bins).rev().find(|bin| edges[*bin] <= value).unwrap_or(0);
                        (bin, bins, 1)
                    }
                };
                cells[component.offset as usize + group * bins + bin] += adds;
            }
        }
    }
    cells.into_iter().map(|cell| cell as u64).collect()
}

fn sums(plan: &Plan, rows: Vec<(f64, f64, u32, u32)>, batch: usize) -> Vec<u64> {
    let total = rows.len() as u64;
    let mut reader = Memory { rows, batch, done: 0 };
    let mut seen = Vec::new();
    let device = Device::cpu().unwrap();
    let sums = aggregate(plan, &mut reader, &device, &mut |position| seen.push(position.done)).unwrap();
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&total));
    sums
}

fn row() -> impl Strategy<Value = (f64, f64, u32, u32)> {
    let number = || {
        prop_oneof![
            4 => -20.0..150.0,
            2 => (-40i32..280).prop_map(|x| f64::from(x) * 0.5),
            1 => -1e7..1e7,
            1 => any::<f64>().prop_filter("finite", |x| x.is_finite()),
        ]
    };
    (number(), number(), 0u32..2, 0u32..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_the_reference(rows in proptest::collection::vec(row(), 0..300), batch in 1usize..100) {
        let plan = plan();
        prop_assert_eq!(sums(&plan, rows.clone(), batch), reference(&plan, &rows));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, shuffled) in proptest::collection::vec(row(), 0..200)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let plan = plan();
        prop_assert_eq!(sums(&plan, rows, 64), sums(&plan, shuffled, 37));
    }

    /// Parties' sums add up to the sums over all their rows.
    #[test]
    fn sums_add_up(left in proptest::collection::vec(row(), 0..100), right in proptest::collection::vec(row(), 0..100)) {
        let plan = plan();
        let both = sums(&plan, [left.clone(), right.clone()].concat(), 50);
        let parts = sums(&plan, left, 50).into_iter().zip(sums(&plan, right, 50)).map(|(a, b)| a.wrapping_add(b));
        prop_assert_eq!(parts.collect::<Vec<_>>(), both);
    }
}

#[test]
fn no_rows_are_all_zeros() {
    let plan = plan();
    assert_eq!(sums(&plan, Vec::new(), 10), vec![0; plan.cells as usize]);
}

#[test]
fn every_level_gives_the_same_sums() {
    let plan = plan();
    let rows: Vec<_> = (0..5000u32)
        .map(|i| (f64::from(i) * 0.0317 - 9.0, f64::from(i) * 271.3 - 9e3, i % 2, i / 7 % 4))
        .collect();
    let expected = reference(&plan, &rows);
    for level in [Level::Scalar, Level::Avx2, Level::Avx512] {
        let Ok(device) = Device::cpu_at(level) else {
            println!("skipped: this CPU has no {level:?}");
            continue;
        };
        let mut reader = Memory { rows: rows.clone(), batch: 1024, done: 0 };
        assert_eq!(aggregate(&plan, &mut reader, &device, &mut |_| {}).unwrap(), expected, "{level:?}");
    }
}
