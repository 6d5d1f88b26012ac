//! What the API server lists of nodes, pods and devices, as far as it matters to room: the rest of each object is not kept.

use serde::Deserialize;
use std::collections::BTreeMap;
use veilgrid_api::affinity::NodeExpression;

/// Amounts by resource, as they are written.
pub(super) type Written = BTreeMap<String, String>;

/// An object's name and labels.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    /// Name and labels.
    pub metadata: Metadata,
    /// What keeps pods away.
    pub spec: NodeSpec,
    /// What it has.
    pub status: NodeStatus,
}

/// What keeps pods away from a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeSpec {
    /// It takes no new pods.
    pub unschedulable: bool,
    /// It takes those that bear these.
    pub taints: Vec<Taint>,
}

/// A node's taint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// What a node has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeStatus {
    /// For all pods together.
    pub allocatable: Written,
}

/// A pod that has a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    /// What it asks for.
    pub spec: PodSpec,
}

/// What a pod asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    /// Its node.
    pub node_name: String,
    /// They run together.
    pub containers: Vec<Container>,
    /// They run one after the other before, or beside the others where they restart always.
    pub init_containers: Vec<Container>,
    /// For the pod as a whole, in place of what its containers ask for.
    pub resources: Option<Resources>,
    /// On top.
    pub overhead: Written,
}

/// What a container asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    /// What it asks for.
    pub resources: Resources,
    /// `Always` where it runs beside the others.
    pub restart_policy: String,
}

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    /// Amounts.
    pub requests: Written,
}

/// Devices of one pool, as their driver publishes them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    /// All that there is to it.
    pub spec: SliceSpec,
}

/// Devices of one pool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SliceSpec {
    /// Whose they are.
    pub driver: String,
    /// Which pool.
    pub pool: Pool,
    /// From where they are reached.
    #[serde(flatten)]
    pub reach: Reach,
    /// Each device says from where it is reached.
    pub per_device_node_selection: bool,
    /// The devices.
    pub devices: Vec<Device>,
}

/// A pool of devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pool {
    /// Its name, one of a kind for the driver.
    pub name: String,
    /// Slices of an older one are stale.
    pub generation: i64,
    /// How many slices it has.
    pub resource_slice_count: i64,
}

/// From which nodes devices are reached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Reach {
    /// From this one.
    pub node_name: String,
    /// From those that fit.
    pub node_selector: Option<Terms>,
    /// From all.
    pub all_nodes: bool,
}

/// Terms, one of which must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terms {
    /// The terms.
    pub node_selector_terms: Vec<Term>,
}

/// Expressions that must all hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Term {
    /// Over labels.
    pub match_expressions: Vec<NodeExpression>,
    /// Over the name.
    pub match_fields: Vec<NodeExpression>,
}

/// A device.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Device {
    /// One of a kind in its pool.
    pub name: String,
    /// From where it is reached, where its slice leaves that to it.
    #[serde(flatten)]
    pub reach: Reach,
    /// What keeps claims away.
    pub taints: Vec<Taint>,
}

/// A claim for devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claim {
    /// What it has.
    pub status: ClaimStatus,
}

/// What a claim has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClaimStatus {
    /// Nothing where absent.
    pub allocation: Option<Allocation>,
}

/// What a claim has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocation {
    /// Its devices.
    pub devices: Allocated,
}

/// A claim's devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocated {
    /// Each by itself.
    pub results: Vec<AllocatedDevice>,
}

/// A device that a claim has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AllocatedDevice {
    /// Whose it is.
    pub driver: String,
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub device: String,
    /// Looks on, and takes nothing away.
    pub admin_access: bool,
}

/// A class of devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Class {
    /// Its name.
    pub metadata: Metadata,
    /// Which devices are of it.
    pub spec: ClassSpec,
}

/// Which devices are of a class.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClassSpec {
    /// All must hold.
    pub selectors: Vec<Selector>,
    /// The extended resource that stands for the class.
    pub extended_resource_name: String,
}

/// Which devices are meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Selector {
    /// An expression.
    pub cel: Cel,
}

/// An expression over a device.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cel {
    /// Its text.
    pub expression: String,
}
