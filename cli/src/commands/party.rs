//! `veilgrid party`: one party as a process, and its identity.

use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, Lines},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use veilgrid_party::{
    config::PartyConfig,
    event::{Event, Events},
    exit::Exit,
    identity::Identity,
    run,
};

/// A configuration holds a few PEM texts and paths.
const MAX_CONFIG: u64 = 1 << 20;

/// Runs one party of a job as a process of its own, or shows its identity
///
/// `veilgrid run` starts one such process for each party. Start them yourself where parties are on several machines: each
/// needs a configuration (docs/files.md) with its certificate and its peers' addresses.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  veilgrid party --config north.json
  veilgrid party identity --state /var/lib/veilgrid"
)]
pub(crate) struct PartyArgs {
    /// The configuration, a JSON file; `-` reads it as one line from standard input
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<PartyCommand>,
}

#[derive(Subcommand)]
enum PartyCommand {
    /// Prints the party's public key, to pin in manifests as publicKey; makes the key where there is none
    Identity {
        /// The party's state folder
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
    },
}

pub(crate) fn run(args: PartyArgs) -> Result<(), Failure> {
    match (args.command, args.config) {
        (Some(PartyCommand::Identity { state }), _) => identity(&state),
        (None, Some(path)) => take_part(&path),
        (None, None) => Err(Failure::new(Exit::Usage, "give --config FILE")),
    }
}

fn identity(state: &Path) -> Result<(), Failure> {
    let identity =
        Identity::open_or_create(state).map_err(|error| Failure::new(Exit::State, error.to_string()))?;
    writeln!(io::stdout(), "{}", identity.public_key_hex())
        .map_err(|error| Failure::file(Path::new("standard output"), &error, "write it to a file"))
}

fn take_part(path: &Path) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Internal, format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(async {
        if path == Path::new("-") {
            let mut lines = BufReader::new(tokio::io::stdin().take(2 * MAX_CONFIG)).lines();
            let line = lines.next_line().await.ok().flatten().unwrap_or_default();
            let config = parse(line.as_bytes())?;
            drop(zeroize::Zeroizing::new(line));
            party(config, lines, true).await
        } else {
            let config = read(path)?;
            let lines = BufReader::new(tokio::io::stdin().take(MAX_CONFIG)).lines();
            party(config, lines, false).await
        }
    });
    // A read of standard input may still wait for a line that nobody will write.
    runtime.shutdown_background();
    ended
}

fn read(path: &Path) -> Result<PartyConfig, Failure> {
    let unreadable =
        |error| Failure::new(Exit::Usage, format!("{}: {error}; check the path", path.display()));
    let mut text = zeroize::Zeroizing::new(Vec::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_CONFIG).read_to_end(&mut text))
        .map_err(unreadable)?;
    parse(&text)
}

fn parse(text: &[u8]) -> Result<PartyConfig, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        // The parser's own words may hold a part of the key.
        let (line, column) = (error.line(), error.column());
        Failure::new(
            Exit::Usage,
            format!("the party's configuration is wrong at line {line}, column {column}; docs/files.md has its form"),
        )
    })
}

/// `led`: standard input belongs to whoever started this process, and its end means stop.
async fn party<R: AsyncRead + Unpin + Send + 'static>(
    config: PartyConfig,
    mut lines: Lines<BufReader<R>>,
    led: bool,
) -> Result<(), Failure> {
    let (gone, leader_gone) = oneshot::channel::<()>();
    let peers = async move {
        let line = lines.next_line().await?;
        let given = line.is_some();
        tokio::spawn(async move {
            while let Ok(Some(_)) = lines.next_line().await {}
            // The run may have ended already.
            let _ = gone.send(());
        });
        if led && !given {
            // Told to stop before it was introduced.
            std::future::pending::<()>().await;
        }
        serde_json::from_str::<BTreeMap<String, String>>(&line.unwrap_or_default())
            .map_err(|_| io::Error::other("a line of JSON, addresses by name, was due on standard input"))
    };
    let handler = |kind| {
        signal(kind)
            .map_err(|error| Failure::new(Exit::Internal, format!("signals cannot be heard: {error}")))
    };
    let (mut terminate, mut interrupt) =
        (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?);
    let cancel = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            Ok(()) = leader_gone, if led => {}
        }
    };
    let out = Out(Mutex::new(io::stdout()));
    match run::run(config, peers, &out, cancel).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(error.exit(), error.to_string())),
    }
}

struct Out(Mutex<io::Stdout>);

impl Events for Out {
    fn emit(&self, event: Event) {
        let line = serde_json::to_string(&event).expect("an event is JSON");
        let mut out = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nobody may listen any more; the run itself goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
