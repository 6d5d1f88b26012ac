//! What a budget holds and what is gone: pure arithmetic over its status and its claims.
//!
//! An amount is held if and only if its claim is among the reservations. A settled claim leaves them in the same write that
//! books it, so a claim that has an outcome and is not among them has been booked: every step may be repeated.

use crate::claim::is_open;
use std::collections::{BTreeMap, BTreeSet};
use veilgrid_api::{
    amount::{Delta, Epsilon},
    budget::{Amounts, PrivacyBudgetStatus, RECENT, RESERVATIONS, Reservation, Settled},
    claim::{Outcome, PrivacyClaim},
};

/// A claim that the budget cannot pay for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The claim's name.
    pub claim: String,
    /// The figures.
    pub message: String,
}

/// What a budget's next status is, and whom it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The status to write, where it is not the present one.
    pub status: PrivacyBudgetStatus,
    /// To be told to the claims. Nothing is held for them.
    pub refused: Vec<Refusal>,
}

/// Settles what is settled, then reserves for approved claims in the order of their age while there is enough.
///
/// `claims` are all claims on the budget, as fresh as the status at the least. A reservation whose claim is gone is spent: nobody
/// can say any more what became of it.
pub fn book(
    total: Amounts,
    generation: i64,
    present: &PrivacyBudgetStatus,
    claims: &[&PrivacyClaim],
) -> Booked {
    let by_uid: BTreeMap<&str, &PrivacyClaim> =
        claims.iter().filter_map(|claim| Some((claim.metadata.uid.as_deref()?, *claim))).collect();
    let mut status = PrivacyBudgetStatus { observed_generation: generation, total, ..present.clone() };
    status.reservations.retain(|reservation| {
        let claim = by_uid.get(reservation.uid.as_str());
        let outcome = match claim {
            None => Outcome::Spent,
            Some(claim) => match claim.status.as_ref().and_then(|status| status.outcome) {
                None => return true,
                // Told so by one that did not know that the amount is held: what has become of it, nobody can say.
                Some(Outcome::Refused) => Outcome::Spent,
                Some(outcome) => outcome,
            },
        };
        if outcome == Outcome::Spent {
            status.spent = sum(status.spent, reservation.amounts);
        }
        let job =
            claim.map_or("?".into(), |claim| format!("{}/{}", claim.spec.job.namespace, claim.spec.job.name));
        let settled =
            Settled { claim: reservation.claim.clone(), job, outcome, amounts: reservation.amounts };
        status.recent.insert(0, settled);
        status.recent.truncate(RECENT);
        false
    });
    status.reserved = status.reservations.iter().fold(Amounts::default(), |all, one| sum(all, one.amounts));

    let held: BTreeSet<&str> = status.reservations.iter().map(|held| held.uid.as_str()).collect();
    let is_held = |claim: &PrivacyClaim| claim.metadata.uid.as_deref().is_some_and(|uid| held.contains(uid));
    let mut open: Vec<&PrivacyClaim> = claims
        .iter()
        .copied()
        .filter(|claim| claim.spec.approved && is_open(claim) && !is_held(claim))
        .collect();
    open.sort_by_key(|claim| (claim.metadata.creation_timestamp.clone(), claim.metadata.name.clone()));
    let mut refused = Vec::new();
    for claim in open {
        let (Some(uid), Some(name)) = (&claim.metadata.uid, &claim.metadata.name) else { continue };
        let amounts = Amounts { epsilon: claim.spec.epsilon, delta: claim.spec.delta };
        let taken = sum(status.spent, status.reserved);
        let after = sum(taken, amounts);
        if after.epsilon > total.epsilon || after.delta > total.delta {
            let left = less(total, taken);
            let message = format!(
                "asks for epsilon {} and delta {}; {} of {} and {} of {} are left ({} and {} are held for jobs under way); \
                 ask for less, or have the owner raise the budget",
                amounts.epsilon,
                amounts.delta,
                left.epsilon,
                total.epsilon,
                left.delta,
                total.delta,
                status.reserved.epsilon,
                status.reserved.delta,
            );
            refused.push(Refusal { claim: name.clone(), message });
        } else if status.reservations.len() < RESERVATIONS {
            status.reservations.push(Reservation { uid: uid.clone(), claim: name.clone(), amounts });
            status.reserved = sum(status.reserved, amounts);
        }
    }
    status.remaining = less(total, sum(status.spent, status.reserved));
    Booked { status, refused }
}

/// Whether the budget holds the claim's amount.
pub fn holds(status: &PrivacyBudgetStatus, claim: &PrivacyClaim) -> bool {
    status.reservations.iter().any(|reservation| Some(&reservation.uid) == claim.metadata.uid.as_ref())
}

/// A sum too large to be written counts as the largest amount, which no budget allows.
fn sum(a: Amounts, b: Amounts) -> Amounts {
    Amounts {
        epsilon: a.epsilon.checked_add(b.epsilon).unwrap_or(Epsilon::from_units(u64::MAX)),
        delta: a.delta.checked_add(b.delta).unwrap_or(Delta::from_units(u64::MAX)),
    }
}

fn less(a: Amounts, b: Amounts) -> Amounts {
    Amounts { epsilon: a.epsilon.saturating_sub(b.epsilon), delta: a.delta.saturating_sub(b.delta) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use veilgrid_api::claim::{JobRef, PrivacyClaimSpec, PrivacyClaimStatus};

    fn amounts(epsilon: u64) -> Amounts {
        Amounts { epsilon: Epsilon::from_units(epsilon), delta: Delta::from_units(1) }
    }

    fn claim(index: usize, epsilon: u64, approved: bool, outcome: Option<Outcome>) -> PrivacyClaim {
        let mut claim = PrivacyClaim::new(
            &format!("claim-{index}"),
            PrivacyClaimSpec {
                job: JobRef { namespace: "research".into(), name: "j".into(), uid: "u".into() },
                party: "north".into(),
                dataset: "d".into(),
                budget: "b".into(),
                run: "0".repeat(32),
                plan: "0".repeat(64),
                epsilon: Epsilon::from_units(epsilon),
                delta: Delta::from_units(1),
                approved,
            },
        );
        claim.metadata.uid = Some(format!("uid-{index}"));
        claim.status =
            outcome.map(|outcome| PrivacyClaimStatus { outcome: Some(outcome), message: String::new() });
        claim
    }

    #[test]
    fn a_claim_is_held_once_and_booked_once() {
        let total = Amounts { epsilon: Epsilon::from_units(10), delta: Delta::from_units(100) };
        let mut asked = claim(0, 4, true, None);
        let first = book(total, 1, &PrivacyBudgetStatus::default(), &[&asked]);
        assert_eq!(first.status.reserved.epsilon.units(), 4);
        assert!(holds(&first.status, &asked));
        assert_eq!(book(total, 1, &first.status, &[&asked]).status, first.status);
        asked.status = Some(PrivacyClaimStatus { outcome: Some(Outcome::Spent), message: String::new() });
        let second = book(total, 1, &first.status, &[&asked]);
        assert_eq!((second.status.spent.epsilon.units(), second.status.remaining.epsilon.units()), (4, 6));
        assert_eq!(second.status.recent[0].job, "research/j");
        assert_eq!(book(total, 1, &second.status, &[&asked]).status, second.status);
    }

    #[test]
    fn what_nobody_can_account_for_is_spent() {
        let total = amounts(10);
        let held = book(total, 1, &PrivacyBudgetStatus::default(), &[&claim(0, 4, true, None)]);
        assert_eq!(book(total, 1, &held.status, &[]).status.spent.epsilon.units(), 4);
    }

    #[test]
    fn what_was_held_and_then_refused_is_spent() {
        let mut asked = claim(0, 4, true, None);
        let held = book(amounts(10), 1, &PrivacyBudgetStatus::default(), &[&asked]);
        asked.status = Some(PrivacyClaimStatus { outcome: Some(Outcome::Refused), message: String::new() });
        let booked = book(amounts(10), 1, &held.status, &[&asked]);
        assert_eq!((booked.status.spent.epsilon.units(), booked.status.reservations.len()), (4, 0));
    }

    #[test]
    fn refusals_give_the_figures_and_hold_nothing() {
        let (small, large, waiting) =
            (claim(0, 6, true, None), claim(1, 5, true, None), claim(2, 1, false, None));
        let total = Amounts { epsilon: Epsilon::from_units(10), delta: Delta::from_units(100) };
        let booked = book(total, 1, &PrivacyBudgetStatus::default(), &[&large, &small, &waiting]);
        assert_eq!(booked.refused.len(), 1);
        assert_eq!(booked.refused[0].claim, "claim-1");
        assert!(
            booked.refused[0].message.contains("asks for epsilon 0.000000005"),
            "{}",
            booked.refused[0].message
        );
        assert_eq!(booked.status.reservations.len(), 1);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask(u64),
        Approve(usize),
        Settle(usize, bool),
        Forget(usize),
        Book,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1u64..8).prop_map(Step::Ask),
            any::<usize>().prop_map(Step::Approve),
            (any::<usize>(), any::<bool>()).prop_map(|(at, spent)| Step::Settle(at, spent)),
            any::<usize>().prop_map(Step::Forget),
            Just(Step::Book),
        ]
    }

    proptest! {
        // Whatever happens to claims, no more is ever spent and held than there is, and what was held and spent is booked.
        #[test]
        fn a_budget_is_never_overspent(steps in prop::collection::vec(step(), 1..60)) {
            let total = Amounts { epsilon: Epsilon::from_units(20), delta: Delta::from_units(1000) };
            let mut status = PrivacyBudgetStatus::default();
            let mut claims: Vec<PrivacyClaim> = Vec::new();
            let mut owed = 0;
            for (count, step) in steps.into_iter().enumerate() {
                let at = |at: usize| (!claims.is_empty()).then(|| at % claims.len());
                match step {
                    Step::Ask(epsilon) => claims.push(claim(count, epsilon, false, None)),
                    Step::Approve(index) => if let Some(i) = at(index) { claims[i].spec.approved = true },
                    // As the job's side does it: only what is held is settled.
                    Step::Settle(index, spent) => if let Some(i) = at(index)
                        && holds(&status, &claims[i]) && claims[i].status.is_none() {
                            let outcome = if spent { Outcome::Spent } else { Outcome::Released };
                            owed += if spent { claims[i].spec.epsilon.units() } else { 0 };
                            claims[i].status = Some(PrivacyClaimStatus { outcome: Some(outcome), message: String::new() });
                    },
                    Step::Forget(index) => if let Some(i) = at(index) {
                        let gone = claims.remove(i);
                        if holds(&status, &gone) && gone.status.is_none() {
                            owed += gone.spec.epsilon.units();
                        } else if holds(&status, &gone) && gone.status.is_some_and(|s| s.outcome == Some(Outcome::Released)) {
                            // Gone before it was booked: unsure means spent.
                            owed += gone.spec.epsilon.units();
                        }
                    },
                    Step::Book => {
                        let all: Vec<&PrivacyClaim> = claims.iter().collect();
                        status = book(total, 1, &status, &all).status;
                        prop_assert_eq!(status.spent.epsilon.units(), owed);
                    }
                }
                let taken = status.spent.epsilon.units() + status.reserved.epsilon.units();
                prop_assert!(taken <= 20 && status.recent.len() <= RECENT);
            }
        }
    }
}
