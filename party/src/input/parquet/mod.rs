//! Rows from a Parquet file, page by page: no more than one page of each wanted column is in memory.

mod column;

use super::{
    BATCH, InputError, InputFault, Place, Position, RowReader, Rows, Wanted, WantedKind, person::Persons,
};
use ::parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, FileReader, SerializedFileReader},
};
use column::{Column, Kind, ReadFault, Scratch};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A Parquet file, read in batches.
pub struct ParquetRows<R: ChunkReader + 'static> {
    reader: SerializedFileReader<R>,
    file: String,
    wanted: Wanted,
    columns: Vec<Column>,
    /// The column of identifiers.
    person: Option<(Column, Persons)>,
    scratch: Scratch,
    /// The next row group.
    group: usize,
    /// Rows of the open row group that were not read.
    left: usize,
    done: u64,
    total: u64,
    over: bool,
}

impl<R: ChunkReader + 'static> ParquetRows<R> {
    /// Reads the footer, and checks columns, types and the number of rows.
    pub fn new(source: R, file: String, wanted: Wanted) -> Result<Self, InputError> {
        let corrupt = |reason| InputFault::Corrupt(reason).of(&file);
        let reader =
            guarded(|| SerializedFileReader::new(source)).map_err(|error| corrupt(error.to_string()))?;
        let metadata = reader.metadata();
        let mut total = 0;
        for group in metadata.row_groups() {
            total += u64::try_from(group.num_rows())
                .map_err(|_| corrupt("a row group of fewer than no rows".to_owned()))?;
        }
        if total > wanted.max_rows {
            return Err(InputFault::TooManyRows { limit: wanted.max_rows }.of(&file));
        }
        let schema = metadata.file_metadata().schema_descr();
        // The root of a leaf's path is the column's name as a person knows it.
        let names: Vec<_> = schema.columns().iter().map(|leaf| leaf.path().parts()[0].clone()).collect();
        let nested = |name: &str| schema.columns().iter().any(|leaf| column::is_nested(leaf, name));
        let asked = wanted.columns.iter().map(|column| &column.name);
        if let Some(name) = asked.chain(wanted.person.iter().map(|p| &p.column)).find(|name| nested(name)) {
            return Err(InputFault::Nested.of_column(&file, name));
        }
        let (places, person) = wanted.find(&file, &names)?;
        let column = |place: usize, name: &str, kind| {
            Column::new(place, &schema.column(place), kind).map_err(|fault| fault.of_column(&file, name))
        };
        let columns = places
            .iter()
            .zip(&wanted.columns)
            .map(|(place, wanted)| {
                let kind = match wanted.kind {
                    WantedKind::Number => Kind::Number,
                    WantedKind::Category(_) => Kind::Category,
                };
                column(*place, &wanted.name, kind)
            })
            .collect::<Result<_, _>>()?;
        let person = match (person, &wanted.person) {
            (Some(place), Some(person)) => Some((
                column(place, &person.column, Kind::Identifier)?,
                Persons::new(person.max_rows).map_err(|fault| fault.of(&file))?,
            )),
            _ => None,
        };
        let scratch = Scratch::default();
        Ok(Self {
            reader,
            file,
            wanted,
            columns,
            person,
            scratch,
            group: 0,
            left: 0,
            done: 0,
            total,
            over: false,
        })
    }

    /// Opens row groups until one has rows; `false` at the end.
    fn advance(&mut self) -> Result<bool, InputError> {
        while self.left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let place = Place { row_group: Some(self.group), ..Place::default() };
            let columns = &mut self.columns;
            let person = self.person.as_mut().map(|(column, _)| column);
            let reader = &self.reader;
            self.left = guarded(|| {
                let group = reader.get_row_group(self.group)?;
                for column in columns.iter_mut().chain(person) {
                    column.enter(&*group)?;
                }
                // The sum over row groups was found to be no more than `maxRows`.
                Ok(group.metadata().num_rows() as usize)
            })
            .map_err(|error| InputFault::Corrupt(error.to_string()).at(&self.file, place))?;
            self.group += 1;
        }
        Ok(true)
    }

    /// Reads a batch of the open row group; marks the rows that a person's limit keeps.
    fn read(&mut self, rows: &mut Rows, marks: &mut Vec<bool>) -> Result<(), InputError> {
        let count = self.left.min(BATCH);
        let place = |fault: &ReadFault, name: &str| Place {
            row_group: Some(self.group - 1),
            row: fault.row.map(|row| self.done + row as u64 + 1),
            column: Some(name.to_owned()),
            ..Place::default()
        };
        for (i, values) in rows.columns.iter_mut().enumerate() {
            let wanted = &self.wanted.columns[i];
            let scratch = &mut self.scratch;
            let column = &mut self.columns[i];
            guarded(|| Ok(column.read(count, &wanted.kind, scratch, values)))
                .unwrap_or_else(|error| Err(error.into()))
                .map_err(|error| {
                    let place = place(&error, &wanted.name);
                    error.fault.at(&self.file, place)
                })?;
        }
        if let Some((column, persons)) = &mut self.person {
            let name = self.wanted.person.as_ref().map_or("", |person| &person.column);
            let scratch = &mut self.scratch;
            guarded(|| {
                Ok(column.identify(count, scratch, |identifier| marks.push(persons.admit(identifier))))
            })
            .unwrap_or_else(|error| Err(error.into()))
            .map_err(|error| {
                let place = place(&error, name);
                error.fault.at(&self.file, place)
            })?;
        }
        self.left -= count;
        self.done += count as u64;
        rows.len = count;
        Ok(())
    }
}

impl<R: ChunkReader + 'static> RowReader for ParquetRows<R> {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError> {
        rows.reset(&self.wanted);
        if self.over {
            return Ok(false);
        }
        let mut marks = Vec::new();
        let more = self.advance().and_then(|more| {
            if more {
                self.read(rows, &mut marks)?;
            }
            Ok(more)
        });
        match more {
            Ok(true) if self.person.is_some() => rows.keep(&marks),
            Ok(true) => {}
            Ok(false) => self.over = true,
            Err(_) => {
                self.over = true;
                rows.reset(&self.wanted);
            }
        }
        more
    }

    fn position(&self) -> Position {
        Position { done: self.done, total: self.total }
    }
}

/// Turns a panic of the decoder into an error.
///
/// The `parquet` crate takes the types of pages, levels and encodings of a damaged file at their word in several
/// places, and panics where they contradict each other. After an error the reader is not used again, so that no
/// broken state is seen.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ParquetError::General("its pages contradict each other".to_owned())))
}
