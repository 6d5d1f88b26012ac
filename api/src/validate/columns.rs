//! The columns that a job's statistics use: declared by every dataset, and by all of them in the same way.

use super::parties::Owner;
use crate::{
    dataset::{Column, PrivateDatasetSpec},
    fault::{Fault, quoted},
    job::PrivateJobSpec,
    manifest::Object,
    plan::{ColumnKind, PlanColumn},
    shape::advice,
    units::to_units,
};
use std::collections::BTreeMap;

/// What is known of a column that statistics use.
pub(super) enum Found {
    /// Its place in the plan, and its declaration.
    Column(u32),
    /// It has been told why it cannot be used.
    Told,
}

/// The columns in use, in the order of their names.
pub(super) struct Columns {
    pub(super) found: BTreeMap<String, Found>,
    pub(super) columns: Vec<PlanColumn>,
}

/// Resolves every column that `uses` names; a use is a field path and a column's name. Each fault is told at the first
/// use.
pub(super) fn resolve(
    job: &Object<PrivateJobSpec>,
    owners: &[Option<Owner<'_>>],
    uses: &[(String, String)],
    faults: &mut Vec<Fault>,
) -> Columns {
    let mut first_use: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, name) in uses {
        first_use.entry(name).or_insert(path);
    }
    let mut columns = Vec::new();
    let mut found = BTreeMap::new();
    let mut told = Vec::new();
    for (name, path) in first_use {
        let result = match one(job, owners, path, name, &mut told) {
            Some(kind) => {
                columns.push(PlanColumn { name: name.to_owned(), kind });
                Found::Column(columns.len() as u32 - 1)
            }
            None => Found::Told,
        };
        found.insert(name.to_owned(), result);
    }
    faults.append(&mut told);
    Columns { found, columns }
}

fn one(
    job: &Object<PrivateJobSpec>,
    owners: &[Option<Owner<'_>>],
    path: &str,
    name: &str,
    faults: &mut Vec<Fault>,
) -> Option<ColumnKind> {
    let datasets: Vec<&Object<PrivateDatasetSpec>> =
        owners.iter().flatten().map(|owner| owner.dataset).collect();
    let declared: Vec<Option<&Column>> = datasets
        .iter()
        .map(|dataset| dataset.spec.columns.iter().find(|column| column.name == name))
        .collect();
    let column = quoted(name);
    if declared.iter().all(Option::is_none) {
        if let Some(dataset) = datasets.first() {
            let names: Vec<&str> = dataset.spec.columns.iter().take(64).map(|c| c.name.as_str()).collect();
            faults.push(job.fault(
                path,
                format!("no dataset declares the column {column}"),
                advice(name, &names),
            ));
        }
        return None;
    }
    // Where one dataset has it wrong, the others are not told that they differ from it.
    let sound = declared.iter().flatten().filter(|column| is_sound(column));
    let alike = |a: &Column| declared.iter().flatten().filter(|b| difference(a, b).is_none()).count();
    let model: &Column = sound.rev().max_by_key(|column| alike(column))?;
    let place =
        declared.iter().position(|column| column.is_some_and(|column| std::ptr::eq(column, model)))?;
    let before = faults.len();
    let mut all_sound = true;
    for (dataset, other) in datasets.iter().zip(&declared) {
        let (here, there) = (dataset.shown(), datasets[place].shown());
        match other {
            None => {
                let problem =
                    format!("PrivateDataset {here} does not declare the column {column}; {there} does");
                faults.push(job.fault(path, problem, "declare it there too, or leave the statistic out"));
            }
            Some(other) if !is_sound(other) => all_sound = false,
            Some(other) => {
                if let Some((theirs, usual)) = difference(other, model) {
                    let problem = format!(
                        "the column {column} differs: {theirs} in PrivateDataset {here}, {usual} in {there}"
                    );
                    faults.push(job.fault(path, problem, "declare it alike in both"));
                }
            }
        }
    }
    if model.identifier.is_some() && before == faults.len() {
        let problem = format!("the column {column} is an identifier");
        faults.push(job.fault(path, problem, "statistics use number and category columns only"));
    }
    kind_of(model).filter(|_| all_sound && before == faults.len())
}

/// Whether a declaration has no fault of its own.
fn is_sound(column: &Column) -> bool {
    let identifier = column.identifier.is_some() && column.number.is_none() && column.category.is_none();
    identifier || kind_of(column).is_some()
}

/// What a valid column's values are; `None` for an identifier and for a column whose own dataset has told its fault.
fn kind_of(column: &Column) -> Option<ColumnKind> {
    match (&column.number, &column.category, &column.identifier) {
        (Some(number), None, None) if number.fraction_bits <= crate::limits::FRACTION_BITS => {
            let min = to_units(number.min, number.fraction_bits)?;
            let max = to_units(number.max, number.fraction_bits)?;
            (min < max).then_some(ColumnKind::Number { fraction_bits: number.fraction_bits, min, max })
        }
        (None, Some(category), None) if !category.values.is_empty() => {
            Some(ColumnKind::Category { values: category.values.clone() })
        }
        _ => None,
    }
}

/// How two declarations differ: what the one says, and what the other.
fn difference(a: &Column, b: &Column) -> Option<(String, String)> {
    let type_of = |column: &Column| match (&column.number, &column.category) {
        (Some(_), _) => "a number",
        (_, Some(_)) => "a category",
        _ => "an identifier",
    };
    if type_of(a) != type_of(b) {
        return Some((type_of(a).into(), type_of(b).into()));
    }
    if let (Some(a), Some(b)) = (&a.number, &b.number) {
        if a.fraction_bits != b.fraction_bits {
            return Some((
                format!("fractionBits {}", a.fraction_bits),
                format!("fractionBits {}", b.fraction_bits),
            ));
        }
        if (a.min, a.max) != (b.min, b.max) {
            return Some((format!("{} to {}", a.min, a.max), format!("{} to {}", b.min, b.max)));
        }
    }
    if let (Some(a), Some(b)) = (&a.category, &b.category) {
        let place = (0..a.values.len().max(b.values.len())).find(|i| a.values.get(*i) != b.values.get(*i))?;
        let word = |values: &[String]| match values.get(place) {
            Some(word) => format!("values[{place}] {}", quoted(word)),
            None => format!("{} values", values.len()),
        };
        return Some((word(&a.values), word(&b.values)));
    }
    None
}
