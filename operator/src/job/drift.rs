//! Puts back what somebody changed or deleted of a running job's NetworkPolicies, and of what its namespaces' pods share.

use super::{
    apply::{apply, prepare},
    attempt::Attempt,
    build,
};
use crate::{error::Error, policies::Policy, reason::Reason};
use k8s_openapi::{api::networking::v1::NetworkPolicy, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{ResourceExt, runtime::reflector::ObjectRef};
use veilgrid_api::dataset::PrivateDataset;

impl Attempt<'_> {
    /// Puts back what is not as it was made. Writes nothing where all is.
    pub(super) async fn mend(&self) -> Result<(), Error> {
        for seat in &self.seats {
            prepare(seat.namespace, self.ctx).await?;
        }
        // What the datasets say of their stores now; where they are not what was claimed, that alone is not put back.
        let parties = match self.has_store() {
            true => self.accept().map(|accepted| accepted.parties).unwrap_or_default(),
            false => Vec::new(),
        };
        for policy in build::policies(&self.seats, &parties) {
            let namespace = policy.namespace().unwrap_or_default();
            let owners: Vec<_> = self
                .seats
                .iter()
                .filter(|seat| seat.namespace == namespace)
                .filter_map(|seat| {
                    Some(build::owner(seat.name(), self.ctx.cache.party_jobs.get(&seat.object())?.uid()?))
                })
                .collect();
            self.put_back(policy, owners).await?;
        }
        Ok(())
    }

    /// Puts back a policy that is not as it was made.
    pub(super) async fn put_back(
        &self,
        mut policy: NetworkPolicy,
        owners: Vec<OwnerReference>,
    ) -> Result<(), Error> {
        let seen = &self.ctx.cache.surroundings.policies_seen;
        let (namespace, name) = (policy.namespace().unwrap_or_default(), policy.name_any());
        let made = Policy::of(&policy);
        let what = match seen.get(&namespace, &name) {
            // On its way.
            None => return Ok(()),
            Some(found) if found == made => return Ok(()),
            Some(Policy::Gone) => "deleted",
            Some(_) => "changed",
        };
        if owners.is_empty() {
            // Whose Jobs are gone needs none, and would leave it behind.
            return Ok(());
        }
        policy.metadata.owner_references = Some(owners);
        apply::<NetworkPolicy>(&policy, self.ctx).await?;
        seen.set(&namespace, &name, made);
        let message = format!("somebody {what} the NetworkPolicy {namespace}/{name}: it is put back");
        self.ctx.tell(self.job, Reason::PolicyRestored, self.phase(), &message);
        Ok(())
    }

    /// Whether any party's rows are in an object store. Only then does a policy depend on more than the job.
    fn has_store(&self) -> bool {
        let mut datasets = self.seats.iter().zip(&self.job.spec.parties).filter_map(|(seat, party)| {
            let name = ObjectRef::<PrivateDataset>::new(&party.dataset.name).within(seat.namespace);
            self.ctx.cache.datasets.get(&name)
        });
        datasets.any(|dataset| dataset.spec.source.object_store.is_some())
    }
}
