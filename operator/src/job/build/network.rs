//! Who may speak to a party.

use super::{metadata, typed};
use crate::names::{JOB_UID, MANAGED_BY, MANAGER, PORT, Seat};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Lets the pods of one job reach each other's port and the cluster's names, and nothing else; one policy a namespace, named
/// like its first party's objects.
pub(super) fn policies(seats: &[Seat<'_>]) -> Vec<NetworkPolicy> {
    let mut namespaces: BTreeMap<&str, &Seat<'_>> = BTreeMap::new();
    for seat in seats {
        namespaces.entry(seat.namespace).or_insert(seat);
    }
    let peers: Vec<Value> = namespaces
        .values()
        .map(|seat| {
            json!({
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": seat.namespace}},
                "podSelector": {"matchLabels": {MANAGED_BY: MANAGER, JOB_UID: seat.uid}},
            })
        })
        .collect();
    let port = json!([{"protocol": "TCP", "port": PORT}]);
    let names = json!([{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]);
    let policy = |seat: &&Seat<'_>| {
        let mut policy: NetworkPolicy = typed(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {},
            "spec": {
                "podSelector": {"matchLabels": {JOB_UID: seat.uid}},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": peers, "ports": port}],
                "egress": [{"to": peers, "ports": port}, {"ports": names}],
            },
        }));
        policy.metadata = metadata(seat.name(), seat.namespace, seat.job_labels());
        policy
    };
    namespaces.values().map(policy).collect()
}
