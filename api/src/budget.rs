//! `PrivacyBudget`: the most that all jobs together may learn from the datasets it guards.

use crate::{
    amount::{Delta, Epsilon},
    condition::Condition,
    limits::GENERATION,
};
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
        status = "PrivacyBudgetStatus",
        shortname = "pb",
        category = "veilgrid",
        printcolumn = r#"{"name": "Epsilon", "type": "number", "description": "The total of all releases", "jsonPath": ".spec.epsilon"}"#,
        printcolumn = r#"{"name": "Spent", "type": "string", "jsonPath": ".status.spent.epsilon"}"#,
        printcolumn = r#"{"name": "Reserved", "type": "string", "jsonPath": ".status.reserved.epsilon"}"#,
        printcolumn = r#"{"name": "Remaining", "type": "string", "jsonPath": ".status.remaining.epsilon"}"#,
        printcolumn = r#"{"name": "Delta", "type": "number", "jsonPath": ".spec.delta"}"#,
        printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
    )
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = crate::schema::structural)]
#[schemars(extend("x-kubernetes-validations" = [
    // The API server rounds a bound before it compares a whole number with it, so that 0 passes a minimum of 1e-9.
    {"rule": "self.epsilon > 0.0", "fieldPath": ".epsilon", "message": "write a number from 1e-9 to 1000000"},
    {"rule": "!has(self.delta) || self.delta > 0.0", "fieldPath": ".delta", "message": "write a number from 1e-18 to 0.1"}
]))]
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

impl PrivacyBudgetSpec {
    /// The totals, rounded down: never more than was written. `None` where the spec is not valid.
    pub fn total(&self) -> Option<Amounts> {
        let above = |text: String, written: f64| text.parse::<f64>().is_ok_and(|read| read > written);
        let (mut epsilon, mut delta) = (Epsilon::from_f64(self.epsilon)?, Delta::from_f64(self.delta)?);
        if above(epsilon.to_string(), self.epsilon) {
            epsilon = epsilon.saturating_sub(Epsilon::from_units(1));
        }
        if above(delta.to_string(), self.delta) {
            delta = delta.saturating_sub(Delta::from_units(1));
        }
        Some(Amounts { epsilon, delta })
    }
}

/// Reservations that a budget holds at once. More claims wait until some are settled.
pub const RESERVATIONS: usize = 1000;
/// Settled claims that a budget still names.
pub const RECENT: usize = 10;

/// What is left of a budget in a cluster. The reservations are the truth: an amount is held if and only if its claim is
/// among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = crate::schema::structural)]
pub struct PrivacyBudgetStatus {
    /// The generation of the spec that the figures are for.
    #[serde(default)]
    #[schemars(range(min = 0, max = GENERATION))]
    pub observed_generation: i64,
    /// What the owner allows in all.
    #[serde(default)]
    pub total: Amounts,
    /// Held for jobs that are under way.
    #[serde(default)]
    pub reserved: Amounts,
    /// Gone for ever.
    #[serde(default)]
    pub spent: Amounts,
    /// The total less the two others; nothing where the owner has lowered the total below them.
    #[serde(default)]
    pub remaining: Amounts,
    /// What is held, a line for each claim: its uid, its name, epsilon and delta.
    // Lines, since the API server checks each field of each entry of a list: a write of 900 took it 150 ms as objects, and takes 28 as lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", length(max = RESERVATIONS), inner(length(min = 1, max = 400)), extend("x-kubernetes-list-type" = "atomic"))]
    pub reservations: Vec<Reservation>,
    /// The claims that were settled last, the newest first. All of them are kept as `PrivacyClaim`s.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RECENT), extend("x-kubernetes-list-type" = "atomic"))]
    pub recent: Vec<Settled>,
    /// `InUse`, once it is being deleted: which jobs it is kept for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Amounts of privacy, as decimal numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Amounts {
    /// Epsilon, in steps of 1e-9.
    #[schemars(with = "String", length(min = 1, max = 32))]
    pub epsilon: Epsilon,
    /// Delta, in steps of 1e-18.
    #[schemars(with = "String", length(min = 1, max = 32))]
    pub delta: Delta,
}

/// An amount that is held for a claim. In the object it is a line of four words: the uid, the name, epsilon and delta.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Reservation {
    /// The claim's uid.
    pub uid: String,
    /// The claim's name.
    pub claim: String,
    /// What is held.
    pub amounts: Amounts,
}

impl From<Reservation> for String {
    fn from(Reservation { uid, claim, amounts }: Reservation) -> String {
        format!("{uid} {claim} {} {}", amounts.epsilon, amounts.delta)
    }
}

impl TryFrom<String> for Reservation {
    type Error = String;

    fn try_from(line: String) -> Result<Reservation, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let [uid, claim, epsilon, delta] = words[..] else {
            return Err(format!("a reservation is a claim's uid, its name, epsilon and delta, not {line:?}"));
        };
        let amounts = Amounts {
            epsilon: epsilon.parse().map_err(|error| format!("{line:?}: epsilon: {error}"))?,
            delta: delta.parse().map_err(|error| format!("{line:?}: delta: {error}"))?,
        };
        Ok(Reservation { uid: uid.to_owned(), claim: claim.to_owned(), amounts })
    }
}

/// A claim that was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// The claim's name.
    #[schemars(length(min = 1, max = 253))]
    pub claim: String,
    /// The job, as `namespace/name`.
    #[schemars(length(min = 1, max = 320))]
    pub job: String,
    /// What became of it.
    pub outcome: crate::claim::Outcome,
    /// The amount.
    pub amounts: Amounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_is_a_line() {
        let amounts = Amounts { epsilon: "0.5".parse().unwrap(), delta: "0.000001".parse().unwrap() };
        let held = Reservation { uid: "5e6f".to_owned(), claim: "survey-north-a0".to_owned(), amounts };
        let line = serde_json::json!("5e6f survey-north-a0 0.5 0.000001");
        assert_eq!(serde_json::to_value(&held).unwrap(), line);
        assert_eq!(serde_json::from_value::<Reservation>(line).unwrap(), held);
        for (line, why) in [
            ("5e6f survey 1", "not \"5e6f survey 1\""),
            ("5e6f survey 1 0 0", "a reservation is"),
            ("5e6f survey x 0", "epsilon: "),
            ("5e6f survey 1 -1", "delta: "),
        ] {
            let error = serde_json::from_value::<Reservation>(line.into()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
