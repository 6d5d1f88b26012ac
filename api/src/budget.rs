//! `PrivacyBudget`: the most that all jobs together may learn from the datasets it guards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The privacy that a data owner is ready to spend. A job may ask; only the owner's ledger says yes.
#[cfg_attr(feature = "crd", derive(kube::CustomResource))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "veilgrid.dev",
        version = "v1alpha1",
        kind = "PrivacyBudget",
        plural = "privacybudgets",
        namespaced,
        doc = "The most that all jobs together may learn from the datasets it guards.",
        shortname = "pb",
        category = "veilgrid",
        printcolumn = r#"{"name": "Epsilon", "type": "number", "description": "The total of all releases", "jsonPath": ".spec.epsilon"}"#,
        printcolumn = r#"{"name": "Delta", "type": "number", "jsonPath": ".spec.delta"}"#,
        printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
    )
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = crate::schema::structural)]
pub struct PrivacyBudgetSpec {
    /// The total epsilon of all releases, more than 0 and at most 1000000.
    #[schemars(range(min = 1e-9, max = 1_000_000.0))]
    pub epsilon: f64,
    /// The total delta of all releases, more than 0 and at most 0.1. A release needs a little: its noise is drawn
    /// with a tiny stated error, and that error is booked as delta.
    #[serde(default = "default_delta")]
    #[schemars(range(min = 1e-18, max = 0.1))]
    pub delta: f64,
}

fn default_delta() -> f64 {
    1e-6
}
