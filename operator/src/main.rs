//! `veilgrid-operator`: runs in a cluster, or beside it with a kubeconfig.

use clap::{Args, Parser, Subcommand};
use std::{
    error::Error,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, OnceLock},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use veilgrid_operator::{identity::OperatorSeed, job::build::PodSettings, run, server};
use zeroize::Zeroizing;

/// Turns PrivateJobs into party pods, one for each organisation, and settles what they cost
#[derive(Parser)]
#[command(
    name = "veilgrid-operator",
    version,
    after_help = "Examples:
  veilgrid-operator run --seed-file /etc/veilgrid-operator/seed --party-image ghcr.io/veilgrid/party:0.1.0
  veilgrid-operator crds | kubectl apply -f -"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reconciles until it is told to stop (SIGTERM, Ctrl-C)
    Run(RunArgs),
    /// Prints the custom resource definitions
    Crds,
}

#[derive(Args)]
struct RunArgs {
    /// A file of 32 random bytes or more that never change: parties' certificates are derived from it
    #[arg(long, value_name = "FILE")]
    seed_file: PathBuf,
    /// The image of parties' pods
    #[arg(long, value_name = "IMAGE")]
    party_image: String,
    /// When nodes pull it
    #[arg(long, value_name = "POLICY", default_value = "IfNotPresent", value_parser = ["Always", "IfNotPresent", "Never"])]
    pull_policy: String,
    /// Where /healthz, /readyz and /metrics are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("VEILGRID_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    match command(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

async fn command(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Crds => {
            let texts: Vec<&str> = veilgrid_api::crd::CRDS.iter().map(|(_, text)| *text).collect();
            std::io::Write::write_all(&mut std::io::stdout(), texts.join("---\n").as_bytes())?;
            Ok(())
        }
        Command::Run(args) => reconcile(args).await,
    }
}

async fn reconcile(args: RunArgs) -> Result<(), Box<dyn Error>> {
    let seed = seed(&args.seed_file)?;
    let client = kube::Client::try_default().await.map_err(|error| {
        format!("no cluster can be reached: {error}; run in a cluster, or set KUBECONFIG")
    })?;
    let settings = PodSettings { image: args.party_image, pull_policy: args.pull_policy };
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let context: server::Shared = Arc::new(OnceLock::new());
    let shared = Arc::clone(&context);
    let started = move |ctx| {
        tracing::info!("the caches are filled: reconciling");
        let _ = shared.set(ctx);
    };
    tokio::select! {
        served = server::serve(args.listen, context) => served.map_err(|error| format!("cannot listen on {}: {error}", args.listen))?,
        () = run::run(client, seed, settings, started) => return Err("the watches ended".into()),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("told to stop; what is under way goes on from the cluster's state");
    Ok(())
}

fn seed(path: &Path) -> Result<OperatorSeed, String> {
    use sha2::{Digest, Sha256};
    let bytes = std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| format!("{}: {error}; it is the file of --seed-file", path.display()))?;
    if bytes.len() < 32 {
        return Err(format!(
            "{} has {} bytes; 32 random ones are needed: head -c 32 /dev/urandom",
            path.display(),
            bytes.len()
        ));
    }
    Ok(OperatorSeed::new(Sha256::digest(bytes.as_slice()).into()))
}
