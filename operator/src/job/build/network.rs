//! Who may speak to a party, and to whom it may.

use super::{
    super::validate::{Participant, Rows},
    metadata, typed,
};
use crate::names::{JOB_UID, MANAGED_BY, MANAGER, PARTY, PORT, Seat};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::IpAddr};
use veilgrid_api::store::ObjectStore;

/// Lets the pods of one job reach each other's port and the cluster's names, and nothing else; one policy a namespace, named
/// like its first party's objects. A party whose rows are in an object store may reach that too, by a policy of its own.
pub(in crate::job) fn policies(seats: &[Seat<'_>], parties: &[Participant]) -> Vec<NetworkPolicy> {
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
    let policy = |seat: &&Seat<'_>| {
        let mut policy: NetworkPolicy = typed(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {},
            "spec": {
                "podSelector": {"matchLabels": {JOB_UID: seat.uid}},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": peers, "ports": port}],
                "egress": [{"to": peers, "ports": port}, names()],
            },
        }));
        policy.metadata = metadata(seat.name(), seat.namespace, seat.job_labels());
        policy
    };
    let stores = seats.iter().zip(parties).filter_map(|(seat, party)| match &party.rows {
        Rows::Volume(_) => None,
        Rows::Store(found) => store(seat, found),
    });
    namespaces.values().map(policy).chain(stores).collect()
}

/// The rule of egress to a store's port. Policies know no names: where the store is no address, any host of that port.
pub(super) fn way_to(store: &ObjectStore) -> Option<Value> {
    let server = store.server()?;
    let mut rule = json!({"ports": [{"protocol": "TCP", "port": server.port}]});
    if let Ok(address) = server.host.parse::<IpAddr>() {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        rule["to"] = json!([{"ipBlock": {"cidr": format!("{address}/{bits}")}}]);
    }
    Some(rule)
}

/// The rule of egress to the cluster's names.
pub(super) fn names() -> Value {
    json!({"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]})
}

/// Lets one party's pod out to its store.
fn store(seat: &Seat<'_>, store: &ObjectStore) -> Option<NetworkPolicy> {
    let rule = way_to(store)?;
    let mut policy: NetworkPolicy = typed(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {},
        "spec": {
            "podSelector": {"matchLabels": {JOB_UID: seat.uid, PARTY: seat.party}},
            "policyTypes": ["Egress"],
            "egress": [rule],
        },
    }));
    policy.metadata = metadata(seat.store_policy(), seat.namespace, seat.labels());
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(url: &str, endpoint: Option<&str>) -> Participant {
        let store = ObjectStore {
            url: url.into(),
            endpoint: endpoint.map(Into::into),
            region: None,
            secret: Some("store".into()),
        };
        Participant {
            name: "north".into(),
            namespace: "owner".into(),
            dataset: "rows".into(),
            budget: "rows".into(),
            rows: Rows::Store(store),
            approval: Default::default(),
            state: None,
        }
    }

    #[test]
    fn only_the_party_of_a_store_gets_out_and_only_to_it() {
        let seat = |party| Seat {
            job_namespace: "research",
            job: "job",
            uid: "uid",
            party,
            namespace: "owner",
            attempt: 1,
            round: 0,
        };
        let volume = Participant { rows: Rows::Volume(typed(json!({"claim": "rows"}))), ..party("", None) };
        let seats = [seat("north"), seat("south")];
        let policies = policies(&seats, &[party("s3://a", Some("http://10.0.0.1:9000")), volume]);
        let specs: Vec<Value> = policies.iter().map(|policy| json!(policy.spec)).collect();
        assert_eq!(specs.len(), 2);
        let ports = |rule: &Value| {
            rule["ports"].as_array().unwrap().iter().map(|p| p["port"].clone()).collect::<Vec<_>>()
        };
        for rule in specs[0]["egress"].as_array().unwrap() {
            assert!([vec![json!(PORT)], vec![json!(53), json!(53)]].contains(&ports(rule)), "{rule}");
        }
        let out = json!([{"ports": [{"protocol": "TCP", "port": 9000}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}]);
        assert_eq!(specs[1]["egress"], out);
        assert_eq!(specs[1]["podSelector"], json!({"matchLabels": {JOB_UID: "uid", PARTY: "north"}}));
        let named = store(
            &seats[0],
            match &party("gs://a", None).rows {
                Rows::Store(store) => store,
                Rows::Volume(_) => unreachable!(),
            },
        );
        let spec = json!(named.unwrap().spec);
        assert_eq!(spec["egress"], json!([{"ports": [{"protocol": "TCP", "port": 443}]}]));
    }
}
