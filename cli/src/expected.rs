//! How exact the answers of a plan will be: its noise, before a row is read.

use serde::Serialize;
use std::collections::BTreeMap;
use veilgrid_api::plan::{ColumnKind, Component, Measure, Plan, PlanStatistic, Question};
use veilgrid_party::{decode::CONFIDENCE, noise::Law};

/// The half width of the interval that an answer will come with.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HalfWidth {
    /// The figure, in `unit`; to be divided by the number of rows in the group where `per_row` says so.
    pub(crate) value: f64,
    pub(crate) unit: Unit,
    /// A mean is the more exact the more rows there are.
    pub(crate) per_row: bool,
}

/// What a half width is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Unit {
    /// Rows, in each group and bin.
    Rows,
    /// Rows, in the rank of a quantile.
    Rank,
    /// What the column is measured in.
    Column,
    /// The square of that.
    ColumnSquared,
}

/// The laws of the noise of a plan that were needed so far.
pub(crate) struct Expected<'a> {
    plan: &'a Plan,
    laws: BTreeMap<(u64, u64, u64), Law>,
}

impl<'a> Expected<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self { plan, laws: BTreeMap::new() }
    }

    /// The half width for each figure of a statistic. That of a mean or a variance is for values spread evenly between
    /// their bounds and for so many rows that their own noise is small beside them.
    pub(crate) fn half_width(&mut self, statistic: &PlanStatistic) -> HalfWidth {
        // The parts of an answer share its error evenly, as in `veilgrid_party::decode`.
        let parts = statistic.components.len() as f64;
        let confidence = 1.0 - (1.0 - CONFIDENCE) / parts;
        let of = |this: &mut Self, index: usize| this.noise(&statistic.components[index], 1, confidence);
        let rows = |value, unit| HalfWidth { value, unit, per_row: false };
        match statistic.question {
            Question::Count | Question::Histogram { .. } => rows(of(self, 0), Unit::Rows),
            Question::Sum { column } => {
                let value = of(self, 0) * self.unit(column);
                HalfWidth { value, unit: Unit::Column, per_row: false }
            }
            Question::Mean { column } => {
                let value = of(self, 0) * self.unit(column);
                HalfWidth { value, unit: Unit::Column, per_row: true }
            }
            Question::Variance { column } => {
                let squares = of(self, 1) * self.square(&statistic.components[1]);
                // A third of the square of half the bounds' distance is the variance of an even spread.
                let spread = self.half_distance(column).powi(2) / 3.0;
                let value = squares + spread * of(self, 2);
                HalfWidth {
                    value: value * self.unit(column).powi(2),
                    unit: Unit::ColumnSquared,
                    per_row: true,
                }
            }
            Question::Quantiles { ref edges, .. } => {
                let confidence = 1.0 - (1.0 - CONFIDENCE) / 4.0;
                let bins = edges.len() as u64 - 1;
                rows(self.noise(&statistic.components[0], bins, confidence), Unit::Rank)
            }
        }
    }

    /// The half width of the noise in a sum of `cells` cells of a component, in its units.
    fn noise(&mut self, component: &Component, cells: u64, confidence: f64) -> f64 {
        let terms = self.plan.parties.len() as u64 * cells;
        let scale = component.scale;
        let key = (scale.numerator, scale.denominator, terms);
        self.laws.entry(key).or_insert_with(|| Law::new(scale, terms)).half_width(confidence)
    }

    /// One unit of a number column.
    fn unit(&self, column: u32) -> f64 {
        match self.plan.columns[column as usize].kind {
            ColumnKind::Number { fraction_bits, .. } => 1.0 / (1u64 << fraction_bits) as f64,
            ColumnKind::Category { .. } => 1.0,
        }
    }

    /// Half of the distance between a column's bounds, in units.
    fn half_distance(&self, column: u32) -> f64 {
        match self.plan.columns[column as usize].kind {
            ColumnKind::Number { min, max, .. } => max.abs_diff(min) as f64 / 2.0,
            ColumnKind::Category { .. } => 0.0,
        }
    }

    /// What one step of a sum of squares stands for, in squares of units.
    fn square(&self, component: &Component) -> f64 {
        match component.measure {
            Measure::CenteredSquares { shift, .. } => (1u128 << shift) as f64,
            _ => 1.0,
        }
    }
}
