//! One attempt of a job, as it is seen now.

use super::observe::{Sight, observe};
use crate::{
    context::Context,
    error::Error,
    names::{self, Seat},
    party::PartyPod,
};
use kube::ResourceExt;
use std::sync::Arc;
use veilgrid_api::{claim::PrivacyClaim, job::PrivateJob, status::Phase};

/// A job's present attempt. Seats, claims and sights are in the order of the job's parties.
pub(super) struct Attempt<'a> {
    pub(super) job: &'a PrivateJob,
    pub(super) ctx: &'a Context,
    /// Who takes part, by the job's spec alone.
    pub(super) seats: Vec<Seat<'a>>,
    /// The claims that the cache has.
    pub(super) claims: Vec<Option<Arc<PrivacyClaim>>>,
    /// How each party stands.
    pub(super) sights: Vec<Sight>,
}

impl<'a> Attempt<'a> {
    pub(super) fn of(job: &'a PrivateJob, ctx: &'a Context) -> Result<Self, Error> {
        let seats = names::seats(job)?;
        let claims = seats.iter().map(|seat| ctx.cache.claims.get(&seat.claim())).collect();
        let sight = |seat: &Seat<'_>| {
            let pin = pin(job, seat);
            // Another of the same name came late, and nobody asked for it.
            let is_its = |uid: Option<&str>| pin.is_none() || uid.is_none() || uid == pin;
            let job = ctx.cache.party_jobs.get(&seat.object());
            let job = job.filter(|job| is_its(job.metadata.uid.as_deref()));
            let pod = ctx.cache.pod(seat.namespace, &seat.name());
            let pod = pod.filter(|(pod, _)| is_its(owner(pod)));
            let seen = observe(job.as_deref(), pod.as_ref().map(|(pod, is_there)| (&**pod, *is_there)));
            Sight { resumed: seat.round > 0, ..seen }
        };
        let sights = seats.iter().map(sight).collect();
        Ok(Self { job, ctx, seats, claims, sights })
    }

    /// How far the job is.
    pub(super) fn phase(&self) -> Phase {
        self.job.status.as_ref().map(|status| status.phase).unwrap_or_default()
    }

    /// Whether anything was claimed for it.
    pub(super) fn has_claims(&self) -> bool {
        self.claims.iter().any(Option::is_some)
    }

    /// Whether any Job of the parties or of the delivery is left that is not on its way.
    pub(super) fn has_jobs(&self) -> bool {
        let jobs = self.seats.iter().filter_map(|seat| self.ctx.cache.party_jobs.get(&seat.object()));
        jobs.chain(self.delivery_job()).any(|job| job.metadata.deletion_timestamp.is_none())
    }

    /// Whether any Job of the parties is there, be it on its way.
    pub(super) fn has_any_job(&self) -> bool {
        self.seats.iter().any(|seat| self.ctx.cache.party_jobs.get(&seat.object()).is_some())
    }

    /// The uids of the parties' Jobs, where the status names them.
    pub(super) fn pins(&self) -> Vec<Option<&'a str>> {
        self.seats.iter().map(|seat| pin(self.job, seat)).collect()
    }

    /// Whether no Job of the attempt was named, and none of their pods has said anything.
    pub(super) fn is_bare(&self) -> bool {
        self.pins().iter().all(Option::is_none) && self.sights.iter().all(|sight| sight.exit_code.is_none())
    }

    /// The seats of earlier rounds.
    pub(super) fn earlier(&self) -> impl Iterator<Item = Seat<'a>> {
        self.seats.iter().flat_map(Seat::earlier)
    }

    /// Forgets the parties' pods: what they said is settled.
    pub(super) fn forget(&self) {
        let seats = self.earlier().chain(self.seats.iter().cloned());
        seats.for_each(|seat| self.ctx.cache.forget(seat.namespace, &seat.name()));
        if let Some(seat) = self.seats.first() {
            self.ctx.cache.forget(seat.job_namespace, &seat.delivery_name());
            self.ctx.asked.forget(seat.uid);
            self.ctx.told.forget(seat.uid);
            self.ctx.refused.forget(seat.uid);
            self.ctx.stages.forget(seat.uid);
            self.end_turn();
        }
    }

    /// Indices of the parties that get the result.
    pub(super) fn recipients(&self) -> Vec<usize> {
        let names = &self.job.spec.recipients;
        let receives = |seat: &Seat<'_>| names.is_empty() || names.iter().any(|name| name == seat.party);
        (0..self.seats.len()).filter(|index| receives(&self.seats[*index])).collect()
    }

    /// Where the job is.
    pub(super) fn home(&self) -> String {
        self.job.namespace().unwrap_or_default()
    }
}

/// The uid of a party's Job, where the status names it.
pub(crate) fn pin<'a>(job: &'a PrivateJob, seat: &Seat<'_>) -> Option<&'a str> {
    let parties = &job.status.as_ref()?.parties;
    let party = parties.iter().find(|party| party.name == seat.party)?;
    Some(party.job.as_str()).filter(|uid| !uid.is_empty())
}

/// The uid of the Job that made a pod.
fn owner(pod: &PartyPod) -> Option<&str> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.kind == "Job").map(|owner| owner.uid.as_str())
}
