//! What a party is told: its manifest, its configuration, and who it is.

use super::{
    super::validate::{Accepted, Participant, Rows},
    typed,
};
use crate::names::{PORT, Seat};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use veilgrid_api::{
    cluster::Access,
    dataset::PrivateDatasetSpec,
    job::{PrivateJob, PrivateJobSpec},
    manifest::{API_VERSION, Kind, Object},
};

/// Where the rows' volume is mounted.
pub(super) const DATA: &str = "/data";
/// Where the credentials of the rows' object store are mounted.
pub(super) const CREDENTIALS: &str = "/etc/veilgrid-store";
/// Where the Secret is mounted.
pub(super) const PARAMS: &str = "/etc/veilgrid";
/// The configuration in the Secret, before it is known whose it is.
pub(super) const CONFIG: &str = "config.json";
/// Where a key that was born on the node is mounted.
pub(super) const IDENTITY: &str = "/var/run/veilgrid";
/// The party's lasting folder.
pub(super) const STATE: &str = "/var/lib/veilgrid";
/// Where result and receipt are written.
pub(super) const OUT: &str = "/out";
/// The container's last words.
pub(super) const TERMINATION: &str = "/dev/termination-log";
/// Seconds until all parties must run, where the job does not say.
pub(in crate::job) const READY: u32 = 600;

pub(super) fn secret(
    metadata: ObjectMeta,
    job: &PrivateJob,
    accepted: &Accepted,
    seats: &[Seat<'_>],
    me: usize,
    tls: Value,
) -> Secret {
    let peers: Map<String, Value> = seats
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != me)
        .map(|(_, seat)| (seat.party.to_owned(), seat.address().into()))
        .collect();
    let mut config = json!({
        "manifest": format!("{PARAMS}/manifest.yaml"),
        "party": accepted.parties[me].name,
        "run": accepted.run,
        "state": state(&accepted.parties[me], &seats[me]),
        "out": OUT,
        "listen": format!("0.0.0.0:{PORT}"),
        "peers": peers,
        "tls": tls,
        // A peer's pod may need a node first.
        "patienceSeconds": job.spec.ready_deadline_seconds.unwrap_or(READY),
        "termination": TERMINATION,
        "printResult": true,
    });
    if seats[me].round > 0 {
        (config["resume"], config["begun"]) = (true.into(), true.into());
    }
    if let Rows::Store(store) = &accepted.parties[me].rows {
        config["store"] = json!({"credentials": store.secret.as_ref().map(|_| CREDENTIALS)});
    }
    Secret {
        metadata,
        immutable: Some(true),
        string_data: Some(BTreeMap::from([
            (CONFIG.to_owned(), config.to_string()),
            ("manifest.yaml".to_owned(), manifest(accepted, me)),
        ])),
        ..typed(json!({"apiVersion": "v1", "kind": "Secret"}))
    }
}

/// The configuration for the pod of the Job that has this uid. A Secret outlives its Job for a moment, and a pod of another Job of the same
/// name does not find what it looks for.
pub(super) fn config(uid: &str) -> String {
    format!("{uid}.json")
}

/// The party's state folder: on a volume that others use too it has one for each attempt.
fn state(party: &Participant, seat: &Seat<'_>) -> String {
    match party.state {
        Some(_) => format!("{STATE}/{}", seat.claim_name()),
        None => STATE.into(),
    }
}

/// The manifest as this party may see it: of the other owners, the public schema only.
fn manifest(accepted: &Accepted, me: usize) -> String {
    let manifest = &accepted.manifest;
    let mine = &accepted.parties[me];
    let mut documents: Vec<Value> =
        manifest.jobs.iter().map(|job| document(job, &computed(&job.spec))).collect();
    for dataset in &manifest.datasets {
        let own = dataset.name == mine.dataset && dataset.namespace == mine.namespace;
        documents.push(document(dataset, &shown(dataset, own)));
    }
    for budget in &manifest.budgets {
        let own = budget.name == mine.budget && budget.namespace == mine.namespace;
        let mut spec = budget.spec.clone();
        if !own {
            // Enough to pay for the job, whatever there is.
            let parties = accepted.parties.len() as f64;
            spec.epsilon = (accepted.epsilon.to_f64() * parties * 2.0).min(1e6);
            spec.delta = (accepted.delta.to_f64() * parties * 2.0).min(0.1);
        }
        documents.push(document(budget, &spec));
    }
    // JSON is YAML.
    documents.iter().map(|document| format!("---\n{document}\n")).collect()
}

/// A job's spec without what matters to the cluster only: a party's image may be older than a field of that kind.
fn computed(spec: &PrivateJobSpec) -> PrivateJobSpec {
    PrivateJobSpec {
        accelerator: None,
        placement: None,
        queue_name: None,
        result: None,
        managed_by: None,
        suspend: false,
        ready_deadline_seconds: None,
        active_deadline_seconds: None,
        backoff_limit: None,
        ttl_seconds_after_finished: None,
        ..spec.clone()
    }
}

/// A dataset's spec: with the place of the rows in the pod where it is this party's, without one where it is another's.
fn shown(dataset: &Object<PrivateDatasetSpec>, own: bool) -> PrivateDatasetSpec {
    let mut spec = dataset.spec.clone();
    spec.source.format = spec.source.resolved_format();
    if !own {
        spec.source.object_store = None;
        spec.source.path = "elsewhere".into();
    } else if spec.source.volume.take().is_some() {
        spec.source.path = format!("{DATA}/{}", spec.source.path);
    }
    spec.source.volume = None;
    spec.access = None::<Access>;
    spec.state = None;
    spec
}

fn document<Spec: Kind>(object: &Object<Spec>, spec: &impl Serialize) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": Spec::KIND,
        "metadata": {"name": object.name, "namespace": object.namespace},
        "spec": spec,
    })
}
