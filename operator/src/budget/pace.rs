//! When a budget is looked at, so that one write serves many jobs.

use kube::runtime::reflector::ObjectRef;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use veilgrid_api::budget::PrivacyBudget;

/// From one look at a budget to the next. The first after a rest is taken at once.
const GATHER: Duration = Duration::from_millis(200);
/// How long what is only settled waits for a reservation to be written with.
const DEFER: Duration = Duration::from_secs(1);

/// The paces of all budgets.
#[derive(Default)]
pub struct Paces(Mutex<HashMap<ObjectRef<PrivacyBudget>, Pace>>);

#[derive(Clone, Copy)]
struct Pace {
    looked: Instant,
    /// Since when something is settled and not booked.
    settled: Option<Instant>,
}

impl Paces {
    /// Begins a look, or says how long it is too early for one.
    ///
    /// # Errors
    /// The time to wait.
    pub fn begin(&self, budget: &ObjectRef<PrivacyBudget>, now: Instant) -> Result<(), Duration> {
        let mut paces = self.lock();
        let pace = paces.get(budget);
        if let Some(left) = pace.and_then(|pace| left(pace.looked, GATHER, now)) {
            return Err(left);
        }
        let settled = pace.and_then(|pace| pace.settled);
        let name = ObjectRef::new(&budget.name).within(budget.namespace.as_deref().unwrap_or_default());
        paces.insert(name, Pace { looked: now, settled });
        Ok(())
    }

    /// How long what is only settled may wait yet.
    pub fn defer(&self, budget: &ObjectRef<PrivacyBudget>, now: Instant) -> Option<Duration> {
        let mut paces = self.lock();
        let since = *paces.get_mut(budget)?.settled.get_or_insert(now);
        left(since, DEFER, now)
    }

    /// All that is settled is booked.
    pub fn booked(&self, budget: &ObjectRef<PrivacyBudget>) {
        if let Some(pace) = self.lock().get_mut(budget) {
            pace.settled = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectRef<PrivacyBudget>, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left(since: Instant, time: Duration, now: Instant) -> Option<Duration> {
    time.checked_sub(now.duration_since(since)).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_gather_and_settlements_wait_for_a_moment() {
        let (paces, budget, start) = (Paces::default(), ObjectRef::new("b").within("a"), Instant::now());
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        assert_eq!(paces.begin(&budget, at(0)), Ok(()), "the first is taken at once");
        assert_eq!(paces.begin(&budget, at(50)), Err(Duration::from_millis(150)));
        assert_eq!(paces.defer(&budget, at(50)), Some(DEFER));
        assert_eq!(paces.begin(&budget, at(200)), Ok(()));
        assert_eq!(paces.defer(&budget, at(250)), Some(Duration::from_millis(800)), "from the first of them");
        assert_eq!(paces.defer(&budget, at(1050)), None);
        paces.booked(&budget);
        assert_eq!(paces.defer(&budget, at(2000)), Some(DEFER));
    }
}
