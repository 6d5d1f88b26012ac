//! Rows from files and object stores, streamed in batches.
//!
//! A reader hands out the plan's columns only, in the plan's order, with every value checked: numbers are finite,
//! words are declared, nothing is missing. Rows beyond a person's limit are dropped here, in file order, so that no
//! later step can forget to. Memory holds one batch (and a few bytes for each person), however long the file is.

pub mod csv;
pub mod error;
pub mod parquet;
mod person;
#[cfg(feature = "object-store")]
mod store;
mod words;

pub use error::{InputError, InputFault, Place};

#[cfg(feature = "object-store")]
pub use store::open as open_store;

use std::{fs::File, path::Path};
use veilgrid_api::{
    dataset::{Format, PrivateDatasetSpec},
    plan::{ColumnKind, Plan},
};
use words::Words;

/// The most rows of a batch. Ten columns of a batch fit in a second-level cache with room to spare.
pub const BATCH: usize = 1 << 13;

/// The values of one column in a batch.
#[derive(Clone, PartialEq)]
pub enum Values {
    /// Finite numbers, neither clipped nor rounded.
    Numbers(Vec<f64>),
    /// Indices of declared words.
    Categories(Vec<u32>),
}

/// A batch: `columns[i]` has `len` values of the plan's column `i`.
#[derive(Clone, Default, PartialEq)]
pub struct Rows {
    /// How many rows.
    pub len: usize,
    /// In the order of the plan's columns.
    pub columns: Vec<Values>,
}

/// How far a reader is, in its own unit: bytes of text or rows of Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// So far.
    pub done: u64,
    /// In all.
    pub total: u64,
}

/// Rows of one party, a batch at a time.
pub trait RowReader: Send {
    /// Replaces `rows` by the next batch, whose memory it reuses; `false` at the end, with `rows` empty. A batch may
    /// have no rows before the end. After an error the reader gives nothing more.
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError>;
    /// How far it is.
    fn position(&self) -> Position;
}

/// Opens a party's file. Missing files, wrong columns and wrong types are found here, wrong values as rows are read.
pub fn open(
    spec: &PrivateDatasetSpec,
    base: &Path,
    plan: &Plan,
    party: usize,
) -> Result<Box<dyn RowReader>, InputError> {
    let path = base.join(&spec.source.path);
    let name = path.display().to_string();
    let format =
        spec.source.format.or_else(|| match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "parquet" => Some(Format::Parquet),
            _ => None,
        });
    let format = format.ok_or_else(|| InputFault::UnknownFormat.of(&name))?;
    let file = File::open(&path).map_err(|error| InputFault::io(&error).of(&name))?;
    let about = file.metadata().map_err(|error| InputFault::io(&error).of(&name))?;
    if about.is_dir() {
        return Err(InputFault::Unreadable(std::io::ErrorKind::IsADirectory).of(&name));
    }
    if about.is_file() && about.len() == 0 {
        return Err(InputFault::Empty.of(&name));
    }
    let wanted = Wanted::new(plan, party);
    Ok(match format {
        Format::Csv => {
            let delimiter = delimiter(spec).ok_or_else(|| InputFault::BadDelimiter.of(&name))?;
            Box::new(csv::CsvRows::new(file, about.len(), name, delimiter, wanted)?)
        }
        Format::Parquet => Box::new(parquet::ParquetRows::new(file, name, wanted)?),
    })
}

/// Opens a party's object, where this program reads object stores.
#[cfg(not(feature = "object-store"))]
pub fn open_store(
    spec: &PrivateDatasetSpec,
    _: &crate::config::StoreConfig,
    _: &Plan,
    _: usize,
) -> Result<Box<dyn RowReader>, InputError> {
    Err(InputFault::NoStores.of(&spec.source.path))
}

fn delimiter(spec: &PrivateDatasetSpec) -> Option<u8> {
    match spec.source.delimiter.as_deref().unwrap_or(",").as_bytes() {
        [b'"' | b'\n' | b'\r'] => None,
        [byte] if byte.is_ascii() => Some(*byte),
        _ => None,
    }
}

/// What a party's reader must find in its file.
pub struct Wanted {
    columns: Vec<WantedColumn>,
    person: Option<WantedPerson>,
    max_rows: u64,
}

struct WantedColumn {
    name: String,
    kind: WantedKind,
}

enum WantedKind {
    Number,
    Category(Words),
}

struct WantedPerson {
    column: String,
    max_rows: u32,
}

impl Wanted {
    /// The columns, limits and persons of a party of the plan.
    ///
    /// # Panics
    /// Where the plan has no such party.
    pub fn new(plan: &Plan, party: usize) -> Self {
        let party = &plan.parties[party];
        let columns = plan
            .columns
            .iter()
            .map(|column| WantedColumn {
                name: column.name.clone(),
                kind: match &column.kind {
                    ColumnKind::Number { .. } => WantedKind::Number,
                    ColumnKind::Category { values } => WantedKind::Category(Words::new(values)),
                },
            })
            .collect();
        let person = party
            .person
            .as_ref()
            .map(|person| WantedPerson { column: person.column.clone(), max_rows: person.max_rows });
        Self { columns, person, max_rows: party.max_rows }
    }

    /// The places of the wanted columns, and of the person's, among the names of a file.
    fn find(&self, file: &str, found: &[String]) -> Result<(Vec<usize>, Option<usize>), InputError> {
        let place = |name: &str| {
            let mut places = (0..found.len()).filter(|i| found[*i] == name);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(InputFault::DuplicateColumn.of_column(file, name)),
                (None, _) => Err(InputFault::MissingColumn { found: found.to_vec() }.of_column(file, name)),
            }
        };
        let columns = self.columns.iter().map(|column| place(&column.name)).collect::<Result<_, _>>()?;
        let person = self.person.as_ref().map(|person| place(&person.column)).transpose()?;
        Ok((columns, person))
    }
}

impl Rows {
    /// Empties the batch and gives it the columns that are wanted; keeps memory where the kinds are the same.
    fn reset(&mut self, wanted: &Wanted) {
        self.len = 0;
        self.columns.resize_with(wanted.columns.len(), || Values::Numbers(Vec::new()));
        for (values, column) in self.columns.iter_mut().zip(&wanted.columns) {
            match (values, &column.kind) {
                (Values::Numbers(numbers), WantedKind::Number) => numbers.clear(),
                (Values::Categories(indices), WantedKind::Category(_)) => indices.clear(),
                (values, WantedKind::Number) => *values = Values::Numbers(Vec::with_capacity(BATCH)),
                (values, WantedKind::Category(_)) => *values = Values::Categories(Vec::with_capacity(BATCH)),
            }
        }
    }

    /// Keeps the rows whose mark is set.
    fn keep(&mut self, marks: &[bool]) {
        fn retain<T>(values: &mut Vec<T>, marks: &[bool]) {
            let mut marks = marks.iter();
            values.retain(|_| marks.next().is_some_and(|mark| *mark));
        }
        for values in &mut self.columns {
            match values {
                Values::Numbers(numbers) => retain(numbers, marks),
                Values::Categories(indices) => retain(indices, marks),
            }
        }
        self.len = marks.iter().filter(|mark| **mark).count();
    }
}

/// Why a float cannot be taken.
fn refuse(value: f64) -> InputFault {
    if value.is_nan() { InputFault::Nan } else { InputFault::Infinite }
}
