//! What can be wrong with a file of rows, where, and what to do about it. Never what a row says.

use std::fmt;

/// The place of a fault: as much of it as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line of a text file, from 1.
    pub line: Option<u64>,
    /// The row group of a Parquet file, from 0.
    pub row_group: Option<usize>,
    /// The row of the file, from 1.
    pub row: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(group) = self.row_group {
            write!(f, ", row group {group}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        Ok(())
    }
}

/// A file that cannot be read as its dataset declares.
#[derive(Debug, thiserror::Error)]
#[error("{file}{place}: {fault}")]
pub struct InputError {
    /// The file.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// What is wrong and what to do.
    #[source]
    pub fault: Box<InputFault>,
}

/// What is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InputFault {
    /// There is no such file.
    #[error("there is no such file; check `source.path`, which is relative to the manifest's folder")]
    Missing,
    /// The operating system says no.
    #[error("cannot be read ({0}); check that this is a file and that the party may read it")]
    Unreadable(std::io::ErrorKind),
    /// The object store, in its own words.
    #[error("{0}")]
    Store(String),
    /// To be read from an object store, and the dataset names none.
    #[error(
        "the dataset names no object store; write `source.objectStore`, or take `store` out of the party's configuration"
    )]
    NoStore,
    /// To be read from an object store, by a program that cannot.
    #[error(
        "this program reads no object stores; use the party image, or build it with the feature `object-store`"
    )]
    NoStores,
    /// Nothing in it, not even a header.
    #[error("the file is empty; export it again, with a header line for CSV")]
    Empty,
    /// Neither `.csv` nor `.parquet`, and no `format`.
    #[error("the ending tells no format; set `source.format` to `csv` or `parquet`")]
    UnknownFormat,
    /// A delimiter that is not one ASCII character.
    #[error("`source.delimiter` must be one ASCII character other than a quote or a line end")]
    BadDelimiter,
    /// The header is one field that contains another usual delimiter.
    #[error("the header is one field that contains {}; set `source.delimiter: \"{}\"`", named(*.found), .found.escape_default())]
    WrongDelimiter {
        /// The delimiter that it seems to be.
        found: char,
    },
    /// A declared column that the file lacks.
    #[error("the column is missing; the file has {}; correct the name in `columns`, or the file", list(.found))]
    MissingColumn {
        /// What the header has.
        found: Vec<String>,
    },
    /// Two columns of the name.
    #[error("the column occurs twice in the header; give each column a name of its own")]
    DuplicateColumn,
    /// A row of another length than the header.
    #[error(
        "the row has {found} fields and the header has {expected}; quote fields that contain the delimiter, and complete short rows"
    )]
    Ragged {
        /// Fields of the header.
        expected: u64,
        /// Fields of the row.
        found: u64,
    },
    /// A record that never ends.
    #[error("a record is longer than {limit} bytes; look for a quote that is never closed")]
    Endless {
        /// The limit.
        limit: u64,
    },
    /// Not UTF-8.
    #[error("the field is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// A number column holds something else.
    #[error(
        "the field is not a number; write digits with a point, such as 12.5, with no units and no thousands separators"
    )]
    NotANumber,
    /// NaN.
    #[error("the value is NaN; remove the row or fill in a number")]
    Nan,
    /// Positive or negative infinity, or a decimal beyond the floats.
    #[error("the value is infinite or beyond 1.8e308; remove the row or fill in a number")]
    Infinite,
    /// Nothing in the field, or a null.
    #[error("the value is missing; remove the row or fill in a value")]
    MissingValue,
    /// A word that the dataset does not declare.
    #[error(
        "the word is not among the declared `category.values`; add it to the manifests of all parties, or correct the row"
    )]
    UndeclaredCategory,
    /// More rows than declared.
    #[error("the file has more than {limit} rows; raise `maxRows`, which sizes the sums, or split the file")]
    TooManyRows {
        /// The dataset's `maxRows`.
        limit: u64,
    },
    /// A Parquet column whose type does not fit the declared kind.
    #[error(
        "the column is {found} and must be {expected}; write the file with the column cast to one of these"
    )]
    WrongType {
        /// The type in the file.
        found: String,
        /// The types that fit.
        expected: &'static str,
    },
    /// A Parquet column within a struct, list or map.
    #[error("the column is nested or repeated; write it as a plain column of its own")]
    Nested,
    /// Not Parquet, cut short, or damaged.
    #[error("the file is not whole Parquet ({0}); write or copy it again")]
    Corrupt(String),
    /// No randomness for the key under which persons are hashed.
    #[error("the operating system gives no randomness ({0}); check that /dev/urandom is there")]
    NoRandomness(String),
    /// The plan was made from another dataset.
    #[error("the plan and the dataset disagree about this column; give every party the same manifest")]
    NotInPlan,
}

impl InputFault {
    /// The fault of a file as a whole.
    pub(crate) fn of(self, file: &str) -> InputError {
        self.at(file, Place::default())
    }

    /// The fault at a place.
    pub(crate) fn at(self, file: &str, place: Place) -> InputError {
        InputError { file: file.to_owned(), place, fault: Box::new(self) }
    }

    /// The fault of a column.
    pub(crate) fn of_column(self, file: &str, column: &str) -> InputError {
        self.at(file, Place { column: Some(column.to_owned()), ..Place::default() })
    }

    /// The fault that an error of the operating system is.
    pub(crate) fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            kind => Self::Unreadable(kind),
        }
    }
}

/// A delimiter in words.
fn named(delimiter: char) -> String {
    match delimiter {
        '\t' => "tabs".to_owned(),
        other => format!("`{other}`"),
    }
}

/// At most twenty names: a header is public, and may be very long.
fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "no columns".to_owned(),
        n if n > shown.len() => format!("{} and {} more", shown.join(", "), n - shown.len()),
        _ => shown.join(", "),
    }
}
