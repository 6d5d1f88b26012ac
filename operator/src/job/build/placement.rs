//! Where a party's pod may run.

use crate::names::{self, ATTEMPT, JOB_UID, Seat};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use veilgrid_api::{
    affinity::{Affinity, Apart, TopologySpread},
    cluster::Placement,
    job::PrivateJob,
};

/// Writes the job's placement into a pod's spec. The pods that affinity and spread mean are those of the attempt.
pub(super) fn apply(pod: &mut Value, placement: &Placement, job: &PrivateJob, seat: &Seat<'_>) {
    let selector = json!({"matchLabels": {JOB_UID: seat.uid, ATTEMPT: seat.attempt.to_string()}});
    let namespaces = names::seats(job).unwrap_or_default();
    let namespaces: BTreeSet<&str> = namespaces.iter().map(|seat| seat.namespace).collect();
    let apart = |apart: &Apart| json!({"topologyKey": apart.topology_key, "labelSelector": selector, "namespaces": namespaces});
    let spread = |spread: &TopologySpread| {
        let mut constraint = json!(spread);
        constraint["labelSelector"] = selector.clone();
        constraint
    };
    let affinity = |affinity: &Affinity| {
        let pods = affinity.pod_anti_affinity.as_ref().map(|pods| {
            let required = pods.required_during_scheduling_ignored_during_execution.iter().map(apart);
            let preferred = pods.preferred_during_scheduling_ignored_during_execution.iter();
            let preferred = preferred.map(|preferred| {
                let term = apart(&preferred.pod_affinity_term);
                json!({"weight": preferred.weight, "podAffinityTerm": term})
            });
            json!({
                "requiredDuringSchedulingIgnoredDuringExecution": required.collect::<Vec<_>>(),
                "preferredDuringSchedulingIgnoredDuringExecution": preferred.collect::<Vec<_>>(),
            })
        });
        json!({"nodeAffinity": affinity.node_affinity, "podAntiAffinity": pods})
    };
    let spreads: Vec<Value> = placement.topology_spread.iter().map(spread).collect();
    for (field, value) in [
        ("nodeSelector", json!(placement.node_selector)),
        ("tolerations", json!(placement.tolerations)),
        ("affinity", json!(placement.affinity.as_ref().map(affinity))),
        ("topologySpreadConstraints", json!(spreads)),
        ("runtimeClassName", json!(placement.runtime_class_name)),
        ("priorityClassName", json!(placement.priority_class_name)),
    ] {
        pod[field] = value;
    }
}
