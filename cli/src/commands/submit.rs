//! `veilgrid submit`: a manifest's objects, applied to a cluster.

use super::watch;
use crate::{
    cluster::{
        ClusterArgs, block_on,
        job::Meant,
        objects::{self, Applied, Became},
    },
    failure::Failure,
    faults, output,
};
use clap::Args;
use std::path::PathBuf;
use veilgrid_api::{manifest::Manifest, validate};
use veilgrid_party::exit::Exit;

/// Applies a manifest's objects to a cluster, after every fault of them was told
///
/// The same file that `veilgrid run` runs. What it names and does not hold, such as the datasets of other organisations, is
/// the cluster's matter. Applied is everything, or nothing where the cluster would refuse one object.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid submit job.yaml --dry-run
  veilgrid submit job.yaml -n research --watch
  veilgrid submit job.yaml --json | jq -r '.objects[] | [.name, .became] | @tsv'

An object that was there is changed as far as the file says other things. A job
that `veilgrid cancel` stopped goes on, in a new attempt.
Exit codes: 0 applied, 2 faults, 11 the cluster; with --watch: veilgrid watch.")]
pub(crate) struct SubmitArgs {
    /// The manifest: PrivateJobs, PrivateDatasets and PrivacyBudgets
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Asks the cluster what would become of each object, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Then shows the file's jobs until they have ended
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// Prints JSON: what became of each object, or the faults
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &SubmitArgs) -> Result<(), Failure> {
    let told = faults::parse(&args.file)?.and_then(judge);
    let manifest = match told {
        Ok(manifest) => manifest,
        Err(found) if args.json => return faults::print_json(&args.file, &found),
        Err(found) => return Err(faults::failure(&args.file, &found)),
    };
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let items = objects::items(&manifest, &cluster.namespace);
        if items.is_empty() {
            let message = format!("{} holds no objects: nothing to submit", args.file.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        let applied = match objects::apply(&cluster, &items, args.dry_run).await {
            Ok(applied) => applied,
            Err(refused) => {
                let code = refused.exit.code();
                let failure = match args.json {
                    true => faults::print_json(&args.file, &refused.faults).err(),
                    false => Some(faults::failure(&args.file, &refused.faults)),
                };
                return failure.map_or(Ok(()), |failure| Err(Failure { code, ..failure }));
            }
        };
        match args.json {
            true => output::json(
                &serde_json::json!({"ok": true, "file": args.file, "dryRun": args.dry_run, "objects": applied}),
            )?,
            false => output::say(&applied.iter().map(|one| line(one, args.dry_run)).collect::<String>())?,
        }
        if !args.watch {
            return Ok(());
        }
        for job in applied.iter().filter(|one| one.kind == "PrivateJob") {
            let of = Meant { namespace: job.namespace.clone(), name: job.name.clone() };
            watch::watch(&cluster, &of, args.json).await?;
        }
        Ok(())
    })
}

/// The manifest, or its faults. What it does not hold is in the cluster.
fn judge(mut manifest: Manifest) -> Result<Manifest, Vec<veilgrid_api::fault::Fault>> {
    manifest.partial = true;
    let found = validate::validate(&manifest);
    if found.is_empty() { Ok(manifest) } else { Err(found) }
}

fn line(one: &Applied, dry_run: bool) -> String {
    let became = match one.became {
        Became::Created => "created",
        Became::Changed => "changed",
        Became::Unchanged => "unchanged",
        Became::Resumed => "goes on",
        Became::Applied => "applied",
    };
    let dry = if dry_run { " (dry run)" } else { "" };
    format!("{} {}/{} {became}{dry}\n", one.kind, one.namespace, one.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_alone_has_no_faults_but_its_own() {
        let text = "apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {name: wards}
spec:
  parties:
    - {name: north, dataset: {name: patients, namespace: north}}
    - {name: south, dataset: {name: patients, namespace: south}}
  privacy: {epsilon: EPSILON}
  computation: {statistics: [{name: pay, mean: {column: pay}, groupBy: ward}]}
";
        let judged =
            |epsilon: &str| judge(veilgrid_api::manifest::parse(&text.replace("EPSILON", epsilon)).unwrap());
        assert!(judged("1").is_ok());
        let found = judged("0").unwrap_err();
        assert_eq!((found.len(), found[0].line), (1, Some(8)), "{found:?}");
    }
}
