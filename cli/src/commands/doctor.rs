//! `veilgrid doctor`: whether a cluster has what jobs need.

use crate::{
    cluster::{
        ClusterArgs, block_on,
        doctor::{self, Verdict},
    },
    failure::Failure,
    output,
};
use clap::Args;
use veilgrid_party::exit::Exit;

/// Says whether a cluster has what jobs need, and what to do where it has not
///
/// Custom resources and their version, the operator, your rights in the namespace, DNS, NetworkPolicy, where keys are born,
/// accelerators and their drivers. It looks and changes nothing; what you may not see is a warning.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid doctor -n research
  veilgrid doctor --context production -n north
  veilgrid doctor --json | jq '.findings[] | select(.verdict != \"ok\")'

Exit codes: 0 no problem (there may be warnings), 11 a problem.")]
pub(crate) struct DoctorArgs {
    /// Prints one JSON object instead of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    block_on(async {
        let cluster = args.cluster.connect().await?;
        let findings = doctor::examine(&cluster).await;
        let ok = findings.iter().all(|finding| finding.verdict != Verdict::Problem);
        match args.json {
            true => output::json(&serde_json::json!({
                "ok": ok, "cluster": cluster.url, "namespace": cluster.namespace, "findings": findings,
            }))?,
            false => output::say(&doctor::text(&findings))?,
        }
        // Each problem was told with its remedy.
        if ok { Ok(()) } else { Err(Failure::new(Exit::Cluster, "")) }
    })
}
