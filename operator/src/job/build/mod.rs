//! The objects of a party in one attempt. Pure: the same input gives the same objects.

mod network;
mod params;
mod party_job;

use super::validate::Accepted;
use crate::{
    identity::{IdentityError, OperatorSeed},
    names::{ACCOUNT, MANAGED_BY, MANAGER, ROLE, SERVICE, Seat},
};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use veilgrid_api::job::PrivateJob;

/// What the operator was told about pods.
#[derive(Clone, Debug)]
pub struct PodSettings {
    /// The image of parties.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub pull_policy: String,
}

/// What every pod of a namespace shares.
pub struct NamespaceObjects {
    /// Gives pods their names.
    pub service: Service,
    /// Without a token or a right.
    pub account: ServiceAccount,
}

/// One party of one attempt. The Job owns the other two.
pub struct PartyObjects {
    /// Its namespace.
    pub namespace: String,
    /// One pod, once.
    pub job: Job,
    /// Manifest, configuration, certificate and key.
    pub secret: Secret,
    /// Lets the job's parties speak to each other and to nobody else.
    pub policy: NetworkPolicy,
}

impl PartyObjects {
    /// Makes the Secret and the policy the Job's, so that they go with it.
    pub fn owned_by(mut self, job_uid: &str) -> Self {
        let owner = OwnerReference {
            api_version: "batch/v1".into(),
            kind: "Job".into(),
            name: self.job.metadata.name.clone().unwrap_or_default(),
            uid: job_uid.to_owned(),
            ..OwnerReference::default()
        };
        for metadata in [&mut self.secret.metadata, &mut self.policy.metadata] {
            metadata.owner_references = Some(vec![owner.clone()]);
        }
        self
    }
}

/// The objects of each party, in the job's order. `day` is when the attempt began, counted from 1970-01-01.
///
/// # Errors
/// [`IdentityError`].
pub fn parties(
    job: &PrivateJob,
    accepted: &Accepted,
    seats: &[Seat<'_>],
    seed: &OperatorSeed,
    day: i64,
    settings: &PodSettings,
) -> Result<Vec<PartyObjects>, IdentityError> {
    let build = |(index, seat): (usize, &Seat<'_>)| {
        let identity = seed.issue(&accepted.run, seat.party, day)?;
        let metadata = metadata(seat, &accepted.parties[index].namespace);
        Ok(PartyObjects {
            namespace: accepted.parties[index].namespace.clone(),
            job: party_job::job(metadata.clone(), job, &accepted.parties[index], seat, settings),
            secret: params::secret(metadata.clone(), accepted, seats, index, &identity),
            policy: network::policy(metadata, accepted, seat),
        })
    };
    seats.iter().enumerate().map(build).collect()
}

/// What a namespace needs before its first party.
pub fn namespace(namespace: &str) -> NamespaceObjects {
    let metadata =
        |name: &str| json!({"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}});
    NamespaceObjects {
        service: typed(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": metadata(SERVICE),
            // Parties look for each other before any of them is ready.
            "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": {ROLE: "party"}},
        })),
        account: typed(json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": metadata(ACCOUNT),
            "automountServiceAccountToken": false,
        })),
    }
}

fn metadata(seat: &Seat<'_>, namespace: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(seat.name()),
        namespace: Some(namespace.to_owned()),
        labels: Some(seat.labels()),
        ..ObjectMeta::default()
    }
}

/// An object written as JSON.
fn typed<Object: DeserializeOwned>(value: Value) -> Object {
    serde_json::from_value(value).expect("the object has the form of its kind")
}
