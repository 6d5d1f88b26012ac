//! The end of a run: the result, what parties sign of it, and the files.

use super::{error::RunError, session::Session};
use crate::{
    durable,
    protocol::{self, ProtocolError},
    receipt::{
        CHARGE_DOMAIN, Charged, RESULT_DOMAIN, Receipt, Released, ResultSignature, VERSION, charge_message,
        hex::{hex, unhex},
        result_hash, result_message,
        signature::{self, PartySignature},
    },
    transport::links::{Kind, Links},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A report message is far smaller than this.
const MAX_BYTES: usize = 1024;

/// What a run leaves at this party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `result.json`, where this party is a recipient.
    pub result: Option<PathBuf>,
    /// Its SHA-256, hexadecimal.
    pub result_hash: Option<String>,
    /// `receipt.json`.
    pub receipt: PathBuf,
}

/// What each party tells the others at the end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Words {
    /// The signature on its charge.
    charge: String,
    /// A recipient's hash of the result and its signature on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<SignedResult>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignedResult {
    hash: String,
    signature: String,
}

/// Signs the charge and the result, hears the others' signatures, and makes the receipt of them.
///
/// # Errors
/// [`RunError::Results`] where recipients hold different bytes; [`RunError::Protocol`].
pub(super) async fn exchange(
    links: &impl Links,
    session: &Session<'_>,
    signatures: Vec<PartySignature>,
    result: Option<&[u8]>,
) -> Result<Receipt, RunError> {
    let (plan, hash, me) = (&session.plan, &session.hash, session.me);
    let sign = |domain, message: &[u8]| hex(&session.identity.sign(domain, message));
    let mine = Words {
        charge: sign(CHARGE_DOMAIN, &charge_message(plan, hash, me)),
        result: result.map(result_hash).map(|found| SignedResult {
            hash: hex(&found),
            signature: sign(RESULT_DOMAIN, &result_message(hash, &found)),
        }),
    };
    let body = serde_json::to_vec(&mine).expect("words are JSON");
    let peers = || (0..links.parties()).filter(|peer| *peer != me);
    let say = async {
        for peer in peers() {
            links.send(peer, Kind::Result, body.clone()).await?;
        }
        Ok::<_, ProtocolError>(())
    };
    let hear = async {
        let mut words = Vec::with_capacity(links.parties());
        for peer in peers() {
            let body = protocol::receive(links, peer, Kind::Result).await?;
            let heard =
                if body.len() <= MAX_BYTES { serde_json::from_slice::<Words>(&body).ok() } else { None };
            let heard = heard.filter(|words| holds(session, &signatures[peer], peer, words));
            words.push(heard.ok_or_else(|| {
                protocol::unexpected(links, peer, "signatures of charge and result that do not hold".into())
            })?);
        }
        Ok(words)
    };
    let ((), mut words) = tokio::try_join!(say, hear)?;
    words.insert(me, mine);
    receipt(session, signatures, words)
}

/// Whether a peer's signatures are its own, on its charge and on a result where it is a recipient.
fn holds(session: &Session<'_>, signer: &PartySignature, peer: usize, words: &Words) -> bool {
    let (plan, hash) = (&session.plan, &session.hash);
    let signed = |domain, message: &[u8], signature: &str| {
        unhex(signature.as_bytes())
            .is_some_and(|signed| signature::verify(&signer.public_key, domain, message, &signed))
    };
    let receives = plan.recipients.contains(&(peer as u32));
    let result = match &words.result {
        Some(result) => unhex(result.hash.as_bytes()).is_some_and(|found| {
            receives && signed(RESULT_DOMAIN, &result_message(hash, &found), &result.signature)
        }),
        None => !receives,
    };
    result && signed(CHARGE_DOMAIN, &charge_message(plan, hash, peer), &words.charge)
}

fn receipt(
    session: &Session<'_>,
    signatures: Vec<PartySignature>,
    words: Vec<Words>,
) -> Result<Receipt, RunError> {
    let plan = session.plan.clone();
    let name = |party: usize| plan.parties[party].name.clone();
    let mut released = Released { hash: String::new(), signatures: Vec::new() };
    let mut charges = Vec::with_capacity(words.len());
    for (index, said) in words.into_iter().enumerate() {
        let party = &plan.parties[index];
        charges.push(Charged {
            party: party.name.clone(),
            dataset: party.dataset.clone(),
            budget: party.budget.clone(),
            epsilon: plan.epsilon,
            delta: plan.delta,
            signature: said.charge,
        });
        let Some(result) = said.result else { continue };
        if released.signatures.is_empty() {
            released.hash = result.hash;
        } else if released.hash != result.hash {
            return Err(RunError::Results(format!(
                "{} opened a result with hash {}, and {} one with hash {}; the parties run different versions, or one broke the protocol",
                released.signatures[0].party,
                released.hash,
                name(index),
                result.hash
            )));
        }
        released.signatures.push(ResultSignature { party: name(index), signature: result.signature });
    }
    let plan_hash = session.hash.to_string();
    Ok(Receipt { version: VERSION, plan, plan_hash, signatures, charges, result: released })
}

/// Writes a file whole.
///
/// # Errors
/// [`RunError::Output`].
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    durable::write(path, |file| file.write_all(bytes))
        .map_err(|error| RunError::Output { path: path.to_owned(), error })
}
