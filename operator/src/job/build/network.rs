//! Who may speak to a party.

use super::{super::validate::Accepted, typed};
use crate::names::{JOB_UID, MANAGED_BY, MANAGER, PARTY, PORT, Seat};
use k8s_openapi::{api::networking::v1::NetworkPolicy, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_json::{Value, json};

/// Lets the pods of one job reach each other's port and the cluster's names, and nothing else.
pub(super) fn policy(metadata: ObjectMeta, accepted: &Accepted, seat: &Seat<'_>) -> NetworkPolicy {
    let mut namespaces: Vec<&str> = accepted.parties.iter().map(|party| party.namespace.as_str()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let peers: Vec<Value> = namespaces
        .iter()
        .map(|namespace| {
            json!({
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "podSelector": {"matchLabels": {MANAGED_BY: MANAGER, JOB_UID: seat.uid}},
            })
        })
        .collect();
    let port = json!([{"protocol": "TCP", "port": PORT}]);
    let names = json!([{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]);
    let mut policy: NetworkPolicy = typed(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {},
        "spec": {
            "podSelector": {"matchLabels": {JOB_UID: seat.uid, PARTY: seat.party}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers, "ports": port}],
            "egress": [{"to": peers, "ports": port}, {"ports": names}],
        },
    }));
    policy.metadata = metadata;
    policy
}
