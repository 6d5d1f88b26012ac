//! What is known of the jobs' NetworkPolicies: whether each is as it was made, and no more, since there is one for each party.

use k8s_openapi::api::networking::v1::NetworkPolicy;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A policy, as it was seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It says what has this hash.
    Says(u64),
    /// It was deleted.
    Gone,
}

impl Policy {
    /// What a policy says. Labels and annotations that others put on it count for nothing.
    pub fn of(policy: &NetworkPolicy) -> Self {
        let mut hasher = DefaultHasher::new();
        let spec = serde_json::to_string(&policy.spec).expect("a spec is JSON");
        spec.hash(&mut hasher);
        Self::Says(hasher.finish())
    }
}

/// The annotation of a policy in the cache that has its hash.
const HASH: &str = "hash";

/// Leaves of a policy whose it is and what [`said`] needs: there are many.
pub fn shrink(policy: &mut NetworkPolicy) {
    let Policy::Says(hash) = Policy::of(policy) else { return };
    policy.spec = None;
    policy.metadata.annotations = Some([(HASH.to_owned(), hash.to_string())].into());
    (policy.metadata.managed_fields, policy.metadata.owner_references) = (None, None);
}

/// What a shrunk policy says.
pub fn said(policy: &NetworkPolicy) -> Option<Policy> {
    Some(Policy::Says(policy.metadata.annotations.as_ref()?.get(HASH)?.parse().ok()?))
}

/// The policies, by namespace and name.
#[derive(Default)]
pub struct Policies(Mutex<HashMap<(String, String), Policy>>);

impl Policies {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Policy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A policy; none where it has not been seen.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Policy> {
        self.lock().get(&(namespace.to_owned(), name.to_owned())).copied()
    }

    /// A policy was seen. Whether it was known, and has changed.
    pub fn set(&self, namespace: &str, name: &str, policy: Policy) -> bool {
        let before = self.lock().insert((namespace.to_owned(), name.to_owned()), policy);
        before.is_some_and(|before| before != policy)
    }

    /// A policy does not matter any more.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.lock().remove(&(namespace.to_owned(), name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_a_policy_says_counts() {
        let policy = |labels: serde_json::Value, port: u16| -> NetworkPolicy {
            serde_json::from_value(json!({
                "metadata": {"name": "p", "labels": labels, "resourceVersion": "7"},
                "spec": {"podSelector": {}, "ingress": [{"ports": [{"protocol": "TCP", "port": port}]}]},
            }))
            .expect("a policy")
        };
        assert_eq!(Policy::of(&policy(json!({}), 7443)), Policy::of(&policy(json!({"team": "a"}), 7443)));
        assert_ne!(Policy::of(&policy(json!({}), 7443)), Policy::of(&policy(json!({}), 22)));
        let mut small = policy(json!({}), 7443);
        shrink(&mut small);
        assert_eq!((said(&small), small.spec), (Some(Policy::of(&policy(json!({}), 7443))), None));
    }
}
