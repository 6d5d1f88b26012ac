//! Manifests, files and readers for tests of rows.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::path::Path;
use veilgrid_api::{dataset::PrivateDatasetSpec, manifest, plan::Plan, planner};
use veilgrid_party::input::{self, InputError, RowReader, Rows, Values};

/// A dataset's YAML: two parties read the same file.
#[derive(Clone)]
pub struct Job {
    /// `source`, in YAML.
    pub source: String,
    /// Items of `columns`.
    pub columns: Vec<String>,
    /// Items of `statistics`.
    pub statistics: Vec<String>,
    /// More fields of the dataset.
    pub more: String,
    pub epsilon: String,
}

impl Job {
    pub fn new(source: &str, columns: &[&str], statistics: &[&str]) -> Self {
        let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Self {
            source: source.to_owned(),
            columns: own(columns),
            statistics: own(statistics),
            more: "maxRows: 100000".to_owned(),
            epsilon: "4".to_owned(),
        }
    }

    /// The plan, and the dataset of the first party.
    pub fn plan(&self) -> (Plan, PrivateDatasetSpec) {
        let head = |kind: &str, name: &str| {
            format!(
                "---\napiVersion: veilgrid.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
            )
        };
        let items =
            |items: &[String]| items.iter().map(|item| format!("      - {item}\n")).collect::<String>();
        let mut text = format!(
            "{}  parties: [{{name: one, dataset: {{name: one}}}}, {{name: two, dataset: {{name: two}}}}]\n  \
             privacy: {{epsilon: {}}}\n  computation:\n    statistics:\n{}",
            head("PrivateJob", "job"),
            self.epsilon,
            items(&self.statistics)
        );
        for name in ["one", "two"] {
            text += &format!(
                "{}  source: {}\n  budget: {name}\n  {}\n  columns:\n{}{}  epsilon: 10000\n",
                head("PrivateDataset", name),
                self.source,
                self.more.replace('\n', "\n  "),
                items(&self.columns),
                head("PrivacyBudget", name)
            );
        }
        let manifest = manifest::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        let plan = planner::plan(&manifest, None, &"0".repeat(32))
            .unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        let spec = planner::source(&manifest, &plan, 0).expect("the first party's dataset").clone();
        (plan, spec)
    }

    pub fn open(&self, base: &Path) -> Result<Box<dyn RowReader>, InputError> {
        let (plan, spec) = self.plan();
        input::open(&spec, base, &plan, 0)
    }

    /// All rows, in one batch.
    pub fn read(&self, base: &Path) -> Result<Rows, InputError> {
        let mut reader = self.open(base)?;
        let result = drain(&mut *reader);
        assert!(!matches!(reader.next(&mut Rows::default()), Ok(true)), "a reader that ended gives more");
        if result.is_ok() {
            let position = reader.position();
            assert_eq!(position.done, position.total);
        }
        result
    }

    /// The error of reading, in words.
    pub fn error(&self, base: &Path) -> String {
        match self.read(base) {
            Ok(rows) => panic!("{} rows were read", rows.len),
            Err(error) => error.to_string(),
        }
    }
}

/// All rows that are left, in one batch.
pub fn drain(reader: &mut dyn RowReader) -> Result<Rows, InputError> {
    let mut all: Option<Rows> = None;
    let mut batch = Rows::default();
    while reader.next(&mut batch)? {
        assert!(batch.len <= input::BATCH);
        match &mut all {
            None => all = Some(batch.clone()),
            Some(all) => {
                all.len += batch.len;
                for (all, more) in all.columns.iter_mut().zip(&batch.columns) {
                    match (all, more) {
                        (Values::Numbers(all), Values::Numbers(more)) => all.extend(more),
                        (Values::Categories(all), Values::Categories(more)) => all.extend(more),
                        _ => panic!("a column changed its kind"),
                    }
                }
            }
        }
    }
    assert_eq!(batch.len, 0, "the last batch is empty");
    Ok(all.unwrap_or(batch))
}

pub fn numbers(rows: &Rows, column: usize) -> &[f64] {
    match &rows.columns[column] {
        Values::Numbers(numbers) => numbers,
        Values::Categories(_) => panic!("column {column} holds words"),
    }
}

pub fn words(rows: &Rows, column: usize) -> &[u32] {
    match &rows.columns[column] {
        Values::Categories(words) => words,
        Values::Numbers(_) => panic!("column {column} holds numbers"),
    }
}
