//! `PrivateJob`: who computes what together, at which cost of privacy.

use crate::{
    cluster::{Accelerator, Placement, ResultPlace},
    limits::{NAME, PARTIES, STATISTICS},
    statistics::Statistic,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One joint computation. The spec says all that will be learned.
// No kind has a scale subresource: a job's size is its parties, each of which the spec names with its data, and none of the others has
// replicas. An autoscaler could only ask for what is no answer to the question.
#[cfg_attr(feature = "crd", derive(kube::CustomResource))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "veilgrid.dev",
        version = "v1alpha1",
        kind = "PrivateJob",
        plural = "privatejobs",
        namespaced,
        doc = "Who computes what together, at which cost of privacy.",
        status = "crate::status::PrivateJobStatus",
        shortname = "pj",
        category = "veilgrid",
        printcolumn = r#"{"name": "Epsilon", "type": "number", "description": "The privacy it asks of each dataset", "jsonPath": ".spec.privacy.epsilon"}"#,
        printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}"#,
        printcolumn = r#"{"name": "Message", "type": "string", "priority": 1, "jsonPath": ".status.message"}"#,
        printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
    )
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = crate::schema::structural)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.parties.all(p, self.parties.exists_one(q, q.dataset == p.dataset))", "fieldPath": ".parties", "message": "give each party a dataset of its own"},
    {"rule": "self.parties == oldSelf.parties && self.computation == oldSelf.computation && self.protocol == oldSelf.protocol && self.privacy == oldSelf.privacy && has(self.recipients) == has(oldSelf.recipients) && (!has(self.recipients) || self.recipients == oldSelf.recipients) && self.device == oldSelf.device", "message": "what a job computes never changes: delete it and apply another"},
    {"rule": "has(self.managedBy) == has(oldSelf.managedBy) && (!has(self.managedBy) || self.managedBy == oldSelf.managedBy)", "message": "managedBy never changes"},
    {"rule": "!has(self.recipients) || self.recipients.all(r, self.parties.exists(p, p.name == r))", "fieldPath": ".recipients", "message": "a recipient is not a party of this job"}
]))]
pub struct PrivateJobSpec {
    /// Who takes part, at least two, each with a dataset of its own.
    #[schemars(length(min = 2, max = PARTIES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub parties: Vec<Party>,
    /// What is computed: exactly one member is set.
    pub computation: Computation,
    /// How it is computed.
    #[serde(default)]
    pub protocol: Protocol,
    /// What it costs each dataset's budget.
    pub privacy: Privacy,
    /// The parties that get the result; all of them where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PARTIES), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub recipients: Vec<String>,
    /// Where batches run.
    #[serde(default)]
    pub device: DeviceChoice,
    /// What each party's pod asks of its node. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Accelerator>,
    /// Which nodes the parties' pods may run on. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// The Kueue LocalQueue, of the same name in each party's namespace, that admits the parties' Jobs. Of no effect on one machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub queue_name: Option<String>,
    /// Where a cluster puts the result. On one machine it goes into the folder of `--out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultPlace>,
    /// Who reconciles the job in a cluster: the Veilgrid operator where absent. Any other name makes it leave the job alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub managed_by: Option<String>,
    /// A cluster makes no pods while this is true, ends those that run, and settles what they cost.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// Seconds until all parties must run in a cluster, from when their pods are made, and as many before for room where accelerators
    /// are asked for; ten minutes where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub ready_deadline_seconds: Option<u32>,
    /// Seconds that an attempt may take in a cluster from its first pod on; an hour where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub active_deadline_seconds: Option<u32>,
    /// How often a cluster tries again, each time with fresh randomness and a claim of its own; not at all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub backoff_limit: Option<u32>,
    /// Seconds after which a cluster deletes the ended job; it stays where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<u32>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One organisation in a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Party {
    /// The party's name: a DNS label, unique in the job.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub name: String,
    /// Its `PrivateDataset`.
    pub dataset: DatasetRef,
    /// Its Ed25519 public key, 64 hexadecimal digits (`veilgrid party identity` prints it). Where absent, the key seen first is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub public_key: Option<String>,
}

/// Names a `PrivateDataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetRef {
    /// The dataset's name.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub name: String,
    /// Its namespace; the job's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub namespace: Option<String>,
}

impl DatasetRef {
    /// The dataset's namespace, seen from a job in namespace `home`.
    pub fn namespace_from<'a>(&'a self, home: &'a str) -> &'a str {
        self.namespace.as_deref().unwrap_or(home)
    }
}

/// The closed choice of computations: exactly one member is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.statistics)", "message": "write exactly one computation: statistics"}
]))]
pub struct Computation {
    /// Counts, sums, means, variances, histograms and quantiles over the rows of all parties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = STATISTICS), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub statistics: Option<Vec<Statistic>>,
}

/// How shares are made and computed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// Additive shares over Z2^64 among two parties or more. Any party alone keeps its rows private from all the others together.
    #[default]
    Additive,
}

/// The privacy that a job asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    // The API server rounds a bound before it compares a whole number with it, so that 0 passes a minimum of 1e-9.
    {"rule": "self.epsilon > 0.0", "fieldPath": ".epsilon", "message": "write a number from 1e-9 to 1000"},
    {"rule": "!has(self.delta) || self.delta > 0.0", "fieldPath": ".delta", "message": "write a number from 1e-18 to 0.1"}
]))]
pub struct Privacy {
    /// The epsilon of the whole job, split over its statistics by weight; more than 0, at most 1000.
    #[schemars(range(min = 1e-9, max = 1000.0))]
    pub epsilon: f64,
    /// The delta of the whole job, more than 0 and at most 0.1: it must cover the sampler's stated error.
    #[serde(default = "default_delta")]
    #[schemars(range(min = 1e-18, max = 0.1))]
    pub delta: f64,
}

fn default_delta() -> f64 {
    1e-9
}

/// Where batches run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// A GPU where one is present and passes its self-test, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU; the job fails where there is none.
    Gpu,
}
