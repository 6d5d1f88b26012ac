//! `PrivacyClaim`: one job's request on one budget. An operator makes it; it stays as the audit trail.

use crate::{
    amount::{Delta, Epsilon},
    limits::NAME,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One request of one job on one budget. Only `approved` may change, and only to true.
#[cfg_attr(feature = "crd", derive(kube::CustomResource))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "veilgrid.dev",
        version = "v1alpha1",
        kind = "PrivacyClaim",
        plural = "privacyclaims",
        namespaced,
        doc = "One job's request on one budget, and what became of it.",
        status = "PrivacyClaimStatus",
        shortname = "pc",
        category = "veilgrid",
        printcolumn = r#"{"name": "Budget", "type": "string", "jsonPath": ".spec.budget"}"#,
        printcolumn = r#"{"name": "Job", "type": "string", "jsonPath": ".spec.job.name"}"#,
        printcolumn = r#"{"name": "From", "type": "string", "description": "The namespace of the job", "jsonPath": ".spec.job.namespace"}"#,
        printcolumn = r#"{"name": "Epsilon", "type": "string", "jsonPath": ".spec.epsilon"}"#,
        printcolumn = r#"{"name": "Approved", "type": "boolean", "jsonPath": ".spec.approved"}"#,
        printcolumn = r#"{"name": "Outcome", "type": "string", "jsonPath": ".status.outcome"}"#,
        printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
    )
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = crate::schema::structural)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.job == oldSelf.job && self.party == oldSelf.party && self.dataset == oldSelf.dataset && self.budget == oldSelf.budget && self.run == oldSelf.run && self.plan == oldSelf.plan && self.epsilon == oldSelf.epsilon && self.delta == oldSelf.delta", "message": "a claim is written once: only approved may change"},
    {"rule": "self.approved || !oldSelf.approved", "message": "an approval cannot be taken back: delete the job, which releases what nothing was computed for"}
]))]
pub struct PrivacyClaimSpec {
    /// The job that asks.
    pub job: JobRef,
    /// The party of the job whose rows are asked for.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub party: String,
    /// The `PrivateDataset` of that party, in the claim's namespace.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub dataset: String,
    /// The `PrivacyBudget` that is to pay, in the claim's namespace.
    #[schemars(length(min = 1, max = 63), regex(pattern = NAME))]
    pub budget: String,
    /// The run that is paid for: 32 hexadecimal digits.
    #[schemars(length(min = 32, max = 32), regex(pattern = "^[0-9a-f]{32}$"))]
    pub run: String,
    /// SHA-256 of the plan that is paid for: 64 hexadecimal digits.
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub plan: String,
    /// What is asked for, a decimal number.
    #[schemars(with = "String", length(min = 1, max = 32))]
    pub epsilon: Epsilon,
    /// What is asked for, a decimal number.
    #[schemars(with = "String", length(min = 1, max = 32))]
    pub delta: Delta,
    /// Whether the owner agrees. True from the start where the dataset does not ask for approval.
    #[serde(default)]
    pub approved: bool,
}

/// Names the job of a claim, for ever: a later job of the same name has another uid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRef {
    /// `metadata.namespace`.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// `metadata.name`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// `metadata.uid`.
    #[schemars(length(min = 1, max = 64))]
    pub uid: String,
}

/// What became of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = crate::schema::structural)]
pub struct PrivacyClaimStatus {
    /// Absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How that is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// What became of a claim. It is written once, and a budget that held the amount books it after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// The amount is spent: a result was opened, or it is not certain that none was.
    Spent,
    /// It is certain that nothing was opened: the amount is free again.
    Released,
    /// The budget could not pay. Nothing was ever held.
    Refused,
}
