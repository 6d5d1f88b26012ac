//! The labels by which what belongs to a job is found in a cluster.

/// `app.kubernetes.io/managed-by`, with [`MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What manages all that an operator makes; the field manager of its writes.
pub const MANAGER: &str = "veilgrid";
/// The job's name.
pub const JOB: &str = "veilgrid.dev/job";
/// The job's namespace.
pub const JOB_NAMESPACE: &str = "veilgrid.dev/job-namespace";
/// The job's uid.
pub const JOB_UID: &str = "veilgrid.dev/job-uid";
/// The party's name.
pub const PARTY: &str = "veilgrid.dev/party";
/// The attempt, from 1.
pub const ATTEMPT: &str = "veilgrid.dev/attempt";
/// What a pod is for: `party`, or [`DELIVERY`].
pub const ROLE: &str = "veilgrid.dev/role";
/// The role of a pod that brings a result to its place; also its container.
pub const DELIVERY: &str = "delivery";
/// The hash of the place that a delivery brings a result to.
pub const PLACE: &str = "veilgrid.dev/result-place";
/// The container of a party's pod.
pub const CONTAINER: &str = "party";
