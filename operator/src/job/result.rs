//! What is agreed on as the result, checked, and put where the job says.

use super::{
    attempt::Attempt,
    validate::{Accepted, Refused},
};
use crate::{
    error::{Error, exists},
    reason::Reason,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Resource, ResourceExt, api::PostParams};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use veilgrid_api::status::ReceiptStatus;
use veilgrid_receipt::{Receipt, hex::hex, verify};

/// Bytes that a ConfigMap may hold, or the Secret of a delivery.
const LARGEST: usize = 1 << 20;

/// A result with the receipt that signs it, as the parties wrote them.
pub(super) struct Opened {
    pub(super) result: String,
    pub(super) receipt: String,
}

impl Opened {
    /// Why it can be put nowhere.
    pub(super) fn too_large(&self) -> Option<String> {
        let bytes = self.result.len() + self.receipt.len();
        let problem =
            format!("result and receipt have {bytes} bytes, more than the {LARGEST} of a ConfigMap");
        (bytes > LARGEST).then_some(problem)
    }
}

impl Attempt<'_> {
    /// The hash that every recipient opened, or what is wrong.
    pub(super) fn agreed(&self) -> Result<String, String> {
        let mut hashes: Vec<&str> = Vec::new();
        for index in self.recipients() {
            match &self.sights[index].result {
                Some(hash) => hashes.push(hash),
                None => {
                    return Err(format!("{} did not say which result it opened", self.seats[index].party));
                }
            }
        }
        match hashes.split_first() {
            Some((first, rest)) if rest.iter().all(|hash| hash == first) => Ok((*first).to_owned()),
            _ => Err("the recipients opened different results".into()),
        }
    }

    /// Checks the receipt: every signature, and that it is about this run of this plan, by keys that the job pins. `Err` says
    /// what does not hold.
    pub(super) fn check(&self, opened: &Opened) -> Result<ReceiptStatus, String> {
        let pinned = self.job.spec.parties.iter();
        let pinned = pinned.filter_map(|party| Some((party.name.clone(), party.public_key.clone()?)));
        let keys: BTreeMap<String, String> = pinned.collect();
        let keys = (keys.len() == self.seats.len()).then_some(&keys);
        let checks = verify(opened.receipt.as_bytes(), Some(opened.result.as_bytes()), keys);
        if let Some(broken) = checks.iter().find(|check| !check.ok) {
            return Err(format!("the receipt does not hold: {}: {}", broken.what, broken.detail));
        }
        let receipt: Receipt = serde_json::from_str(&opened.receipt)
            .map_err(|error| format!("the receipt cannot be read: {error}"))?;
        let claimed = self.claims.iter().flatten().all(|claim| claim.spec.plan == receipt.plan_hash);
        if !claimed || receipt.plan.run != self.seats[0].run() {
            return Err("the receipt is about another plan or run than the claims".into());
        }
        Ok(ReceiptStatus {
            verified: true,
            hash: hex(&Sha256::digest(opened.receipt.as_bytes())),
            plan: receipt.plan_hash,
            public_keys: receipt.signatures.into_iter().map(|signed| signed.public_key).collect(),
        })
    }

    /// Why the result could not be where the job wants it. It is asked before anything is claimed for the attempt, so that it costs
    /// nothing.
    ///
    /// # Errors
    /// The API server's.
    pub(super) async fn taken(&self, accepted: &Accepted) -> Result<Option<Refused>, Error> {
        let place = self.job.spec.result.as_ref().filter(|_| !self.has_claims());
        let Some(name) = place.and_then(|place| place.config_map.as_deref()) else { return Ok(None) };
        let maps = self.ctx.api::<ConfigMap>(&self.home());
        let found = maps.get_metadata_opt(name).await?;
        Ok(found.filter(|found| !self.owns(found)).map(|_| {
            let (job, remedy) = (&accepted.manifest.jobs[0], "delete it, or name another");
            let fault = job.fault("spec.result.configMap", taken(name), remedy);
            Refused { reason: Reason::Invalid, message: fault.to_string() }
        }))
    }

    /// Where the result of a job that succeeded is.
    pub(super) fn found(&self) -> String {
        match &self.job.spec.result {
            Some(place) => format!("the result is in {}", place.title()),
            None => "the result was opened; the job names no place for it".into(),
        }
    }

    /// Whether an object is the job's own.
    pub(super) fn owns(&self, object: &impl ResourceExt) -> bool {
        object.owner_references().iter().any(|owner| Some(&owner.uid) == self.job.metadata.uid.as_ref())
    }

    /// Writes the result into the ConfigMap. The inner `Err` says why it cannot be there.
    ///
    /// # Errors
    /// The API server's.
    pub(super) async fn place(&self, opened: &Opened, name: &str) -> Result<Result<(), String>, Error> {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "labels": self.seats[0].job_labels(),
                "ownerReferences": [self.job.controller_owner_ref(&()).ok_or(Error::Incomplete("a uid"))?],
            },
            "data": {"result.json": opened.result, "receipt.json": opened.receipt},
        });
        let map: ConfigMap = serde_json::from_value(map).expect("the object has the form of its kind");
        let api = self.ctx.api::<ConfigMap>(&self.home());
        match api.create(&PostParams::default(), &map).await {
            Err(error) if exists(&error) => {
                let found = api.get_metadata(name).await?;
                Ok(if self.owns(&found) { Ok(()) } else { Err(taken(name)) })
            }
            made => made.map(|_| Ok(())).map_err(Error::from),
        }
    }
}

fn taken(name: &str) -> String {
    format!("the ConfigMap {name} is there already and is not this job's")
}
