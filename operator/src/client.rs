//! How the operator speaks to the API server: within bounds, and counted.

use crate::{
    metrics::Metrics,
    patience::{Patience, PatienceLayer},
    writes::{Fault, WritesLayer},
};
use kube::{Client, Config, client::ClientBuilder};
use std::sync::Arc;

/// A client whose requests have an end and are counted; `fault` is for crash tests.
///
/// # Errors
/// The configuration leads to no API server, such as by a certificate that cannot be read.
pub fn build(
    mut config: Config,
    patience: Patience,
    metrics: Arc<Metrics>,
    fault: Option<Fault>,
) -> Result<Client, kube::Error> {
    // Its pauses have no bound. Each look is tried again as a whole, and so is each watch.
    config.default_retry = false;
    let patience = PatienceLayer::new(patience, Arc::clone(&metrics));
    let writes = WritesLayer::new(metrics, fault);
    Ok(ClientBuilder::try_from(config)?.with_layer(&patience).with_layer(&writes).build())
}
