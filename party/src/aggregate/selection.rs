//! Which rows a statistic counts, and in which group.

use super::{Encoded, EncodedColumn};
use veilgrid_api::{
    plan::{ColumnKind, Plan, PlanFilter, PlanStatistic},
    statistics::Operator,
};

/// Which group a row is in; rows that do not count are in one more group, which nobody reads.
pub(super) struct Selection {
    filter: Option<PlanFilter>,
    group_by: Option<u32>,
    groups: usize,
    /// The group of each row of the batch.
    found: Vec<u32>,
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.group_by == other.group_by
    }
}

impl Selection {
    /// # Panics
    /// Where rows are grouped by a column that is not a category.
    pub(super) fn new(plan: &Plan, statistic: &PlanStatistic) -> Self {
        let groups = statistic.group_by.map_or(1, |column| match &plan.columns[column as usize].kind {
            ColumnKind::Category { values } => values.len(),
            ColumnKind::Number { .. } => panic!("column {column} of the plan is not a category"),
        });
        let PlanStatistic { filter, group_by, .. } = statistic;
        Self { filter: filter.clone(), group_by: *group_by, groups, found: Vec::new() }
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// The group of each row; nothing where all rows are in the one group.
    pub(super) fn find(&mut self, batch: &Encoded) -> Option<&[u32]> {
        let category = |column: u32| match &batch.columns[column as usize] {
            EncodedColumn::Category(indices) => indices.as_slice(),
            EncodedColumn::Number { .. } => panic!("column {column} of the plan is not a category"),
        };
        match (self.group_by, &self.filter) {
            (None, None) => return None,
            (Some(column), _) => {
                self.found.clear();
                self.found.extend_from_slice(category(column));
            }
            (None, Some(_)) => {
                self.found.clear();
                self.found.resize(batch.len, 0);
            }
        }
        if let Some(PlanFilter { column, operator, value }) = &self.filter {
            let nobody = self.groups as u32;
            match &batch.columns[*column as usize] {
                EncodedColumn::Number { units, .. } => {
                    drop_rows(&mut self.found, nobody, units, *operator, *value);
                }
                EncodedColumn::Category(indices) => {
                    // An index is below 2^32, so a value outside of that equals none.
                    let value = u32::try_from(*value).unwrap_or(u32::MAX);
                    drop_rows(&mut self.found, nobody, indices, *operator, value);
                }
            }
        }
        Some(&self.found)
    }
}

/// Moves the rows whose value does not compare to the last group. Without branches on values.
fn drop_rows<T: Copy + Ord>(groups: &mut [u32], nobody: u32, values: &[T], operator: Operator, value: T) {
    fn each<T: Copy>(groups: &mut [u32], nobody: u32, values: &[T], keep: impl Fn(T) -> bool) {
        for (group, value) in groups.iter_mut().zip(values) {
            *group = if keep(*value) { *group } else { nobody };
        }
    }
    match operator {
        Operator::Eq => each(groups, nobody, values, |x| x == value),
        Operator::Ne => each(groups, nobody, values, |x| x != value),
        Operator::Lt => each(groups, nobody, values, |x| x < value),
        Operator::Le => each(groups, nobody, values, |x| x <= value),
        Operator::Gt => each(groups, nobody, values, |x| x > value),
        Operator::Ge => each(groups, nobody, values, |x| x >= value),
    }
}
