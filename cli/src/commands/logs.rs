//! `veilgrid logs`: what the parties' pods of a job say, as far as the user may read it.

use crate::{
    cluster::{
        ClusterArgs, block_on,
        job::JobName,
        logs::{Heard, Logs, Speaker, note, speakers, unseen},
    },
    failure::Failure,
};
use clap::Args;
use veilgrid_party::exit::Exit;

/// Prints what the parties' pods of a job say, and whose pods you may not read
///
/// Each organisation's pods are in its own namespace, and only who has rights there reads them. An owner gives its own
/// namespace and the job as NAMESPACE/NAME.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid logs hospitals -n research
  veilgrid logs hospitals -n research --party north --follow
  veilgrid logs research/hospitals -n north     # the owner of north

A job that succeeded leaves no pods.
Exit codes: 0 some log was read, 11 none may be, 12 there is none.")]
pub(crate) struct LogsArgs {
    /// The PrivateJob
    #[arg(value_name = "JOB")]
    job: JobName,
    /// One party only
    #[arg(long, value_name = "NAME")]
    party: Option<String>,
    /// Also what comes, until the job has ended
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &LogsArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let of = cluster.meant(&args.job);
        let party = args.party.as_deref();
        let logs = Logs { cluster: &cluster, of: &of, uid: None, follow: args.follow, named: false };
        match cluster.job(&of).await {
            Ok(job) => {
                let Some(speakers) = speakers(&job, &of.namespace, party) else {
                    let names: Vec<&str> = job.spec.parties.iter().map(|of| of.name.as_str()).collect();
                    let message =
                        format!("{} has no party of that name; name one of {}", of.key(), names.join(", "));
                    return Err(Failure::new(Exit::Usage, message));
                };
                let uid = job.metadata.uid.as_deref();
                let heard = Logs { uid, named: speakers.len() > 1, ..logs }.read(&speakers).await?;
                verdict(&of.key(), &speakers, &heard)
            }
            // An owner sees the pods in its own namespace, and not the job.
            Err(failure) => {
                let speaker = [unseen(&args.job, &cluster.namespace, party)];
                match logs.pods(&speaker[0]).await {
                    Ok(Some(pods)) if !pods.is_empty() => {
                        let heard = Logs { named: party.is_none(), ..logs }.read(&speaker).await?;
                        verdict(&of.key(), &speaker, &heard)
                    }
                    _ => Err(failure),
                }
            }
        }
    })
}

/// Says which logs were not read and why.
fn verdict(key: &str, speakers: &[Speaker], heard: &[Heard]) -> Result<(), Failure> {
    let read = heard.contains(&Heard::Read);
    let words: Vec<String> = speakers.iter().zip(heard).filter_map(|(of, heard)| words(of, *heard)).collect();
    if read {
        words.iter().for_each(|words| note(words));
        return Ok(());
    }
    let exit = if heard.contains(&Heard::Denied) { Exit::Cluster } else { Exit::NoResult };
    Err(Failure::new(exit, format!("{key} has no log that can be read\n  {}", words.join("\n  "))))
}

fn words(of: &Speaker, heard: Heard) -> Option<String> {
    let Speaker { party, namespace, .. } = of;
    match heard {
        Heard::Read => None,
        Heard::NoPod => Some(format!(
            "{party}: no pod of it has run, or none is left, as when a job succeeded or was cancelled"
        )),
        Heard::Denied => Some(format!(
            "{party}: you may not read the pods of namespace {namespace}; its owner may (ClusterRole veilgrid-data-owner)"
        )),
    }
}
