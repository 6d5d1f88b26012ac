//! Rows from a CSV file: UTF-8 with or without a byte order mark, a header line, any line ends, quoted fields.

use super::{
    BATCH, InputError, InputFault, Place, Position, RowReader, Rows, Values, Wanted, WantedKind,
    person::Persons, refuse,
};
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use std::io::Read;

/// The longest record, in bytes. A quote that is never closed makes the rest of a file one field; this keeps memory
/// flat then too.
pub const MAX_RECORD: u64 = 16 << 20;

/// Delimiters that a header may betray.
const USUAL: [char; 4] = [',', ';', '\t', '|'];

/// A CSV file, read in batches.
pub struct CsvRows<R> {
    reader: Reader<Allowance<R>>,
    record: ByteRecord,
    file: String,
    bytes: u64,
    wanted: Wanted,
    /// Where the wanted columns stand in a record.
    places: Vec<usize>,
    /// Where the person's identifier stands.
    person: Option<(usize, Persons)>,
    rows: u64,
    over: bool,
}

impl<R: Read + Send> CsvRows<R> {
    /// Reads the header of a file of `bytes` bytes.
    pub fn new(
        inner: R,
        bytes: u64,
        file: String,
        delimiter: u8,
        wanted: Wanted,
    ) -> Result<Self, InputError> {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .buffer_capacity(1 << 16)
            .from_reader(Allowance { inner, left: MAX_RECORD, given: 0, last: 0, returns: None });
        let header = reader.byte_headers().map_err(|error| fault(error, &file, None))?.clone();
        if header.is_empty() {
            return Err(InputFault::Empty.of(&file));
        }
        let place = |column| Place { line: Some(1), column, ..Place::default() };
        let names = header
            .iter()
            .map(|name| std::str::from_utf8(name.trim_ascii()).map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| InputFault::NotUtf8.at(&file, place(None)))?;
        let (places, person) = wanted.find(&file, &names).map_err(|error| match &names[..] {
            [name] => match USUAL
                .into_iter()
                .find(|usual| u32::from(delimiter) != u32::from(*usual) && name.contains(*usual))
            {
                Some(found) => InputFault::WrongDelimiter { found }.at(&file, place(None)),
                None => error,
            },
            _ => error,
        })?;
        let person = match (person, &wanted.person) {
            (Some(place), Some(person)) => {
                Some((place, Persons::new(person.max_rows).map_err(|fault| fault.of(&file))?))
            }
            _ => None,
        };
        Ok(Self {
            reader,
            record: ByteRecord::new(),
            file,
            bytes,
            wanted,
            places,
            person,
            rows: 0,
            over: false,
        })
    }

    /// Reads a batch; marks the rows that a person's limit keeps.
    fn read(&mut self, rows: &mut Rows, marks: &mut Vec<bool>) -> Result<(), InputError> {
        while rows.len < BATCH {
            self.reader.get_mut().left = MAX_RECORD;
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| fault(error, &self.file, Some(self.line())))? {
                self.over = true;
                return Ok(());
            }
            self.rows += 1;
            if self.rows > self.wanted.max_rows {
                return Err(InputFault::TooManyRows { limit: self.wanted.max_rows }.of(&self.file));
            }
            for (i, values) in rows.columns.iter_mut().enumerate() {
                let column = &self.wanted.columns[i];
                let field = &self.record[self.places[i]];
                let pushed = match (values, &column.kind) {
                    (Values::Numbers(numbers), WantedKind::Number) => {
                        number(field).map(|number| numbers.push(number))
                    }
                    (Values::Categories(indices), WantedKind::Category(words)) => words
                        .find(field)
                        .or_else(|| words.find(field.trim_ascii()))
                        .map(|index| indices.push(index))
                        .ok_or_else(|| no_word(field)),
                    _ => unreachable!("the batch was reset to the wanted kinds"),
                };
                pushed.map_err(|fault| fault.at(&self.file, self.place(&column.name)))?;
            }
            if let Some((place, persons)) = &mut self.person {
                let field = self.record[*place].trim_ascii();
                if field.is_empty() {
                    let name = self.wanted.person.as_ref().map_or("", |person| &person.column);
                    return Err(InputFault::MissingValue.at(&self.file, self.place(name)));
                }
                marks.push(persons.admit(field));
            }
            rows.len += 1;
        }
        Ok(())
    }

    /// The line on which the record begins that was read last.
    fn line(&self) -> u64 {
        line(&self.reader, &self.record)
    }

    /// The place of a column in the record that was read last.
    fn place(&self, column: &str) -> Place {
        Place { line: Some(self.line()), column: Some(column.to_owned()), ..Place::default() }
    }
}

impl<R: Read + Send> RowReader for CsvRows<R> {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError> {
        rows.reset(&self.wanted);
        if self.over {
            return Ok(false);
        }
        let mut marks = Vec::new();
        if let Err(error) = self.read(rows, &mut marks) {
            self.over = true;
            rows.reset(&self.wanted);
            return Err(error);
        }
        if self.person.is_some() {
            rows.keep(&marks);
        }
        Ok(rows.len > 0 || !self.over)
    }

    fn position(&self) -> Position {
        let read = self.reader.position().byte();
        // A pipe has no length to compare with, and a file may grow.
        Position { done: if self.over { self.bytes } else { read.min(self.bytes) }, total: self.bytes }
    }
}

/// Reads a decimal. Spaces round it do not matter.
fn number(field: &[u8]) -> Result<f64, InputFault> {
    let field = field.trim_ascii();
    if field.is_empty() {
        return Err(InputFault::MissingValue);
    }
    let text = std::str::from_utf8(field).map_err(|_| InputFault::NotUtf8)?;
    // The standard parser rounds correctly and takes `nan` and `inf`, which are told apart here.
    let value: f64 = text.parse().map_err(|_| InputFault::NotANumber)?;
    if value.is_finite() { Ok(value) } else { Err(refuse(value)) }
}

/// Why no word was found.
fn no_word(field: &[u8]) -> InputFault {
    match std::str::from_utf8(field) {
        Ok(text) if text.trim_ascii().is_empty() => InputFault::MissingValue,
        Ok(_) => InputFault::UndeclaredCategory,
        Err(_) => InputFault::NotUtf8,
    }
}

/// The line on which the record begins that was read last.
///
/// The reader's own position of a record is where it looked for one: before blank lines, and before the line feed
/// that a carriage return leaves over. So this counts back from the end.
fn line<R: Read>(reader: &Reader<Allowance<R>>, record: &ByteRecord) -> u64 {
    let source = reader.get_ref();
    let unfinished = reader.position().byte() == source.given && source.last != b'\n';
    let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let end = u64::from(!unfinished && source.returns != Some(true));
    reader.position().line().saturating_sub(within + end).max(1)
}

/// An error of the CSV reader, without anything of the record that it holds.
fn fault(error: csv::Error, file: &str, line: Option<u64>) -> InputError {
    let place = Place { line, ..Place::default() };
    match error.into_kind() {
        ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Spent>()) => {
            InputFault::Endless { limit: MAX_RECORD }.of(file)
        }
        ErrorKind::Io(error) => InputFault::io(&error).of(file),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            InputFault::Ragged { expected: expected_len, found: len }.at(file, place)
        }
        _ => InputFault::NotUtf8.at(file, place),
    }
}

/// Gives so many bytes and then an error, until it is allowed more.
struct Allowance<R> {
    inner: R,
    left: u64,
    /// Bytes so far, and the last of them.
    given: u64,
    last: u8,
    /// Whether the first line ends in a carriage return and a line feed; unknown before its end.
    returns: Option<bool>,
}

/// The allowance is spent.
#[derive(Debug, thiserror::Error)]
#[error("a record is too long")]
struct Spent;

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::Error::other(Spent));
        }
        let count = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if self.returns.is_none()
            && let Some(end) = buffer[..count].iter().position(|byte| *byte == b'\n')
        {
            let before = end.checked_sub(1).map_or(self.last, |before| buffer[before]);
            self.returns = Some(before == b'\r');
        }
        self.given += count as u64;
        self.last = count.checked_sub(1).map_or(self.last, |last| buffer[last]);
        Ok(count)
    }
}
