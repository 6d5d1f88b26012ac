//! What the parties of a run would say: the plan from their Secrets, and a receipt that each of them signs. Rows, noise and
//! shares are left out, so the result is a fixed text; plan, agreement, charges and signatures are real.

use ed25519_dalek::{Signer, SigningKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::error::Error;
use veilgrid_api::{manifest, plan::Plan, planner};
use veilgrid_receipt::{
    CHARGE_DOMAIN, Charged, RESULT_DOMAIN, Receipt, Released, ResultSignature, VERSION, charge_message,
    hex::hex,
    result_hash, result_message,
    signature::{PLAN_DOMAIN, PartySignature, separated},
};

/// What a party is told, as far as it matters here.
#[derive(Clone, Deserialize)]
pub struct Config {
    /// The party's name.
    pub party: String,
    /// The run's name.
    pub run: String,
}

/// What a recipient writes at the end of a run.
pub struct Written {
    /// `result.json`.
    pub result: String,
    /// `receipt.json`.
    pub receipt: String,
    /// SHA-256 of the result.
    pub hash: String,
    /// Names of those that open the result.
    pub recipients: Vec<String>,
}

/// The plan of a run, by the manifest in a party's Secret.
pub fn plan(text: &str, run: &str) -> Result<Plan, Box<dyn Error + Send + Sync>> {
    let told = |faults: Vec<veilgrid_api::fault::Fault>| format!("a party's manifest is bad: {faults:?}");
    Ok(planner::plan(&manifest::parse(text).map_err(told)?, None, run).map_err(told)?)
}

/// Signs as all parties of the plan, with keys that are derived from their names.
pub fn written(plan: Plan) -> Written {
    let hash = plan.hash();
    let names: Vec<String> = plan.parties.iter().map(|party| party.name.clone()).collect();
    let keys: Vec<SigningKey> =
        names.iter().map(|name| SigningKey::from_bytes(&Sha256::digest(name.as_bytes()).into())).collect();
    let sign = |party: usize, domain: &str, message: &[u8]| {
        hex(&keys[party].sign(&separated(domain, message)).to_bytes())
    };
    let result = format!("{{\"filler\":\"{}\",\"plan\":\"{hash}\"}}\n", "0".repeat(1500));
    let opened = result_hash(result.as_bytes());
    let signatures = (0..names.len())
        .map(|index| PartySignature {
            party: names[index].clone(),
            public_key: hex(keys[index].verifying_key().as_bytes()),
            signature: sign(index, PLAN_DOMAIN, &hash.0),
        })
        .collect();
    let charges = (0..names.len())
        .map(|index| Charged {
            party: names[index].clone(),
            dataset: plan.parties[index].dataset.clone(),
            budget: plan.parties[index].budget.clone(),
            epsilon: plan.epsilon,
            delta: plan.delta,
            signature: sign(index, CHARGE_DOMAIN, &charge_message(&plan, &hash, index)),
        })
        .collect();
    let openers: Vec<usize> = plan.recipients.iter().map(|index| *index as usize).collect();
    let released = Released {
        hash: hex(&opened),
        signatures: openers
            .iter()
            .map(|index| ResultSignature {
                party: names[*index].clone(),
                signature: sign(*index, RESULT_DOMAIN, &result_message(&hash, &opened)),
            })
            .collect(),
    };
    let recipients = openers.iter().map(|index| names[*index].clone()).collect();
    let receipt = Receipt {
        version: VERSION,
        plan,
        plan_hash: hash.to_string(),
        signatures,
        charges,
        result: released,
    };
    let receipt = String::from_utf8(receipt.to_bytes()).expect("JSON is UTF-8");
    Written { result, receipt, hash: hex(&opened), recipients }
}
