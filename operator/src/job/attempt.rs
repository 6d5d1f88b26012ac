//! One attempt of a job, as it is seen now.

use super::observe::{Sight, observe};
use crate::{
    context::Context,
    error::Error,
    names::{self, Seat},
};
use kube::ResourceExt;
use std::sync::Arc;
use veilgrid_api::{claim::PrivacyClaim, job::PrivateJob};

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
        let claims = seats.iter().map(|seat| ctx.cache.claims.get(&seat.object())).collect();
        let sight = |seat: &Seat<'_>| {
            let job = ctx.cache.party_jobs.get(&seat.object());
            observe(job.as_deref(), ctx.cache.pod(seat.namespace, &seat.name()).as_ref())
        };
        let sights = seats.iter().map(sight).collect();
        Ok(Self { job, ctx, seats, claims, sights })
    }

    /// Whether any of the parties' Jobs is left.
    pub(super) fn has_jobs(&self) -> bool {
        self.seats.iter().any(|seat| self.ctx.cache.party_jobs.get(&seat.object()).is_some())
    }

    /// Forgets the parties' pods: what they said is settled.
    pub(super) fn forget(&self) {
        self.seats.iter().for_each(|seat| self.ctx.cache.forget(seat.namespace, &seat.name()));
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
