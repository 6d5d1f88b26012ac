//! The objects of a party in one attempt. Pure: the same input gives the same objects.

mod delivery;
mod devices;
mod gang;
mod network;
mod params;
mod party_job;
mod placement;
#[cfg(test)]
mod tests;

pub use delivery::{Delivery, delivery, delivery_policy, place_hash};
pub use gang::{discover as discover_gangs, gang};
pub(super) use network::policies;
pub(super) use params::READY;

use super::validate::Accepted;
use crate::{
    identity::{Identity, IdentityError, OperatorSeed},
    names::{ACCOUNT, MANAGED_BY, MANAGER, ROLE, SERVICE, Seat},
};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        resource::v1::ResourceClaimTemplate,
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::core::{ApiResource, DynamicObject};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use veilgrid_api::job::PrivateJob;

/// What the operator was told about pods.
#[derive(Clone, Debug)]
pub struct PodSettings {
    /// The image of parties.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub pull_policy: String,
    /// Where parties' keys come from.
    pub identity: IdentitySource,
    /// The cluster's own kind for pods that start together, where it has one.
    pub groups: Option<ApiResource>,
    /// Whether they may wait in queues: the API server refuses to take back a party that was let go.
    pub queues: bool,
}

/// Where the private key of a party's certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// It is born on the pod's node and never leaves it; the operator signs.
    Node,
    /// The operator derives it, and only the party's pod mounts the Secret that holds it.
    Secret,
}

/// What every pod of a namespace shares.
pub struct NamespaceObjects {
    /// Gives pods their names.
    pub service: Service,
    /// Without a token or a right.
    pub account: ServiceAccount,
}

/// All parties of one attempt. Their Jobs own the rest.
pub struct Objects {
    /// In the job's order.
    pub parties: Vec<PartyObjects>,
    /// For each namespace one, which lets the job's parties speak to each other and to nobody else.
    pub policies: Vec<NetworkPolicy>,
    /// Makes the pods start together, where the cluster does that by itself.
    pub group: Option<DynamicObject>,
}

/// One party of one attempt.
pub struct PartyObjects {
    /// Its namespace.
    pub namespace: String,
    /// One pod, once.
    pub job: Job,
    /// The devices that it asks for, where these are of a class.
    pub devices: Option<ResourceClaimTemplate>,
    /// Manifest and configuration; certificate and key where these are not born on the node.
    pub secret: Secret,
}

impl Objects {
    /// Makes the Secrets and the policies the Jobs', so that they go with them, and each Secret of use to its Job's pod alone. `uids` are the
    /// Jobs'.
    pub fn owned_by(mut self, uids: &[String]) -> Self {
        let owner = |(party, uid): (&PartyObjects, &String)| {
            owner(party.job.metadata.name.clone().unwrap_or_default(), uid.clone())
        };
        for policy in &mut self.policies {
            let here = |(party, _): &(&PartyObjects, _)| {
                Some(&party.namespace) == policy.metadata.namespace.as_ref()
            };
            policy.metadata.owner_references =
                Some(self.parties.iter().zip(uids).filter(here).map(owner).collect());
        }
        if let Some(group) = &mut self.group {
            group.metadata.owner_references = Some(self.parties.iter().zip(uids).map(owner).collect());
        }
        for (party, uid) in self.parties.iter_mut().zip(uids) {
            let owners = Some(vec![owner((party, uid))]);
            if let Some(devices) = &mut party.devices {
                devices.metadata.owner_references.clone_from(&owners);
            }
            party.secret.metadata.owner_references = owners;
            if let Some(data) = &mut party.secret.string_data
                && let Some(config) = data.remove(params::CONFIG)
            {
                data.insert(params::config(uid), config);
            }
        }
        self
    }
}

/// A Job of a party, as the owner of what goes with it.
pub(super) fn owner(name: String, uid: String) -> OwnerReference {
    OwnerReference {
        api_version: "batch/v1".into(),
        kind: "Job".into(),
        name,
        uid,
        ..OwnerReference::default()
    }
}

/// Whether the Service or the ServiceAccount of a namespace says what it was made to say; what others added counts for nothing.
pub fn is_as_made(service: Option<&Service>, account: Option<&ServiceAccount>) -> bool {
    let made = namespace("");
    let service_says = |service: &Service| {
        let spec = service.spec.as_ref()?;
        Some((spec.selector.clone(), spec.cluster_ip.clone(), spec.publish_not_ready_addresses))
    };
    let service_is = |service: &Service| service_says(service) == service_says(&made.service);
    let account_is = |account: &ServiceAccount| {
        account.automount_service_account_token == made.account.automount_service_account_token
    };
    service.is_none_or(service_is) && account.is_none_or(account_is)
}

/// The objects of all parties. `day` is when the attempt began, counted from 1970-01-01.
///
/// # Errors
/// [`IdentityError`].
pub fn objects(
    job: &PrivateJob,
    accepted: &Accepted,
    seats: &[Seat<'_>],
    seed: &OperatorSeed,
    day: i64,
    settings: &PodSettings,
) -> Result<Objects, IdentityError> {
    let authority = seed.authority(&accepted.run, day)?;
    let build = |(index, seat): (usize, &Seat<'_>)| {
        let identity = match settings.identity {
            IdentitySource::Node => None,
            IdentitySource::Secret => Some(seed.issue(&accepted.run, seat.party, day)?),
        };
        let metadata = metadata(seat.name(), seat.namespace, seat.labels());
        Ok(PartyObjects {
            namespace: seat.namespace.to_owned(),
            devices: devices::template(metadata.clone(), job),
            job: party_job::job(metadata.clone(), job, &accepted.parties[index], seat, settings),
            secret: params::secret(metadata, job, accepted, seats, index, tls(&authority, identity)),
        })
    };
    let parties = seats.iter().enumerate().map(build).collect::<Result<_, IdentityError>>()?;
    let group = gang::group(job, seats, settings);
    Ok(Objects { parties, policies: network::policies(seats, &accepted.parties), group })
}

/// The party's `tls` configuration.
fn tls(authority: &str, identity: Option<Identity>) -> Value {
    match identity {
        Some(Identity { certificate, key }) => {
            json!({"authority": authority, "certificate": certificate, "key": *key})
        }
        None => json!({"authority": authority, "bundle": format!("{}/bundle.pem", params::IDENTITY)}),
    }
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

fn metadata(name: String, namespace: &str, labels: BTreeMap<String, String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

/// An object written as JSON.
fn typed<Object: DeserializeOwned>(value: Value) -> Object {
    serde_json::from_value(value).expect("the object has the form of its kind")
}
