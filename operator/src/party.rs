//! What the operator keeps of a party's Job and pod: no more than it reads, as there are three of each for a job.

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ContainerState, Pod},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::Resource;
use serde::{Deserialize, Serialize};

/// A party's `batch/v1` Job.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
#[resource(inherit = Job)]
pub struct PartyJob {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Its spec.
    #[serde(default)]
    pub spec: PartyJobSpec,
    /// Its status.
    #[serde(default)]
    pub status: PartyJobStatus,
}

/// Of its spec.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PartyJobSpec {
    /// Its queue holds it.
    #[serde(default)]
    pub suspend: bool,
}

/// Of its status.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartyJobStatus {
    /// When it was let go.
    pub start_time: Option<Time>,
    /// What its controller says.
    #[serde(default)]
    pub conditions: Vec<PartCondition>,
}

/// A condition of a Job or a pod.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartCondition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why.
    #[serde(default)]
    pub message: String,
}

/// A party's pod.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
#[resource(inherit = Pod)]
pub struct PartyPod {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Its spec.
    #[serde(default)]
    pub spec: PartyPodSpec,
    /// Its status.
    #[serde(default)]
    pub status: PartyPodStatus,
}

/// Of its spec.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartyPodSpec {
    /// Its node, once it has one.
    pub node_name: Option<String>,
}

/// Of its status.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartyPodStatus {
    /// `Pending`, `Running`, `Succeeded` or `Failed`.
    #[serde(default)]
    pub phase: String,
    /// Why the pod is over.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub message: Option<String>,
    /// What scheduler and kubelet say.
    #[serde(default)]
    pub conditions: Vec<PartCondition>,
    /// How its containers are.
    #[serde(default)]
    pub container_statuses: Vec<Container>,
}

/// How a container is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Where it stands.
    #[serde(default)]
    pub state: ContainerState,
    /// Where it stood before it was started anew.
    #[serde(default)]
    pub last_state: ContainerState,
    /// How often it was started anew.
    #[serde(default)]
    pub restart_count: i32,
    /// What its runtime calls it, once it was made.
    #[serde(default, rename = "containerID")]
    pub container_id: String,
    /// Its image, once it was there.
    #[serde(default, rename = "imageID")]
    pub image_id: String,
}

impl PartyJob {
    /// Whether its queue has held it since it was made: a Job is of its first generation until its spec changes.
    pub fn was_always_held(&self) -> bool {
        let (metadata, status) = (&self.metadata, &self.status);
        let is_new = metadata.generation == Some(1) && metadata.deletion_timestamp.is_none();
        self.spec.suspend && is_new && status.start_time.is_none()
    }

    /// Whether a condition of this kind is true, and its message.
    pub fn condition(&self, kind: &str) -> Option<&str> {
        let conditions = &self.status.conditions;
        conditions.iter().find(|c| c.kind == kind && c.status == "True").map(|c| c.message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_job_that_was_never_changed_was_always_held() {
        let job = |generation: u32, suspend: bool, status: serde_json::Value| -> PartyJob {
            let metadata = json!({"name": "j", "generation": generation});
            serde_json::from_value(
                json!({"metadata": metadata, "spec": {"suspend": suspend}, "status": status}),
            )
            .unwrap()
        };
        assert!(job(1, true, json!({})).was_always_held());
        // It was let go, or was let go and is held again.
        assert!(!job(2, false, json!({})).was_always_held() && !job(3, true, json!({})).was_always_held());
        assert!(!job(1, false, json!({})).was_always_held());
        assert!(!job(1, true, json!({"startTime": "2026-01-01T00:00:00Z"})).was_always_held());
        let mut ending = job(1, true, json!({}));
        ending.metadata.deletion_timestamp = Some(Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
        assert!(!ending.was_always_held());
    }
}
