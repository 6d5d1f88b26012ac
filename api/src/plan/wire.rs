//! A plan from another process: read within limits, and held against the rules that a planner keeps.

use super::{ColumnKind, PLAN_VERSION, Plan, PlanColumn, PlanFilter, PlanStatistic, Question};
use crate::{
    amount::Epsilon,
    limits,
    planner::{self, Sized},
    sensitivity::{self, Crowd},
    statistics::Operator,
    validate::names::is_label,
};
use serde::Deserialize;

/// Bytes that are not a plan that this version computes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Refused before it is read.
    #[error("the plan has {0} bytes, more than {max}; ask for fewer edges or statistics", max = limits::PLAN_BYTES)]
    TooLarge(usize),
    /// Not the JSON of a plan.
    #[error("not a plan (byte {byte}); run the same version of veilgrid at each party")]
    Form {
        /// Where reading stopped.
        byte: usize,
    },
    /// Another version's.
    #[error(
        "the plan has version {0}, this program computes {PLAN_VERSION}; run the same version of veilgrid at each party"
    )]
    Version(u32),
    /// A field that no planner of this version writes.
    #[error(
        "the plan's {path} {problem}; run the same version of veilgrid at each party, with the same manifest"
    )]
    Field {
        /// The field: `statistics[2].components`.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads the version and nothing else.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Plan {
    /// A plan from bytes that anyone may have sent.
    ///
    /// # Errors
    /// More than 8 MiB, not the JSON of a plan, another version, or a field that breaks a rule of [`Plan::check`].
    pub fn from_json_bounded(bytes: &[u8]) -> Result<Self, PlanError> {
        if bytes.len() > limits::PLAN_BYTES {
            return Err(PlanError::TooLarge(bytes.len()));
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(|error| {
            match serde_json::from_slice::<Version>(bytes) {
                Ok(Version { version }) if version != PLAN_VERSION => PlanError::Version(version),
                _ => PlanError::Form { byte: offset(bytes, &error) },
            }
        })?;
        plan.check()?;
        Ok(plan)
    }

    /// Holds the plan against the rules that a planner keeps: indices that stand for something, bounds, and components
    /// that are exactly those of the questions, so that their noise and their place in the vector are right.
    ///
    /// # Errors
    /// The first field that breaks a rule.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.version != PLAN_VERSION {
            return Err(PlanError::Version(self.version));
        }
        require(planner::is_run(&self.run), "run", "is not 32 lower-case hexadecimal digits")?;
        require(is_key(&self.job), "job", "is not namespace/name")?;
        require(self.epsilon > Epsilon::ZERO, "epsilon", "is 0")?;
        self.check_parties()?;
        check_columns(&self.columns)?;
        self.check_statistics()
    }

    fn check_parties(&self) -> Result<(), PlanError> {
        let count = self.parties.len();
        require((2..=limits::PARTIES).contains(&count), "parties", "are fewer than 2 or more than 64")?;
        for (index, party) in self.parties.iter().enumerate() {
            let field = |name: &str| format!("parties[{index}].{name}");
            let others = &self.parties[..index];
            let label = party.name.len() <= 63 && is_label(&party.name);
            require(label, field("name"), "is not a name")?;
            require(others.iter().all(|other| other.name != party.name), field("name"), "is there twice")?;
            require(is_key(&party.dataset), field("dataset"), "is not namespace/name")?;
            require(
                others.iter().all(|other| other.dataset != party.dataset),
                field("dataset"),
                "is there twice",
            )?;
            require(is_key(&party.budget), field("budget"), "is not namespace/name")?;
            require((1..=limits::ROWS).contains(&party.max_rows), field("maxRows"), "is out of range")?;
            if let Some(key) = &party.public_key {
                let hex = key.len() == 64 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                require(hex, field("publicKey"), "is not 64 lower-case hexadecimal digits")?;
            }
            if let Some(person) = &party.person {
                let rows = (1..=limits::PERSON_ROWS).contains(&person.max_rows);
                require(rows, field("person.maxRows"), "is out of range")?;
                require(
                    is_text(&person.column, limits::COLUMN_NAME),
                    field("person.column"),
                    "is not a column's name",
                )?;
            }
        }
        let rising = self.recipients.windows(2).all(|pair| pair[0] < pair[1]);
        let known = self.recipients.last().is_some_and(|last| (*last as usize) < count);
        require(rising && known, "recipients", "are not parties in order")
    }

    fn check_statistics(&self) -> Result<(), PlanError> {
        let count = self.statistics.len();
        require((1..=limits::STATISTICS).contains(&count), "statistics", "are none or more than 1000")?;
        let crowd = Crowd::of(&self.parties);
        let mut names = std::collections::BTreeSet::new();
        let (mut cells, mut epsilon) = (0, Epsilon::ZERO);
        for (index, statistic) in self.statistics.iter().enumerate() {
            let field = |name: &str| format!("statistics[{index}].{name}");
            require(is_text(&statistic.name, limits::STATISTIC_NAME), field("name"), "is not a name")?;
            require(names.insert(&statistic.name), field("name"), "is there twice")?;
            check_question(&statistic.question, &self.columns, &field("question"))?;
            if let Some(filter) = &statistic.filter {
                require(is_filter(filter, &self.columns), field("filter"), "does not fit its column")?;
            }
            if let Some(group) = statistic.group_by {
                let category = matches!(kind(&self.columns, group), Some(ColumnKind::Category { .. }));
                require(category, field("groupBy"), "is not a category column")?;
            }
            let components = self.expected(statistic, &crowd, &mut cells);
            let same = components.is_some_and(|components| {
                components == statistic.components && planner::spent(&components) == statistic.epsilon
            });
            require(same, field("components"), "are not those of its question")?;
            require(cells <= limits::CELLS, "cells", "are more than 2^24")?;
            epsilon = Epsilon::from_units(epsilon.units().saturating_add(statistic.epsilon.units()));
        }
        require(self.cells == cells, "cells", "are not the sum of the components'")?;
        require(epsilon <= self.epsilon, "epsilon", "is less than the sum of the statistics'")?;
        let components = self.statistics.iter().flat_map(|s| &s.components).map(|c| (c.cells, c.epsilon));
        let needed = sensitivity::noise_delta(components);
        require(
            needed.is_some_and(|needed| needed <= self.delta),
            "delta",
            "does not cover the noise's stated error",
        )
    }

    /// The components that a planner gives the statistic: its epsilon is a multiple of theirs, so it gives them again.
    fn expected(
        &self,
        statistic: &PlanStatistic,
        crowd: &Crowd,
        cells: &mut u64,
    ) -> Option<Vec<super::Component>> {
        let sized = Sized { columns: &self.columns, crowd, group_by: statistic.group_by };
        planner::components(&statistic.question, &sized, statistic.epsilon, cells).ok()
    }
}

fn require(holds: bool, path: impl Into<String>, problem: &'static str) -> Result<(), PlanError> {
    if holds { Ok(()) } else { Err(PlanError::Field { path: path.into(), problem }) }
}

/// The byte at which reading stopped, from 0.
fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}

fn is_key(key: &str) -> bool {
    let label = |name: &str| name.len() <= 63 && is_label(name);
    key.split_once('/').is_some_and(|(namespace, name)| label(namespace) && label(name))
}

fn is_text(text: &str, characters: usize) -> bool {
    (1..=characters).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn kind(columns: &[PlanColumn], column: u32) -> Option<&ColumnKind> {
    columns.get(column as usize).map(|column| &column.kind)
}

fn check_columns(columns: &[PlanColumn]) -> Result<(), PlanError> {
    let sorted = columns.windows(2).all(|pair| pair[0].name < pair[1].name);
    require(sorted && columns.len() <= limits::COLUMNS, "columns", "are not in the order of their names")?;
    for (index, column) in columns.iter().enumerate() {
        let path = || format!("columns[{index}]");
        require(is_text(&column.name, limits::COLUMN_NAME), path(), "has no name")?;
        let fits = match &column.kind {
            ColumnKind::Number { fraction_bits, min, max } => {
                *fraction_bits <= limits::FRACTION_BITS
                    && min < max
                    && (-limits::UNITS..=limits::UNITS).contains(min)
                    && (-limits::UNITS..=limits::UNITS).contains(max)
            }
            ColumnKind::Category { values } => {
                let mut seen = std::collections::BTreeSet::new();
                (1..=limits::CATEGORIES).contains(&values.len())
                    && values.iter().all(|value| is_text(value, limits::WORD) && seen.insert(value))
            }
        };
        require(fits, path(), "is out of range")?;
    }
    Ok(())
}

fn check_question(question: &Question, columns: &[PlanColumn], path: &str) -> Result<(), PlanError> {
    let column = match question {
        Question::Count => return Ok(()),
        Question::Sum { column }
        | Question::Mean { column }
        | Question::Variance { column }
        | Question::Histogram { column, .. }
        | Question::Quantiles { column, .. } => *column,
    };
    let Some(ColumnKind::Number { min, max, .. }) = kind(columns, column) else {
        return require(false, path, "is not of a number column");
    };
    if let Question::Histogram { edges, .. } | Question::Quantiles { edges, .. } = question {
        let inside = edges.iter().all(|edge| (min..=max).contains(&edge));
        let fits = inside && (2..=limits::EDGES).contains(&edges.len());
        require(fits && edges.windows(2).all(|pair| pair[0] < pair[1]), path, "has edges that do not rise")?;
    }
    if let Question::Quantiles { probabilities, .. } = question {
        let inside = probabilities.iter().all(|p| (1..1_000_000).contains(p));
        let fits = inside && (1..=limits::PROBABILITIES).contains(&probabilities.len());
        require(
            fits && probabilities.windows(2).all(|p| p[0] < p[1]),
            path,
            "has probabilities that do not rise",
        )?;
    }
    Ok(())
}

fn is_filter(filter: &PlanFilter, columns: &[PlanColumn]) -> bool {
    match kind(columns, filter.column) {
        Some(ColumnKind::Number { min, max, .. }) => (*min..=*max).contains(&filter.value),
        Some(ColumnKind::Category { values }) => {
            let word = usize::try_from(filter.value).is_ok_and(|value| value < values.len());
            word && matches!(filter.operator, Operator::Eq | Operator::Ne)
        }
        None => false,
    }
}
