//! What brings a result to a volume or an object store: a Job of one pod in the job's own namespace, with its Secret and its policy. Pure.
//!
//! The pod may try as often as it takes: what it finds done counts as done. It has no part in the computation, and reaches no party.

use super::{
    PodSettings, metadata, network, owner,
    params::{CREDENTIALS, PARAMS, TERMINATION},
    party_job::{CPU, MEMORY, USER},
    typed,
};
use crate::{
    cache::JOB_NAME,
    names::{DELIVERY, PLACE, ROLE, Seat},
};
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Secret, networking::v1::NetworkPolicy},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use veilgrid_api::{
    cluster::ResultPlace,
    store::{ObjectStore, Provider},
};
use veilgrid_receipt::hex::hex;

/// Where the volume is mounted.
const ROOT: &str = "/result";

/// The objects of a delivery.
pub struct Delivery {
    /// One pod, as often as it takes.
    pub job: Job,
    /// Lets the pod out to its store, and to nobody else.
    pub policy: NetworkPolicy,
    /// What is delivered, and where to.
    pub secret: Secret,
}

impl Delivery {
    /// Makes Secret and policy the Job's, so that they go with it.
    pub fn owned_by(mut self, uid: String) -> Self {
        let owners = Some(vec![owner(self.job.metadata.name.clone().unwrap_or_default(), uid)]);
        self.policy.metadata.owner_references.clone_from(&owners);
        self.secret.metadata.owner_references = owners;
        self
    }
}

/// Tells places apart: 16 hexadecimal digits.
pub fn place_hash(place: &ResultPlace) -> String {
    let text = serde_json::to_string(place).expect("a place is JSON");
    hex(&Sha256::digest(text.as_bytes())[..8])
}

/// The objects that bring result and receipt to a place. `seat` is any of the attempt, and `job` owns them.
pub fn delivery(
    job: OwnerReference,
    seat: &Seat<'_>,
    place: &ResultPlace,
    result: String,
    receipt: String,
    settings: &PodSettings,
) -> Delivery {
    let name = seat.delivery_name();
    let mut labels = seat.delivery_labels();
    labels.insert(ROLE.into(), DELIVERY.into());
    let (volume, path) = mounted(place);
    let mut volumes = vec![json!({"name": "params", "secret": {"secretName": name, "defaultMode": 0o440}})];
    let mut mounts = vec![json!({"name": "params", "mountPath": PARAMS, "readOnly": true})];
    if let Some(volume) = volume {
        volumes.push(volume);
        mounts.push(json!({"name": "place", "mountPath": path, "readOnly": place.volume.is_none()}));
    }
    let mut made: Job = typed(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {},
        "spec": {
            // What keeps it is most often for somebody to put right: the node tries again, every five minutes in the end.
            "backoffLimit": i32::MAX,
            "template": {"metadata": {"labels": labels}, "spec": {
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "restartPolicy": "OnFailure",
                "terminationGracePeriodSeconds": 5,
                "securityContext": {
                    "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                    // What else is on the volume keeps its owners, where that can be.
                    "fsGroupChangePolicy": "OnRootMismatch",
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [{
                    "name": DELIVERY,
                    "image": settings.image,
                    "imagePullPolicy": settings.pull_policy,
                    "args": ["deliver", "--config", format!("{PARAMS}/config.json")],
                    "resources": {"requests": {"cpu": CPU, "memory": MEMORY}},
                    "terminationMessagePath": TERMINATION,
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "securityContext": {
                        "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": mounts,
                }],
                "volumes": volumes,
            }},
        },
    }));
    made.metadata = labelled(seat, place);
    made.metadata.owner_references = Some(vec![job]);
    let credentials = place.object_store.as_ref().and_then(|store| store.secret.as_ref());
    let config = json!({
        "files": PARAMS,
        "place": place,
        "root": ROOT,
        "store": {"credentials": credentials.map(|_| CREDENTIALS)},
        "termination": TERMINATION,
    });
    let secret = Secret {
        metadata: labelled(seat, place),
        string_data: Some(BTreeMap::from([
            ("config.json".to_owned(), config.to_string()),
            ("result.json".to_owned(), result),
            ("receipt.json".to_owned(), receipt),
        ])),
        ..typed(json!({"apiVersion": "v1", "kind": "Secret"}))
    };
    Delivery { job: made, policy: delivery_policy(seat, place), secret }
}

/// Lets the pod of a delivery out to its store, and to nobody else.
pub fn delivery_policy(seat: &Seat<'_>, place: &ResultPlace) -> NetworkPolicy {
    let mut policy: NetworkPolicy = typed(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {},
        "spec": {
            "podSelector": {"matchLabels": {JOB_NAME: seat.delivery_name()}},
            "policyTypes": ["Ingress", "Egress"],
            "egress": ways_out(place),
        },
    }));
    policy.metadata = labelled(seat, place);
    policy
}

fn labelled(seat: &Seat<'_>, place: &ResultPlace) -> ObjectMeta {
    let mut labels = seat.delivery_labels();
    labels.insert(PLACE.into(), place_hash(place));
    metadata(seat.delivery_name(), seat.job_namespace, labels)
}

/// The volume of the place, or of its store's credentials, and where it is mounted.
fn mounted(place: &ResultPlace) -> (Option<Value>, &'static str) {
    let (claim, store) = (&place.volume, &place.object_store);
    if let Some(volume) = claim {
        let claim = json!({"name": "place", "persistentVolumeClaim": {"claimName": volume.claim}});
        return (Some(claim), ROOT);
    }
    let secret = store.as_ref().and_then(|store| {
        let name = store.secret.as_ref()?;
        // Where it is missing the pod says so at once, and which keys it needs. What else is in it stays out.
        let keys: Vec<Value> = keys(store).iter().map(|key| json!({"key": key, "path": key})).collect();
        let secret = json!({"secretName": name, "optional": true, "defaultMode": 0o440, "items": keys});
        Some(json!({"name": "place", "secret": secret}))
    });
    (secret, CREDENTIALS)
}

/// The keys of a Secret that have credentials of a store.
fn keys(store: &ObjectStore) -> &'static [&'static str] {
    match store.bucket().map(|bucket| bucket.provider) {
        Some(Provider::S3) => &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ca.crt"],
        Some(Provider::Google) => &["GOOGLE_SERVICE_ACCOUNT_KEY", "ca.crt"],
        Some(Provider::Azure) => {
            &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "ca.crt"]
        }
        None => &[],
    }
}

/// Whom the pod may speak to.
fn ways_out(place: &ResultPlace) -> Vec<Value> {
    let store = place.object_store.as_ref().and_then(network::way_to);
    store.map_or_else(Vec::new, |rule| vec![rule, network::names()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::build::IdentitySource,
        names::{JOB, JOB_UID},
    };
    use proptest::prelude::*;

    const SEAT: Seat<'static> = Seat {
        job_namespace: "research",
        job: "stays",
        uid: "u",
        party: "north",
        namespace: "north",
        attempt: 2,
        round: 0,
    };

    fn built(place: &ResultPlace) -> Delivery {
        let settings = PodSettings {
            image: "party".into(),
            pull_policy: "Never".into(),
            identity: IdentitySource::Node,
            groups: None,
            queues: true,
        };
        let owner = owner("stays".into(), "u".into());
        delivery(owner, &SEAT, place, "result".into(), "receipt".into(), &settings).owned_by("j".into())
    }

    fn place(value: Value) -> ResultPlace {
        typed(value)
    }

    fn pod(delivery: &Delivery) -> Value {
        json!(delivery.job.spec.as_ref().unwrap().template)
    }

    #[test]
    fn a_volume_is_written_by_a_pod_that_speaks_to_nobody() {
        let made = built(&place(json!({"volume": {"claim": "results"}, "path": "2026/stays"})));
        let pod = pod(&made);
        let volumes = &pod["spec"]["volumes"];
        assert_eq!(volumes[1], json!({"name": "place", "persistentVolumeClaim": {"claimName": "results"}}));
        let mounts = &pod["spec"]["containers"][0]["volumeMounts"];
        assert_eq!(mounts[1], json!({"name": "place", "mountPath": ROOT, "readOnly": false}));
        let policy = json!(made.policy.spec);
        assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
        assert!(policy["ingress"].is_null() && policy["egress"].as_array().is_none_or(Vec::is_empty));
    }

    #[test]
    fn a_store_is_reached_with_its_own_credentials_and_nothing_else() {
        let store = json!({"url": "s3://a/b", "endpoint": "http://10.0.0.1:9000", "secret": "store"});
        let made = built(&place(json!({"objectStore": store, "path": "stays"})));
        let pod = pod(&made);
        let secret = &pod["spec"]["volumes"][1]["secret"];
        let keys: Vec<_> = secret["items"].as_array().unwrap().iter().map(|item| &item["key"]).collect();
        assert_eq!(keys, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ca.crt"]);
        assert_eq!((&secret["secretName"], &secret["optional"]), (&json!("store"), &json!(true)));
        assert_eq!(pod["spec"]["containers"][0]["volumeMounts"][1]["readOnly"], true);
        let egress = json!(made.policy.spec)["egress"].clone();
        let to = json!({"ports": [{"protocol": "TCP", "port": 9000}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]});
        assert_eq!(egress, json!([to, network::names()]));
        // Without a Secret requests are not signed.
        let open = built(&place(json!({"objectStore": {"url": "gs://a"}, "path": "stays"})));
        assert_eq!(super::tests::pod(&open)["spec"]["volumes"].as_array().unwrap().len(), 1);
        let config = &open.secret.string_data.as_ref().unwrap()["config.json"];
        let config: Value = serde_json::from_str(config).unwrap();
        assert_eq!(config["store"], json!({"credentials": null}));
    }

    fn places() -> impl Strategy<Value = ResultPlace> {
        let path = "[A-Za-z0-9_][-A-Za-z0-9_.=]{0,20}(/[A-Za-z0-9_][-A-Za-z0-9_.=]{0,20}){0,3}";
        let name = "[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?";
        let store = ("(s3|gs|az)://[a-z0-9]{3,9}(/[a-z]{1,9})?", proptest::option::of(name))
            .prop_map(|(url, secret)| json!({"objectStore": {"url": url, "secret": secret}}));
        let volume = name.prop_map(|claim| json!({"volume": {"claim": claim}}));
        (prop_oneof![store, volume], path).prop_map(|(mut value, path)| {
            value["path"] = path.into();
            place(value)
        })
    }

    proptest! {
        /// Whatever the place: nothing of a party, nothing beyond `restricted`, and all goes with the Job.
        #[test]
        fn every_delivery_is_restricted_and_owned(place in places()) {
            let made = built(&place);
            let pod = pod(&made);
            let labels = &pod["metadata"]["labels"];
            prop_assert_eq!(&labels[ROLE], DELIVERY);
            prop_assert!(labels[JOB_UID].is_null() && labels[JOB] == "stays");
            let spec = &pod["spec"];
            prop_assert_eq!(&spec["automountServiceAccountToken"], false);
            prop_assert_eq!(&spec["restartPolicy"], "OnFailure");
            prop_assert_eq!(&spec["securityContext"]["runAsNonRoot"], true);
            prop_assert_eq!(&spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
            let container = &spec["containers"][0]["securityContext"];
            prop_assert_eq!(&container["capabilities"]["drop"], &json!(["ALL"]));
            prop_assert_eq!(&container["allowPrivilegeEscalation"], false);
            prop_assert_eq!(&container["readOnlyRootFilesystem"], true);
            for kind in spec["volumes"].as_array().unwrap() {
                prop_assert!(kind["secret"].is_object() || kind["persistentVolumeClaim"].is_object());
            }
            for metadata in [&made.job.metadata, &made.policy.metadata, &made.secret.metadata] {
                prop_assert_eq!(metadata.name.clone(), Some(SEAT.delivery_name()));
                prop_assert_eq!(metadata.namespace.as_deref(), Some("research"));
                prop_assert_eq!(&metadata.labels.as_ref().unwrap()[PLACE], &place_hash(&place));
            }
            let owner = |metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| {
                metadata.owner_references.as_ref().unwrap()[0].uid.clone()
            };
            prop_assert_eq!(owner(&made.job.metadata), "u");
            prop_assert_eq!((owner(&made.policy.metadata), owner(&made.secret.metadata)), ("j".into(), "j".into()));
            let handed = made.secret.string_data.as_ref().unwrap();
            prop_assert_eq!((handed["result.json"].as_str(), handed["receipt.json"].as_str()), ("result", "receipt"));
            let config: Value = serde_json::from_str(&handed["config.json"]).unwrap();
            prop_assert_eq!(typed::<ResultPlace>(config["place"].clone()), place.clone());
            prop_assert_eq!(json!(built(&place).job), json!(made.job), "the same input, the same objects");
        }
    }
}
