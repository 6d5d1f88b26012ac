//! What is put into the cluster: the owners' namespaces, jobs, and the peer's groups of the same size.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{DynamicObject, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};
use std::error::Error;
use veilgrid_api::{budget::PrivacyBudget, dataset::PrivateDataset};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The owners' namespaces.
pub const OWNERS: [&str; 3] = ["north", "south", "west"];
/// Where jobs are.
pub const HOME: &str = "research";
/// Where the peer's groups are.
pub const PEER: &str = "peer";

/// The owners' namespaces: each has datasets that admit every job, one whose jobs wait for approval, and one budget for all.
pub async fn organisations(client: &Client) -> Fallible<()> {
    let create = PostParams::default();
    for name in OWNERS.into_iter().chain([HOME, PEER]) {
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
        Api::all(client.clone()).create(&create, &namespace).await?;
    }
    for owner in OWNERS {
        let budget: PrivacyBudget = serde_json::from_value(json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivacyBudget",
            "metadata": {"name": "patients"}, "spec": {"epsilon": 100_000, "delta": 0.01},
        }))?;
        Api::namespaced(client.clone(), owner).create(&create, &budget).await?;
        for (name, approval) in [
            ("patients", "Automatic"),
            ("guarded", "Manual"),
            ("second", "Automatic"),
            ("third", "Automatic"),
        ] {
            let dataset: PrivateDataset = serde_json::from_value(json!({
                "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateDataset",
                "metadata": {"name": name},
                "spec": {
                    "source": {"path": "rows.csv", "volume": {"configMap": "rows"}},
                    "columns": [{"name": "area", "number": {"min": 0, "max": 2500}}],
                    "maxRows": 10000, "budget": "patients", "approval": approval,
                    "access": {"namespaces": [HOME]},
                },
            }))?;
            Api::namespaced(client.clone(), owner).create(&create, &dataset).await?;
        }
    }
    Ok(())
}

/// A job of three parties over the datasets of this name.
pub fn job(name: &str, dataset: &str) -> Value {
    asked(name, &OWNERS.map(|owner| (owner, dataset)))
}

/// A job of three parties over the datasets of one owner.
pub fn together(name: &str) -> Value {
    asked(name, &["patients", "second", "third"].map(|dataset| (OWNERS[0], dataset)))
}

/// A job over datasets, each with its owner.
fn asked(name: &str, datasets: &[(&str, &str)]) -> Value {
    let parties: Vec<Value> = OWNERS
        .iter()
        .zip(datasets)
        .map(|(party, (owner, dataset))| json!({"name": party, "dataset": {"name": dataset, "namespace": owner}}))
        .collect();
    json!({
        "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateJob",
        "metadata": {"name": name, "namespace": HOME},
        "spec": {
            "parties": parties,
            "result": {"configMap": format!("{name}-result")},
            "privacy": {"epsilon": 1},
            "computation": {"statistics": [{"name": "patients", "count": {}}, {"name": "area", "mean": {"column": "area"}}]},
            "placement": {"nodeSelector": {"fake": "true"}, "tolerations": [{"key": "fake", "operator": "Exists"}]},
        },
    })
}

/// The peer's groups.
pub fn groups(client: &Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("jobset.x-k8s.io", "v1alpha2", "JobSet");
    Api::namespaced_with(client.clone(), PEER, &ApiResource::from_gvk(&kind))
}

/// A JobSet of three Jobs with one pod each, as a party's, with the defaults that its webhook would set. It goes with all that
/// it made when it has ended, as the parties of a job do.
pub fn group(name: &str) -> Value {
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    let pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "nodeSelector": {"fake": "true"},
        "tolerations": [{"key": "fake", "operator": "Exists"}],
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "party", "image": "party", "args": ["party", "--config", "/etc/veilgrid/config.json"],
            "ports": [{"name": "party", "containerPort": 7443}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [mount("state", "/var/lib/veilgrid"), mount("out", "/out"), mount("tmp", "/tmp")],
        }],
        "volumes": [empty("state"), empty("out"), empty("tmp")],
    });
    let jobs: Vec<Value> = OWNERS
        .iter()
        .map(|owner| {
            let template = json!({"spec": {
                "completionMode": "Indexed", "completions": 1, "parallelism": 1, "backoffLimit": 0,
                "template": {"spec": pod},
            }});
            json!({"name": owner, "replicas": 1, "groupName": "default", "template": template})
        })
        .collect();
    json!({
        "apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
        "metadata": {"name": name, "namespace": PEER},
        "spec": {
            "replicatedJobs": jobs,
            "successPolicy": {"operator": "All"},
            "startupPolicy": {"startupPolicyOrder": "AnyOrder"},
            "network": {"enableDNSHostnames": true, "publishNotReadyAddresses": true},
            "ttlSecondsAfterFinished": 0,
        },
    })
}
