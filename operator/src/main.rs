//! `veilgrid-operator`: runs in a cluster, or beside it with a kubeconfig.

use clap::{Args, Parser, Subcommand};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams},
};
use std::{
    error::Error,
    fmt::Display,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use veilgrid_operator::{
    client,
    identity::OperatorSeed,
    job::build::{IdentitySource, PodSettings, discover_gangs},
    lease::{Election, Place},
    names::MANAGER,
    patience::Patience,
    probe, run,
    server::{self, Served},
    signer,
    writes::Fault,
};
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
    Run(Box<RunArgs>),
    /// Prints the custom resource definitions
    Crds(CrdsArgs),
    /// Checks an installation from inside the cluster: an operator answers, and the API server knows every kind
    Probe(ProbeArgs),
}

#[derive(Args)]
struct CrdsArgs {
    /// Applies them to the cluster instead, whoever wrote those that are there
    #[arg(long)]
    apply: bool,
}

#[derive(Args)]
struct ProbeArgs {
    /// Where the operator says that it is ready, such as http://veilgrid-operator-metrics:8080/readyz
    url: String,
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
    /// Where parties' private keys come from: `node` has each born on its pod's node (PodCertificateRequest), `secret` puts them into
    /// Secrets, `auto` takes `node` where the cluster offers it
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = ["auto", "node", "secret"])]
    identity_source: String,
    /// Where /healthz, /readyz and /metrics are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// A Lease that replicas compete for: only its holder reconciles. Without it this is the only replica
    #[arg(long, value_name = "NAMESPACE/NAME", env = "VEILGRID_LEASE")]
    lease: Option<Place>,
    /// What this replica calls itself in the Lease; its host name where absent
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    identity: Option<String>,
    /// The only namespaces to look at; all of the cluster where absent
    #[arg(long, value_name = "NAMESPACE,...", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Takes jobs with spec.queueName. Only where the API server refuses to suspend a party's Job that was let go, as the chart's policy
    /// veilgrid-operator-let-go has it: its next pod would be a second draw of noise for one charge
    #[arg(long)]
    queues: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("VEILGRID_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // It logs whole answers that it cannot read. What is wrong with them comes to us as errors.
    let filter = filter.add_directive("kube_client=off".parse().expect("a directive"));
    // Each line has the innermost span: that of the look.
    let lines = tracing_subscriber::fmt().json().with_span_list(false);
    lines.with_env_filter(filter).with_writer(std::io::stderr).init();
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
        Command::Crds(CrdsArgs { apply: false }) => {
            let texts: Vec<&str> = veilgrid_api::crd::CRDS.iter().map(|(_, text)| *text).collect();
            Ok(std::io::stdout().write_all(texts.join("---\n").as_bytes())?)
        }
        Command::Crds(CrdsArgs { apply: true }) => apply_definitions().await,
        Command::Probe(args) => {
            let client = Client::try_default().await.map_err(unreachable)?;
            let lines = probe::probe(&args.url, client).await?;
            Ok(writeln!(std::io::stdout(), "{}", lines.join("\n"))?)
        }
        Command::Run(args) => reconcile(*args).await,
    }
}

fn unreachable(error: impl Display) -> String {
    format!("no cluster can be reached: {error}; run in a cluster, or set KUBECONFIG")
}

/// Helm installs custom resource definitions once and never changes them: this does.
async fn apply_definitions() -> Result<(), Box<dyn Error>> {
    let client = Client::try_default().await.map_err(unreachable)?;
    let api: Api<CustomResourceDefinition> = Api::all(client);
    let params = PatchParams::apply(MANAGER).force();
    for definition in veilgrid_api::crd::definitions() {
        let name = definition.name_any();
        api.patch(&name, &params, &Patch::Apply(&definition))
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        writeln!(std::io::stdout(), "{name} is up to date")?;
    }
    Ok(())
}

async fn reconcile(args: RunArgs) -> Result<(), Box<dyn Error>> {
    let seed = seed(&args.seed_file)?;
    let served = Arc::new(Served::default());
    let config = kube::Config::infer().await.map_err(unreachable)?;
    let metrics = Arc::clone(&served.metrics);
    let client =
        client::build(config, Patience::default(), metrics, Fault::from_env()?).map_err(unreachable)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let serving = server::serve(args.listen, Arc::clone(&served));
    let mut election = args.lease.map(|place| {
        let host =
            || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        Election::new(client.clone(), place, args.identity.unwrap_or_else(host))
    });
    let leading = async {
        let identity = identity(&args.identity_source, &client).await;
        tracing::info!(?identity, "where parties' keys come from");
        let groups = ask("whether it knows gangs", || discover_gangs(&client)).await;
        if let Some(kind) = &groups {
            tracing::info!(
                version = kind.api_version,
                "parties of one namespace start together as a PodGroup"
            );
        }
        let settings = PodSettings {
            image: args.party_image,
            pull_policy: args.pull_policy,
            identity,
            groups,
            queues: args.queues,
        };
        if let Some(election) = &mut election {
            tracing::info!("waits to lead");
            served.stands_by.store(true, Ordering::Relaxed);
            election.lead().await;
            served.stands_by.store(false, Ordering::Relaxed);
            tracing::info!("leads");
        }
        served.metrics.leads(true);
        let started = || {
            tracing::info!("the caches are filled: reconciling");
            served.reconciles.store(true, Ordering::Relaxed);
        };
        let lost = async {
            match &mut election {
                Some(election) => election.keep().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = run::run(client, &args.namespaces, Arc::clone(&served.metrics), seed, settings, started) => "the watches ended",
            // Starting over is the only way to be sure that nothing goes on.
            () = lost => "another replica may lead now",
        }
    };
    tokio::select! {
        served = serving => served.map_err(|error| format!("cannot listen on {}: {error}", args.listen))?,
        why = leading => return Err(why.into()),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("told to stop; what is under way goes on from the cluster's state");
    if let Some(election) = &election
        && let Err(error) = election.give_up().await
    {
        tracing::info!(%error, "the lease is not given up; the next leader waits for its end");
    }
    Ok(())
}

/// Where parties' keys come from, as soon as the API server says whether it offers to have them born on nodes.
async fn identity(source: &str, client: &Client) -> IdentitySource {
    match source {
        "node" => IdentitySource::Node,
        "secret" => IdentitySource::Secret,
        _ => match ask("whether keys may be born on nodes", || signer::is_offered(client)).await {
            true => IdentitySource::Node,
            false => IdentitySource::Secret,
        },
    }
}

/// Asks the API server until it answers.
async fn ask<T, Asking>(what: &str, question: impl Fn() -> Asking) -> T
where
    Asking: Future<Output = Result<T, kube::Error>>,
{
    loop {
        match question().await {
            Ok(answer) => return answer,
            Err(error) => tracing::warn!(what, "{}", unreachable(error)),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
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
