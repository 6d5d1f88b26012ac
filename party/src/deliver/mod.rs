//! Brings a result to the place that its job names, a volume or an object store.
//!
//! Nothing that is there is ever overwritten: the same bytes count as delivered, others are an error. So it may be done again at any time,
//! by two at once too. The receipt comes first: where `result.json` is, all is.

mod store;
mod volume;

use crate::{
    config::StoreConfig,
    store::{Purpose, StoreFault},
};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::PathBuf};
use veilgrid_api::cluster::ResultPlace;

/// What is delivered, in this order.
const FILES: [&str; 2] = ["receipt.json", "result.json"];

/// What a delivery is told, as JSON in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The folder that has `result.json` and `receipt.json`.
    pub files: PathBuf,
    /// `spec.result` of the job.
    pub place: ResultPlace,
    /// Where the volume is mounted.
    pub root: PathBuf,
    /// How the object store is used.
    pub store: StoreConfig,
    /// Where the last event is written too, such as a container's termination message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<PathBuf>,
}

/// A file that is not where it should be.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {fault}")]
pub struct DeliveryError {
    /// The file, as its place calls it.
    pub name: String,
    /// What is wrong and what to do.
    #[source]
    pub fault: DeliveryFault,
}

/// What is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFault {
    /// What is to be delivered cannot be read.
    #[error(
        "what is to be delivered cannot be read ({0}); delete the Job of the delivery, which is then made anew"
    )]
    Unreadable(io::ErrorKind),
    /// The job names neither volume nor store.
    #[error("`spec.result` names neither a volume nor an object store")]
    NoPlace,
    /// Something else has the name.
    #[error(
        "something else is there already, and a result never replaces anything; move it away, or write another `spec.result.path`"
    )]
    Taken,
    /// The volume cannot be used.
    #[error("the volume cannot be written ({0}); check that user or group 65532 may, and that it has room")]
    Volume(io::ErrorKind),
    /// The object store, in its own words.
    #[error("{0}")]
    Store(String),
}

/// Brings both files to their place.
///
/// # Errors
/// [`DeliveryError`]. Nothing is half written then, but the receipt may be there without the result.
pub async fn deliver(config: &DeliveryConfig) -> Result<(), DeliveryError> {
    let place = &config.place;
    let folder = place.path.as_deref().unwrap_or_default();
    for file in FILES {
        let name = place.file(file);
        let fault = |fault| DeliveryError { name: name.clone(), fault };
        let bytes = fs::read(config.files.join(file))
            .map_err(|error| fault(DeliveryFault::Unreadable(error.kind())))?;
        let written = match (&place.volume, &place.object_store) {
            (Some(_), _) => volume::write(&config.root, folder, file, &bytes),
            (None, Some(found)) => {
                let told = |fault: StoreFault| DeliveryFault::Store(fault.told(found, Purpose::Result));
                match store::write(found, &format!("{folder}/{file}"), bytes, &config.store).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(DeliveryFault::Taken),
                    Err(fault) => Err(told(fault)),
                }
            }
            (None, None) => Err(DeliveryFault::NoPlace),
        };
        written.map_err(fault)?;
    }
    Ok(())
}
