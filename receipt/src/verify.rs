//! Checks a receipt, one claim after the other, and says of each what it rests on.

use super::{CHARGE_DOMAIN, RESULT_DOMAIN, Receipt, VERSION, charge_message, result_hash, result_message};
use crate::{
    hex::{hex, unhex},
    signature::{self, PLAN_DOMAIN},
};
use serde::Serialize;
use std::collections::BTreeMap;
use veilgrid_api::plan::PlanHash;

/// A receipt is refused above this: 64 MiB.
const MAX_BYTES: usize = 64 << 20;

/// One claim of a receipt, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The claim.
    pub what: String,
    /// Whether it holds.
    pub ok: bool,
    /// Why not, or what it rests on.
    pub detail: String,
}

/// Checks the bytes of a `receipt.json`, against the bytes of its `result.json` and the parties' public keys (hexadecimal,
/// by name) where they are given. The receipt is good where every check is. Any changed byte breaks one.
pub fn verify(receipt: &[u8], result: Option<&[u8]>, keys: Option<&BTreeMap<String, String>>) -> Vec<Check> {
    let mut checks = Checks(Vec::new());
    if receipt.len() > MAX_BYTES {
        checks.add("the receipt can be read", Err(format!("it is larger than {MAX_BYTES} bytes")));
        return checks.0;
    }
    let read = serde_json::from_slice::<Receipt>(receipt)
        .map_err(|error| format!("it is no receipt of version {VERSION}: {error}"));
    let receipt_read = match read {
        Ok(read) => read,
        Err(reason) => {
            checks.add("the receipt can be read", Err(reason));
            return checks.0;
        }
    };
    checks.add("the receipt can be read", Ok(format!("version {}", receipt_read.version)));
    checks.require(
        "the receipt is written in its one form",
        receipt_read.version == VERSION && receipt_read.to_bytes() == receipt,
        "no byte of it is spare",
        "its version, its white space or its number format is not what a party writes",
    );
    let hash = receipt_read.plan.hash();
    checks.require(
        "the plan is the one that was agreed on",
        receipt_read.plan_hash == hash.to_string(),
        &format!("SHA-256 {hash}"),
        &format!("the plan's hash is {hash}, the receipt says {}", receipt_read.plan_hash),
    );
    agreements(&mut checks, &receipt_read, &hash, keys);
    charges(&mut checks, &receipt_read, &hash);
    released(&mut checks, &receipt_read, &hash, result);
    checks.0
}

fn agreements(
    checks: &mut Checks,
    receipt: &Receipt,
    hash: &PlanHash,
    keys: Option<&BTreeMap<String, String>>,
) {
    let names: Vec<&str> = receipt.plan.parties.iter().map(|party| party.name.as_str()).collect();
    let signers: Vec<&str> = receipt.signatures.iter().map(|signed| signed.party.as_str()).collect();
    checks.require(
        "every party signed",
        names == signers && !names.is_empty(),
        &names.join(", "),
        &format!("the plan's parties are {names:?}, the signatures are of {signers:?}"),
    );
    for name in keys.into_iter().flat_map(BTreeMap::keys).filter(|name| !names.contains(&name.as_str())) {
        checks.add(
            format!("the key of {name} is a party's"),
            Err("a key was given for it, and the plan has no such party".into()),
        );
    }
    for (party, signed) in receipt.plan.parties.iter().zip(&receipt.signatures) {
        let what = format!("{} signed the plan", signed.party);
        let given = keys.map(|keys| keys.get(&signed.party));
        let key = &signed.public_key;
        let verdict = match (given, &party.public_key) {
            (Some(None), _) => Err("no key was given for it".to_owned()),
            (Some(Some(given)), _) if !given.eq_ignore_ascii_case(key) => {
                Err(format!("it signed with key {key}, the key given for it is {given}"))
            }
            (_, Some(pinned)) if pinned != key => {
                Err(format!("it signed with key {key}, the plan pins {pinned}"))
            }
            (Some(Some(_)), _) => Ok(format!("with the key given for it, {key}")),
            (None, Some(_)) => Ok(format!("with the key that the plan pins, {key}")),
            (None, None) => Ok(format!("with key {key}; compare it with the one it tells you itself")),
        };
        let good = holds(key, PLAN_DOMAIN, &hash.0, &signed.signature);
        checks.add(
            what,
            verdict.and_then(|detail| {
                good.then_some(detail)
                    .ok_or_else(|| "the signature does not belong to this key and this plan".into())
            }),
        );
    }
}

fn charges(checks: &mut Checks, receipt: &Receipt, hash: &PlanHash) {
    let plan = &receipt.plan;
    if receipt.charges.len() != plan.parties.len() {
        let found = format!("{} charges for {} parties", receipt.charges.len(), plan.parties.len());
        checks.add("every dataset was charged", Err(found));
    }
    for (index, ((party, charged), signed)) in
        plan.parties.iter().zip(&receipt.charges).zip(&receipt.signatures).enumerate()
    {
        let what = format!("{} charged epsilon {} to {}", charged.party, charged.epsilon, charged.budget);
        let same = charged.party == party.name
            && charged.dataset == party.dataset
            && charged.budget == party.budget
            && charged.epsilon == plan.epsilon
            && charged.delta == plan.delta;
        let message = charge_message(plan, hash, index);
        let verdict = if !same {
            Err(format!(
                "the plan has {} charge epsilon {} and delta {} to {} for {}",
                party.name, plan.epsilon, plan.delta, party.budget, party.dataset
            ))
        } else if holds(&signed.public_key, CHARGE_DOMAIN, &message, &charged.signature) {
            Ok(format!("for dataset {}, delta {}, signed by it", charged.dataset, charged.delta))
        } else {
            Err("its signature on the charge is wrong".into())
        };
        checks.add(what, verdict);
    }
}

fn released(checks: &mut Checks, receipt: &Receipt, hash: &PlanHash, result: Option<&[u8]>) {
    let claimed = unhex::<32>(receipt.result.hash.as_bytes());
    if claimed.is_none() {
        checks.add("the result has a hash", Err("it is not 64 lower-case hexadecimal digits".into()));
    }
    let recipients: Vec<&str> = receipt
        .plan
        .recipients
        .iter()
        .map(|index| receipt.plan.parties.get(*index as usize).map_or("?", |party| party.name.as_str()))
        .collect();
    let signers: Vec<&str> = receipt.result.signatures.iter().map(|signed| signed.party.as_str()).collect();
    checks.require(
        "every recipient signed the result",
        recipients == signers && !recipients.is_empty(),
        &recipients.join(", "),
        &format!("the recipients are {recipients:?}, the signatures are of {signers:?}"),
    );
    for signed in &receipt.result.signatures {
        let key = receipt.signatures.iter().find(|agreed| agreed.party == signed.party);
        let good = claimed.zip(key).is_some_and(|(claimed, agreed)| {
            let message = result_message(hash, &claimed);
            holds(&agreed.public_key, RESULT_DOMAIN, &message, &signed.signature)
        });
        checks.require(
            format!("{} signed the result", signed.party),
            good,
            "with the key of its agreement",
            "the signature does not belong to its key, this plan and this result",
        );
    }
    if let Some(result) = result {
        let found = hex(&result_hash(result));
        checks.require(
            "the result is the one that was signed",
            found == receipt.result.hash,
            &format!("SHA-256 {found}"),
            &format!("its SHA-256 is {found}, the receipt says {}", receipt.result.hash),
        );
    }
}

fn holds(key: &str, domain: &str, message: &[u8], signature: &str) -> bool {
    unhex(signature.as_bytes()).is_some_and(|signature| signature::verify(key, domain, message, &signature))
}

struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, what: impl Into<String>, verdict: Result<String, String>) {
        let ok = verdict.is_ok();
        self.0.push(Check { what: what.into(), ok, detail: verdict.unwrap_or_else(|reason| reason) });
    }

    fn require(&mut self, what: impl Into<String>, holds: bool, rests: &str, breaks: &str) {
        self.add(what, if holds { Ok(rests.to_owned()) } else { Err(breaks.to_owned()) });
    }
}
