//! The budgets of a cluster: totals, what is held and spent, and the last claims.

use super::{
    Cluster,
    claims::{self, Standing},
    trouble,
};
use crate::{failure::Failure, output};
use kube::{Api, ResourceExt, api::ListParams};
use serde::Serialize;
use veilgrid_api::{
    budget::{Amounts, PrivacyBudget},
    claim::PrivacyClaim,
};
use veilgrid_party::exit::Exit;

/// Settled claims of each budget that are shown. Open ones all are.
const LAST: usize = 10;

/// A budget with its claims.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// `namespace/name`.
    budget: String,
    /// Absent where the operator has not looked at it yet.
    #[serde(flatten)]
    figures: Option<Figures>,
    /// The newest first; absent where the user may not see claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    total: Amounts,
    spent: Amounts,
    reserved: Amounts,
    remaining: Amounts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    since: String,
    claim: String,
    job: String,
    epsilon: String,
    delta: String,
    state: Standing,
}

/// The budgets of the cluster's namespace, or of all namespaces.
///
/// # Errors
/// The cluster does not give them.
pub(crate) async fn lines(cluster: &Cluster, all: bool) -> Result<Vec<Line>, Failure> {
    let namespace = (!all).then_some(cluster.namespace.as_str());
    let place = namespace.map_or("all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
    let api: Api<PrivacyBudget> = match namespace {
        Some(namespace) => cluster.api(namespace),
        None => Api::all(cluster.client.clone()),
    };
    let failed =
        |error: &kube::Error, what: &str| trouble::failure(error, &format!("list the {what} of {place}"));
    let budgets = api.list(&ListParams::default()).await.map_err(|error| failed(&error, "budgets"))?.items;
    if budgets.is_empty() {
        let message = format!("there is no PrivacyBudget in {place}; give another with -n, or -A for all");
        return Err(Failure::new(Exit::Usage, message));
    }
    let claims = match claims::list(cluster, namespace, None).await {
        Ok(claims) => Some(claims),
        Err(error) if trouble::is_forbidden(&error) => None,
        Err(error) => return Err(failed(&error, "claims")),
    };
    Ok(budgets.iter().map(|budget| line(budget, claims.as_deref())).collect())
}

fn line(budget: &PrivacyBudget, claims: Option<&[PrivacyClaim]>) -> Line {
    let (namespace, name) = (budget.namespace().unwrap_or_default(), budget.name_any());
    let status = budget.status.as_ref();
    let figures = status.map(|status| Figures {
        total: status.total,
        spent: status.spent,
        reserved: status.reserved,
        remaining: status.remaining,
    });
    let mine =
        |claim: &&PrivacyClaim| claim.namespace().as_ref() == Some(&namespace) && claim.spec.budget == name;
    let entries = claims.map(|claims| {
        let mut settled = 0;
        let shown = claims.iter().filter(mine).filter(|claim| {
            let is_open = claim.status.as_ref().is_none_or(|status| status.outcome.is_none());
            settled += usize::from(!is_open);
            is_open || settled <= LAST
        });
        shown
            .map(|claim| Entry {
                since: claims::made(claim),
                claim: claim.name_any(),
                job: format!("{}/{}", claim.spec.job.namespace, claim.spec.job.name),
                epsilon: claim.spec.epsilon.to_string(),
                delta: claim.spec.delta.to_string(),
                state: claims::standing(claim, status),
            })
            .collect()
    });
    Line { budget: format!("{namespace}/{name}"), figures, entries }
}

/// The budgets as tables.
pub(crate) fn text(lines: &[Line]) -> String {
    let row = |line: &Line, what: &str, of: fn(&Amounts) -> String| {
        let first = if what == "epsilon" { line.budget.clone() } else { String::new() };
        let amounts = line.figures.map(|of| [of.total, of.spent, of.reserved, of.remaining]);
        let figures =
            amounts.map_or_else(|| ["?"; 4].map(str::to_owned), |amounts| amounts.map(|amount| of(&amount)));
        [vec![first, what.to_owned()], figures.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = lines
        .iter()
        .flat_map(|line| {
            [row(line, "epsilon", |of| of.epsilon.to_string()), row(line, "delta", |of| of.delta.to_string())]
        })
        .collect();
    let mut text = output::columns(&["budget", "", "total<", "spent<", "reserved<", "remaining<"], &rows);
    let entries: Vec<Vec<String>> = lines
        .iter()
        .flat_map(|line| line.entries.iter().flatten().map(move |entry| (line, entry)))
        .map(|(line, entry)| {
            let state = match entry.state {
                Standing::Waiting => "waits for approval",
                Standing::Asked => "asked",
                Standing::Reserved => "reserved",
                Standing::Spent => "spent",
                Standing::Released => "released",
                Standing::Refused => "refused",
            };
            let cells = [&entry.since, &line.budget, &entry.claim, &entry.job, &entry.epsilon, &entry.delta];
            cells.into_iter().cloned().chain([state.to_owned()]).collect()
        })
        .collect();
    if !entries.is_empty() {
        let heads = ["time", "budget", "claim", "job", "epsilon<", "delta<", "state"];
        text += &format!("\n{}", output::columns(&heads, &entries));
    }
    if lines.iter().any(|line| line.figures.is_none()) {
        text += "\n?: the operator has not looked at it; `veilgrid doctor` says whether it is there\n";
    }
    if lines.iter().any(|line| line.entries.is_none()) {
        text += "\nyou may not see the claims\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::claims::tests::claim;
    use serde_json::json;

    fn budget(status: serde_json::Value) -> PrivacyBudget {
        let object = json!({"metadata": {"name": "patients", "namespace": "north"}, "spec": {"epsilon": 10}, "status": status});
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn figures_and_the_last_claims_are_shown() {
        let amounts = |epsilon: &str| json!({"epsilon": epsilon, "delta": "0.000000001"});
        let status = json!({"total": amounts("10"), "spent": amounts("3"), "reserved": amounts("0"), "remaining": amounts("7")});
        let mut claims = vec![claim("open", false, None)];
        claims.extend((0..LAST + 5).map(|index| claim(&format!("old-{index}"), true, Some("Spent"))));
        let mut other = claim("other", true, None);
        other.spec.budget = "more".into();
        claims.push(other);
        let line = line(&budget(status), Some(&claims));
        let entries = line.entries.as_ref().unwrap();
        assert_eq!(
            (entries.len(), entries[0].state, entries[1].state),
            (LAST + 1, Standing::Waiting, Standing::Spent)
        );
        let shown = text(&[line]);
        for word in [
            "north/patients  epsilon",
            "10",
            "0.000000001",
            "waits for approval",
            "research/hospitals",
            "old-9",
        ] {
            assert!(shown.contains(word), "{word:?} is not in\n{shown}");
        }
        assert!(!shown.contains("old-10") && !shown.contains('?'), "{shown}");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let shown = text(&[line(&budget(json!(null)), None)]);
        assert!(
            shown.contains("the operator has not looked at it") && shown.contains("may not see the claims"),
            "{shown}"
        );
    }
}
