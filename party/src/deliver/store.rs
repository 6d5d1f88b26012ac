//! An object of a store, written once.

use crate::{
    config::StoreConfig,
    store::{StoreFault, connect},
};
use object_store::{Error, GetOptions, ObjectStore, PutMode, PutOptions, PutPayload, path::Path};
use veilgrid_api::store::ObjectStore as Place;

/// Writes an object that is not there yet. Whether it has these bytes now, by this write or by an earlier one; false where something else
/// has its key.
///
/// It is looked for first, since a store that does not know conditions would replace what is there. Credentials that may write only are
/// told that they may not look just where something is there.
pub(super) async fn write(
    place: &Place,
    path: &str,
    bytes: Vec<u8>,
    config: &StoreConfig,
) -> Result<bool, StoreFault> {
    let (store, key) = (connect(place, config)?, place.key(path).ok_or(StoreFault::BadUrl)?);
    let key = Path::parse(key).map_err(|_| StoreFault::BadKey)?;
    let fault = |error: &Error| StoreFault::of(error, config.patience());
    match same(&*store, &key, &bytes, config).await {
        // Whether there is nothing or it may not be seen, writing tells.
        Err(StoreFault::NoObject | StoreFault::Refused { .. }) => {}
        found => return found,
    }
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(&key, PutPayload::from(bytes.clone()), options).await {
        Ok(_) => Ok(true),
        Err(Error::AlreadyExists { .. }) => same(&*store, &key, &bytes, config).await,
        Err(error) => Err(fault(&error)),
    }
}

/// Whether the object has these bytes.
async fn same(
    store: &dyn ObjectStore,
    key: &Path,
    bytes: &[u8],
    config: &StoreConfig,
) -> Result<bool, StoreFault> {
    let fault = |error: &Error| StoreFault::of(error, config.patience());
    let found = store.get_opts(key, GetOptions::default()).await.map_err(|error| fault(&error))?;
    if found.meta.size != bytes.len() as u64 {
        return Ok(false);
    }
    Ok(found.bytes().await.map_err(|error| fault(&error))? == bytes)
}
