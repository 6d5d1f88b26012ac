//! Claims: what jobs ask of budgets, and what became of it.

use super::{Cluster, trouble};
use crate::failure::Failure;
use kube::{ResourceExt, api::ListParams};
use serde::Serialize;
use veilgrid_api::{
    budget::{PrivacyBudget, PrivacyBudgetStatus},
    claim::{Outcome, PrivacyClaim},
    labels::JOB_UID,
};

/// Claims that the API server gives at once.
const PAGE: u32 = 500;

/// How a claim stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// Its owner has not approved it.
    Waiting,
    /// It is approved, and no budget has answered.
    Asked,
    /// A budget holds the amount.
    Reserved,
    /// The amount is gone.
    Spent,
    /// The amount is free again.
    Released,
    /// The budget could not pay.
    Refused,
}

/// How a claim stands with its budget.
pub(crate) fn standing(claim: &PrivacyClaim, budget: Option<&PrivacyBudgetStatus>) -> Standing {
    let outcome = claim.status.as_ref().and_then(|status| status.outcome);
    let held = |status: &PrivacyBudgetStatus| {
        status.reservations.iter().any(|held| Some(&held.uid) == claim.metadata.uid.as_ref())
    };
    match outcome {
        Some(Outcome::Spent) => Standing::Spent,
        Some(Outcome::Released) => Standing::Released,
        Some(Outcome::Refused) => Standing::Refused,
        None if !claim.spec.approved => Standing::Waiting,
        None if budget.is_some_and(held) => Standing::Reserved,
        None => Standing::Asked,
    }
}

/// When it was made, as the cluster writes it.
pub(crate) fn made(claim: &PrivacyClaim) -> String {
    claim.metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()).unwrap_or_default()
}

/// The claims of a namespace, or of all where there is none, with these labels, the newest first.
///
/// # Errors
/// The API server's.
pub(crate) async fn list(
    cluster: &Cluster,
    namespace: Option<&str>,
    labels: Option<&str>,
) -> Result<Vec<PrivacyClaim>, kube::Error> {
    let api = match namespace {
        Some(namespace) => cluster.api(namespace),
        None => kube::Api::<PrivacyClaim>::all(cluster.client.clone()),
    };
    let mut params = ListParams::default().limit(PAGE);
    if let Some(labels) = labels {
        params = params.labels(labels);
    }
    let mut claims = Vec::new();
    loop {
        let page = api.list(&params).await?;
        let more = page.metadata.continue_.filter(|token| !token.is_empty());
        claims.extend(page.items);
        match more {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    claims.sort_by_key(|claim| std::cmp::Reverse((made(claim), claim.name_any())));
    Ok(claims)
}

/// What a party of a job was charged, as far as the user may know.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Charge {
    pub(crate) party: String,
    pub(crate) namespace: String,
    /// Each attempt's claim, the newest first; absent where the user may not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<Vec<Charged>>,
}

impl Charge {
    /// Whether nothing more will become of it, as far as it is seen.
    pub(crate) fn is_settled(&self) -> bool {
        let open =
            |of: &Charged| matches!(of.state, Standing::Waiting | Standing::Asked | Standing::Reserved);
        !self.claims.iter().flatten().any(open)
    }
}

/// A claim of a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Charged {
    pub(crate) claim: String,
    pub(crate) epsilon: String,
    pub(crate) delta: String,
    pub(crate) state: Standing,
    pub(crate) message: String,
}

/// What each party of a job, with its namespace, was charged.
///
/// # Errors
/// The cluster's, but for a lack of rights.
pub(crate) async fn charges(
    cluster: &Cluster,
    uid: &str,
    parties: &[(String, String)],
) -> Result<Vec<Charge>, Failure> {
    let labels = format!("{JOB_UID}={uid}");
    let mut charges = Vec::new();
    for (party, namespace) in parties {
        let claims = match list(cluster, Some(namespace), Some(&labels)).await {
            Ok(found) => Some(found.iter().filter(|claim| claim.spec.party == *party).map(charged).collect()),
            Err(error) if trouble::is_forbidden(&error) => None,
            Err(error) => return Err(trouble::failure(&error, &format!("list the claims of {namespace}"))),
        };
        charges.push(Charge { party: party.clone(), namespace: namespace.clone(), claims });
    }
    Ok(charges)
}

fn charged(claim: &PrivacyClaim) -> Charged {
    Charged {
        claim: claim.name_any(),
        epsilon: claim.spec.epsilon.to_string(),
        delta: claim.spec.delta.to_string(),
        state: standing(claim, None),
        message: claim.status.as_ref().map(|status| status.message.clone()).unwrap_or_default(),
    }
}

/// The budget of a claim, where the user may see it.
pub(crate) async fn budget(cluster: &Cluster, claim: &PrivacyClaim) -> Option<PrivacyBudget> {
    let namespace = claim.namespace()?;
    cluster.api::<PrivacyBudget>(&namespace).get(&claim.spec.budget).await.ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// A claim of `research/hospitals` in the namespace north.
    pub(crate) fn claim(name: &str, approved: bool, outcome: Option<&str>) -> PrivacyClaim {
        let object = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivacyClaim",
            "metadata": {"name": name, "namespace": "north", "uid": format!("uid-{name}"), "creationTimestamp": "2026-11-25T01:02:03Z"},
            "spec": {
                "job": {"namespace": "research", "name": "hospitals", "uid": "job-uid"}, "party": "north", "dataset": "patients",
                "budget": "patients", "run": "0".repeat(32), "plan": "ab".repeat(32), "epsilon": "3", "delta": "0.000000001", "approved": approved,
            },
            "status": {"outcome": outcome, "message": ""},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_claim_stands_as_its_outcome_and_its_budget_say() {
        let status = json!({"reservations": ["uid-held held 3 0"]});
        let status: PrivacyBudgetStatus = serde_json::from_value(status).unwrap();
        let of = |claim: &PrivacyClaim| standing(claim, Some(&status));
        assert_eq!(of(&claim("held", false, None)), Standing::Waiting);
        assert_eq!(of(&claim("other", true, None)), Standing::Asked);
        assert_eq!(of(&claim("held", true, None)), Standing::Reserved);
        // An outcome comes before the budget books it.
        assert_eq!(of(&claim("held", true, Some("Spent"))), Standing::Spent);
        assert_eq!(of(&claim("held", true, Some("Released"))), Standing::Released);
        assert_eq!(of(&claim("held", false, Some("Refused"))), Standing::Refused);
    }
}
