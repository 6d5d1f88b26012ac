//! Which nodes the parties' pods need or prefer, and how far they keep from each other: as in a pod's own spec, with the pods that are
//! meant filled in by the operator, which are those of the job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A label's key: a name, perhaps after a DNS subdomain.
const KEY: &str = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";

/// Which nodes the pods need or prefer, and how far they keep from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Affinity {
    /// Which nodes the pods need or prefer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// How far the job's pods keep from each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_anti_affinity: Option<PodAntiAffinity>,
}

/// Which nodes the pods need or prefer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeAffinity {
    /// What a node must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_during_scheduling_ignored_during_execution: Option<NodeTerms>,
    /// What a node should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredNodes>,
}

/// Terms, one of which must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeTerms {
    /// One of these must hold.
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub node_selector_terms: Vec<NodeTerm>,
}

/// Expressions over a node's labels, all of which must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeTerm {
    /// All of these must hold.
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub match_expressions: Vec<NodeExpression>,
}

/// A term with a weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreferredNodes {
    /// How much it counts, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub weight: u32,
    /// What a node should be.
    pub preference: NodeTerm,
}

/// What one label of a node must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.operator in ['Exists', 'DoesNotExist'] ? !has(self.values) || self.values.size() == 0 : has(self.values) && self.values.size() > 0", "fieldPath": ".values", "message": "write values for In, NotIn, Gt and Lt, and none for Exists and DoesNotExist"},
    {"rule": "!(self.operator in ['Gt', 'Lt']) || !has(self.values) || self.values.size() == 0 || self.values.size() == 1 && self.values.all(v, v.matches('^-?[0-9]{1,18}$'))", "fieldPath": ".values", "message": "write one whole number for Gt and Lt"}
]))]
pub struct NodeExpression {
    /// The label.
    #[schemars(length(min = 1, max = 317), regex(pattern = KEY))]
    pub key: String,
    /// How it is compared.
    pub operator: NodeOperator,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)), extend("x-kubernetes-list-type" = "atomic"))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NodeOperator {
    /// It is one of the values.
    In,
    /// It is none of the values, or not there.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
    /// It is a greater whole number.
    Gt,
    /// It is a smaller whole number.
    Lt,
}

/// How far the job's pods keep from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodAntiAffinity {
    /// No two of the job's pods may share one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub required_during_scheduling_ignored_during_execution: Vec<Apart>,
    /// No two should.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredApart>,
}

/// What the job's pods do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Apart {
    /// The label whose value says which nodes belong together, such as `kubernetes.io/hostname`.
    #[schemars(length(min = 1, max = 317), regex(pattern = KEY))]
    pub topology_key: String,
}

/// What the job's pods should not share, with a weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreferredApart {
    /// How much it counts, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub weight: u32,
    /// What they should not share.
    pub pod_affinity_term: Apart,
}

/// How evenly the job's pods are spread. Kubernetes counts the pods of one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopologySpread {
    /// By how many pods two groups of nodes may differ, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub max_skew: u32,
    /// The label whose value says which nodes belong together, such as `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 317), regex(pattern = KEY))]
    pub topology_key: String,
    /// What happens to a pod that would be too many.
    #[serde(default)]
    pub when_unsatisfiable: WhenUnsatisfiable,
}

/// What happens to a pod that cannot be spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WhenUnsatisfiable {
    /// It waits.
    #[default]
    DoNotSchedule,
    /// It goes where it makes the least difference.
    ScheduleAnyway,
}
