//! Whether a cluster has what jobs need: each matter a finding, and what to do about it.

mod devices;
mod identity;
mod install;
mod network;
mod rights;

use super::{Cluster, trouble};
use crate::table::digits::clean;
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// How long the API server may take for its first answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Who can say more.
const ADMINISTRATOR: &str = "have who administers the cluster run `veilgrid doctor`";

/// How a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Jobs run, or may run; something is worth a look or cannot be seen.
    Warning,
    /// Jobs cannot run.
    Problem,
}

/// One matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) detail: String,
    /// What to do; empty where there is nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) remedy: String,
}

impl Finding {
    fn ok(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Ok, detail: detail.into(), remedy: String::new() }
    }

    fn warning(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Warning, detail: detail.into(), remedy: remedy.into() }
    }

    fn problem(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Problem, detail: detail.into(), remedy: remedy.into() }
    }

    /// What cannot be seen is no problem of the cluster.
    fn unseen(what: &'static str, error: &kube::Error, doing: &str) -> Self {
        match trouble::is_forbidden(error) {
            true => Self::warning(what, format!("not known: you may not {doing}"), ADMINISTRATOR),
            false => Self::warning(what, trouble::words(error, doing), "try again"),
        }
    }
}

/// Looks at everything, in the order in which it is needed.
pub(crate) async fn examine(cluster: &Cluster) -> Vec<Finding> {
    const WHAT: &str = "API server";
    let remedy = "check --context and --kubeconfig, and whether the cluster runs";
    let url = clean(&cluster.url);
    let version = match timeout(PATIENCE, cluster.client.apiserver_version()).await {
        Ok(Ok(version)) => version.git_version,
        Ok(Err(error)) => {
            let detail = trouble::words(&error, &format!("ask {url} for its version"));
            return vec![Finding::problem(WHAT, detail, remedy)];
        }
        Err(_) => {
            let detail = format!("{url} does not answer within {} s", PATIENCE.as_secs());
            return vec![Finding::problem(WHAT, detail, remedy)];
        }
    };
    let mut findings = vec![install::server(&url, &version)];
    findings.push(install::definitions(cluster).await);
    findings.push(install::operator(cluster).await);
    findings.push(rights::rights(cluster).await);
    findings.push(network::names(cluster).await);
    findings.push(network::policies(cluster, &version).await);
    findings.push(identity::identity(cluster).await);
    findings.push(devices::resources(cluster).await);
    findings.push(devices::classes(cluster).await);
    findings
}

/// The findings, a line or two for each.
pub(crate) fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { what, verdict, detail, remedy } in findings {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        text += &format!("{word:<9}{what}: {}\n", clean(detail));
        if !remedy.is_empty() {
            text += &format!("{:<9}  {}\n", "", clean(remedy));
        }
    }
    let count = |of: Verdict| findings.iter().filter(|finding| finding.verdict == of).count();
    let (warnings, problems) = (count(Verdict::Warning), count(Verdict::Problem));
    text += &match (warnings, problems) {
        (0, 0) => "all is well\n".to_owned(),
        (_, 0) => format!("no problem; warnings: {warnings}\n"),
        _ => format!("problems: {problems}; warnings: {warnings}\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_with_its_remedy_below() {
        let found = [
            Finding::ok("a", "fine"),
            Finding::warning("b", "odd\u{1b}", "look"),
            Finding::problem("c", "gone", "bring it back"),
        ];
        let shown = "ok       a: fine\nwarning  b: odd\u{fffd}\n           look\nPROBLEM  c: gone\n           bring it back\nproblems: 1; warnings: 1\n";
        assert_eq!(text(&found), shown);
        assert!(text(&found[..2]).ends_with("no problem; warnings: 1\n"));
        assert!(text(&found[..1]).ends_with("all is well\n"));
    }

    #[test]
    fn what_may_not_be_seen_is_no_problem() {
        let answer = super::trouble::tests::answer;
        let finding = Finding::unseen("nodes", &answer(403, "no", None), "list nodes");
        assert_eq!(
            (finding.verdict, finding.detail.as_str()),
            (Verdict::Warning, "not known: you may not list nodes")
        );
        assert!(Finding::unseen("nodes", &answer(500, "oh", None), "list nodes").detail.contains("oh"));
    }
}
