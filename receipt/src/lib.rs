//! The signed account of a job: what was computed, who agreed, what it cost, and which result came out.
//!
//! Every party writes the same bytes: nothing in a receipt depends on who writes it or when.

pub mod hex;
pub mod signature;
mod verify;

pub use verify::{Check, verify};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signature::PartySignature;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    plan::{Plan, PlanHash, canonical_json},
};

/// The version of the form.
pub const VERSION: u32 = 1;
/// What a signature on a charge is for.
pub const CHARGE_DOMAIN: &str = "charge";
/// What a signature on a result is for.
pub const RESULT_DOMAIN: &str = "result";

/// `receipt.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u32,
    /// What was computed.
    pub plan: Plan,
    /// SHA-256 of the plan's canonical JSON, hexadecimal.
    pub plan_hash: String,
    /// Every party's agreement, in the plan's order.
    pub signatures: Vec<PartySignature>,
    /// What each dataset's budget was charged, in the plan's order.
    pub charges: Vec<Charged>,
    /// What came out.
    pub result: Released,
}

/// A charge, signed by the party whose ledger has it as spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Charged {
    /// The party's name.
    pub party: String,
    /// `namespace/name` of the dataset.
    pub dataset: String,
    /// `namespace/name` of the budget.
    pub budget: String,
    /// Spent.
    pub epsilon: Epsilon,
    /// Spent.
    pub delta: Delta,
    /// Ed25519 over [`charge_message`], hexadecimal.
    pub signature: String,
}

/// The result's hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Released {
    /// SHA-256 of `result.json`, hexadecimal.
    pub hash: String,
    /// Of every recipient, in the plan's order.
    pub signatures: Vec<ResultSignature>,
}

/// A recipient's signature on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResultSignature {
    /// The recipient's name.
    pub party: String,
    /// Ed25519 over [`result_message`], hexadecimal.
    pub signature: String,
}

impl Receipt {
    /// The bytes of `receipt.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a receipt is JSON");
        text.push(b'\n');
        text
    }
}

/// What party `party` signs when it has spent its charge: who, of what, how much, for which plan.
///
/// # Panics
/// Where the plan has no such party.
pub fn charge_message(plan: &Plan, hash: &PlanHash, party: usize) -> Vec<u8> {
    #[derive(Serialize)]
    struct Message<'a> {
        plan: String,
        party: &'a str,
        dataset: &'a str,
        budget: &'a str,
        epsilon: Epsilon,
        delta: Delta,
    }
    let of = &plan.parties[party];
    canonical_json(&Message {
        plan: hash.to_string(),
        party: &of.name,
        dataset: &of.dataset,
        budget: &of.budget,
        epsilon: plan.epsilon,
        delta: plan.delta,
    })
    .into_bytes()
}

/// What a recipient signs: the plan's hash, then the result's.
pub fn result_message(plan: &PlanHash, result: &[u8; 32]) -> Vec<u8> {
    [plan.0, *result].concat()
}

/// SHA-256 of `result.json`.
pub fn result_hash(result: &[u8]) -> [u8; 32] {
    Sha256::digest(result).into()
}
