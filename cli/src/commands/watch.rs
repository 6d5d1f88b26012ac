//! `veilgrid watch`: a job in a cluster, live, to its end.

use crate::{
    cluster::{
        Cluster, ClusterArgs, block_on,
        follow::{Follow, Seen},
        job::{self, JobName, Meant},
        view::{Shown, View},
    },
    failure::Failure,
};
use clap::Args;
use veilgrid_party::exit::Exit;

/// Shows a job in a cluster, live, until it has ended
///
/// On a terminal a bar for each party, elsewhere a line for each change. A cluster that does not answer is waited for.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid watch hospitals -n research
  veilgrid watch research/hospitals --context test
  veilgrid watch hospitals --json | jq -c '[.phase, .message]'

Exit codes: 0 it succeeded; it failed: 3 a budget refused it, 2 to 7 as the
party whose trouble came first, else 12; 11 the cluster does not allow it.")]
pub(crate) struct WatchArgs {
    /// The PrivateJob
    #[arg(value_name = "JOB")]
    job: JobName,
    /// Prints a JSON object for each change instead of bars or lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &WatchArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let of = cluster.meant(&args.job);
        // What is not there, or may not be seen, is told at once.
        cluster.job(&of).await?;
        watch(&cluster, &of, args.json).await
    })
}

/// Shows a job until it has ended.
///
/// # Errors
/// It failed, or is gone.
pub(crate) async fn watch(cluster: &Cluster, of: &Meant, json: bool) -> Result<(), Failure> {
    let mut shown = Shown::new(json);
    let mut follow = Follow::new(cluster, of);
    let end = loop {
        match follow.next().await? {
            Seen::Nothing(why) => shown.nothing(why),
            Seen::Gone => {
                let message = format!("{} was deleted before it had ended", of.key());
                break Err(Failure::new(Exit::NoResult, message));
            }
            Seen::Job(found) => {
                shown.show(View::of(&of.key(), &found))?;
                if let Some(end) = job::ended(&of.key(), &job::status(&found)) {
                    break end;
                }
            }
        }
    };
    shown.finish();
    if end.is_ok() {
        shown.note(&format!("to see the result: veilgrid result {}", of.typed()));
    }
    end
}
