//! `veilgrid approve`: a data owner agrees to what a job asks of a dataset.

use crate::{
    cluster::{
        Cluster, ClusterArgs, MANAGER, block_on,
        claims::{self, Standing},
        job::JobName,
        trouble,
    },
    failure::Failure,
    output,
    table::digits::clean,
};
use clap::Args;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use std::io::{self, BufRead, IsTerminal, Write};
use veilgrid_api::{budget::PrivacyBudget, claim::PrivacyClaim};
use veilgrid_party::exit::Exit;

/// Shows what a job asks of your dataset, and approves it
///
/// For datasets with `approval: Manual`. A job's claim is in the namespace of the dataset. It is bound to the plan whose hash it
/// bears: what is computed cannot change afterwards, and the approval cannot be taken back.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid approve research/hospitals -n north
  veilgrid approve hospitals-north-5a21c90e-a1 -n north --yes
  kubectl -n research get privatejob hospitals -o yaml    # all that it computes

Exit codes: 0 approved, 2 there is no such claim or it is settled, 9 not
approved, 11 the cluster.")]
pub(crate) struct ApproveArgs {
    /// A PrivacyClaim, or the PrivateJob that asks: NAME or NAMESPACE/NAME
    #[arg(value_name = "CLAIM|JOB")]
    asks: JobName,
    /// Approves without a question
    #[arg(short, long)]
    yes: bool,
    /// Prints one JSON object: the claims, each with its state (needs --yes)
    #[arg(long, requires = "yes")]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &ApproveArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let found = find(&cluster, &args.asks).await?;
        let waiting: Vec<&PrivacyClaim> = found.iter().filter(|claim| !claim.spec.approved).collect();
        if !args.json {
            for claim in &found {
                let budget = claims::budget(&cluster, claim).await;
                output::say(&text(claim, budget.as_ref()))?;
            }
        }
        if !waiting.is_empty() && !args.yes {
            confirm(waiting.len())?;
        }
        for claim in &waiting {
            approve(&cluster, claim).await?;
        }
        if args.json {
            let claim = |claim: &PrivacyClaim| json!({"claim": claim.name_any(), "namespace": claim.namespace(), "spec": claim.spec, "approved": true});
            return output::json(&json!({"claims": found.iter().map(claim).collect::<Vec<_>>()}));
        }
        output::say(match waiting.is_empty() {
            true => "it was approved before\n",
            false => "approved\n",
        })
    })
}

/// The open claims that are meant.
async fn find(cluster: &Cluster, asks: &JobName) -> Result<Vec<PrivacyClaim>, Failure> {
    let home = &cluster.namespace;
    let all = claims::list(cluster, Some(home), None)
        .await
        .map_err(|error| trouble::failure(&error, &format!("list the claims of namespace {home}")))?;
    choose(all, asks, home).map_err(|message| Failure::new(Exit::Usage, message))
}

/// Of a namespace's claims, the newest first, those that are meant and open: the one of that name, or those of the job's present
/// attempt. `Err` says why there are none.
fn choose(all: Vec<PrivacyClaim>, asks: &JobName, home: &str) -> Result<Vec<PrivacyClaim>, String> {
    let name = &asks.name;
    let is_settled =
        |claim: &PrivacyClaim| claim.status.as_ref().is_some_and(|status| status.outcome.is_some());
    let here = asks.namespace.as_ref().is_none_or(|namespace| namespace == home);
    if let Some(claim) = all.iter().find(|claim| here && claim.name_any() == *name) {
        return match is_settled(claim) {
            true => Err(format!(
                "the claim {home}/{name} is settled: {:?}; nothing can be approved any more",
                claims::standing(claim, None)
            )),
            false => Ok(vec![claim.clone()]),
        };
    }
    let job = |claim: &PrivacyClaim| {
        let of = &claim.spec.job;
        of.name == *name && asks.namespace.as_ref().is_none_or(|namespace| *namespace == of.namespace)
    };
    let open: Vec<PrivacyClaim> =
        all.iter().filter(|claim| job(claim) && !is_settled(claim)).cloned().collect();
    if open.is_empty() {
        let advice = match all.iter().any(job) {
            true => "all claims of that job are settled".to_owned(),
            false => "give the namespace of your dataset with -n".to_owned(),
        };
        let waiting: Vec<String> = all
            .iter()
            .filter(|claim| claims::standing(claim, None) == Standing::Waiting)
            .take(8)
            .map(|claim| {
                format!("{} of {}/{}", claim.name_any(), claim.spec.job.namespace, claim.spec.job.name)
            })
            .collect();
        let waiting = match waiting.is_empty() {
            true => format!("nothing waits for approval in {home}"),
            false => format!("in {home} there wait {}", waiting.join(", ")),
        };
        return Err(format!(
            "no open claim in {home} is named {name} or is of a job of that name: {advice}; {waiting}"
        ));
    }
    let mut jobs: Vec<String> =
        open.iter().map(|claim| format!("{}/{}", claim.spec.job.namespace, name)).collect();
    jobs.sort();
    jobs.dedup();
    match jobs.len() {
        1 => Ok(open),
        _ => Err(format!("several jobs of that name ask: name one of {}", jobs.join(", "))),
    }
}

/// What a claim asks, for the person who is to agree.
fn text(claim: &PrivacyClaim, budget: Option<&PrivacyBudget>) -> String {
    let spec = &claim.spec;
    let left = match budget.and_then(|budget| budget.status.as_ref()) {
        Some(status) => format!(
            " (epsilon {} and delta {} of it are left)",
            status.remaining.epsilon, status.remaining.delta
        ),
        None => String::new(),
    };
    let state = if spec.approved { "approved" } else { "waits for approval" };
    let rows = [
        ("claim", format!("{}/{}, {state}", claim.namespace().unwrap_or_default(), claim.name_any())),
        ("asked at", claims::made(claim)),
        ("by job", format!("{}/{}", spec.job.namespace, spec.job.name)),
        ("party", spec.party.clone()),
        ("dataset", spec.dataset.clone()),
        ("budget", format!("{}{left}", spec.budget)),
        ("epsilon", spec.epsilon.to_string()),
        ("delta", spec.delta.to_string()),
        ("plan", format!("SHA-256 {}", spec.plan)),
        ("run", spec.run.clone()),
    ];
    rows.iter().map(|(name, value)| format!("{name:>10}  {}\n", clean(value))).collect()
}

/// Asks the person at the terminal.
fn confirm(count: usize) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        let message = "nobody is there to be asked: read what it asks, then give --yes";
        return Err(Failure::new(Exit::Usage, message));
    }
    let what = if count == 1 { "this claim".to_owned() } else { format!("these {count} claims") };
    let failed = |error: io::Error| {
        Failure::new(Exit::State, format!("the question cannot be asked: {error}; give --yes"))
    };
    write!(io::stderr(), "approve {what}? It cannot be taken back. [y/N] ")
        .and_then(|()| io::stderr().flush())
        .map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Interrupted, "not approved; nothing was changed")),
    }
}

async fn approve(cluster: &Cluster, claim: &PrivacyClaim) -> Result<(), Failure> {
    let (namespace, name) = (claim.namespace().unwrap_or_default(), claim.name_any());
    // The uid, so that no other claim of the name is approved.
    let patch = json!({"metadata": {"uid": claim.metadata.uid}, "spec": {"approved": true}});
    let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
    cluster
        .api::<PrivacyClaim>(&namespace)
        .patch(&name, &params, &Patch::Merge(&patch))
        .await
        .map(drop)
        .map_err(|error| trouble::failure(&error, &format!("approve the claim {namespace}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::claims::tests::claim;

    fn chosen(all: &[PrivacyClaim], asks: &str) -> Result<Vec<String>, String> {
        let found = choose(all.to_vec(), &asks.parse().unwrap(), "north")?;
        Ok(found.iter().map(ResourceExt::name_any).collect())
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_its_job() {
        let all = [claim("a2", false, None), claim("a1", true, Some("Released"))];
        for asks in ["a2", "north/a2", "hospitals", "research/hospitals"] {
            assert_eq!(chosen(&all, asks), Ok(vec!["a2".into()]), "{asks}");
        }
        assert!(chosen(&all, "a1").unwrap_err().contains("settled: Released"));
        let unknown = chosen(&all, "other/hospitals").unwrap_err();
        assert!(
            unknown.contains("there wait a2 of research/hospitals") && unknown.contains("-n"),
            "{unknown}"
        );
        assert!(chosen(&all[1..], "hospitals").unwrap_err().contains("all claims of that job are settled"));
        let mut other = claim("b1", false, None);
        other.spec.job.namespace = "office".into();
        let all = [all[0].clone(), other];
        assert!(chosen(&all, "hospitals").unwrap_err().contains("office/hospitals, research/hospitals"));
        assert_eq!(chosen(&all, "office/hospitals"), Ok(vec!["b1".into()]));
    }

    #[test]
    fn all_that_is_asked_is_shown() {
        let shown = text(&claim("a1", false, None), None);
        for word in [
            "north/a1, waits for approval",
            "research/hospitals",
            "patients",
            "  epsilon  3\n",
            "0.000000001",
            &"ab".repeat(32),
        ] {
            assert!(shown.contains(word), "{word:?} is not in\n{shown}");
        }
    }
}
