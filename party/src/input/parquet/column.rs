//! One column of a Parquet file: which stored types can be what is declared, and how they are read.

use super::super::{InputFault, Values, WantedKind, refuse};
use parquet::{
    basic::{ConvertedType, LogicalType, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::reader::RowGroupReader,
    schema::types::ColumnDescriptor,
};

/// What a column is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Category,
    Identifier,
}

/// One column.
pub(super) struct Column {
    /// The leaf's place in the schema.
    place: usize,
    /// Whole numbers are stored without a sign.
    unsigned: bool,
    reader: Option<ColumnReader>,
    /// The chunk of the next row group. It replaces the last one when it is first read, so that a page of the one is
    /// freed just before a page of the other is allocated: freed all at once, pages go back to the operating system.
    next: Option<ColumnReader>,
}

/// Buffers that all columns share.
#[derive(Default)]
pub(super) struct Scratch {
    levels: Vec<i16>,
    floats: Vec<f32>,
    narrow: Vec<i32>,
    wide: Vec<i64>,
    texts: Vec<ByteArray>,
}

/// What stopped a batch, and in which of its rows.
pub(super) struct ReadFault {
    pub(super) fault: InputFault,
    pub(super) row: Option<usize>,
}

impl From<ParquetError> for ReadFault {
    fn from(error: ParquetError) -> Self {
        Self { fault: InputFault::Corrupt(error.to_string()), row: None }
    }
}

/// Whether a leaf belongs to a column of the name and is not all of it.
pub(super) fn is_nested(leaf: &ColumnDescriptor, name: &str) -> bool {
    let parts = leaf.path().parts();
    parts[0] == name && (parts.len() > 1 || leaf.max_rep_level() > 0)
}

impl Column {
    /// Checks that the stored type fits.
    pub(super) fn new(place: usize, stored: &ColumnDescriptor, kind: Kind) -> Result<Self, InputFault> {
        let logical = stored.logical_type_ref();
        let converted = stored.converted_type();
        let plain_number = matches!(logical, None | Some(LogicalType::Integer(_)))
            && matches!(
                converted,
                ConvertedType::NONE
                    | ConvertedType::INT_8
                    | ConvertedType::INT_16
                    | ConvertedType::INT_32
                    | ConvertedType::INT_64
                    | ConvertedType::UINT_8
                    | ConvertedType::UINT_16
                    | ConvertedType::UINT_32
                    | ConvertedType::UINT_64
            );
        let plain_text = matches!(logical, None | Some(LogicalType::String | LogicalType::Enum))
            && matches!(converted, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM);
        let whole = matches!(stored.physical_type(), Type::INT32 | Type::INT64) && plain_number;
        let float = matches!(stored.physical_type(), Type::FLOAT | Type::DOUBLE) && plain_number;
        let text = stored.physical_type() == Type::BYTE_ARRAY && plain_text;
        let (fits, expected) = match kind {
            Kind::Number => (whole || float, "DOUBLE, FLOAT, INT32 or INT64"),
            Kind::Category => (text, "text (BYTE_ARRAY, UTF8)"),
            Kind::Identifier => (text || whole, "text (BYTE_ARRAY, UTF8), INT32 or INT64"),
        };
        if !fits {
            return Err(InputFault::WrongType { found: describe(stored), expected });
        }
        let unsigned = matches!(logical, Some(LogicalType::Integer(integer)) if !integer.is_signed)
            || matches!(converted, ConvertedType::UINT_32 | ConvertedType::UINT_64);
        Ok(Self { place, unsigned, reader: None, next: None })
    }

    /// Goes to the column's chunk in a row group.
    pub(super) fn enter(&mut self, group: &dyn RowGroupReader) -> Result<(), ParquetError> {
        self.next = Some(group.get_column_reader(self.place)?);
        Ok(())
    }

    /// Reads the next `count` values into an empty column of a batch.
    pub(super) fn read(
        &mut self,
        count: usize,
        kind: &WantedKind,
        scratch: &mut Scratch,
        values: &mut Values,
    ) -> Result<(), ReadFault> {
        match (values, kind) {
            (Values::Numbers(numbers), WantedKind::Number) => self.read_numbers(count, scratch, numbers),
            (Values::Categories(indices), WantedKind::Category(words)) => {
                self.read_texts(count, scratch)?;
                for (row, text) in scratch.texts.drain(..).enumerate() {
                    let index = words.find(text.data()).ok_or_else(|| ReadFault {
                        fault: match std::str::from_utf8(text.data()) {
                            Ok(_) => InputFault::UndeclaredCategory,
                            Err(_) => InputFault::NotUtf8,
                        },
                        row: Some(row),
                    })?;
                    indices.push(index);
                }
                Ok(())
            }
            _ => unreachable!("the batch was reset to the wanted kinds"),
        }
    }

    /// Hands out the next `count` identifiers.
    pub(super) fn identify(
        &mut self,
        count: usize,
        scratch: &mut Scratch,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ReadFault> {
        match self.reader() {
            Some(ColumnReader::Int32ColumnReader(reader)) => {
                records(reader, count, &mut scratch.levels, &mut scratch.narrow)?;
                scratch.narrow.iter().for_each(|id| each(&id.to_le_bytes()));
            }
            Some(ColumnReader::Int64ColumnReader(reader)) => {
                records(reader, count, &mut scratch.levels, &mut scratch.wide)?;
                scratch.wide.iter().for_each(|id| each(&id.to_le_bytes()));
            }
            _ => {
                self.read_texts(count, scratch)?;
                for (row, text) in scratch.texts.drain(..).enumerate() {
                    let identifier = text.data().trim_ascii();
                    if identifier.is_empty() {
                        return Err(ReadFault { fault: InputFault::MissingValue, row: Some(row) });
                    }
                    each(identifier);
                }
            }
        }
        Ok(())
    }

    /// The chunk of the open row group.
    fn reader(&mut self) -> Option<&mut ColumnReader> {
        if let Some(next) = self.next.take() {
            self.reader = None;
            self.reader = Some(next);
        }
        self.reader.as_mut()
    }

    fn read_texts(&mut self, count: usize, scratch: &mut Scratch) -> Result<(), ReadFault> {
        match self.reader() {
            Some(ColumnReader::ByteArrayColumnReader(reader)) => {
                records(reader, count, &mut scratch.levels, &mut scratch.texts)
            }
            _ => Err(changed()),
        }
    }

    fn read_numbers(
        &mut self,
        count: usize,
        scratch: &mut Scratch,
        numbers: &mut Vec<f64>,
    ) -> Result<(), ReadFault> {
        let levels = &mut scratch.levels;
        match self.reader() {
            Some(ColumnReader::DoubleColumnReader(reader)) => {
                records(reader, count, levels, numbers)?;
                return finite(numbers);
            }
            Some(ColumnReader::FloatColumnReader(reader)) => {
                records(reader, count, levels, &mut scratch.floats)?;
                numbers.extend(scratch.floats.iter().map(|value| f64::from(*value)));
                return finite(numbers);
            }
            Some(ColumnReader::Int32ColumnReader(reader)) => {
                records(reader, count, levels, &mut scratch.narrow)?;
                if self.unsigned {
                    numbers.extend(scratch.narrow.iter().map(|value| f64::from(value.cast_unsigned())));
                } else {
                    numbers.extend(scratch.narrow.iter().map(|value| f64::from(*value)));
                }
            }
            // Beyond 2^53 these round to the nearest float, which is beyond any bound of a column and so clipped.
            Some(ColumnReader::Int64ColumnReader(reader)) => {
                records(reader, count, levels, &mut scratch.wide)?;
                if self.unsigned {
                    numbers.extend(scratch.wide.iter().map(|value| value.cast_unsigned() as f64));
                } else {
                    numbers.extend(scratch.wide.iter().map(|value| *value as f64));
                }
            }
            _ => return Err(changed()),
        }
        Ok(())
    }
}

/// Reads `count` values of a chunk, none of which may be missing.
fn records<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<(), ReadFault> {
    levels.clear();
    values.clear();
    let (rows, present, _) = reader.read_records(count, Some(levels), None, values)?;
    if rows != count {
        let fault =
            InputFault::Corrupt("a column chunk has fewer values than its row group has rows".to_owned());
        return Err(ReadFault { fault, row: None });
    }
    if present != count {
        return Err(ReadFault {
            fault: InputFault::MissingValue,
            row: levels.iter().position(|level| *level == 0),
        });
    }
    Ok(())
}

/// Refuses NaN and infinity.
fn finite(numbers: &[f64]) -> Result<(), ReadFault> {
    // Without an early end, so that it is one pass of vector compares.
    if numbers.iter().fold(true, |finite, value| finite & value.is_finite()) {
        return Ok(());
    }
    let row = numbers.iter().position(|value| !value.is_finite());
    Err(ReadFault { fault: refuse(row.map_or(f64::NAN, |row| numbers[row])), row })
}

/// The chunk's type is not the schema's.
fn changed() -> ReadFault {
    let fault = InputFault::Corrupt("a column chunk has another type than its schema".to_owned());
    ReadFault { fault, row: None }
}

/// The stored type in Parquet's own words.
fn describe(stored: &ColumnDescriptor) -> String {
    let physical = stored.physical_type();
    match (stored.converted_type(), stored.logical_type_ref()) {
        (ConvertedType::NONE, None) => physical.to_string(),
        (ConvertedType::NONE, Some(logical)) => {
            let logical = format!("{logical:?}");
            let name = logical.split(['(', ' ', '{']).next().unwrap_or_default();
            format!("{physical} ({name})")
        }
        (converted, _) => format!("{physical} ({converted})"),
    }
}
