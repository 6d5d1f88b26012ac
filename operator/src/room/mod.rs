//! Room for gangs: the parties of a job that asks for accelerators start all at once or not at all.
//!
//! Where the cluster has no gangs of its own that do it, the operator looks whether all parties fit before it makes any of them. It lets go one gang at
//! a time, and leaves room for those that it let go and that have no nodes yet: so two gangs never hold a part each of what
//! both need. What is looked at costs no write, and nothing while no such job waits.

mod admits;
#[cfg(test)]
mod brute;
mod cluster;
mod fits;
mod gang;
mod list;
mod listed;
mod quantity;

pub use fits::Lack;
pub use gang::Gang;

use crate::{context::Context, error::Error, job::build, names};
use cluster::Cluster;
use fits::fits;
use kube::{ResourceExt, runtime::reflector::ObjectRef};
use listed::Class;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use veilgrid_api::{job::PrivateJob, status::Phase};

/// For how long what was seen is good enough, at the least.
const FRESH: Duration = Duration::from_secs(2);
/// A look takes at most one part in this many of the time.
const SHARE: u32 = 10;
/// A gang that was let go and is not on its way after this long is not on its way.
const LOST: Duration = Duration::from_secs(60);

/// An attempt of a job: its uid and the attempt's number.
type Key = (String, u32);

/// Who has room.
#[derive(Default)]
pub struct Room {
    /// Held while one gang is judged, so that no two are at a time.
    state: Mutex<State>,
    /// The operator may not look at the nodes.
    is_blind: AtomicBool,
}

#[derive(Default)]
struct State {
    seen: Option<Seen>,
    /// Gangs that were let go and that the caches do not show as such yet.
    let_go: BTreeMap<Key, LetGo>,
}

/// A gang that was let go.
struct LetGo {
    at: Instant,
    job: ObjectRef<PrivateJob>,
    gang: Gang,
}

/// What was seen at one time.
struct Seen {
    at: Instant,
    /// How long it took.
    took: Duration,
    cluster: Cluster,
    classes: Vec<Class>,
    with_devices: bool,
    /// Gangs that were let go and had no nodes when the look began, and those that were let go since.
    ahead: BTreeMap<Key, Gang>,
}

impl Room {
    /// Gives the gang of a job's attempt its room, where all its parties fit.
    ///
    /// # Errors
    /// The API server's. Within: what the parties lack.
    pub async fn take(
        &self,
        ctx: &Context,
        job: &PrivateJob,
        mut gang: Gang,
    ) -> Result<Result<(), Vec<Lack>>, Error> {
        if self.is_blind.load(Ordering::Relaxed) {
            return Ok(Ok(()));
        }
        let key = key(job);
        let mut state = self.state.lock().await;
        state.forget(ctx);
        let with_devices = gang.need.devices.is_some();
        let is_fresh = |seen: &&Seen| {
            seen.at.elapsed() < FRESH.max(seen.took * SHARE) && (seen.with_devices || !with_devices)
        };
        if state.seen.as_ref().filter(is_fresh).is_none() {
            match state.look(ctx, with_devices).await {
                Ok(seen) => state.seen = Some(seen),
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    tracing::warn!(
                        error = status.message,
                        "jobs with accelerators are not held until all parties fit: the operator may not list nodes, pods and devices"
                    );
                    self.is_blind.store(true, Ordering::Relaxed);
                    return Ok(Ok(()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let State { seen: Some(seen), let_go } = &mut *state else { return Ok(Ok(())) };
        let fits = if gang.need.know(&seen.classes) {
            let ahead = seen.ahead.iter().filter(|(other, _)| **other != key).map(|(_, gang)| gang);
            fits(&seen.cluster, &ahead.collect::<Vec<_>>(), &gang)
        } else {
            Ok(())
        };
        if fits.is_ok() {
            seen.ahead.insert(key.clone(), gang.clone());
            let_go.insert(key, LetGo { at: Instant::now(), job: ObjectRef::from_obj(job), gang });
        }
        Ok(fits)
    }
}

impl State {
    /// Forgets gangs that the caches show as let go, and those that came to nothing.
    fn forget(&mut self, ctx: &Context) {
        let waits = |phase| {
            matches!(phase, Phase::Pending | Phase::Reserving | Phase::AwaitingApproval | Phase::Launching)
        };
        self.let_go.retain(|of, gone| {
            let job = ctx.cache.jobs.get(&gone.job);
            job.is_some_and(|job| key(&job) == *of && waits(phase(&job))) && gone.at.elapsed() < LOST
        });
    }

    async fn look(&self, ctx: &Context, with_devices: bool) -> Result<Seen, kube::Error> {
        let at = Instant::now();
        // Before the nodes are looked at: what gets a node meanwhile counts twice, never not at all.
        let mut ahead = unplaced(ctx);
        ahead.extend(self.let_go.iter().map(|(key, gone)| (key.clone(), gone.gang.clone())));
        let (cluster, classes) = list::cluster(&ctx.client, with_devices).await?;
        for gang in ahead.values_mut() {
            gang.need.know(&classes);
        }
        Ok(Seen { at, took: at.elapsed(), cluster, classes, with_devices, ahead })
    }
}

/// The gangs that were let go, with those of their parties that have no nodes yet.
fn unplaced(ctx: &Context) -> BTreeMap<Key, Gang> {
    let live = ctx.cache.jobs.store().state_filter(|job| !phase(job).has_ended()).into_iter();
    let gangs = live.filter_map(|job| {
        let mut gang = build::gang(&job, &ctx.pods)?;
        let seats = names::seats(&job).ok()?;
        let waits = |seat: &names::Seat<'_>| match ctx.cache.pod(seat.namespace, &seat.name()) {
            Some((pod, is_there)) => is_there && pod.spec.node_name.is_none(),
            // One that is taken up again waits for its own turn, as a new one does.
            None => ctx.cache.party_jobs.get(&seat.object()).is_some(),
        };
        gang.parties = seats.iter().filter(|seat| waits(seat)).map(|seat| seat.party.to_owned()).collect();
        (!gang.parties.is_empty()).then(|| (key(&job), gang))
    });
    gangs.collect()
}

fn key(job: &PrivateJob) -> Key {
    (job.uid().unwrap_or_default(), job.status.as_ref().map_or(1, |status| status.attempt.max(1)))
}

fn phase(job: &PrivateJob) -> Phase {
    job.status.as_ref().map(|status| status.phase).unwrap_or_default()
}
