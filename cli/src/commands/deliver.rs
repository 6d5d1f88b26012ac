//! `veilgrid deliver`: brings a result to a volume or an object store, as a pod that an operator makes.

use crate::failure::Failure;
use clap::Args;
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use veilgrid_party::{
    deliver::{DeliveryConfig, deliver},
    event::Event,
    exit::Exit,
};

/// A configuration holds a place and some paths.
const MAX_CONFIG: u64 = 1 << 16;

/// Brings a result to the place that its job names
#[derive(Args)]
pub(crate) struct DeliverArgs {
    /// The configuration, a JSON file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(crate) fn run(args: &DeliverArgs) -> Result<(), Failure> {
    let config = read(&args.config)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Internal, format!("no threads can be started: {error}")))?;
    let Err(error) = runtime.block_on(deliver(&config)) else {
        return writeln!(io::stdout(), "{{\"event\":\"delivered\"}}").map_err(|error| {
            Failure::file(Path::new("standard output"), &error, "it is delivered all the same")
        });
    };
    let failure = Failure::new(Exit::State, error.to_string());
    if let Some(path) = &config.termination {
        let last = Event::Failed { code: failure.code, message: failure.message.clone() };
        let text = serde_json::to_string(&last).expect("an event is JSON");
        std::fs::write(path, text)
            .map_err(|error| Failure::file(path, &error, "its words are lost to the operator"))?;
    }
    Err(failure)
}

fn read(path: &Path) -> Result<DeliveryConfig, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("{}: {error}; an operator writes it", path.display()))
    };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_CONFIG).read_to_end(&mut text))
        .map_err(|error| wrong(&error))?;
    serde_json::from_slice(&text).map_err(|error| wrong(&error))
}
