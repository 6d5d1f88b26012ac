//! One of several replicas leads: it holds a `Lease` and renews it, and stops being the leader before anybody else can take it.
//!
//! The protocol of client-go: a holder's time is judged by when the observer saw it renew, on the observer's own clock, so
//! that clocks may differ.

use crate::error::{Error, exists};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use std::{
    str::FromStr,
    time::{Duration, Instant},
};

/// How long a leader that does not renew stays the leader for the others.
const HELD: Duration = Duration::from_secs(15);
/// How long it goes on by itself without having renewed: less than others wait.
const RENEWED: Duration = Duration::from_secs(10);
/// How long one renewal may take: one that hangs is to leave time for others.
const ANSWER: Duration = Duration::from_secs(3);
/// How often it renews, and others look.
const EVERY: Duration = Duration::from_secs(2);

/// Where the lease is: `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    namespace: String,
    name: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self { namespace: namespace.into(), name: name.into() })
            }
            _ => Err("write namespace/name".into()),
        }
    }
}

/// One replica's view of the lease.
pub struct Election {
    api: Api<Lease>,
    place: Place,
    me: String,
    /// What was seen last of another holder, and when.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Election {
    /// A replica that calls itself `me`, which must be unique among the replicas.
    pub fn new(client: Client, place: Place, me: String) -> Self {
        Self { api: Api::namespaced(client, &place.namespace), place, me, seen: None }
    }

    /// Waits until this replica leads.
    pub async fn lead(&mut self) {
        loop {
            // An answer that came later would tell of a lease that others may take again.
            match tokio::time::timeout(ANSWER, self.try_take()).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be read or taken"),
                Err(_) => tracing::warn!("a request for the lease got no answer"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Renews for as long as this replica leads; returns when it no longer may.
    pub async fn keep(&mut self) {
        let mut renewed = Instant::now();
        loop {
            let left = || RENEWED.saturating_sub(renewed.elapsed());
            tokio::time::sleep(EVERY.min(left())).await;
            if left().is_zero() {
                return;
            }
            // Others count from when they see it, which is not before it was sent.
            let sent = Instant::now();
            match tokio::time::timeout(ANSWER.min(left()), self.try_take()).await {
                Ok(Ok(true)) => renewed = sent,
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed"),
                Err(_) => tracing::warn!("a renewal of the lease got no answer"),
            }
        }
    }

    /// Lets another replica lead at once. Only after everything that a leader does has stopped.
    pub async fn give_up(&self) -> Result<(), Error> {
        let mut lease = self.api.get(&self.place.name).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.me) {
            spec.holder_identity = None;
            spec.renew_time = None;
            self.api.replace(&self.place.name, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }

    /// Takes or renews the lease; false where another holds it.
    async fn try_take(&mut self) -> Result<bool, Error> {
        let now = MicroTime(Timestamp::now());
        let Some(mut lease) = self.api.get_opt(&self.place.name).await? else {
            let spec = self.held(&LeaseSpec::default(), now);
            let mut lease = Lease { spec: Some(spec), ..Lease::default() };
            lease.metadata.name = Some(self.place.name.clone());
            return match self.api.create(&PostParams::default(), &lease).await {
                Err(error) if exists(&error) => Ok(false),
                made => made.map(|_| true).map_err(Error::from),
            };
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if !self.is_free(&spec) {
            return Ok(false);
        }
        lease.spec = Some(self.held(&spec, now));
        // Replaced under its resource version: of two that find it free, one takes it. The other looks again.
        self.api.replace(&self.place.name, &PostParams::default(), &lease).await?;
        Ok(true)
    }

    /// Whether this replica holds the lease, or nobody does, or its holder was not seen to renew for long enough.
    fn is_free(&mut self, spec: &LeaseSpec) -> bool {
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() || holder == self.me {
            self.seen = None;
            return true;
        }
        match &self.seen {
            Some((seen, when)) if seen == spec => {
                let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
                when.elapsed() > seconds.map_or(HELD, Duration::from_secs)
            }
            _ => {
                self.seen = Some((spec.clone(), Instant::now()));
                false
            }
        }
    }

    fn held(&self, before: &LeaseSpec, now: MicroTime) -> LeaseSpec {
        let mine = before.holder_identity.as_deref() == Some(&self.me);
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: Some(HELD.as_secs() as i32),
            acquire_time: if mine { before.acquire_time.clone() } else { Some(now.clone()) },
            lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!mine)),
            renew_time: Some(now),
            ..before.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_namespace_and_name() {
        assert!("a/b".parse::<Place>().is_ok());
        for wrong in ["", "a", "a/", "/b"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
