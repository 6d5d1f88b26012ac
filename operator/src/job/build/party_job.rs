//! The Job of a party: one pod, once. It passes the `restricted` Pod Security level.

use super::{
    super::validate::{Participant, Rows},
    IdentitySource, PodSettings,
    devices::CLAIM,
    gang,
    params::{self, CREDENTIALS, DATA, IDENTITY, OUT, PARAMS, STATE, TERMINATION},
    placement, typed,
};
use crate::{
    names::{ACCOUNT, PORT, QUEUE, ROLE, SERVICE, Seat},
    signer::SIGNER,
};
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_json::{Map, Value, json};
use veilgrid_api::{cluster::Volume, job::PrivateJob, labels::CONTAINER, store::ObjectStore};

/// Seconds that an attempt may take where the job does not say.
pub(super) const DEADLINE: u32 = 3600;
/// What a party's pod asks of its node's processors.
pub(super) const CPU: &str = "100m";
/// And of its memory.
pub(super) const MEMORY: &str = "128Mi";
/// Says in a pod's labels which Job made it: its controller puts it there.
const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
/// The user that a party runs as.
pub(super) const USER: i64 = 65532;

pub(super) fn job(
    metadata: ObjectMeta,
    job: &PrivateJob,
    party: &Participant,
    seat: &Seat<'_>,
    settings: &PodSettings,
) -> Job {
    let spec = &job.spec;
    let mut labels = seat.labels();
    labels.insert(ROLE.into(), "party".into());
    let mut resources = Map::new();
    if let Some(accelerator) = &spec.accelerator
        && let Some(resource) = &accelerator.resource
    {
        resources.insert(resource.clone(), accelerator.count.to_string().into());
    }
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let read_only = |name: &str, path: &str| json!({"name": name, "mountPath": path, "readOnly": true});
    let mut pod = json!({
        "subdomain": SERVICE,
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "restartPolicy": "Never",
        // Enough to release a reservation and to tell the peers.
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": CONTAINER,
            "image": settings.image,
            "imagePullPolicy": settings.pull_policy,
            "args": ["party", "--config", format!("{PARAMS}/{}", params::config("$(JOB)"))],
            "env": [{"name": "JOB", "valueFrom": {"fieldRef": {"fieldPath": format!("metadata.labels['{CONTROLLER_UID}']")}}}],
            "ports": [{"name": "party", "containerPort": PORT}],
            "resources": {
                "limits": resources,
                "requests": {"cpu": CPU, "memory": MEMORY},
            },
            "terminationMessagePath": TERMINATION,
            "securityContext": {
                "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [
                read_only("params", PARAMS), mount("state", STATE), mount("out", OUT), mount("tmp", "/tmp"),
            ],
        }],
        "volumes": [
            {"name": "params", "secret": {"secretName": seat.name(), "defaultMode": 0o440}},
            state(party), empty("out"), empty("tmp"),
        ],
    });
    if party.state.is_some() {
        // What is there keeps its owners: nobody else is to read it.
        pod["securityContext"]["fsGroupChangePolicy"] = "OnRootMismatch".into();
    }
    if let Some((volume, path)) = rows(&party.rows) {
        append(&mut pod["containers"][0]["volumeMounts"], read_only("data", path));
        append(&mut pod["volumes"], volume);
    }
    if spec.accelerator.as_ref().is_some_and(|accelerator| accelerator.device_class.is_some()) {
        pod["resourceClaims"] = json!([{"name": CLAIM, "resourceClaimTemplateName": seat.name()}]);
        pod["containers"][0]["resources"]["claims"] = json!([{"name": CLAIM}]);
    }
    if settings.identity == IdentitySource::Node {
        let deadline = spec.active_deadline_seconds.unwrap_or(DEADLINE);
        let source = json!({"podCertificate": {
            "signerName": SIGNER,
            "keyType": "ED25519",
            "credentialBundlePath": "bundle.pem",
            // For as long as the party may live, and what the API server allows.
            "maxExpirationSeconds": deadline.saturating_add(3600).clamp(7200, 7_862_400),
        }});
        append(
            &mut pod["volumes"],
            json!({"name": "identity", "projected": {"sources": [source], "defaultMode": 0o440}}),
        );
        append(&mut pod["containers"][0]["volumeMounts"], read_only("identity", IDENTITY));
    }
    if let Some(placement) = &spec.placement {
        placement::apply(&mut pod, placement, job, seat);
    }
    if gang::is_native(job, settings) {
        pod["schedulingGroup"] = json!({"podGroupName": gang::name(job)});
    }
    let mut object: Job = typed(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {},
        "spec": {
            // Kueue lets a Job go by lifting this.
            "suspend": spec.queue_name.is_some(),
            "completionMode": "Indexed",
            "completions": 1,
            "parallelism": 1,
            // A party that failed has lost its place: only a new attempt of all may follow.
            "backoffLimit": 0,
            "activeDeadlineSeconds": spec.active_deadline_seconds.unwrap_or(DEADLINE),
            "podFailurePolicy": {"rules": [{
                "action": "FailJob",
                "onExitCodes": {"containerName": CONTAINER, "operator": "NotIn", "values": [0]},
            }]},
            "template": {"metadata": {"labels": labels}, "spec": without_nulls(pod)},
        },
    }));
    object.metadata = metadata;
    if let Some(queue) = &spec.queue_name {
        object.metadata.labels.get_or_insert_default().insert(QUEUE.into(), queue.clone());
    }
    object
}

/// The volume with the party's state.
fn state(party: &Participant) -> Value {
    match &party.state {
        Some(claim) => json!({"name": "state", "persistentVolumeClaim": {"claimName": claim}}),
        None => json!({"name": "state", "emptyDir": {}}),
    }
}

/// The volume with the rows, or with the credentials of their store, and where it is mounted.
fn rows(rows: &Rows) -> Option<(Value, &'static str)> {
    let (source, path) = match rows {
        Rows::Volume(Volume { claim: Some(claim), .. }) => {
            (json!({"persistentVolumeClaim": {"claimName": claim, "readOnly": true}}), DATA)
        }
        Rows::Volume(volume) => (json!({"configMap": {"name": volume.config_map}}), DATA),
        // Where it is missing the party says so at once, and which keys it needs.
        Rows::Store(ObjectStore { secret: Some(name), .. }) => {
            (json!({"secret": {"secretName": name, "optional": true, "defaultMode": 0o440}}), CREDENTIALS)
        }
        Rows::Store(_) => return None,
    };
    let mut volume = source;
    volume["name"] = "data".into();
    Some((volume, path))
}

fn append(list: &mut Value, item: Value) {
    if let Some(items) = list.as_array_mut() {
        items.push(item);
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}
