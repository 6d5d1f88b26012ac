//! The planner's integers, held against brute force: no privacy unit moves a component by more than its sensitivity,
//! no rows and no noise leave the ring, and no more epsilon is spent than was asked for.

use proptest::{prelude::*, strategy::ValueTree};
use veilgrid_api::{
    amount::Epsilon,
    manifest::parse,
    plan::{ColumnKind, Component, Measure, Plan},
    planner,
};

/// A row: the value of `x` in units, and the index of the word of `g`.
type Row = (i64, usize);

#[derive(Clone, Debug)]
struct Setting {
    min: i64,
    max: i64,
    fraction_bits: u32,
    persons: [Option<u32>; 2],
    max_rows: [u64; 2],
    epsilon_units: u64,
    weights: [u32; 4],
    grouped: bool,
}

fn settings() -> impl Strategy<Value = Setting> {
    let bounds = (-(1i64 << 22)..1 << 22, 1i64..1 << 22).prop_map(|(min, width)| (min, min + width));
    let person = prop::option::of(1u32..5);
    let rows = 1u64..1_000_000_000;
    (
        bounds,
        0u32..12,
        [person.clone(), person],
        [rows.clone(), rows],
        1_000u64..20_000_000_000,
        prop::array::uniform4(1u32..20),
        any::<bool>(),
    )
        .prop_map(|((min, max), fraction_bits, persons, max_rows, epsilon_units, weights, grouped)| {
            Setting { min, max, fraction_bits, persons, max_rows, epsilon_units, weights, grouped }
        })
}

/// The plan of a setting; `None` where it is refused.
fn plan(setting: &Setting) -> Option<Plan> {
    let unit = f64::from(setting.fraction_bits).exp2();
    let number = |units: i64| units as f64 / unit;
    let middle = setting.min + (setting.max - setting.min) / 2;
    let mut edges = vec![setting.min, middle, setting.max];
    edges.dedup();
    let edges: Vec<String> = edges.into_iter().map(|edge| number(edge).to_string()).collect();
    let group = if setting.grouped { "        groupBy: g\n" } else { "" };
    let [w0, w1, w2, w3] = setting.weights;
    let mut text = format!(
        "apiVersion: veilgrid.dev/v1alpha1\nkind: PrivateJob\nmetadata: {{name: j}}\nspec:\n  parties:\n    - {{name: a, \
         dataset: {{name: a}}}}\n    - {{name: b, dataset: {{name: b}}}}\n  privacy: {{epsilon: {}, delta: 0.01}}\n  \
         computation:\n    statistics:\n      - name: count\n        weight: {w0}\n        count: {{}}\n{group}      \
         - name: sum\n        weight: {w1}\n        sum: {{column: x}}\n{group}      - name: variance\n        weight: {w2}\n        \
         variance: {{column: x}}\n{group}      - name: histogram\n        weight: {w3}\n        histogram: {{column: x, edges: [{}]}}\n{group}",
        Epsilon::from_units(setting.epsilon_units),
        edges.join(", "),
    );
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        let person = match setting.persons[index] {
            Some(rows) => format!("  person: {{column: id, maxRows: {rows}}}\n"),
            None => String::new(),
        };
        text += &format!(
            "---\napiVersion: veilgrid.dev/v1alpha1\nkind: PrivacyBudget\nmetadata: {{name: {name}}}\nspec: {{epsilon: 100, \
             delta: 0.1}}\n---\napiVersion: veilgrid.dev/v1alpha1\nkind: PrivateDataset\nmetadata: {{name: {name}}}\nspec:\n  \
             source: {{path: {name}.csv}}\n  budget: {name}\n  maxRows: {}\n{person}  columns:\n    - {{name: id, identifier: \
             {{}}}}\n    - {{name: g, category: {{values: [u, v]}}}}\n    - {{name: x, number: {{min: {}, max: {}, \
             fractionBits: {}}}}}\n",
            setting.max_rows[index],
            number(setting.min),
            number(setting.max),
            setting.fraction_bits,
        );
    }
    let manifest = parse(&text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    planner::plan(&manifest, None, "00000000000000000000000000000000").ok()
}

/// What a row adds, and to which cell: the meaning of each measure, as the plan's documentation states it.
fn add(component: &Component, grouped: bool, row: Row) -> (usize, i128) {
    let group = if grouped { row.1 } else { 0 };
    let x = i128::from(row.0);
    match &component.measure {
        Measure::Rows => (group, 1),
        Measure::Sum { .. } => (group, x),
        Measure::CenteredSum { center, .. } => (group, x - i128::from(*center)),
        Measure::CenteredSquares { center, shift, .. } => (group, (x - i128::from(*center)).pow(2) >> shift),
        Measure::Bins { edges, .. } => {
            let bins = edges.len() - 1;
            let bin = edges.iter().filter(|edge| **edge <= row.0).count().clamp(1, bins) - 1;
            (group * bins + bin, 1)
        }
    }
}

fn sums(component: &Component, grouped: bool, rows: &[Row]) -> Vec<i128> {
    let mut cells = vec![0; component.cells as usize];
    for row in rows {
        let (cell, value) = add(component, grouped, *row);
        cells[cell] += value;
    }
    cells
}

fn unit_rows(setting: &Setting) -> usize {
    setting.persons.iter().map(|person| person.unwrap_or(1)).max().unwrap() as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_unit_moves_no_component_by_more_than_its_sensitivity(
        setting in settings(),
        others in prop::collection::vec((any::<prop::sample::Index>(), 0usize..2), 0..6),
        unit in prop::collection::vec((any::<prop::sample::Index>(), 0usize..2), 1..5),
    ) {
        let Some(plan) = plan(&setting) else { return Ok(()) };
        let width = (setting.max - setting.min + 1) as usize;
        let row = |(place, group): &(prop::sample::Index, usize)| (setting.min + place.index(width) as i64, *group);
        let mut rows: Vec<Row> = others.iter().map(row).collect();
        let without = rows.clone();
        rows.extend(unit.iter().take(unit_rows(&setting)).map(row));
        for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
            let with = sums(component, setting.grouped, &rows);
            let without = sums(component, setting.grouped, &without);
            let moved: u128 = with.iter().zip(&without).map(|(a, b)| a.abs_diff(*b)).sum();
            prop_assert!(moved <= u128::from(component.sensitivity), "{component:?}");
        }
    }

    #[test]
    fn sensitivities_are_reached(setting in settings()) {
        let Some(plan) = plan(&setting) else { return Ok(()) };
        for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
            let moved = [setting.min, setting.max].map(|x| {
                let rows = vec![(x, 0); unit_rows(&setting)];
                sums(component, setting.grouped, &rows).into_iter().map(i128::unsigned_abs).sum::<u128>()
            });
            prop_assert_eq!(moved.into_iter().max().unwrap(), u128::from(component.sensitivity));
        }
    }

    #[test]
    fn no_rows_and_no_noise_leave_the_ring(setting in settings()) {
        let Some(plan) = plan(&setting) else { return Ok(()) };
        let rows: u128 = setting.max_rows.iter().map(|rows| u128::from(*rows)).sum();
        for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
            let most = [setting.min, setting.max]
                .map(|x| add(component, setting.grouped, (x, 0)).1.unsigned_abs())
                .into_iter()
                .max()
                .unwrap();
            let scale = component.scale;
            // A sample has fewer than 2 * 64 ln 2 scales; 89 is more.
            let noise = 2 * (89 * u128::from(scale.numerator)).div_ceil(u128::from(scale.denominator));
            prop_assert!(rows * most + noise < 1 << 63, "{component:?}");
        }
    }

    #[test]
    fn noise_is_never_less_and_epsilon_never_more_than_stated(setting in settings()) {
        let Some(plan) = plan(&setting) else { return Ok(()) };
        let mut total = 0u64;
        let mut cells = 0;
        for statistic in &plan.statistics {
            let parts: u64 = statistic.components.iter().map(|component| component.epsilon.units()).sum();
            prop_assert_eq!(parts, statistic.epsilon.units());
            total += parts;
            for component in &statistic.components {
                prop_assert_eq!(component.offset, cells);
                cells += component.cells;
                let scale = component.scale;
                let exact = u128::from(component.sensitivity) * 1_000_000_000 * u128::from(scale.denominator);
                let used = u128::from(scale.numerator) * u128::from(component.epsilon.units());
                prop_assert!(used >= exact);
                let eighth = u128::from(scale.numerator) * 8 == u128::from(scale.denominator);
                // At most 2^-21 more noise than asked.
                prop_assert!(eighth || used - exact <= exact >> 21, "{component:?}");
                prop_assert!(scale.denominator > 0 && u128::from(scale.numerator) <= u128::from(scale.denominator) << 40);
            }
        }
        prop_assert!(total <= plan.epsilon.units());
        prop_assert_eq!(plan.cells, cells);
        // What a planner writes, another party takes.
        prop_assert_eq!(Plan::from_json_bounded(plan.canonical().as_bytes()), Ok(plan));
    }
}

#[test]
fn most_settings_can_be_planned() {
    // The properties above skip what is refused, so this says that they do not skip everything.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let planned =
        (0..200).filter(|_| plan(&settings().new_tree(&mut runner).unwrap().current()).is_some()).count();
    assert!(planned > 100, "{planned}");
}

#[test]
fn wide_squares_lose_bits_and_not_range() {
    let setting = Setting {
        min: -(1 << 30),
        max: 1 << 30,
        fraction_bits: 10,
        persons: [None, Some(3)],
        max_rows: [1_000_000; 2],
        epsilon_units: 4_000_000_000,
        weights: [1; 4],
        grouped: false,
    };
    let plan = plan(&setting).unwrap();
    let squares = &plan.statistics[2].components[1];
    let Measure::CenteredSquares { center: 0, shift, .. } = squares.measure else { panic!("{squares:?}") };
    // 2^60 >> shift, three rows of it, at an epsilon of a third, within a scale of 2^40.
    assert_eq!((shift, squares.sensitivity), (24, 3 << 36));
    assert!(matches!(plan.columns.last().unwrap().kind, ColumnKind::Number { fraction_bits: 10, .. }));
}
