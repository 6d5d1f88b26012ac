//! One job of one party, from plan to result.
//!
//! The order is what keeps the promises. Whether this party can take part at all (budget, rows, device, disk) is found out
//! before anything is booked, and told to the others in place of a standing, so a refused run changes no ledger. Then the
//! amount is reserved; rows are summed, shared and sealed; the charge is spent; and only then does anything of the sum
//! leave this party. An error before that point gives the reservation back; after it the run can only be finished.

mod error;
mod prepare;
mod report;
mod session;
mod standing;

#[cfg(test)]
mod crash_tests;

pub use error::RunError;
pub use report::Outcome;

use crate::{
    config::PartyConfig,
    event::{Event, Events, Phase},
    handshake::{self, HandshakeError},
    transport::{
        Mesh, MeshConfig,
        links::{LinkError, Links},
    },
};
use prepare::Prepared;
use session::Session;
use std::{collections::BTreeMap, future::Future, io, time::Duration};

/// How long a party that cannot take part looks for peers to tell.
const FAREWELL: Duration = Duration::from_secs(10);

/// Takes part in a job to its end. `peers` gives the peers' addresses (`host:port` by name) where the configuration has
/// none; it is asked once this party has said where it listens. When `cancel` is done the run is given up.
///
/// Needs a multi-threaded runtime: batches are computed on the thread that polls this future.
///
/// # Errors
/// [`RunError`]; [`RunError::exit`] says what that means for the charge.
pub async fn run(
    config: PartyConfig,
    peers: impl Future<Output = io::Result<BTreeMap<String, String>>>,
    events: &dyn Events,
    cancel: impl Future<Output = ()>,
) -> Result<Outcome, RunError> {
    let (print, termination) = (config.print_result, config.termination.clone());
    let ended = take_part(config, peers, events, cancel).await;
    if let (true, Ok((outcome, _))) = (print, &ended) {
        print_result(outcome, events);
    }
    let last = match &ended {
        Ok((outcome, device)) => {
            Event::Finished { result: outcome.result_hash.clone(), device: device.clone() }
        }
        Err(error) => Event::Failed { code: error.exit().code(), message: error.to_string() },
    };
    if let Some(path) = termination {
        let text = serde_json::to_string(&last).expect("an event is JSON");
        if let Err(error) = std::fs::write(&path, text) {
            let message = format!("{} cannot be written: {error}", path.display());
            events.emit(Event::Notice { message });
        }
    }
    events.emit(last);
    ended.map(|(outcome, _)| outcome)
}

fn print_result(outcome: &Outcome, events: &dyn Events) {
    let Some(result) = &outcome.result else { return };
    let read = std::fs::read_to_string(result)
        .and_then(|result| Ok(Event::Result { result, receipt: std::fs::read_to_string(&outcome.receipt)? }));
    events.emit(read.unwrap_or_else(|error| Event::Notice {
        message: format!("the result cannot be read back to be printed: {error}"),
    }));
}

/// The outcome, and the device that batches ran on.
async fn take_part(
    config: PartyConfig,
    peers: impl Future<Output = io::Result<BTreeMap<String, String>>>,
    events: &dyn Events,
    cancel: impl Future<Output = ()>,
) -> Result<(Outcome, String), RunError> {
    let Prepared { mut session, mut known, ready, opening } = prepare::prepare(&config, events)?;
    let mut link = None;
    let work = async {
        let ready = prepare::open(&mut session, ready, opening).await;
        let connected = connect(&config, &session, ready.is_ok(), peers, events).await;
        let mesh = match (connected, &ready) {
            (Ok(mesh), _) => link.insert(mesh),
            // What keeps this party out matters more than that it cannot say so.
            (Err(_), Err(_)) => return Err(ready.expect_err("it is an error")),
            (Err(error), Ok(())) => return Err(error),
        };
        let fingerprints: Vec<_> =
            (0..mesh.parties()).map(|party| mesh.certificate_fingerprint(party)).collect();
        let agreed =
            handshake::agree(mesh, &fingerprints, &session.plan, &session.identity, &mut known).await;
        // A peer that is kept out as well may have given up first; this party's own reason is the better one.
        if let (Err(HandshakeError::Link(LinkError::Aborted { .. })), Err(_)) = (&agreed, &ready) {
            return Err(ready.expect_err("it is an error"));
        }
        let agreed = agreed?;
        if !agreed.first_seen.is_empty() {
            let message = format!(
                "the keys of {} are seen for the first time and trusted from now on; pin each as publicKey in the manifest",
                agreed.first_seen.join(", ")
            );
            events.emit(Event::Notice { message });
        }
        ready?;
        session.drive(mesh, agreed.signatures).await
    };
    let ended = tokio::select! {
        // Asked first at each wake, so that an interruption is never overtaken by the run.
        biased;
        () = cancel => Err(RunError::Interrupted),
        ended = work => ended,
    };
    match ended {
        Ok(outcome) => {
            if let Some(mesh) = link {
                // The run is done here. A peer that misses something resumes and finds this party as it left.
                let _ = mesh.close().await;
            }
            Ok((outcome, session.device_words()))
        }
        Err(error) => {
            let error = session.settle(error);
            if let Some(mesh) = link {
                mesh.abort(&error.told()).await;
            }
            Err(error)
        }
    }
}

async fn connect(
    config: &PartyConfig,
    session: &Session<'_>,
    ready: bool,
    peers: impl Future<Output = io::Result<BTreeMap<String, String>>>,
    events: &dyn Events,
) -> Result<Mesh, RunError> {
    let binding = Mesh::bind(config.listen).await?;
    events.emit(Event::Listening { address: binding.local_addr() });
    events.emit(Event::Progress { phase: Phase::Agree, done: 0, total: 1 });
    let given = if config.peers.is_empty() {
        let unread = |error| RunError::Usage(format!("the peers' addresses cannot be read: {error}"));
        peers.await.map_err(unread)?
    } else {
        config.peers.clone()
    };
    let names: Vec<String> = session.plan.parties.iter().map(|party| party.name.clone()).collect();
    let address = |(index, name): (usize, &String)| match given.get(name) {
        Some(address) => Ok(address.clone()),
        None if index == session.me => Ok(binding.local_addr().to_string()),
        None => Err(RunError::Usage(format!("no address is given for peer {name}; give one for each"))),
    };
    let addresses = names.iter().enumerate().map(address).collect::<Result<_, _>>()?;
    let patience = Duration::from_secs(config.patience_seconds.max(1));
    let mesh = MeshConfig {
        names,
        me: session.me,
        run: config.run.clone(),
        addresses,
        tls: config.tls.clone(),
        patience: if ready { patience } else { patience.min(FAREWELL) },
    };
    binding.connect(mesh).await.map_err(|error: LinkError| error.into())
}
