//! `veilgrid result`: the result of a job in a cluster, after its receipt was checked.

use super::verify;
use crate::{
    cluster::{
        Cluster, ClusterArgs, block_on,
        job::{self, JobName, Meant},
        trouble,
    },
    failure::Failure,
    output, table,
};
use clap::Args;
use k8s_openapi::api::core::v1::ConfigMap;
use std::{collections::BTreeMap, fs, path::PathBuf};
use veilgrid_api::{
    job::PrivateJob,
    status::{Phase, PrivateJobStatus},
};
use veilgrid_party::{
    decode::Answers,
    exit::Exit,
    receipt::{Check, Receipt, verify as verify_receipt},
};

/// Fetches the result of a job in a cluster, checks its receipt, and prints the answers
///
/// The same checks as `veilgrid verify`, with the keys that the job pins; and that the receipt is of this job and of this run.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid result hospitals -n research
  veilgrid result hospitals -n research --out today
  veilgrid result hospitals --json | jq '.result.statistics[0].groups'

With --out it writes OUT/result.json and OUT/receipt.json, byte by byte as the
parties signed them. Exit codes: 0 the receipt holds, 6 it does not, 12 there
is no result, 8 it cannot be written, 11 the cluster.")]
pub(crate) struct ResultArgs {
    /// The PrivateJob
    #[arg(value_name = "JOB")]
    job: JobName,
    /// Where result and receipt are written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints one JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What is in the ConfigMap of a result.
struct Opened {
    result: String,
    receipt: String,
}

pub(crate) fn run(args: &ResultArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let of = cluster.meant(&args.job);
        let found = cluster.job(&of).await?;
        let status = job::status(&found);
        let opened = fetch(&cluster, &of, &found, &status).await?;
        let checks = check(&of.key(), &found, &status, &opened);
        if checks.iter().any(|check| !check.ok) {
            if args.json {
                output::json(&serde_json::json!({"job": of.key(), "ok": false, "checks": checks}))?;
                return Err(Failure::new(Exit::Agreement, ""));
            }
            output::say(&verify::text(&checks, false))?;
            return Err(verify::broken(&format!("the receipt of {}", of.key()), &checks));
        }
        let answers: Answers = serde_json::from_str(&opened.result)
            .map_err(|error| Failure::new(Exit::Internal, format!("the result cannot be read: {error}")))?;
        if let Some(out) = &args.out {
            for (name, text) in [("result.json", &opened.result), ("receipt.json", &opened.receipt)] {
                let path = out.join(name);
                fs::create_dir_all(out)
                    .and_then(|()| fs::write(&path, text))
                    .map_err(|error| Failure::file(&path, &error, "give another --out"))?;
            }
        }
        if args.json {
            return output::json(&serde_json::json!({
                "job": of.key(), "ok": true, "checks": checks, "result": answers, "out": args.out,
            }));
        }
        output::say(&text(&status, &answers, checks.len(), args))
    })
}

/// Result and receipt, from the place that the job names.
async fn fetch(
    cluster: &Cluster,
    of: &Meant,
    job: &PrivateJob,
    status: &PrivateJobStatus,
) -> Result<Opened, Failure> {
    let none = |why: String| Failure::new(Exit::NoResult, format!("{} has no result: {why}", of.key()));
    match status.phase {
        Phase::Succeeded => {}
        Phase::Failed => return Err(none(format!("it failed: {}", table::digits::clean(&status.message)))),
        phase => {
            let why = format!(
                "it has not ended ({phase:?}: {}); veilgrid watch {}",
                table::digits::clean(&status.message),
                of.typed()
            );
            return Err(none(why));
        }
    }
    let Some(place) = &job.spec.result else {
        return Err(none("its spec.result names no place; its hash is in the job's status".into()));
    };
    let Some(name) = &place.config_map else {
        let message = format!(
            "the result of {} is not in the cluster's API but where its spec.result says: {}. Fetch result.json and receipt.json from there, then: veilgrid verify receipt.json --result result.json",
            of.key(),
            table::digits::clean(&place.title())
        );
        return Err(Failure::new(Exit::NoResult, message));
    };
    let doing = format!("get the ConfigMap {}/{name}", of.namespace);
    let map = match cluster.api::<ConfigMap>(&of.namespace).get(name).await {
        Ok(map) => map,
        Err(error) if trouble::is_missing(&error) => {
            return Err(none(format!("the ConfigMap {name} of spec.result is not there any more")));
        }
        Err(error) => return Err(trouble::failure(&error, &doing)),
    };
    let mut data = map.data.unwrap_or_default();
    match (data.remove("result.json"), data.remove("receipt.json")) {
        (Some(result), Some(receipt)) => Ok(Opened { result, receipt }),
        _ => {
            Err(none(format!("the ConfigMap {name} lacks result.json or receipt.json: somebody changed it")))
        }
    }
}

/// The receipt's checks, and that it is of this job and this run.
fn check(key: &str, job: &PrivateJob, status: &PrivateJobStatus, opened: &Opened) -> Vec<Check> {
    let pinned = job.spec.parties.iter();
    let pinned = pinned.filter_map(|party| Some((party.name.clone(), party.public_key.clone()?)));
    let keys: BTreeMap<String, String> = pinned.collect();
    let keys = (keys.len() == job.spec.parties.len()).then_some(&keys);
    let mut checks = verify_receipt(opened.receipt.as_bytes(), Some(opened.result.as_bytes()), keys);
    let Ok(receipt) = serde_json::from_str::<Receipt>(&opened.receipt) else { return checks };
    let mut same = |what: &str, found: &str, wanted: &str| {
        let detail = if found == wanted {
            found.to_owned()
        } else {
            format!("it says {found}, the cluster says {wanted}")
        };
        checks.push(Check { what: what.to_owned(), ok: found == wanted, detail });
    };
    same("the receipt is of this job", &receipt.plan.job, key);
    same("the receipt is of this run", &receipt.plan.run, &status.run);
    same(
        "the result is the one that the operator saw",
        &receipt.result.hash,
        status.result_hash.as_deref().unwrap_or_default(),
    );
    checks
}

fn text(status: &PrivateJobStatus, answers: &Answers, checks: usize, args: &ResultArgs) -> String {
    let mut text = format!("\n{}\n", table::shown(answers));
    let devices: std::collections::BTreeSet<&str> = status
        .parties
        .iter()
        .map(|party| party.device.as_str())
        .filter(|device| !device.is_empty())
        .collect();
    if !devices.is_empty() {
        text += &format!(
            "computed on {}\n",
            devices.into_iter().map(table::digits::clean).collect::<Vec<_>>().join(", ")
        );
    }
    text += &format!("all {checks} checks of the receipt hold\n");
    if let Some(out) = &args.out {
        let out = out.display();
        text += &format!("written: {out}/result.json, {out}/receipt.json\n");
        text +=
            &format!("to check it again: veilgrid verify {out}/receipt.json --result {out}/result.json\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is no receipt is told as such, and a job that is another's is no excuse.
    #[test]
    fn a_receipt_that_is_none_is_refused() {
        let job = json!({"metadata": {"name": "a"}, "spec": {"parties": [], "privacy": {"epsilon": 1}, "computation": {}}});
        let job: PrivateJob = serde_json::from_value(job).unwrap();
        let opened = Opened { result: "{}".into(), receipt: "{}".into() };
        let checks = check("research/a", &job, &PrivateJobStatus::default(), &opened);
        assert!(checks.iter().any(|check| !check.ok), "{checks:?}");
    }
}
