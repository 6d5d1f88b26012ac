//! What matters in a cluster only: volumes, access, placement. `veilgrid run` reads these fields and leaves them alone.

use crate::{
    affinity::{Affinity, TopologySpread},
    amount::Epsilon,
    limits::NAME,
    store::ObjectStore,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A name of a Kubernetes object: a DNS subdomain.
pub(crate) const OBJECT: &str = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
/// Names of folders below each other, none of which begins with a point.
const FOLDER: &str = "^[A-Za-z0-9_][-A-Za-z0-9_.=]*(/[A-Za-z0-9_][-A-Za-z0-9_.=]*)*$";

/// A volume of the dataset's namespace: exactly one of `claim` and `configMap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.claim) != has(self.configMap)", "message": "write exactly one of claim and configMap"}
]))]
pub struct Volume {
    /// A PersistentVolumeClaim, mounted read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub claim: Option<String>,
    /// A ConfigMap whose keys are files; for small data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub config_map: Option<String>,
}

/// A volume that outlives a party's pod. Where every party of a job has one, an attempt whose pods are lost is taken up again: the same shares,
/// the same charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateVolume {
    /// A PersistentVolumeClaim of the dataset's namespace, `ReadWriteOncePod` or `ReadWriteOnce`. Each attempt has a folder in it, named like
    /// its PrivacyClaim.
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub claim: String,
}

/// Whose jobs may ask for a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.maxEpsilon) || self.maxEpsilon > 0.0", "fieldPath": ".maxEpsilon", "message": "write a number from 1e-9 to 1000"}
]))]
pub struct Access {
    /// The namespaces whose jobs may ask; the dataset's own may always.
    #[schemars(length(min = 1, max = 256), inner(length(min = 1, max = 63), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub namespaces: Vec<String>,
    /// The computations that they may ask for; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub computations: Option<Vec<Kind>>,
    /// The most epsilon that one job may ask for; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1000.0))]
    pub max_epsilon: Option<f64>,
}

impl Access {
    /// The most epsilon of one job, rounded down to what can be asked for.
    pub fn epsilon(&self) -> Option<Epsilon> {
        self.max_epsilon.and_then(Epsilon::from_f64)
    }
}

/// A kind of computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Counts, sums, means, variances, histograms and quantiles.
    Statistics,
}

/// Whether the owner agrees to each use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Approval {
    /// A job that `access` admits needs no further word.
    #[default]
    Automatic,
    /// A job waits until its `PrivacyClaim` is approved.
    Manual,
}

/// Devices that each party's pod asks for: an extended resource, or devices of a class (dynamic resource allocation).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.resource) != has(self.deviceClass)", "message": "write exactly one of resource and deviceClass"},
    {"rule": "!has(self.selectors) || has(self.deviceClass)", "fieldPath": ".selectors", "message": "selectors choose among the devices of a deviceClass"}
]))]
pub struct Accelerator {
    /// The extended resource, such as `nvidia.com/gpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 3, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
    )]
    pub resource: Option<String>,
    /// The DeviceClass, such as `gpu.nvidia.com`, where the cluster has dynamic resource allocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub device_class: Option<String>,
    /// CEL expressions over `device`, all of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 2048)), extend("x-kubernetes-list-type" = "atomic"))]
    pub selectors: Vec<String>,
    /// How many.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 16))]
    pub count: u32,
}

fn one() -> u32 {
    1
}

/// Which nodes pods may run on, as in a pod's own spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), inner(length(max = 63)))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods bear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub tolerations: Vec<Toleration>,
    /// Which nodes the pods need or prefer, and how far they keep from each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How evenly the pods are spread, where all parties' datasets are in one namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub topology_spread: Vec<TopologySpread>,
    /// The RuntimeClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub runtime_class_name: Option<String>,
    /// The PriorityClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub priority_class_name: Option<String>,
}

/// A taint that a pod bears, as in a pod's own spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key; every key where absent, with operator `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 316))]
    pub key: Option<String>,
    /// `Exists` or `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub operator: Option<String>,
    /// The taint's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; every effect where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub effect: Option<String>,
}

/// Where the result goes: exactly one of `configMap`, `volume` and `objectStore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "(has(self.configMap) ? 1 : 0) + (has(self.volume) ? 1 : 0) + (has(self.objectStore) ? 1 : 0) == 1", "message": "write exactly one of configMap, volume and objectStore"},
    {"rule": "has(self.path) || !(has(self.volume) || has(self.objectStore))", "fieldPath": ".path", "message": "write the folder that result.json and receipt.json are to be in"},
    {"rule": "!has(self.path) || has(self.volume) || has(self.objectStore)", "fieldPath": ".path", "message": "path belongs to volume and objectStore only"}
]))]
pub struct ResultPlace {
    /// A ConfigMap in the job's namespace, with the keys `result.json` and `receipt.json`. It is made by the operator and goes with the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub config_map: Option<String>,
    /// A volume of the job's namespace, into which `result.json` and `receipt.json` are written. They stay when the job goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<ResultVolume>,
    /// An object store, into which `result.json` and `receipt.json` are written. They stay when the job goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_store: Option<ObjectStore>,
    /// The folder of both files: below the volume's root, or below the object store's URL. Nothing that is there is ever overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = FOLDER))]
    pub path: Option<String>,
}

/// A volume that takes a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResultVolume {
    /// A PersistentVolumeClaim of the job's namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub claim: String,
}

impl ResultPlace {
    /// The place in words.
    pub fn title(&self) -> String {
        let path = self.path.as_deref().unwrap_or_default();
        match self {
            Self { config_map: Some(name), .. } => format!("the ConfigMap {name}"),
            Self { volume: Some(volume), .. } => {
                format!("the folder {path} of the PersistentVolumeClaim {}", volume.claim)
            }
            Self { object_store: Some(store), .. } => format!("{}/{path}", store.url.trim_end_matches('/')),
            _ => "no place".into(),
        }
    }

    /// One of its files in words.
    pub fn file(&self, name: &str) -> String {
        match &self.volume {
            Some(volume) => {
                let path = self.path.as_deref().unwrap_or_default();
                format!("{path}/{name} of the PersistentVolumeClaim {}", volume.claim)
            }
            None => format!("{}/{name}", self.title()),
        }
    }

    /// Whether a pod has to bring the result there: the operator alone reaches no volume and no store.
    pub fn needs_delivery(&self) -> bool {
        self.volume.is_some() || self.object_store.is_some()
    }
}
