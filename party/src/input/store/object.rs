//! One object, as it was when it was opened.

use crate::{
    config::StoreConfig,
    store::{StoreFault, connect},
};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, path::Path};
use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinHandle};

/// An object, and the first thing that went wrong with it.
pub(super) struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
    etag: Option<String>,
    runtime: Handle,
    patience: Duration,
    failure: Mutex<Option<StoreFault>>,
}

/// A range on its way; given up when it is dropped.
pub(super) struct Coming(JoinHandle<Result<Bytes, StoreFault>>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Object {
    /// Finds the object, its size and its ETag.
    pub(super) fn open(
        place: &veilgrid_api::store::ObjectStore,
        path: &str,
        config: &StoreConfig,
    ) -> Result<Self, StoreFault> {
        let (store, key) = (connect(place, config)?, place.key(path).ok_or(StoreFault::BadUrl)?);
        let path = Path::parse(key).map_err(|_| StoreFault::BadKey)?;
        let runtime = Handle::current();
        // Not HEAD: its answer has no body, and so nothing that tells a missing bucket from a missing object.
        let found = runtime.block_on(store.get_opts(&path, options(0..1, None)));
        let (size, etag) = match found.map_err(|error| StoreFault::of(&error, config.patience())) {
            Ok(found) => (found.meta.size, found.meta.e_tag),
            // An object without a first byte.
            Err(StoreFault::Answered { status: Some(416), .. }) => (0, None),
            Err(fault) => return Err(fault),
        };
        let patience = config.patience();
        Ok(Self { store, path, size, etag, runtime, patience, failure: Mutex::new(None) })
    }

    /// Its bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What went wrong, told once.
    pub(super) fn failure(&self) -> Option<StoreFault> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks for a range that the object has.
    pub(super) fn ask(self: &Arc<Self>, range: Range<u64>) -> Coming {
        let object = self.clone();
        Coming(self.runtime.spawn(async move { object.fetch(range).await }))
    }

    /// Waits for a range.
    pub(super) fn wait(&self, mut coming: Coming) -> io::Result<Bytes> {
        let came = self.runtime.block_on(&mut coming.0);
        came.unwrap_or(Err(StoreFault::Stopped)).map_err(|fault| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            io::Error::other("the object store failed")
        })
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, StoreFault> {
        let length = (range.end - range.start) as usize;
        let got = self.store.get_opts(&self.path, options(range, self.etag.clone())).await;
        let got: GetResult = got.map_err(|error| StoreFault::of(&error, self.patience))?;
        // A store may not know conditions.
        if got.meta.e_tag != self.etag || got.meta.size != self.size {
            return Err(StoreFault::Changed);
        }
        let mut bytes = BytesMut::with_capacity(length);
        let mut stream = got.into_stream();
        while let Some(part) =
            stream.try_next().await.map_err(|error| StoreFault::of(&error, self.patience))?
        {
            if bytes.len() + part.len() > length {
                return Err(StoreFault::Length);
            }
            bytes.extend_from_slice(&part);
        }
        if bytes.len() == length { Ok(bytes.freeze()) } else { Err(StoreFault::Length) }
    }
}

fn options(range: Range<u64>, etag: Option<String>) -> GetOptions {
    GetOptions { range: Some(GetRange::Bounded(range)), if_match: etag, ..GetOptions::default() }
}
