//! `veilgrid cancel`: stops a job in a cluster, and says what it was charged.

use crate::{
    cluster::{
        Cluster, ClusterArgs, MANAGER, block_on,
        claims::{self, Charge, Standing},
        follow::{Follow, Seen},
        job::{self, JobName, Meant},
        trouble,
        view::{Shown, View},
    },
    failure::Failure,
    output,
    table::digits::clean,
};
use clap::Args;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::json;
use std::time::Duration;
use veilgrid_api::{
    job::PrivateJob,
    status::{Phase, PrivateJobStatus},
};
use veilgrid_party::exit::Exit;

/// Looks at claims that are not settled yet, half a second apart.
const SETTLING: usize = 20;

/// Stops a job in a cluster, waits until its pods have ended, and says what was charged
///
/// The job stays, suspended, as the record of what was asked; `veilgrid submit` of its file lets it go on in a new attempt, which
/// is charged anew. What was opened, or may have been, stays spent.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid cancel hospitals -n research
  veilgrid cancel research/hospitals --delete     # and its result
  veilgrid cancel hospitals --json | jq '.charges[].claims'

Claims stay whatever is cancelled, in the owners' namespaces.
Exit codes: 0 it is stopped, 2 it had ended before, 11 the cluster.")]
pub(crate) struct CancelArgs {
    /// The PrivateJob
    #[arg(value_name = "JOB")]
    job: JobName,
    /// Deletes the job, with the ConfigMap of its result
    #[arg(long)]
    delete: bool,
    /// Prints one JSON object instead of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &CancelArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let of = cluster.meant(&args.job);
        let found = cluster.job(&of).await?;
        let before = job::status(&found);
        if before.phase.has_ended() && !args.delete {
            let message = format!(
                "{} has ended before: {:?}; there is nothing to stop (--delete removes it with its result)",
                of.key(),
                before.phase
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        let uid = found.metadata.uid.clone().unwrap_or_default();
        stop(&cluster, &of, &uid, args.delete).await?;
        let last = wait(&cluster, &of, &uid, args).await?.unwrap_or(before);
        let parties: Vec<(String, String)> = found
            .spec
            .parties
            .iter()
            .map(|party| (party.name.clone(), party.dataset.namespace_from(&of.namespace).to_owned()))
            .collect();
        let mut charges = claims::charges(&cluster, &uid, &parties).await?;
        // What was not launched is settled after the job says that it is stopped.
        for _ in 0..SETTLING {
            if charges.iter().all(Charge::is_settled) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            charges = claims::charges(&cluster, &uid, &parties).await?;
        }
        if args.json {
            return output::json(&json!({
                "job": of.key(), "deleted": args.delete, "phase": last.phase, "charges": charges,
            }));
        }
        output::say(&text(&of, args.delete, &last, &charges))
    })
}

/// Asks for the end of a job.
async fn stop(cluster: &Cluster, of: &Meant, uid: &str, delete: bool) -> Result<(), Failure> {
    let jobs = cluster.jobs(of);
    let done = if delete {
        // A job of the same name that came in between is another's.
        let preconditions = Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::background() };
        jobs.delete(&of.name, &params).await.map(drop)
    } else {
        let patch = json!({"metadata": {"uid": uid}, "spec": {"suspend": true}});
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
        jobs.patch(&of.name, &params, &Patch::Merge(&patch)).await.map(drop)
    };
    let verb = if delete { "delete" } else { "suspend" };
    done.map_err(|error| trouble::failure(&error, &format!("{verb} the PrivateJob {}", of.key())))
}

/// Waits until the job is stopped. Its last status; none where it was not seen.
async fn wait(
    cluster: &Cluster,
    of: &Meant,
    uid: &str,
    args: &CancelArgs,
) -> Result<Option<PrivateJobStatus>, Failure> {
    let mut shown = Shown::new(false);
    shown.note("asked to stop; waits until the operator has ended its pods and settled its claims");
    let mut follow = Follow::new(cluster, of);
    let mut last = None;
    let told = |job: &PrivateJob| View::of(&of.key(), job);
    loop {
        match follow.next().await? {
            Seen::Nothing(why) => shown.nothing(why),
            Seen::Gone => break,
            Seen::Job(job) if job.metadata.uid.as_deref() != Some(uid) => break,
            Seen::Job(job) => {
                if !args.json {
                    shown.show(told(&job))?;
                }
                let status = job::status(&job);
                let current = status.observed_generation == job.metadata.generation.unwrap_or_default();
                // Of one whose result is opened nothing but the delivery is left to stop.
                let opened = status.result_hash.is_some() && current;
                let stopped =
                    opened || status.phase == Phase::Suspended && current || status.phase.has_ended();
                last = Some(status);
                if stopped && !args.delete {
                    break;
                }
            }
        }
    }
    shown.finish();
    Ok(last)
}

fn text(of: &Meant, deleted: bool, last: &PrivateJobStatus, charges: &[Charge]) -> String {
    let became = match (deleted, last.phase) {
        (true, _) => "is deleted".to_owned(),
        (false, Phase::Suspended) => "is stopped, and stays as the record of what was asked".to_owned(),
        (false, phase) if phase.has_ended() => format!("had ended before it could be stopped: {phase:?}"),
        (false, _) => "had opened its result before it could be stopped; its delivery waits".to_owned(),
    };
    let mut text = format!("{} {became}\n", of.key());
    for charge in charges {
        text += &format!("  {}: {}\n", clean(&charge.party), charged(charge, last));
    }
    text
}

/// What a party was charged, in words.
fn charged(charge: &Charge, last: &PrivateJobStatus) -> String {
    let Some(found) = &charge.claims else {
        let code =
            last.parties.iter().find(|party| party.name == charge.party).and_then(|party| party.exit_code);
        let said = match code.and_then(Exit::of) {
            Some(exit) => format!("it ended with exit code {}: {}; ", exit.code(), exit.meaning()),
            None => String::new(),
        };
        return format!("{said}its claims are in namespace {}, where you may not look", charge.namespace);
    };
    if found.is_empty() {
        return "nothing was asked of its budget".to_owned();
    }
    let one = |claim: &claims::Charged| {
        let why =
            if claim.message.is_empty() { String::new() } else { format!(" ({})", clean(&claim.message)) };
        let amount = format!("epsilon {} and delta {}", claim.epsilon, claim.delta);
        match claim.state {
            Standing::Spent => format!("{amount} are spent{why}"),
            Standing::Released => format!("nothing was charged{why}"),
            Standing::Refused => format!("its budget refused{why}"),
            Standing::Waiting | Standing::Asked | Standing::Reserved => {
                format!("{amount} are not settled yet")
            }
        }
    };
    found.iter().map(one).collect::<Vec<_>>().join("; before: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_charged_as_far_as_it_is_known() {
        let claim = |state, message: &str| claims::Charged {
            claim: "c".into(),
            epsilon: "3".into(),
            delta: "0.1".into(),
            state,
            message: message.into(),
        };
        let of = |claims| Charge { party: "north".into(), namespace: "hospital".into(), claims };
        let party = json!({"parties": [{"name": "north", "namespace": "hospital", "exitCode": 9}]});
        let last: PrivateJobStatus = serde_json::from_value(party).unwrap();
        let spent = of(Some(vec![claim(Standing::Spent, ""), claim(Standing::Released, "no pod was made")]));
        assert_eq!(
            charged(&spent, &last),
            "epsilon 3 and delta 0.1 are spent; before: nothing was charged (no pod was made)"
        );
        assert!(
            charged(&of(None), &last)
                .starts_with("it ended with exit code 9: interrupted before anything was opened")
        );
        assert!(
            charged(&of(None), &PrivateJobStatus::default())
                .starts_with("its claims are in namespace hospital")
        );
        assert_eq!(charged(&of(Some(vec![])), &last), "nothing was asked of its budget");
    }
}
