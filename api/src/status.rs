//! `PrivateJob`'s status, as an operator writes it.

use crate::{
    condition::Condition,
    limits::{GENERATION, PARTIES},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = crate::schema::structural)]
pub struct PrivateJobStatus {
    /// The generation of the spec that this is for.
    #[serde(default)]
    #[schemars(range(min = 0, max = GENERATION))]
    pub observed_generation: i64,
    /// In one word.
    #[serde(default)]
    pub phase: Phase,
    /// In one sentence.
    #[serde(default)]
    #[schemars(length(max = 2048))]
    pub message: String,
    /// `Accepted`, `BudgetReserved`, `Scheduled`, `PartiesReady`, `Succeeded`, `Failed`; `Delivered` where the result goes to a volume or an object store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The present attempt, from 1. Each has randomness and claims of its own.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000))]
    pub attempt: u32,
    /// How many attempts failed. `backoffLimit` counts these; one that was suspended is none of them.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub failures: u32,
    /// How often the present attempt was taken up again after its pods were lost, with the same claims: of datasets that name a volume for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0, max = 100))]
    pub resumes: u32,
    /// The run of the present attempt: 32 hexadecimal digits, the name of its charge.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 32))]
    pub run: String,
    /// The parties, in the job's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PARTIES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub parties: Vec<PartyStatus>,
    /// SHA-256 of the result, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub result_hash: Option<String>,
    /// What its receipt proves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptStatus>,
    /// When the job was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub completed_at: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The receipt of a result, as the operator checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptStatus {
    /// Whether every claim of it holds: the plan, each party's agreement and charge, each recipient's result.
    pub verified: bool,
    /// SHA-256 of `receipt.json`, 64 hexadecimal digits.
    #[schemars(length(max = 64))]
    pub hash: String,
    /// SHA-256 of the plan that the parties signed, 64 hexadecimal digits.
    #[schemars(length(max = 64))]
    pub plan: String,
    /// The parties' public keys, in the job's order: 64 hexadecimal digits each.
    #[schemars(length(max = PARTIES), inner(length(max = 64)), extend("x-kubernetes-list-type" = "atomic"))]
    pub public_keys: Vec<String>,
}

/// A job in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Its spec has not been judged, or is refused until it or what it names changes.
    #[default]
    Pending,
    /// It waits for a dataset's owner to approve it.
    AwaitingApproval,
    /// It waits for its budgets, or holds them and waits for room, or until its parties' pods are made.
    Reserving,
    /// Its spec says `suspend`.
    Suspended,
    /// Its parties' pods were lost, and new ones are being made for the same attempt.
    Launching,
    /// Its parties' pods are made, or run.
    Running,
    /// The result was opened and checked, and is on its way to a volume or an object store.
    Delivering,
    /// The result is there.
    Succeeded,
    /// It has ended without a result.
    Failed,
}

impl Phase {
    /// Whether nothing more will happen.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    /// Whether pods of the present attempt may be there.
    pub fn is_launched(self) -> bool {
        matches!(self, Self::Launching | Self::Running | Self::Delivering)
    }
}

/// A party of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartyStatus {
    /// Its name in the job.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its dataset's namespace, where all that belongs to it is.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Its `PrivacyClaim`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub claim: String,
    /// The uid of its Job, once the Jobs of all parties are made. One that is gone is not made again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 64))]
    pub job: String,
    /// In one word.
    #[serde(default)]
    pub phase: PartyPhase,
    /// What keeps it, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1024))]
    pub message: String,
    /// The device that its batches ran on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub device: String,
    /// How far it was when it was asked last; only while it runs, and only of one that runs longer than some seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// How its process ended, as documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 255))]
    pub exit_code: Option<i32>,
}

/// How far a running party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What it does.
    pub step: Step,
    /// How much of that is done, of 100; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub percent: Option<u8>,
}

/// What a party does, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It connects, agrees on the plan and reserves its budget.
    Agree,
    /// It reads and sums rows.
    Rows,
    /// It adds noise and exchanges shares.
    Share,
    /// It waits until the noised shares are durable everywhere.
    Seal,
    /// It opens the noised sum.
    Open,
    /// It writes the result and the receipt.
    Report,
}

/// A party in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PartyPhase {
    /// Its pod is not made yet, or waits for a node, an image or a volume.
    #[default]
    Pending,
    /// Its pod runs.
    Running,
    /// It did its part.
    Succeeded,
    /// It ended otherwise.
    Failed,
}
