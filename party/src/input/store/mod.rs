//! Rows from an object store: S3, Google Cloud Storage, Azure Blob Storage, and what speaks their protocols.
//!
//! An object is read in ranges, so memory holds a few blocks of it, however large it is. Each range is asked for with the ETag of the first:
//! an object that changes under way is an error and never a mixture. What fails in passing (no answer, 5xx) is tried again
//! with a growing delay until the configuration's patience is spent.

mod chunks;
mod object;
mod stream;

use super::{
    InputError, InputFault, Position, RowReader, Rows, Wanted, csv::CsvRows, delimiter, parquet::ParquetRows,
};
use crate::{config::StoreConfig, store::Purpose};
use chunks::Chunks;
use object::Object;
use std::sync::Arc;
use stream::Stream;
use veilgrid_api::{
    dataset::{Format, PrivateDatasetSpec},
    plan::Plan,
};

/// Opens a party's object. A store that cannot be used, a missing object, wrong columns and wrong types are found here, wrong values
/// as rows are read.
///
/// # Panics
/// Outside a thread of a Tokio runtime that may block: requests are made on that runtime.
pub fn open(
    spec: &PrivateDatasetSpec,
    config: &StoreConfig,
    plan: &Plan,
    party: usize,
) -> Result<Box<dyn RowReader>, InputError> {
    let source = &spec.source;
    let format = source.resolved_format().ok_or_else(|| InputFault::UnknownFormat.of(&source.path))?;
    let store = source.object_store.as_ref().ok_or_else(|| InputFault::NoStore.of(&source.path))?;
    let name = format!("{}/{}", store.url.trim_end_matches('/'), source.path);
    let object = Object::open(store, &source.path, config)
        .map_err(|fault| InputFault::Store(fault.told(store, Purpose::Rows)).of(&name))?;
    let object = Arc::new(object);
    if object.size() == 0 {
        return Err(InputFault::Empty.of(&name));
    }
    let wanted = Wanted::new(plan, party);
    let rows: Result<Box<dyn RowReader>, _> = match format {
        Format::Csv => {
            let delimiter = delimiter(spec).ok_or_else(|| InputFault::BadDelimiter.of(&name))?;
            let stream = Stream::new(object.clone());
            CsvRows::new(stream, object.size(), name.clone(), delimiter, wanted)
                .map(|rows| Box::new(rows) as _)
        }
        Format::Parquet => {
            let columns = plan.columns.len() + 1;
            ParquetRows::new(Chunks::new(object.clone(), columns), name.clone(), wanted)
                .map(|rows| Box::new(rows) as _)
        }
    };
    let explained = Explained { object, store: store.clone(), name };
    match rows {
        Ok(rows) => Ok(Box::new(StoreRows { rows, explained })),
        Err(error) => Err(explained.error(error)),
    }
}

/// Rows whose errors say what the store did, where it was the store.
struct StoreRows {
    rows: Box<dyn RowReader>,
    explained: Explained,
}

impl RowReader for StoreRows {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError> {
        self.rows.next(rows).map_err(|error| self.explained.error(error))
    }

    fn position(&self) -> Position {
        self.rows.position()
    }
}

/// What is known of an object that is being read.
struct Explained {
    object: Arc<Object>,
    store: veilgrid_api::store::ObjectStore,
    name: String,
}

impl Explained {
    /// A reader of a format knows no more of a store than that reading failed.
    fn error(&self, error: InputError) -> InputError {
        match self.object.failure() {
            Some(fault) => InputFault::Store(fault.told(&self.store, Purpose::Rows)).of(&self.name),
            None => error,
        }
    }
}
