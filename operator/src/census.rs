//! What there is, counted from the caches when somebody asks for the figures.

use crate::{cache::Cache, claim::is_open, clock};
use veilgrid_api::{
    budget::{Amounts, PrivacyBudget},
    claim::PrivacyClaim,
    status::Phase,
};

/// Every phase of a job, as its figures name it.
pub const PHASES: [(Phase, &str); 9] = [
    (Phase::Pending, "Pending"),
    (Phase::AwaitingApproval, "AwaitingApproval"),
    (Phase::Reserving, "Reserving"),
    (Phase::Suspended, "Suspended"),
    (Phase::Launching, "Launching"),
    (Phase::Running, "Running"),
    (Phase::Delivering, "Delivering"),
    (Phase::Succeeded, "Succeeded"),
    (Phase::Failed, "Failed"),
];
/// How much of a budget is spent or held: less than half of it, less than nine tenths, less than all, all. Whichever of
/// epsilon and delta has less left decides.
pub const FULLNESS: [&str; 4] = ["ample", "half", "nearly", "exhausted"];

/// The counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// Jobs, in the order of [`PHASES`].
    pub jobs: [u32; PHASES.len()],
    /// Budgets, in the order of [`FULLNESS`].
    pub budgets: [u32; FULLNESS.len()],
    /// The epsilon of all budgets together that they began with, hold for jobs under way, and have spent.
    pub epsilon: [f64; 3],
    /// Claims that wait for their owners.
    pub claims_awaiting: u32,
    /// How long the oldest of them waits, in seconds.
    pub longest_wait: u64,
}

impl Census {
    /// Counts what the caches hold.
    pub fn of(cache: &Cache) -> Self {
        let mut census = Self::default();
        for job in cache.jobs.store().state() {
            let phase = job.status.as_ref().map(|status| status.phase).unwrap_or_default();
            census.jobs[phase as usize] += 1;
        }
        cache.budgets.store().state().iter().for_each(|budget| census.budget(budget));
        cache.claims.store().state().iter().for_each(|claim| census.claim(claim));
        census
    }

    fn budget(&mut self, budget: &PrivacyBudget) {
        let Some(total) = budget.spec.total() else { return };
        let empty = Default::default();
        let status = budget.status.as_ref().unwrap_or(&empty);
        self.budgets[fullness(total, status.spent, status.reserved)] += 1;
        for (sum, amounts) in self.epsilon.iter_mut().zip([total, status.reserved, status.spent]) {
            *sum += amounts.epsilon.units() as f64 / 1e9;
        }
    }

    fn claim(&mut self, claim: &PrivacyClaim) {
        if claim.spec.approved || !is_open(claim) {
            return;
        }
        let made = claim.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
        self.claims_awaiting += 1;
        self.longest_wait = self.longest_wait.max(made.map_or(0, clock::since));
    }
}

/// An index of [`FULLNESS`].
fn fullness(total: Amounts, spent: Amounts, reserved: Amounts) -> usize {
    let class = |total: u64, spent: u64, reserved: u64| {
        let (total, taken) = (u128::from(total), u128::from(spent) + u128::from(reserved));
        [taken * 2 >= total, taken * 10 >= total * 9, taken >= total].into_iter().filter(|more| *more).count()
    };
    let epsilon = class(total.epsilon.units(), spent.epsilon.units(), reserved.epsilon.units());
    let delta = class(total.delta.units(), spent.delta.units(), reserved.delta.units());
    epsilon.max(delta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use veilgrid_api::amount::{Delta, Epsilon};

    #[test]
    fn every_phase_has_its_place() {
        for (index, (phase, name)) in PHASES.into_iter().enumerate() {
            assert_eq!((phase as usize, format!("{phase:?}").as_str()), (index, name));
        }
    }

    #[test]
    fn budgets_are_told_by_how_full_they_are() {
        let amounts = |epsilon, delta| Amounts {
            epsilon: Epsilon::from_units(epsilon),
            delta: Delta::from_units(delta),
        };
        let total = amounts(100, 100);
        for (spent, reserved, class) in [
            (amounts(0, 0), amounts(0, 0), "ample"),
            (amounts(49, 0), amounts(0, 0), "ample"),
            (amounts(25, 0), amounts(25, 0), "half"),
            (amounts(0, 89), amounts(0, 0), "half"),
            (amounts(0, 0), amounts(0, 90), "nearly"),
            (amounts(99, 0), amounts(1, 0), "exhausted"),
        ] {
            assert_eq!(FULLNESS[fullness(total, spent, reserved)], class, "{spent:?} {reserved:?}");
        }
    }

    #[test]
    fn only_open_claims_without_an_approval_wait() {
        let claim = |approved: bool, outcome: Option<&str>| -> PrivacyClaim {
            serde_json::from_value(json!({
                "metadata": {"name": "c", "creationTimestamp": "2020-01-01T00:00:00Z"},
                "spec": {"job": {"namespace": "a", "name": "j", "uid": "u"}, "party": "p", "dataset": "d", "budget": "b",
                    "run": "", "plan": "", "epsilon": "1", "delta": "0", "approved": approved},
                "status": {"outcome": outcome},
            }))
            .expect("a claim")
        };
        let mut census = Census::default();
        [claim(true, None), claim(false, Some("Released")), claim(false, None)]
            .iter()
            .for_each(|c| census.claim(c));
        assert_eq!(census.claims_awaiting, 1);
        assert!(census.longest_wait > 86_400);
    }
}
