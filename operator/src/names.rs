//! What the operator's objects are called and how they are labelled.

use crate::error::Error;
use kube::{Resource, runtime::reflector::ObjectRef};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
pub use veilgrid_api::labels::{
    ATTEMPT, DELIVERY, JOB, JOB_NAMESPACE, JOB_UID, MANAGED_BY, MANAGER, PARTY, PLACE, ROLE,
};
use veilgrid_api::{claim::PrivacyClaim, job::PrivateJob};
use veilgrid_receipt::hex::hex;

/// What `spec.managedBy` calls this operator.
pub const CONTROLLER: &str = "veilgrid.dev/operator";
/// Keeps a job until all that it made elsewhere is gone and its claims are settled.
pub const FINALIZER: &str = "veilgrid.dev/settle";
/// The headless Service of a namespace, by which parties' pods find each other.
pub const SERVICE: &str = "veilgrid-parties";
/// The ServiceAccount of a namespace's party pods. It has no token and no right.
pub const ACCOUNT: &str = "veilgrid-party";
/// Where a party listens.
pub const PORT: u16 = 7443;

/// By which Kueue knows the queue of a Job.
pub const QUEUE: &str = "kueue.x-k8s.io/queue-name";

/// One party in one attempt of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat<'a> {
    /// The job's namespace.
    pub job_namespace: &'a str,
    /// The job's name.
    pub job: &'a str,
    /// The job's uid.
    pub uid: &'a str,
    /// The party's name.
    pub party: &'a str,
    /// Its dataset's namespace, where all that belongs to it is.
    pub namespace: &'a str,
    /// From 1.
    pub attempt: u32,
    /// How often the attempt was taken up again: each time with Jobs of new names, and the same claims.
    pub round: u32,
}

impl Seat<'_> {
    /// The name of all objects of this party in this round but its claim: a DNS label of at most 58 characters, which leaves room for
    /// the suffix of a pod's host name.
    pub fn name(&self) -> String {
        let round = if self.round == 0 { String::new() } else { format!("r{}", self.round) };
        format!("{}{round}", self.claim_name())
    }

    /// The name of its claim, of all its objects before it was taken up, and of its folder on the volume that its owner names for it.
    pub fn claim_name(&self) -> String {
        let hash = hex(&Sha256::digest(format!("{}/{}", self.uid, self.party).as_bytes())[..4]);
        format!("{}-{}-{hash}-a{}", cut(self.job, 24), cut(self.party, 16), self.attempt)
    }

    /// Its claim.
    pub fn claim(&self) -> ObjectRef<PrivacyClaim> {
        ObjectRef::new(&self.claim_name()).within(self.namespace)
    }

    /// Its earlier rounds.
    pub fn earlier(&self) -> impl Iterator<Item = Self> {
        (0..self.round).map(|round| Self { round, ..self.clone() })
    }

    /// The name of the objects that bring the result of its attempt to its place; the same at every seat.
    pub fn delivery_name(&self) -> String {
        let hash = hex(&Sha256::digest(self.uid.as_bytes())[..4]);
        format!("{}-{hash}-a{}-result", cut(self.job, 24), self.attempt)
    }

    /// The Job that does it, in the job's own namespace.
    pub fn delivery<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.delivery_name()).within(self.job_namespace)
    }

    /// The name of the policy that lets its pod out to its object store.
    pub fn store_policy(&self) -> String {
        format!("{}-store", self.name())
    }

    /// Where its pod is reached.
    pub fn address(&self) -> String {
        format!("{}-0.{SERVICE}.{}.svc:{PORT}", self.name(), self.namespace)
    }

    /// The run that its party computes in: 32 hexadecimal digits, the same whenever it is asked for.
    pub fn run(&self) -> String {
        run(self.uid, self.attempt)
    }

    /// Its object of a kind: all but its claim have its name.
    pub fn object<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.name()).within(self.namespace)
    }

    /// The labels of all its objects.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.job_labels();
        labels.insert(PARTY.to_owned(), self.party.to_owned());
        labels
    }

    /// The labels of what belongs to the attempt and to no party of it.
    pub fn job_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.delivery_labels();
        labels.insert(JOB_UID.to_owned(), self.uid.to_owned());
        labels
    }

    /// The labels of what brings the attempt's result to its place. Without the job's uid, by which the parties' policies choose pods.
    pub fn delivery_labels(&self) -> BTreeMap<String, String> {
        // A label's value has at most 63 characters; a name may have more, and is then told by the uid alone.
        let short =
            |text: &str| text.chars().take(63).collect::<String>().trim_end_matches(['-', '.']).to_owned();
        [
            (MANAGED_BY, MANAGER.to_owned()),
            (JOB, short(self.job)),
            (JOB_NAMESPACE, self.job_namespace.to_owned()),
            (ATTEMPT, self.attempt.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// So many characters of a name as a part of another.
fn cut(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c == '.' { '-' } else { c }).take(most).collect();
    text.trim_end_matches('-').to_owned()
}

/// The parties of a job's present attempt, in the job's order.
///
/// # Errors
/// [`Error::Incomplete`], for an object that no API server gave.
pub fn seats(job: &PrivateJob) -> Result<Vec<Seat<'_>>, Error> {
    let (attempt, round) =
        job.status.as_ref().map_or((1, 0), |status| (status.attempt.max(1), status.resumes));
    let metadata = &job.metadata;
    let name = metadata.name.as_deref().ok_or(Error::Incomplete("a name"))?;
    let uid = metadata.uid.as_deref().ok_or(Error::Incomplete("a uid"))?;
    let home = metadata.namespace.as_deref().ok_or(Error::Incomplete("a namespace"))?;
    let parties = job.spec.parties.iter();
    let seats = parties.map(|party| Seat {
        job_namespace: home,
        job: name,
        uid,
        party: &party.name,
        namespace: party.dataset.namespace_from(home),
        attempt,
        round,
    });
    Ok(seats.collect())
}

/// The run of an attempt: 32 hexadecimal digits, the same whenever it is asked for.
fn run(uid: &str, attempt: u32) -> String {
    hex(&Sha256::digest(format!("veilgrid run {uid} {attempt}").as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "6a0e1f1e-8f0c-4a55-9d6d-0d3c2d9c8a11";

    fn seat<'a>(job: &'a str, party: &'a str) -> Seat<'a> {
        Seat { job_namespace: "research", job, uid: UID, party, namespace: "owner", attempt: 1000, round: 9 }
    }

    #[test]
    fn names_are_labels_with_room_for_a_host_name() {
        let long = "a.".repeat(120) + "z";
        for (job, party) in [("x", "y"), (long.as_str(), &"p".repeat(63)), ("a-b", "north")] {
            let name = seat(job, party).name();
            assert!(
                name.len() <= 58 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{name}"
            );
            assert!(!name.contains("--"), "{name}");
            let delivery = seat(job, party).delivery_name();
            assert!(delivery.len() <= 56 && delivery.ends_with("-a1000-result"), "{delivery}");
            assert!(seat(job, party).labels().values().all(|value| value.len() <= 63));
        }
        assert_ne!(seat("a", "north").name(), seat("a", "south").name());
    }

    #[test]
    fn a_run_is_fresh_for_each_attempt_and_job() {
        assert_eq!(run(UID, 1), run(UID, 1));
        assert_ne!(run(UID, 1), run(UID, 2));
        assert_ne!(run(UID, 1), run("other", 1));
        assert_eq!(run(UID, 1).len(), 32);
    }
}
